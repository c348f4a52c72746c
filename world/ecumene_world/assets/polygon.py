"""Plane polygons: cleaning, area, offsets and triangulation by ear clipping."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

_EPSILON_M2 = 1e-9


def area_m2(polygon: ArrayLike) -> float:
    """Returns the signed area of a (P, 2) polygon; positive when it runs counter-clockwise."""
    x, y = np.asarray(polygon, np.float64).reshape(-1, 2).T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2.0


def cleaned(polygon: ArrayLike, tolerance_m: float = 1e-3) -> NDArray[np.float64]:
    """Returns the polygon (P, 2) counter-clockwise, without repeated or collinear corners.

    Fewer than three rows come back when nothing with an area is left. Crossing edges are not repaired.
    """
    points = np.asarray(polygon, np.float64).reshape(-1, 2)
    points = points[np.isfinite(points).all(1)]
    if area_m2(points) < 0:
        points = points[::-1]
    kept = list(points)
    changed = True
    while changed and len(kept) >= 3:
        changed = False
        for i in range(len(kept)):
            before, here, after = kept[i - 1], kept[i], kept[(i + 1) % len(kept)]
            span = float(np.linalg.norm(after - before))
            if np.linalg.norm(here - before) < tolerance_m or abs(_cross(before, here, after)) <= tolerance_m * span:
                del kept[i]
                changed = True
                break
    return np.array(kept, np.float64).reshape(-1, 2)


def triangulated(polygon: ArrayLike) -> NDArray[np.int32]:
    """Returns (P - 2, 3) corner indices, counter-clockwise, that tile a simple counter-clockwise polygon.

    Concave polygons are fine. One with crossing edges still gets P - 2 triangles, which then overlap.

    Source: Meisters, "Polygons have ears", 1975.
    """
    points = np.asarray(polygon, np.float64).reshape(-1, 2)
    left = list(range(len(points)))
    ears: list[tuple[int, int, int]] = []
    while len(left) > 3:
        at = _ear(points, left)
        ears.append((left[at - 1], left[at], left[(at + 1) % len(left)]))
        del left[at]
    if len(left) == 3:
        ears.append((left[0], left[1], left[2]))
    return np.array(ears, np.int32).reshape(-1, 3)


def inset(polygon: ArrayLike, distance_m: float) -> NDArray[np.float64]:
    """Returns a counter-clockwise polygon (P, 2) with each edge moved inward, mitred corners.

    A negative distance moves outward. Sharp mitres are capped at three distances. Edges that vanish are not removed.
    """
    points = np.asarray(polygon, np.float64).reshape(-1, 2)
    along = np.roll(points, -1, 0) - points
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-12)
    inward = np.stack([-along[:, 1], along[:, 0]], 1)
    bisector = inward + np.roll(inward, 1, 0)
    length = np.linalg.norm(bisector, axis=1, keepdims=True)
    bisector /= np.maximum(length, 1e-12)
    mitre = 1.0 / np.maximum((bisector * inward).sum(1, keepdims=True), 1 / 3)
    return np.asarray(points + bisector * mitre * distance_m, np.float64)


def oriented_box(polygon: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Returns centre (2,), full extents (2,) (longer first) and yaw of the smallest box along one of the edges."""
    points = np.asarray(polygon, np.float64).reshape(-1, 2)
    edges = np.roll(points, -1, 0) - points
    best: tuple[float, NDArray[np.float64], NDArray[np.float64], float] | None = None
    for yaw in np.unique(np.round(np.arctan2(edges[:, 1], edges[:, 0]) % (np.pi / 2), 6)):
        axes = np.array([[np.cos(yaw), np.sin(yaw)], [-np.sin(yaw), np.cos(yaw)]])
        local = points @ axes.T
        low, high = local.min(0), local.max(0)
        size = high - low
        if best is None or size.prod() < best[0] - _EPSILON_M2:
            best = (float(size.prod()), (low + high) / 2 @ axes, size, float(yaw))
    assert best is not None, "a polygon has edges"
    _, centre, size, yaw = best
    if size[1] > size[0]:
        size, yaw = size[::-1], yaw + np.pi / 2
    return centre, size, float(yaw)


def _ear(points: NDArray[np.float64], left: list[int]) -> int:
    """Returns the place in `left` of the ear to cut next: the fattest one, or the most convex corner if none is."""
    loop = points[left]
    before, after = np.roll(loop, 1, 0), np.roll(loop, -1, 0)
    a, b = loop - before, after - loop
    turn = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    spread = ((after - before) ** 2).sum(1) + (a**2).sum(1) + (b**2).sum(1)
    for at in np.argsort(-turn / np.maximum(spread, 1e-12), kind="stable"):
        if turn[at] <= _EPSILON_M2:
            break
        corners = (before[at], loop[at], after[at])
        if not _any_inside(np.delete(loop, [at - 1, at, (at + 1) % len(loop)], axis=0), *corners):
            return int(at)
    return int(np.argmax(turn))


def _any_inside(
    points: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64], c: NDArray[np.float64]
) -> bool:
    """Tells whether a point lies in or on the triangle; points that coincide with a corner don't count."""
    if not len(points):
        return False
    inside = np.ones(len(points), bool)
    for start, end in ((a, b), (b, c), (c, a)):
        edge, offset = end - start, points - start
        inside &= edge[0] * offset[:, 1] - edge[1] * offset[:, 0] >= -_EPSILON_M2
    for corner in (a, b, c):
        inside &= ((points - corner) ** 2).sum(1) > _EPSILON_M2
    return bool(inside.any())


def _cross(a: NDArray[np.float64], b: NDArray[np.float64], c: NDArray[np.float64]) -> float:
    return float((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))
