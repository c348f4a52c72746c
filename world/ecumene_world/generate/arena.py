"""A training ground: walls with gaps and doors, obstacles, seats, things to find, hear and carry.

Small on purpose: it compiles fast, and every seed is another layout in which all goals can be reached.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi
from typing import Final

import numpy as np

from ecumene_world.errors import GraphError
from ecumene_world.generate.builder import Builder
from ecumene_world.generate.site import Site
from ecumene_world.generate.walls import INNER_WALL_M, Opening, wall
from ecumene_world.graph import SceneGraph
from ecumene_world.plain import JSON
from ecumene_world.pose import Pose

_CELL_M: Final = 0.125
_GAP_M: Final = 1.6
_WALL_M: Final = 2.4
_OBSTACLES: Final = ("cabinet", "table", "hedge", "potted_plant", "shelf", "bush", "statue", "bookcase")
_SEATS: Final = ("bench", "chair", "sofa", "stool")
_LOOSE: Final = ("ball", "book", "box", "lantern")
_CORNERS: Final = ("Amber", "Blue", "Coral", "Dune")
_FREE_SHARE: Final = 0.97
_ATTEMPTS: Final = 16


@dataclass(frozen=True, slots=True)
class _Rect:
    """A rectangle between walls, metres."""

    x0: float
    y0: float
    x1: float
    y1: float


def arena(seed: int, size_m: float, tags: Sequence[str]) -> SceneGraph:
    """Returns an arena; tags: `open` (no inner walls), `doors` (a door in every gap)."""
    for attempt in range(_ATTEMPTS):
        graph = _attempt(seed, attempt, size_m, tags)
        if graph is not None:
            return graph
    raise GraphError(f"no arena of {size_m:g} m with seed {seed} leaves every goal reachable; try another seed")


def _attempt(seed: int, attempt: int, size_m: float, tags: Sequence[str]) -> SceneGraph | None:
    """Returns an arena, None if something in it can't be reached."""
    rng = np.random.default_rng([seed, attempt, 51])
    half = size_m / 2
    graph = SceneGraph(f"Arena {seed}", seed)
    builder = Builder(graph, Site((-half - 0.5, -half - 0.5, half + 0.5, half + 0.5), _CELL_M), seed)
    ground = [(-half, -half), (half, -half), (half, half), (-half, half)]
    builder.surface("floor", ground, 0.0, "tiles")
    for n in range(4):
        wall(builder, ground[n], ground[(n + 1) % 4], 0.0, height_m=_WALL_M, thickness_m=0.3)
    if "open" not in tags:
        depth = 2 if size_m < 45 else 4
        _divide(builder, rng, _Rect(-half, -half, half, half), depth, doors="doors" in tags)
    _furnish(builder, rng, half)
    return graph if _finish(builder, half) else None


def _divide(builder: Builder, rng: np.random.Generator, room: _Rect, depth: int, *, doors: bool) -> None:
    """Divides a rectangle by a wall with a gap or a door, then its halves."""
    wide, deep = room.x1 - room.x0, room.y1 - room.y0
    if depth == 0 or max(wide, deep) < 9.0 or rng.random() < 0.12:
        return
    upright = wide >= deep
    length = deep if upright else wide
    at = float(rng.uniform(0.38, 0.62)) * (wide if upright else deep)
    a = (room.x0 + at, room.y0) if upright else (room.x0, room.y0 + at)
    b = (room.x0 + at, room.y1) if upright else (room.x1, room.y0 + at)
    hole = float(rng.uniform(1.6, length - 1.6))
    if doors or rng.random() < 0.3:
        wall(builder, a, b, 0.0, height_m=_WALL_M, openings=[Opening(hole)])
    else:
        _wall_with_gap(builder, a, b, hole)
    for half in _halves(room, at, upright=upright):
        _divide(builder, rng, half, depth - 1, doors=doors)


def _halves(room: _Rect, at: float, *, upright: bool) -> tuple[_Rect, _Rect]:
    margin = INNER_WALL_M / 2
    if upright:
        x = room.x0 + at
        return _Rect(room.x0, room.y0, x - margin, room.y1), _Rect(x + margin, room.y0, room.x1, room.y1)
    y = room.y0 + at
    return _Rect(room.x0, room.y0, room.x1, y - margin), _Rect(room.x0, y + margin, room.x1, room.y1)


def _wall_with_gap(builder: Builder, a: tuple[float, float], b: tuple[float, float], hole: float) -> None:
    """Adds two walls in line with a gap between them, and keeps the gap clear."""
    along = np.array(b) - a
    length = float(np.hypot(*along))
    unit = along / length
    for s, t in ((0.0, hole - _GAP_M / 2), (hole + _GAP_M / 2, length)):
        if t - s > 0.2:
            start, end = np.array(a) + unit * s, np.array(a) + unit * t
            wall(builder, (float(start[0]), float(start[1])), (float(end[0]), float(end[1])), 0.0, height_m=_WALL_M)
    x, y = (np.array(a) + unit * hole).tolist()
    builder.site.keep_clear(x, y, float(np.arctan2(unit[1], unit[0])), (_GAP_M, 2.4))


def _furnish(builder: Builder, rng: np.random.Generator, half: float) -> None:
    """Strews obstacles, seats, sounding and loose things, more of them in larger arenas."""
    inside, share = half - 1.0, (half / 15.0) ** 2
    wanted = rng.choice(_OBSTACLES, max(2, round(int(rng.integers(14, 22)) * share))).tolist()
    wanted += rng.choice(_SEATS, max(2, round(int(rng.integers(5, 9)) * share))).tolist()
    wanted += ["bell_post", "notice_board"]
    for kind in wanted:
        words: dict[str, JSON] = {"title": "Arena", "text": "Find the corners."} if kind == "notice_board" else {}
        for _ in range(20):
            x, y = rng.uniform(-inside, inside, 2).tolist()
            pose = Pose.at(x, y, 0.0, float(rng.integers(8)) * pi / 4)
            front = 0.7 if kind in _SEATS else 0.0
            seed = int(rng.integers(64))
            if builder.stand(kind, pose, spare_m=0.6, front_m=front, seed=seed, attributes=words):
                break
    for kind in rng.choice(_LOOSE, max(2, round(4 * share))).tolist():
        x, y = rng.uniform(-inside, inside, 2).tolist()
        if builder.site.fits(x, y, 0.0, (0.5, 0.5)):
            builder.add(kind, Pose.at(x, y, 0.0, float(rng.uniform(-pi, pi))))


def _finish(builder: Builder, half: float) -> bool:
    """Adds spawn and goal places; tells whether nearly all free ground, and every goal, can be reached."""
    free = builder.site.walkable()
    rows, columns = np.nonzero(free)
    middle = np.array(free.shape) / 2
    best = int(np.argmin((rows - middle[0]) ** 2 + (columns - middle[1]) ** 2))
    centre = builder.site.point(int(rows[best]), int(columns[best]))
    reach = builder.site.reach(*centre)
    builder.place("spawn", "Middle", Pose.at(*centre), 2.0)
    inset = half - min(2.5, half / 4)
    for name, (sx, sy) in zip(_CORNERS, ((-1, -1), (1, -1), (1, 1), (-1, 1)), strict=True):
        at = reach.nearest(sx * inset, sy * inset, 4.0)
        if at is None:
            return False
        builder.place("goal", f"{name} corner", Pose.at(*at), 1.2)
    return bool(reach.cells.sum() > _FREE_SHARE * free.sum())
