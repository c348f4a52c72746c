"""Arrangements: what stands in the designed rooms, reduced to furniture with poses, sizes and supports.

The data know neither doors nor inner walls: a room is the rectangle that its things, wall and ceiling fittings
included, take up, within its floor where that is known. RoboTHOR's apartments are one such rectangle each.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import cos, pi, radians, sin
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from ecumene_models.layouts import FLOOR, Layouts
from ecumene_world.datasets import fetch
from ecumene_world.errors import ImportFailed

ROLES: Final[Mapping[str, str]] = {
    "bathrooms": "bathroom",
    "bedrooms": "bedroom",
    "kitchens": "kitchen",
    "living_rooms": "living",
    "robothor": "apartment",
}
"""Collections of the data and the roles of their rooms."""
KINDS: Final[Mapping[str, str]] = {
    "bed": "Bed",
    "bathtub": "Bathtub",
    "counter": "CounterTop",
    "sofa": "Sofa",
    "table": "DiningTable",
    "desk": "Desk",
    "shelf": "ShelvingUnit Shelf",
    "dresser": "Dresser TVStand",
    "fridge": "Fridge",
    "cabinet": "Cabinet Safe",
    "coffee_table": "CoffeeTable",
    "toilet": "Toilet",
    "sink": "Sink",
    "stove": "StoveBurner",
    "armchair": "ArmChair",
    "side_table": "SideTable",
    "chair": "Chair",
    "stool": "Stool Footstool Ottoman",
    "floor_lamp": "FloorLamp",
    "bin": "GarbageCan LaundryHamper",
    "screen": "Television Laptop Desktop",
    "desk_lamp": "DeskLamp",
    "plant": "HousePlant RoomDecor",
    "kitchen_machine": "CoffeeMachine Microwave Toaster",
    "box": "Box",
    "vase": "Vase",
    "cup": "Cup Mug",
    "book": "Book",
}
"""Kinds of things, in the order in which a room is furnished, and the types of iTHOR that they stand for."""
NAMES: Final = tuple(KINDS)
TAGS: Final = ("minimal", "busy", "green")
MOST: Final = 40
"""Greatest number of things in a room."""
_KIND_OF: Final = {kind: name for name, kinds in KINDS.items() for kind in kinds.split()}
_CARRIED: Final = frozenset({"screen", "desk_lamp", "plant", "kitchen_machine", "box", "vase", "cup", "book"})
"""What may stand on something; sinks and stoves may be let into a counter besides."""
_LET_IN: Final = frozenset({"sink", "stove"})
_CARRIERS: Final = frozenset(
    {"table", "desk", "counter", "dresser", "cabinet", "coffee_table", "side_table", "shelf", "fridge", "bed", "stool"}
)
_BUILT_IN: Final = frozenset({"cabinet", "shelf"})
"""Left out where they are part of something else."""
_BACKED: Final = frozenset(
    {"bed", "bathtub", "counter", "sofa", "desk", "shelf", "dresser", "fridge", "cabinet", "toilet", "sink", "stove"}
)
"""What stands with its back to a wall, if any is near."""
_AT_WALL_M: Final = 0.4
_LAYOUTS: Final = 5
_STANDING_M: Final = 0.45
_COUNTER_M: Final = 0.64
_LEAST_M2: Final = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Arrangement:
    """N things of one room, supports first.

    Attributes:
        name: Such as `bedrooms/3`.
        group: Rooms of one group share a floor plan and never stand on both sides of a split.
        role: One of the values of `ROLES`.
        floor: Extents of the floor along x and y, metres; the origin is its corner.
        kind: (N,) i64 rows of `KINDS`.
        place: (N, 2) f32 middle of the footprint, metres.
        yaw: (N,) f32 direction of the front, radians.
        size: (N, 3) f32 extents along the thing's own axes, metres.
        support: (N,) i64 what it stands on or in; -1 for the floor.
        tags: Which of `TAGS` describe it.
    """

    name: str
    group: str
    role: str
    floor: tuple[float, float]
    kind: NDArray[np.int64]
    place: NDArray[np.float32]
    yaw: NDArray[np.float32]
    size: NDArray[np.float32]
    support: NDArray[np.int64]
    tags: tuple[str, ...] = ()


@dataclass(slots=True)
class _Thing:
    kind: str
    name: str
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    yaw: float
    parents: tuple[str, ...]

    @property
    def area(self) -> float:
        return float((self.high - self.low)[:2].prod())

    def covered(self, other: _Thing) -> float:
        """Share of the footprint that lies within another's."""
        common = np.minimum(self.high, other.high)[:2] - np.maximum(self.low, other.low)[:2]
        return float(common.clip(0).prod() / max(self.area, 1e-4))


def arrangements(path: Path | None = None) -> tuple[Arrangement, ...]:
    """Returns all rooms, in the order of the file.

    Args:
        path: `ai2thor-object-metadata.json`; fetched if None.

    Raises:
        ImportFailed: The file can't be had or read.
    """
    source = path or fetch("rooms")
    try:
        held = json.loads(source.read_text("utf-8"))
        found = [
            _arrangement(collection, index, objects)
            for collection, scenes in held.items()
            for index, objects in enumerate(scenes)
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ImportFailed(f"{source} can't be read as rooms: {error!r}") from None
    return tuple(_tagged(_sized(found)))


def layouts_of(rooms: Sequence[Arrangement]) -> Layouts:
    """Returns rooms as tensors, padded to the fullest."""
    count, most = len(rooms), max(len(room.kind) for room in rooms)
    kind, support = torch.full((count, most), -1), torch.full((count, most), FLOOR)
    place, yaw, size = torch.zeros(count, most, 2), torch.zeros(count, most), torch.zeros(count, most, 3)
    for row, room in enumerate(rooms):
        here = slice(0, len(room.kind))
        for target, source in ((kind, room.kind), (support, room.support), (place, room.place), (yaw, room.yaw)):
            target[row, here] = torch.from_numpy(source)
        size[row, here] = torch.from_numpy(room.size)
    roles = tuple(ROLES.values())
    tags = torch.tensor([[float(tag in room.tags) for tag in TAGS] for room in rooms])
    return Layouts(
        kind,
        place,
        yaw,
        size,
        support,
        torch.tensor([roles.index(room.role) for room in rooms]),
        torch.tensor([room.floor for room in rooms], dtype=torch.float32),
        tags,
    )


def _arrangement(collection: str, index: int, objects: Sequence[Mapping[str, Any]]) -> Arrangement:
    low, high = _bounds(objects)
    things = _standing([_thing(one) for one in objects if one["objectType"] in _KIND_OF], low, high)
    order = sorted(things, key=lambda thing: NAMES.index(thing.kind))
    for thing in order:
        thing.yaw = _heading(thing, low, high)
    row = {thing.name: at for at, thing in enumerate(order)}
    support = [_support(thing, order, row) for thing in order]
    for thing, under in zip(order, support, strict=True):
        thing.low[2] = thing.low[2] if under != FLOOR else 0.0
    group = index // _LAYOUTS if collection == "robothor" else index
    return Arrangement(
        f"{collection}/{index}",
        f"{collection}/{group}",
        ROLES[collection],
        (float(high[0] - low[0]), float(high[1] - low[1])),
        np.array([NAMES.index(thing.kind) for thing in order], np.int64),
        np.array([(thing.low + thing.high)[:2] / 2 - low for thing in order], np.float32).reshape(-1, 2),
        np.array([thing.yaw for thing in order], np.float32),
        np.array([thing.high - thing.low for thing in order], np.float32).reshape(-1, 3),
        np.array(support, np.int64),
    )


def _thing(one: Mapping[str, Any]) -> _Thing:
    box = one["axisAlignedBoundingBox"]
    centre = np.array([box["center"][axis] for axis in "xzy"], np.float64)
    half = np.array([box["size"][axis] for axis in "xzy"], np.float64) / 2
    yaw = pi / 2 - radians(one["rotation"]["y"])
    parents = tuple(one["parentReceptacles"] or ())
    return _Thing(_KIND_OF[one["objectType"]], one["objectId"], centre - half, centre + half, yaw, parents)


def _bounds(objects: Sequence[Mapping[str, Any]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns least and greatest x, y of what the room holds, within its floor."""
    low, high = np.full(2, np.inf), np.full(2, -np.inf)
    floor = [np.array([-np.inf] * 2), np.array([np.inf] * 2)]
    for one in objects:
        box = one["axisAlignedBoundingBox"]
        centre = np.array([box["center"]["x"], box["center"]["z"]])
        half = np.array([box["size"]["x"], box["size"]["z"]]) / 2
        if one["objectType"] == "Floor":
            floor = [centre - half, centre + half]
        else:
            low, high = np.minimum(low, centre - half), np.maximum(high, centre + half)
    return np.maximum(low, floor[0]), np.minimum(high, floor[1])


def _standing(things: list[_Thing], low: NDArray[np.float64], high: NDArray[np.float64]) -> list[_Thing]:
    """Returns things that stand on the floor or on others, merged where they are parts of one."""
    whole = [thing for thing in things if thing.kind not in {"stove", "shelf", "counter"}]
    whole += [part for thing in things if thing.kind == "counter" for part in _runs(thing, low, high)]
    whole += _merged([thing for thing in things if thing.kind == "stove"], 0.35)
    whole += [one for one in _merged([thing for thing in things if thing.kind == "shelf"], 0.05) if one.low[2] < 0.6]
    found: list[_Thing] = []
    for thing in sorted(whole, key=lambda one: (one.kind in _BUILT_IN, -one.area)):
        hangs = thing.low[2] > (1.0 if thing.kind in {"sink", "stove", "counter"} else _STANDING_M)
        if hangs and thing.kind not in _CARRIED and thing.kind not in _LET_IN and thing.kind != "counter":
            continue
        inside = any(thing.covered(other) > 0.5 for other in found if other.kind not in _CARRIED)
        if (thing.area < _LEAST_M2 and thing.kind not in _CARRIED) or (thing.kind in _BUILT_IN and inside):
            continue
        if ((thing.low + thing.high)[:2] / 2 < low).any() or ((thing.low + thing.high)[:2] / 2 > high).any():
            continue
        found.append(thing)
    return [one for one in found if one.low[2] < 0.15 or one.kind not in _CARRIED or _carrier(one, found) is not None]


def _heading(thing: _Thing, low: NDArray[np.float64], high: NDArray[np.float64]) -> float:
    """Returns where a thing looks: away from the wall behind it where its own heading is only that of its mesh.

    Many of iTHOR's large things are drawn in place, with a heading of zero that says nothing.
    """
    if thing.kind not in _BACKED or abs(sin(2 * thing.yaw)) > 0.15:
        return thing.yaw
    size = (thing.high - thing.low)[:2]
    gaps = np.concatenate([thing.low[:2] - low, high - thing.high[:2]])
    quarter = round(thing.yaw / (pi / 2)) % 4
    lengthwise = thing.kind in {"bed", "toilet"}
    square = size.max() < 1.25 * size.min()
    fits = [square or (axis == int(np.argmax(size))) == lengthwise for axis in (0, 1, 0, 1)]
    if gaps[quarter] < _AT_WALL_M and fits[quarter]:
        return thing.yaw
    ways = [way for way in range(4) if fits[way] and gaps[way] < _AT_WALL_M]
    return min(ways, key=lambda way: float(gaps[way])) * pi / 2 if ways else thing.yaw


def _merged(parts: Iterable[_Thing], spare_m: float) -> list[_Thing]:
    """Returns boxes about parts whose footprints overlap when grown by a margin."""
    found: list[_Thing] = []
    for part in sorted(parts, key=lambda one: (one.low[0], one.low[1])):
        for whole in found:
            gap = np.maximum(whole.low - part.high, part.low - whole.high)[:2].max()
            if gap < (spare_m if part.kind == "stove" else -spare_m):
                whole.low, whole.high = np.minimum(whole.low, part.low), np.maximum(whole.high, part.high)
                break
        else:
            found.append(part)
    return found


def _runs(counter: _Thing, low: NDArray[np.float64], high: NDArray[np.float64]) -> list[_Thing]:
    """Returns a counter as straight runs: one that bends round corners becomes one along each wall it touches."""
    size = (counter.high - counter.low)[:2]
    sides = [(axis, end) for axis in (0, 1) for end in (0, 1) if _touches(counter, axis, end, low, high)]
    axes = {axis for axis, _ in sides}
    if size.min() < 1.0 or len(axes) < 2:
        return [counter]
    runs: list[_Thing] = []
    for axis, end in sorted(sides, key=lambda side: -size[1 - side[0]]):
        a, b = counter.low.copy(), counter.high.copy()
        if end == 0:
            b[axis] = a[axis] + _COUNTER_M
        else:
            a[axis] = b[axis] - _COUNTER_M
        for done, (other, edge) in zip(runs, sorted(sides, key=lambda side: -size[1 - side[0]]), strict=False):
            if other != axis and edge == 0:
                a[other] = done.high[other]
            elif other != axis:
                b[other] = done.low[other]
        yaw = (0.0 if end == 0 else pi) + (0.0 if axis == 0 else pi / 2 if end == 0 else -3 * pi / 2)
        runs.append(_Thing("counter", f"{counter.name}#{len(runs)}", a, b, yaw, ()))
    return [run for run in runs if (run.high - run.low)[:2].min() > 0.3]


def _touches(thing: _Thing, axis: int, end: int, low: NDArray[np.float64], high: NDArray[np.float64]) -> bool:
    gap = thing.low[axis] - low[axis] if end == 0 else high[axis] - thing.high[axis]
    return bool(gap < 0.4)


def _carrier(thing: _Thing, others: Iterable[_Thing]) -> _Thing | None:
    """Returns what a thing stands on or is let into: its parent, else the highest that lies under its middle."""
    held = [one for one in others if one is not thing and one.kind in _CARRIERS and one.kind not in _CARRIED]
    for parent in thing.parents:
        for one in held:
            if (one.name == parent or one.name.startswith(f"{parent}#")) and thing.covered(one) > 0.2:
                return one
    under = [one for one in held if thing.covered(one) > 0.5 and one.high[2] < thing.high[2] + 0.6]
    return max(under, key=lambda one: one.high[2], default=None)


def _support(thing: _Thing, order: Sequence[_Thing], row: Mapping[str, int]) -> int:
    raised = thing.kind in _CARRIED and thing.low[2] > 0.15
    counters = [one for one in order if one.kind == "counter"]
    if not raised and thing.kind not in _LET_IN:
        return FLOOR
    carrier = _carrier(thing, order if raised else counters)
    return FLOOR if carrier is None else row[carrier.name]


def _sized(rooms: Sequence[Arrangement]) -> list[Arrangement]:
    """Returns rooms whose sizes, so far of axis-aligned boxes, are along the things' own axes.

    A thing that stands askew gets the usual proportions of its kind.
    """
    usual: dict[int, NDArray[np.float64]] = {}
    for kind in range(len(NAMES)):
        sizes = [
            _turned(room, at)
            for room in rooms
            for at in np.flatnonzero(room.kind == kind).tolist()
            if not _askew(room, at)
        ]
        usual[kind] = np.median(sizes, axis=0) if sizes else np.ones(3)
    found = []
    for room in rooms:
        sizes = [
            _askew_size(room, at, usual[int(room.kind[at])]) if _askew(room, at) else _turned(room, at)
            for at in range(len(room.kind))
        ]
        yaw = (room.yaw + pi) % (2 * pi) - pi
        found.append(replace(room, size=np.array(sizes, np.float32).reshape(-1, 3), yaw=yaw.astype(np.float32)))
    return found


def _askew(room: Arrangement, at: int) -> bool:
    return abs(sin(2 * float(room.yaw[at]))) > 0.15


def _turned(room: Arrangement, at: int) -> NDArray[np.float64]:
    order = [1, 0, 2] if abs(sin(float(room.yaw[at]))) > 0.7 else [0, 1, 2]
    return np.asarray(room.size[at][order], np.float64)


def _askew_size(room: Arrangement, at: int, usual: NDArray[np.float64]) -> NDArray[np.float64]:
    yaw = float(room.yaw[at])
    spread = (abs(cos(yaw)) + abs(sin(yaw))) * (usual[0] + usual[1])
    scale = float(room.size[at, :2].sum()) / spread
    return np.array([usual[0] * scale, usual[1] * scale, room.size[at, 2]])


def _tagged(rooms: Sequence[Arrangement]) -> list[Arrangement]:
    """Returns rooms with tags: the thirds of each role furnished least and most densely, and those with plants."""
    plant = NAMES.index("plant")
    density = np.array([(room.support < 0).sum() / np.sqrt(room.floor[0] * room.floor[1]) for room in rooms])
    roles = np.array([room.role for room in rooms])
    found = []
    for room, dense in zip(rooms, density, strict=True):
        few, many = np.quantile(density[roles == room.role], (1 / 3, 2 / 3))
        tags = [tag for tag, holds in (("minimal", dense < few), ("busy", dense > many)) if holds]
        tags += ["green"] * bool((room.kind == plant).any())
        found.append(replace(room, tags=tuple(tags)))
    return found
