"""Set pieces: small arrangements that belong together, stood about a point of a room."""

from __future__ import annotations

from math import cos, pi, sin
from typing import Final

from ecumene_world.generate.board import Box
from ecumene_world.generate.furnisher import Furnisher, box_of
from ecumene_world.generate.proposer import Side

PASSING_M: Final = 0.9
"""Width of a way beside a piece of furniture."""
_PICTURES: Final = (
    ("The square in winter", "Somebody has left a sledge by the fountain."),
    ("Still life with pears", "Two pears, a jug and a very patient painter."),
    ("Trams, 1920", "Hats, trams and a dog that would not sit still."),
    ("The sea", "Painted from memory, three days from any coast."),
    ("Portrait of a clockmaker", "She kept the town on time for forty years."),
    ("Orchard in bloom", "The trees still stand behind the school."),
    ("Herons", "Two of them, and a frog that got away."),
    ("The ferry", "It crosses at noon, fog or no fog."),
)


def offset(x: float, y: float, yaw: float, dx: float, dy: float) -> tuple[float, float]:
    """Returns a point that is dx ahead and dy to the left of a pose."""
    return x + dx * cos(yaw) - dy * sin(yaw), y + dx * sin(yaw) + dy * cos(yaw)


def lounge(f: Furnisher, x: float, y: float, yaw: float, *, screen: bool = True) -> int | None:
    """A sofa that looks along `yaw` at a low table on a rug, an armchair beside, a screen beyond; returns the table."""
    table = f.stand("table", x, y, yaw, params={"height_m": 0.42, "width_m": 1.1, "depth_m": 0.6, "shape": "square"})
    if table is None:
        return None
    sofa = f.stand("sofa", *offset(x, y, yaw, -1.15, 0.0), yaw, faces=table, params={"width_m": 2.0})
    if sofa is None:
        sofa = f.stand("sofa", *offset(x, y, yaw, -1.15, 0.0), yaw, faces=table, params={"width_m": 1.5})
    for side in (1, -1)[: 1 + f.chance(0.4 * f.style.density)]:
        f.stand("armchair", *offset(x, y, yaw, 0.25, 1.2 * side), yaw - side * pi / 2, faces=table)
    if screen:
        for away in (2.4, 2.1, 1.8):
            if (
                f.stand("screen", *offset(x, y, yaw, away, 0.0), yaw + pi, params={"style": "television"}, faces=table)
                is not None
            ):
                break
    f.rug(*offset(x, y, yaw, -0.2, 0.0), yaw, params={"width_m": 2.6, "length_m": 1.9})
    f.upon("book", table, 0.1, 0.2)
    if sofa is not None:
        f.stand("floor_lamp", *offset(x, y, yaw, -1.2, 1.35), yaw)
    return table


def dining(f: Furnisher, x: float, y: float, yaw: float, seats: int) -> int | None:
    """A table with chairs and cups; round for up to four at random."""
    if seats <= 4 and f.chance(0.5):
        table = f.group("table", "chair", seats, x, y, yaw, params={"shape": "round", "width_m": 1.05})
    else:
        wide = max(1.2, 0.62 * (seats // 2))
        table = f.group(
            "table", "chair", seats, x, y, yaw, params={"shape": "square", "width_m": wide, "depth_m": 0.85}
        )
    if table is not None:
        cups(f, table, f.some(0.5 * seats * f.style.density))
    return table


def cups(f: Furnisher, table: int, count: int, kinds: tuple[str, ...] = ("cup",)) -> None:
    """Puts cups near the two long edges of a table, where those who sit there reach them."""
    item = f.items[table]
    box = box_of(item.kind, item.seed, item.params, item.x, item.y, item.yaw)
    pairs = max(1, (count + 1) // 2)
    reach = max(box.across - 0.25, 0.05)
    for n in range(count):
        dy = 0.0 if pairs == 1 else reach * (2 * (n // 2) / (pairs - 1) - 1)
        f.upon(kinds[n % len(kinds)], table, (box.along - 0.17) * (1 if n % 2 else -1), dy)


def dining_anywhere(f: Furnisher, seats: int, near: tuple[float, float], *, aisle_m: float = 0.0) -> int | None:
    """A table with chairs where there is room for it and a way round, near a point; smaller if need be."""
    for count, along, across in ((seats, 2.0, 0.62 * (seats // 2) + 0.2), (4, 1.95, 1.5), (2, 1.95, 0.8)):
        if count > seats:
            continue
        for yaw in (0.0, pi / 2) if f.deep > f.wide else (pi / 2, 0.0):
            at = f.spot(along, across, near, yaw, aisle_m=aisle_m)
            if at is None:
                continue
            params: dict[str, float | str] = {"shape": "square", "width_m": max(0.75, across - 0.3), "depth_m": 0.75}
            if count == 4 and f.chance(0.4):
                params = {"shape": "round", "width_m": 1.05}
            table = f.group("table", "chair", count, *at, yaw, params=params)
            if table is not None:
                cups(f, table, f.some(0.6 * count * f.style.density))
                return table
    return None


def reading_corner(f: Furnisher, sides: tuple[Side, ...] = ("left", "right", "back")) -> None:
    """An armchair in a corner, a lamp and a bookcase beside it."""
    chair = f.against("armchair", sides, 1, at=-1.0, front_m=0.5)
    if chair:
        seat = f.items[chair[0]]
        for dy in (0.75, -0.75):
            if f.stand("floor_lamp", *offset(seat.x, seat.y, seat.yaw, -0.15, dy), seat.yaw) is not None:
                break
    f.against("bookcase", sides, 1, attributes={"title": "Novels and atlases"})


def workplace(f: Furnisher, x: float, y: float, yaw: float) -> int | None:
    """A desk with a chair before it, whose sitter looks along `yaw` + π; returns the desk."""
    seed = f.style.looks
    box = box_of("desk", seed, {}, x, y, yaw)
    if not f.board.fits(Box(*offset(x, y, yaw, 0.45, 0.0), yaw, box.along + 0.45, box.across)):
        return None
    desk = f.stand("desk", x, y, yaw, seed=seed)
    if desk is not None:
        f.seat("chair", *offset(x, y, yaw, box.along + 0.34, 0.0), yaw + pi, desk, seed)
        if f.chance(0.4):
            f.upon("cup", desk, 0.1, -0.5)
    return desk


def room_desk(f: Furnisher, x: float, y: float) -> int | None:
    """A workplace that looks down the room; where one could not pass on both sides, its end is at a wall."""
    half = box_of("desk", f.style.looks, {}, 0.0, 0.0, 0.0).across + 0.03
    ends = (f.board.y0 + half, f.board.y1 - half)
    narrow = min(y - half - f.board.y0, f.board.y1 - y - half) < PASSING_M
    for at in sorted(ends, key=lambda end: abs(end - y)) if narrow else (y,):
        desk = workplace(f, x, at, 0.0)
        if desk is not None:
            return desk
    return None


def workplace_pair(f: Furnisher, x: float, y: float, yaw: float) -> int | None:
    """Two desks back to back, each with a chair; returns one of them."""
    first = workplace(f, *offset(x, y, yaw, 0.37, 0.0), yaw)
    second = workplace(f, *offset(x, y, yaw, -0.37, 0.0), yaw + pi)
    return first if first is not None else second


def staffed(f: Furnisher, counter: int) -> int:
    """Moves the counter that was stood last off its wall, by a way for whoever stands behind it; returns its index."""
    item = f.items.pop()
    box, way = f.board.taken.pop(), f.board.ways.pop()
    for off in (1.0, 0.9):
        at = offset(item.x, item.y, item.yaw, off, 0.0)
        moved = f.stand(item.kind, *at, item.yaw, front_m=0.9, params=item.params, seed=item.seed)
        if moved is not None:
            behind = offset(item.x, item.y, item.yaw, 0.1, 0.0)
            f.board.ways.append(Box(*behind, item.yaw, 0.45, box.across))
            return moved
    f.board.taken.append(box)
    f.board.ways.append(way)
    f.items.append(item)
    return counter


def pictures(f: Furnisher, sides: tuple[Side, ...], wanted: float | None = None) -> None:
    """Hangs pictures on walls, spread along each."""
    start = int(f.rng.integers(len(_PICTURES)))
    number = 0
    for side in sides:
        length = f.wide if side in {"front", "back"} else f.deep
        count = f.some(length / 4.5 * f.style.density) if wanted is None else f.some(wanted)
        for n in range(count):
            title, text = _PICTURES[(start + number) % len(_PICTURES)]
            number += 1
            f.hang("painting", side, (n + 0.5) / count, 1.55, attributes={"title": title, "text": text})


def windows(f: Furnisher) -> None:
    """Hangs windows on the sides that have them, evenly."""
    for side in f.brief.windowed:
        length = f.wide if side in {"front", "back"} else f.deep
        count = max(1, int(length / 2.6))
        for n in range(count):
            f.hang(
                "window",
                side,
                (n + 0.5) / count,
                1.5,
                params={"width_m": 1.3, "height_m": 1.3, "colour": "#f6efe2"},
                seed=0,
            )
