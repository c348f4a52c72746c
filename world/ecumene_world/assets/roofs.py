"""Roofs over ground plans: gable, hip, mansard, and hips joined over the wings of a rectilinear plan."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecumene_world.assets.facade import Quads
from ecumene_world.assets.mesh import RGB, Mesh
from ecumene_world.assets.palette import darker, lighter
from ecumene_world.assets.polygon import area_m2, cleaned, inset, oriented_box, triangulated
from ecumene_world.assets.solids import loft

Plan = NDArray[np.float64]


def gable_roof(plan: ArrayLike, base: float, rise: float, colour: RGB, wall: RGB, *, overhang: float = 0.35) -> Mesh:
    """Returns a gable over a convex quadrilateral (4, 2), its ridge between the middles of the shorter sides.

    Args:
        plan: Corners in metres.
        base: Height of the eaves.
        rise: Height of the ridge above them.
        colour: sRGB of the tiles.
        wall: sRGB of the gable walls.
        overhang: How far the roof reaches beyond the walls.
    """
    corners = np.asarray(plan, np.float64)
    lengths = np.linalg.norm(np.roll(corners, -1, 0) - corners, axis=1)
    if lengths[0] + lengths[2] < lengths[1] + lengths[3]:
        corners = np.roll(corners, -1, 0)
    a, b, c, d = (np.append(corner, base) for corner in corners)
    left, right = (a + d) / 2 + [0, 0, rise], (b + c) / 2 + [0, 0, rise]
    parts = [Mesh.of([a, left, d], [[0, 1, 2]], wall), Mesh.of([b, c, right], [[0, 1, 2]], wall)]
    for first, second, low, high in ((a, b, left, right), (c, d, right, left)):
        parts.append(_leaf(np.stack([first, second, high, low]), colour, overhang))
    return Mesh.merged(parts)


def hip_roof(
    plan: ArrayLike, base: float, slope: float, colour: RGB, *, top: float = 1e9, overhang: float = 0.35
) -> Mesh:
    """Returns a hip roof over a convex plan (P, 2): the lower envelope of one rising plane for each side.

    Args:
        plan: Corners in metres.
        base: Height of the eaves.
        slope: Rise over run of every plane.
        colour: sRGB of the tiles.
        top: Greatest rise above the eaves, where the roof is cut flat.
        overhang: How far the roof reaches beyond the walls.
    """
    outline = inset(cleaned(plan), -overhang)
    count = len(outline)
    along = np.roll(outline, -1, 0) - outline
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    inward = np.stack([-along[:, 1], along[:, 0]], 1)
    planes = np.column_stack([inward, -(inward * outline).sum(1)]) * slope
    limit = top + overhang * slope
    planes = np.vstack([planes, [0.0, 0.0, limit]])
    parts = []
    for index, plane in enumerate(planes):
        piece = outline
        for other in np.delete(planes, index, axis=0):
            piece = _kept(piece, other - plane)
        piece = cleaned(piece)
        if len(piece) >= 3:
            tone = colour if index < count else darker(colour, 0.25)
            heights = base + piece @ plane[:2] + plane[2]
            parts.append(Mesh.of(np.column_stack([piece, heights]), _fan(len(piece)), tone))
    return Mesh.merged([*parts, _eaves(outline, base, colour)])


def mansard_roof(plan: ArrayLike, base: float, rise: float, colour: RGB, *, overhang: float = 0.3) -> Mesh:
    """Returns a sloping skirt around any simple plan (P, 2) with a flat top, as steep as the plan leaves room for."""
    outline = inset(cleaned(plan), -overhang)
    inner = _shrunk(outline, rise / 0.9)
    quads = Quads()
    quads.strip(_level(outline, base), _level(inner, base + rise), colour)
    lid = Mesh.of(_level(inner, base + rise), triangulated(inner), darker(colour, 0.22))
    return Mesh.merged([quads.mesh(), lid, _eaves(outline, base, colour)])


def flat_roof(plan: ArrayLike, base: float, colour: RGB, trim: RGB, *, parapet: float = 0.45) -> Mesh:
    """Returns a flat roof inside a parapet that starts at `base` on the walls of any simple plan (P, 2)."""
    outline = cleaned(plan)
    inner = _shrunk(outline, 0.28)
    outer = inset(outline, -0.08)
    quads = Quads()
    quads.strip(_level(outer, base), _level(outer, base + parapet), trim)
    quads.strip(_level(outer, base + parapet), _level(inner, base + parapet), lighter(trim, 0.2))
    quads.strip(_level(inner, base + parapet), _level(inner, base + 0.05), darker(trim, 0.1))
    under = Mesh.of(_level(outer, base), triangulated(outer)[:, ::-1], trim)
    return Mesh.merged([quads.mesh(), Mesh.of(_level(inner, base + 0.05), triangulated(inner), colour), under])


def wings(plan: ArrayLike, tolerance_m: float = 0.7) -> list[Plan]:
    """Returns the largest rectangles (4, 2) that together cover a rectilinear plan, or none if it isn't one."""
    outline = cleaned(plan)
    centre, _, yaw = oriented_box(outline)
    axes = np.array([[np.cos(yaw), np.sin(yaw)], [-np.sin(yaw), np.cos(yaw)]])
    local = (outline - centre) @ axes.T
    edges = np.abs(np.roll(local, -1, 0) - local)
    if (edges.min(1) > np.maximum(tolerance_m, 0.12 * edges.max(1))).any():
        return []
    xs, ys = _merged(local[:, 0], tolerance_m), _merged(local[:, 1], tolerance_m)
    if len(xs) * len(ys) > 100:
        return []
    middle_x, middle_y = (xs[1:] + xs[:-1]) / 2, (ys[1:] + ys[:-1]) / 2
    inside = np.array([[_contains(local, x, y) for y in middle_y] for x in middle_x], bool).reshape(len(xs) - 1, -1)
    covered = float((np.diff(xs)[:, None] * np.diff(ys) * inside).sum())
    if abs(covered - area_m2(local)) > 0.05 * area_m2(local):
        return []
    return [
        np.array([[xs[i], ys[j]], [xs[k], ys[j]], [xs[k], ys[m]], [xs[i], ys[m]]]) @ axes + centre
        for i, j, k, m in _largest(inside)
    ]


def _largest(inside: NDArray[np.bool_]) -> list[tuple[int, int, int, int]]:
    """Returns all rectangles of true cells (i, j, k, m), k and m exclusive, that no other such rectangle contains."""
    rows, columns = inside.shape
    every = [
        (i, j, k, m)
        for i in range(rows)
        for k in range(i + 1, rows + 1)
        for j in range(columns)
        for m in range(j + 1, columns + 1)
        if inside[i:k, j:m].all()
    ]
    return [r for r in every if not any(o != r and _covers(o, r) for o in every)]


def _covers(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> bool:
    return a[0] <= b[0] and a[1] <= b[1] and a[2] >= b[2] and a[3] >= b[3]


def _leaf(top: NDArray[np.float64], colour: RGB, overhang: float) -> Mesh:
    """Returns one side of a gable (eave, eave, ridge, ridge) as a slab that overhangs eaves and gables."""
    a, b, high, low = top
    along = (b - a) / np.linalg.norm(b - a) * overhang
    run = a - low
    down = run / max(float(np.linalg.norm(run[:2])), 1e-6) * overhang
    corners = np.stack([a - along + down, b + along + down, high + along, low - along])
    lift = np.array([0.0, 0.0, 0.16])
    return loft([corners, corners + lift], [colour]).painted(
        [darker(colour, 0.28)] * 8 + [darker(colour, 0.45)] * 2 + [colour] * 2
    )


def _eaves(outline: Plan, base: float, colour: RGB) -> Mesh:
    """Returns the fascia and underside of a roof whose slopes start at `base` on its outline."""
    quads = Quads()
    quads.strip(_level(outline, base - 0.14), _level(outline, base), darker(colour, 0.3))
    under = Mesh.of(_level(outline, base - 0.14), triangulated(outline)[:, ::-1], darker(colour, 0.45))
    return Mesh.merged([quads.mesh(), under])


def _shrunk(outline: Plan, distance_m: float) -> Plan:
    """Returns the outline inset by as much of a distance as leaves it simple and no edge turned around."""
    edges = np.roll(outline, -1, 0) - outline
    for share in (1.0, 0.8, 0.6, 0.45, 0.3, 0.2, 0.1, 0.05):
        inner = inset(outline, distance_m * share)
        kept = ((np.roll(inner, -1, 0) - inner) * edges).sum(1) > 0.02
        if kept.all() and area_m2(inner) > 0.04 * area_m2(outline) and _apart(inner):
            return inner
    return outline.copy()


def _apart(polygon: Plan) -> bool:
    """Tells whether no two edges of a polygon cross."""
    a, b = polygon, np.roll(polygon, -1, 0)

    def side(p: Plan, q: Plan, r: Plan) -> NDArray[np.float64]:
        along, off = q - p, r - p
        return np.asarray(along[..., 0] * off[..., 1] - along[..., 1] * off[..., 0])

    p, q, r, s = a[:, None], b[:, None], a[None], b[None]
    cross = (side(p, q, r) * side(p, q, s) < -1e-9) & (side(r, s, p) * side(r, s, q) < -1e-9)
    return not bool(cross.any())


def _kept(polygon: Plan, line: NDArray[np.float64]) -> Plan:
    """Returns the part (P, 2) of a convex polygon where line (3,) . (x, y, 1) >= 0.

    Source: Sutherland and Hodgman, "Reentrant polygon clipping", 1974.
    """
    if not len(polygon):
        return polygon
    value = polygon @ line[:2] + line[2]
    kept: list[NDArray[np.float64]] = []
    for i in range(len(polygon)):
        j = (i + 1) % len(polygon)
        if value[i] >= 0:
            kept.append(polygon[i])
        if (value[i] >= 0) != (value[j] >= 0):
            share = value[i] / (value[i] - value[j])
            kept.append(polygon[i] + (polygon[j] - polygon[i]) * share)
    return np.array(kept, np.float64).reshape(-1, 2)


def _contains(polygon: Plan, x: float, y: float) -> bool:
    """Tells whether a point lies inside a polygon, by the parity of crossings."""
    a, b = polygon, np.roll(polygon, -1, 0)
    spans = (a[:, 1] > y) != (b[:, 1] > y)
    rise = np.where(spans, b[:, 1] - a[:, 1], 1.0)
    return bool((spans & (x < (b[:, 0] - a[:, 0]) * (y - a[:, 1]) / rise + a[:, 0])).sum() % 2)


def _merged(values: NDArray[np.float64], tolerance_m: float) -> NDArray[np.float64]:
    """Returns sorted coordinates, with those nearer than a tolerance replaced by their mean."""
    ordered = np.sort(values)
    groups = np.split(ordered, np.nonzero(np.diff(ordered) > tolerance_m)[0] + 1)
    return np.array([group.mean() for group in groups])


def _level(plan: Plan, height: float) -> NDArray[np.float64]:
    return np.column_stack([plan, np.full(len(plan), height)])


def _fan(count: int) -> NDArray[np.int64]:
    return np.stack([np.zeros(count - 2, np.int64), np.arange(1, count - 1), np.arange(2, count)], 1)
