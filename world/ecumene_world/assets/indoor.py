"""Appliances, lamps and what hangs on walls; each faces +x, its width lies along y."""

from __future__ import annotations

from math import pi
from typing import Final

from ecumene_world.assets import palette
from ecumene_world.assets.asset import Asset
from ecumene_world.assets.mesh import RGB, Mesh
from ecumene_world.assets.palette import darker, lighter
from ecumene_world.assets.recipe import Draw, Recipe, block, post, solid
from ecumene_world.assets.solids import (
    bar,
    box,
    circle,
    cylinder,
    lathe,
    loft,
    prism,
    slab,
    sphere,
    tube,
)

_SCREENS: Final = ("totem", "television")
_LAMP_LEGS: Final = ("stem", "three")
_KITCHEN_M: Final = (0.62, 0.90)
"""Depth and height that kitchen furniture shares, so that pieces make a row."""


def floor_lamp(draw: Draw) -> Asset:
    """A lamp on a tall stem or on three legs, under a fabric shade."""
    height, wide, tall = draw.size("height_m", 1.45, 1.70), draw.fixed("width_m", 0.46), draw.fixed("shade_m", 0.30)
    metal, shade = (
        draw.pick((palette.BRASS, palette.CHARCOAL, *palette.WALNUT[:1])),
        draw.colour((palette.GLOW, palette.PAPER, *palette.FABRIC[1:3])),
    )
    parts: list[Mesh] = []
    low = height - tall - 0.02
    if draw.word("legs", _LAMP_LEGS) == "three":
        for index in range(3):
            foot = circle(0.27, 3)[index].tolist()
            parts.append(bar((foot[0], foot[1], 0), (0, 0, low - 0.02), 0.016, metal, sides=4))
    else:
        parts.append(lathe([(0.15, 0), (0.15, 0.025), (0.02, 0.05), (0.014, low + 0.05)], metal, sides=8))
    rim = [(wide / 2, 0), (0.63 * wide / 2, tall), (0.0, tall - 0.01)]
    parts.append(lathe(rim, [shade, lighter(shade, 0.3)], (0, 0, low + 0.02), sides=10))
    parts.append(sphere(0.07, palette.GLOW, (0, 0, low + 0.03), detail=0))
    return solid("floor_lamp", parts, [post(0.16, height)])


def fridge(draw: Draw) -> Asset:
    """A rounded fridge with a freezer compartment above and long handles."""
    width, height = draw.size("width_m", 0.60, 0.66), draw.size("height_m", 1.60, 1.85)
    depth = draw.fixed("depth_m", 0.64)
    tint = draw.colour(
        (palette.WHITE, palette.rgb("#a9cdbf"), palette.CARS[0], palette.STEEL, palette.rgb("#e8cf9a"), palette.CARS[7])
    )
    split = height * draw.fixed("split", 0.66)
    parts = [box((depth - 0.08, width - 0.01, height - 0.06), darker(tint, 0.12), (-0.04, 0, 0.04), bevel=0.04)]
    front = depth / 2 - 0.05
    for low, tall in ((0.07, split - 0.085), (split, height - split - 0.03)):
        parts.append(_panel(0.09, width, tall, tint).moved(front, 0, low))
        parts.append(
            box((0.05, 0.03, min(0.36, tall * 0.5)), palette.STEEL, (front + 0.11, width / 2 - 0.07, low + tall * 0.25))
        )
    parts += [
        cylinder(0.03, 0.05, palette.CHARCOAL, (sx * 0.2, sy * width * 0.36, 0), sides=5)
        for sx in (-1, 1)
        for sy in (-1, 1)
    ]
    parts.append(box((0.01, 0.12, 0.03), palette.BRASS, (front + 0.09, -width * 0.28, height - 0.14)))
    return solid("fridge", parts, [block((depth + 0.04, width, height))])


def stove(draw: Draw) -> Asset:
    """A kitchen stove: four plates with a pot, knobs and an oven door with a window."""
    depth, height = _KITCHEN_M
    width = draw.size("width_m", 0.60, 0.66)
    tint = draw.colour((palette.WHITE, palette.STEEL, palette.CHARCOAL, palette.CARS[3]))
    parts = [
        box((depth - 0.05, width, height - 0.12), tint, (-0.01, 0, 0.09)),
        box((depth - 0.12, width - 0.05, 0.1), palette.CHARCOAL),
    ]
    parts.append(slab((depth, width, 0.035), palette.CHARCOAL, (0, 0, height - 0.035), bevel=0.01))
    for x, y, radius in ((0.14, 0.15, 0.09), (0.14, -0.15, 0.075), (-0.14, 0.15, 0.075), (-0.14, -0.15, 0.09)):
        tone = palette.STEEL if radius > 0.08 else darker(palette.STEEL, 0.3)
        parts.append(cylinder(radius, 0.012, tone, (x, y, height), sides=6))
    front = depth / 2 - 0.035
    parts.append(slab((0.04, width - 0.06, 0.46), lighter(tint, 0.1), (front, 0, 0.18), bevel=0.012))
    parts.append(box((0.05, width - 0.22, 0.22), palette.CHARCOAL, (front, 0, 0.26)))
    parts.append(box((0.05, width - 0.14, 0.025), palette.STEEL, (front + 0.03, 0, 0.58)))
    for index in range(3):
        knob = cylinder(0.024, 0.03, palette.STEEL, sides=5).pitched(pi / 2)
        parts.append(knob.moved(front + 0.01, (index - 1) * 0.15, height - 0.14))
    pot = palette.ACCENTS[draw.variant % len(palette.ACCENTS)]
    parts.append(
        lathe(
            [(0.10, 0), (0.115, 0.03), (0.115, 0.14), (0.0, 0.165)],
            [pot, pot, lighter(pot, 0.15)],
            (-0.14, -0.15, height + 0.01),
            sides=8,
        )
    )
    parts.append(sphere(0.02, palette.CHARCOAL, (-0.14, -0.15, height + 0.185), detail=0))
    return solid("stove", parts, [block((depth, width, height))])


def sink(draw: Draw) -> Asset:
    """A kitchen sink in a cupboard: basin, tap and two doors."""
    depth, height = _KITCHEN_M
    width = draw.size("width_m", 0.9, 1.2)
    body, top = draw.colour((*palette.PAINTED, *palette.SHUTTERS[:2])), draw.pick((*palette.OAK[:2], palette.STONE[2]))
    rim_x, rim_y = 0.20, min(0.30, width * 0.3)
    parts = [
        box((depth - 0.08, width, height - 0.32), body, (-0.01, 0, 0.09)),
        box((depth - 0.12, width - 0.04, 0.1), darker(body, 0.6)),
    ]
    for s in (-1, 1):
        parts.append(box((depth, width / 2 - rim_y, 0.04), top, (0, s * (width / 4 + rim_y / 2), height - 0.04)))
        parts.append(box((depth / 2 - rim_x, 2 * rim_y, 0.04), top, (s * (depth / 4 + rim_x / 2), 0, height - 0.04)))
        parts.append(box((0.025, width, 0.24), body, (s * (depth / 2 - 0.0625), 0, height - 0.26)))
        parts.append(
            slab(
                (0.03, width / 2 - 0.04, height - 0.26),
                lighter(body, 0.2),
                (depth / 2 - 0.05, s * width / 4, 0.13),
                bevel=0.01,
            )
        )
        parts.append(box((0.05, 0.02, 0.12), palette.BRASS, (depth / 2 - 0.03, s * 0.05, height * 0.58)))
    parts += [_basin(rim_x, rim_y, 0.18).moved(z=height - 0.18)]
    tap = [
        (-rim_x - 0.05, 0, height),
        (-rim_x - 0.05, 0, height + 0.24),
        (-rim_x + 0.03, 0, height + 0.30),
        (-rim_x + 0.14, 0, height + 0.26),
        (-rim_x + 0.15, 0, height + 0.18),
    ]
    parts.append(tube(tap, 0.015, palette.STEEL, sides=5))
    parts += [cylinder(0.022, 0.05, palette.STEEL, (-rim_x - 0.05, s * 0.09, height), sides=6) for s in (-1, 1)]
    return solid("sink", parts, [block((depth, width, height))])


def screen(draw: Draw) -> Asset:
    """An information pillar, or a television on a low board; its picture faces +x."""
    style = draw.word("style", _SCREENS)
    glow = draw.colour((palette.ACCENTS[0], palette.ACCENTS[3], palette.GLASS, palette.ACCENTS[4], palette.FABRIC[0]))
    parts: list[Mesh] = []
    if style == "totem":
        height, width = draw.size("height_m", 1.75, 1.95), 0.66
        parts.append(slab((0.46, 0.76, 0.06), palette.STEEL, bevel=0.02))
        parts.append(box((0.12, width, height - 0.05), palette.CHARCOAL, (0, 0, 0.05), bevel=0.03))
        parts.append(box((0.01, width - 0.1, height - 0.75), glow, (0.06, 0, 0.55)))
        parts += _picture(0.066, width - 0.1, height - 0.75, 0.55, glow, draw)
        return solid("screen", parts, [block((0.3, width, height))])
    width, height = 1.5, draw.size("height_m", 1.2, 1.35)
    wood = draw.pick(palette.TIMBER)
    parts.append(slab((0.40, width + 0.1, 0.34), wood, (0, 0, 0.08), bevel=0.015))
    parts += [
        slab((0.02, width / 2 - 0.03, 0.26), lighter(wood, 0.12), (0.20, s * (width / 4 + 0.01), 0.12), bevel=0.006)
        for s in (-1, 1)
    ]
    parts += [box((0.3, 0.04, 0.09), palette.CHARCOAL, (0, s * width * 0.44, 0)) for s in (-1, 1)]
    parts += [
        slab((0.2, 0.42, 0.02), palette.CHARCOAL, (0, 0, 0.42), bevel=0.006),
        box((0.04, 0.1, 0.1), palette.CHARCOAL, (-0.02, 0, 0.43)),
    ]
    parts.append(slab((0.05, 1.28, height - 0.5), palette.CHARCOAL, (0, 0, 0.5), bevel=0.012))
    parts.append(box((0.01, 1.22, height - 0.57), glow, (0.025, 0, 0.535)))
    parts += _picture(0.031, 1.22, height - 0.57, 0.535, glow, draw)
    return solid("screen", parts, [block((0.42, width + 0.1, height))])


def alarm_button(draw: Draw) -> Asset:
    """A red push button in a case, hung on a wall by its back."""
    case = draw.colour((palette.BRASS, palette.WHITE, palette.STEEL))
    parts = [slab((0.16, 0.16, 0.035), case, bevel=0.012)]
    parts.append(lathe([(0.065, 0.03), (0.06, 0.045)], palette.CHARCOAL, sides=10))
    parts.append(lathe([(0.048, 0.04), (0.048, 0.062), (0.03, 0.075), (0, 0.078)], palette.CARS[0], sides=10))
    return solid("alarm_button", [Mesh.merged(parts).pitched(pi / 2)], [])


def radio(draw: Draw) -> Asset:
    """A table radio with a grille, a dial, two knobs and an aerial."""
    tint, wood = draw.colour(palette.ACCENTS), draw.pick(palette.TIMBER)
    parts = [box((0.15, 0.34, 0.20), wood if draw.variant % 2 else tint, (0, 0, 0.015), bevel=0.025)]
    parts.append(box((0.01, 0.18, 0.13), palette.PAPER, (0.075, -0.055, 0.05)))
    parts += [box((0.012, 0.16, 0.008), palette.CHARCOAL, (0.077, -0.055, 0.065 + 0.022 * i)) for i in range(5)]
    dial = cylinder(0.04, 0.012, palette.GLOW, sides=10).pitched(pi / 2)
    parts.append(dial.moved(0.073, 0.10, 0.145))
    parts += [
        cylinder(0.018, 0.02, palette.BRASS, sides=6).pitched(pi / 2).moved(0.073, y, 0.065) for y in (0.075, 0.125)
    ]
    parts += [box((0.1, 0.03, 0.02), palette.CHARCOAL, (0, s * 0.12, 0)) for s in (-1, 1)]
    parts.append(bar((-0.05, 0.13, 0.2), (-0.08, 0.22, 0.46), 0.005, palette.STEEL, sides=3))
    handle = [(0.0, -0.12, 0.20), (0.0, -0.11, 0.245), (0.0, 0.08, 0.245), (0.0, 0.09, 0.20)]
    parts.append(tube(handle, 0.01, palette.CHARCOAL, sides=4))
    return solid("radio", parts, [])


def painting(draw: Draw) -> Asset:
    """A framed landscape: sky, sun, hills and water; hung on a wall by its back."""
    width, height = draw.size("width_m", 0.7, 1.2), draw.size("height_m", 0.55, 0.85)
    frame = draw.colour((palette.BRASS, *palette.WALNUT, palette.CHARCOAL, palette.WHITE))
    sky = draw.pick((palette.rgb("#bcdbe6"), palette.rgb("#f0c99a"), palette.rgb("#d9b7c4"), palette.rgb("#8fb4cf")))
    inner_w, inner_h = width - 0.12, height - 0.12
    parts = [slab((height, width, 0.04), frame, bevel=0.02), box((inner_h, inner_w, 0.004), sky, (0, 0, 0.038))]
    sun = draw.between(-0.25, 0.25) * inner_w
    parts.append(cylinder(0.11 * inner_h, 0.003, palette.GLOW, (-0.2 * inner_h, sun, 0.042), sides=8))
    base = inner_h / 2
    tones = (palette.ACCENTS[3], palette.LEAVES[2], palette.LEAVES[0])
    for index, tone in enumerate(tones):
        crest = base - inner_h * (0.52 - 0.17 * index)
        knots = [-0.5, -0.25, 0.0, 0.25, 0.5]
        line = [(crest + draw.between(-0.07, 0.07) * inner_h, knot * inner_w) for knot in knots]
        parts.append(
            prism(
                [(base, -inner_w / 2), *line, (base, inner_w / 2)][::-1],
                0.002 * (index + 1) + 0.003,
                lighter(tone, 0.3 - 0.12 * index),
                base=0.042,
            )
        )
    lake = [
        (base, -inner_w * 0.2),
        (base - 0.1 * inner_h, -inner_w * 0.06),
        (base - 0.1 * inner_h, inner_w * 0.2),
        (base, inner_w * 0.34),
    ]
    parts.append(prism(lake[::-1], 0.012, palette.WATER, base=0.042))
    return solid("painting", [Mesh.merged(parts).pitched(pi / 2)], [])


def _panel(depth: float, width: float, height: float, colour: RGB) -> Mesh:
    """Returns a door whose outer edges are chamfered; its back is on x = 0."""
    return slab((height, width, depth), colour, bevel=0.035).pitched(pi / 2).moved(z=height / 2)


def _basin(half_x: float, half_y: float, deep: float) -> Mesh:
    """Returns the inside of a steel basin, `deep` metres below its rim, as an open shell seen from above."""
    rim = [(-half_x, -half_y), (half_x, -half_y), (half_x, half_y), (-half_x, half_y)]
    top = [(x, y, deep) for x, y in rim]
    low = [(x * 0.86, y * 0.88, 0.02) for x, y in rim]
    shade = darker(palette.STEEL, 0.12)
    return Mesh.merged([loft([top, low], [shade], closed=False), Mesh.of(low, [[0, 1, 2], [0, 2, 3]], palette.STEEL)])


def _picture(x: float, width: float, height: float, low: float, glow: RGB, draw: Draw) -> list[Mesh]:
    """Returns what a display shows: a headline, a chart and lines of text."""
    bright, pale = palette.WHITE, lighter(glow, 0.45)
    parts = [box((0.004, width * 0.7, height * 0.07), bright, (x, 0, low + height * 0.84))]
    for index in range(4):
        tall = height * draw.between(0.12, 0.4)
        parts.append(
            box(
                (0.004, width * 0.11, tall),
                (pale, palette.GLOW)[index % 2],
                (x, (index - 1.5) * width * 0.18, low + height * 0.34),
            )
        )
    parts += [
        box((0.004, width * share, height * 0.035), pale, (x, -width * (0.7 - share) / 2, low + height * at))
        for share, at in ((0.7, 0.22), (0.55, 0.14), (0.64, 0.06))
    ]
    return parts


RECIPES: Final = (
    Recipe(
        "floor_lamp",
        floor_lamp,
        {
            "height_m": (1.0, 2.2),
            "width_m": (0.2, 0.7),
            "shade_m": (0.12, 0.5),
            "legs": _LAMP_LEGS,
            "colour": None,
        },
    ),
    Recipe(
        "fridge",
        fridge,
        {
            "width_m": (0.5, 1.0),
            "depth_m": (0.5, 0.85),
            "height_m": (0.8, 2.2),
            "split": (0.3, 0.8),
            "colour": None,
        },
    ),
    Recipe("stove", stove, {"width_m": (0.5, 1.0), "colour": None}),
    Recipe("sink", sink, {"width_m": (0.7, 2.0), "colour": None}),
    Recipe("screen", screen, {"height_m": (1.0, 2.4), "style": _SCREENS, "colour": None}),
    Recipe("alarm_button", alarm_button, {"colour": None}, variants=3),
    Recipe("radio", radio, {"colour": None}),
    Recipe("painting", painting, {"width_m": (0.3, 3.0), "height_m": (0.3, 2.0), "colour": None}),
)
