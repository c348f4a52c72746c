"""Overlaps: which placed things stand in one another, or in walls and houses."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecumene_world.compiler.raster import Floats, Ints
from ecumene_world.compiler.solids import Solids
from ecumene_world.gate.scene import Scene, is_placed

DEEP_M: Final = 0.04
"""Solids that reach into each other by less than this touch."""
_EXEMPT: Final = frozenset({"on", "inside", "under", "facing", "part_of"})
_CHUNK: Final = 2_000_000


def overlapping(scene: Scene) -> list[tuple[str, str]]:
    """Returns pairs of names of which the first is a placed thing that overlaps the second; each pair once.

    A chair that is pushed under the table it faces, and whatever stands on, in or under another, may overlap it.
    """
    placed = np.array([is_placed(node) for node in scene.rows.nodes], bool)
    solids = scene.solids
    first, second = _near(solids)
    mine, other = solids.row[first], solids.row[second]
    wanted = (mine != other) & (placed[mine] | placed[other])
    first, second = first[wanted], second[wanted]
    depth = _depth(solids, first, second)
    high = np.minimum(solids.high[first], solids.high[second]) - np.maximum(solids.low[first], solids.low[second])
    deep = (depth > DEEP_M) & (high > DEEP_M)
    pairs = {
        tuple(sorted(pair))
        for pair in zip(solids.row[first[deep]].tolist(), solids.row[second[deep]].tolist(), strict=True)
    }
    pairs |= _in_blocks(scene, placed)
    names = [(scene.rows.nodes[a].name, scene.rows.nodes[b].name) for a, b in sorted(pairs)]
    related = {frozenset(r[::2]) for r in scene.graph.relations() if r.relation in _EXEMPT}
    kept = [pair for pair in names if frozenset(pair) not in related]
    return [pair if placed[scene.row[pair[0]]] else (pair[1], pair[0]) for pair in kept]


def _near(solids: Solids) -> tuple[Ints, Ints]:
    """Returns index pairs of solids whose upright boxes along x, y and z overlap."""
    shapes = solids.shapes
    c, s = np.abs(np.cos(shapes.yaw))[:, None], np.abs(np.sin(shapes.yaw))[:, None]
    reach = np.where(shapes.round[:, None], shapes.half, c * shapes.half + s * shapes.half[:, ::-1])
    low, high = shapes.centre - reach, shapes.centre + reach
    order = np.argsort(low[:, 0], kind="stable")
    ends = np.searchsorted(low[order, 0], high[order, 0], side="left")
    counts = (ends - np.arange(len(order)) - 1).clip(0)
    firsts: list[Ints] = []
    seconds: list[Ints] = []
    start = 0
    total = np.cumsum(counts)
    while start < len(order):
        stop = int(np.searchsorted(total, (total[start - 1] if start else 0) + _CHUNK, side="right"))
        stop = max(stop, start + 1)
        rows = np.arange(start, min(stop, len(order)))
        i = np.repeat(rows, counts[rows])
        offset = np.arange(len(i)) - np.repeat(np.cumsum(counts[rows]) - counts[rows], counts[rows])
        a, b = order[i], order[i + 1 + offset]
        near = (low[a, 1] < high[b, 1]) & (low[b, 1] < high[a, 1])
        near &= (solids.low[a] < solids.high[b]) & (solids.low[b] < solids.high[a])
        firsts.append(a[near])
        seconds.append(b[near])
        start = rows[-1] + 1
    return np.concatenate([np.zeros(0, np.int64), *firsts]), np.concatenate([np.zeros(0, np.int64), *seconds])


def _depth(solids: Solids, a: Ints, b: Ints) -> Floats:
    """Returns how far pairs (n,) of solids reach into each other seen from above, metres; negative if apart."""
    shapes = solids.shapes
    offset = shapes.centre[b] - shapes.centre[a]
    depth = np.full(len(a), np.inf)
    for one, two, sign in ((a, b, 1.0), (b, a, -1.0)):
        c, s = np.cos(shapes.yaw[one]), np.sin(shapes.yaw[one])
        turn = shapes.yaw[two] - shapes.yaw[one]
        ct, st = np.abs(np.cos(turn)), np.abs(np.sin(turn))
        half, reach = shapes.half[one], shapes.half[two]
        wide = np.where(shapes.round[two], reach[:, 0], ct * reach[:, 0] + st * reach[:, 1])
        tall = np.where(shapes.round[two], reach[:, 1], st * reach[:, 0] + ct * reach[:, 1])
        u = np.abs(sign * (c * offset[:, 0] + s * offset[:, 1]))
        v = np.abs(sign * (c * offset[:, 1] - s * offset[:, 0]))
        boxes = np.minimum(half[:, 0] + wide - u, half[:, 1] + tall - v)
        depth = np.minimum(depth, np.where(shapes.round[one], np.inf, boxes))
    both = shapes.round[a] & shapes.round[b]
    apart = np.hypot(offset[:, 0], offset[:, 1])
    rounds = shapes.half[a, 0] + shapes.half[b, 0] - apart
    corner = _round_in_box(solids, a, b, offset)
    mixed = shapes.round[a] ^ shapes.round[b]
    return np.asarray(np.where(both, rounds, np.where(mixed, np.minimum(depth, corner), depth)))


def _round_in_box(solids: Solids, a: Ints, b: Ints, offset: Floats) -> Floats:
    """Returns how far the round one of each pair reaches over the box's outline."""
    shapes = solids.shapes
    box, ball = np.where(shapes.round[a], b, a), np.where(shapes.round[a], a, b)
    way = np.where(shapes.round[a][:, None], -offset, offset)
    c, s = np.cos(shapes.yaw[box]), np.sin(shapes.yaw[box])
    over_x = (np.abs(c * way[:, 0] + s * way[:, 1]) - shapes.half[box, 0]).clip(0)
    over_y = (np.abs(c * way[:, 1] - s * way[:, 0]) - shapes.half[box, 1]).clip(0)
    return np.asarray(shapes.half[ball, 0] - np.hypot(over_x, over_y))


def _in_blocks(scene: Scene, placed: NDArray[np.bool_]) -> set[tuple[int, int]]:
    """Returns rows of placed things and of the footprints that one of their corners lies in."""
    found: set[tuple[int, int]] = set()
    solids = scene.solids
    mine = np.flatnonzero(placed[solids.row])
    shapes = solids.shapes.take(mine)
    if not len(mine):
        return found
    reach = (shapes.half - DEEP_M).clip(0)
    corners = []
    for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1), (0, 0)):
        u, v = sx * reach[:, 0], sy * reach[:, 1]
        scale = np.where(shapes.round, 0.7, 1.0)
        c, s = np.cos(shapes.yaw), np.sin(shapes.yaw)
        corners.append(shapes.centre + np.stack([c * u - s * v, s * u + c * v], 1) * scale[:, None])
    points = np.stack(corners, 1)
    for block in scene.blocks:
        low, high = block.polygon.min(0), block.polygon.max(0)
        near = (
            ((points > low) & (points < high)).all(2).any(1)
            & (solids.low[mine] < block.high - DEEP_M)
            & (solids.high[mine] > block.low + DEEP_M)
        )
        for index in np.flatnonzero(near).tolist():
            if _within(block.polygon, points[index]).any() and solids.row[mine[index]] != block.row:
                found.add((int(solids.row[mine[index]]), block.row))
    return found


def _within(ring: Floats, points: Floats) -> NDArray[np.bool_]:
    """Tells which points (n, 2) lie in a ring of corners."""
    inside = np.zeros(len(points), bool)
    for a, b in zip(ring, np.roll(ring, -1, 0), strict=True):
        crossing = (a[1] <= points[:, 1]) != (b[1] <= points[:, 1])
        if crossing.any():
            x = a[0] + (points[:, 1] - a[1]) / ((b[1] - a[1]) or 1e-12) * (b[0] - a[0])
            inside ^= crossing & (x > points[:, 0])
    return inside
