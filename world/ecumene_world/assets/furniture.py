"""Furniture; each piece faces +x, its width lies along y."""

from __future__ import annotations

from math import pi
from typing import Final

from ecumene_world.assets import palette
from ecumene_world.assets.asset import Asset, Collider, Seat
from ecumene_world.assets.mesh import RGB, Mesh
from ecumene_world.assets.palette import darker, lighter
from ecumene_world.assets.recipe import Draw, Recipe, block, post, solid
from ecumene_world.assets.solids import (
    bar,
    box,
    circle,
    cylinder,
    lathe,
    opened,
    pillow,
    plate,
    prism,
    slab,
)

_TABLES: Final = ("round", "square")
_BACKS: Final = ("slats", "board", "padded")
_CHAIR_LEGS: Final = ("four", "sled", "star")
_TABLE_LEGS: Final = ("four", "panels", "column")
_ARMS: Final = ("none", "open")


def chair(draw: Draw) -> Asset:
    """A chair with a slatted, plain or upholstered back; `legs` and `arms` make it an office or an easy chair."""
    wood = draw.colour(palette.TIMBER)
    cloth = draw.pick(palette.FABRIC)
    wide, deep = draw.fixed("width_m", 0.45), draw.fixed("depth_m", 0.45)
    seat, top = draw.fixed("seat_m", 0.45), draw.size("height_m", 0.84, 0.96)
    x, y = deep / 2 - 0.03, wide / 2 - 0.03
    parts = [slab((deep, wide, 0.045), wood, (0, 0, seat - 0.045), bevel=0.015)]
    parts += _chair_legs(draw.chosen("legs", "four"), x, y, seat, wood)
    parts += [bar((-x, s * y, seat), (-x - 0.09, s * y, top), 0.024, wood) for s in (-1, 1)]
    back = draw.word("back", _BACKS)
    if back == "slats":
        parts += [
            _board(wide - 0.06, 0.07, wood, -x - 0.025 - 0.065 * t, seat + 0.08 + t * (top - seat - 0.12))
            for t in (0.25, 0.62, 1.0)
        ]
    elif back == "board":
        parts.append(_board(wide, 0.20, wood, -x - 0.07, top - 0.06))
        parts.append(pillow((deep - 0.05, wide - 0.05, 0.05), cloth, (0.005, 0, seat - 0.005), bevel=0.02))
    else:
        parts.append(pillow((deep - 0.03, wide - 0.03, 0.06), cloth, (0, 0, seat - 0.01), bevel=0.025))
        rest = pillow((0.06, wide - 0.03, top - seat - 0.12), cloth, bevel=0.025).pitched(-0.17)
        parts.append(rest.moved(-x - 0.01, 0, seat + 0.12))
    if draw.chosen("arms", "none") == "open":
        parts += _chair_arms(x, y, seat, min(0.22, 0.7 * (top - seat)), wood)
    return solid(
        "chair",
        parts,
        [block((deep, wide, seat)), block((0.08, wide, top - seat), (-x - 0.05, 0, seat))],
        [Seat((0.02, 0, seat + 0.03))],
    )


def stool(draw: Draw) -> Asset:
    """A round stool on four splayed legs, or a bar stool on a foot."""
    wood, cloth = draw.colour(palette.TIMBER), draw.pick(palette.FABRIC)
    if draw.variant % 2:
        seat = draw.size("height_m", 0.68, 0.76)
        parts = [lathe([(0.22, 0), (0.21, 0.03), (0.03, 0.06), (0.025, seat - 0.08)], palette.STEEL, sides=8)]
        parts.append(lathe([(0.12, seat * 0.36), (0.13, seat * 0.36 + 0.025)], palette.STEEL, sides=8))
        parts.append(lathe([(0.14, -0.09), (0.185, -0.06), (0.185, -0.02), (0.16, 0)], cloth, (0, 0, seat), sides=10))
        return solid("stool", parts, [post(0.2, seat)], [Seat((0, 0, seat))])
    seat = draw.size("height_m", 0.44, 0.50)
    parts = [lathe([(0.15, -0.05), (0.18, -0.03), (0.18, -0.012), (0.165, 0)], wood, (0, 0, seat), sides=10)]
    for corner in circle(1.0, 4):
        a, b = (corner * 0.19).tolist(), (corner * 0.11).tolist()
        parts.append(bar((a[0], a[1], 0), (b[0], b[1], seat - 0.04), 0.018, darker(wood, 0.1), end_radius=0.024))
    parts.append(cylinder(0.155, 0.03, darker(wood, 0.15), (0, 0, seat * 0.4), sides=4))
    return solid("stool", parts, [post(0.19, seat)], [Seat((0, 0, seat))])


def sofa(draw: Draw) -> Asset:
    """A sofa for two to four with loose cushions and scatter cushions."""
    width = draw.size("width_m", 1.7, 2.2)
    places = max(2, min(5, round((width - 0.3) / 0.68)))
    parts = _upholstered(draw, width, places)
    each = (width - 0.36) / places
    seats = [Seat((0.06, (i - (places - 1) / 2) * each, 0.44)) for i in range(places)]
    tint = palette.ACCENTS[(draw.variant + 1) % len(palette.ACCENTS)]
    for s in (1,) if draw.variant % 2 else (-1,):
        cushion = pillow((0.13, 0.42, 0.40), tint, bevel=0.06).pitched(-0.38)
        parts.append(cushion.turned(-s * 0.12).moved(0.07, s * (width / 2 - 0.42), 0.44))
    return solid("sofa", parts, _lounging(draw, width), seats)


def armchair(draw: Draw) -> Asset:
    """An armchair in the manner of the sofa."""
    width = draw.size("width_m", 0.80, 0.92)
    parts = _upholstered(draw, width, 1)
    return solid("armchair", parts, _lounging(draw, width), [Seat((0.06, 0, 0.44))])


def table(draw: Draw) -> Asset:
    """A dining table, rectangular on four legs or round on a turned foot."""
    shape = draw.word("shape", _TABLES[::-1])
    wood = draw.colour(palette.TIMBER)
    height = draw.size("height_m", 0.73, 0.76)
    if shape == "round":
        radius = draw.size("width_m", 0.9, 1.25) / 2
        draw.size("depth_m", 0.9, 1.25)
        parts = [
            lathe(
                [(radius - 0.04, -0.05), (radius, -0.03), (radius, -0.012), (radius - 0.015, 0)],
                wood,
                (0, 0, height),
                sides=14,
            )
        ]
        foot = [
            (radius * 0.55, 0),
            (radius * 0.52, 0.04),
            (0.09, 0.10),
            (0.055, 0.3),
            (0.075, 0.5),
            (0.15, height - 0.05),
        ]
        parts.append(lathe(foot, darker(wood, 0.12), sides=8))
        return solid("table", parts, [post(radius, height)])
    width, depth = draw.size("width_m", 1.3, 1.9), draw.size("depth_m", 0.75, 0.95)
    parts = [slab((depth, width, 0.045), wood, (0, 0, height - 0.045), bevel=0.012)]
    parts.append(box((depth - 0.16, width - 0.16, 0.09), darker(wood, 0.12), (0, 0, height - 0.13)))
    parts += _table_legs(draw.chosen("legs", "four"), depth, width, height, darker(wood, 0.06))
    if draw.variant % 2:
        cloth = palette.FABRIC[(draw.variant + 2) % len(palette.FABRIC)]
        parts.append(slab((0.36, width + 0.01, 0.008), lighter(cloth, 0.25), (0, 0, height), bevel=0.003))
    return solid("table", parts, [block((depth, width, height))])


def desk(draw: Draw) -> Asset:
    """A desk with a chest of drawers and a computer; who works at it sits on its +x side and looks to -x."""
    width, depth, height = draw.size("width_m", 1.25, 1.6), draw.size("depth_m", 0.65, 0.75), 0.74
    wood, front = draw.colour(palette.OAK), draw.pick((palette.WHITE, *palette.PAINTED))
    parts = [slab((depth, width, 0.04), wood, (0, 0, height - 0.04), bevel=0.01)]
    chest = 0.40
    y = width / 2 - chest / 2 - 0.03
    parts.append(box((depth - 0.10, chest, height - 0.10), front, (0, y, 0.06)))
    for index in range(3):
        z = 0.10 + index * (height - 0.2) / 3
        parts.append(
            slab(
                (0.02, chest - 0.04, (height - 0.26) / 3), lighter(front, 0.2), (-depth / 2 + 0.045, y, z), bevel=0.008
            )
        )
        parts.append(box((0.02, 0.12, 0.02), palette.BRASS, (-depth / 2 + 0.03, y, z + 0.12)))
    parts += [
        _leg(s * (depth / 2 - 0.06), -width / 2 + 0.07, height - 0.04, palette.IRON[0], 0.02, 0.02) for s in (-1, 1)
    ]
    parts.append(box((depth - 0.12, 0.03, 0.03), palette.IRON[0], (0, -width / 2 + 0.07, height - 0.07)))
    parts.append(slab((0.035, 0.62, 0.36), palette.CHARCOAL, (depth / 2 - 0.18, -0.12, height + 0.10), bevel=0.01))
    parts.append(
        box(
            (0.005, 0.57, 0.31),
            draw.pick((palette.GLASS, palette.ACCENTS[0], palette.ACCENTS[3])),
            (depth / 2 - 0.20, -0.12, height + 0.125),
        )
    )
    parts += [
        box((0.03, 0.05, 0.12), palette.STEEL, (depth / 2 - 0.16, -0.12, height)),
        slab((0.16, 0.22, 0.015), palette.STEEL, (depth / 2 - 0.17, -0.12, height), bevel=0.005),
    ]
    parts.append(slab((0.14, 0.44, 0.02), palette.PAINTED[2], (-0.06, -0.12, height), bevel=0.008))
    parts += _books(draw, 4, (depth / 2 - 0.18, width / 2 - 0.22, height), 0.22)
    turned = [Mesh.merged(parts).turned(pi)]
    return solid("desk", turned, [block((depth, width, height))])


def counter(draw: Draw) -> Asset:
    """A sales or kitchen counter that faces +x, with panels and an overhanging top."""
    width, height = draw.size("width_m", 1.6, 2.4), draw.size("height_m", 0.95, 1.05)
    depth = 0.62
    body, top = draw.colour((*palette.SHUTTERS, *palette.PAINTED)), draw.pick((*palette.OAK, palette.STONE[0]))
    parts = [
        box((depth - 0.10, width - 0.06, 0.10), darker(body, 0.5)),
        box((depth - 0.06, width, height - 0.15), body, (0, 0, 0.10)),
    ]
    parts.append(slab((depth + 0.06, width + 0.08, 0.05), top, (0.01, 0, height - 0.05), bevel=0.015))
    panels = max(1, min(8, round(width / 0.6)))
    each = width / panels
    for index in range(panels):
        at = (depth / 2 - 0.03, (index - (panels - 1) / 2) * each, 0.18)
        parts.append(slab((0.03, each - 0.1, height - 0.32), lighter(body, 0.12), at, bevel=0.01))
    return solid("counter", parts, [block((depth, width, height))])


def shelf(draw: Draw) -> Asset:
    """Open shelving with boxes, jars and folded things on four boards."""
    width, height = draw.size("width_m", 0.9, 1.4), draw.size("height_m", 1.6, 1.95)
    depth = draw.fixed("depth_m", 0.38)
    wood = draw.colour(palette.OAK)
    iron = draw.pick((palette.IRON[0], palette.STEEL, darker(wood, 0.25)))
    parts = [
        box((0.035, 0.035, height), iron, (sx * (depth / 2 - 0.02), sy * (width / 2 - 0.02), 0))
        for sx in (-1, 1)
        for sy in (-1, 1)
    ]
    boards = 4
    for level in range(boards):
        z = 0.14 + level * (height - 0.2) / (boards - 1)
        parts.append(opened(box((depth, width, 0.03), wood, (0, 0, z)), (0, -1, 0), (0, 1, 0)))
        if level < boards - 1:
            parts += _goods(draw, width - 0.12, depth, z + 0.03, (height - 0.2) / (boards - 1) - 0.1)
    return solid("shelf", parts, [block((depth, width, height))])


def cabinet(draw: Draw) -> Asset:
    """A sideboard with two doors and a row of drawers above, on short legs."""
    width, height = draw.size("width_m", 1.0, 1.5), draw.size("height_m", 0.78, 0.95)
    depth, low = draw.fixed("depth_m", 0.45), draw.fixed("legs_m", 0.14)
    wood = draw.colour((*palette.TIMBER[:4], *palette.PAINTED[:2]))
    parts = [slab((depth, width, height - low - 0.02), wood, (0, 0, low), bevel=0.012)]
    parts.append(slab((depth + 0.03, width + 0.04, 0.03), lighter(wood, 0.1), (0, 0, height - 0.03), bevel=0.01))
    parts += [
        _leg(sx * (depth / 2 - 0.06), sy * (width / 2 - 0.08), low + 0.01, darker(wood, 0.3), 0.015, 0.025)
        for sx in (-1, 1)
        for sy in (-1, 1)
    ]
    fronts = max(2, min(4, round(width / 0.5)))
    each = (width - 0.04) / fronts
    tone = lighter(wood, 0.12)
    tall = (0.14 - low) * 0.5 + height * 0.50
    for index in range(fronts):
        y = (index - (fronts - 1) / 2) * each
        parts.append(slab((0.02, each - 0.03, tall), tone, (depth / 2 + 0.005, y, low + 0.03), bevel=0.008))
        drawer = height - low - tall - 0.10 if draw.given("legs_m") else height * 0.17
        parts.append(slab((0.02, each - 0.03, drawer), tone, (depth / 2 + 0.005, y, low + 0.05 + tall), bevel=0.008))
        side = each * 0.36 * (1 if index % 2 == 0 else -1)
        parts.append(box((0.03, 0.02, 0.10), palette.BRASS, (depth / 2 + 0.02, y + side, low + tall * 0.56)))
        parts.append(box((0.03, 0.10, 0.02), palette.BRASS, (depth / 2 + 0.02, y, low + 0.05 + tall + height * 0.08)))
    return solid("cabinet", parts, [block((depth, width, height))])


def wardrobe(draw: Draw) -> Asset:
    """A wardrobe with two doors, a drawer below and a cornice."""
    width, height = draw.size("width_m", 1.1, 1.4), draw.size("height_m", 1.95, 2.15)
    depth = draw.fixed("depth_m", 0.58)
    wood = draw.colour((*palette.TIMBER, palette.PAINTED[0]))
    tone = lighter(wood, 0.1)
    front = depth / 2
    parts = [
        box((depth, width, height - 0.16), wood, (0, 0, 0.08)),
        box((depth - 0.04, width - 0.04, 0.09), darker(wood, 0.3)),
    ]
    parts.append(slab((depth + 0.08, width + 0.1, 0.09), darker(wood, 0.1), (0.01, 0, height - 0.09), bevel=0.035))
    for s in (-1, 1):
        y = s * width / 4
        parts.append(slab((0.03, width / 2 - 0.04, height - 0.62), tone, (front, y, 0.42), bevel=0.012))
        for low, tall in ((0.50, 0.40), (1.02, height - 1.34)):
            parts.append(slab((0.05, width / 2 - 0.18, tall), lighter(tone, 0.12), (front, y, low), bevel=0.015))
        parts.append(box((0.05, 0.025, 0.14), palette.BRASS, (front + 0.02, s * 0.05, height * 0.5)))
        parts.append(box((0.05, 0.12, 0.025), palette.BRASS, (front + 0.02, y, 0.25)))
    parts.append(slab((0.03, width - 0.05, 0.26), tone, (front, 0, 0.12), bevel=0.012))
    return solid("wardrobe", parts, [block((depth, width, height))])


def bed(draw: Draw) -> Asset:
    """A bed, its head at -x: frame, mattress, blanket and a pillow for each sleeper."""
    width, length = draw.size("width_m", 0.95, 1.65), draw.size("length_m", 2.0, 2.1)
    wood, cloth = draw.colour(palette.TIMBER), draw.pick(palette.FABRIC)
    half, top, foot = length / 2, draw.fixed("height_m", 0.95), draw.fixed("foot_m", 0.46)
    parts = [slab((length, width, 0.20), wood, (0, 0, 0.12), bevel=0.02)]
    parts.append(slab((0.07, width + 0.08, top), darker(wood, 0.08), (-half, 0, 0), bevel=0.03))
    if top > 0.75:
        parts.append(slab((0.03, width - 0.14, top - 0.61), lighter(wood, 0.14), (-half + 0.04, 0, 0.52), bevel=0.012))
    parts.append(slab((0.07, width + 0.06, foot), darker(wood, 0.08), (half, 0, 0), bevel=0.03))
    parts.append(pillow((length - 0.08, width - 0.06, 0.22), palette.WHITE, (0, 0, 0.29), bevel=0.05))
    parts.append(pillow((length * 0.62, width + 0.02, 0.17), cloth, (length * 0.17, 0, 0.37), bevel=0.045))
    parts.append(slab((0.28, width + 0.025, 0.06), lighter(cloth, 0.45), (-length * 0.12, 0, 0.495), bevel=0.02))
    sleepers = 2 if width > 1.3 else 1
    for index in range(sleepers):
        y = (index - (sleepers - 1) / 2) * width * 0.47
        head = pillow((0.40, min(0.66, width * 0.8 / sleepers), 0.13), palette.PAPER, bevel=0.05).pitched(-0.12)
        parts.append(head.moved(-half + 0.32, y, 0.50))
    seats = [Seat((0.0, (i - (sleepers - 1) / 2) * width * 0.47, 0.54)) for i in range(sleepers)]
    head_end = block((0.1, width, max(top - 0.54, 0.02) if draw.given("height_m") else 0.4), (-half, 0, 0.54))
    return solid("bed", parts, [block((length, width, 0.54)), head_end], seats)


def rug(draw: Draw) -> Asset:
    """A rug in three tones, rectangular with fringes or round; nothing of it is solid."""
    width, length = draw.size("width_m", 1.3, 1.9), draw.size("length_m", 1.9, 2.7)
    base = draw.colour(palette.FABRIC)
    rim, heart = lighter(base, 0.55), palette.ACCENTS[(draw.variant + 2) % len(palette.ACCENTS)]
    if draw.variant % 3 == 2:
        shape = circle(width / 2, 16)
        parts = [
            plate(shape * share, 0.012 + 0.003 * step, tone, bevel=0.003)
            for step, (share, tone) in enumerate(((1.0, base), (0.84, rim), (0.74, base), (0.4, heart), (0.28, rim)))
        ]
        return solid("rug", parts, [])
    parts = [slab((length, width, 0.012), base, bevel=0.004)]
    parts.append(slab((length * 0.92, width * 0.88, 0.015), rim, bevel=0.002))
    parts.append(slab((length * 0.86, width * 0.80, 0.018), base, bevel=0.002))
    for index in range(3):
        x = (index - 1) * length * 0.26
        reach = width * (0.30 if index == 1 else 0.22)
        diamond = [(x + reach * 0.62, 0), (x, reach), (x - reach * 0.62, 0), (x, -reach)]
        parts.append(prism(diamond, 0.021, heart if index == 1 else rim))
    for s in (-1, 1):
        parts.append(box((0.07, width * 0.97, 0.006), rim, (s * (length / 2 + 0.03), 0, 0)))
    return solid("rug", parts, [])


def bookcase(draw: Draw) -> Asset:
    """A bookcase with rows of books of many colours."""
    width, height = draw.size("width_m", 0.8, 1.1), draw.size("height_m", 1.8, 2.1)
    depth = draw.fixed("depth_m", 0.32)
    wood = draw.colour(palette.WALNUT + palette.OAK)
    parts = [box((0.02, width - 0.02, height - 0.04), darker(wood, 0.3), (-depth / 2 + 0.01, 0, 0.02))]
    parts += [box((depth, 0.035, height - 0.05), wood, (0, s * (width / 2 - 0.0175), 0)) for s in (-1, 1)]
    parts.append(slab((depth + 0.05, width + 0.06, 0.06), wood, (0, 0, height - 0.06), bevel=0.02))
    rows = 5
    gap = (height - 0.14) / rows
    for row in range(rows):
        z = 0.08 + row * gap
        board = box((depth - 0.03, width - 0.06, 0.025), lighter(wood, 0.08), (0.005, 0, z - 0.025))
        parts.append(opened(board, (-1, 0, 0), (0, -1, 0), (0, 1, 0)))
        parts += _row_of_books(draw, width - 0.10, gap - 0.06, depth, z)
    return solid("bookcase", parts, [block((depth, width, height))])


def _upholstered(draw: Draw, width: float, places: int) -> list[Mesh]:
    """Returns the frame, arms and cushions of a sofa or armchair; its back stays where it is, its front moves."""
    cloth, wood = draw.colour(palette.FABRIC), draw.pick(palette.WALNUT)
    arm, rise = draw.fixed("arm_m", 0.17), draw.fixed("arms_m", 0.60) - 0.16
    more, top = draw.fixed("depth_m", 0.86) - 0.86, draw.fixed("height_m", 0.82) - 0.20
    inner = width - 2 * arm
    parts = [
        _leg(sx * 0.34 + more * (sx > 0), sy * (width / 2 - 0.1), 0.14, wood, 0.018, 0.03)
        for sx in (-1, 1)
        for sy in (-1, 1)
    ]
    parts.append(slab((0.84 + more, width - 0.04, 0.17), darker(cloth, 0.14), (more / 2, 0, 0.12), bevel=0.03))
    back = slab((0.20, width - 0.04, top), darker(cloth, 0.06), bevel=0.06).pitched(-0.10)
    parts.append(back.moved(-0.32, 0, 0.20))
    parts += [
        slab((0.80 + more, arm, rise), cloth, (0.01 + more / 2, s * (width - arm) / 2, 0.16), bevel=0.05)
        for s in (-1, 1)
    ]
    each = inner / places
    for index in range(places):
        y = (index - (places - 1) / 2) * each
        parts.append(
            slab((0.64 + more, each - 0.012, 0.17), lighter(cloth, 0.1), (0.09 + more / 2, y, 0.27), bevel=0.04)
        )
        rest = pillow((0.16, each - 0.012, top - 0.26), lighter(cloth, 0.06), bevel=0.05).pitched(-0.18)
        parts.append(rest.moved(-0.15, y, 0.42))
    return parts


def _lounging(draw: Draw, width: float) -> list[Collider]:
    """Returns the solids of what `_upholstered` makes: seat and back."""
    depth = draw.fixed("depth_m", 0.86)
    top = draw.fixed("height_m", 0.84)
    return [
        block((depth, width, 0.42), ((depth - 0.86) / 2, 0, 0)),
        block((0.24, width, top - 0.42), (-0.31, 0, 0.42)),
    ]


def _chair_legs(style: str, x: float, y: float, seat: float, wood: RGB) -> list[Mesh]:
    """Returns four legs, two skids of steel, or a column on a star of five feet."""
    if style == "star":
        parts = [cylinder(0.03, seat - 0.09, palette.STEEL, (0, 0, 0.05), sides=6)]
        reach = min(0.30, 1.15 * max(x, y))
        return [
            *parts,
            *[bar((0, 0, 0.08), (*foot, 0.03), 0.03, palette.CHARCOAL) for foot in circle(reach, 5).tolist()],
        ]
    if style == "sled":
        return [
            bar(a, b, 0.016, palette.STEEL)
            for s in (-1, 1)
            for a, b in (
                ((-x, s * y, 0.016), (x, s * y, 0.016)),
                ((-x, s * y, 0.016), (-x, s * y, seat - 0.03)),
                ((x, s * y, 0.016), (x, s * y, seat - 0.03)),
            )
        ]
    parts = [_leg(x, s * y, seat - 0.045, wood, 0.02, 0.02) for s in (-1, 1)]
    return parts + [bar((-x - 0.03, s * y, 0), (-x, s * y, seat), 0.026, wood) for s in (-1, 1)]


def _chair_arms(x: float, y: float, seat: float, rise: float, wood: RGB) -> list[Mesh]:
    """Returns two arm rests on a post each."""
    parts = [box((2 * x + 0.02, 0.05, 0.03), wood, (-0.02, s * (y + 0.01), seat + rise)) for s in (-1, 1)]
    return parts + [bar((x - 0.04, s * y, seat - 0.02), (x - 0.04, s * y, seat + rise), 0.018, wood) for s in (-1, 1)]


def _table_legs(style: str, depth: float, width: float, height: float, wood: RGB) -> list[Mesh]:
    """Returns four legs, two side panels, or a column on a foot plate, under a top 0.045 m thick."""
    x, y, tall = depth / 2 - 0.07, width / 2 - 0.07, height - 0.045
    if style == "panels":
        return [box((2 * x, 0.035, tall), wood, (0, s * y, 0)) for s in (-1, 1)]
    if style == "column":
        foot = slab((0.6 * depth, 0.5 * width, 0.04), wood, bevel=0.015)
        return [foot, box((0.14, max(0.14, 0.2 * width), tall), wood)]
    return [_leg(sx * x, sy * y, tall, wood, 0.028, 0.042) for sx in (-1, 1) for sy in (-1, 1)]


def _leg(x: float, y: float, height: float, colour: RGB, low: float, high: float) -> Mesh:
    """Returns a square leg that widens from `low` to `high`, half extents in metres."""
    return lathe([(low * 2**0.5, 0), (high * 2**0.5, height)], colour, (x, y, 0), sides=4)


def _board(width: float, tall: float, colour: RGB, x: float, top: float) -> Mesh:
    """Returns a slat of a chair's back that leans as the back does."""
    return box((0.025, width, tall), colour, (0, 0, -tall)).pitched(-0.2).moved(x, 0, top)


def _books(draw: Draw, count: int, at: tuple[float, float, float], tall: float) -> list[Mesh]:
    """Returns upright books side by side along y."""
    parts, y = [], at[1] - 0.1
    for _ in range(count):
        thick, high = draw.between(0.028, 0.045), tall * draw.between(0.75, 1.0)
        parts.append(
            box((0.15, thick, high), draw.pick(palette.FABRIC + palette.ACCENTS), (at[0], y + thick / 2, at[2]))
        )
        y += thick + 0.002
    return parts


def _row_of_books(draw: Draw, width: float, tall: float, depth: float, z: float) -> list[Mesh]:
    """Returns blocks of a few equal books that fill most of a shelf; their backs and undersides are left out."""
    parts, y = [], -width / 2
    end = width / 2 - draw.between(0.0, 0.22) * width
    while y < end - 0.06:
        wide, high = min(draw.between(0.13, 0.24) * width, end - y), tall * draw.between(0.66, 0.96)
        tone = draw.pick(palette.FABRIC + palette.ACCENTS)
        books = box((depth - draw.between(0.07, 0.10), wide - 0.006, high), tone, (0.0, y + wide / 2, z))
        parts.append(opened(books, (-1, 0, 0), (0, 0, -1)))
        y += wide
    return parts


def _goods(draw: Draw, width: float, depth: float, z: float, tall: float) -> list[Mesh]:
    """Returns two or three things that stand on a shelf: a crate, a jar or folded cloth."""
    parts: list[Mesh] = []
    for index in range(3):
        if draw.chance(0.2):
            continue
        y, sort = (index - 1) * width / 3, int(draw.rng.integers(3))
        tone = draw.pick(palette.FABRIC)
        if sort == 0:
            size = (depth * 0.7, width / 3 - 0.06, tall * draw.between(0.5, 0.8))
            parts.append(slab(size, palette.OAK[2], (0, y, z), bevel=0.015))
        elif sort == 1:
            jar = [(0.08, 0), (0.085, tall * 0.5), (0.05, tall * 0.72)]
            parts.append(lathe(jar, [tone, lighter(tone, 0.25)], (0, y, z), sides=6))
        else:
            parts.append(box((depth * 0.7, width / 3 - 0.08, 0.07), tone, (0, y, z)))
            parts.append(slab((depth * 0.66, width / 3 - 0.1, 0.07), lighter(tone, 0.15), (0, y, z + 0.07), bevel=0.02))
    return [opened(part, (0, 0, -1)) for part in parts]


_LOUNGE: Final = {"depth_m": (0.75, 1.1), "height_m": (0.68, 1.1), "arms_m": (0.46, 0.8), "arm_m": (0.06, 0.28)}
_DEEP: Final = (0.2, 0.6)

RECIPES: Final = (
    Recipe(
        "chair",
        chair,
        {
            "width_m": (0.36, 0.75),
            "depth_m": (0.36, 0.75),
            "height_m": (0.7, 1.3),
            "seat_m": (0.4, 0.5),
            "back": _BACKS,
            "legs": _CHAIR_LEGS,
            "arms": _ARMS,
            "colour": None,
        },
    ),
    Recipe("stool", stool, {"height_m": (0.3, 0.9), "colour": None}),
    Recipe("sofa", sofa, {"width_m": (1.4, 3.6), **_LOUNGE, "colour": None}),
    Recipe("armchair", armchair, {"width_m": (0.7, 1.2), **_LOUNGE, "colour": None}),
    Recipe(
        "table",
        table,
        {
            "width_m": (0.5, 4.0),
            "depth_m": (0.5, 2.0),
            "height_m": (0.35, 1.1),
            "shape": _TABLES,
            "legs": _TABLE_LEGS,
            "colour": None,
        },
    ),
    Recipe("desk", desk, {"width_m": (1.0, 2.4), "depth_m": (0.5, 1.0), "colour": None}),
    Recipe("counter", counter, {"width_m": (0.6, 6.0), "height_m": (0.8, 1.2), "colour": None}),
    Recipe("shelf", shelf, {"width_m": (0.6, 2.4), "depth_m": _DEEP, "height_m": (1.0, 2.6), "colour": None}),
    Recipe(
        "cabinet",
        cabinet,
        {
            "width_m": (0.6, 2.4),
            "depth_m": (0.3, 0.7),
            "height_m": (0.6, 1.4),
            "legs_m": (0.02, 0.25),
            "colour": None,
        },
    ),
    Recipe(
        "wardrobe",
        wardrobe,
        {"width_m": (0.8, 2.0), "depth_m": (0.4, 0.75), "height_m": (1.6, 2.6), "colour": None},
    ),
    Recipe(
        "bed",
        bed,
        {
            "width_m": (0.8, 2.0),
            "length_m": (1.6, 2.4),
            "height_m": (0.5, 1.4),
            "foot_m": (0.15, 0.9),
            "colour": None,
        },
    ),
    Recipe("rug", rug, {"width_m": (0.5, 5.0), "length_m": (0.5, 6.0), "colour": None}),
    Recipe("bookcase", bookcase, {"width_m": (0.5, 2.4), "depth_m": _DEEP, "height_m": (1.0, 2.8), "colour": None}),
)
