"""Straightening: has the placement network put rooms straight that another network drew, before they are built."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import torch

from ecumene_models.layouts import Layouts, extents
from ecumene_models.relations import Boxes
from ecumene_world.learning.arrangements import NAMES
from ecumene_world.learning.placing import Refiner, shipped
from ecumene_world.learning.rooms import SORTS

Straightener = Callable[[Layouts], Layouts]
_SORTED: Final[Mapping[str, str]] = {
    **dict.fromkeys(("chair", "armchair", "stool"), "chair"),
    **dict.fromkeys(("counter", "table", "desk", "coffee_table", "side_table"), "table"),
    **dict.fromkeys(("shelf", "dresser", "cabinet"), "cabinet"),
    **dict.fromkeys(("fridge", "stove", "kitchen_machine"), "appliance"),
    **dict.fromkeys(("bathtub", "toilet", "sink"), "bathroom"),
    **dict.fromkeys(("floor_lamp", "desk_lamp"), "lamp"),
    **dict.fromkeys(("bin", "box"), "box"),
    **dict.fromkeys(("vase", "cup"), "vessel"),
    "bed": "bed",
    "sofa": "sofa",
    "plant": "plant",
    "screen": "screen",
    "book": "tool",
}
"""Sorts of the placement network for the kinds of the layout network."""
_SORT: Final = torch.tensor([list(SORTS).index(_SORTED[name]) for name in NAMES])


def straightener() -> Straightener:
    """Returns what puts layouts straight by the weights that come with the package.

    Raises:
        WeightsError: The weights are missing or damaged.
    """
    refine = shipped()
    return lambda layouts: straightened(layouts, refine)


def straightened(layouts: Layouts, refine: Refiner) -> Layouts:
    """Returns layouts whose things on the floor were moved by a refiner, and what they carry with them."""
    before = boxes_of(layouts)
    moves = ((refine(before).centre - before.centre)[..., :2]) * layouts.stands[..., None]
    carrier = torch.arange(layouts.kind.shape[1]).expand_as(layouts.kind)
    for _ in range(3):  # what stands on what stands on the floor, and on that
        under = layouts.support.gather(1, carrier)
        carrier = torch.where(under >= 0, under, carrier)
    return layouts._replace(place=layouts.place + moves.gather(1, carrier[..., None].expand_as(moves)))


def boxes_of(layouts: Layouts) -> Boxes:
    """Returns the axis-aligned boxes of what stands on the floor, in the columns that it has in the layouts."""
    half = extents(layouts.yaw, layouts.size)
    height = layouts.size[..., 2:]
    sort = torch.where(layouts.stands, _SORT[layouts.kind.clamp_min(0)], -1)
    floor = torch.cat((torch.zeros_like(layouts.floor), layouts.floor), 1)
    return Boxes(sort, torch.cat((layouts.place, height / 2), 2), torch.cat((2 * half, height), 2), floor)
