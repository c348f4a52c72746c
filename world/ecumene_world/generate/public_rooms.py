"""Rooms that are open to all: cafés, shops, galleries and what lies behind them."""

from __future__ import annotations

from math import pi

from ecumene_world.generate.board import Box
from ecumene_world.generate.furnisher import Furnisher
from ecumene_world.generate.proposer import Proposal, Side
from ecumene_world.generate.set_pieces import (
    dining_anywhere,
    lounge,
    offset,
    pictures,
    reading_corner,
    staffed,
    windows,
)

_EXHIBITS = {
    "art": (
        ("The Ferryman", "Bronze."),
        ("Two Herons", "Cast in the town's own foundry."),
        ("A Cartographer", "Marble."),
        ("The Baker's Daughter", "Bronze, 1931."),
    ),
    "history": (
        ("Market measures", "A bushel, a peck and a very short yard."),
        ("Mill model", "It ground until the flood."),
        ("Letters", "Tied with string; nobody has read the last one."),
        ("Tram conductor's bag", "Still smells of leather."),
    ),
    "science": (
        ("Orrery", "Turn the handle and a year goes by."),
        ("Fossil fern", "From the quarry behind the school."),
        ("Beetles", "Two hundred and twelve, each with a pin."),
        ("First radio", "It got one station, on clear nights."),
    ),
}
"""What a museum shows, by the tag that asks for it: titles and texts."""


def guest_room(f: Furnisher) -> None:
    """A counter at the back with stools before it, tables of many sizes, a corner with armchairs."""
    windows(f)
    wide = round(min(6.0, max(1.8, f.wide * (0.5 if f.wishes("bar") else 0.36))), 2)
    x, y = f.board.x1 - 1.75, f.board.y0 + wide / 2 + 0.95
    f.against("shelf", ("back",), max(1, int(wide / 1.5)), at=0.1, front_m=0.0)
    counter = f.stand("counter", x, y, pi, params={"width_m": wide})
    if counter is not None:
        f.keep_clear(x + 0.3, y - wide / 2 - 0.85, f.board.x1 - 0.45, y + wide / 2 + 0.85)
        stools = int(wide / 0.9)
        for n in range(stools):
            f.stand("stool", x - 0.72, y + (n - (stools - 1) / 2) * 0.9, 0.0, seed=1, faces=counter)
        f.upon("coffee_machine", counter, 0.0, wide / 2 - 0.5)
        f.upon("till", counter, 0.0, -wide / 2 + 0.4)
        for n in range(f.some(2 * f.style.density)):
            f.upon("cup", counter, 0.0, 0.3 * n - 0.3)
    if f.area > 45:
        for at in (f.at(0.25, 0.82), f.at(0.4, 0.8), f.at(0.25, 0.2)):
            if lounge(f, *at, pi / 2, screen=False) is not None:
                break
    for _ in range(f.some(f.area * f.style.density / 7.5)):
        near = f.at(*f.rng.uniform(0.08, 0.92, 2).tolist())
        dining_anywhere(f, (4, 2, 4)[int(f.rng.integers(3))], near, aisle_m=0.8)
    if f.wishes("cozy"):
        reading_corner(f)
    f.against(
        "bookcase", ("left", "right"), 1 + f.some(0.01 * f.area), attributes={"title": "Borrow a book, bring a book"}
    )
    f.plants(2.0 + 0.02 * f.area, ("front", "left", "right", "back"))
    pictures(f, ("left", "right"), None)


def cafe_kitchen(f: Furnisher) -> None:
    """A row of stoves and sinks at the back, work tables, shelves."""
    f.row(
        ["fridge", "stove", "stove", "counter", "sink", "counter"] if f.wide > 5 else ["fridge", "stove", "sink"],
        "back",
    )
    f.row(["counter", "sink", "counter"], "left", front_m=0.8)
    for _ in range(f.some(f.area / 16)):
        at = f.spot(0.8, 1.5, f.middle, pi / 2, aisle_m=0.85)
        table = (
            None
            if at is None
            else f.stand("table", *at, pi / 2, params={"shape": "square", "width_m": 1.4, "depth_m": 0.7})
        )
        if table is not None:
            f.upon("cup", table)
            f.upon("box", table, 0.0, 0.45) if f.chance(0.4) else None
    f.against("shelf", ("right", "left", "front"), f.some(1.0 + 0.05 * f.area), front_m=0.8)
    f.against("bin", ("front", "left", "right"), 1, front_m=0.0, at=-1.0)


def sales(f: Furnisher) -> None:
    """A counter with a till by the door, shelves along the walls and in rows with aisles between."""
    windows(f)
    side: Side = "right" if f.chance(0.5) else "left"
    sign = 1 if side == "right" else -1
    edge = f.board.y0 if side == "right" else f.board.y1
    counter = f.stand(
        "counter", f.board.x0 + 2.3, edge + sign * 1.6, sign * pi / 2, front_m=0.8, params={"width_m": 2.2}
    )
    if counter is not None:
        item = f.items[counter]
        f.upon("till", counter, 0.0, 0.6)
        f.keep_clear(item.x - 1.6, edge, item.x + 1.6, edge + sign * 1.2)
    sort = next((tag for tag in ("books", "clothes", "flowers", "grocery") if f.wishes(tag)), "")
    sort = sort or ("grocery", "grocery", "books", "clothes")[int(f.rng.integers(4))]
    wall_kind = {"books": "bookcase", "flowers": "shelf", "clothes": "shelf"}.get(sort, "shelf")
    words = {"title": "For sale"} if wall_kind == "bookcase" else {}
    for _ in range(f.some(0.2 * f.area * f.style.density)):
        f.against(wall_kind, ("left", "right", "back"), 1, front_m=0.95, attributes=words)
    if sort == "grocery":
        f.against("fridge", ("back", "left"), 1 + f.some(0.02 * f.area), front_m=0.9)
    _aisles(f, sort)
    f.against("bench", ("front",), 1, params={"width_m": 1.2})
    f.plants(1.0 + (4.0 if sort == "flowers" else 0.0), ("front", "left", "right"))
    pictures(f, ("left", "right"), 0.6)


def _aisles(f: Furnisher, sort: str) -> None:
    """Fills the middle of a shop with what it sells, in blocks with ways more than a metre wide all round."""
    deep, wide, block = {"clothes": (1.9, 1.75, 2), "flowers": (1.9, 1.9, 1), "books": (2.2, 1.25, 3)}.get(
        sort, (2.15, 1.25, 3)
    )
    rows = max(0, int((f.deep - 4.2) / deep) + 1)
    span = block * wide + 1.15
    blocks = max(1, int((f.wide - 2.2) / span))
    start = f.middle[1] - (blocks * span - 1.15) / 2 + wide / 2
    for row in range(rows):
        x = f.board.x0 + 2.7 + row * deep
        for number in range(blocks * block):
            y = start + (number // block) * span + (number % block) * wide
            if f.chance(min(1.0, 0.94 * f.style.density)):
                _stock(f, sort, x, y, row * 7 + number)


def _stock(f: Furnisher, sort: str, x: float, y: float, number: int) -> None:
    """Stands one piece of what a shop sells."""
    if sort == "clothes":
        f.stand("clothes_rack", x, y, 0.0, spare_m=0.1, seed=number % 6)
    elif sort == "flowers":
        f.stand("flower_bed", x, y, 0.0, spare_m=0.3, seed=number % 6, params={"length_m": 1.0, "width_m": 0.7})
    elif sort == "books" and number % 3 == 1:
        table = f.stand("table", x, y, 0.0, spare_m=0.02, params={"shape": "square", "width_m": 1.15, "depth_m": 0.8})
        if table is not None:
            for n in range(4):
                f.upon("book", table, 0.2 if n % 2 else -0.2, 0.3 * (n // 2) - 0.15)
    else:
        kind = "bookcase" if sort == "books" else "shelf"
        params = {"width_m": 1.2, "height_m": 1.6}
        f.stand(kind, x - 0.2, y, pi, seed=f.style.looks, params=params)
        f.stand(kind, x + 0.2, y, 0.0, seed=f.style.looks, params=params)


def store_room(f: Furnisher) -> None:
    """Shelves all round, boxes, a desk."""
    for _ in range(f.some(0.22 * f.area)):
        f.against("shelf", ("left", "right", "back"), 1, front_m=0.85)
    f.against("desk", ("left", "right", "front"), 1, front_m=1.0)
    for x, y in f.cells(1.5, 1.3, 1.5):
        if f.chance(0.6):
            f.stand("box", x, y, float(f.rng.integers(4)) * pi / 2 + 0.2)
    f.against("cabinet", ("left", "right", "front"), f.some(0.6))


def gallery(f: Furnisher) -> None:
    """Exhibits on the floor with room to walk round, pictures on every wall, partitions, a bench to look from."""
    sort = next((tag for tag in _EXHIBITS if f.wishes(tag)), ("art", "history", "science")[f.style.looks % 3])
    shown = _EXHIBITS[sort]
    start = int(f.rng.integers(4))
    number = 0
    cells = f.cells(3.0, 3.0, 1.75)
    for n, (x, y) in enumerate(cells):
        if not f.chance(min(1.0, 0.85 * f.style.density)):
            continue
        title, text = shown[(start + number) % len(shown)]
        words = {"title": title, "text": text}
        if n % 4 == 2 and min(f.deep, f.wide) > 6.5:
            partition(f, x, y)
        elif n % 3 == 1:
            f.stand("bench", x, y, pi / 2 * (n % 4), front_m=0.6, spare_m=0.5, params={"width_m": 1.6})
        elif sort == "art" and number % 2 == 0:
            number += f.stand("statue", x, y, pi, spare_m=0.7, attributes=words) is not None
        else:
            number += f.stand("display_case", x, y, pi / 2 * (n % 2), spare_m=0.6, attributes=words) is not None
    if sort != "art":
        for _ in range(f.some(0.05 * f.area)):
            title, text = shown[(start + number) % len(shown)]
            number += 1
            f.against(
                "display_case", ("left", "right", "back"), 1, front_m=0.9, attributes={"title": title, "text": text}
            )
    f.plants(0.6, ("front", "back"))
    pictures(f, ("left", "right", "back", "front"))


def museum_hall(f: Furnisher) -> None:
    """A ticket desk beside the door, lockers, a few things to whet the appetite."""
    windows(f)
    counter = f.against("counter", ("right", "left"), 1, at=0.25, front_m=1.0, params={"width_m": 2.0})
    if counter:
        f.upon("till", staffed(f, counter[0]), 0.0, 0.5)
    f.hang("alarm_button", "front", 0.9, 1.3)
    gallery(f)


def partition(f: Furnisher, x: float, y: float) -> int | None:
    """A short wall that stands free, with a picture on each face."""
    box = Box(x, y, pi / 2, 1.3, 0.1)
    if not f.board.fits(box.grown(0.85)):
        return None
    f.board.taken.append(box)
    wall = Proposal("wall", x, y, pi / 2, attributes={"size": [2.6, 0.2, 2.3]})
    f.items.append(wall)
    for yaw in (0.0, pi):
        title, text = _EXHIBITS["art"][int(f.rng.integers(4))]
        at = offset(x, y, yaw, 0.105, 0.0)
        f.items.append(
            Proposal(
                "painting",
                *at,
                yaw,
                1.5,
                hung=True,
                seed=int(f.rng.integers(64)),
                attributes={"title": title, "text": text},
            )
        )
    return len(f.items) - 1
