"""A made-up town: a bent grid of streets, rows of houses about courtyards, villas in gardens and a square."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from ecumene_world.assets.polygon import area_m2, inset
from ecumene_world.generate.dressing import dress
from ecumene_world.generate.planner import plan_town
from ecumene_world.generate.survey import Area, Footprint, Points, Survey, Way
from ecumene_world.graph import SceneGraph

TAGS: Final = ("dense", "green", "villas")
_BLOCK_M: Final = 64.0
_LANE_M: Final = 7.5
_SETBACK_M: Final = _LANE_M / 2 + 5.0


def town(seed: int, size_m: float, tags: Sequence[str]) -> SceneGraph:
    """Returns a town about `size_m` wide; tags: `dense` (more rows), `green` (more parks), `villas` (more gardens)."""
    return dress(plan_town(survey(seed, size_m, tags), seed), seed)


def survey(seed: int, size_m: float, tags: Sequence[str]) -> Survey:
    """Returns streets and footprints of a made-up town."""
    rng = np.random.default_rng([seed, 21])
    count = max(2, round(size_m / _BLOCK_M))
    nodes = _nodes(rng, count)
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
            sort = _sort(rng, tags)
            if sort == "park":
                areas.append(Area(block, "green"))
            else:
                footprints += list(_row(rng, block) if sort == "row" else _villas(rng, block))
    return Survey(f"Town {seed}", footprints, ways, areas)


def _nodes(rng: np.random.Generator, count: int) -> Points:
    """Returns street corners (count + 1, count + 1, 2), a grid that is bent and jittered."""
    steps = [np.concatenate([[0.0], np.cumsum(rng.uniform(0.84, 1.2, count) * _BLOCK_M)]) for _ in range(2)]
    x, y = np.meshgrid(steps[0] - steps[0].mean(), steps[1] - steps[1].mean())
    bend, phase = rng.uniform(3.0, 8.0, 2), rng.uniform(0, 2 * np.pi, 2)
    jitter = rng.uniform(-3.0, 3.0, (2, *x.shape))
    bent = [x + bend[0] * np.sin(y / 90 + phase[0]) + jitter[0], y + bend[1] * np.sin(x / 90 + phase[1]) + jitter[1]]
    return np.stack(bent, -1)


def _sort(rng: np.random.Generator, tags: Sequence[str]) -> str:
    """Returns what a block is filled with."""
    weights = np.array([4.0 + 6.0 * ("dense" in tags), 2.0 + 6.0 * ("villas" in tags), 0.5 + 3.0 * ("green" in tags)])
    return ("row", "villas", "park")[int(rng.choice(3, p=weights / weights.sum()))]


def _row(rng: np.random.Generator, block: Points) -> Iterator[Footprint]:
    """Yields houses wall to wall around a courtyard; each side of the block is divided evenly."""
    yard = inset(block, float(rng.uniform(11.0, 13.5)))
    if area_m2(yard) < 60.0 or area_m2(block) < 400.0:
        yield from _villas(rng, block)
        return
    for n in range(len(block)):
        a, b = block[n], block[(n + 1) % len(block)]
        c, d = yard[n], yard[(n + 1) % len(block)]
        houses = max(2, round(float(np.hypot(*(b - a))) / float(rng.uniform(13.0, 17.0))))
        cuts = np.linspace(0, 1, houses + 1)
        for s, t in pairwise(cuts.tolist()):
            ring = [a + (b - a) * s, a + (b - a) * t, c + (d - c) * t, c + (d - c) * s]
            yield Footprint(np.array(ring), 0.6 + 3.1 * int(rng.integers(2, 6)))


def _villas(rng: np.random.Generator, block: Points) -> Iterator[Footprint]:
    """Yields detached houses in two rows of gardens."""
    a, b, c, d = block
    plots = max(1, round(float(np.hypot(*(b - a))) / 19.0))
    for n in range(plots):
        for v in (0.24, 0.76):
            u = (n + 0.5) / plots
            middle = (a * (1 - u) + b * u) * (1 - v) + (d * (1 - u) + c * u) * v
            along = (b - a) * (1 - v) + (c - d) * v
            along = along / np.hypot(*along)
            wide, deep = rng.uniform(9.0, 12.5), rng.uniform(8.0, 10.0)
            across = np.array([-along[1], along[0]])
            box = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) / 2 * [wide, deep]
            yield Footprint(middle + box[:, :1] * along + box[:, 1:] * across, float(rng.choice([6.8, 7.4, 9.6])))
