"""Buildings from real footprints: plinth, storeys of windows, doors, cornice and a roof that fits the plan."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, pi, sin
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecumene_world.assets import palette
from ecumene_world.assets.facade import Opening, Quads, Wall, tiles
from ecumene_world.assets.mesh import Mesh
from ecumene_world.assets.openings import DOOR_M, Look, add_door, add_openings, storey_of
from ecumene_world.assets.palette import darker, lighter, mixed
from ecumene_world.assets.polygon import area_m2, cleaned, inset, oriented_box, triangulated
from ecumene_world.assets.roofs import flat_roof, gable_roof, hip_roof, mansard_roof, wings
from ecumene_world.assets.solids import box
from ecumene_world.errors import GraphError

STYLES: Final = ("auto", "old_town", "modern", "hall", "civic")
_WALL_M: Final = 0.3
_TOWER_M: Final = 4.4
_HIPPED: Final = 0.92
"""Steepness from which a four-sided plan gets a hip instead of a gable."""

Entrance = tuple[float, float, float]
"""Position x, y in metres and outward yaw in radians."""


def building(
    footprint: ArrayLike,
    height_m: float,
    seed: int,
    *,
    style: str = "auto",
    entrances: Sequence[Entrance] = (),
    interior: bool = False,
    storeys: int = 1,
) -> Mesh:
    """Returns a building over a real ground plan; its frame is that of the footprint, with the ground at z = 0.

    Args:
        footprint: (P, 2) corners in metres, either way round, concave if need be, last corner repeated or not.
        height_m: From the ground to the ridge, or to the edge of a flat roof; chimneys and towers may rise above.
        seed: Chooses colours, shutters, shop windows and details.
        style: "old_town" (pastel, tiled roof), "modern" (flat roof, balconies), "hall" (large and plain),
            "civic" (old town with a clock tower) or "auto", which goes by size.
        entrances: Where doors are; each is put on the nearest wall. None given: one on the longest wall.
        interior: Leave real openings at the entrances, and give walls an inner face and the rooms a ceiling.
        storeys: How many storeys can be entered, if `interior`; the ceiling is above the topmost.

    Raises:
        GraphError: The footprint encloses nothing, a number isn't finite, or the style is unknown.
    """
    plan = _checked(footprint, height_m, style)
    rng = np.random.default_rng([seed % 2**32, 12])
    look = _look(plan, height_m, style, rng)
    roof, eaves, ridge = _roof(plan, height_m, look)
    walls = [Wall.between(a, b) for a, b in zip(plan, np.roll(plan, -1, 0), strict=True)]
    doors = _doors(walls, entrances)
    quads = Quads()
    _shell(quads, plan, walls, doors, eaves, look, interior=interior)
    add_openings(quads, walls, doors, eaves, look, rng)
    for index, u in doors:
        add_door(quads, walls[index], u, look, leaf=not interior, low=storey_of(eaves) < 2.6)
    parts = [quads.mesh(), roof, *_crown(plan, eaves, ridge, look)]
    if interior:
        parts.append(_inside(plan, walls, doors, min(eaves, storeys * storey_of(eaves)), look))
    return Mesh.merged(parts)


def storey_m(footprint: ArrayLike, height_m: float, seed: int, *, style: str = "auto") -> float:
    """Returns how high one storey of `building` is with these arguments, metres.

    Raises:
        GraphError: As `building` does.
    """
    plan = _checked(footprint, height_m, style)
    look = _look(plan, height_m, style, np.random.default_rng([seed % 2**32, 12]))
    return storey_of(_roof(plan, height_m, look)[1])


def _checked(footprint: ArrayLike, height_m: float, style: str) -> NDArray[np.float64]:
    if style not in STYLES:
        raise GraphError(f"{style!r} is not a style of building; {', '.join(STYLES)} are")
    if not (np.isfinite(height_m) and 1.0 <= height_m <= 1000.0):
        raise GraphError(f"a building's height is {height_m} m; 1 to 1000 m is accepted")
    plan = cleaned(footprint, 0.02)
    if len(plan) < 3 or area_m2(plan) < 0.5:
        raise GraphError(f"a footprint needs three corners around at least 0.5 m²; this has {len(plan)} corners")
    return plan


def _look(plan: NDArray[np.float64], height_m: float, style: str, rng: np.random.Generator) -> Look:
    area = area_m2(plan)
    civic = style == "civic"
    if civic:
        style = "old_town"
    if style == "auto":
        tall, large = height_m > 22, area > 900
        plain = tall or (large and rng.random() < 0.5)
        style = "hall" if large and height_m < 11 else "modern" if plain else "old_town"
    facade = palette.FACADES[int(rng.integers(len(palette.FACADES)))]
    roof = palette.TERRACOTTA[int(rng.integers(len(palette.TERRACOTTA)))]
    if rng.random() < 0.2:
        roof = palette.SLATE[int(rng.integers(len(palette.SLATE)))]
    if style != "old_town":
        facade = mixed(facade, (236, 233, 226), 0.6)
        roof = mixed(palette.STONE[1], palette.SLATE[1], 0.4)
    if civic:
        facade, roof = palette.CIVIC_WALL, palette.SLATE[2]
    return Look(
        style=style,
        facade=facade,
        ground=(facade, lighter(facade, 0.3), darker(facade, 0.16))[int(rng.integers(3))],
        roof=roof,
        plinth=palette.PLINTH[int(rng.integers(len(palette.PLINTH)))],
        door=palette.DOORS[int(rng.integers(len(palette.DOORS)))],
        shutters=palette.SHUTTERS[int(rng.integers(len(palette.SHUTTERS)))] if rng.random() < 0.45 else None,
        shop=bool(rng.random() < 0.4) and not civic,
        steep=1.0 if civic else float(rng.uniform(0.75, 1.0)),
        tower=civic,
    )


def _roof(plan: NDArray[np.float64], height_m: float, look: Look) -> tuple[Mesh, float, float]:
    """Returns the roof, the height of the eaves and the height of the ridge."""
    _, size, _ = oriented_box(plan)
    if look.style != "old_town":
        eaves = height_m - min(0.5, 0.1 * height_m)
        return flat_roof(plan, eaves, look.roof, lighter(look.facade, 0.2), parapet=height_m - eaves), eaves, eaves
    rise = min(size[1] / 2 * look.steep, 0.42 * height_m, 4.6)
    eaves = height_m - rise
    convex = _convex(plan)
    over = min(0.38, 0.1 * float(size[1]))
    if convex and len(plan) == 4 and size[1] < 15:
        if look.steep < _HIPPED:
            return gable_roof(plan, eaves, rise, look.roof, look.facade, overhang=over), eaves, height_m
        slope = rise / (size[1] / 2)
        return hip_roof(plan, eaves, slope, look.roof, top=rise, overhang=over), eaves, height_m
    if convex and size[1] < 18:
        return hip_roof(plan, eaves, look.steep, look.roof, top=rise, overhang=over), eaves, height_m
    parts = [] if convex else wings(plan)
    narrow = [min(float(np.linalg.norm(w[1] - w[0])), float(np.linalg.norm(w[3] - w[0]))) for w in parts]
    if 0 < len(parts) <= 8 and max(narrow) < 18:
        slope = min(look.steep, 2 * rise / max(narrow))
        roofs = [hip_roof(part, eaves, slope, look.roof, overhang=over) for part in parts]
        return Mesh.merged(roofs), eaves, eaves + slope * max(narrow) / 2
    return mansard_roof(plan, eaves, rise, look.roof), eaves, height_m


def _doors(walls: Sequence[Wall], entrances: Sequence[Entrance]) -> list[tuple[int, float]]:
    """Returns the wall and the middle u of each door, kept clear of the wall's ends; too short walls get none."""
    wide = DOOR_M[0] + 0.3
    room = [index for index, wall in enumerate(walls) if wall.length_m > wide]
    if not room:
        return []
    if not entrances:
        longest = max(room, key=lambda index: walls[index].length_m)
        return [(longest, walls[longest].length_m / 2)]
    placed: list[tuple[int, float]] = []
    for x, y, yaw in entrances:
        facing = np.array([cos(yaw), sin(yaw)])
        best = min(room, key=lambda index: walls[index].distance(x, y)[0] - 0.5 * float(walls[index].outward @ facing))
        wall = walls[best]
        u = float(np.clip(wall.distance(x, y)[1], wide / 2, wall.length_m - wide / 2))
        if all(other != best or abs(u - at) > wide for other, at in placed):
            placed.append((best, u))
    return placed


def _shell(
    quads: Quads,
    plan: NDArray[np.float64],
    walls: Sequence[Wall],
    doors: Sequence[tuple[int, float]],
    eaves: float,
    look: Look,
    *,
    interior: bool,
) -> None:
    """Adds the bare walls, the plinth, the string course and the cornice."""
    storey = storey_of(eaves)
    for index, wall in enumerate(walls):
        holes: list[Opening] = []
        if interior:
            holes = [(u - DOOR_M[0] / 2, DOOR_M[0], 0.0, DOOR_M[1]) for at, u in doors if at == index]
        for u, v, width, height in tiles(wall.length_m, storey, holes):
            quads.add(wall.rectangles(u, v, width, height), look.ground)
        if eaves - storey > 0.1:
            quads.add(wall.rectangles(0, storey, wall.length_m, eaves - storey), look.facade)
        gaps = [(u - DOOR_M[0] / 2 - 0.06, DOOR_M[0] + 0.12, 0.0, 9.0) for at, u in doors if at == index]
        for u, _, width, _ in tiles(wall.length_m, 0.5, gaps):
            quads.add(wall.ledges(u, 0.0, width, min(0.5, 0.2 * eaves), 0.05), look.plinth)
    bands = [(eaves - 0.32, 0.3, 0.12, palette.TRIM)]
    if eaves > 1.6 * storey and look.style == "old_town":
        bands.append((storey - 0.08, 0.16, 0.06, palette.TRIM))
    for low, tall, depth, tone in bands:
        ring = inset(plan, -depth)
        base, top = np.full(len(plan), low), np.full(len(plan), low + tall)
        quads.strip(np.column_stack([plan, base]), np.column_stack([ring, base]), darker(tone, 0.2))
        quads.strip(np.column_stack([ring, base]), np.column_stack([ring, top]), tone)
        quads.strip(np.column_stack([ring, top]), np.column_stack([plan, top]), tone)


def _crown(plan: NDArray[np.float64], eaves: float, ridge: float, look: Look) -> list[Mesh]:
    """Returns chimneys and dormers of a tiled roof, or plant rooms on a flat one."""
    centre, size, yaw = oriented_box(plan)
    x, y = centre.tolist()
    long, wide = size.tolist()
    parts: list[Mesh] = []
    if look.style != "old_town":
        if _convex(plan) and wide > 7:
            parts.append(box((min(5.0, long * 0.3), min(3.4, wide * 0.4), 1.6), darker(look.facade, 0.1)))
            parts.append(box((1.2, 1.2, 0.8), palette.STEEL, (long * 0.28, wide * 0.15, 0), bevel=0.1))
        return [part.turned(yaw).moved(x, y, eaves) for part in parts]
    if look.tower:
        parts.append(_tower(ridge - eaves, min(_TOWER_M, 0.45 * wide), look))
        return [part.turned(yaw).moved(x, y, eaves) for part in parts]
    if len(plan) != 4 or long < 5 or area_m2(plan) < 0.9 * long * wide:
        return []
    brick = mixed(look.roof, palette.STONE[1], 0.55)
    for along, across in [(0.28, 0.12)] if long < 11 else [(0.28, 0.12), (-0.3, -0.12)]:
        parts.append(box((0.62, 0.5, ridge + 0.45 - eaves), brick, (along * long, across * wide, 0)))
        parts.append(box((0.74, 0.62, 0.12), look.plinth, (along * long, across * wide, ridge + 0.45 - eaves)))
    if ridge - eaves > 2.4 and wide < 15 and look.steep < _HIPPED:
        count = min(int((long - 2.5) / 3.4), 5)
        dormer = _dormer(wide / 2, (ridge - eaves) / (wide / 2), look)
        for index in range(count):
            offset = (index - (count - 1) / 2) * 3.2
            parts += [dormer.turned(way).moved(offset) for way in (0.0, pi)]
    return [part.turned(yaw).moved(x, y, eaves) for part in parts]


def _tower(roof_m: float, wide: float, look: Look) -> Mesh:
    """Returns a clock tower with a belfry and a spire, its foot at the eaves under a roof that rises so far."""
    half, clock, belfry = wide / 2, roof_m + 2.6, roof_m + 4.6
    top = belfry + 2.4
    parts = [box((wide, wide, belfry), look.facade)]
    for low, tall, out in ((roof_m + 0.7, 0.16, 0.10), (belfry - 0.1, 0.3, 0.22), (top, 0.34, 0.30)):
        parts.append(box((wide + 2 * out, wide + 2 * out, tall), palette.TRIM, (0, 0, low)))
    quads = Quads()
    for turn in range(4):
        angle = turn * pi / 2
        along = np.array([cos(angle), sin(angle)])
        start = half * np.array([sin(angle), -cos(angle)]) - along * half
        _clock(quads, Wall(start, along, wide), clock)
    parts.append(quads.mesh())
    pier = 0.24 * wide
    for x in (-1, 1):
        parts += [
            box((pier, pier, top - belfry), look.facade, (x * (half - pier / 2), y * (half - pier / 2), belfry))
            for y in (-1, 1)
        ]
    parts.append(box((wide - 2 * pier, wide - 2 * pier, top - belfry - 0.3), palette.IRON[0], (0, 0, belfry)))
    out, foot = half + 0.4, top + 0.34
    ring = np.array([[-out, -out, foot], [out, -out, foot], [out, out, foot], [-out, out, foot]])
    waist = ring * [0.36, 0.36, 0] + [0, 0, foot + 1.5]
    sides = Quads()
    sides.strip(ring, waist, palette.COPPER)
    peak = [0.0, 0.0, foot + 1.5 + 1.5 * wide]
    pairs = zip(waist, np.roll(waist, -1, 0), strict=True)
    spire = [Mesh.of([a, b, peak], [[0, 1, 2]], palette.COPPER) for a, b in pairs]
    return Mesh.merged([*parts, sides.mesh(), *spire, box((0.1, 0.1, 1.1), palette.GOLD, (0, 0, peak[2] - 0.1))])


def _clock(quads: Quads, wall: Wall, middle_m: float) -> None:
    """Adds a clock that says eight to a wall of a tower."""
    u, radius = wall.length_m / 2, 0.34 * wall.length_m
    for reach, tone, proud in ((radius, palette.GOLD, 0.05), (0.88 * radius, palette.TRIM, 0.08)):
        angles = np.arange(13) * pi / 6 + pi / 12
        rim_u, rim_v = u + reach * np.cos(angles), middle_m + reach * np.sin(angles)
        for n in range(0, 12, 2):
            across = [u, rim_u[n], rim_u[n + 1], rim_u[n + 2]]
            quads.add(wall.at(across, [middle_m, *rim_v[n : n + 3]], proud), tone)
    for angle, reach in ((pi / 2, 0.74 * radius), (-5 * pi / 6, 0.5 * radius)):
        side = 0.05 * radius * np.array([-sin(angle), cos(angle)])
        tip = reach * np.array([cos(angle), sin(angle)])
        corners = np.array([-side, tip - side, tip + side, side])
        quads.add(wall.at(u + corners[:, 0], middle_m + corners[:, 1], 0.11), palette.IRON[0])


def _dormer(half: float, slope: float, look: Look) -> Mesh:
    """Returns a gabled dormer that looks towards -y from a roof whose eaves lie `half` metres away from the ridge."""
    wide, tall, rise = 1.15, 1.05, 0.5
    base = min(0.38 * half * slope, half * slope - tall - rise - 0.15)
    peak = base + tall + rise
    front, back, ridge_end = base / slope - half - 0.08, (base + tall) / slope - half, peak / slope - half
    wall = Wall(np.array([-wide / 2, front]), np.array([1.0, 0.0]), wide)
    quads = Quads()
    quads.add(wall.rectangles(0, base - 0.2, wide, tall + 0.2), look.facade)
    quads.add(wall.rectangles(0.17, base + 0.12, wide - 0.34, tall - 0.2, 0.03), palette.TRIM)
    quads.add(wall.rectangles(0.25, base + 0.2, wide - 0.5, tall - 0.36, 0.05), palette.GLASS)
    for x, first, second in ((-wide / 2, back, front), (wide / 2, front, back)):
        up = ((first, base - 0.2), (second, base - 0.2), (second, base + tall), (first, base + tall))
        quads.add([(x, y, z) for y, z in up], look.facade)
    out = wide / 2 + 0.14
    lid = [
        (out, front - 0.2, base + tall - 0.12),
        (out, back, base + tall - 0.12),
        (0, ridge_end, peak),
        (0, front - 0.2, peak),
    ]
    quads.add(lid, look.roof)
    quads.add([(-x, y, z) for x, y, z in reversed(lid)], look.roof)
    corners = [(-wide / 2, front, base + tall), (wide / 2, front, base + tall), (0, front, peak - 0.05)]
    return Mesh.merged([quads.mesh(), Mesh.of(corners, [[0, 1, 2]], look.facade)])


def _inside(
    plan: NDArray[np.float64], walls: Sequence[Wall], doors: Sequence[tuple[int, float]], ceiling: float, look: Look
) -> Mesh:
    """Returns the inner faces of the outer walls, the ceiling and the reveals of the doors."""
    quads = Quads()
    inner = inset(plan, _WALL_M)
    plaster = lighter(look.facade, 0.45)
    for index, wall in enumerate(walls):
        a, b = inner[index], inner[(index + 1) % len(inner)]
        back = Wall.between(b, a)
        if float(back.along @ wall.along) > 0:
            continue
        shift = float((a - wall.start) @ wall.along)
        holes = [
            (back.length_m - (u - shift) - DOOR_M[0] / 2, DOOR_M[0], 0.0, DOOR_M[1]) for at, u in doors if at == index
        ]
        for u, v, width, height in tiles(back.length_m, ceiling - 0.1, holes):
            quads.add(back.rectangles(u, v, width, height), plaster)
        for u in (u for at, u in doors if at == index):
            left, right, top = u - DOOR_M[0] / 2, u + DOOR_M[0] / 2, DOOR_M[1]
            deep = -_WALL_M
            quads.add(wall.at(left, [0, 0, top, top], [deep, 0, 0, deep])[::-1], palette.TRIM)
            quads.add(wall.at(right, [0, 0, top, top], [0, deep, deep, 0])[::-1], palette.TRIM)
            quads.add(wall.at([left, right, right, left], top, [0, 0, deep, deep])[::-1], palette.TRIM)
    over = np.column_stack([inner, np.full(len(inner), ceiling - 0.1)])
    return Mesh.merged([quads.mesh(), Mesh.of(over, triangulated(inner)[:, ::-1], palette.TRIM)])


def _convex(plan: NDArray[np.float64]) -> bool:
    edges = np.roll(plan, -1, 0) - plan
    after = np.roll(edges, -1, 0)
    return bool((edges[:, 0] * after[:, 1] - edges[:, 1] * after[:, 0] > -1e-6).all())
