"""What stands in streets, squares and parks."""

from __future__ import annotations

from math import cos, pi, sin
from typing import Final

import numpy as np

from ecumene_world.assets import palette
from ecumene_world.assets.asset import Asset, Collider, Seat
from ecumene_world.assets.clips import clips
from ecumene_world.assets.humanoid import humanoid_mesh
from ecumene_world.assets.mesh import RGB, Mesh
from ecumene_world.assets.palette import darker, graded, lighter
from ecumene_world.assets.recipe import Draw, Recipe, block, post, solid
from ecumene_world.assets.solids import (
    bar,
    box,
    circle,
    cylinder,
    lathe,
    pillow,
    plate,
    slab,
    sphere,
    tube,
    upright,
)

_BENCHES: Final = ("iron", "plank", "stone")
_LAMPS: Final = ("lantern", "arc", "globe")
_FENCES: Final = ("picket", "iron", "rail")


def bench(draw: Draw) -> Asset:
    """A bench that faces +x: slats on cast iron, a plain plank bench with back, or timber on stone blocks."""
    width = draw.size("width_m", 1.6, 1.95)
    style = draw.word("style", _BENCHES)
    wood = draw.colour(palette.TIMBER)
    parts: list[Mesh] = []
    if style == "stone":
        stone = draw.pick(palette.STONE)
        parts += [slab((0.42, 0.22, 0.38), stone, (0, side * width * 0.36, 0), bevel=0.03) for side in (-1, 1)]
        parts += [slab((0.15, width, 0.06), wood, (x, 0, 0.38), bevel=0.015) for x in (-0.165, 0.0, 0.165)]
    else:
        frame = draw.pick(palette.IRON) if style == "iron" else darker(wood, 0.3)
        thick = 0.05 if style == "iron" else 0.08
        parts += [_bench_frame(frame, thick).moved(y=side * (width / 2 - 0.16)) for side in (-1, 1)]
        rails = (-0.13, 0.0, 0.13) if style == "iron" else (-0.10, 0.10)
        depth = 0.105 if style == "iron" else 0.185
        parts += [box((depth, width, 0.035), wood, (x + 0.03, 0, 0.42)) for x in rails]
        heights = (0.60, 0.82)
        tall = 0.12 if style == "iron" else 0.14
        for z in heights:
            plank = box((0.032, width, tall), lighter(wood, 0.05), (0, 0, -tall / 2)).pitched(-0.2)
            parts.append(plank.moved(x=-0.145 - (z - 0.45) * 0.2, z=z))
    places = max(1, int(width / 0.6))
    seats = [Seat((0.04, (i - (places - 1) / 2) * width / places, 0.45)) for i in range(places)]
    return solid("bench", parts, [block((0.55, width, 0.45), (-0.02, 0, 0))], seats)


def street_lamp(draw: Draw) -> Asset:
    """A lamp: a lantern on a turned post, a curved arm, or one globe or three."""
    height = draw.size("height_m", 3.4, 4.2)
    style = draw.word("style", _LAMPS)
    iron = draw.colour(palette.IRON)
    foot = [(0.16, 0), (0.16, 0.12), (0.10, 0.20), (0.10, 0.55), (0.055, 0.66)]
    if style == "arc":
        parts = [lathe([(0.13, 0), (0.13, 0.5), (0.07, 0.58), (0.05, height - 0.6)], iron, sides=6)]
        bend = np.linspace(0, pi * 0.62, 5)
        arm = [(0.75 - 0.75 * cos(a) if a else 0.0, 0.0, height - 0.62 + 0.62 * sin(a)) for a in bend]
        parts.append(tube(arm, (0.05, 0.045, 0.04, 0.035, 0.03), iron, sides=5))
        x, _, z = arm[-1]
        parts.append(
            lathe(
                [(0.0, -0.02), (0.13, 0.0), (0.19, 0.0), (0.05, 0.13)],
                [palette.GLOW, iron, iron],
                (x, 0, z - 0.08),
                sides=6,
            )
        )
    elif style == "globe":
        parts = [lathe([*foot, (0.04, height - 0.5), (0.09, height - 0.46), (0.09, height - 0.42)], iron, sides=6)]
        ball = [(0.08, -0.19), (0.18, -0.09), (0.18, 0.09), (0.08, 0.19)]
        parts.append(lathe(ball, palette.GLOW, (0, 0, height - 0.23), sides=6))
    else:
        parts = [lathe([*foot, (0.04, height - 0.66), (0.10, height - 0.60)], iron, sides=6)]
        glass = [(0.10, 0), (0.17, 0.38), (0.21, 0.38), (0.06, 0.56), (0.0, 0.64)]
        parts.append(lathe(glass, [palette.GLOW, iron, iron, iron], (0, 0, height - 0.62), sides=6))
    return solid("street_lamp", parts, [post(0.16, height)])


def bin_(draw: Draw) -> Asset:
    """A litter bin with a hood, or an open one with a rim."""
    height = draw.size("height_m", 0.85, 1.0)
    tint = draw.colour((*palette.IRON, palette.SHUTTERS[0], palette.SHUTTERS[2]))
    radius = 0.24
    body = height * (0.72 if draw.variant % 2 else 0.92)
    profile = [(radius * 0.82, 0), (radius * 0.82, 0.05), (radius * 0.92, 0.05), (radius, body)]
    parts = [lathe([*profile, (radius * 1.08, body), (radius * 1.08, body + 0.05)], tint, sides=8)]
    if draw.variant % 2:
        parts += [bar((0, s * radius * 0.9, body), (0, s * radius * 0.9, height - 0.08), 0.025, tint) for s in (-1, 1)]
        cap = [(radius * 1.1, 0), (radius * 1.1, 0.04), (radius * 0.4, 0.12), (0, 0.13)]
        parts.append(lathe(cap, lighter(tint, 0.12), (0, 0, height - 0.13), sides=8))
    parts.append(lathe([(radius * 0.95, 0), (0, 0.005)], palette.CHARCOAL, (0, 0, body + 0.051), sides=8))
    band = cylinder(radius * 1.005, 0.05, palette.BRASS, (0, 0, body * 0.68), sides=8)
    return solid("bin", [*parts, band], [post(radius, height)])


def signpost(draw: Draw) -> Asset:
    """A post with two or three arrow boards that point different ways."""
    height = draw.size("height_m", 2.5, 3.0)
    wood = draw.colour(palette.WALNUT)
    parts = [
        lathe(
            [(0.13, 0), (0.13, 0.14), (0.06, 0.2), (0.05, height - 0.1), (0.09, height - 0.08), (0, height)],
            wood,
            sides=6,
        )
    ]
    boards = 2 + draw.variant % 2
    for index in range(boards):
        long, tall = draw.between(0.72, 0.95), 0.19
        tint = palette.ACCENTS[(draw.variant + index) % len(palette.ACCENTS)] if draw.variant % 2 else palette.TRIM
        outline = [(0, 0), (long - 0.13, 0), (long, tall / 2), (long - 0.13, tall), (0, tall)]
        arrow = Mesh.merged(
            [upright(outline, 0.04, tint), upright(_framed(outline, 0.035), 0.05, lighter(tint, 0.35)).moved(x=0.0)]
        )
        yaw = (0.0, pi * 0.92, pi / 2 + 0.3, -pi / 2)[index] + draw.between(-0.15, 0.15)
        parts.append(arrow.moved(x=-0.12).turned(yaw).moved(z=height - 0.42 - index * 0.25))
    return solid("signpost", parts, [post(0.14, height)])


def market_stall(draw: Draw) -> Asset:
    """A stall that sells towards +x: striped awning, trestle and crates of produce."""
    width, depth = draw.size("width_m", 2.3, 2.8), 1.5
    tint = draw.colour(palette.ACCENTS)
    wood = draw.pick(palette.OAK)
    front, back = 2.05, 2.5
    parts = []
    for x, top in ((depth / 2 - 0.05, front + 0.03), (-depth / 2 + 0.05, back - 0.1)):
        parts += [box((0.07, 0.07, top), darker(wood, 0.3), (x, s * (width / 2 - 0.06), 0)) for s in (-1, 1)]
    parts += _awning(width + 0.3, depth + 0.55, front, back, tint)
    parts.append(slab((0.8, width - 0.2, 0.06), wood, (0.15, 0, 0.82), bevel=0.02))
    parts.append(box((0.05, width - 0.24, 0.62), lighter(tint, 0.1), (0.50, 0, 0.20)))
    crates = max(2, int((width - 0.3) / 0.62))
    for index in range(crates):
        y = (index - (crates - 1) / 2) * (width - 0.25) / crates
        parts += _crate(
            0.5, (width - 0.25) / crates - 0.08, palette.PETALS[(draw.variant + index) % 5], wood, draw, (0.2, y, 0.88)
        )
    return solid("market_stall", parts, [block((1.0, width, 1.0), (0.1, 0, 0)), *_posts(depth, width, back)])


def fountain(draw: Draw) -> Asset:
    """A round basin with a bowl on a column; water stands in both and falls between them."""
    radius = draw.size("radius_m", 1.7, 2.4)
    stone = draw.colour(palette.STONE)
    sides = 12
    wall, deep = 0.22, 0.52
    basin = [(radius * 1.04, 0), (radius * 1.04, 0.12), (radius * 0.96, 0.18), (radius * 0.96, deep - 0.1)]
    basin += [
        (radius * 1.02, deep - 0.08),
        (radius * 1.02, deep),
        (radius - wall, deep),
        (radius - wall, 0.34),
        (0, 0.36),
    ]
    bands = [
        darker(stone, 0.12),
        stone,
        darker(stone, 0.06),
        stone,
        lighter(stone, 0.06),
        lighter(stone, 0.14),
        stone,
        palette.WATER,
    ]
    parts = [lathe(basin, bands, sides=sides)]
    bowl, top = radius * 0.46, 1.45 + 0.1 * radius
    column = [(0.34, 0.3), (0.34, 0.5), (0.2, 0.6), (0.16, top - 0.28), (bowl, top - 0.04), (bowl, top)]
    column += [(bowl - 0.1, top), (bowl - 0.12, top - 0.05), (0, top - 0.04)]
    paint = [stone, stone, lighter(stone, 0.05), stone, stone, lighter(stone, 0.12), stone, palette.WATER_LIGHT]
    parts.append(lathe(column, paint, sides=8))
    parts.append(lathe([(0.1, top - 0.06), (0.06, top + 0.3), (0.15, top + 0.36), (0, top + 0.5)], stone, sides=6))
    for index in range(6):
        angle = (index + 0.5) * pi / 3
        out, far = bowl - 0.03, bowl + 0.42
        arc = [(out, 0, top + 0.01), (out + 0.20, 0, top - 0.12), (far, 0, 0.35)]
        parts.append(tube(arc, (0.05, 0.045, 0.07), palette.WATER_LIGHT, sides=3).turned(angle))
    return solid(
        "fountain", parts, [post(radius * 1.04, deep), Collider("cylinder", (0, 0, top / 2), (bowl * 2, bowl * 2, top))]
    )


def statue(draw: Draw) -> Asset:
    """A figure of bronze, larger than life, that greets, strides or stands on a plinth of stone."""
    height = draw.size("height_m", 3.2, 4.0)
    bronze, stone = draw.colour(palette.BRONZE), draw.pick(palette.STONE)
    foot, body = 0.12 * height, 0.46 * height
    wide = 0.30 * height
    parts = [slab((wide * 1.35, wide * 1.35, foot * 0.5), darker(stone, 0.12), bevel=0.06)]
    parts.append(slab((wide * 1.15, wide * 1.15, foot * 0.5), stone, (0, 0, foot * 0.5), bevel=0.06))
    parts.append(box((wide * 0.9, wide * 0.9, body - foot - 0.12), lighter(stone, 0.06), (0, 0, foot), taper=0.92))
    parts.append(slab((wide * 1.04, wide * 1.04, 0.12), stone, (0, 0, body - 0.12), bevel=0.05))
    parts.append(box((0.03, wide * 0.5, wide * 0.28), palette.BRASS, (wide * 0.44, 0, foot + (body - foot) * 0.38)))
    clip, moment = (("wave", 2), ("walk", 11), ("idle", 0))[draw.variant % 3]
    pose = next(c for c in clips() if c.name == clip).poses[moment]
    figure = humanoid_mesh(draw.variant, pose)
    figure = figure.scaled((height - body) / float(figure.bounds[1, 2]))
    figure = graded(figure, darker(bronze, 0.22), lighter(bronze, 0.14))
    parts.append(figure.moved(z=body - float(figure.bounds[0, 2])))
    return solid("statue", parts, [block((wide * 1.35, wide * 1.35, body))])


def bollard(draw: Draw) -> Asset:
    """A knee-high post of iron with a brass ring, or of stone."""
    height = draw.size("height_m", 0.8, 1.0)
    if draw.variant % 3 == 2:
        stone = draw.colour(palette.STONE)
        profile, tint = [(0.17, 0), (0.14, height * 0.85), (0.09, height)], [stone, lighter(stone, 0.1)]
    else:
        iron = draw.colour(palette.IRON)
        profile = [
            (0.13, 0),
            (0.13, 0.1),
            (0.085, 0.14),
            (0.07, height * 0.72),
            (0.075, height * 0.80),
            (0.11, height * 0.9),
            (0, height),
        ]
        tint = [iron, iron, iron, palette.BRASS, iron, lighter(iron, 0.08)]
    return solid("bollard", [lathe(profile, tint, sides=8)], [post(0.13, height)])


def fence(draw: Draw) -> Asset:
    """A fence along x: white pickets, iron railings or timber rails."""
    length, style = draw.size("length_m", 1.9, 2.3), draw.word("style", _FENCES)
    height = draw.size("height_m", 0.95, 1.15)
    parts: list[Mesh] = []
    ends = (-length / 2 + 0.05, length / 2 - 0.05)
    if style == "picket":
        tint = draw.colour(palette.PAINTED)
        parts += [box((length, 0.035, 0.08), darker(tint, 0.08), (0, -0.03, z * height)) for z in (0.25, 0.7)]
        parts += [slab((0.08, 0.08, height - 0.12), tint, (x, -0.07, 0), bevel=0.02) for x in ends]
        count = min(24, max(2, round(length / 0.17)))
        peak = [(-0.045, 0.05), (0.045, 0.05), (0.045, height - 0.08), (0, height), (-0.045, height - 0.08)]
        for x in np.linspace(-length / 2 + 0.06, length / 2 - 0.06, count):
            parts.append(upright(peak, 0.03, tint).moved(x=float(x)))
    elif style == "iron":
        tint = draw.colour(palette.IRON)
        parts += [box((length, 0.04, 0.04), tint, (0, 0, z * height)) for z in (0.12, 0.82)]
        count = min(24, max(2, round(length / 0.16)))
        for x in np.linspace(-length / 2 + 0.14, length / 2 - 0.14, count):
            spear = [(0.014, 0.04), (0.014, height - 0.1), (0.03, height - 0.09), (0, height)]
            parts.append(lathe(spear, tint, (float(x), 0, 0), sides=4))
        caps = [(0.05, 0), (0.05, height - 0.02), (0.07, height), (0, height + 0.09)]
        parts += [lathe(caps, tint, (x, 0, 0), sides=6) for x in ends]
    else:
        tint = draw.colour(palette.WALNUT)
        middle = [] if length < 2.6 else [float(x) for x in np.linspace(*ends, max(2, round(length / 2) + 1))[1:-1]]
        parts += [slab((0.12, 0.12, height), tint, (x, 0, 0), bevel=0.03) for x in [*ends, *middle]]
        for z in (0.22, 0.52, 0.82):
            rail = box((length, 0.05, 0.12), lighter(tint, 0.08), (0, 0, z * height - 0.04))
            parts.append(rail.pitched(draw.between(-0.008, 0.008)))
    return solid("fence", parts, [block((length, 0.12, height))])


def bus_stop(draw: Draw) -> Asset:
    """A shelter open towards +x: roof, glass back and side, a bench inside and a stop sign."""
    width, depth, height = draw.size("width_m", 2.8, 3.4), 1.4, 2.45
    frame, tint = draw.pick(palette.IRON), draw.colour(palette.ACCENTS)
    back = -depth / 2
    parts = [box((0.07, 0.07, height), frame, (back, s * width / 2, 0)) for s in (-1, 1)]
    parts += [box((0.07, 0.07, height - 0.05), frame, (depth / 2 - 0.15, s * width / 2, 0)) for s in (-1, 1)]
    roof = plate(
        [
            (back - 0.2, -width / 2 - 0.2),
            (depth / 2 + 0.2, -width / 2 - 0.2),
            (depth / 2 + 0.2, width / 2 + 0.2),
            (back - 0.2, width / 2 + 0.2),
        ],
        0.14,
        tint,
        base=height,
        bevel=0.08,
    )
    parts.append(roof)
    panes = 3
    for index in range(panes):
        y = (index - (panes - 1) / 2) * width / panes
        parts.append(box((0.03, width / panes - 0.1, height - 0.5), palette.GLASS_LIT, (back, y, 0.3)))
    parts.append(box((depth * 0.5, 0.03, height - 0.5), palette.GLASS_LIT, (back + depth * 0.32, -width / 2, 0.3)))
    parts.append(box((0.34, width * 0.66, 0.05), palette.OAK[0], (back + 0.32, 0, 0.44)))
    parts += [box((0.28, 0.06, 0.44), frame, (back + 0.32, s * width * 0.26, 0)) for s in (-1, 1)]
    parts.append(box((0.03, 0.7, 1.0), palette.PAPER, (back + 0.03, -width / 3, 0.95)))
    pole = width / 2 + 0.55
    parts.append(cylinder(0.04, 2.7, frame, (depth / 2 - 0.2, pole, 0), sides=6))
    disc = cylinder(0.26, 0.05, palette.BRASS, (0, 0, -0.025), sides=10).pitched(pi / 2)
    inner = cylinder(0.18, 0.07, darker(tint, 0.1), (0, 0, -0.035), sides=10).pitched(pi / 2)
    parts += [disc.moved(depth / 2 - 0.2, pole, 2.6), inner.moved(depth / 2 - 0.2, pole, 2.6)]
    places = [Seat((back + 0.36, y * width * 0.2, 0.49)) for y in (-1, 0, 1)]
    walls = [block((0.1, width, height), (back, 0, 0)), block((depth * 0.75, 0.1, height), (-0.1, -width / 2, 0))]
    walls += [block((0.36, width * 0.66, 0.5), (back + 0.32, 0, 0)), post(0.06, 2.7, (depth / 2 - 0.2, pole))]
    walls.append(block((0.1, 0.1, height), (depth / 2 - 0.15, width / 2, 0)))
    return solid("bus_stop", parts, walls, places)


def post_box(draw: Draw) -> Asset:
    """A letter box with a rounded lid on a foot; its slot faces +x."""
    height = draw.size("height_m", 1.25, 1.45)
    tint = draw.colour(
        (palette.BRASS, palette.CARS[0], palette.ACCENTS[3], palette.rgb("#e0b23c"), palette.SHUTTERS[0])
    )
    wide, deep = 0.46, 0.36
    foot = height * 0.42
    parts = [lathe([(0.16, 0), (0.16, 0.06), (0.06, 0.1), (0.06, foot)], palette.IRON[0], sides=6)]
    arch = [(wide / 2 * cos(a), (height - wide * 0.4) + wide * 0.4 * sin(a)) for a in np.linspace(0, pi, 7)]
    outline = [(-wide / 2, foot), (wide / 2, foot), *arch]
    parts.append(upright(outline, deep, tint).turned(pi / 2))
    face = deep / 2
    parts.append(box((0.05, wide * 0.84, 0.07), darker(tint, 0.2), (face, 0, height - 0.36)))
    parts.append(box((0.052, wide * 0.6, 0.025), palette.CHARCOAL, (face + 0.002, 0, height - 0.345)))
    parts.append(box((0.02, wide * 0.5, 0.22), palette.PAPER, (face, 0, foot + 0.1)))
    return solid("post_box", parts, [block((deep, wide, height))])


def kiosk(draw: Draw) -> Asset:
    """An eight-sided pavilion with a serving hatch towards +x and a tent roof."""
    radius, height = draw.size("radius_m", 1.25, 1.55), 2.5
    tint, roof = draw.colour(palette.SHUTTERS), draw.pick((*palette.TERRACOTTA, *palette.SLATE, palette.BRONZE[0]))
    sides = 8
    parts = [
        lathe(
            [(radius * 1.06, 0), (radius * 1.06, 0.18), (radius, 0.2), (radius, 0.95)],
            [palette.PLINTH[0], palette.PLINTH[0], tint],
            sides=sides,
        )
    ]
    parts.append(
        lathe(
            [(radius * 1.03, 0.93), (radius * 1.03, 1.0), (radius * 0.96, 1.0), (radius * 0.96, 2.1)],
            [palette.TRIM, palette.TRIM, palette.GLASS],
            sides=sides,
        )
    )
    parts.append(lathe([(radius * 1.0, 2.08), (radius * 1.02, height)], lighter(tint, 0.15), sides=sides))
    parts += [box((0.1, 0.1, 1.1), palette.TRIM, (float(x), float(y), 1.0)) for x, y in circle(radius, sides)]
    eaves = [
        (radius * 1.34, height - 0.06),
        (radius * 1.34, height + 0.04),
        (radius * 0.62, height + 0.62),
        (0.12, height + 1.0),
        (0.12, height + 1.06),
        (0.0, height + 1.42),
    ]
    parts.append(lathe(eaves, [palette.TRIM, roof, lighter(roof, 0.06), palette.BRASS, palette.BRASS], sides=sides))
    apothem = radius * cos(pi / sides)
    parts.append(slab((0.42, radius * 0.95, 0.06), palette.OAK[0], (apothem + 0.12, 0, 0.98), bevel=0.02))
    parts.append(box((0.06, radius * 0.7, 0.9), darker(palette.GLASS, 0.45), (apothem - 0.04, 0, 1.04)))
    papers = draw.pick(palette.ACCENTS)
    parts += [
        box((0.03, 0.26, 0.34), tone, (apothem + 0.02, y, 0.5))
        for y, tone in ((-0.3, palette.PAPER), (0.02, papers), (0.32, palette.PAPER))
    ]
    return solid("kiosk", parts, [post(radius * 1.2, height)])


def parasol_table(draw: Draw) -> Asset:
    """A round café table under a two-tone parasol."""
    tint = draw.colour(palette.ACCENTS)
    reach, height = draw.size("radius_m", 1.15, 1.45), 2.35
    iron = draw.pick(palette.IRON)
    parts = [lathe([(0.3, 0), (0.3, 0.05), (0.05, 0.09), (0.035, 0.70)], iron, sides=6)]
    parts.append(lathe([(0.40, 0.70), (0.43, 0.72), (0.43, 0.745), (0.40, 0.76)], palette.TRIM, sides=10))
    parts.append(cylinder(0.024, height - 0.76, palette.OAK[0], (0, 0, 0.75), sides=5))
    sides = 8
    ring = circle(1.0, sides)
    rim = np.column_stack([ring * reach, np.full(sides, height - 0.42)])
    hem = np.column_stack([ring * reach, np.full(sides, height - 0.56)])
    top = np.array([0.0, 0.0, height])
    under = np.array([0.0, 0.0, height - 0.10])
    for i in range(sides):
        j = (i + 1) % sides
        tone = tint if i % 2 else palette.TRIM
        cloth = [rim[i], rim[j], hem[i], hem[j], top, under]
        faces = [[0, 1, 4], [2, 1, 0], [2, 3, 1], [1, 3, 2], [0, 1, 2], [1, 0, 5]]
        parts.append(Mesh.of(cloth, [*faces[:3], *faces[3:4], faces[5]], tone))
    parts.append(sphere(0.05, palette.BRASS, (0, 0, height + 0.03), detail=0))
    return solid("parasol_table", parts, [post(0.43, 0.76)])


def notice_board(draw: Draw) -> Asset:
    """A board on two posts under a small roof; its notices face +x."""
    width, height = draw.size("width_m", 1.3, 1.7), draw.size("height_m", 2.0, 2.3)
    wood, roof = draw.colour(palette.WALNUT), draw.pick(palette.TERRACOTTA)
    parts = [slab((0.11, 0.11, height - 0.1), wood, (0, s * width / 2, 0), bevel=0.02) for s in (-1, 1)]
    low, high = height * 0.40, height - 0.28
    parts.append(box((0.06, width, high - low), lighter(wood, 0.18), (0, 0, low)))
    parts.append(box((0.075, width - 0.14, high - low - 0.14), palette.OAK[2], (0, 0, low + 0.07)))
    columns = max(2, int(width / 0.42))
    tones = (palette.PAPER, palette.WHITE, *palette.ACCENTS)
    for index in range(columns):
        y = (index - (columns - 1) / 2) * (width - 0.2) / columns
        tall = draw.between(0.30, 0.5) * (high - low)
        sheet = box((0.012, (width - 0.2) / columns - 0.1, tall), draw.pick(tones), (0, 0, -tall / 2))
        parts.append(
            sheet.rolled(draw.between(-0.05, 0.05)).moved(0.04, y, (low + high) / 2 + draw.between(-0.08, 0.08))
        )
    eave = upright([(-0.30, 0), (-0.30, -0.04), (0, 0.12), (0.30, -0.04), (0.30, 0), (0, 0.18)], width + 0.42, roof)
    parts.append(eave.moved(z=height - 0.18))
    return solid("notice_board", parts, [block((0.16, width + 0.12, height))])


def bell_post(draw: Draw) -> Asset:
    """A post with an arm that carries a bell and its rope towards +x."""
    height = draw.size("height_m", 2.3, 2.6)
    wood, metal = draw.colour(palette.TIMBER), draw.pick((palette.BRASS, palette.BRONZE[1]))
    parts = [slab((0.36, 0.36, 0.16), draw.pick(palette.STONE), bevel=0.05)]
    parts.append(slab((0.15, 0.15, height - 0.16), wood, (0, 0, 0.16), bevel=0.05))
    parts.append(slab((0.75, 0.11, 0.11), lighter(wood, 0.06), (0.27, 0, height - 0.26), bevel=0.03))
    parts.append(bar((0.06, 0, height - 0.62), (0.36, 0, height - 0.22), 0.045, wood))
    hang = height - 0.28
    bell = [(0.15, -0.30), (0.165, -0.29), (0.10, -0.16), (0.085, -0.07), (0.0, 0.0)]
    parts.append(lathe(bell, [darker(metal, 0.3), metal, lighter(metal, 0.1), metal], (0.48, 0, hang), sides=8))
    parts.append(sphere(0.04, darker(metal, 0.35), (0.48, 0, hang - 0.33), detail=0))
    parts.append(bar((0.48, 0, hang - 0.8), (0.48, 0, hang - 0.34), 0.012, palette.PAPER, sides=3))
    parts.append(pillow((0.06, 0.06, 0.1), draw.pick(palette.ACCENTS), (0.48, 0, hang - 0.88), bevel=0.02))
    return solid("bell_post", parts, [post(0.18, height), post(0.17, height, (0.48, 0.0))])


def _bench_frame(colour: RGB, thick: float) -> Mesh:
    """Returns one end of a bench seen from the side: two legs, the seat's bearer and the support of the back."""
    front, back = 0.24, -0.22
    side = [
        (front - 0.09, 0),
        (front, 0),
        (front - 0.02, 0.36),
        (front, 0.42),
        (back + 0.10, 0.42),
        (back - 0.07, 0.92),
    ]
    side += [
        (back - 0.12, 0.92),
        (back + 0.03, 0.38),
        (back - 0.02, 0),
        (back + 0.07, 0),
        (back + 0.12, 0.34),
        (front - 0.09, 0.34),
    ]
    return upright(side, thick, colour)


def _framed(outline: list[tuple[float, float]], margin: float) -> list[tuple[float, float]]:
    """Returns an outline shrunk towards its middle so that a border of about `margin` is left."""
    points = np.array(outline)
    low, high = points.min(0), points.max(0)
    share = 1 - 2 * margin / (high - low)
    return [(float(x), float(z)) for x, z in (points - (low + high) / 2) * share + (low + high) / 2]


def _awning(width: float, depth: float, front: float, back: float, tint: RGB) -> list[Mesh]:
    """Returns a sloping cloth of stripes, each with a pointed hem in front."""
    stripes = 8
    wide = width / stripes
    x0, x1 = -depth / 2 + 0.12, depth / 2 + 0.12
    parts = []
    for index in range(stripes):
        y = -width / 2 + index * wide
        tone = tint if index % 2 else palette.TRIM
        roof = [(x0, y, back), (x1, y, front), (x1, y + wide, front), (x0, y + wide, back)]
        under = [(x, b, z - 0.03) for x, b, z in roof]
        hem = [(x1, y + wide / 2, front - 0.24)]
        faces = [[0, 1, 2], [0, 2, 3], [6, 5, 4], [7, 6, 4], [1, 8, 2], [2, 8, 1]]
        parts.append(Mesh.of([*roof, *under, *hem], faces, tone))
    return parts


def _crate(deep: float, wide: float, fruit: RGB, wood: RGB, draw: Draw, at: tuple[float, float, float]) -> list[Mesh]:
    """Returns a tilted crate with eight fruits."""
    parts = [
        box((deep, wide, 0.14), lighter(wood, 0.12)),
        box((deep - 0.05, wide - 0.05, 0.02), darker(wood, 0.4), (0, 0, 0.13)),
    ]
    for row in range(2):
        for column in range(3):
            x = (row - 0.5) * deep * 0.42
            y = (column - 1) * wide * 0.28
            parts.append(
                sphere(0.085, lighter(fruit, draw.between(0, 0.15)), (x, y, 0.17), detail=0).turned(draw.between(0, 3))
            )
    return [Mesh.merged(parts).pitched(0.16).moved(at[0], at[1], at[2] + 0.05)]


def _posts(depth: float, width: float, height: float) -> list[Collider]:
    """Returns the two rear posts of a stall as solids."""
    return [post(0.06, height, (-depth / 2 + 0.05, s * (width / 2 - 0.06))) for s in (-1, 1)]


RECIPES: Final = (
    Recipe("bench", bench, {"width_m": (0.8, 4.0), "style": _BENCHES, "colour": None}),
    Recipe("street_lamp", street_lamp, {"height_m": (2.0, 8.0), "style": _LAMPS, "colour": None}),
    Recipe("bin", bin_, {"height_m": (0.6, 1.4), "colour": None}),
    Recipe("signpost", signpost, {"height_m": (1.8, 4.0), "colour": None}),
    Recipe("market_stall", market_stall, {"width_m": (1.6, 5.0), "colour": None}),
    Recipe("fountain", fountain, {"radius_m": (1.0, 5.0), "colour": None}),
    Recipe("statue", statue, {"height_m": (2.2, 8.0), "colour": None}),
    Recipe("bollard", bollard, {"height_m": (0.5, 1.3), "colour": None}),
    Recipe("fence", fence, {"length_m": (0.5, 12.0), "height_m": (0.5, 2.5), "style": _FENCES, "colour": None}),
    Recipe("bus_stop", bus_stop, {"width_m": (2.0, 6.0), "colour": None}),
    Recipe("post_box", post_box, {"height_m": (1.0, 1.7), "colour": None}),
    Recipe("kiosk", kiosk, {"radius_m": (0.9, 2.5), "colour": None}),
    Recipe("parasol_table", parasol_table, {"radius_m": (0.8, 2.0), "colour": None}),
    Recipe("notice_board", notice_board, {"width_m": (0.8, 3.0), "height_m": (1.6, 3.0), "colour": None}),
    Recipe("bell_post", bell_post, {"height_m": (1.8, 3.2), "colour": None}),
)
