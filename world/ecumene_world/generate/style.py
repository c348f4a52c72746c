"""Style: how tags steer colours, floors, and how much stands in a room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours that go together, '#rrggbb'.

    Attributes:
        wood: Of tables, cabinets and beds.
        cloth: Of sofas and armchairs; the first is the main one.
        accent: Of what catches the eye.
        wall: Of the plaster.
        floor: Of living floors.
        tiles: Of kitchens, baths and halls.
    """

    wood: str
    cloth: tuple[str, str]
    accent: str
    wall: str
    floor: str
    tiles: str


PALETTES: Final[Mapping[str, Palette]] = {
    "natural": Palette("#c99a68", ("#8a9a6b", "#b9ab99"), "#d9735a", "#f1ead9", "#d8b283", "#d5d0c4"),
    "nordic": Palette("#d8b283", ("#b9ab99", "#7fa8b8"), "#3e5f86", "#f6f3ec", "#e3cba3", "#dfe3e2"),
    "cozy": Palette("#7d5239", ("#d9735a", "#d9a441"), "#6f9b54", "#f3dfc1", "#b8875a", "#d9c7a3"),
    "modern": Palette("#8d8479", ("#6b6f78", "#4a6484"), "#e2ac45", "#eceeec", "#b9b3a8", "#c6cacb"),
    "classic": Palette("#6c4733", ("#84597a", "#3f7f7c"), "#c9a24f", "#e8dcc4", "#a87a50", "#cdbfa6"),
    "fresh": Palette("#b8875a", ("#3f7f7c", "#8a9a6b"), "#e0694f", "#e6ede0", "#cfae7d", "#d3ddd6"),
}
COMMON: Final[Mapping[str, str]] = {
    "cozy": "warm colours, rugs and lamps",
    "modern": "greys and clear lines",
    "bright": "light woods and walls",
    "classic": "dark woods",
    "green": "many plants",
    "minimal": "few things",
    "busy": "many things",
    "elderly": "wide doors, no rugs to trip over, seats to rest on",
    "children": "toys and small seats",
    "large": "half as large again",
    "small": "a quarter smaller",
    "varied": "furniture in shapes that a network chose",
}
"""Tags that every building knows, and what they do."""
_CHOSEN: Final = {"cozy": "cozy", "modern": "modern", "bright": "nordic", "classic": "classic", "green": "fresh"}


@dataclass(frozen=True, slots=True)
class Style:
    """What tags and seed make of a building.

    Attributes:
        palette: Its colours.
        density: How much stands in a room, 1 for the usual.
        plants: How many plants, 1 for the usual.
        rugs: Whether rugs lie about.
        door_m: Clear width of inner doors.
        tags: As asked for.
        looks: One variant of furniture for all rooms, so that chairs match.
    """

    palette: Palette
    density: float
    plants: float
    rugs: bool
    door_m: float
    tags: frozenset[str]
    looks: int


def style_of(tags: Sequence[str], seed: int) -> Style:
    """Returns the style that tags and a seed ask for; unknown tags change nothing."""
    rng = np.random.default_rng([seed, 61])
    names = [name for tag, name in _CHOSEN.items() if tag in tags] or [list(PALETTES)[int(rng.integers(len(PALETTES)))]]
    density = 1.0 + 0.3 * ("busy" in tags) - 0.35 * ("minimal" in tags)
    return Style(
        PALETTES[names[0]],
        density,
        1.0 + 1.6 * ("green" in tags) - 0.5 * ("minimal" in tags),
        "elderly" not in tags,
        1.15 if "elderly" in tags else 1.0,
        frozenset(tags),
        int(rng.integers(1 << 12)),
    )


def scaled(size_m: float, tags: Sequence[str]) -> float:
    """Returns an edge length as the tags `large` and `small` want it."""
    return size_m * (1.22 if "large" in tags else 1.0) * (0.86 if "small" in tags else 1.0)
