"""Rooms of homes: living rooms, kitchens, bedrooms, baths, studies and halls.

How many of what stands in them follows real rooms, see `statistics`.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import pi
from typing import Final

from ecumene_world.generate.furnisher import Furnisher
from ecumene_world.generate.proposer import Side
from ecumene_world.generate.set_pieces import (
    dining,
    dining_anywhere,
    lounge,
    offset,
    pictures,
    reading_corner,
    room_desk,
    windows,
)
from ecumene_world.generate.statistics import mean_count

_BEDSIDE: Final[Mapping[str, float | str]] = {"width_m": 0.5, "depth_m": 0.5, "height_m": 0.5, "shape": "square"}


def living(f: Furnisher) -> None:
    """A sofa corner, a table to eat at where the room is large, books, plants and pictures."""
    windows(f)
    x, y = f.middle
    turned = f.wide > f.deep
    large = f.area > 26.0
    shift = (0.24 * f.wide if turned else 0.22 * f.deep) if large else 0.0
    sign = 1 if f.chance(0.5) else -1
    near, far = (x, y + sign * shift) if turned else (x + shift, y), (x, y - sign * shift) if turned else (x - shift, y)
    way = float(f.rng.integers(2)) * pi + (0.0 if turned else pi / 2)
    for yaw in (way, way + pi, way + pi / 2, way - pi / 2):
        if lounge(f, *near, yaw) is not None:
            break
    if large:
        dining(f, *far, pi / 2 if turned else 0.0, 6 if f.area > 34 else 4)
    if f.area > 40 or f.wishes("elderly"):
        reading_corner(f)
    for _ in range(f.some(0.5 * mean_count("living", "bookcase") + 0.03 * f.area)):
        f.against("bookcase", ("left", "right", "back", "front"), 1, attributes={"title": "Novels and atlases"})
    f.against("cabinet", ("left", "right", "back"), f.some(mean_count("living", "cabinet")))
    f.plants(mean_count("living", "potted_plant") + 0.02 * f.area)
    if f.wishes("children"):
        _toys(f, 3)
    for index in [n for n, item in enumerate(f.items) if item.kind == "cabinet"][:1]:
        f.upon("radio", index)
    pictures(f, ("left", "right", "back", "front"))


def kitchen(f: Furnisher) -> None:
    """A row of appliances along a wall, a table to eat at."""
    windows(f)
    side: Side = "left" if f.chance(0.5) else "right"
    if f.deep < f.wide:
        side = "back"
    length = f.wide if side == "back" else f.deep
    kinds = ["fridge", "counter", "sink", "stove", "counter"] if length > 4.6 else ["fridge", "sink", "stove"]
    row = _kitchen_row(f, kinds, side)
    if not row:
        _kitchen_row(f, ["fridge", "sink", "stove"], "back" if side != "back" else "left")
    dining_anywhere(f, 4 if f.area < 16 else 6, f.middle)
    f.against("cabinet", ("left", "right", "front"), f.some(0.6 * f.style.density))
    f.against("bin", ("left", "right", "front", "back"), 1, front_m=0.0, at=-1.0)
    f.plants(mean_count("kitchen", "potted_plant"))
    pictures(f, ("left", "right"), 0.5)


def bedroom(f: Furnisher) -> None:
    """A bed with its head to a wall, a wardrobe, a desk or a chair, a lamp."""
    windows(f)
    params = {"width_m": 1.6 if f.area > 11 else 1.0}
    bed = _bed(f, params)
    if bed is not None:
        place = f.items[bed]
        for dy in (params["width_m"] / 2 + 0.3, -params["width_m"] / 2 - 0.3):
            f.stand("table", *offset(place.x, place.y, place.yaw, -0.7, dy), place.yaw, params=_BEDSIDE)
        at = offset(place.x, place.y, place.yaw, 1.0, 0.0)
        f.rug(*at, place.yaw + pi / 2, params={"width_m": 1.4, "length_m": 2.0})
        if f.wishes("elderly"):
            f.hang("alarm_button", "back", 0.5, 1.0)
    f.against("wardrobe", ("left", "right", "front", "back"), 1, front_m=0.7, at=-1.0)
    if f.wishes("elderly"):
        f.against("armchair", ("left", "right", "back"), 1, front_m=0.5, at=-1.0)
    elif f.chance(min(0.9, mean_count("bedroom", "desk"))):
        _wall_desk(f)
    f.against(
        "bookcase",
        ("left", "right", "front"),
        f.some(mean_count("bedroom", "bookcase") * f.style.density),
        attributes={"title": "Bedside books"},
    )
    f.against("cabinet", ("left", "right", "front", "back"), f.some(mean_count("bedroom", "cabinet") * f.style.density))
    f.against("floor_lamp", ("left", "right", "back"), 1, front_m=0.0, at=-1.0)
    f.plants(0.6)
    pictures(f, ("left", "right", "back"), 0.6)


def child_room(f: Furnisher) -> None:
    """A small bed, a desk, shelves and toys on the floor."""
    windows(f)
    _bed(f, {"width_m": 0.95, "length_m": 1.9})
    _wall_desk(f)
    f.against("wardrobe", ("left", "right", "front"), 1, front_m=0.7, at=-1.0, params={"width_m": 1.0})
    f.against("shelf", ("left", "right", "back"), 1, params={"height_m": 1.1, "width_m": 1.0})
    f.rug(*f.middle, 0.0, params={"width_m": 1.6, "length_m": 1.6})
    _toys(f, 4)
    pictures(f, ("left", "right"), 0.8)


def bathroom(f: Furnisher) -> None:
    """A bath where it fits, a basin and a toilet."""
    windows(f)
    f.against("bathtub", ("back", "left", "right"), 1, front_m=0.5, at=-1.0)
    f.against("toilet", ("left", "right", "back", "front"), 1, front_m=0.55)
    f.against("sink", ("right", "left", "back", "front"), 1, front_m=0.6, params={"width_m": 0.9})
    f.against("cabinet", ("left", "right", "front"), f.some(0.4), front_m=0.5, params={"width_m": 0.7})
    f.against("bin", ("left", "right", "front", "back"), 1, front_m=0.0, at=-1.0)
    if f.wishes("elderly"):
        f.hang("alarm_button", "left", 0.3, 1.0)


def washroom(f: Furnisher) -> None:
    """Toilets side by side and basins, for those who work or wait in a building."""
    windows(f)
    for _ in range(1 + f.some(0.06 * f.area)):
        f.against("toilet", ("back", "left", "right"), 1, front_m=0.6)
    for _ in range(1 + f.some(0.05 * f.area)):
        f.against("sink", ("left", "right", "front"), 1, front_m=0.7, params={"width_m": 0.9})
    f.against("bin", ("left", "right", "front", "back"), 1, front_m=0.0, at=-1.0)


def study(f: Furnisher) -> None:
    """A desk that looks into the room, bookcases, an armchair under a lamp."""
    windows(f)
    x, y = f.middle
    room_desk(f, x + 0.25 * f.deep - 0.3, y)
    for _ in range(f.some(1.5 + 0.08 * f.area)):
        f.against("bookcase", ("left", "right", "back", "front"), 1, attributes={"title": "Reference books"})
    reading_corner(f, ("left", "right"))
    f.rug(x, y, pi / 2, params={"width_m": 1.6, "length_m": 2.2})
    f.plants(1.0)
    pictures(f, ("left", "right", "back"), 0.6)


def hall(f: Furnisher) -> None:
    """A cabinet, a plant and pictures that leave the way free."""
    f.against("cabinet", ("left", "right"), f.some(0.4 + 0.02 * f.area), front_m=0.9, params={"width_m": 0.9})
    if f.wishes("elderly"):
        f.against("bench", ("left", "right"), 1, front_m=0.9, params={"width_m": 1.2})
    f.plants(0.8 + 0.03 * f.area, ("back", "left", "right"))
    pictures(f, ("back", "left", "right"), 0.8)


def _bed(f: Furnisher, params: dict[str, float]) -> int | None:
    """Stands a bed with its head to the wall, in the middle of it where the room is wide enough to walk round."""
    wide = params["width_m"] > 1.3
    for at in (0.5, -1.0):
        sides: tuple[Side, ...] = ("back", "left", "right") if f.deep >= f.wide - 0.6 else ("left", "right", "back")
        found = f.against("bed", sides, 1, at=at if wide else -1.0, front_m=0.6, params={**params})
        if found:
            return found[0]
    return None


def _wall_desk(f: Furnisher) -> None:
    """Stands a desk whose sitter looks at the wall behind it."""
    found = f.against("desk", ("left", "right", "back", "front"), 1, front_m=1.0, seed=f.style.looks)
    if found:
        desk = f.items[found[0]]
        f.board.ways.pop()
        f.seat("chair", *offset(desk.x, desk.y, desk.yaw, 0.68, 0.0), desk.yaw + pi, found[0], f.style.looks)


def _kitchen_row(f: Furnisher, kinds: list[str], side: Side) -> list[int]:
    found = f.row(kinds, side, start=f.rng.random() * 0.2, front_m=0.75)
    for index in found:
        if f.items[index].kind == "counter":
            f.upon("coffee_machine", index)
            break
    return found


def _toys(f: Furnisher, count: int) -> None:
    """Lays balls and boxes on the floor, where nobody's way is blocked by them."""
    for n in range(count):
        x, y = f.at(*f.rng.uniform(0.15, 0.85, 2).tolist())
        f.stand(("ball", "box", "book")[n % 3], x, y, float(f.rng.uniform(-pi, pi)))
