"""What each model is: one of twelve classes, given by eye, and the group of its near-duplicates.

`labels.csv` names 451 of the 820 models; the others (people, switches, clothes, tools, electronics, radiators, ...)
are none of the twelve. The words behind each class are in `CLASSES`.
"""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from importlib import resources
from typing import Final

CLASSES: Final = {
    "appliance": "a machine of kitchen or laundry, a water heater, an air conditioner, a fan",
    "bathroom": "a basin with its furniture, bath, shower, toilet, bidet or urinal",
    "bed": "to lie on by night, cradles and bunks too",
    "cabinet": "to store things in or on: cupboards, shelves, drawers, kitchen units even with a sink",
    "chair": "a seat for one: stools, armchairs and deck chairs too",
    "door_window": "a door or window with its frame",
    "lamp": "a lamp that stands, hangs or is fixed, street lamps too",
    "plant": "a plant in a pot or vase, a bush, hedge or tree",
    "sofa": "a seat with a back for two or more, benches too",
    "table": "a board to sit or stand at, desks too",
    "vehicle": "driven or ridden on the ground, from tricycle to lorry",
    "vessel": "holds drink, food or small things: bottles, bowls, plates, cups, vases, pots",
}


@dataclass(frozen=True, slots=True)
class Label:
    """What one model is.

    Attributes:
        name: The model's, such as `Scopia/bed1`.
        kind: One of `CLASSES`.
        group: Number that it shares with its near-duplicates alone.
    """

    name: str
    kind: str
    group: int


def read_labels() -> tuple[Label, ...]:
    """Returns the shipped labels, ordered by name."""
    text = resources.files("ecumene_world.learning").joinpath("labels.csv").read_text("utf-8")
    return tuple(Label(row["name"], row["class"], int(row["group"])) for row in csv.DictReader(text.splitlines()))


def folds(found: tuple[Label, ...], count: int = 5) -> tuple[int, ...]:
    """Returns the fold of each label: groups stay together, and every class is spread as evenly as they allow.

    The largest groups are dealt first, each to the fold that has fewest of its class, then fewest of all.
    """
    members: dict[int, list[int]] = {}
    for row, label in enumerate(found):
        members.setdefault(label.group, []).append(row)
    fold = [0] * len(found)
    filled: dict[tuple[int, str], int] = {}
    total = [0] * count
    for group in sorted(members, key=lambda group: (-len(members[group]), _order(found[members[group][0]].name))):
        kind = found[members[group][0]].kind
        chosen = min(range(count), key=lambda f: (filled.get((f, kind), 0), total[f], f))
        for row in members[group]:
            fold[row] = chosen
        filled[chosen, kind] = filled.get((chosen, kind), 0) + len(members[group])
        total[chosen] += len(members[group])
    return tuple(fold)


def _order(name: str) -> str:
    """Returns a digest to order by: alphabetical order would put one maker's models into one fold."""
    return hashlib.sha256(name.encode()).hexdigest()
