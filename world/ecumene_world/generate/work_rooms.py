"""Rooms where people work: offices, meeting rooms, classrooms, consulting rooms, wards and what goes with them."""

from __future__ import annotations

from math import pi

from ecumene_world.generate.furnisher import Furnisher
from ecumene_world.generate.proposer import Side
from ecumene_world.generate.set_pieces import (
    cups,
    dining,
    dining_anywhere,
    lounge,
    offset,
    pictures,
    reading_corner,
    room_desk,
    staffed,
    windows,
    workplace,
    workplace_pair,
)


def open_office(f: Furnisher) -> None:
    """Desks in pairs, back to back, in rows with aisles between; cabinets and shelves along the walls."""
    windows(f)
    columns = max(1, int((f.deep - 0.7) / 4.1))
    along = max(1, int((f.wide - 1.8) / 1.75))
    if f.deep < 4.4:
        for x, y in f.cells(9.0, 1.75, 1.0):
            workplace(f, x + 0.2, y, 0.0)
    else:
        for column in range(columns):
            x = f.board.x0 + f.deep * (column + 0.5) / columns
            for n in range(along):
                y = f.middle[1] + (n - (along - 1) / 2) * 1.72
                if f.chance(min(1.0, 0.92 * f.style.density)):
                    workplace_pair(f, x, y, 0.0)
    for _ in range(f.some(0.05 * f.area)):
        f.against("cabinet", ("left", "right", "back"), 1, front_m=0.8)
    f.against("bookcase", ("left", "right", "front"), f.some(0.03 * f.area), attributes={"title": "Files"})
    if f.area > 55:
        f.against("screen", ("front", "back"), 1, at=0.9, params={"style": "totem"})
    f.plants(1.0 + 0.04 * f.area)
    pictures(f, ("left", "right", "front"), 0.8)


def private_office(f: Furnisher) -> None:
    """A large desk, a seat for a guest, shelves, a low table."""
    windows(f)
    x, y = f.at(0.62, 0.5)
    desk = room_desk(f, x, y) if f.deep > 3.4 else None
    if desk is None:
        desk = room_desk(f, *f.middle)
    if desk is not None:
        item = f.items[desk]
        for dy in (0.4, -0.4):
            f.seat("chair", *offset(item.x, item.y, item.yaw, -0.85, dy), item.yaw, desk, f.style.looks)
    for _ in range(f.some(0.09 * f.area)):
        f.against("bookcase", ("back", "left", "right"), 1, attributes={"title": "Files"})
    f.against("cabinet", ("left", "right"), 1)
    if f.area > 22:
        reading_corner(f, ("left", "right"))
    f.rug(*f.middle, 0.0, params={"width_m": 1.8, "length_m": 2.4})
    f.plants(1.4)
    pictures(f, ("left", "right", "back"), 0.7)


def meeting_room(f: Furnisher) -> None:
    """One long table with chairs all round, a screen at its end, a board on the wall, a sideboard."""
    x, y = f.middle
    long_x = f.deep >= f.wide
    end: Side = "back" if long_x else "left"
    beside: tuple[Side, Side] = ("left", "right") if long_x else ("back", "front")
    f.hang("blackboard", beside[0] if f.chance(0.5) else beside[1], 0.5, 1.45)
    windows(f)
    space, cross = (f.deep, f.wide) if long_x else (f.wide, f.deep)
    length = min(max(space - 3.4, 1.2), 1.2 + 0.14 * f.area, 6.0)
    wide = min(1.3, max(0.8, cross - 3.0))
    yaw = pi / 2 if long_x else 0.0
    seats = 2 * max(1, int(length / 0.72)) + 2
    params: dict[str, float | str] = {"width_m": min(length, 4.0), "depth_m": wide, "shape": "square"}
    f.against("screen", (end,), 1, at=0.5, front_m=0.9, params={"style": "television"})
    if length > 4.2:
        step = length / 4
        for s in (-step, step):
            sx, sy = (x + s, y) if long_x else (x, y + s)
            f.group("table", "chair", seats // 2, sx, sy, yaw, params={**params, "width_m": length / 2 - 0.6})
    elif f.group("table", "chair", seats, x, y, yaw, params=params) is None:
        dining(f, x, y, yaw, 4)
    tables = [n for n, item in enumerate(f.items) if item.kind == "table"]
    for table in tables:
        cups(f, table, f.some(3 * f.style.density), ("cup", "book", "cup"))
    f.against("cabinet", beside, 1, front_m=0.8)
    f.plants(1.2 + 0.02 * f.area)
    pictures(f, ("left", "right", "front"), 0.5)


def lobby(f: Furnisher) -> None:
    """A desk for whoever receives people, seats about a low table, coffee."""
    windows(f)
    desk = f.against("counter", ("back", "left", "right"), 1, at=0.85, front_m=1.0, params={"width_m": 1.8})
    if desk:
        staffed(f, desk[0])
    x, y = f.at(0.5, 0.2)
    for at in ((x, y), f.at(0.5, 0.25), f.at(0.6, 0.3)):
        if lounge(f, *at, pi / 2, screen=False) is not None:
            break
    else:
        f.against("bench", ("left", "right", "front"), 2, front_m=0.6)
    f.against("screen", ("left", "right", "front"), 1, params={"style": "totem"})
    side = f.against("cabinet", ("back", "right", "left"), 1)
    if side:
        f.upon("coffee_machine", side[0])
    f.plants(1.5 + 0.03 * f.area)
    pictures(f, ("left", "right", "back"), 0.8)


def kitchenette(f: Furnisher) -> None:
    """A short kitchen row, a table with chairs, a coffee machine."""
    windows(f)
    row = f.row(["fridge", "sink", "counter"], "back", front_m=0.9) or f.row(["sink", "counter"], "left", front_m=0.9)
    for index in row:
        if f.items[index].kind == "counter":
            f.upon("coffee_machine", index)
    for _ in range(max(1, f.some(f.area / 14))):
        dining_anywhere(f, 4, f.middle, aisle_m=0.3)
    f.against("bin", ("left", "right", "front"), 1, front_m=0.0, at=-1.0)
    f.plants(1.0)
    pictures(f, ("left", "right"), 0.6)


def archive(f: Furnisher) -> None:
    """Shelves along all walls and, where there is room, back to back in rows."""
    looks = f.style.looks
    for _ in range(f.some(0.3 * f.area)):
        f.against("shelf", ("left", "right", "back", "front"), 1, front_m=0.9, seed=looks)
    for x, y in f.cells(2.2, 1.5, 2.0):
        f.stand("shelf", x, y, 0.0, seed=looks, spare_m=0.0, front_m=0.0)
    for _ in range(f.some(2.0)):
        f.against("box", ("left", "right", "front"), 1, front_m=0.0)


def classroom(f: Furnisher) -> None:
    """Tables in rows that all look at the board, the teacher's desk beside it, a class library."""
    f.hang("blackboard", "back", 0.5, 1.45, params={"width_m": round(min(3.6, f.wide * 0.5), 2)})
    windows(f)
    seed = f.style.looks
    tx, ty = f.board.x1 - 1.35, f.at(0.5, 0.26)[1]
    desk = f.stand("desk", tx, ty, 0.0, seed=seed)
    if desk is not None:
        f.seat("chair", *offset(tx, ty, 0.0, 0.72, 0.0), pi, desk, seed)
    f.keep_clear(f.board.x1 - 2.2, f.at(0, 0.36)[1], f.board.x1, f.at(0, 0.95)[1])
    if f.wishes("group"):
        for x, y in f.cells(2.9, 2.7, 1.9):
            if x < f.board.x1 - 3.6:
                dining(f, x, y, pi / 2, 4)
    else:
        _rows_of_tables(f)
    small = f.wishes("children")
    for _ in range(f.some(0.04 * f.area)):
        f.against("bookcase", ("front", "left", "right"), 1, attributes={"title": "Class library"})
    f.against("shelf", ("front", "left", "right"), f.some(0.02 * f.area), params={"height_m": 1.2})
    if small:
        for n in range(3):
            x, y = f.at(0.12, 0.2 + 0.2 * n)
            f.stand(("ball", "box", "book")[n], x, y)
    f.against("bin", ("front", "left"), 1, front_m=0.0, at=-1.0)
    f.plants(1.0)
    pictures(f, ("left", "right", "front"), 0.9)


def _rows_of_tables(f: Furnisher) -> None:
    """Fills the room with tables for two whose pupils look at the back wall, aisles between the columns."""
    params: dict[str, float | str] = {
        "width_m": 1.25,
        "depth_m": 0.6,
        "shape": "square",
        **({"height_m": 0.62} if f.wishes("children") else {}),
    }
    rows = max(1, 1 + int((f.deep - 4.6) / 1.35))
    columns = max(1, int((f.wide - 0.9) / 2.15))
    aisle = (f.wide - 1.25 * columns) / (columns + 1)
    for row in range(rows):
        for column in range(columns):
            x = f.board.x1 - 2.9 - 1.35 * row
            y = f.board.y0 + aisle * (column + 1) + 1.25 * (column + 0.5)
            if row * columns + column > 0 and not f.chance(min(1.0, 0.93 * f.style.density)):
                continue
            table = f.stand("table", x, y, pi, params=params, seed=f.style.looks)
            if table is not None:
                for dy in (-0.31, 0.31):
                    f.seat("chair", x - 0.55, y + dy, 0.0, table, f.style.looks)
                if f.chance(0.35):
                    f.upon("book", table, 0.0, 0.2)


def cloakroom(f: Furnisher) -> None:
    """Benches and low shelves along the walls, the way through free."""
    f.against("bench", ("left", "right", "front"), f.some(0.08 * f.area), front_m=0.8, params={"width_m": 1.6})
    f.against("shelf", ("left", "right", "front"), f.some(0.06 * f.area), front_m=0.8, params={"height_m": 1.2})
    f.against(
        "notice_board",
        ("front", "left", "right"),
        1,
        front_m=0.7,
        params={"width_m": 1.0},
        attributes={"title": "Timetable", "text": "Reading, sums, a long break, and a walk if it is dry."},
    )
    f.plants(1.0)
    pictures(f, ("left", "right", "back"), 0.8)


def library(f: Furnisher) -> None:
    """Bookcases all round and in rows, reading tables and armchairs."""
    windows(f)
    for _ in range(f.some(0.16 * f.area)):
        f.against("bookcase", ("left", "right", "back", "front"), 1, front_m=0.8, attributes={"title": "Library"})
    pieces = (
        lambda x, y: dining(f, x, y, 0.0, 4),
        lambda x, y: lounge(f, x, y, 0.0, screen=False),
    )
    f.fill(pieces, 3.2, 1.9)
    for index in [n for n, item in enumerate(f.items) if item.kind == "table"]:
        f.upon("book", index, 0.1, -0.1)
    f.plants(1.0)


def waiting(f: Furnisher) -> None:
    """A reception desk, chairs along the walls, a table with something to read."""
    windows(f)
    desk = f.against(
        "counter", ("back", "right", "left"), 1, at=0.5, front_m=1.1, params={"width_m": 2.0 if f.wide > 4 else 1.4}
    )
    if desk:
        staffed(f, desk[0])
    for _ in range(f.some(0.38 * f.area * f.style.density)):
        f.against("chair", ("left", "right", "front"), 1, front_m=0.6, seed=f.style.looks)
    for x, y in f.cells(3.4, 3.4, 2.2):
        table = f.group("table", "chair", 2, x, y, 0.0, params={"shape": "round", "width_m": 0.9, "height_m": 0.5})
        if table is not None:
            f.upon("book", table)
    f.against("screen", ("left", "right", "front"), 1, params={"style": "totem"})
    f.plants(1.2 + 0.02 * f.area)
    pictures(f, ("left", "right", "back"), 0.7)


def consulting(f: Furnisher) -> None:
    """A couch along a wall, a desk with chairs on both sides, a basin and cabinets."""
    windows(f)
    f.against("exam_couch", ("left", "right", "back"), 1, at=-1.0, front_m=0.6)
    x, y = f.at(0.55, 0.5)
    desk = room_desk(f, x, y)
    if desk is None:
        desk = workplace(f, *f.at(0.5, 0.6), pi / 2)
    if desk is not None:
        item = f.items[desk]
        f.seat("chair", *offset(item.x, item.y, item.yaw, -0.85, 0.0), item.yaw, desk, f.style.looks)
    f.against("sink", ("left", "right", "back", "front"), 1, front_m=0.7, params={"width_m": 0.9})
    for _ in range(f.some(0.1 * f.area)):
        f.against("cabinet", ("back", "left", "right"), 1, params={"colour": "#f2ece1"})
    f.against("bin", ("left", "right", "front"), 1, front_m=0.0, at=-1.0)
    f.plants(0.6)
    pictures(f, ("left", "right"), 0.6)


def ward(f: Furnisher) -> None:
    """Beds along both walls with a chair and a table beside each, a basin, a bell."""
    windows(f)
    for _ in range(max(1, f.some(0.12 * f.area * f.style.density))):
        bed = f.against("bed", ("left", "right"), 1, front_m=0.7, params={"width_m": 0.95, "colour": "#f2ece1"})
        if bed:
            item = f.items[bed[0]]
            for dy in (0.85, -0.85):
                if (
                    f.stand(
                        "table",
                        *offset(item.x, item.y, item.yaw, -0.75, dy),
                        item.yaw,
                        params={"width_m": 0.6, "depth_m": 0.5, "height_m": 0.7, "shape": "square"},
                    )
                    is not None
                ):
                    break
    f.against("sink", ("front", "back"), 1, front_m=0.8, params={"width_m": 0.9})
    f.against("chair", ("back", "left", "right", "front"), f.some(2.0), front_m=0.5, seed=f.style.looks)
    f.hang("alarm_button", "back", 0.8, 1.2)
    f.against("screen", ("back", "front"), 1, params={"style": "totem"})
    f.plants(0.6)
    pictures(f, ("front", "back"), 0.6)


def treatment(f: Furnisher) -> None:
    """A couch that stands free, trolleys and cabinets along the walls, a basin."""
    windows(f)
    f.stand("exam_couch", *f.middle, pi if f.deep > f.wide else pi / 2, spare_m=0.5)
    f.row(["sink", "counter", "cabinet"], "back", front_m=0.8)
    for _ in range(f.some(0.12 * f.area)):
        f.against("cabinet", ("left", "right"), 1, params={"colour": "#f2ece1"})
    f.against("stool", ("left", "right"), 1)
    f.against("screen", ("left", "right"), 1, params={"style": "totem"})
    f.hang("alarm_button", "back", 0.9, 1.2)
