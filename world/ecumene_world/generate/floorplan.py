"""Floor plans: how the inside of a building is divided into rooms, and which doors join them.

Halls (cafés, shops) are one large room with others behind it; suites (homes, clinics, offices, schools) are rooms
along a corridor that leads inward from the front door; museums are galleries about a hall. All in the frame of the
entrance: x runs inward, y to the left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from ecumene_world.generate.style import Style

WALL_M: Final = 0.14
"""Thickness of walls between rooms."""
_LEAST_M: Final = 2.7
_WEIGHT: Final[Mapping[str, float]] = {
    "living": 1.6,
    "kitchen": 1.05,
    "bathroom": 0.62,
    "washroom": 0.62,
    "open_office": 2.2,
    "waiting": 1.5,
    "ward": 1.7,
    "classroom": 2.2,
    "library": 1.5,
    "archive": 0.8,
    "kitchenette": 0.9,
    "meeting_room": 1.3,
    "cafe_kitchen": 1.5,
    "store_room": 0.9,
}
"""How wide a room is beside others; 1 for those not listed."""
_SLENDER: Final = 1.75
"""Rooms are at most about this many times as deep as wide."""
_NARROW: Final = {"bathroom": 1.9, "washroom": 1.9}
"""Least width of rooms that need not be as wide as others, metres."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A room on paper: x0..x1, y0..y1 to the middle of its walls, metres, and what it is for."""

    role: str
    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True, slots=True)
class Link:
    """A way between two cells.

    Attributes:
        a: Index of a cell.
        b: Index of the other.
        at: Where along their common wall its middle is: y of a wall across, x of a wall along the frame's x.
        width_m: Clear width.
        leaf: Whether a door hangs in it.
    """

    a: int
    b: int
    at: float
    width_m: float
    leaf: bool = True


@dataclass(frozen=True, slots=True)
class FloorPlan:
    """Cells that tile a rectangle, the one behind the front door first, and the ways between them."""

    cells: tuple[Cell, ...]
    links: tuple[Link, ...]


Rect = tuple[float, float, float, float]
_SUITES: Final[Mapping[str, tuple[str, ...]]] = {
    "home": ("living", "kitchen", "bathroom", "bedroom", "bedroom", "study", "child_room", "bedroom"),
    "apartment": ("living", "kitchen", "bathroom", "bedroom", "bedroom", "study", "child_room", "bedroom"),
    "clinic": ("waiting", "consulting", "consulting", "treatment", "ward", "washroom", "consulting", "kitchenette"),
    "school": ("classroom", "classroom", "library", "washroom", "classroom", "private_office", "classroom"),
    "office": ("open_office", "meeting_room", "kitchenette", "private_office", "washroom", "open_office", "archive"),
}
"""What rooms along a corridor are for, the most needed first."""
_CORRIDOR: Final[Mapping[str, tuple[str, float]]] = {
    "home": ("hall", 1.7),
    "apartment": ("hall", 1.7),
    "clinic": ("hall", 2.3),
    "school": ("cloakroom", 2.7),
    "office": ("hall", 2.1),
}
_AREA_M2: Final[Mapping[str, float]] = {"home": 19.0, "apartment": 19.0, "clinic": 20.0, "school": 52.0, "office": 30.0}
"""Usual area of one room."""
LIMIT_M: Final[Mapping[str, tuple[float, float]]] = {
    "home": (12.0, 14.0),
    "cafe": (15.0, 15.0),
    "shop": (18.0, 18.0),
    "meeting": (14.0, 14.0),
    "classroom": (14.0, 13.0),
    "clinic": (20.0, 18.0),
    "office": (24.0, 20.0),
    "school": (24.0, 20.0),
    "museum": (26.0, 22.0),
}
"""Greatest depth and width of what is furnished; what lies beyond is walled off as somebody else's."""


def divided(use: str, rect: Rect, style: Style, rng: np.random.Generator) -> FloorPlan:
    """Returns the plan of a building for a use; `rect` is x0, y0, x1, y1 between its outer walls."""
    halls: Mapping[str, Callable[[Rect, Style, np.random.Generator], FloorPlan]] = {
        "cafe": _cafe,
        "shop": _shop,
        "meeting": _meeting,
        "classroom": _classroom,
        "museum": _museum,
    }
    if use in halls:
        return halls[use](rect, style, rng)
    roles = list(_SUITES.get(use, _SUITES["office"]))
    if "studio" in style.tags:
        roles = ["living", "bathroom"]
    if use in {"home", "apartment"} and "children" in style.tags:
        roles[4] = "child_room"
    if use == "clinic" and "ward" in style.tags:
        roles = ["waiting", "ward", "ward", "treatment", "consulting", "washroom", "ward", "kitchenette"]
    if use == "office" and "cells" in style.tags:
        roles = ["private_office", "private_office", "meeting_room", "private_office", "kitchenette", "washroom"]
    return _suite(use, roles, rect, style, rng)


def _cafe(rect: Rect, style: Style, rng: np.random.Generator) -> FloorPlan:
    return _hall("guest_room", ("store_room", "cafe_kitchen"), rect, 0.66, style, 1.0, rng)


def _shop(rect: Rect, style: Style, rng: np.random.Generator) -> FloorPlan:
    return _hall("sales", ("store_room", "kitchenette"), rect, 0.72, style, 0.5, rng)


def _meeting(rect: Rect, style: Style, rng: np.random.Generator) -> FloorPlan:
    share = min(0.5, max(0.34, 3.9 / (rect[2] - rect[0])))
    backs = ("meeting_room", "private_office") if rect[3] - rect[1] > 8.5 else ("meeting_room",)
    return _hall("lobby", backs, rect, share, style, 0.5, rng, weights=(2.0, 1.0))


def _classroom(rect: Rect, style: Style, rng: np.random.Generator) -> FloorPlan:
    share = min(0.4, max(0.2, 2.8 / (rect[2] - rect[0])))
    backs = ("classroom", "private_office") if rect[3] - rect[1] > 10.5 else ("classroom",)
    return _hall("cloakroom", backs, rect, share, style, 0.3, rng, weights=(2.6, 1.0))


def _museum(rect: Rect, style: Style, rng: np.random.Generator) -> FloorPlan:
    """A hall on the left through the whole depth, galleries on the right that open onto it and each other."""
    x0, y0, x1, y1 = rect
    split = min(-1.6, y0 + (y1 - y0) * float(rng.uniform(0.4, 0.5)))
    if split - y0 < 4.0:
        return _hall("museum_hall", ("gallery",), rect, 0.5, style, 0.5, rng)
    count = max(1, min(3, int((x1 - x0) / 5.0)))
    cuts = _cuts(x0, x1, [1.0 + 0.4 * float(rng.random()) for _ in range(count)])
    cells = [Cell("museum_hall", x0, split, x1, y1)]
    cells += [Cell("gallery", a, y0, b, split) for a, b in pairwise(cuts)]
    links = [Link(0, n + 1, (cuts[n] + cuts[n + 1]) / 2, 1.8, leaf=False) for n in range(count)]
    links += [Link(n, n + 1, (y0 + split) / 2, 1.6, leaf=False) for n in range(1, count)]
    return FloorPlan(tuple(cells), tuple(links))


def _hall(
    role: str,
    backs: Sequence[str],
    rect: Rect,
    share: float,
    style: Style,
    door_at: float,
    rng: np.random.Generator,
    weights: Sequence[float] = (1.0, 1.6),
) -> FloorPlan:
    """A front room as wide as the building with rooms behind it; the last of them has the door at `door_at`."""
    x0, y0, x1, y1 = rect
    if x1 - x0 < 7.0:
        return FloorPlan((Cell(role, *rect),), ())
    x = x0 + share * (x1 - x0)
    if y1 - y0 < 2 * _LEAST_M + 1.2:
        backs, weights = backs[-1:] if role in {"guest_room", "sales"} else backs[:1], (1.0,)
    cuts = _cuts(y0, y1, list(weights[: len(backs)]))
    cells = [Cell(role, x0, y0, x, y1)]
    cells += [Cell(back, x, a, x1, b) for back, (a, b) in zip(backs, pairwise(cuts), strict=True)]
    links = []
    for n, (a, b) in enumerate(pairwise(cuts)):
        margin = style.door_m / 2 + 0.35
        if role == "guest_room" and n < len(backs) - 1:
            links.append(Link(n + 1, n + 2, x + min((x1 - x) / 2, 1.6 + float(rng.random())), style.door_m))
        else:
            links.append(Link(0, n + 1, a + margin + door_at * (b - a - 2 * margin), style.door_m))
    return FloorPlan(tuple(cells), tuple(links))


def _suite(use: str, roles: Sequence[str], rect: Rect, style: Style, rng: np.random.Generator) -> FloorPlan:
    """Rooms on both sides of a corridor; on one side only in a narrow building, none in a very narrow one."""
    x0, y0, x1, y1 = rect
    hub, wide = _CORRIDOR.get(use, ("hall", 2.0))
    wide += 0.3 * ("elderly" in style.tags)
    half = wide / 2
    right, left = -half - y0 >= _LEAST_M, y1 - half >= _LEAST_M
    if not right and not left:
        return FloorPlan((Cell(roles[0], *rect),), ())
    low, high = -half if right else y0, half if left else y1
    cells = [Cell(hub, x0, low, x1, high)]
    bands = [(y0, low)] * right + [(high, y1)] * left
    if rng.random() < 0.5:
        bands.reverse()
    area = _AREA_M2.get(use, 24.0)
    counts = [max(1, round((x1 - x0) * (b - a) / area)) for a, b in bands]
    counts = [
        min(count, max(1, int((x1 - x0) * _SLENDER / (b - a)))) for count, (a, b) in zip(counts, bands, strict=True)
    ]
    dealt: list[list[str]] = [[] for _ in bands]
    order = [n for step in range(max(counts)) for n, count in enumerate(counts) if step < count]
    for number, n in enumerate(order):
        dealt[n].append(roles[number % len(roles)])
    links = []
    for (a, b), given in zip(bands, dealt, strict=True):
        chosen = _fitting(given, x1 - x0)
        if rng.random() < 0.5 and len(chosen) > 2:
            chosen = [chosen[0], *chosen[:0:-1]]
        cuts = _cuts(
            x0, x1, [_WEIGHT.get(role, 1.0) for role in chosen], [_NARROW.get(role, _LEAST_M) for role in chosen]
        )
        for role, (start, end) in zip(chosen, pairwise(cuts), strict=True):
            cells.append(Cell(role, start, a, end, b))
            wide_open = role in {"waiting", "library"}
            links.append(
                Link(0, len(cells) - 1, (start + end) / 2, 1.6 if wide_open else style.door_m, leaf=not wide_open)
            )
    return FloorPlan(tuple(cells), tuple(links))


def _fitting(roles: Sequence[str], length_m: float) -> list[str]:
    """Returns as many of the roles as find the width they need along a wall; at least one."""
    chosen = list(roles)
    while len(chosen) > 1 and sum(_NARROW.get(role, _LEAST_M) for role in chosen) > length_m:
        chosen.pop()
    return chosen


def _cuts(low: float, high: float, weights: Sequence[float], least: Sequence[float] = ()) -> list[float]:
    """Returns the ends of consecutive stretches from low to high, long as their weights say, none under its least."""
    share = np.array(weights) / sum(weights)
    floor = np.array(least) if least else np.zeros(len(weights))
    lengths = np.maximum(share * (high - low), floor)
    spare = lengths - floor
    excess = lengths.sum() - (high - low)
    if excess > 0 and spare.sum() > 0:
        lengths = lengths - spare * min(1.0, excess / spare.sum())
    lengths *= (high - low) / lengths.sum()
    return [low, *(low + np.cumsum(lengths)[:-1]).tolist(), high]
