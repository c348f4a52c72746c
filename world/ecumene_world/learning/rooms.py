"""Rooms that people designed: the objects of 195 iTHOR and RoboTHOR rooms with boxes, headings and supports.

Only the package's JSON is read. Frame: metres, z up, right-handed; a heading is that of the object's front. The data
know no doors, so nothing about doors can be learned from them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import pi, radians
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecumene_world.datasets import fetch
from ecumene_world.errors import ImportFailed

SORTS: Final[Mapping[str, str]] = {
    "chair": "Chair ArmChair Stool Footstool Ottoman",
    "sofa": "Sofa",
    "table": "DiningTable CoffeeTable SideTable Desk CounterTop",
    "bed": "Bed DogBed",
    "cabinet": "Cabinet Dresser TVStand ShelvingUnit Safe Shelf",
    "appliance": "Fridge Microwave Toaster CoffeeMachine StoveBurner VacuumCleaner WashingMachine",
    "bathroom": "Toilet Sink Bathtub ShowerHead ShowerDoor ShowerCurtain",
    "lamp": "DeskLamp FloorLamp Candle",
    "plant": "HousePlant RoomDecor",
    "vessel": "Bowl Bottle Cup Kettle Mug Pan Plate Pot Vase WineBottle SoapBottle SprayBottle WateringCan SaltShaker "
    "PepperShaker",
    "screen": "Television Laptop Desktop",
    "picture": "Painting Poster Mirror",
    "opening": "Window Blinds Curtains",
    "textile": "Pillow Cloth Towel HandTowel TeddyBear Boots LaundryHamper",
    "box": "Box GarbageCan GarbageBag TissueBox",
    "food": "Apple Bread Egg Lettuce Potato Tomato",
    "tool": "AlarmClock BaseballBat BasketBall Book ButterKnife CD CellPhone CreditCard DishSponge Dumbbell Fork "
    "KeyChain Knife Ladle Newspaper PaperTowelRoll Pen Pencil Plunger RemoteControl ScrubBrush SoapBar Spatula Spoon "
    "Statue TableTopDecor TennisRacket ToiletPaper Watch AluminumFoil",
}
"""Sort to iTHOR types; the first nine are classes of the recogniser, so that what it names can be related."""
_SORT_OF: Final = {kind: row for row, kinds in enumerate(SORTS.values()) for kind in kinds.split()}
_CONTAINERS: Final = frozenset(
    {"Fridge", "Microwave", "Cabinet", "Safe", "Box", "GarbageCan", "Sink", "Bathtub", "LaundryHamper", "Pot"}
)
"""What stands in them is inside; what stands on anything else is on it."""
_LAYOUTS: Final = 5
"""RoboTHOR furnishes each of its floor plans in so many ways; they belong together in a split."""


@dataclass(frozen=True, slots=True, eq=False)
class Room:
    """N objects of one room.

    Attributes:
        name: Such as `bedrooms/3`.
        group: Rooms of one group share a floor plan and never stand on both sides of a split.
        sort: (N,) i64 rows of `SORTS`.
        centre: (N, 3) f32 of the axis-aligned box, metres.
        size: (N, 3) f32 of that box.
        heading: (N,) f32 radians.
        support: (N,) i64 row of what an object stands on or in; -1 for floor, wall or unknown.
        inside: (N,) bool whether it is in it rather than on it.
        floor: (4,) f32 least x, y and greatest x, y of the floor; NaN where it is not known.
    """

    name: str
    group: str
    sort: NDArray[np.int64]
    centre: NDArray[np.float32]
    size: NDArray[np.float32]
    heading: NDArray[np.float32]
    support: NDArray[np.int64]
    inside: NDArray[np.bool_]
    floor: NDArray[np.float32]


def rooms(path: Path | None = None) -> tuple[Room, ...]:
    """Returns all rooms, in the order of the file.

    Args:
        path: `ai2thor-object-metadata.json`; fetched if None.

    Raises:
        ImportFailed: The file can't be had or read.
    """
    source = path or fetch("rooms")
    try:
        held = json.loads(source.read_text("utf-8"))
        return tuple(_rooms(held))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ImportFailed(f"{source} can't be read as rooms: {error!r}") from None


def _rooms(held: Mapping[str, list[list[dict[str, Any]]]]) -> Iterator[Room]:
    for collection, scenes in held.items():
        for index, objects in enumerate(scenes):
            plan = index // _LAYOUTS if collection == "robothor" else index
            yield _room(f"{collection}/{index}", f"{collection}/{plan}", objects)


def _room(name: str, group: str, objects: list[dict[str, Any]]) -> Room:
    known = [one for one in objects if one["objectType"] in _SORT_OF]
    row = {one["objectId"]: index for index, one in enumerate(known)}
    boxes = [one["axisAlignedBoundingBox"] for one in known]
    centre = np.array([[box["center"][axis] for axis in "xzy"] for box in boxes], np.float32).reshape(-1, 3)
    size = np.array([[box["size"][axis] for axis in "xzy"] for box in boxes], np.float32).reshape(-1, 3)
    support = np.array([_support(one, row) for one in known], np.int64)
    inside = np.array([at >= 0 and known[at]["objectType"] in _CONTAINERS for at in support], bool)
    heading = np.array([pi / 2 - radians(one["rotation"]["y"]) for one in known], np.float32)
    sort = np.array([_SORT_OF[one["objectType"]] for one in known], np.int64)
    return Room(name, group, sort, centre, size, heading, support, inside, _floor(objects))


def _support(one: Mapping[str, Any], row: Mapping[str, int]) -> int:
    """Returns the row of the first known parent, basins standing for what they belong to."""
    for parent in one["parentReceptacles"] or ():
        kind = parent.partition("|")[0]
        if parent in row:
            return row[parent]
        if parent.endswith("Basin"):
            owner = parent.rpartition("|")[0]
            if owner in row:
                return row[owner]
        if kind == "Floor":
            return -1
    return -1


def _floor(objects: list[dict[str, Any]]) -> NDArray[np.float32]:
    """Returns the bounds of the floor's box."""
    for one in objects:
        if one["objectType"] == "Floor":
            box = one["axisAlignedBoundingBox"]
            middle = np.array([box["center"]["x"], box["center"]["z"]])
            half = np.array([box["size"]["x"], box["size"]["z"]]) / 2
            return np.concatenate([middle - half, middle + half]).astype(np.float32)
    return np.full(4, np.nan, np.float32)
