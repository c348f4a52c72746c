"""Footing: finds what of an imported scene is walked on, and lays floors there.

The lowest large level surface becomes floors: rectangles that together cover it. They are not drawn, since the scene
draws itself. Without such a surface, a plane is added under everything.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecumene_world.generate.rectangle import largest_rectangle
from ecumene_world.graph import Node, SceneGraph
from ecumene_world.plain import JSON
from ecumene_world.pose import Pose

_BIN_M: Final = 0.2
"""Surfaces within this height of each other count as one."""
_LARGE: Final = 0.15
"""Share of the scene's ground plan that a surface must cover to be a floor."""
_LEAST_M2: Final = 1.0
_UP: Final = 0.85
"""Least z of a floor's normal."""
_CELLS: Final = 256
_MOST_FLOORS: Final = 60
_COVERED: Final = 0.985
_MARGIN_M: Final = 5.0


def lay_floor(graph: SceneGraph, triangles: NDArray[np.float64]) -> list[str]:
    """Adds floors to a graph that shows triangles (T, 3, 3), world metres; returns notes of what was made up."""
    found = _lowest_level(triangles)
    if found is None:
        _add_plane(graph, triangles)
        return ["no floor was found; a ground plane was added under everything"]
    height, level = found
    largest = (0.0, 0.0, 0.0)
    for n, (x0, y0, x1, y1) in enumerate(_rectangles(level)):
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        largest = max(largest, ((x1 - x0) * (y1 - y0), x, y))
        corners = [[x0 - x, y0 - y], [x1 - x, y0 - y], [x1 - x, y1 - y], [x0 - x, y1 - y]]
        attributes: dict[str, JSON] = {"polygon": np.round(corners, 3).tolist(), "drawn": False}
        graph.add(Node(_free(graph, f"floor {n + 1}"), "floor", Pose.at(x, y, height), attributes=attributes))
    _, x, y = largest
    place: dict[str, JSON] = {"role": "square", "title": "Middle", "radius_m": 1.5}
    graph.add(Node(_free(graph, "Middle"), "place", Pose.at(x, y, height), attributes=place))
    return []


def _lowest_level(triangles: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]] | None:
    """Returns the height of the lowest large level surface and its triangles (N, 3, 3), None if there is none."""
    cross = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    double = np.linalg.norm(cross, axis=1)
    up = cross[:, 2] > _UP * np.maximum(double, 1e-12)
    level, area = triangles[up], double[up] / 2
    if not len(level):
        return None
    low, high = triangles.reshape(-1, 3).min(0), triangles.reshape(-1, 3).max(0)
    needed = max(_LARGE * float((high[0] - low[0]) * (high[1] - low[1])), _LEAST_M2)
    height = level[:, :, 2].mean(1)
    bins = np.floor((height - height.min()) / _BIN_M).astype(np.int64)
    sums = np.bincount(bins, area)
    pairs = sums + np.append(sums[1:], 0.0)
    large = np.flatnonzero(pairs >= needed)
    if not len(large):
        return None
    first = int(large[0])
    chosen = (bins == first) | (bins == first + 1)
    middle = float(np.average(height[chosen], weights=np.maximum(area[chosen], 1e-9)))
    return middle, level[chosen]


def _rectangles(level: NDArray[np.float64]) -> list[tuple[float, float, float, float]]:
    """Returns rectangles x0, y0, x1, y1 that cover nearly all of some level triangles, larger first."""
    flat = level[:, :, :2]
    low, high = flat.reshape(-1, 2).min(0), flat.reshape(-1, 2).max(0)
    cell = max(float((high - low).max()) / _CELLS, 0.05)
    mask = _covered(flat, low, cell, np.ceil((high - low) / cell).astype(np.int64) + 1)
    total, left = int(mask.sum()), mask.copy()
    found: list[tuple[float, float, float, float]] = []
    while left.sum() > (1 - _COVERED) * total and len(found) < _MOST_FLOORS:
        rectangle = largest_rectangle(left)
        assert rectangle is not None, "some cells are left"
        top, start, bottom, end = rectangle
        left[top:bottom, start:end] = False
        found.append((low[0] + start * cell, low[1] + top * cell, low[0] + end * cell, low[1] + bottom * cell))
    return [(float(a), float(b), float(c), float(d)) for a, b, c, d in found]


def _covered(
    triangles: NDArray[np.float64], low: NDArray[np.float64], cell: float, size: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Returns which cells (H, W) have a point of some plane triangles (N, 3, 2): a lattice on each is marked."""
    mask = np.zeros((int(size[1]), int(size[0])), bool)
    longest = np.linalg.norm(triangles - np.roll(triangles, 1, 1), axis=2).max(1)
    steps = np.ceil(longest / (0.7 * cell)).clip(1, 2 * _CELLS * 2).astype(np.int64)
    for step in np.unique(steps):
        i, j = np.meshgrid(np.arange(step + 1), np.arange(step + 1), indexing="ij")
        keep = i + j <= step
        weights = np.stack([i[keep], j[keep], step - i[keep] - j[keep]], 1) / step
        for part in np.array_split(
            triangles[steps == step], max(1, int((steps == step).sum() * keep.sum() // 2_000_000))
        ):
            points = np.einsum("wk,nkd->nwd", weights, part).reshape(-1, 2)
            at = np.floor((points - low) / cell).astype(np.int64)
            mask[at[:, 1].clip(0, mask.shape[0] - 1), at[:, 0].clip(0, mask.shape[1] - 1)] = True
    return mask


def _add_plane(graph: SceneGraph, triangles: NDArray[np.float64]) -> None:
    """Adds a ground plane under everything."""
    every = triangles.reshape(-1, 3)
    margin = np.array([_MARGIN_M, _MARGIN_M, 0.0])
    low, high = every.min(0) - margin, every.max(0) + margin
    x, y = ((low[:2] + high[:2]) / 2).tolist()
    half = ((high - low)[:2] / 2).tolist()
    corners = [[-half[0], -half[1]], [half[0], -half[1]], [half[0], half[1]], [-half[0], half[1]]]
    attributes: dict[str, JSON] = {"polygon": np.round(corners, 3).tolist()}
    pose = Pose.at(x, y, float(low[2]) - 0.01)
    graph.add(Node(_free(graph, "ground"), "ground", pose, attributes=attributes))


def _free(graph: SceneGraph, stem: str) -> str:
    name, n = stem, 1
    while name in graph:
        n += 1
        name = f"{stem} {n}"
    return name
