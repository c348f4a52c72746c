"""Events: what happened in a tick, for people, logs and minds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ecumene_world.plain import JSON
from ecumene_world.pose import Vector3


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    Attributes:
        tick: When.
        name: What: spawned, despawned, said, gesture, thing, edited, reading, rejected, or what the engine adds.
        subject: Avatar key or node name of who did it or what it happened to.
        object: Avatar key or node name of the other party, "" if none.
        data: Details by name.
        position: Where, metres, if it was somewhere.
        world: Which of the B worlds.
    """

    tick: int
    name: str
    subject: str
    object: str = ""
    data: Mapping[str, JSON] = field(default_factory=dict)
    position: Vector3 | None = None
    world: int = 0
