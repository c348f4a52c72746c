"""Rooms furnished by rule, as layouts that can be compared with the designed ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import torch

from ecumene_models.layouts import FLOOR, Layouts
from ecumene_world.generate.fitting import fitted
from ecumene_world.generate.furnisher import box_of
from ecumene_world.generate.procedural import Procedural
from ecumene_world.generate.proposer import Brief, Doorway, LayoutProposer, Proposal
from ecumene_world.graph import Node
from ecumene_world.learning.arrangements import NAMES, ROLES
from ecumene_world.mesh_of import asset_of

RULED: Final = tuple(role for role in ROLES.values() if role != "apartment")
"""Roles that both the data and the rules know."""
COARSE: Final[Mapping[str, str]] = {
    "bed": "bed",
    "bathtub": "bathtub",
    "counter": "counter",
    "sofa": "sofa",
    "table": "table",
    "coffee_table": "table",
    "side_table": "table",
    "stool": "seat",
    "chair": "seat",
    "desk": "desk",
    "shelf": "storage",
    "bookcase": "storage",
    "cabinet": "storage",
    "dresser": "storage",
    "wardrobe": "storage",
    "fridge": "fridge",
    "toilet": "toilet",
    "sink": "sink",
    "stove": "stove",
    "armchair": "armchair",
    "floor_lamp": "lamp",
    "bin": "bin",
    "plant": "plant",
    "potted_plant": "plant",
}
"""What both kinds of rooms are compared by: kinds of the data, or of the asset library, and what they count as."""
COARSE_NAMES: Final = tuple(dict.fromkeys(COARSE.values()))


def ruled_rooms(asked: Layouts, seed: int, proposer: LayoutProposer | None = None, *, fit: bool = False) -> Layouts:
    """Returns rooms that a proposer furnishes, by coarse kinds; the procedural one if None.

    Each has a door in the middle of its shortest wall, as the rules need one. What hangs, lies flat, stands on other
    things or counts as nothing is left out.

    Args:
        asked: Roles and floors; tags are not passed on.
        seed: Of the first room; each has its own.
        proposer: Furnishes them.
        fit: Whether what does not fit is moved or left out, as in a generated world.
    """
    furnisher = proposer or Procedural()
    made = asked.empty(60)
    for row in range(len(asked.role)):
        brief = brief_of(asked, row, seed * 10_000 + row)
        things = furnisher.propose(brief) or ()
        if fit:
            things = fitted(brief, things, brief.seed).things
        column = 0
        for thing in things:
            kind = COARSE.get(thing.kind)
            if kind is None or thing.support != FLOOR or thing.hung:
                continue
            _stood(made, (row, column), kind, thing)
            column += 1
    return made.cropped()


def coarse(layouts: Layouts) -> Layouts:
    """Returns layouts of the data's kinds by coarse kinds; what stands on other things is left out."""
    code = torch.tensor([COARSE_NAMES.index(COARSE[name]) if name in COARSE else -1 for name in NAMES])
    kind = torch.where(layouts.stands, code[layouts.kind.clamp_min(0)], -1)
    order = (kind < 0).long().argsort(dim=1, stable=True)
    return Layouts(
        kind.gather(1, order),
        layouts.place.gather(1, order[..., None].expand(-1, -1, 2)),
        layouts.yaw.gather(1, order),
        layouts.size.gather(1, order[..., None].expand(-1, -1, 3)),
        torch.full_like(kind, FLOOR),
        *layouts[5:],
    ).cropped()


def brief_of(asked: Layouts, row: int, seed: int) -> Brief:
    """Returns what a proposer is told of a room."""
    x, y = asked.floor[row].tolist()
    role = tuple(ROLES.values())[int(asked.role[row])]
    door = Doorway(0.0, y / 2, 0.0, 0.9)
    return Brief(role, ((0.0, 0.0), (x, 0.0), (x, y), (0.0, y)), 2.6, (door,), seed=seed)


def _stood(made: Layouts, at: tuple[int, int], kind: str, thing: Proposal) -> None:
    box = box_of(thing.kind, thing.seed, thing.params, thing.x, thing.y, thing.yaw)
    asset = asset_of(Node("thing", thing.kind, seed=thing.seed, params=thing.params))
    height = asset.size[2] if asset is not None else 1.0
    made.kind[at] = COARSE_NAMES.index(kind)
    made.place[at] = torch.tensor([box.x, box.y])
    made.yaw[at] = thing.yaw
    made.size[at] = torch.tensor([2 * box.along, 2 * box.across, height])
