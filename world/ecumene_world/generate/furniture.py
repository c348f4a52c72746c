"""What stands in which room; every list is tried in order and what finds no place is left out."""

from __future__ import annotations

from typing import Final

from ecumene_world.generate.rooms import Furnisher, Side

_WALLS: Final[tuple[Side, ...]] = ("left", "right", "back")
_SIDES: Final[tuple[Side, ...]] = ("left", "right")


def cafe(f: Furnisher, title: str = "") -> None:
    """A counter with stools at the back, tables before it, plants and pictures."""
    room = f.room
    back = room.x1 - 0.45
    f.keep_clear(room.x1 - 1.6, room.y1 - 1.8, room.x1, room.y1)
    wide = min(4.2, room.size[1] * 0.45)
    y = room.y0 + wide / 2 + 0.9
    f.against("shelf", ["back"], 2, front_m=0.0, at=0.12)
    counter = f.stand("counter", back - 1.25, y, 3.14159, params={"width_m": round(wide, 2)})
    if counter is not None:
        f.keep_clear(back - 0.9, y - wide / 2, back, y + wide / 2)
        for n in range(3):
            f.stand("stool", back - 2.05, y + (n - 1) * min(1.0, wide / 4), 0.0)
        for n in range(3):
            f.upon("cup", counter, 0.0, (n - 1) * 0.4)
    for table in f.grid("table", "chair", 4, 2.5, 1.3):
        f.upon("cup", table, 0.1, 0.1)
    f.against("potted_plant", ["front", "left", "right"], 3, front_m=0.0)
    f.against("bookcase", _SIDES, 1, attributes={"title": "Shelf of borrowed books"})
    f.against("armchair", ["front", "left", "right"], 2)
    f.hang("painting", "left", 0.3, 1.55, {"title": "Still life", "text": f"A jug and two pears. {title}".strip()})
    f.hang("painting", "right", 0.6, 1.55, {"title": "The square in 1920", "text": "Trams, hats and a dog."})


def kitchen(f: Furnisher) -> None:
    """Appliances along the back wall, a work table and shelves."""
    f.against("stove", ["back"], 1, at=0.25)
    f.against("sink", ["back"], 1, at=0.5)
    f.against("fridge", ["back"], 1, at=0.75)
    f.against("cabinet", ["back", "left", "right"], 2)
    f.against("shelf", ["left", "right"], 1)
    x, y = f.room.middle
    table = f.stand("table", x, y, 0.0)
    if table is not None:
        f.upon("cup", table)


def shop(f: Furnisher, title: str = "") -> None:
    """A counter by the door, shelves along the walls and in rows."""
    room = f.room
    f.stand("counter", room.x0 + 1.7, room.y0 + 1.5, 0.0, params={"width_m": 1.8})
    f.against("shelf", _WALLS, 6, front_m=0.9)
    for x in (room.x0 + 3.6, room.x0 + 5.6, room.x0 + 7.6):
        for y in (room.middle[1] - 1.5, room.middle[1] + 0.2, room.middle[1] + 1.9):
            if x < room.x1 - 1.4:
                f.stand("shelf", x, y, 0.0, front_m=0.5)
    f.against("potted_plant", ["front"], 2, front_m=0.0)
    f.hang("painting", "left", 0.2, 1.6, {"title": "Opening hours", "text": f"{title or 'Open'}: 9 to 18, every day."})


def store_room(f: Furnisher) -> None:
    """Shelves, cabinets and boxes."""
    f.against("shelf", ["back", "left"], 3)
    f.against("cabinet", ["right", "back"], 1)
    x, y = f.room.middle
    for n in range(3):
        f.stand("box", x - 0.6 + 0.7 * n, y, 0.3 * n)


def hall(f: Furnisher, title: str = "") -> None:
    """A museum's ground floor: a desk, statues, bookcases and pictures."""
    room = f.room
    f.stand("desk", room.x0 + 2.2, room.y0 + 1.3, 0.0)
    for n, x in enumerate((room.x0 + 0.42 * room.size[0], room.x0 + 0.72 * room.size[0])):
        f.stand(
            "statue",
            x,
            room.middle[1] - 0.6,
            3.14159,
            front_m=0.8,
            attributes={"title": ("The Ferryman", "A Cartographer")[n], "text": "Bronze, from the town's own foundry."},
        )
    f.against("bookcase", ["right", "back"], 4, front_m=0.9, attributes={"title": "Local history"})
    f.against("bench", ["right", "left"], 2, front_m=0.7)
    f.against("potted_plant", ["front", "back"], 2, front_m=0.0)
    f.hang("alarm_button", "front", 0.9, 1.3)
    for n, side in enumerate(("right", "back", "right")):
        f.hang(
            "painting",
            side,
            0.2 + 0.3 * n,
            1.6,  # type: ignore[arg-type]
            {"title": f"View of the town, no. {n + 1}", "text": f"{title or 'Museum'}: oil on canvas."},
        )


def gallery(f: Furnisher) -> None:
    """A museum's upper floor: pictures, benches and a reading table."""
    x, y = f.room.middle
    table = f.group("table", "chair", 4, x, y - 0.8)
    if table is not None:
        f.upon("book", table, 0.15, 0.1)
    f.stand("bench", x - 2.4, y - 1.0, 0.0, front_m=0.6)
    f.against("bookcase", ["right", "front", "back"], 5, front_m=0.8, attributes={"title": "Reading room"})
    f.against("armchair", ["right", "front"], 2)
    f.against("floor_lamp", ["front", "right"], 1, front_m=0.0)
    for n in range(4):
        f.hang(
            "painting",
            ("right", "back", "front", "right")[n],
            0.15 + 0.22 * n,
            1.6,  # type: ignore[arg-type]
            {"title": f"Portrait no. {n + 1}", "text": "Somebody who once lived on the square."},
        )


def office(f: Furnisher, title: str = "") -> None:
    """Desks in rows with chairs, cabinets along the walls."""
    f.grid("desk", "chair", 1, 2.7, 1.5)
    f.against("cabinet", _WALLS, 3)
    f.against("bookcase", _SIDES, 2, attributes={"title": title or "Files"})
    f.against("potted_plant", ["front", "back"], 2, front_m=0.0)
    f.against("screen", ["back"], 1)


def waiting_room(f: Furnisher, title: str = "") -> None:
    """Chairs along the walls, a desk and a plant."""
    f.against("desk", ["back"], 1, front_m=0.9, at=0.7)
    f.against("chair", ["left", "right"], 8, front_m=0.5)
    f.against("cabinet", ["back", "left"], 1)
    f.against("potted_plant", ["front", "back"], 2, front_m=0.0)
    f.hang(
        "painting", "left", 0.5, 1.6, {"title": title or "Clinic", "text": "Please take a seat; you will be called."}
    )


def ward(f: Furnisher) -> None:
    """Beds, a sink and cabinets."""
    f.against("bed", ["back"], 2, front_m=0.4)
    f.against("sink", ["left", "right"], 1)
    f.against("cabinet", ["left", "right"], 2)
    f.against("alarm_button", ["front"], 0)
    f.against("chair", ["left", "right"], 2)


def classroom(f: Furnisher, title: str = "") -> None:
    """Desks in rows, a screen before them and books behind."""
    f.grid("desk", "chair", 1, 2.3, 1.7)
    f.against("screen", ["back"], 1)
    f.against("bookcase", _SIDES, 3, attributes={"title": title or "School library"})
    f.against("potted_plant", ["front"], 1, front_m=0.0)


def living_room(f: Furnisher) -> None:
    """A sofa corner, a dining table and a kitchen row."""
    room = f.room
    f.against("stove", ["right"], 1, at=0.1)
    f.against("sink", ["right"], 1, at=0.35)
    f.against("fridge", ["right"], 1, at=0.6)
    f.against("sofa", ["left"], 1, front_m=1.2, at=0.6)
    f.against("screen", ["right", "back"], 1)
    f.group("table", "chair", 4, room.x0 + 0.62 * room.size[0], room.middle[1] - 0.3)
    f.against("bookcase", ["left", "back"], 1, attributes={"title": "Novels"})
    f.against("armchair", ["left", "back", "front"], 1)
    f.against("floor_lamp", ["left", "back"], 1, front_m=0.0)
    f.against("potted_plant", ["front", "left"], 1, front_m=0.0)
    f.hang("painting", "left", 0.5, 1.6, {"title": "The sea", "text": "A postcard, framed."})


def bedroom(f: Furnisher) -> None:
    """A bed, a wardrobe and a desk."""
    f.against("bed", ["back", "left"], 1, front_m=0.5)
    f.against("wardrobe", ["right", "left"], 1, front_m=0.8)
    f.against("desk", ["left", "right"], 1, front_m=0.9)
    f.against("chair", ["left", "right"], 1)
    f.against("floor_lamp", ["back"], 1, front_m=0.0)
    f.against("radio", ["right"], 0)
