"""What stands in which room; every list is tried in order and what finds no place is left out."""

from __future__ import annotations

from math import pi
from typing import Final

from ecumene_world.generate.rooms import Furnisher, Side, wall

_WALLS: Final[tuple[Side, ...]] = ("left", "right", "back")
_SIDES: Final[tuple[Side, ...]] = ("left", "right")
_PICTURES: Final = (
    ("The square in winter", "Somebody has left a sledge by the fountain."),
    ("Still life with pears", "Two pears, a jug and a very patient painter."),
    ("Trams, 1920", "Hats, trams and a dog that would not sit still."),
    ("The sea", "Painted from memory, three days from any coast."),
    ("Portrait of a clockmaker", "She kept the town on time for forty years."),
    ("Orchard in bloom", "The trees still stand behind the school."),
)


def cafe(f: Furnisher) -> None:
    """A counter with stools at the back, sets of tables before it, a corner to read in."""
    room = f.room
    sets = int(f.rng.integers(1 << 10))
    f.keep_clear(room.x1 - 1.6, room.y1 - 2.0, room.x1, room.y1)
    wide = min(5.2, room.size[1] * 0.42)
    y = room.y0 + wide / 2 + 1.2
    f.against("shelf", ["back"], 2, front_m=0.0, at=0.10)
    counter = f.stand("counter", room.x1 - 1.7, y, pi, params={"width_m": round(wide, 2)})
    if counter is not None:
        f.keep_clear(room.x1 - 1.2, y - wide / 2, room.x1 - 0.4, y + wide / 2)
        for n in range(int(wide / 1.1)):
            f.stand("stool", room.x1 - 2.55, y + (n - (int(wide / 1.1) - 1) / 2) * 1.1, 0.0, seed=sets)
        for n in range(3):
            f.upon("cup", counter, 0.0, (n - 1) * 0.5)
    _lounge(f, room.x0 + 2.1, room.y1 - 2.0)
    for n, table in enumerate(f.grid("table", "chair", 4, 2.6, 1.25, looks=(sets, sets))):
        if n % 2 == 0:
            f.upon("cup", table, 0.12, 0.1)
    f.against("bookcase", _SIDES, 1, attributes={"title": "Borrow a book, bring a book"})
    f.against("potted_plant", ["front", "left", "right"], 4, front_m=0.0)
    _pictures(f, ("left", "right", "left", "right"))


def kitchen(f: Furnisher) -> None:
    """Appliances along the back wall, a work table and shelves."""
    seed = int(f.rng.integers(1 << 10))
    for n, kind in enumerate(("stove", "sink", "cabinet", "stove", "cabinet", "fridge")):
        f.against(kind, ["back"], 1, at=0.08 + 0.13 * n, front_m=0.8)
    f.against("shelf", ["left", "right"], 3)
    f.against("cabinet", ["front", "left", "right"], 2)
    for y in (f.room.middle[1] - 2.2, f.room.middle[1] + 1.2):
        table = f.stand("table", f.room.middle[0] - 0.3, y, pi / 2, seed=seed)
        if table is not None:
            f.upon("cup", table)
    f.against("box", ["front"], 2, front_m=0.0)


def shop(f: Furnisher) -> None:
    """A counter by the door, shelves along the walls and in rows with aisles between."""
    room = f.room
    shelf = int(f.rng.integers(1 << 10))
    f.stand("counter", room.x0 + 1.9, room.y0 + 2.0, pi / 2, params={"width_m": 2.4})
    f.against("shelf", _WALLS, 9, front_m=0.9)
    x = room.x0 + 3.6
    while x < room.x1 - 1.6:
        y = room.y0 + 1.9
        while y < room.y1 - 1.6:
            f.stand("shelf", x, y, 0.0, front_m=0.4, seed=shelf)
            y += 1.35 if int((y - room.y0) / 1.35) % 4 else 2.4
        x += 2.1
    f.against("potted_plant", ["front"], 2, front_m=0.0)
    f.against("bench", ["front"], 1)
    _pictures(f, ("left",))


def store_room(f: Furnisher) -> None:
    """Shelves, cabinets and boxes."""
    f.against("shelf", ["back", "left", "right"], 6)
    f.against("cabinet", ["right", "back"], 2)
    f.against("desk", ["left", "right"], 1, front_m=0.9)
    x, y = f.room.middle
    for n in range(4):
        f.stand("box", x - 0.9 + 0.62 * n, y + 0.25 * (n % 2), 0.4 * n)


def exhibition(f: Furnisher) -> None:
    """A museum's ground floor: a desk, statues, partitions with pictures, cases and benches between."""
    room = f.room
    f.stand("desk", room.x0 + 2.0, room.y0 + 2.2, pi / 2)
    f.hang("alarm_button", "front", 0.86, 1.3)
    names = ("The Ferryman", "A Cartographer", "Two Herons", "The Baker's Daughter")
    for n in range(4):
        x = room.x0 + (0.42 if n % 2 else 0.74) * room.size[0]
        y = room.y0 + (0.24 if n < 2 else 0.58) * room.size[1]
        words = {"title": names[n], "text": "Bronze, cast in the town's own foundry."}
        f.stand("statue", x, y, pi, front_m=0.7, attributes={**words})
    for n, share in enumerate((0.41, 0.75)):
        _partition(f, room.x0 + 0.5 * room.size[0], room.y0 + share * room.size[1], n)
    f.against("bookcase", ["right", "back"], 4, front_m=0.9, attributes={"title": "Local history"})
    f.against("cabinet", ["front", "right"], 3, front_m=0.8)
    for x, y in ((0.3, 0.5), (0.62, 0.32), (0.62, 0.66)):
        f.stand("bench", room.x0 + x * room.size[0], room.y0 + y * room.size[1], 0.0, front_m=0.5)
    f.against("potted_plant", ["front", "back"], 4, front_m=0.0)
    _pictures(f, ("right", "back", "front", "right"))


def gallery(f: Furnisher) -> None:
    """A museum's upper floor: partitions with pictures, benches and a reading corner."""
    room = f.room
    _lounge(f, room.x0 + 2.2, room.y0 + 2.2)
    for n, (x, y) in enumerate(((0.35, 0.55), (0.68, 0.3))):
        _partition(f, room.x0 + x * room.size[0], room.y0 + y * room.size[1], n)
    table = f.group("table", "chair", 4, room.x0 + 0.68 * room.size[0], room.y0 + 0.62 * room.size[1])
    if table is not None:
        f.upon("book", table, 0.15, 0.1)
    f.against("bookcase", ["right", "front", "back"], 7, front_m=0.8, attributes={"title": "Reading room"})
    f.stand("bench", room.x0 + 0.5 * room.size[0], room.y0 + 0.45 * room.size[1], 0.0, front_m=0.5)
    f.against("potted_plant", ["front", "right"], 3, front_m=0.0)
    _pictures(f, ("right", "back", "front", "right", "back"))


def corridor(f: Furnisher, title: str) -> None:
    """A bench, plants and pictures that leave the way free."""
    f.against("potted_plant", ["back"], 2, front_m=0.0)
    f.hang("painting", "back", 0.5, 1.55, {"title": title, "text": "Welcome."})


def office(f: Furnisher) -> None:
    """Desks in rows with chairs, cabinets along the walls."""
    looks = (int(f.rng.integers(1 << 10)), int(f.rng.integers(1 << 10)))
    f.against("cabinet", ["back"], 2)
    f.against("bookcase", _SIDES, 1, attributes={"title": "Files"})
    f.grid("desk", "chair", 1, 2.5, 1.3, looks=looks)
    f.against("potted_plant", ["back", "front"], 2, front_m=0.0)
    _pictures(f, ("left",))


def meeting_room(f: Furnisher) -> None:
    """A long table with chairs all round, a screen and a plant."""
    x, y = f.room.middle
    looks = int(f.rng.integers(1 << 10))
    f.against("screen", ["back"], 1, at=0.5)
    for dx in (-1.1, 1.1):
        f.group("table", "chair", 4, x + dx, y, pi / 2, looks=(looks, looks))
    f.against("potted_plant", ["left", "right"], 2, front_m=0.0)
    f.against("cabinet", _SIDES, 1)
    _pictures(f, ("right",))


def waiting_room(f: Furnisher) -> None:
    """Chairs along the walls, a desk and plants."""
    f.against("desk", ["back"], 1, front_m=0.9, at=0.5)
    f.against("chair", ["left", "right"], 8, front_m=0.5)
    f.against("cabinet", ["back"], 1)
    f.group("table", "chair", 2, *f.room.middle)
    f.against("potted_plant", ["front", "back"], 2, front_m=0.0)
    _pictures(f, ("left", "right"))


def consulting_room(f: Furnisher) -> None:
    """A desk with chairs, a couch to lie on, a sink and cabinets."""
    x, y = f.room.middle
    f.against("bed", ["left", "right"], 1, front_m=0.4)
    f.group("desk", "chair", 2, x + 0.6, y)
    f.against("sink", ["back", "left", "right"], 1)
    f.against("cabinet", _WALLS, 2)
    f.against("screen", ["back"], 1, front_m=0.3)
    f.against("potted_plant", ["front", "back"], 1, front_m=0.0)
    _pictures(f, ("back",))


def ward(f: Furnisher) -> None:
    """Beds, a sink, chairs and cabinets."""
    f.against("bed", _SIDES, 4, front_m=0.5)
    f.against("sink", ["back"], 1)
    f.against("cabinet", ["back", "left", "right"], 2)
    f.against("chair", ["back", "left", "right"], 2)
    f.against("floor_lamp", ["back"], 1, front_m=0.0)
    f.hang("alarm_button", "back", 0.8, 1.2)


def classroom(f: Furnisher) -> None:
    """Desks in rows, a screen before them and books at the side."""
    looks = (int(f.rng.integers(1 << 10)), int(f.rng.integers(1 << 10)))
    f.against("screen", ["back"], 1, at=0.5)
    f.against("bookcase", _SIDES, 2, attributes={"title": "Class library"})
    f.grid("table", "chair", 2, 2.0, 1.2, looks=looks)
    f.against("potted_plant", ["front", "back"], 1, front_m=0.0)
    _pictures(f, ("left", "right"))


def library_room(f: Furnisher) -> None:
    """Bookcases all round, reading tables and armchairs."""
    f.against("bookcase", _WALLS, 8, front_m=0.7, attributes={"title": "Library"})
    table = f.group("table", "chair", 4, *f.room.middle)
    if table is not None:
        f.upon("book", table, 0.1, -0.1)
    f.against("armchair", ["front", "left", "right"], 2)
    f.against("floor_lamp", ["front", "left"], 1, front_m=0.0)


def living_room(f: Furnisher) -> None:
    """A sofa corner with a rug and a screen, books and plants."""
    x, y = f.room.middle
    f.rug(x, y)
    sofa = f.against("sofa", ["left", "right"], 1, front_m=0.9, at=0.5)
    f.against("screen", ["right"] if sofa and _is_left(f, sofa[0].pose.position) else ["left"], 1, at=0.5)
    f.stand("table", x, y, 0.0, params={"height_m": 0.45})
    f.against("armchair", ["back"], 1, at=0.5)
    f.against("bookcase", _WALLS, 2, attributes={"title": "Novels and atlases"})
    f.against("radio", ["back"], 0)
    f.against("floor_lamp", ["back"], 1, front_m=0.0)
    f.against("potted_plant", _WALLS, 2, front_m=0.0)
    _pictures(f, ("left", "right"))


def dining_kitchen(f: Furnisher) -> None:
    """A kitchen row at the back and a table to eat at."""
    for n, kind in enumerate(("fridge", "sink", "cabinet", "stove")):
        f.against(kind, ["back"], 1, at=0.12 + 0.2 * n, front_m=0.8)
    x, y = f.room.middle
    table = f.group("table", "chair", 4, x - 0.6, y, looks=(int(f.rng.integers(64)), int(f.rng.integers(64))))
    if table is not None:
        f.upon("cup", table, 0.1, 0.15)
        f.upon("cup", table, -0.1, -0.15)
    f.against("cabinet", _SIDES, 1)
    f.against("potted_plant", _SIDES, 1, front_m=0.0)
    _pictures(f, ("right",))


def bedroom(f: Furnisher) -> None:
    """A bed, a wardrobe, a desk and a chair."""
    x, y = f.room.middle
    f.rug(x + 0.4, y)
    f.against("bed", ["back", "left", "right"], 1, front_m=0.5, at=0.5)
    f.against("wardrobe", ["left", "right"], 1, front_m=0.8)
    f.against("desk", ["right", "left"], 1, front_m=0.9)
    f.against("chair", _SIDES, 1)
    f.against("bookcase", _SIDES, 1, attributes={"title": "Bedside books"})
    f.against("floor_lamp", ["back"], 1, front_m=0.0)
    f.against("potted_plant", ["back", "left"], 1, front_m=0.0)
    _pictures(f, ("back", "left"))


def study(f: Furnisher) -> None:
    """A desk with a chair before it, bookcases and an armchair under a lamp."""
    x, y = f.room.middle
    f.rug(x, y)
    f.group("desk", "chair", 1, x + 0.8, y)
    f.against("bookcase", _WALLS, 4, attributes={"title": "Reference books"})
    f.against("armchair", ["left", "right", "front"], 1)
    f.against("floor_lamp", ["left", "right"], 1, front_m=0.0)
    f.against("potted_plant", _SIDES, 1, front_m=0.0)
    _pictures(f, ("back",))


def _lounge(f: Furnisher, x: float, y: float) -> None:
    """A rug with two armchairs about a low table and a lamp."""
    f.rug(x, y)
    f.group("table", "armchair", 2, x, y, params={"height_m": 0.45})
    f.stand("floor_lamp", x + 0.9, y + 1.0, 0.0)


def _partition(f: Furnisher, x: float, y: float, number: int) -> None:
    """A short wall that stands free, with a picture on each face."""
    a, b = f.room.world(x, y - 1.5), f.room.world(x, y + 1.5)
    if not f.build.site.fits(*f.room.world(x, y), f.room.frame.yaw + pi / 2, (3.2, 0.4), ("floor",)):
        return
    z = f.room.frame.position[2]
    wall(f.build, a, b, z, height_m=2.3, thickness_m=0.2, parent=f.parent, level=f.level)
    for n, yaw in enumerate((0.0, pi)):
        title, text = _PICTURES[(number * 2 + n) % len(_PICTURES)]
        pose = f.room.pose(x + (0.115 if n == 0 else -0.115), y, yaw, 1.45)
        f.keep_clear(x, y - 1.0, x + (1.0 if n == 0 else -1.0), y + 1.0)
        f.hung("painting", pose, {"title": title, "text": text})


def _pictures(f: Furnisher, sides: tuple[Side, ...]) -> None:
    """Hangs pictures on walls, one after another along each."""
    offset = int(f.rng.integers(len(_PICTURES)))
    for n, side in enumerate(sides):
        title, text = _PICTURES[(offset + n) % len(_PICTURES)]
        f.hang("painting", side, (0.3 + 0.37 * n) % 0.9, 1.55, {"title": title, "text": text})


def _is_left(f: Furnisher, position: tuple[float, float, float]) -> bool:
    """Tells whether a node of the parent's frame stands in the left half of the room."""
    world = f.build.graph.world_pose(f.parent).apply(position)
    return f.room.frame.inverse().apply(world)[1] > f.room.middle[1]
