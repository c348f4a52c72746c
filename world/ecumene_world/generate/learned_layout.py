"""The learned proposer: furnishes rooms of homes with the network that learned from designed ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import cos, hypot, pi, sin
from pathlib import Path
from typing import Final

import torch

import ecumene_models
from ecumene_models.layout_gan import LayoutGan, load_layout
from ecumene_models.layouts import FLOOR, Layouts
from ecumene_world.assets import library
from ecumene_world.generate.builder import footprint_of
from ecumene_world.generate.furnisher import WALL_GAP_M, Furnisher, box_of
from ecumene_world.generate.proposer import Brief, Proposal, Side
from ecumene_world.generate.set_pieces import pictures, windows
from ecumene_world.generate.straightening import Straightener, straightener
from ecumene_world.generate.style import style_of
from ecumene_world.kinds import BY_NAME, Interaction
from ecumene_world.learning.arrangements import NAMES, ROLES, TAGS

WEIGHTS: Final = Path(ecumene_models.__file__).parent / "weights" / "layout.safetensors"
KNOWN: Final = ("living", "kitchen", "bedroom", "bathroom")
"""Roles that the network learned and that generated homes have."""
_TRIES: Final = 6
_CANDIDATES: Final = 128
_POSE_WARMTH: Final = 0.8
_SNAP_M: Final = 0.3
_STRAIGHT: Final = 0.06
_SPARE_M: Final = 0.06
"""Ways are wanted this much wider on either side than the least."""
_SIDES: Final[tuple[Side, ...]] = ("left", "right", "back")
_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "living": ("sofa",),
    "kitchen": ("fridge", "sink", "stove"),
    "bedroom": ("bed",),
    "bathroom": ("toilet", "sink"),
}
"""What a room of a role is judged by first."""
_ASSETS: Final[Mapping[str, tuple[str, Mapping[str, int]]]] = {
    "bed": ("bed", {"length_m": 0, "width_m": 1}),
    "bathtub": ("bathtub", {"width_m": 1}),
    "counter": ("counter", {"width_m": 1}),
    "sofa": ("sofa", {"width_m": 1}),
    "table": ("table", {"depth_m": 0, "width_m": 1, "height_m": 2}),
    "desk": ("desk", {"depth_m": 0, "width_m": 1}),
    "shelf": ("bookcase", {"width_m": 1, "height_m": 2}),
    "dresser": ("cabinet", {"width_m": 1, "height_m": 2}),
    "fridge": ("fridge", {"width_m": 1, "height_m": 2}),
    "cabinet": ("cabinet", {"width_m": 1, "height_m": 2}),
    "coffee_table": ("table", {"depth_m": 0, "width_m": 1, "height_m": 2}),
    "toilet": ("toilet", {}),
    "sink": ("sink", {"width_m": 1}),
    "stove": ("stove", {"width_m": 1}),
    "armchair": ("armchair", {"width_m": 1}),
    "side_table": ("table", {"depth_m": 0, "width_m": 1, "height_m": 2}),
    "chair": ("chair", {}),
    "stool": ("stool", {"height_m": 2}),
    "floor_lamp": ("floor_lamp", {"height_m": 2}),
    "bin": ("bin", {"height_m": 2}),
    "plant": ("potted_plant", {"height_m": 2}),
    "box": ("box", {"size_m": 1}),
    "kitchen_machine": ("coffee_machine", {}),
    "desk_lamp": ("lantern", {}),
    "cup": ("cup", {}),
    "book": ("book", {}),
}
"""What a kind of the data is built as, and which of its own extents the parameters take: 0 front to back, 1 across, 2
height. Vases have no like in the library; a television stands on what carries it."""
_ATOP: Final = frozenset({"box", "coffee_machine", "lantern", "cup", "book"})
_USED: Final = frozenset({"fridge", "stove", "sink", "cabinet", "toilet", "bookcase", "desk"})
"""What needs room before it."""
_SEATS: Final = frozenset({"chair", "stool"})
_SIZES_M: Final = 0.1
"""Steps in which things are made to measure, so that the tries for a room share most of their meshes."""
_NUDGES_M: Final = (0.0, 0.1, -0.1, 0.2, -0.2, 0.35, -0.35, 0.5, -0.5)


@dataclass(slots=True)
class _Drawn:
    """One thing as the network drew it, in the room's frame."""

    name: str
    x: float
    y: float
    yaw: float
    size: tuple[float, float, float]
    support: int
    stood: list[int] = field(default_factory=list)

    def along(self, x: float, y: float) -> tuple[float, float]:
        """Returns how far ahead of its middle, and to the left of it, a point is."""
        dx, dy = x - self.x, y - self.y
        return dx * cos(self.yaw) + dy * sin(self.yaw), dy * cos(self.yaw) - dx * sin(self.yaw)

    def moved(self, ahead: float, aside: float) -> tuple[float, float]:
        """Returns the point so far ahead of its middle and to the left of it."""
        return self.x + ahead * cos(self.yaw) - aside * sin(self.yaw), self.y + ahead * sin(self.yaw) + aside * cos(
            self.yaw
        )


class LearnedLayout:
    """Furnishes living rooms, kitchens, bedrooms and bathrooms; the same for the same brief.

    Several tries are drawn; the one of which most finds room, clear of doors and of each other, is taken. Doors,
    windows and inner walls were not in what was learned from, so they are kept clear by rule; pictures hang by rule.
    """

    def __init__(self, network: LayoutGan, straighten: Straightener | None = None) -> None:
        self.network = network
        self.straighten = straighten

    @classmethod
    def shipped(cls, *, straighten: bool = False) -> LearnedLayout:
        """Returns the proposer whose weights come with the package.

        Args:
            straighten: Whether the placement network puts straight what was drawn, before it is built.

        Raises:
            WeightsError: The weights are missing or damaged.
        """
        return cls(_loaded(WEIGHTS), straightener() if straighten else None)

    def propose(self, brief: Brief) -> Sequence[Proposal] | None:
        """Returns the things of a room; None for a role that is not in `KNOWN`."""
        if brief.role not in KNOWN:
            return None
        generator = torch.Generator().manual_seed(brief.seed)
        made = self.network.generator.sample(
            _asked(brief, _TRIES), generator, candidates=_CANDIDATES, pose_warmth=_POSE_WARMTH
        )
        if self.straighten is not None:
            made = self.straighten(made)
        tries = [furnished(brief, drawn_of(made, row, brief)) for row in range(_TRIES)]
        furnisher, _ = max(tries, key=lambda one: one[1])
        pictures(furnisher, _SIDES, 0.6)
        return furnisher.items


def drawn_of(made: Layouts, row: int, brief: Brief) -> list[_Drawn]:
    """Returns what the network drew for a room, supports first; what is let into a counter parts it."""
    x0, y0, _, _ = brief.bounds
    things = []
    for at in range(int(made.there[row].sum())):
        x, y = made.place[row, at].tolist()
        long, wide, high = made.size[row, at].tolist()
        yaw = float(made.yaw[row, at])
        quarter = round(yaw / (pi / 2)) * pi / 2
        yaw = quarter if abs(yaw - quarter) < _STRAIGHT else yaw
        name = NAMES[int(made.kind[row, at])]
        things.append(_Drawn(name, x + x0, y + y0, yaw, (long, wide, high), int(made.support[row, at])))
    return things


def furnished(brief: Brief, things: Sequence[_Drawn]) -> tuple[Furnisher, float]:
    """Returns a room with all of what was drawn that finds room, and what it is worth, up to 2."""
    style = style_of(brief.tags, brief.seed)
    f = Furnisher(brief, style)
    windows(f)
    holding = {thing.support for thing in things if thing.name == "screen" and thing.size[1] > 0.6}
    wanted = 0.0
    for at, thing in enumerate(things):
        if thing.support != FLOOR and thing.name not in {"sink", "stove"}:
            continue
        for piece in _pieces(at, things):
            built = _built(piece, screen=at in holding and thing.name == "dresser")
            if built is None:
                continue
            wanted += _weight(piece)
            index = _stood(f, piece, *built)
            if index is not None:
                thing.stood.append(index)
    stood = sum(_weight(thing) for thing in things if thing.stood)
    _put_atop(f, things)
    kinds = {item.kind for item in f.items}
    needed = _NEEDED[brief.role]
    worth = stood / max(wanted, 0.1) + sum(kind in kinds for kind in needed) / len(needed)
    return f, worth - _lost(f)


def exactly(brief: Brief, things: Sequence[_Drawn]) -> list[Proposal]:
    """Returns all that was drawn and has a like in the asset library, exactly where it was drawn, fit or not."""
    style = style_of(brief.tags, brief.seed)
    holding = {thing.support for thing in things if thing.name == "screen" and thing.size[1] > 0.6}
    found: list[Proposal] = []
    for at, thing in enumerate(things):
        if thing.support != FLOOR and thing.name not in {"sink", "stove"}:
            continue
        for piece in _pieces(at, things):
            built = _built(piece, screen=at in holding and thing.name == "dresser")
            if built is None:
                continue
            kind, params = built
            seed = style.looks
            (mx, my), _ = footprint_of(kind, seed, params)
            x, y = piece.moved(-mx, -my)
            thing.stood.append(len(found))
            found.append(Proposal(kind, x, y, piece.yaw, seed=seed, params=params))
    for thing in things:
        kind = _ASSETS.get(thing.name, ("", {}))[0]
        if thing.support != FLOOR and kind in _ATOP and things[thing.support].stood:
            found.append(Proposal(kind, thing.x, thing.y, thing.yaw, support=things[thing.support].stood[0], seed=1))
    return found


def _lost(f: Furnisher) -> float:
    """Returns how much is wrong with the ways through a room, 0 if all of it can be walked to with room to spare."""
    used = [
        (index, box_of(item.kind, item.seed, item.params, item.x, item.y, item.yaw))
        for index, item in enumerate(f.items)
        if item.support == FLOOR and not item.hung and BY_NAME[item.kind].interaction is not Interaction.NONE
    ]
    spare = copy(f.board)
    spare.taken = [box.grown(_SPARE_M) for box in f.board.taken]
    lost = spare.lost(used)
    return min(lost.area_m2, 4.0) / 4 + 0.25 * lost.missed


def _weight(thing: _Drawn) -> float:
    return 0.3 + thing.size[0] * thing.size[1]


def _pieces(at: int, things: Sequence[_Drawn]) -> Iterator[_Drawn]:
    """Returns a thing, or the parts of a counter that what is let into it leaves."""
    thing = things[at]
    if thing.name != "counter":
        yield _aligned(thing, things)
        return
    edges = [-thing.size[1] / 2, thing.size[1] / 2]
    for other in things:
        if other.support == at and other.name in {"sink", "stove"}:
            _, middle = thing.along(other.x, other.y)
            half = max(other.size[1] if other.name == "sink" else 0.0, 0.7) / 2 + 0.01
            edges += [middle - half, middle + half]
    edges.sort()
    for a, b in zip(edges[::2], edges[1::2], strict=True):
        if b - a >= 0.6:
            x, y = thing.moved(0.0, (a + b) / 2)
            yield replace(thing, x=x, y=y, size=(thing.size[0], b - a, thing.size[2]))


def _aligned(thing: _Drawn, things: Sequence[_Drawn]) -> _Drawn:
    """Returns a sink or stove that is let into a counter turned and moved back as the counter is."""
    if thing.support == FLOOR:
        return thing
    under = things[thing.support]
    _, middle = under.along(thing.x, thing.y)
    x, y = under.moved(0.0, middle)
    return replace(thing, x=x, y=y, yaw=under.yaw, size=(under.size[0], max(thing.size[1], 0.7), thing.size[2]))


def _built(thing: _Drawn, *, screen: bool) -> tuple[str, dict[str, float | str]] | None:
    """Returns the asset's kind and parameters, each within what it can be built in; None without a like."""
    if screen:
        return "screen", {"style": "television", "height_m": 1.2}
    if thing.name not in _ASSETS:
        return None
    kind, sized = _ASSETS[thing.name]
    accepted = library.parameters(kind)
    params: dict[str, float | str] = {}
    for name, axis in sized.items():
        low, high = accepted[name] or (0.1, 3.0)
        params[name] = min(max(round(thing.size[axis] / _SIZES_M) * _SIZES_M, float(low)), float(high))
    if kind == "table":
        params["shape"] = "square"
    return kind, params


def _stood(f: Furnisher, thing: _Drawn, kind: str, params: dict[str, float | str]) -> int | None:
    """Stands a thing where it was drawn, or near by; returns its index or None."""
    seed = f.style.looks
    params = f.painted(kind, params, seed)
    (mx, my), (deep, _) = footprint_of(kind, seed, params)
    back = 0.0 if kind in _SEATS else (deep - thing.size[0]) / 2
    x, y = _inside(f, kind, thing, params, back, seed)
    for front_m in (0.5, 0.0) if kind in _USED else (0.0,):
        for ahead, aside in _near(kind):
            px = x + ahead * cos(thing.yaw) - aside * sin(thing.yaw)
            py = y + ahead * sin(thing.yaw) + aside * cos(thing.yaw)
            ox = px - mx * cos(thing.yaw) + my * sin(thing.yaw)
            oy = py - mx * sin(thing.yaw) - my * cos(thing.yaw)
            faces = _faced(f, px, py, thing.yaw) if kind in _SEATS else -1
            index = f.stand(kind, ox, oy, thing.yaw, front_m=front_m, params=params, seed=seed, faces=faces)
            if index is not None:
                return index
    return None


def _near(kind: str) -> Iterator[tuple[float, float]]:
    """Returns where a thing is tried, metres ahead and to the left; seats draw back, all else slides along."""
    if kind in _SEATS:
        yield from ((-step / 10, 0.0) for step in range(8))
    yield from ((0.0, aside) for aside in _NUDGES_M)
    yield from ((ahead, 0.0) for ahead in _NUDGES_M[1:5])


def _inside(
    f: Furnisher, kind: str, thing: _Drawn, params: Mapping[str, float | str], back: float, seed: int
) -> tuple[float, float]:
    """Returns the middle of a thing's footprint, its back where it was drawn, up to walls that it nearly touches."""
    x, y = thing.moved(back, 0.0)
    ex, ey = box_of(kind, seed, params, 0.0, 0.0, thing.yaw).extent()
    straight = abs(sin(2 * thing.yaw)) < 0.01
    board = f.board
    snap = _SNAP_M if straight and kind not in _SEATS and kind != "table" else 0.0
    return (
        _snapped(x, ex, board.x0, board.x1, snap),
        _snapped(y, ey, board.y0, board.y1, snap),
    )


def _snapped(at: float, half: float, low: float, high: float, snap_m: float) -> float:
    """Returns a middle moved into the room, and to the nearer wall if it is less than `snap_m` off it."""
    if at - half - low < snap_m:
        return low + half + WALL_GAP_M
    if high - at - half < snap_m:
        return high - half - WALL_GAP_M
    return min(max(at, low + half + WALL_GAP_M), max(high - half - WALL_GAP_M, low + half + WALL_GAP_M))


def _faced(f: Furnisher, x: float, y: float, yaw: float) -> int:
    """Returns the table or desk that a seat looks at from near by; -1 without one."""
    for index, item in enumerate(f.items):
        if item.kind in {"table", "desk"}:
            dx, dy = item.x - x, item.y - y
            if hypot(dx, dy) < 1.6 and dx * cos(yaw) + dy * sin(yaw) > 0.6 * hypot(dx, dy):
                return index
    return -1


def _put_atop(f: Furnisher, things: Sequence[_Drawn]) -> None:
    """Puts small things on what they were drawn on, where it stood."""
    for thing in things:
        kind = _ASSETS.get(thing.name, ("", {}))[0]
        if thing.support == FLOOR or kind not in _ATOP:
            continue
        under = things[thing.support]
        ahead, aside = under.along(thing.x, thing.y)
        for index in under.stood:
            item = f.items[index]
            (_, _), (deep, wide) = footprint_of(item.kind, item.seed, item.params)
            if item.kind != "screen" and abs(aside) < wide / 2 - 0.15 and abs(ahead) < deep / 2 + 0.1:
                limit = max(deep / 2 - 0.15, 0.0)
                f.upon(kind, index, min(max(ahead, -limit), limit), aside)
                break


def _asked(brief: Brief, tries: int) -> Layouts:
    """Returns empty rooms of a brief's role, floor and tags."""
    x0, y0, x1, y1 = brief.bounds
    roles = tuple(ROLES.values())
    tags = torch.tensor([[float(tag in brief.tags) for tag in TAGS]])
    blank = torch.zeros(1, 0)
    room = Layouts(
        blank.long(),
        torch.zeros(1, 0, 2),
        blank,
        torch.zeros(1, 0, 3),
        blank.long(),
        torch.tensor([roles.index(brief.role)]),
        torch.tensor([[x1 - x0, y1 - y0]], dtype=torch.float32),
        tags,
    )
    return room.rows(torch.zeros(tries, dtype=torch.long))


@lru_cache(maxsize=2)
def _loaded(path: Path) -> LayoutGan:
    return load_layout(path)
