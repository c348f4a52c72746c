"""What buildings are made of, and two buildings of our own design: a house and a tower."""

from __future__ import annotations

from collections.abc import Sequence
from math import pi
from typing import Final

import numpy as np

from ecumene_world.assets import palette
from ecumene_world.assets.asset import Asset
from ecumene_world.assets.buildings import STYLES, building
from ecumene_world.assets.facade import Opening
from ecumene_world.assets.mesh import RGB, Mesh
from ecumene_world.assets.palette import darker, lighter, mixed
from ecumene_world.assets.recipe import Draw, Recipe, block, post, solid
from ecumene_world.assets.roofs import gable_roof
from ecumene_world.assets.solids import box, cylinder, lathe, slab, upright

PLASTER: Final = palette.rgb("#efe6d6")
_TOWERS: Final = ("clock", "keep")
_HOUSE_SEEDS: Final = (2, 21, 3, 28, 9, 12, 62, 15)
"""Seeds of `building` that differ in colour and have no shop window."""


def wall(
    length_m: float,
    height_m: float,
    thickness_m: float,
    openings: Sequence[Opening] = (),
    *,
    colour: RGB = PLASTER,
) -> Mesh:
    """Returns a straight inner wall along x, standing on the origin, with holes for doors and windows.

    Doorways (sill at the floor) get a frame, windows a frame and a pane; the wall's top is darker, which reads well in
    plans and cut-away views.

    Args:
        length_m: Extent along x, centred.
        height_m: Extent along z.
        thickness_m: Extent along y, centred.
        openings: (start, width, sill, head) in metres; start counts from the wall's end at x = -length_m / 2.
        colour: sRGB of the plaster.
    """
    cap = darker(colour, 0.45)
    parts: list[Mesh] = []
    reached = 0.0

    def piece(start: float, width: float, low: float, high: float) -> None:
        if width > 1e-3 and high - low > 1e-3:
            at = (start + width / 2 - length_m / 2, 0.0, low)
            tone = cap if high >= height_m - 1e-3 else lighter(colour, 0.2)
            parts.append(_capped((width, thickness_m, high - low), colour, tone, at))

    for start, width, sill, head in sorted(openings):
        left, right = max(start, reached), min(start + width, length_m)
        low, high = max(sill, 0.0), min(head, height_m)
        if right - left < 1e-3 or high - low < 1e-3:
            continue
        piece(reached, left - reached, 0.0, height_m)
        piece(left, right - left, 0.0, low)
        piece(left, right - left, high, height_m)
        parts += _frame(left - length_m / 2, right - left, low, high, thickness_m)
        reached = right
    piece(reached, length_m - reached, 0.0, height_m)
    return Mesh.merged(parts)


def stairs(draw: Draw) -> Asset:
    """A flight that climbs towards +x, with side strings; it is walked upon, so nothing of it is solid."""
    rise, width = draw.size("height_m", 1.4, 3.0), draw.size("width_m", 1.3, 1.8)
    steps = max(1, round(rise / 0.17))
    length = draw.size("length_m", 0.29 * steps, 0.29 * steps)
    stone = draw.colour((*palette.STONE, *palette.OAK))
    tread, step = length / steps, rise / steps
    outline = [(length / 2, 0.0)]
    for index in range(steps, 0, -1):
        x = -length / 2 + (index - 1) * tread
        outline += [(x + tread, index * step), (x, index * step)]
    outline.append((-length / 2, 0.0))
    body = upright(outline, width - 0.16, stone)
    shades = np.where(
        body.normals[:, 2:] > 0.5,
        lighter(stone, 0.2),
        np.where(np.abs(body.normals[:, :1]) > 0.5, darker(stone, 0.12), stone),
    )
    string = [
        (-length / 2 - 0.06, 0.0),
        (length / 2, 0.0),
        (length / 2, rise + 0.06),
        (length / 2 - tread, rise + 0.06),
        (-length / 2 - 0.06, 0.16),
    ]
    sides = [upright(string, 0.1, darker(stone, 0.25)).moved(y=s * (width / 2 - 0.05)) for s in (-1, 1)]
    return solid("stairs", [body.painted(shades), *sides], [])


def ramp(draw: Draw) -> Asset:
    """A ramp that climbs towards +x between low kerbs; it is walked upon, so nothing of it is solid."""
    rise, width = draw.size("height_m", 0.4, 0.8), draw.size("width_m", 1.4, 2.0)
    length = draw.size("length_m", rise / 0.12, rise / 0.10)
    stone = draw.colour(palette.STONE)
    half = length / 2
    deck = upright([(-half, 0), (half, 0), (half, rise)], width, stone)
    deck = deck.painted(np.where(deck.normals[:, 2:] > 0.5, lighter(stone, 0.12), darker(stone, 0.1)))
    kerb = [(-half, 0), (half, 0), (half, rise + 0.12), (-half, 0.12)]
    sides = [upright(kerb, 0.08, darker(stone, 0.2)).moved(y=s * (width / 2 + 0.04)) for s in (-1, 1)]
    return solid("ramp", [deck, *sides], [])


def wall_piece(draw: Draw) -> Asset:
    """A stretch of inner wall along x without openings; `wall` makes one with them."""
    length, height = draw.size("length_m", 2.0, 4.0), draw.size("height_m", 2.6, 3.0)
    thick = draw.size("thickness_m", 0.15, 0.15)
    tint = draw.colour((PLASTER, *palette.FACADES[:5]))
    skirt = box((length - 0.004, thick + 0.03, 0.1), palette.TRIM)
    return solid("wall", [wall(length, height, thick, colour=tint), skirt], [block((length, thick, height))])


def building_piece(draw: Draw) -> Asset:
    """A building over a rectangle whose door faces +x; `building` makes one over any plan."""
    width, depth = draw.size("width_m", 9.0, 15.0), draw.size("depth_m", 8.0, 11.0)
    height = draw.size("height_m", 8.0, 15.0)
    plan = np.array([[-depth, -width], [depth, -width], [depth, width], [-depth, width]]) / 2
    style = draw.word("style", STYLES)
    mesh = building(plan, height, draw.variant * 5 + 3, style=style, entrances=[(depth / 2, 0.0, 0.0)])
    return solid("building", [mesh], [block((depth, width, height))])


def house(draw: Draw) -> Asset:
    """A family house with a gable, a porch on two posts and flower boxes; its door faces +x."""
    width, depth = draw.size("width_m", 8.5, 10.5), draw.size("depth_m", 6.5, 7.8)
    height = draw.size("height_m", 6.6, 8.0)
    plan = np.array([[-depth, -width], [depth, -width], [depth, width], [-depth, width]]) / 2
    seed = _HOUSE_SEEDS[draw.variant]
    mesh = building(plan, height, seed, style="old_town", entrances=[(depth / 2, 0.0, 0.0)])
    wood, roof = draw.pick(palette.TIMBER), draw.pick(palette.TERRACOTTA)
    front = depth / 2
    porch = [box((0.12, 0.12, 2.35), wood, (front + 1.15, s * 0.95, 0.1)) for s in (-1, 1)]
    porch.append(slab((1.5, 2.4, 0.12), palette.STONE[0], (front + 0.7, 0, 0), bevel=0.03))
    tent = [(front, -1.15), (front + 1.3, -1.15), (front + 1.3, 1.15), (front, 1.15)]
    porch.append(gable_roof(np.array(tent), 2.45, 0.7, roof, palette.TRIM, overhang=0.15))
    for y in (-width * 0.36, width * 0.36):
        porch.append(slab((0.3, 1.2, 0.3), wood, (front + 0.2, y, 0), bevel=0.03))
        tint = palette.PETALS[(draw.variant + (y > 0)) % len(palette.PETALS)]
        for index in range(4):
            bloom = (front + 0.2, y + (index - 1.5) * 0.28, 0.28)
            porch.append(lathe([(0.05, 0), (0.15, 0.12), (0.0, 0.26)], [palette.LEAVES[2], tint], bloom, sides=5))
    solids = [block((depth, width, height)), *(post(0.09, 2.4, (front + 1.15, s * 0.95)) for s in (-1, 1))]
    return solid("house", [mesh, *porch], solids)


def tower(draw: Draw) -> Asset:
    """A tower whose door faces +x: a square clock tower under a spire, or a round keep with battlements."""
    height = draw.size("height_m", 15.0, 21.0)
    style = draw.word("style", _TOWERS)
    return _clock_tower(draw, height) if style == "clock" else _keep(draw, height)


def _clock_tower(draw: Draw, height: float) -> Asset:
    wide = draw.size("width_m", 4.4, 5.4)
    facade = draw.colour(palette.FACADES[:8])
    roof = draw.pick((*palette.TERRACOTTA, palette.BRONZE[0], palette.SLATE[0]))
    body = height * 0.66
    parts = [slab((wide + 0.4, wide + 0.4, 0.9), palette.PLINTH[0], bevel=0.15), box((wide, wide, body), facade)]
    course = slab((wide + 0.24, wide + 0.24, 0.26), palette.TRIM, bevel=0.1)
    parts += [course.moved(z=body * share) for share in (0.42, 0.72)]
    parts.append(slab((wide + 0.6, wide + 0.6, 0.45), palette.TRIM, (0, 0, body - 0.1), bevel=0.2))
    corner = wide / 2 - 0.12
    quoin = box((0.34, 0.34, body - 1.0), lighter(facade, 0.45), (corner * 1.03, corner * 1.03, 0.9))
    parts += [quoin.turned(turn * pi / 2) for turn in range(4)]
    side: list[Mesh] = []
    dial = cylinder(wide * 0.29, 0.12, palette.BRASS, sides=12).pitched(pi / 2).moved(x=wide / 2, z=body * 0.86)
    face = cylinder(wide * 0.25, 0.16, palette.PAPER, sides=12).pitched(pi / 2).moved(x=wide / 2, z=body * 0.86)
    hands = [box((0.02, 0.09, wide * 0.17), palette.CHARCOAL), box((0.02, 0.07, wide * 0.22), palette.CHARCOAL)]
    side += [dial, face]
    for hand, angle in zip(hands, (draw.between(0.3, 1.2), draw.between(-2.0, -0.8)), strict=True):
        side.append(hand.rolled(angle).moved(x=wide / 2 + 0.165, z=body * 0.86))
    side.append(_arch(0.9, 1.9, 0.10, palette.TRIM).moved(wide / 2, 0, body * 0.5))
    side.append(_arch(0.66, 1.66, 0.16, palette.GLASS).moved(wide / 2, 0, body * 0.5 + 0.08))
    parts += [Mesh.merged(side).turned(turn * pi / 2) for turn in range(4)]
    parts += [
        _arch(1.8, 2.9, 0.24, palette.TRIM).moved(wide / 2, 0, 0),
        _arch(1.4, 2.6, 0.32, draw.pick(palette.DOORS)).moved(wide / 2, 0, 0),
    ]
    half = wide / 2 + 0.42
    root = 2**0.5
    spire = [
        (half * root, 0),
        (half * root * 0.62, height * 0.10),
        (half * root * 0.5, height * 0.16),
        (0.0, height * 0.33),
    ]
    parts.append(lathe(spire, [roof, roof, lighter(roof, 0.05)], (0, 0, body + 0.33), sides=4))
    parts.append(
        lathe(
            [(0.05, -0.2), (0.05, 0.5), (0.2, 0.7), (0.0, 1.0)],
            palette.BRASS,
            (0, 0, body + 0.33 + height * 0.33),
            sides=6,
        )
    )
    return solid("tower", parts, [block((wide + 0.3, wide + 0.3, body))])


def _keep(draw: Draw, height: float) -> Asset:
    radius = draw.size("width_m", 5.0, 6.4) / 2
    stone = mixed(draw.colour(palette.STONE), palette.PLINTH[1], 0.3)
    sides = 12
    top = height * 0.8
    profile = [(radius * 1.12, 0), (radius * 1.04, height * 0.12), (radius, height * 0.16), (radius * 0.95, top - 1.2)]
    profile += [
        (radius * 1.14, top - 0.5),
        (radius * 1.14, top),
        (radius * 0.9, top),
        (radius * 0.9, top - 0.4),
        (0, top - 0.4),
    ]
    bands = [
        darker(stone, 0.12),
        stone,
        stone,
        darker(stone, 0.15),
        stone,
        lighter(stone, 0.15),
        stone,
        darker(stone, 0.2),
    ]
    parts = [lathe(profile, bands, sides=sides)]
    for index in range(sides):
        merlon = box((0.34, radius * 0.32, 0.75), stone, (radius * 0.99, 0, top))
        parts.append(merlon.turned((index + 0.5) * 2 * pi / sides))
    roof = draw.pick((*palette.TERRACOTTA, palette.SLATE[2]))
    parts.append(cylinder(radius * 0.62, 1.7, lighter(stone, 0.1), (0, 0, top - 0.4), sides=8))
    parts.append(
        lathe(
            [(radius * 0.84, 0), (radius * 0.45, height * 0.08), (0, height * 0.2 - 0.9)],
            roof,
            (0, 0, top + 1.2),
            sides=8,
        )
    )
    parts.append(box((0.05, 0.05, 1.3), palette.CHARCOAL, (0, 0, height)))
    flag = upright([(0, 0), (0.9, 0.22), (0, 0.5)], 0.03, draw.pick(palette.ACCENTS))
    parts.append(flag.moved(z=height + 0.7))
    wall_at = radius * 0.955
    for level, yaw in enumerate((0.0, 2.1, 4.2, 1.0, 3.1, 5.2)):
        slit = Mesh.merged([_arch(0.6, 1.5, 0.16, lighter(stone, 0.25)), _arch(0.34, 1.25, 0.22, palette.GLASS)])
        parts.append(slit.moved(wall_at, 0, height * (0.30 + 0.07 * level)).turned(round(yaw / (pi / 6)) * pi / 6))
    gate = [_arch(1.7, 2.7, 0.3, lighter(stone, 0.2)), _arch(1.3, 2.4, 0.38, draw.pick(palette.DOORS))]
    parts += [part.moved(radius * 1.04, 0, 0) for part in gate]
    return solid("tower", parts, [post(radius * 1.1, top)])


def door(draw: Draw) -> Asset:
    """A door leaf that faces +x and is hinged at y = -width_m / 2; its frame belongs to the wall."""
    width, height = draw.size("width_m", 0.9, 0.9), draw.size("height_m", 2.1, 2.1)
    tint = draw.colour((*palette.DOORS, *palette.OAK[:1], palette.PAINTED[0]))
    thick = 0.045
    parts = [slab((thick, width, height), tint, bevel=0.01)]
    glazed = draw.variant % 3 == 1
    for low, tall in ((0.12, 0.36), (0.56, 0.36)):
        inlay = palette.GLASS_LIT if glazed and low > 0.5 else lighter(tint, 0.12)
        parts.append(slab((thick + 0.03, width * 0.68, height * tall), inlay, (0, 0, height * low), bevel=0.012))
    parts.append(box((thick + 0.09, 0.03, 0.03), palette.BRASS, (0, width / 2 - 0.08, height * 0.48)))
    parts += [
        box((0.025, 0.13, 0.03), palette.BRASS, (s * (thick / 2 + 0.045), width / 2 - 0.12, height * 0.48))
        for s in (-1, 1)
    ]
    return solid("door", parts, [block((max(thick, 0.08), width, height))])


def window(draw: Draw) -> Asset:
    """A framed window with a sill, hung on a wall by its back; some have shutters."""
    width, height = draw.size("width_m", 1.0, 1.3), draw.size("height_m", 1.2, 1.5)
    tint = draw.colour((palette.TRIM, *palette.TIMBER[:2], palette.TRIM, palette.SHUTTERS[2]))
    parts = [box((0.06, width, height), tint), box((0.07, width - 0.16, height - 0.16), palette.GLASS, (0, 0, 0.08))]
    parts += [
        box((0.09, 0.05, height - 0.12), tint, (0, 0, 0.06)),
        box((0.085, width - 0.12, 0.045), tint, (0, 0, height * 0.62)),
    ]
    parts.append(slab((0.24, width + 0.2, 0.06), lighter(tint, 0.1), (0.05, 0, -0.06), bevel=0.015))
    if draw.variant % 2:
        shade = palette.SHUTTERS[draw.variant % len(palette.SHUTTERS)]
        parts += [box((0.05, width / 2, height), shade, (0.02, s * width * 0.76, 0)) for s in (-1, 1)]
    mesh = Mesh.merged(parts)
    return solid("window", [mesh.moved(x=-float(mesh.bounds[0, 0]), z=-height / 2)], [])


def roof(draw: Draw) -> Asset:
    """A gable roof over a rectangle, its eaves on z = 0 and its ridge along y."""
    width, depth = draw.size("width_m", 6.0, 9.0), draw.size("depth_m", 4.5, 6.0)
    rise = draw.size("height_m", 1.8, 2.8)
    tint = draw.colour((*palette.TERRACOTTA, palette.SLATE[0]))
    plan = np.array([[-depth, -width], [depth, -width], [depth, width], [-depth, width]]) / 2
    mesh = gable_roof(plan, 0.0, rise, tint, draw.pick(palette.FACADES), overhang=0.3)
    return solid("roof", [mesh.moved(z=-float(mesh.bounds[0, 2]))], [])


def _capped(size: tuple[float, float, float], colour: RGB, cap: RGB, at: tuple[float, float, float]) -> Mesh:
    """Returns a box whose top has another colour."""
    plain = box(size, colour, at)
    tones = np.where(plain.normals[:, 2:] > 0.5, np.array(cap), np.array(colour))
    return plain.painted(tones)


def _frame(left: float, width: float, low: float, high: float, thick: float) -> list[Mesh]:
    """Returns the frame around an opening that starts at x = left, and a pane if its sill is above the floor."""
    bar, deep, tall = 0.07, thick + 0.05, high - low
    parts = [box((bar, deep, tall), palette.TRIM, (x, 0, low)) for x in (left + bar / 2, left + width - bar / 2)]
    parts.append(box((width, deep, bar), palette.TRIM, (left + width / 2, 0, high - bar)))
    if low > 0.05:
        parts.append(slab((width + 0.1, deep + 0.12, 0.05), palette.TRIM, (left + width / 2, 0, low), bevel=0.01))
        parts.append(box((width - 2 * bar, 0.03, tall - bar), palette.GLASS_LIT, (left + width / 2, 0, low)))
        parts.append(box((0.04, 0.06, tall - bar), palette.TRIM, (left + width / 2, 0, low)))
    return parts


def _arch(width: float, height: float, thick: float, colour: RGB) -> Mesh:
    """Returns a round-headed panel that faces +x, its back on x = 0 and its foot on z = 0."""
    angle = np.linspace(0, pi, 6)
    half = width / 2
    head = [(half * float(np.cos(a)), height - half + half * float(np.sin(a))) for a in angle]
    return upright([(-half, 0), (half, 0), *head], thick * 2, colour).turned(pi / 2)


RECIPES: Final = (
    Recipe(
        "stairs", stairs, {"height_m": (0.15, 8.0), "width_m": (0.6, 12.0), "length_m": (0.2, 16.0), "colour": None}
    ),
    Recipe("ramp", ramp, {"height_m": (0.05, 4.0), "width_m": (0.6, 12.0), "length_m": (0.3, 40.0), "colour": None}, 3),
    Recipe(
        "wall",
        wall_piece,
        {"length_m": (0.1, 60.0), "height_m": (0.3, 12.0), "thickness_m": (0.05, 1.0), "colour": None},
    ),
    Recipe(
        "building",
        building_piece,
        {"width_m": (4.0, 80.0), "depth_m": (4.0, 80.0), "height_m": (3.0, 120.0), "style": STYLES},
        8,
    ),
    Recipe("door", door, {"width_m": (0.6, 2.4), "height_m": (1.6, 3.5), "colour": None}),
    Recipe("window", window, {"width_m": (0.4, 3.0), "height_m": (0.4, 3.0), "colour": None}),
    Recipe("roof", roof, {"width_m": (2.0, 30.0), "depth_m": (2.0, 20.0), "height_m": (0.5, 8.0), "colour": None}),
    Recipe("house", house, {"width_m": (6.0, 16.0), "depth_m": (5.0, 12.0), "height_m": (5.5, 10.0)}, 8),
    Recipe("tower", tower, {"height_m": (10.0, 60.0), "width_m": (3.0, 12.0), "style": _TOWERS, "colour": None}),
)
