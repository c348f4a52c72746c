"""Windows, doors, shops and balconies, laid out on the walls of a building storey by storey."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecumene_world.assets import palette
from ecumene_world.assets.facade import Quads, Wall, tiles
from ecumene_world.assets.mesh import RGB
from ecumene_world.assets.palette import darker, lighter, mixed

_STOREY_M: Final = 3.1
DOOR_M: Final = (1.15, 2.25)
"""Width and height of a door, metres."""
_WINDOW_FACES: Final = 900
"""Triangles that windows may take before they are drawn plainer."""


@dataclass(frozen=True, slots=True)
class Look:
    """What distinguishes one building from the next.

    Attributes:
        style: "old_town", "modern" or "hall".
        facade: sRGB of the walls.
        ground: sRGB of the ground floor.
        roof: sRGB of the tiles.
        plinth: sRGB.
        door: sRGB.
        shutters: sRGB, or None for none.
        shop: Whether the longest wall with an entrance has a shop window.
        steep: Rise over run of the roof.
        tower: Whether a clock tower rises from the roof.
    """

    style: str
    facade: RGB
    ground: RGB
    roof: RGB
    plinth: RGB
    door: RGB
    shutters: RGB | None
    shop: bool
    steep: float
    tower: bool = False


def add_openings(
    quads: Quads,
    walls: Sequence[Wall],
    doors: Sequence[tuple[int, float]],
    eaves: float,
    look: Look,
    rng: np.random.Generator,
) -> None:
    """Adds windows storey by storey, one shop window and balconies."""
    storey = storey_of(eaves)
    count = max(1, round(eaves / storey))
    pitch, detail = _spacing(walls, count, look, rng)
    shop = _shop_wall(walls, doors) if look.shop and look.style == "old_town" and storey > 2.5 else None
    for index, wall in enumerate(walls):
        columns = int((wall.length_m - 0.7) / pitch)
        if columns < 1:
            continue
        gap = wall.length_m / columns
        middles: NDArray[np.float64] = (np.arange(columns, dtype=np.float64) + 0.5) * gap
        blocked = [u for at, u in doors if at == index]
        free = middles[[all(abs(u - at) > gap * 0.5 + 0.75 for at in blocked) for u in middles]]
        if index == shop:
            _shop(quads, wall, blocked, storey, rng)
        else:
            _windows(quads, wall, free, 0.0, storey, gap, look, detail)
        for level in range(1, count):
            _windows(quads, wall, middles, level * storey, storey, gap, look, detail)
        if look.style == "modern" and count > 2 and index == _longest(walls) and detail:
            _balconies(quads, wall, middles[::2], storey, count, look)


def _spacing(walls: Sequence[Wall], count: int, look: Look, rng: np.random.Generator) -> tuple[float, int]:
    """Returns the distance between windows in metres and how much detail (0..2) the triangle budget leaves them."""
    pitch = {"old_town": 2.1, "modern": 2.8, "hall": 4.2}[look.style] * float(rng.uniform(0.92, 1.12))
    if look.shutters is not None and look.style == "old_town":
        pitch *= 1.3
    total = sum(int((wall.length_m - 0.7) / pitch) for wall in walls) * count
    detail = 2 if total * 14 < _WINDOW_FACES else 1 if total * 8 < _WINDOW_FACES else 0
    while total * 4 > 1.5 * _WINDOW_FACES:
        pitch, total = pitch * 1.5, int(total / 1.5)
    return pitch, detail


def _windows(
    quads: Quads,
    wall: Wall,
    middles: NDArray[np.float64],
    floor: float,
    storey: float,
    gap: float,
    look: Look,
    detail: int,
) -> None:
    """Adds a row of windows; `detail` 2 has frames, two panes, sills and shutters, 0 has framed single panes."""
    wide = {"old_town": min(1.05, gap * 0.5), "modern": gap * 0.68, "hall": gap * 0.62}[look.style]
    sill = {"old_town": 0.30, "modern": 0.22, "hall": 0.45}[look.style] * storey
    tall = {"old_town": 0.50, "modern": 0.62, "hall": 0.34}[look.style] * storey
    if sill + tall > storey - 0.3:
        tall = storey - 0.3 - sill
    left, low = middles - wide / 2, floor + sill
    border = 0.09 if look.style == "old_town" else 0.05
    frame = palette.TRIM if look.style == "old_town" else darker(look.facade, 0.55)
    quads.add(wall.rectangles(left - border, low - border, wide + 2 * border, tall + 2 * border, 0.03), frame)
    if detail == 0:
        quads.add(wall.rectangles(left, low, wide, tall, 0.05), palette.GLASS)
        return
    pane = wide / 2 - 0.03
    quads.add(wall.rectangles(left, low, pane, tall, 0.05), palette.GLASS)
    quads.add(wall.rectangles(left + pane + 0.06, low, pane, tall, 0.05), lighter(palette.GLASS, 0.08))
    if detail < 2:
        return
    quads.add(wall.ledges(left - 0.14, low - border - 0.07, wide + 0.28, 0.08, 0.16), palette.TRIM)
    if look.shutters is not None and look.style == "old_town" and gap > wide * 2 + 0.45:
        for side in (-1, 1):
            at = middles + side * (wide * 0.75 + border + 0.02) - wide / 4
            quads.add(wall.rectangles(at, low - 0.04, wide / 2, tall + 0.08, 0.06), look.shutters)


def add_door(quads: Quads, wall: Wall, u: float, look: Look, *, leaf: bool, low: bool) -> None:
    """Adds a door with its frame, step and small roof; without a leaf, the frame alone around a hole."""
    wide, tall = DOOR_M[0], DOOR_M[1] - (0.25 if low else 0.0)
    left = u - wide / 2
    if leaf:
        quads.add(wall.rectangles(left - 0.14, 0.0, wide + 0.28, tall + 0.16, 0.06), palette.TRIM)
        quads.add(wall.rectangles(left, 0.0, wide, tall - 0.42, 0.08), look.door)
        quads.add(wall.rectangles(left, tall - 0.36, wide, 0.36, 0.08), palette.GLASS_LIT)
        for side in (0.10, 0.55):
            panel = wall.rectangles(left + side * wide, 0.2, wide * 0.35, tall - 0.85, 0.09)
            quads.add(panel, lighter(look.door, 0.10))
    else:
        for at in (left - 0.14, left + wide):
            quads.add(wall.rectangles(at, 0.0, 0.14, tall + 0.14, 0.06), palette.TRIM)
        quads.add(wall.rectangles(left, tall, wide, 0.14, 0.06), palette.TRIM)
    quads.add(wall.ledges(left - 0.3, tall + 0.2, wide + 0.6, 0.12, 0.5), lighter(look.plinth, 0.2))
    quads.add(wall.ledges(left - 0.3, tall + 0.2, wide + 0.6, 0.12, 0.5, under=True)[1:], darker(look.plinth, 0.3))
    quads.add(wall.ledges(left - 0.2, 0.0, wide + 0.4, 0.04, 0.5), lighter(look.plinth, 0.1))


def _shop(quads: Quads, wall: Wall, doors: Sequence[float], storey: float, rng: np.random.Generator) -> None:
    """Adds shop windows between a wall's doors, under a sign band and striped awnings."""
    tint = palette.ACCENTS[int(rng.integers(len(palette.ACCENTS)))]
    gaps = [(u - DOOR_M[0] / 2 - 0.35, DOOR_M[0] + 0.7, 0.0, 9.0) for u in doors]
    top = min(2.45, storey - 0.55)
    corners = [(-1.0, 1.5, 0.0, 9.0), (wall.length_m - 0.5, 1.0, 0.0, 9.0)]
    for start, _, width, _ in tiles(wall.length_m, 1.0, [*corners, *gaps]):
        if width < 1.2:
            continue
        u, wide = start, min(width, 5.0)
        u += (width - wide) / 2
        quads.add(wall.rectangles(u, 0.0, wide, top + 0.42, 0.07), darker(tint, 0.25))
        panes = max(1, round(wide / 1.5))
        each = (wide - 0.1) / panes
        left = u + 0.1 + np.arange(panes) * each
        quads.add(wall.rectangles(left, 0.55, each - 0.1, top - 0.62, 0.10), palette.GLASS_LIT)
        quads.add(wall.rectangles(u + 0.2, top + 0.05, wide - 0.4, 0.26, 0.10), palette.TRIM)
        stripes = max(4, 2 * round(wide / 1.0))
        edge = u + np.arange(stripes + 1) * wide / stripes
        for index in range(stripes):
            a, b = edge[index], edge[index + 1]
            across = [a, b, b, a]
            roof = wall.at(across, [top - 0.32, top - 0.32, top, top], [1.0, 1.0, 0.08, 0.08])
            quads.add(roof, tint if index % 2 else palette.TRIM)
            quads.add(roof[::-1] - [0, 0, 0.02], darker(tint, 0.3))
            quads.add(wall.rectangles(a, top - 0.52, b - a, 0.2, 1.0), tint if index % 2 else palette.TRIM)


def _balconies(quads: Quads, wall: Wall, middles: NDArray[np.float64], storey: float, count: int, look: Look) -> None:
    """Adds balconies with a closed railing on every upper storey."""
    rail = mixed(look.roof, palette.GLASS_LIT, 0.5)
    wide, deep = 2.2, 1.1
    for level in range(1, min(count, 7)):
        left, floor = middles - wide / 2, level * storey + 0.1
        quads.add(wall.ledges(left, floor, wide, 0.14, deep), palette.TRIM)
        quads.add(wall.ledges(left, floor, wide, 0.14, deep, under=True)[len(middles) :], darker(palette.TRIM, 0.2))
        quads.add(wall.rectangles(left, floor + 0.2, wide, 0.85, deep), rail)
        for u in left:
            for across, out in ((u, (0.0, deep)), (u + wide, (deep, 0.0))):
                side = wall.at(across, [floor, floor, floor + 1.05, floor + 1.05], [*out, *out[::-1]])
                quads.add(side, rail)


def _longest(walls: Sequence[Wall]) -> int:
    return max(range(len(walls)), key=lambda index: walls[index].length_m)


def _shop_wall(walls: Sequence[Wall], doors: Sequence[tuple[int, float]]) -> int | None:
    """Returns the longest wall with a door that has room for a shop window."""
    fit = [index for index, _ in doors if walls[index].length_m > 6.0]
    return max(fit, key=lambda index: walls[index].length_m) if fit else None


def storey_of(eaves: float) -> float:
    """Returns the height of one storey, metres."""
    return eaves / max(1, round(eaves / _STOREY_M))
