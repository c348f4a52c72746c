"""What is known of a town before anything is designed: footprints, ways, areas and spots on a plane.

Every importer of cities and the town generator end here, so one planner serves them all. Coordinates are metres, x
east, y north, about an origin that the source chose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
"""(P, 2) metres."""
AreaUse = Literal["green", "water", "square"]


@dataclass(frozen=True, slots=True, eq=False)
class Footprint:
    """The outline of one building.

    Attributes:
        polygon: (P, 2) outer ring, not closed.
        height_m: To the eaves; 0 if nobody knows.
        use: Role of the place inside, such as `cafe`; empty if nobody knows.
        title: Its name on a map; may be empty.
    """

    polygon: Points
    height_m: float = 0.0
    use: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """The centre line of a street or path.

    Attributes:
        line: (P, 2), at least two points.
        width_m: Of the carriageway, or of the whole path.
        path: For walkers only.
        title: Its name on a map; may be empty.
    """

    line: Points
    width_m: float = 8.0
    path: bool = False
    title: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Area:
    """A piece of open land of known use; (P, 2) outer ring."""

    polygon: Points
    use: AreaUse
    title: str = ""


@dataclass(frozen=True, slots=True)
class Spot:
    """A single thing of some kind that the source knows about, or (kind empty) the use of the building there."""

    kind: str
    position: tuple[float, float]
    use: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Survey:
    """All that a source knows of a town."""

    name: str
    footprints: Sequence[Footprint] = ()
    ways: Sequence[Way] = ()
    areas: Sequence[Area] = ()
    spots: Sequence[Spot] = ()
    attribution: tuple[str, ...] = ()
