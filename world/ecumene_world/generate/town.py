"""A made-up town: a bent grid of streets, rows of houses about courtyards, villas in gardens and a square."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from math import cos, hypot, sin, sqrt
from typing import Final

import numpy as np

from ecumene_world.assets.polygon import area_m2, inset
from ecumene_world.generate.dressing import dress
from ecumene_world.generate.interiors import suits
from ecumene_world.generate.plan import House, TownPlan
from ecumene_world.generate.planner import plan_town
from ecumene_world.generate.room_building import Wish
from ecumene_world.generate.statistics import median_of_town
from ecumene_world.generate.survey import Area, Footprint, Points, Survey, Way
from ecumene_world.graph import SceneGraph

_LANE_M: Final = 7.5
_GATEWAY_M: Final = 4.2
"""Width of the gap in a row of houses that leads into the courtyard."""
_HALL_M: Final = 14.2
"""Height of the town hall's ridge; its tower rises above."""
_HALL_M2: Final = 260.0
"""A larger house makes no better town hall."""
_SQUARE_M: Final = 75.0
"""How far from the middle of the square the town hall may be."""
_CORNERS: Final = 4
_SHALLOW_M: Final = 40.0
_FRONT_M: Final = 10.0
"""How far the middle of a villa lies from the edge of its block, unless that is shallow."""
_HEADS: Final = ("Heron", "Linden", "Otter", "Amber", "Birch", "Swan", "Thorn", "Maple", "Wren", "Hazel", "Lark")
_TAILS: Final = ("mere", "ford", "brook", "haven", "stead", "field", "bridge", "dale")
_SETBACK_M: Final = _LANE_M / 2 + 5.0


def town(seed: int, size_m: float, wish: Wish) -> SceneGraph:
    """Returns a town about `size_m` wide; tags: `dense` (more rows), `green` (more parks), `villas` (more gardens)."""
    return dress(with_hall(plan_town(survey(seed, size_m, wish.tags), seed)), seed, wish)


def with_hall(plan: TownPlan) -> TownPlan:
    """Returns a plan whose best house that looks onto the square is the town hall; as it was if none does."""
    if plan.square is None:
        return plan
    ranked = [(_dignity(house, plan.square.centre), n) for n, house in enumerate(plan.houses)]
    dignity, best = max(ranked, default=(0.0, -1))
    if dignity <= 0:
        return plan
    houses = list(plan.houses)
    houses[best] = replace(houses[best], height_m=_HALL_M, use="office", title="Town Hall", style="civic")
    return replace(plan, houses=houses)


def _dignity(house: House, centre: tuple[float, float]) -> float:
    """Returns how well a house would do as the town hall, 0 if not at all: broad, and squarely before the square."""
    if house.entrance is None or not suits(house) or len(house.polygon) != _CORNERS:
        return 0.0
    x, y, yaw = house.entrance
    away = hypot(centre[0] - x, centre[1] - y)
    facing = ((centre[0] - x) * cos(yaw) + (centre[1] - y) * sin(yaw)) / max(away, 1.0)
    return max(0.0, facing - 0.75) * min(area_m2(house.polygon), _HALL_M2) / away if away < _SQUARE_M else 0.0


def town_name(seed: int) -> str:
    """Returns what a town is called."""
    rng = np.random.default_rng([seed, 23])
    return _HEADS[int(rng.integers(len(_HEADS)))] + _TAILS[int(rng.integers(len(_TAILS)))]


def survey(seed: int, size_m: float, tags: Sequence[str]) -> Survey:
    """Returns streets and footprints of a made-up town, its blocks nearly as large as real ones."""
    rng = np.random.default_rng([seed, 29])
    usual = sqrt(median_of_town("block_area_m2"))
    count = max(3, round(size_m / (0.8 * usual)))
    nodes = _nodes(rng, count, size_m / count)
    ways = [Way(line, _LANE_M) for line in (*nodes, *nodes.transpose(1, 0, 2))]
    middle = (count // 2, count // 2)
    footprints: list[Footprint] = []
    areas: list[Area] = []
    for row in range(count):
        for column in range(count):
            quad = nodes[[row, row, row + 1, row + 1], [column, column + 1, column + 1, column]]
            block = inset(quad, _SETBACK_M)
            if (row, column) == middle:
                areas.append(Area(block, "square"))
                continue
            edge = {0, count - 1}
            sort = _sort(rng, tags, corner=row in edge and column in edge)
            if sort == "park":
                areas.append(Area(block, "green"))
            elif sort == "row":
                houses, gateway = _row(rng, block)
                footprints += houses
                ways += [Way(gateway, _GATEWAY_M - 1.4, path=True)] if gateway is not None else []
            else:
                footprints += list(_villas(rng, block))
    return Survey(town_name(seed), footprints, ways, areas)


def _nodes(rng: np.random.Generator, count: int, block_m: float) -> Points:
    """Returns street corners (count + 1, count + 1, 2), a grid that is bent and jittered."""
    steps = [np.concatenate([[0.0], np.cumsum(rng.uniform(0.8, 1.2, count) * block_m)]) for _ in range(2)]
    x, y = np.meshgrid(steps[0] - steps[0].mean(), steps[1] - steps[1].mean())
    bend, phase = rng.uniform(0.14, 0.28, 2) * block_m, rng.uniform(0, 2 * np.pi, 2)
    jitter = rng.uniform(-0.12, 0.12, (2, *x.shape)) * block_m
    wave = 1.1 * block_m
    bent = [
        x + bend[0] * np.sin(y / wave + phase[0]) + jitter[0],
        y + bend[1] * np.sin(x / wave + phase[1]) + jitter[1],
    ]
    return np.stack(bent, -1)


def _sort(rng: np.random.Generator, tags: Sequence[str], *, corner: bool) -> str:
    """Returns what a block is filled with; a park at a corner would leave the streets about it without a purpose."""
    park = 0.0 if corner else 0.5 + 3.0 * ("green" in tags)
    weights = np.array([4.0 + 6.0 * ("dense" in tags), 2.0 + 6.0 * ("villas" in tags), park])
    return ("row", "villas", "park")[int(rng.choice(3, p=weights / weights.sum()))]


def _row(rng: np.random.Generator, block: Points) -> tuple[list[Footprint], Points | None]:
    """Returns houses wall to wall around a courtyard, and the way through the gap that leads into it.

    Each side of the block is divided evenly; beside the gap, the houses are so much shorter.
    """
    yard = inset(block, float(rng.uniform(12.5, 16.0)))
    if len(yard) != len(block) or area_m2(yard) < 60.0 or area_m2(block) < 400.0:
        return list(_villas(rng, block)), None
    found: list[Footprint] = []
    gateway: Points | None = None
    gate_side = int(rng.integers(len(block)))
    for n in range(len(block)):
        a, b = block[n], block[(n + 1) % len(block)]
        c, d = yard[n], yard[(n + 1) % len(block)]
        length = float(np.hypot(*(b - a)))
        houses = max(2, round(length / float(rng.uniform(15.0, 23.0))))
        cuts = np.linspace(0, 1, houses + 1)
        gap = _GATEWAY_M / length if n == gate_side else 0.0
        at = int(rng.integers(1, houses)) if houses > 1 else 0
        for index, (s, t) in enumerate(pairwise(cuts.tolist())):
            start = s + gap / 2 if gap and index == at else s
            end = t - gap / 2 if gap and index == at - 1 else t
            ring = [a + (b - a) * start, a + (b - a) * end, c + (d - c) * end, c + (d - c) * start]
            found.append(Footprint(np.array(ring), 0.6 + 3.1 * int(rng.integers(2, 6))))
        if gap:
            share = cuts[at]
            outer, inner = a + (b - a) * share, c + (d - c) * share
            way = (inner - outer) / np.hypot(*(inner - outer))
            gateway = np.stack([outer - way * 1.5, inner + way * 3.0])
    return found, gateway


def _villas(rng: np.random.Generator, block: Points) -> Iterator[Footprint]:
    """Yields detached houses in two rows of gardens."""
    a, b, c, d = block
    plots = max(1, round(float(np.hypot(*(b - a))) / 19.0))
    deep = float(np.hypot(*(d - a)))
    for n in range(plots):
        for v in (0.24, 0.76) if deep < _SHALLOW_M else (_FRONT_M / deep, 1 - _FRONT_M / deep):
            u = (n + 0.5) / plots
            middle = (a * (1 - u) + b * u) * (1 - v) + (d * (1 - u) + c * u) * v
            along = (b - a) * (1 - v) + (c - d) * v
            along = along / np.hypot(*along)
            size = rng.uniform(10.0, 13.0), rng.uniform(9.0, 10.5)
            across = np.array([-along[1], along[0]])
            box = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) / 2 * size
            yield Footprint(middle + box[:, :1] * along + box[:, 1:] * across, float(rng.choice([6.8, 7.4, 9.6])))
