"""Posts: where somebody with a job works, found by what stands in a room, whoever furnished it.

A post is a place whose role is the name of a job, such as `teacher`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

from ecumene_world.generate.fitting import working_side
from ecumene_world.generate.proposer import Proposal

JOBS: Final[Mapping[str, tuple[tuple[str, tuple[str, ...], float], ...]]] = {
    "classroom": (("teacher", ("desk",), 1.0),),
    "library": (("clerk", ("table",), 0.25),),
    "consulting": (("doctor", ("desk",), 1.0),),
    "treatment": (("nurse", ("exam_couch", "cabinet"), 1.0),),
    "ward": (("nurse", ("sink", "cabinet", "bed"), 0.2),),
    "waiting": (("clerk", ("counter", "desk"), 1.0),),
    "open_office": (("clerk", ("desk",), 0.34),),
    "private_office": (("clerk", ("desk",), 1.0),),
    "lobby": (("clerk", ("counter", "desk"), 1.0),),
    "guest_room": (("waiter", ("counter",), 1.0),),
    "cafe_kitchen": (("cook", ("stove", "sink", "table"), 0.5),),
    "sales": (("shopkeeper", ("counter",), 1.0),),
    "store_room": (("courier", ("desk", "shelf"), 0.2),),
    "museum_hall": (("clerk", ("counter",), 1.0), ("guide", ("display_case", "statue", "bench"), 0.34)),
    "gallery": (("guard", ("display_case", "statue", "bench"), 0.2),),
}
"""For each role of room: jobs, what they are done at (the first kind that is there), and posts for each such thing."""


@dataclass(frozen=True, slots=True)
class Post:
    """Where somebody works, in the room's frame.

    Attributes:
        job: Its name.
        x: Metres.
        y: Metres.
        yaw: Which way they look.
    """

    job: str
    x: float
    y: float
    yaw: float


def posts_in(role: str, things: Sequence[Proposal]) -> list[Post]:
    """Returns the posts of a furnished room, at least one for each job that something is there for."""
    found = []
    for job, kinds, share in JOBS.get(role, ()):
        anchors = next((here for kind in kinds if (here := [t for t in things if t.kind == kind])), [])
        count = min(len(anchors), max(1, ceil(share * len(anchors) - 1e-9))) if anchors else 0
        for n in range(count):
            x, y, yaw = working_side(anchors[n * len(anchors) // count])
            found.append(Post(job, round(x, 3), round(y, 3), round(yaw, 4)))
    return found
