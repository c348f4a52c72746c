"""What an NPC perceives, in words: read off the very senses that its fast mind decided on."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ecumene_agents.steering import FIELD_OF_VIEW
from ecumene_agents.words import listed, with_article
from ecumene_models.senses import COLUMNS, SENSES, SenseBatch
from ecumene_world.kinds import Category

_NOUNS: Final = {
    Category.BUILDING: "building",
    Category.WALL: "wall",
    Category.DOOR: "door",
    Category.SEAT: "seat",
    Category.TABLE: "table",
    Category.VEGETATION: "plant",
    Category.STREET: "piece of street furniture",
    Category.VEHICLE: "vehicle",
    Category.STORAGE: "cupboard",
    Category.APPLIANCE: "appliance",
    Category.ITEM: "small thing",
    Category.WATER: "fountain",
    Category.NPC: "resident",
    Category.VISITOR: "visitor",
}
_SECTORS: Final = ("front", "front left", "left side", "back left", "back", "back right", "right side", "front right")
_MOST: Final = 4

Teller = Callable[[SenseBatch], str]
"""Puts what one row of senses says into a sentence."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Something in view.

    Attributes:
        category: What vision calls it.
        distance: Of its nearest ray, m.
        bearing: Radians from the body's heading, counter-clockwise.
    """

    category: Category
    distance: float
    bearing: float


def seen(senses: SenseBatch) -> list[Seen]:
    """Returns the nearest of each category in view, nearest first.

    Args:
        senses: One row.
    """
    kinds, depths = senses.vision_kind[0].tolist(), senses.vision_depth[0].tolist()
    gaze = float(senses.body[0, 3])
    best: dict[Category, Seen] = {}
    for row_kinds, row_depths in zip(kinds, depths, strict=True):
        for column, (kind, depth) in enumerate(zip(row_kinds, row_depths, strict=True)):
            category = Category(kind)
            if category in _NOUNS and (category not in best or depth < best[category].distance):
                bearing = gaze + FIELD_OF_VIEW[0] * (0.5 - (column + 0.5) / COLUMNS)
                best[category] = Seen(category, depth, bearing)
    return sorted(best.values(), key=lambda each: each.distance)


def sight(senses: SenseBatch) -> str:
    """Returns what one row of senses shows, as a sentence."""
    if not _has(senses, "vision"):
        return "I can't see anything at the moment."
    found = [
        f"{with_article(_NOUNS[each.category])} {_away(each.distance)} {side(each.bearing)}" for each in seen(senses)
    ]
    return f"I see {listed(found[:_MOST])}." if found else "Nothing but open ground and sky."


def sound(senses: SenseBatch) -> str:
    """Returns what one row of senses sounds like, as a sentence."""
    if not _has(senses, "hearing"):
        return "I can't hear anything at the moment."
    left, right = senses.hearing[0].amax(dim=(1, 2)).tolist()
    loud = max(left, right)
    if loud < 0.08:
        return "It is quiet; I hear nothing in particular."
    level = "something faint" if loud < 0.3 else "something" if loud < 0.6 else "something loud"
    where = (
        "from my left"
        if left - right > 0.02
        else "from my right"
        if right - left > 0.02
        else "straight ahead or behind"
    )
    return f"I hear {level}, {where}."


def touch(senses: SenseBatch) -> str:
    """Returns what one row of senses feels like, as a sentence."""
    if not _has(senses, "touch"):
        return "I can't feel anything at the moment."
    pressed = [
        (force, name) for force, name in zip(senses.touch[0, :8].tolist(), _SECTORS, strict=True) if force > 0.03
    ]
    hand = float(senses.touch[0, 8])
    felt = [f"something pressing against my {name}" for _, name in sorted(pressed, reverse=True)[:2]]
    if hand > 0.02:
        felt.append("something in my hand")
    if not felt:
        return "I feel the ground under my feet, nothing else."
    return f"I feel {listed(felt)}."


def side(bearing: float) -> str:
    """Returns where a bearing is from somebody's own point of view."""
    turn = math.degrees(math.remainder(bearing, math.tau))
    if abs(turn) < 15:
        return "straight ahead"
    if abs(turn) > 150:
        return "behind me"
    return "on my left" if turn > 0 else "on my right"


def _away(metres: float) -> str:
    return "right beside me" if metres < 0.8 else f"{metres:.0f} m away"


def _has(senses: SenseBatch, sense: str) -> bool:
    return bool(senses.present[0, SENSES.index(sense)])
