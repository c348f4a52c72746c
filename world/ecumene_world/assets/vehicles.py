"""Vehicles; they point along +x."""

from __future__ import annotations

from math import pi
from typing import Final

import numpy as np

from ecumene_world.assets import palette
from ecumene_world.assets.asset import Asset
from ecumene_world.assets.mesh import RGB, Mesh
from ecumene_world.assets.palette import darker, lighter
from ecumene_world.assets.recipe import Draw, Recipe, block, solid
from ecumene_world.assets.solids import bar, box, cylinder, loft, pillow, shell, slab, tube

_BODIES: Final = ("compact", "saloon", "estate")
_LAMP: Final = palette.rgb("#fff3cf")
_TAIL: Final = palette.rgb("#c23a32")
_DARK_GLASS: Final = palette.rgb("#3f5566")


def car(draw: Draw) -> Asset:
    """A small car, a saloon or an estate: bevelled body, glazed cabin, wheels, lamps and mirrors."""
    body = draw.word("body", _BODIES)
    paint = draw.colour(palette.CARS)
    length = draw.size("length_m", *{"compact": (3.5, 3.8), "saloon": (4.3, 4.6), "estate": (4.3, 4.6)}[body])
    width, wheel = 1.72, 0.33
    half, floor, waist = length / 2, 0.22, 0.86
    nose = half - 0.04
    hood = half - (0.92 if body == "compact" else 1.15)
    tail = -half + {"compact": 0.10, "saloon": 0.72, "estate": 0.10}[body]
    side = [(-half + 0.05, floor), (half - 0.1, floor), (half, 0.42), (nose, 0.66), (hood, waist), (tail, waist + 0.02)]
    side += [(-half + 0.02, waist - (0.08 if body == "saloon" else 0.02)), (-half, 0.5)]
    parts = [shell(side, width, paint, bevel=0.09)]
    parts.append(box((length * 0.98, width * 0.98, 0.12), darker(paint, 0.55), (0, 0, 0.18)))
    front, back = hood + 0.08, tail + 0.04
    top_front = front - 0.62
    top_back = back + {"compact": 0.28, "saloon": 0.52, "estate": 0.22}[body]
    roof = 1.44 if body != "saloon" else 1.40
    parts += _cabin((front, back), (top_front, top_back), waist - 0.02, roof, width - 0.14, paint)
    axle = length * 0.31
    parts += [_wheel(wheel, 0.2).moved(x, s * (width / 2 - 0.08), wheel) for x in (-axle, axle) for s in (-1, 1)]
    for y in (-0.6, 0.6):
        parts.append(box((0.08, 0.34, 0.15), _LAMP, (half - 0.05, y, 0.50)))
        parts.append(box((0.08, 0.30, 0.16), _TAIL, (-half + 0.05, y, 0.58)))
    parts += [
        slab((0.13, width * 0.86, 0.14), palette.CHARCOAL, (s * (half - 0.03), 0, 0.27), bevel=0.04) for s in (-1, 1)
    ]
    parts += [box((0.12, 0.16, 0.11), paint, (front - 0.2, s * (width / 2 + 0.03), waist + 0.02)) for s in (-1, 1)]
    return solid("car", parts, [block((length, width, 1.4))])


def van(draw: Draw) -> Asset:
    """A delivery van with a stripe in a second colour, or a camper with side windows."""
    length = draw.size("length_m", 4.9, 5.4)
    paint, stripe = (
        draw.colour(
            (palette.WHITE, palette.CARS[4], palette.CARS[7], palette.CARS[3], palette.CARS[0], palette.CARS[6])
        ),
        draw.pick(palette.ACCENTS),
    )
    width, top, floor, half, wheel = 1.95, 2.25, 0.26, length / 2, 0.36
    side = [
        (-half, floor),
        (half - 0.12, floor),
        (half, 0.5),
        (half - 0.04, 0.88),
        (half - 0.62, 1.14),
        (half - 1.25, top),
    ]
    side += [(-half + 0.12, top), (-half, top - 0.2)]
    parts = [shell(side, width, paint, bevel=0.11)]
    parts.append(box((length * 0.97, width * 0.98, 0.14), darker(paint, 0.6), (0, 0, 0.20)))
    slope = np.array([[half - 0.66, 1.2], [half - 1.20, top - 0.12]])
    for a, b, wide in ((0.06, 0.94, width - 0.34),):
        low, high = slope[0] + (slope[1] - slope[0]) * a, slope[0] + (slope[1] - slope[0]) * b
        parts.append(_pane(low, high, wide))
    for s in (-1, 1):
        door = [(half - 0.86, 1.16), (half - 1.24, top - 0.24), (half - 1.75, top - 0.24), (half - 1.75, 1.16)]
        parts.append(_side_panel(door, _DARK_GLASS).moved(y=s * (width / 2)))
        band = [(-half + 0.14, 0.86), (half - 0.2, 0.86), (half - 0.4, 1.02), (-half + 0.14, 1.02)]
        parts.append(_side_panel(band, stripe).moved(y=s * (width / 2)))
        if draw.variant % 2:
            for x in (-half + 0.35, -half + 1.55):
                glass = [(x, 1.22), (x + 1.0, 1.22), (x + 1.0, top - 0.32), (x, top - 0.32)]
                parts.append(_side_panel(glass, _DARK_GLASS).moved(y=s * (width / 2)))
        parts.append(box((0.12, 0.12, 0.24), palette.CHARCOAL, (half - 0.95, s * (width / 2 + 0.08), 1.18)))
        parts.append(box((0.08, 0.30, 0.17), _LAMP, (half - 0.05, s * 0.68, 0.60)))
        parts.append(box((0.06, 0.16, 0.34), _TAIL, (-half, s * 0.8, 0.75)))
    parts.append(box((0.03, width - 0.5, 0.62), _DARK_GLASS, (-half, 0, 1.30)))
    parts += [
        slab((0.14, width * 0.88, 0.16), palette.CHARCOAL, (s * (half - 0.02), 0, 0.3), bevel=0.04) for s in (-1, 1)
    ]
    axle = length * 0.33
    parts += [_wheel(wheel, 0.22).moved(x, s * (width / 2 - 0.09), wheel) for x in (-axle, axle) for s in (-1, 1)]
    return solid("van", parts, [block((length, width, top))])


def bicycle(draw: Draw) -> Asset:
    """A town bicycle on its stand: two wheels, a low frame, saddle, handlebar and sometimes a basket."""
    paint = draw.colour((*palette.ACCENTS, palette.CHARCOAL))
    radius, base = 0.34, 1.06
    back, front = (-base / 2, 0.0, radius), (base / 2, 0.0, radius)
    pedal, seat = (-0.06, 0.0, 0.29), (-0.22, 0.0, 0.82)
    head_low, head_high = (0.37, 0.0, 0.68), (0.33, 0.0, 0.88)
    parts = [_tyre(radius).moved(x=x) for x in (-base / 2, base / 2)]
    for a, b in ((pedal, seat), (pedal, head_low), (back, pedal), (back, (-0.19, 0.0, 0.74)), (head_low, head_high)):
        parts.append(bar(a, b, 0.02, paint, sides=4))
    middle = (-0.15, 0.0, 0.58) if draw.variant % 2 else (-0.20, 0.0, 0.74)
    parts.append(bar(middle, (0.36, 0.0, 0.74), 0.02, paint))
    parts.append(bar(head_low, front, 0.018, lighter(paint, 0.1)))
    parts.append(bar(seat, (-0.24, 0.0, 0.92), 0.014, palette.STEEL))
    parts.append(pillow((0.27, 0.15, 0.07), palette.WALNUT[0], (-0.25, 0, 0.92), bevel=0.03))
    parts.append(bar(head_high, (0.31, 0.0, 1.02), 0.014, palette.STEEL))
    grips = [(0.16, -0.28, 1.03), (0.30, -0.18, 1.05), (0.32, 0.0, 1.02), (0.30, 0.18, 1.05), (0.16, 0.28, 1.03)]
    parts.append(tube(grips, 0.014, palette.STEEL, sides=4))
    parts += [box((0.1, 0.035, 0.035), palette.WALNUT[1], (0.15, s * 0.28, 1.015)) for s in (-1, 1)]
    parts.append(cylinder(0.09, 0.02, palette.STEEL, sides=8).rolled(pi / 2).moved(pedal[0], 0.045, pedal[2]))
    parts += [
        box((0.09, 0.08, 0.02), palette.CHARCOAL, (pedal[0] + s * 0.13, s * 0.11, pedal[2] - s * 0.08)) for s in (-1, 1)
    ]
    parts.append(bar((-0.12, 0.03, 0.3), (-0.22, 0.17, 0.0), 0.012, palette.STEEL))
    for at, tint in ((-base / 2, paint), (base / 2, paint)):
        arc = [(at - 0.38 * np.cos(a), 0.0, radius + 0.38 * np.sin(a)) for a in (0.25, 1.0, 1.75, 2.4)]
        parts.append(tube(arc, 0.022, tint, sides=3))
    if draw.variant % 3 != 2:
        wicker = palette.OAK[draw.variant % 3]
        parts.append(
            loft(
                [
                    [(0.40, -0.13, 0.78), (0.62, -0.13, 0.78), (0.62, 0.13, 0.78), (0.40, 0.13, 0.78)],
                    [(0.38, -0.18, 1.0), (0.68, -0.18, 1.0), (0.68, 0.18, 1.0), (0.38, 0.18, 1.0)],
                ],
                wicker,
            )
        )
        parts.append(box((0.26, 0.32, 0.01), darker(wicker, 0.35), (0.53, 0, 0.998)))
    return solid("bicycle", parts, [block((1.7, 0.5, 1.0))])


def _cabin(
    waist_x: tuple[float, float], roof_x: tuple[float, float], low: float, high: float, wide: float, paint: RGB
) -> list[Mesh]:
    """Returns the glazed part of a car: a band of glass, a roof and pillars at the corners."""
    inner = wide - 0.34
    ring = np.array([[waist_x[0], -wide / 2], [waist_x[0], wide / 2], [waist_x[1], wide / 2], [waist_x[1], -wide / 2]])
    top = np.array([[roof_x[0], -inner / 2], [roof_x[0], inner / 2], [roof_x[1], inner / 2], [roof_x[1], -inner / 2]])
    crown = top * [0.86, 0.86] + [(roof_x[0] + roof_x[1]) / 2 * 0.14, 0]
    rings = [np.column_stack([ring, np.full(4, low)]), np.column_stack([top, np.full(4, high - 0.07)])]
    roof = [
        np.column_stack([top * 1.0, np.full(4, high - 0.08)]),
        np.column_stack([top * [1.0, 1.03], np.full(4, high - 0.03)]),
    ]
    roof.append(np.column_stack([crown, np.full(4, high)]))
    parts = [loft(rings, _DARK_GLASS), loft(roof, paint)]
    for a, b in zip(rings[0], rings[1], strict=True):
        parts.append(bar((a[0], a[1], a[2]), (b[0], b[1], b[2]), 0.05, paint, sides=3))
    share = 0.48
    for s in (-1, 1):
        x_low, x_high = (v[0] + (v[1] - v[0]) * share for v in (waist_x, roof_x))
        parts.append(bar((x_low, s * wide / 2, low), (x_high, s * inner / 2, high - 0.07), 0.045, paint, sides=3))
    return parts


def _wheel(radius: float, width: float) -> Mesh:
    """Returns a tyre with a bright hub on both sides, its axle along y through the origin."""
    tyre = cylinder(radius, width, palette.RUBBER, (0, 0, -width / 2), sides=10)
    hub = cylinder(radius * 0.55, width + 0.03, palette.STEEL, (0, 0, -width / 2 - 0.015), sides=6)
    return Mesh.merged([tyre, hub]).rolled(pi / 2)


def _tyre(radius: float) -> Mesh:
    """Returns a thin bicycle wheel with a hub and spokes, standing on z = 0."""
    angle = np.arange(13) * 2 * pi / 12
    middle = radius - 0.022
    ring = np.stack([middle * np.cos(angle), np.zeros(13), middle * np.sin(angle)], 1)
    parts = [_hoop(ring[:-1], 0.022)]
    for index in range(4):
        a = index * pi / 4 + 0.2
        reach = middle
        end = (reach * np.cos(a), 0.0, reach * np.sin(a))
        parts.append(bar((-end[0], 0.0, -end[2]), end, 0.006, palette.STEEL, sides=3))
    parts.append(box((0.06, 0.09, 0.06), palette.STEEL, (0, 0, -0.03)))
    return Mesh.merged(parts).moved(z=radius)


def _hoop(ring: np.ndarray[tuple[int, ...], np.dtype[np.float64]], thick: float) -> Mesh:
    """Returns a closed tube of square section along a ring of points (N, 3) in the plane y = 0."""
    count = len(ring)
    out = ring / np.linalg.norm(ring, axis=1, keepdims=True) * thick
    side = np.array([0.0, thick * 0.9, 0.0])
    section = np.stack([ring + out, ring + side, ring - out, ring - side], 1)
    near, far = np.arange(count), (np.arange(count) + 1) % count
    faces = []
    for k in range(4):
        n = (k + 1) % 4
        a, b, c, d = near * 4 + k, far * 4 + k, far * 4 + n, near * 4 + n
        faces += [np.stack([a, c, b], 1), np.stack([a, d, c], 1)]
    mesh = Mesh.of(section.reshape(-1, 3), np.concatenate(faces), palette.RUBBER)
    return mesh if mesh.volume_m3 > 0 else Mesh(mesh.vertices, mesh.faces[:, ::-1].copy(), mesh.colours)


def _side_panel(outline: list[tuple[float, float]], colour: RGB) -> Mesh:
    """Returns a thin panel for both sides of a body, given as a side view of x and z."""
    points = np.array(outline)
    low, high = points.min(0), points.max(0)
    return shell(outline, 0.02, colour, bevel=0.004) if (high - low).min() > 0.02 else Mesh.empty()


def _pane(
    low: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    high: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    wide: float,
) -> Mesh:
    """Returns a windscreen between two points (x, z) of a sloping front."""
    out = np.array([high[1] - low[1], low[0] - high[0]])
    out *= 0.02 / np.linalg.norm(out)
    side = [low - out, low + out, high + out, high - out]
    return shell([(float(x), float(z)) for x, z in side], wide, _DARK_GLASS, bevel=0.004)


RECIPES: Final = (
    Recipe("car", car, {"length_m": (3.0, 5.2), "body": _BODIES, "colour": None}, variants=9),
    Recipe("van", van, {"length_m": (4.0, 7.0), "colour": None}),
    Recipe("bicycle", bicycle, {"colour": None}),
)
