"""Things small enough to be carried."""

from __future__ import annotations

from math import pi
from typing import Final

import numpy as np

from ecumene_world.assets import palette
from ecumene_world.assets.asset import Asset
from ecumene_world.assets.mesh import RGB, Mesh
from ecumene_world.assets.palette import darker, lighter
from ecumene_world.assets.recipe import Draw, Recipe, solid
from ecumene_world.assets.solids import box, lathe, slab, sphere, tube
from ecumene_world.kinds import BY_NAME

_CUPS: Final = ("mug", "bowl", "vase", "bottle")


def ball(draw: Draw) -> Asset:
    """A ball in two colours."""
    radius = draw.size("radius_m", 0.11, 0.15)
    tint = draw.colour(palette.ACCENTS)
    globe = sphere(radius, tint, detail=1)
    middle = globe.triangles.mean(1)
    sector = np.floor((np.arctan2(middle[:, 1], middle[:, 0]) + pi) / (pi / 3)).astype(int) % 2 == 0
    stripes = np.where(sector[:, None], np.array(tint), np.array(palette.WHITE))
    caps = np.abs(middle[:, 2:]) > radius * 0.72
    mesh = globe.painted(np.where(caps, np.array(lighter(tint, 0.35)), stripes))
    return solid("ball", [mesh.moved(z=-float(mesh.bounds[0, 2]))])


def book(draw: Draw) -> Asset:
    """A closed book that lies flat: two covers, a spine and pages."""
    tint = draw.colour(palette.FABRIC)
    deep, wide, thick = draw.between(0.22, 0.27), draw.between(0.16, 0.19), draw.between(0.03, 0.05)
    parts = [box((deep, wide, 0.005), tint), box((deep, wide, 0.005), tint, (0, 0, thick - 0.005))]
    parts.append(box((deep, 0.008, thick), darker(tint, 0.12), (0, -wide / 2, 0)))
    parts.append(box((deep - 0.012, wide - 0.012, thick - 0.008), palette.PAPER, (0, -0.002, 0.004)))
    parts.append(box((deep * 0.5, wide * 0.5, 0.002), palette.BRASS, (0.02, 0.01, thick)))
    parts.append(box((0.012, 0.015, 0.003), palette.CARS[0], (deep / 2, 0.03, thick * 0.5)))
    return solid("book", parts)


def cup(draw: Draw) -> Asset:
    """A mug of coffee with a handle; `form` makes a bowl, a vase or a bottle of it."""
    tint = draw.colour((*palette.ACCENTS, palette.WHITE))
    height = draw.size("height_m", 0.09, 0.11)
    radius = draw.size("width_m", 0.076, 0.09) / 2
    form = draw.chosen("form", "mug")
    if form != "mug":
        waist, neck = draw.fixed("foot", 0.6), draw.fixed("neck", 0.5)
        return solid("cup", [_turned(form, height, radius, waist, neck, tint)])
    side = [
        (radius * 0.82, 0),
        (radius, 0.012),
        (radius, height),
        (radius * 0.84, height),
        (radius * 0.8, height * 0.8),
        (0, height * 0.8),
    ]
    bands = [tint, tint, lighter(tint, 0.3), darker(tint, 0.1), palette.WALNUT[1]]
    parts = [lathe(side, bands, sides=10)]
    loop = [
        (0, radius * 0.96, height * 0.8),
        (0, radius + 0.032, height * 0.72),
        (0, radius + 0.03, height * 0.36),
        (0, radius * 0.96, height * 0.25),
    ]
    parts.append(tube(loop, 0.006, tint, sides=4))
    return solid("cup", parts)


def _turned(form: str, height: float, radius: float, foot: float, neck: float, tint: RGB) -> Mesh:
    """Returns a bowl, a vase or a bottle; foot and neck are shares of its greatest radius."""
    if form == "bowl":
        outer = [(foot * radius, 0), (foot * radius, 0.06 * height), (0.88 * radius, 0.55 * height), (radius, height)]
        bands, inner = [tint, tint, lighter(tint, 0.1)], [(0.92 * radius, height), (0.7 * radius, 0.45 * height)]
    elif form == "vase":
        outer = [(foot * radius, 0), (radius, 0.42 * height), (neck * radius, 0.86 * height)]
        outer.append((min(1.25 * neck, 1.0) * radius, height))
        bands, inner = (
            [tint, lighter(tint, 0.12), tint],
            [(0.8 * neck * radius, height), (0.7 * neck * radius, 0.86 * height)],
        )
    else:
        outer = [(radius, 0), (radius, 0.55 * height), (neck * radius, 0.74 * height), (neck * radius, height)]
        bands, inner = [tint, darker(tint, 0.1), tint], []
    profile = [*outer, *inner, (0.0, inner[-1][1] - 0.02 * height if inner else height)]
    paint = [*bands, *[darker(tint, 0.2)] * (len(profile) - 1 - len(bands))]
    return lathe(profile, paint, sides=12)


def box_(draw: Draw) -> Asset:
    """A parcel with tape and a label, or a wooden crate."""
    size = draw.size("size_m", 0.30, 0.42)
    deep, wide, tall = size, size * draw.between(0.75, 1.0), size * draw.between(0.6, 0.85)
    if draw.variant % 3 == 2:
        wood = draw.colour(palette.OAK)
        parts = [box((deep - 0.03, wide - 0.03, tall - 0.02), darker(wood, 0.3), (0, 0, 0.01))]
        for level in range(3):
            z = level * tall / 3
            parts.append(box((deep, wide, tall / 3 - 0.015), lighter(wood, 0.06 * (level % 2)), (0, 0, z)))
        parts += [
            box((0.035, 0.035, tall), darker(wood, 0.15), (sx * deep / 2, sy * wide / 2, 0))
            for sx in (-1, 1)
            for sy in (-1, 1)
        ]
        return solid("box", parts)
    card = draw.colour((palette.rgb("#c9a06a"), palette.rgb("#b98d5a"), *palette.ACCENTS[:2]))
    parts = [slab((deep, wide, tall), card, bevel=0.01)]
    parts.append(box((deep + 0.004, 0.05, tall + 0.002), lighter(card, 0.4), (0, 0, 0)))
    parts.append(box((0.09, 0.12, 0.003), palette.WHITE, (deep * 0.2, wide * 0.25, tall)))
    parts.append(box((0.004, 0.10, 0.07), palette.WHITE, (deep / 2, -wide * 0.25, tall * 0.5)))
    return solid("box", parts)


def lantern(draw: Draw) -> Asset:
    """A storm lantern with a glowing glass and a wire handle."""
    metal = draw.colour((palette.IRON[0], palette.BRASS, palette.CARS[0], palette.IRON[1]))
    parts = [lathe([(0.085, 0), (0.085, 0.03), (0.06, 0.05)], metal, sides=8)]
    parts.append(lathe([(0.05, 0.05), (0.068, 0.10), (0.05, 0.19)], palette.GLOW, sides=8))
    parts.append(lathe([(0.065, 0.19), (0.075, 0.20), (0.035, 0.245), (0.035, 0.265), (0.0, 0.275)], metal, sides=8))
    for corner in range(4):
        angle = corner * pi / 2 + pi / 4
        x, y = 0.072 * np.cos(angle), 0.072 * np.sin(angle)
        parts.append(box((0.008, 0.008, 0.17), metal, (float(x), float(y), 0.03)))
    arch = [(0.0, 0.07, 0.19), (0.0, 0.085, 0.27), (0.0, 0.0, 0.345), (0.0, -0.085, 0.27), (0.0, -0.07, 0.19)]
    parts.append(tube(arch, 0.005, darker(metal, 0.2), sides=3))
    return solid("lantern", parts)


def stretcher(draw: Draw) -> Asset:
    """A stretcher for two bearers: canvas between poles along x, crossbars and short feet."""
    wood, cloth = draw.colour(palette.OAK), draw.colour(palette.FABRIC, "cloth")
    parts = [box((1.4, 0.5, 0.02), cloth, (0, 0, 0.13)), box((0.3, 0.36, 0.06), lighter(cloth, 0.35), (0.52, 0, 0.15))]
    for side in (-0.26, 0.26):
        parts.append(box((BY_NAME["stretcher"].length_m, 0.04, 0.04), wood, (0, side, 0.12)))
        parts += [box((0.05, 0.05, 0.12), darker(wood, 0.2), (end, side, 0)) for end in (-0.66, 0.66)]
    parts += [box((0.04, 0.5, 0.03), darker(wood, 0.1), (end, 0, 0.1)) for end in (-0.66, 0.66)]
    return solid("stretcher", parts)


RECIPES: Final = (
    Recipe("ball", ball, {"radius_m": (0.04, 0.6), "colour": None}),
    Recipe("book", book, {"colour": None}, variants=8),
    Recipe(
        "cup",
        cup,
        {
            "height_m": (0.05, 0.36),
            "width_m": (0.05, 0.3),
            "form": _CUPS,
            "foot": (0.3, 1.0),
            "neck": (0.25, 0.9),
            "colour": None,
        },
    ),
    Recipe("box", box_, {"size_m": (0.15, 1.0), "colour": None}),
    Recipe("lantern", lantern, {"colour": None}, variants=4),
    Recipe("stretcher", stretcher, {"colour": None}, variants=4),
)
