"""The vocabulary of things: what a node can be, how minds see it and what can be done with it.

A kind's `code` is written into snapshots, recordings and wire palettes, so a code is never reused or changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from ecumene_world.errors import UnknownKindError


class Category(IntEnum):
    """What vision reports for a pixel; small enough for an embedding table, `len(Category)` rows."""

    SKY = 0
    GROUND = 1
    BUILDING = 2
    WALL = 3
    DOOR = 4
    SEAT = 5
    TABLE = 6
    VEGETATION = 7
    STREET = 8
    VEHICLE = 9
    STORAGE = 10
    APPLIANCE = 11
    ITEM = 12
    WATER = 13
    NPC = 14
    VISITOR = 15


class Interaction(IntEnum):
    """What an avatar can do with a thing that is in reach."""

    NONE = 0
    SIT = 1
    OPEN = 2
    PICK_UP = 3
    PRESS = 4
    READ = 5
    LIE = 6


class Motion(IntEnum):
    """How a thing takes part in motion."""

    GHOST = 0
    """Drawn only; walks through."""
    OBSTACLE = 1
    """Baked into the walkable grid at compile time."""
    DOOR = 2
    """Blocks while its state is 0 (closed)."""
    LOOSE = 3
    """Can be carried; does not block."""
    AVATAR = 4
    """A capsule moved by the engine."""
    SURFACE = 5
    """Walked upon: ground, floors, stairs, ramps."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of thing.

    Attributes:
        code: Stable number, 0..65535.
        name: Stable English name, singular, snake case.
        category: What vision reports for it.
        motion: How it takes part in motion.
        interaction: What can be done with it.
        length_m: From one end to the other, metres, where two have to carry it; 0 of all else.
    """

    code: int
    name: str
    category: Category
    motion: Motion
    interaction: Interaction = Interaction.NONE
    length_m: float = 0.0


_C, _M, _I = Category, Motion, Interaction

_ALL: Final = (
    # Structure: containers of the scene graph and what buildings are made of.
    Kind(1, "world", _C.GROUND, _M.GHOST),
    Kind(2, "place", _C.GROUND, _M.GHOST),
    Kind(3, "room", _C.GROUND, _M.GHOST),
    Kind(4, "ground", _C.GROUND, _M.SURFACE),
    Kind(5, "floor", _C.GROUND, _M.SURFACE),
    Kind(6, "street", _C.GROUND, _M.SURFACE),
    Kind(7, "square", _C.GROUND, _M.SURFACE),
    Kind(8, "lawn", _C.GROUND, _M.SURFACE),
    Kind(9, "stairs", _C.GROUND, _M.SURFACE),
    Kind(10, "ramp", _C.GROUND, _M.SURFACE),
    Kind(11, "wall", _C.WALL, _M.OBSTACLE),
    Kind(12, "building", _C.BUILDING, _M.OBSTACLE),
    Kind(13, "door", _C.DOOR, _M.DOOR, _I.OPEN),
    Kind(14, "window", _C.WALL, _M.GHOST),
    Kind(15, "roof", _C.BUILDING, _M.GHOST),
    Kind(16, "house", _C.BUILDING, _M.OBSTACLE),
    Kind(17, "tower", _C.BUILDING, _M.OBSTACLE),
    Kind(18, "mesh", _C.BUILDING, _M.OBSTACLE),
    Kind(19, "cluster", _C.STORAGE, _M.OBSTACLE),
    # Nature.
    Kind(30, "broadleaf_tree", _C.VEGETATION, _M.OBSTACLE),
    Kind(31, "conifer_tree", _C.VEGETATION, _M.OBSTACLE),
    Kind(32, "bush", _C.VEGETATION, _M.OBSTACLE),
    Kind(33, "hedge", _C.VEGETATION, _M.OBSTACLE),
    Kind(34, "flower_bed", _C.VEGETATION, _M.OBSTACLE),
    Kind(35, "rock", _C.STREET, _M.OBSTACLE),
    Kind(36, "potted_plant", _C.VEGETATION, _M.OBSTACLE),
    # Street.
    Kind(50, "bench", _C.SEAT, _M.OBSTACLE, _I.SIT),
    Kind(51, "street_lamp", _C.STREET, _M.OBSTACLE),
    Kind(52, "bin", _C.STREET, _M.OBSTACLE),
    Kind(53, "signpost", _C.STREET, _M.OBSTACLE, _I.READ),
    Kind(54, "market_stall", _C.STREET, _M.OBSTACLE),
    Kind(55, "fountain", _C.WATER, _M.OBSTACLE),
    Kind(56, "statue", _C.STREET, _M.OBSTACLE, _I.READ),
    Kind(57, "bollard", _C.STREET, _M.OBSTACLE),
    Kind(58, "fence", _C.WALL, _M.OBSTACLE),
    Kind(59, "bus_stop", _C.STREET, _M.OBSTACLE, _I.READ),
    Kind(60, "post_box", _C.STREET, _M.OBSTACLE, _I.PRESS),
    Kind(61, "kiosk", _C.BUILDING, _M.OBSTACLE),
    Kind(62, "parasol_table", _C.TABLE, _M.OBSTACLE),
    Kind(63, "notice_board", _C.STREET, _M.OBSTACLE, _I.READ),
    Kind(64, "bell_post", _C.STREET, _M.OBSTACLE, _I.PRESS),
    # Vehicles.
    Kind(80, "car", _C.VEHICLE, _M.OBSTACLE),
    Kind(81, "van", _C.VEHICLE, _M.OBSTACLE),
    Kind(82, "bicycle", _C.VEHICLE, _M.OBSTACLE),
    # Furniture.
    Kind(100, "chair", _C.SEAT, _M.OBSTACLE, _I.SIT),
    Kind(101, "stool", _C.SEAT, _M.OBSTACLE, _I.SIT),
    Kind(102, "sofa", _C.SEAT, _M.OBSTACLE, _I.SIT),
    Kind(103, "armchair", _C.SEAT, _M.OBSTACLE, _I.SIT),
    Kind(104, "table", _C.TABLE, _M.OBSTACLE),
    Kind(105, "desk", _C.TABLE, _M.OBSTACLE),
    Kind(106, "counter", _C.TABLE, _M.OBSTACLE),
    Kind(107, "shelf", _C.STORAGE, _M.OBSTACLE),
    Kind(108, "cabinet", _C.STORAGE, _M.OBSTACLE, _I.OPEN),
    Kind(109, "wardrobe", _C.STORAGE, _M.OBSTACLE, _I.OPEN),
    Kind(110, "bed", _C.SEAT, _M.OBSTACLE, _I.LIE),
    Kind(111, "rug", _C.GROUND, _M.GHOST),
    Kind(112, "floor_lamp", _C.APPLIANCE, _M.OBSTACLE, _I.PRESS),
    Kind(113, "fridge", _C.APPLIANCE, _M.OBSTACLE, _I.OPEN),
    Kind(114, "stove", _C.APPLIANCE, _M.OBSTACLE, _I.PRESS),
    Kind(115, "sink", _C.APPLIANCE, _M.OBSTACLE, _I.PRESS),
    Kind(116, "screen", _C.APPLIANCE, _M.OBSTACLE, _I.PRESS),
    Kind(117, "bookcase", _C.STORAGE, _M.OBSTACLE, _I.READ),
    Kind(118, "alarm_button", _C.APPLIANCE, _M.GHOST, _I.PRESS),
    Kind(119, "radio", _C.APPLIANCE, _M.GHOST, _I.PRESS),
    Kind(120, "painting", _C.WALL, _M.GHOST, _I.READ),
    Kind(121, "toilet", _C.SEAT, _M.OBSTACLE, _I.SIT),
    Kind(122, "bathtub", _C.APPLIANCE, _M.OBSTACLE),
    Kind(123, "blackboard", _C.WALL, _M.GHOST, _I.READ),
    Kind(124, "display_case", _C.STORAGE, _M.OBSTACLE, _I.READ),
    Kind(125, "till", _C.APPLIANCE, _M.GHOST, _I.PRESS),
    Kind(126, "coffee_machine", _C.APPLIANCE, _M.GHOST, _I.PRESS),
    Kind(127, "exam_couch", _C.SEAT, _M.OBSTACLE, _I.LIE),
    Kind(128, "clothes_rack", _C.STORAGE, _M.OBSTACLE),
    # Loose things.
    Kind(150, "ball", _C.ITEM, _M.LOOSE, _I.PICK_UP),
    Kind(151, "book", _C.ITEM, _M.LOOSE, _I.PICK_UP),
    Kind(152, "cup", _C.ITEM, _M.LOOSE, _I.PICK_UP),
    Kind(153, "box", _C.ITEM, _M.LOOSE, _I.PICK_UP),
    Kind(154, "lantern", _C.ITEM, _M.LOOSE, _I.PICK_UP),
    Kind(155, "stretcher", _C.ITEM, _M.LOOSE, _I.PICK_UP, 1.8),
    # Avatars.
    Kind(200, "npc", _C.NPC, _M.AVATAR),
    Kind(201, "visitor", _C.VISITOR, _M.AVATAR),
)

BY_NAME: Final = {kind.name: kind for kind in _ALL}
BY_CODE: Final = {kind.code: kind for kind in _ALL}
HEAVY: Final = {kind.code: kind.length_m for kind in _ALL if kind.length_m > 0}
"""Codes of the kinds that two have to carry, and how long these are, metres."""


def kind_named(name: str) -> Kind:
    """Returns the kind of that name.

    Raises:
        UnknownKindError: No kind has that name; the message names the nearest one.
    """
    try:
        return BY_NAME[name]
    except KeyError:
        raise UnknownKindError(name, BY_NAME) from None
