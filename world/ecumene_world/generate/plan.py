"""A town on the drawing board: a partition of the ground, buildings with doors, streets to line and a square."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ecumene_world.generate.survey import Points, Spot

PAVEMENT_Z_M = 0.12
"""Height of pavements, squares and lawns above the carriageway."""


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """A piece of ground without holes.

    Attributes:
        kind: Name of a surface kind.
        polygon: (P, 2) world metres.
        z: Height, metres.
        style: What it is made of: `asphalt`, `pavement`, `path`, `plaza`, `lawn`, `yard` or `water`.
    """

    kind: str
    polygon: Points
    z: float
    style: str


@dataclass(frozen=True, slots=True, eq=False)
class House:
    """A building.

    Attributes:
        polygon: (P, 2) counter-clockwise footprint, world metres.
        height_m: To the eaves.
        use: Role of the place inside.
        title: What it is called; may be empty.
        entrance: x, y on the outline and yaw outward; None if no side is free.
        seed: Of its looks.
        style: Of the building, see `assets.buildings.STYLES`.
    """

    polygon: Points
    height_m: float
    use: str
    title: str
    entrance: tuple[float, float, float] | None
    seed: int
    style: str = "auto"


@dataclass(frozen=True, slots=True, eq=False)
class Street:
    """A carriageway to line with trees, lamps and cars: its centre line (P, 2), width and name."""

    line: Points
    width_m: float
    title: str


@dataclass(frozen=True, slots=True, eq=False)
class Square:
    """The town's main open space.

    Attributes:
        polygon: (P, 2) outline.
        centre: Where the fountain stands.
        radius_m: Of the paved disk about the centre.
        paths: Centre lines (2, 2) from the disk to the outline.
        title: What it is called.
        market: Whether stalls stand on it.
    """

    polygon: Points
    centre: tuple[float, float]
    radius_m: float
    paths: Sequence[Points]
    title: str
    market: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Green:
    """A lawn big enough to plant: (P, 2) outline, whether it is public, and whether it lies on the town's edge."""

    polygon: Points
    public: bool
    rim: bool = False
    title: str = ""


@dataclass(frozen=True, slots=True)
class TownPlan:
    """All that dressing needs; `bounds` are x0, y0, x1, y1 in metres."""

    name: str
    bounds: tuple[float, float, float, float]
    surfaces: Sequence[Surface]
    houses: Sequence[House]
    streets: Sequence[Street]
    square: Square | None
    greens: Sequence[Green]
    spots: Sequence[Spot]
    attribution: tuple[str, ...]
