"""Closed solids to build things from: every one stands on its base, the `at` point, and winds outward."""

from __future__ import annotations

from collections.abc import Sequence
from math import pi

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecumene_world.assets.mesh import RGB, Mesh
from ecumene_world.assets.polygon import cleaned, inset, triangulated

Point = tuple[float, float, float]
ORIGIN: Point = (0.0, 0.0, 0.0)
_GOLDEN = (1 + 5**0.5) / 2


def loft(rings: ArrayLike, colours: ArrayLike, *, closed: bool = True) -> Mesh:
    """Returns the skin over a stack of rings.

    Args:
        rings: (R, N, 3) metres; each ring runs counter-clockwise seen from the side the stack goes to. The points of
            a first or last ring may coincide, which makes a tip.
        colours: sRGB (3,), or one for each of the R - 1 bands (R - 1, 3); caps take their neighbour's.
        closed: Also cover both ends with fans (convex rings only).
    """
    stack = np.asarray(rings, np.float64)
    count, sides = stack.shape[:2]
    paint = np.broadcast_to(np.asarray(colours, np.uint8).reshape(-1, 3), (count - 1, 3))
    near = np.arange(sides)
    far = (near + 1) % sides
    faces: list[NDArray[np.int64]] = []
    painted: list[NDArray[np.uint8]] = []
    for band in range(count - 1):
        low, high = band * sides, (band + 1) * sides
        below = np.stack([low + near, low + far, high + far], 1)
        above = np.stack([low + near, high + far, high + near], 1)
        faces += [below, above]
        painted += [np.repeat(paint[band : band + 1], sides, 0)] * 2
    if closed:
        fan = np.stack([np.zeros(sides - 2, np.int64), np.arange(1, sides - 1), np.arange(2, sides)], 1)
        faces += [fan[:, ::-1], fan + (count - 1) * sides]
        painted += [np.repeat(paint[:1], sides - 2, 0), np.repeat(paint[-1:], sides - 2, 0)]
    return _without_slivers(Mesh.of(stack.reshape(-1, 3), np.concatenate(faces), np.concatenate(painted)))


def box(size: Point, colour: RGB, at: Point = ORIGIN, *, bevel: float = 0.0, taper: float = 1.0) -> Mesh:
    """Returns a box of full extents `size` standing on `at`.

    Args:
        size: Full extents, metres.
        colour: sRGB.
        at: Centre of the base.
        bevel: Width of the chamfer along the top and the upright edges, metres; it costs 32 triangles.
        taper: Scale of the top against the base.
    """
    x, y, z = size
    half = np.array([[-x, -y], [x, -y], [x, y], [-x, y]]) / 2
    if bevel <= 0:
        return loft([_flat(half, 0.0), _flat(half * taper, z)], colour).moved(*at)
    b = min(bevel, x * 0.45, y * 0.45, z * 0.9)
    corners = _cut_corners(half, b)
    ring = _flat(corners, 0.0)
    middle = _flat(corners * (1 + (taper - 1) * (z - b) / z), z - b)
    top = _flat(_cut_corners(half * taper * (1 - 2 * b / np.array([x, y])), b * 0.5), z)
    return loft([ring, middle, top], colour).moved(*at)


def slab(size: Point, colour: RGB, at: Point = ORIGIN, *, bevel: float = 0.02) -> Mesh:
    """Returns a box whose top edges alone are chamfered: 20 triangles."""
    x, y, z = size
    half = np.array([[-x, -y], [x, -y], [x, y], [-x, y]]) / 2
    b = min(bevel, x * 0.45, y * 0.45, z * 0.9)
    top = half * (1 - 2 * b / np.array([x, y]))
    return loft([_flat(half, 0.0), _flat(half, z - b), _flat(top, z)], colour).moved(*at)


def pillow(size: Point, colour: RGB, at: Point = ORIGIN, *, bevel: float = 0.05) -> Mesh:
    """Returns a cushion: a box chamfered along top and bottom edges, 28 triangles."""
    x, y, z = size
    half = np.array([[-x, -y], [x, -y], [x, y], [-x, y]]) / 2
    b = min(bevel, x * 0.45, y * 0.45, z * 0.45)
    end = half * (1 - 2 * b / np.array([x, y]))
    return loft([_flat(end, 0.0), _flat(half, b), _flat(half, z - b), _flat(end, z)], colour).moved(*at)


def lathe(profile: Sequence[tuple[float, float]], colours: ArrayLike, at: Point = ORIGIN, *, sides: int = 8) -> Mesh:
    """Returns a solid of revolution about z.

    Args:
        profile: (radius, height) pairs from the bottom up, metres; a radius of 0 makes a tip.
        colours: sRGB (3,), or one for each band (len(profile) - 1, 3).
        at: Where height 0 of the axis is.
        sides: Corners of the cross-section.
    """
    return loft([_flat(circle(radius, sides), height) for radius, height in profile], colours).moved(*at)


def cylinder(radius: float, height: float, colour: RGB, at: Point = ORIGIN, *, sides: int = 8) -> Mesh:
    """Returns an upright cylinder, 4 * sides - 4 triangles."""
    return lathe([(radius, 0.0), (radius, height)], colour, at, sides=sides)


def cone(radius: float, height: float, colour: RGB, at: Point = ORIGIN, *, sides: int = 8) -> Mesh:
    """Returns an upright cone, 2 * sides - 2 triangles."""
    return lathe([(radius, 0.0), (0.0, height)], colour, at, sides=sides)


def sphere(radius: float, colour: RGB, at: Point = ORIGIN, *, detail: int = 1) -> Mesh:
    """Returns an icosphere *centred* on `at`: 20 triangles at detail 0, four times as many at each further one."""
    g = _GOLDEN
    points = np.array(
        [
            *([-1, g, 0], [1, g, 0], [-1, -g, 0], [1, -g, 0], [0, -1, g], [0, 1, g]),
            *([0, -1, -g], [0, 1, -g], [g, 0, -1], [g, 0, 1], [-g, 0, -1], [-g, 0, 1]),
        ]
    )
    faces = np.array(
        [
            *([0, 11, 5], [0, 5, 1], [0, 1, 7], [0, 7, 10], [0, 10, 11], [1, 5, 9], [5, 11, 4], [11, 10, 2]),
            *([10, 7, 6], [7, 1, 8], [3, 9, 4], [3, 4, 2], [3, 2, 6], [3, 6, 8], [3, 8, 9], [4, 9, 5]),
            *([2, 4, 11], [6, 2, 10], [8, 6, 7], [9, 8, 1]),
        ]
    )
    for _ in range(detail):
        points, faces = _subdivided(points, faces)
    points *= radius / np.linalg.norm(points, axis=1, keepdims=True)
    return Mesh.of(points, faces, colour).moved(*at)


def blob(
    radius: Point, colour: RGB, at: Point, rng: np.random.Generator, *, rough: float = 0.12, detail: int = 1
) -> Mesh:
    """Returns an ellipsoid *centred* on `at` with corners pushed in and out at random by the share `rough`."""
    ball = sphere(1.0, colour, detail=detail)
    push = 1 + rng.uniform(-rough, rough, (len(ball.vertices), 1))
    return Mesh.of(ball.vertices * push * np.array(radius), ball.faces, colour).moved(*at)


def prism(polygon: ArrayLike, height: float, colour: RGB, *, base: float = 0.0, top: RGB | None = None) -> Mesh:
    """Returns an upright prism over a simple polygon (P, 2), concave ones too, with an optional other top colour."""
    outline = cleaned(polygon)
    count = len(outline)
    if count < 3:
        return Mesh.empty()
    lids = triangulated(outline)
    near = np.arange(count)
    far = (near + 1) % count
    sides = np.concatenate([np.stack([near, far, far + count], 1), np.stack([near, far + count, near + count], 1)])
    paint = np.array([colour] * (len(lids) + len(sides)) + [top or colour] * len(lids), np.uint8)
    rings = np.concatenate([_flat(outline, base), _flat(outline, base + height)])
    return Mesh.of(rings, np.concatenate([lids[:, ::-1], sides, lids + count]), paint)


def plate(polygon: ArrayLike, height: float, colour: RGB, *, base: float = 0.0, bevel: float = 0.02) -> Mesh:
    """Returns a prism over a convex polygon (P, 2) whose upper edge is chamfered."""
    outline = cleaned(polygon)
    return loft(
        [_flat(outline, base), _flat(outline, base + height - bevel), _flat(inset(outline, bevel), base + height)],
        colour,
    )


def upright(polygon: ArrayLike, thickness: float, colour: RGB) -> Mesh:
    """Returns a side view (P, 2) of x and z, extruded along y by `thickness` and centred on y = 0."""
    side = prism(np.asarray(polygon, np.float64), thickness, colour, base=-thickness / 2)
    return side.rolled(pi / 2)


def shell(outline: ArrayLike, width: float, colour: RGB, *, bevel: float = 0.05, narrow: float = 0.0) -> Mesh:
    """Returns a side view (P, 2) of x and z, extruded along y about y = 0, with the edges of both sides chamfered.

    Args:
        outline: Simple polygon, concave ones too, metres.
        width: Full extent along y.
        colour: sRGB.
        bevel: Width of the chamfer.
        narrow: Another chamfer, outside of the first, that takes this much more off each side's outline.
    """
    side = cleaned(outline)
    rings = [(inset(side, bevel), width / 2), (side, width / 2 - bevel)]
    if narrow > 0:
        rings = [(inset(side, bevel + narrow), width / 2), (inset(side, narrow * 0.4), width / 2 - bevel), rings[1]]
        rings[2] = (side, width / 2 - 2.2 * bevel - narrow)
    stack = [np.column_stack([ring, np.full(len(ring), -y)]) for ring, y in rings]
    stack += [np.column_stack([ring, np.full(len(ring), y)]) for ring, y in reversed(rings)]
    lids = triangulated(rings[0][0])
    skin = loft(stack, colour, closed=False)
    ends = Mesh.of(np.concatenate([stack[0], stack[-1]]), np.concatenate([lids[:, ::-1], lids + len(side)]), colour)
    # The stack rises along z here; rolling it by a quarter turn about x brings z to -y and the outline's y to z.
    return Mesh.merged([skin, ends]).rolled(pi / 2)


def tube(path: ArrayLike, radius: ArrayLike, colour: ArrayLike, *, sides: int = 5) -> Mesh:
    """Returns a pipe along (K, 3) points, metres, of one radius or one for each point."""
    points = np.asarray(path, np.float64)
    radii = np.broadcast_to(np.asarray(radius, np.float64), (len(points),))
    along = np.gradient(points, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-12)
    span = np.abs(points[-1] - points[0]) + np.abs(np.diff(points, axis=0)).sum(0)
    side = np.eye(3)[int(np.argmin(span))]
    rings = []
    for point, direction, width in zip(points, along, radii, strict=True):
        u = np.cross(side, direction)
        u /= max(float(np.linalg.norm(u)), 1e-9)
        v = np.cross(direction, u)
        ring = circle(float(width), sides)
        rings.append(point + ring[:, :1] * u + ring[:, 1:] * v)
    return loft(rings, colour)


def bar(
    start: Point, end: Point, radius: float, colour: RGB, *, sides: int = 4, end_radius: float | None = None
) -> Mesh:
    """Returns a straight rod between two points."""
    return tube([start, end], (radius, radius if end_radius is None else end_radius), colour, sides=sides)


def circle(radius: float, sides: int) -> NDArray[np.float64]:
    """Returns a counter-clockwise regular polygon (sides, 2) with flat sides towards the axes."""
    angle = (np.arange(sides) + 0.5) * 2 * pi / sides
    return radius * np.stack([np.cos(angle), np.sin(angle)], 1)


def opened(mesh: Mesh, *hidden: Point) -> Mesh:
    """Returns a mesh without the faces that look along given unit directions, for sides that nobody ever sees."""
    away = np.asarray(hidden, np.float64)
    kept = (mesh.normals @ away.T < 0.99).all(1)
    return Mesh(mesh.vertices, mesh.faces[kept], mesh.colours[kept])


def quad(corners: ArrayLike, colour: RGB) -> Mesh:
    """Returns two triangles over (4, 3) corners, counter-clockwise from the visible side; seen from that side only."""
    return Mesh.of(corners, [[0, 1, 2], [0, 2, 3]], colour)


def _flat(points: ArrayLike, height: float) -> NDArray[np.float64]:
    """Returns (N, 2) points at one height as (N, 3)."""
    plane = np.asarray(points, np.float64)
    return np.column_stack([plane, np.full(len(plane), height)])


def _cut_corners(corners: NDArray[np.float64], cut: float) -> NDArray[np.float64]:
    """Returns a rectangle's (4, 2) corners each replaced by two, `cut` metres away along its edges: (8, 2)."""
    before, after = np.roll(corners, 1, 0) - corners, np.roll(corners, -1, 0) - corners
    before /= np.maximum(np.linalg.norm(before, axis=1, keepdims=True), 1e-12)
    after /= np.maximum(np.linalg.norm(after, axis=1, keepdims=True), 1e-12)
    return np.stack([corners + before * cut, corners + after * cut], 1).reshape(-1, 2)


def _subdivided(points: NDArray[np.float64], faces: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Returns a sphere with each triangle split into four; new points lie on the sphere of radius sqrt(phi^2 + 1)."""
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    unique, inverse = np.unique(edges, axis=0, return_inverse=True)
    middle = points[unique].mean(1)
    middle *= np.linalg.norm(points[0]) / np.linalg.norm(middle, axis=1, keepdims=True)
    ab, bc, ca = (inverse.reshape(3, -1) + len(points)).astype(np.int64)
    a, b, c = faces.T
    split = [np.stack(corner, 1) for corner in ((a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca))]
    return np.concatenate([points, middle]), np.concatenate(split)


def _without_slivers(mesh: Mesh) -> Mesh:
    """Drops faces without area, which tips leave behind."""
    a, b, c = np.moveaxis(mesh.triangles.astype(np.float64), 1, 0)
    real = np.linalg.norm(np.cross(b - a, c - a), axis=1) > 1e-10
    return Mesh(mesh.vertices, mesh.faces[real], mesh.colours[real])
