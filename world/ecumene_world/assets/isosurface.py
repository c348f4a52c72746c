"""Surfaces of fields: closed triangle meshes where a field on a grid passes a level, and their smoothing.

Source: Gibson, "Constrained elastic surface nets", MICCAI 1998 (one vertex a cell); the vertex is the mean of where the
cell's edges are crossed. Taubin, "A signal processing approach to fair surface design", SIGGRAPH 1995 (smoothing).
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ecumene_world.errors import GraphError

Kind = TypeVar("Kind", bound=np.generic)
_FAIREST = 0.5
_BACK = -0.53


def surface(field: NDArray[np.float32], level: float = 0.0) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Returns vertices (V, 3) in steps of the grid and faces (F, 3) about where a field (X, Y, Z) exceeds a level.

    The surface is closed, wound outward and has no vertex twice; beyond the grid nothing exceeds the level. Where two
    parts meet in a cell's edge or corner they share its vertex, so that an edge may belong to four faces.

    Raises:
        GraphError: The field has no three axes or a number that is not finite.
    """
    if field.ndim != 3 or not np.isfinite(field).all():
        raise GraphError(f"a field of shape {field.shape} needs three axes and finite numbers to have a surface")
    low = min(float(field.min(initial=level)), level) - 1.0
    padded = np.pad(field.astype(np.float64), 1, constant_values=low)
    inside = padded > level
    number, vertices = _vertices(padded, inside, level)
    quads = np.concatenate([_quads(inside, number, axis) for axis in range(3)])
    return vertices - 1.0, _halved(vertices, quads)


def smoothed(vertices: NDArray[np.float64], faces: NDArray[np.int32], rounds: int = 4) -> NDArray[np.float64]:
    """Returns vertices moved towards their neighbours and back, so that steps vanish and volume stays."""
    pairs = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    count = np.maximum(np.bincount(pairs[:, 0], minlength=len(vertices)), 1)[:, None]
    for factor in (_FAIREST, _BACK) * rounds:
        sums = [np.bincount(pairs[:, 0], vertices[pairs[:, 1], axis], len(vertices)) for axis in range(3)]
        vertices = vertices + factor * (np.stack(sums, 1) / count - vertices)
    return vertices


def _vertices(
    field: NDArray[np.float64], inside: NDArray[np.bool_], level: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Returns the number of each cell's vertex, -1 without, and positions."""
    cells = tuple(side - 1 for side in field.shape)
    total, count = np.zeros((*cells, 3)), np.zeros(cells)
    for axis in range(3):
        a, b = _ends(field, axis)
        first, second = _ends(inside, axis)
        crossed = first != second
        share = np.where(crossed, (level - a) / np.where(crossed, b - a, 1.0), 0.0)
        at = np.moveaxis(np.indices(a.shape), 0, -1).astype(np.float64)
        at[..., axis] += share
        for slices in _about(axis, field.shape):
            total += np.where(crossed[slices][..., None], at[slices], 0.0)
            count += crossed[slices]
    some = count > 0
    number = np.full(cells, -1)
    number[some] = np.arange(int(some.sum()))
    return number, total[some] / count[some][:, None]


def _about(axis: int, shape: tuple[int, ...]) -> list[tuple[slice, ...]]:
    """Returns for the four edges of a cell along an axis which part of the edges they are."""
    offsets = [(0, 0), (0, 1), (1, 0), (1, 1)]
    found = []
    for pair in offsets:
        rest = iter(pair)
        starts = [0 if other == axis else next(rest) for other in range(3)]
        found.append(tuple(slice(start, start + side - 1) for start, side in zip(starts, shape, strict=True)))
    return found


def _ends(values: NDArray[Kind], axis: int) -> tuple[NDArray[Kind], NDArray[Kind]]:
    """Returns the values at both ends of each edge along an axis."""
    length = values.shape[axis]
    return values.take(range(length - 1), axis), values.take(range(1, length), axis)


def _quads(inside: NDArray[np.bool_], number: NDArray[np.int64], axis: int) -> NDArray[np.int64]:
    """Returns (Q, 4) vertices about each crossed edge along an axis, counter-clockwise seen from outside."""
    first, second = _ends(inside, axis)
    edge = np.argwhere(first != second)
    u, v = np.eye(3, dtype=np.int64)[(axis + 1) % 3], np.eye(3, dtype=np.int64)[(axis + 2) % 3]
    corners = [number[tuple((edge - back).T)] for back in (u + v, v, np.zeros(3, np.int64), u)]
    quads = np.stack(corners, 1)
    leaving = first[tuple(edge.T)]
    return np.asarray(np.where(leaving[:, None], quads, quads[:, ::-1]))


def _halved(vertices: NDArray[np.float64], quads: NDArray[np.int64]) -> NDArray[np.int32]:
    """Returns triangles (2 Q, 3) of quads, cut along the shorter diagonal."""
    a, b, c, d = quads.T
    short = ((vertices[a] - vertices[c]) ** 2).sum(1) <= ((vertices[b] - vertices[d]) ** 2).sum(1)
    first = np.where(short[:, None], np.stack([a, b, c], 1), np.stack([a, b, d], 1))
    second = np.where(short[:, None], np.stack([a, c, d], 1), np.stack([b, c, d], 1))
    return np.concatenate([first, second]).astype(np.int32)
