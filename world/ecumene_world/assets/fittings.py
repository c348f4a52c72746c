"""Fittings of baths, classrooms, museums, clinics, cafés and shops; each faces +x, its width lies along y."""

from __future__ import annotations

from math import pi
from typing import Final

from ecumene_world.assets import palette
from ecumene_world.assets.asset import Asset, Seat
from ecumene_world.assets.mesh import Mesh
from ecumene_world.assets.palette import darker, lighter
from ecumene_world.assets.recipe import Draw, Recipe, block, solid
from ecumene_world.assets.solids import bar, box, cylinder, lathe, pillow, slab, sphere

_BOARDS: Final = ((38, 62, 52), (244, 244, 240), (46, 54, 66))


def toilet(draw: Draw) -> Asset:
    """A toilet with a cistern behind its seat."""
    white, lid = palette.WHITE, draw.colour((palette.WHITE, palette.OAK[0], palette.CHARCOAL))
    parts = [lathe([(0.11, 0), (0.10, 0.08), (0.18, 0.34), (0.19, 0.38)], white, (0.06, 0, 0), sides=12)]
    parts.append(box((0.24, 0.24, 0.36), white, (-0.12, 0, 0), bevel=0.02))
    parts.append(slab((0.42, 0.37, 0.035), lid, (0.05, 0, 0.385), bevel=0.014))
    parts.append(slab((0.17, 0.40, 0.36), white, (-0.24, 0, 0.40), bevel=0.03))
    parts.append(cylinder(0.025, 0.012, palette.STEEL, (-0.24, 0, 0.76), sides=8))
    return solid(
        "toilet",
        parts,
        [block((0.58, 0.40, 0.42), (-0.035, 0, 0)), block((0.17, 0.40, 0.37), (-0.24, 0, 0.40))],
        [Seat((0.05, 0, 0.42))],
    )


def bathtub(draw: Draw) -> Asset:
    """A bathtub along the wall, taps at its end."""
    length, deep = draw.size("width_m", 1.5, 1.7), draw.fixed("depth_m", 0.75)
    tint = draw.colour((palette.WHITE, palette.PAINTED[2], palette.PAINTED[1]))
    parts = [box((deep, length, 0.10), tint, (0, 0, 0))]
    for s in (-1, 1):
        parts.append(box((0.07, length, 0.46), tint, (s * (deep / 2 - 0.035), 0, 0.10)))
        parts.append(box((deep - 0.14, 0.10, 0.46), tint, (0, s * (length / 2 - 0.05), 0.10)))
    parts.append(box((deep - 0.14, length - 0.2, 0.02), palette.WATER_LIGHT, (0, 0, 0.34)))
    parts.append(bar((0, length / 2 - 0.06, 0.56), (0, length / 2 - 0.06, 0.72), 0.014, palette.STEEL))
    parts.append(bar((0, length / 2 - 0.06, 0.72), (0, length / 2 - 0.20, 0.70), 0.014, palette.STEEL))
    return solid("bathtub", parts, [block((deep, length, 0.56))])


def blackboard(draw: Draw) -> Asset:
    """A board to write on with a ledge, hung on a wall by its back."""
    width, height = draw.size("width_m", 1.8, 2.6), draw.size("height_m", 1.1, 1.2)
    face = draw.colour(_BOARDS)
    light = sum(face) < 400
    chalk = palette.WHITE if light else palette.ACCENTS[3]
    frame = draw.pick((palette.OAK[0], palette.STEEL))
    parts = [
        slab((height, width, 0.03), frame, bevel=0.01),
        box((height - 0.1, width - 0.1, 0.006), face, (0, 0, 0.028)),
    ]
    for row in range(3):
        for column in range(2):
            long = width * draw.between(0.12, 0.30)
            at = ((row - 1.2) * height * 0.2, (column - 0.5) * width * 0.42, 0.033)
            parts.append(box((0.03, long, 0.003), chalk, at))
    parts.append(box((0.05, width * 0.8, 0.10), frame, (height / 2 - 0.02, 0, 0.0)))
    return solid("blackboard", [Mesh.merged(parts).pitched(pi / 2)], [])


def display_case(draw: Draw) -> Asset:
    """A plinth with a glass case and something worth a look in it."""
    size, height = draw.size("width_m", 0.8, 1.1), draw.size("height_m", 1.25, 1.4)
    wood = draw.colour((palette.WALNUT[1], palette.PAINTED[0], palette.CHARCOAL, palette.STONE[0]))
    deep, top = 0.65, height - 0.42
    parts = [
        box((deep - 0.06, size - 0.06, 0.08), darker(wood, 0.3)),
        slab((deep, size, top - 0.08), wood, (0, 0, 0.08), bevel=0.01),
    ]
    parts.append(box((deep - 0.06, size - 0.06, 0.015), palette.PAPER, (0, 0, top)))
    x, y = deep / 2 - 0.015, size / 2 - 0.015
    parts += [box((0.018, 0.018, 0.40), palette.BRASS, (sx * x, sy * y, top)) for sx in (-1, 1) for sy in (-1, 1)]
    parts.append(box((deep, size, 0.02), palette.BRASS, (0, 0, height - 0.02)))
    shown, tone = draw.variant % 4, draw.pick((*palette.BRONZE, palette.TERRA_POTS[0], palette.STONE[2]))
    if shown == 0:
        parts.append(
            lathe(
                [(0.05, 0), (0.12, 0.10), (0.10, 0.20), (0.05, 0.24), (0.07, 0.30)], tone, (0, 0, top + 0.015), sides=10
            )
        )
    elif shown == 1:
        parts += [
            sphere(0.05 + 0.02 * n, lighter(tone, 0.1 * n), (0, (n - 1) * size * 0.25, top + 0.08), detail=0)
            for n in range(3)
        ]
    elif shown == 2:
        parts.append(slab((0.22, size * 0.5, 0.03), palette.PAPER, (0.02, 0, top + 0.02), bevel=0.005))
        parts.append(box((0.16, size * 0.2, 0.012), tone, (0.02, size * 0.08, top + 0.05)))
    else:
        parts += [
            lathe(
                [(0.03, 0), (0.045, 0.05), (0.015, 0.12), (0.03, 0.20)],
                lighter(tone, 0.12 * n),
                (0, (n - 1.5) * size * 0.2, top + 0.015),
                sides=5,
            )
            for n in range(4)
        ]
    return solid("display_case", parts, [block((deep, size, height))])


def till(draw: Draw) -> Asset:
    """A cash register for a counter; its keys face -x, towards the seller."""
    body = draw.colour((palette.CHARCOAL, palette.PAINTED[0], palette.ACCENTS[3]))
    parts = [slab((0.34, 0.34, 0.10), body, bevel=0.015)]
    parts.append(slab((0.18, 0.30, 0.10), lighter(body, 0.15), (0.05, 0, 0.10), bevel=0.02))
    parts.append(box((0.02, 0.24, 0.14), palette.CHARCOAL, (0.10, 0, 0.20)))
    parts.append(box((0.006, 0.20, 0.10), palette.GLASS_LIT, (0.114, 0, 0.22)))
    parts += [
        box((0.03, 0.03, 0.01), palette.WHITE, (-0.10 + 0.05 * (n // 4), -0.09 + 0.06 * (n % 4), 0.10))
        for n in range(8)
    ]
    return solid("till", parts, [])


def coffee_machine(draw: Draw) -> Asset:
    """A coffee machine with two spouts and cups to warm on top."""
    body = draw.colour((palette.STEEL, palette.CARS[0], palette.CHARCOAL, palette.ACCENTS[0]))
    parts = [
        slab((0.40, 0.56, 0.08), palette.CHARCOAL, bevel=0.01),
        box((0.16, 0.52, 0.34), body, (-0.10, 0, 0.08), bevel=0.02),
    ]
    parts.append(slab((0.36, 0.54, 0.12), lighter(body, 0.12), (-0.01, 0, 0.34), bevel=0.02))
    for s in (-1, 1):
        parts.append(cylinder(0.035, 0.06, palette.STEEL, (0.06, s * 0.13, 0.28), sides=6))
        parts.append(bar((0.06, s * 0.13, 0.29), (0.20, s * 0.13, 0.27), 0.012, palette.CHARCOAL))
    parts += [
        cylinder(0.04, 0.06, palette.WHITE, (-0.06 + 0.10 * (n % 2), (n // 2 - 1) * 0.14, 0.46), sides=6)
        for n in range(6)
    ]
    return solid("coffee_machine", parts, [])


def exam_couch(draw: Draw) -> Asset:
    """A doctor's couch with a raised head at -x and a paper sheet."""
    cloth = draw.colour((palette.FABRIC[0], palette.FABRIC[3], palette.PAINTED[2]))
    length, width, high = 1.9, 0.68, 0.62
    parts = [box((length - 0.3, width - 0.14, 0.05), palette.STEEL, (0, 0, high - 0.14))]
    feet = [(sx * 0.72, sy * 0.26) for sx in (-1, 1) for sy in (-1, 1)]
    parts += [bar((x, y, 0), (x, y, high - 0.1), 0.022, palette.STEEL) for x, y in feet]
    parts.append(pillow((length * 0.70, width, 0.11), cloth, (length * 0.15, 0, high - 0.10), bevel=0.03))
    parts.append(
        pillow((length * 0.30, width, 0.11), cloth, bevel=0.03).pitched(0.30).moved(-length * 0.345, 0, high - 0.03)
    )
    parts.append(box((length * 0.66, 0.36, 0.012), palette.WHITE, (length * 0.15, 0, high)))
    return solid("exam_couch", parts, [block((length, width, high))], [Seat((0.0, 0, high + 0.02))])


def clothes_rack(draw: Draw) -> Asset:
    """A rail on two feet with clothes on hangers."""
    width, height = draw.size("width_m", 1.2, 1.5), draw.size("height_m", 1.4, 1.5)
    metal = draw.pick((palette.STEEL, palette.CHARCOAL, palette.BRASS))
    parts = [bar((0, -width / 2, height), (0, width / 2, height), 0.016, metal)]
    for s in (-1, 1):
        parts.append(bar((0, s * width / 2, 0.03), (0, s * width / 2, height), 0.016, metal))
        parts.append(box((0.46, 0.04, 0.03), metal, (0, s * width / 2, 0)))
    count = int(width / 0.13)
    for n in range(count):
        tone = draw.pick(palette.FABRIC + palette.ACCENTS)
        y, long = (n - (count - 1) / 2) * 0.125, draw.between(0.6, 0.95)
        parts.append(slab((draw.between(0.34, 0.44), 0.06, long), tone, (0, y, height - 0.06 - long), bevel=0.02))
    return solid("clothes_rack", parts, [block((0.46, width + 0.04, height))])


RECIPES: Final = (
    Recipe("toilet", toilet, {"colour": None}, variants=3),
    Recipe("bathtub", bathtub, {"width_m": (1.3, 2.0), "depth_m": (0.6, 1.1), "colour": None}, variants=3),
    Recipe("blackboard", blackboard, {"width_m": (1.0, 5.0), "height_m": (0.8, 1.6), "colour": None}),
    Recipe("display_case", display_case, {"width_m": (0.5, 2.0), "height_m": (0.9, 1.8), "colour": None}, variants=8),
    Recipe("till", till, {"colour": None}, variants=3),
    Recipe("coffee_machine", coffee_machine, {"colour": None}, variants=4),
    Recipe("exam_couch", exam_couch, {"colour": None}, variants=3),
    Recipe("clothes_rack", clothes_rack, {"width_m": (0.8, 2.4), "height_m": (1.2, 1.8), "colour": None}, variants=8),
)
