"""Proposers: who says what stands where in a room.

A proposer sees a room's role, outline, doors, windows, tags and a seed, and returns things with class, pose, size and
support. The procedural one is the default; a network may take its place. Whatever comes is fitted: what does not fit
is moved a little or left out, and the gate checks the finished world.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from ecumene_world.plain import JSON

Side = Literal["front", "back", "left", "right"]
FLOOR = -1
"""Support of what stands on the floor, or hangs on a wall."""


@dataclass(frozen=True, slots=True)
class Doorway:
    """A way into a room, in the room's frame.

    Attributes:
        x: Middle, metres.
        y: See x.
        yaw: Direction into the room, radians.
        width_m: Clear width.
    """

    x: float
    y: float
    yaw: float
    width_m: float


@dataclass(frozen=True, slots=True)
class Brief:
    """What a proposer is told of a room; the frame's x runs inward from the wall with the first door, y to the left.

    Attributes:
        role: What the room is for, such as `bedroom`; `procedural.ROLES` lists them.
        polygon: (P) corners x, y between the faces of its walls, metres, counter-clockwise.
        height_m: To the ceiling.
        doors: Ways in; the space before them stays free.
        windowed: Sides with windows; nothing tall stands before them.
        blocked: Least x, y and greatest x, y of what is built in already, such as stairs.
        tags: Wishes.
        seed: Where all chance comes from.
    """

    role: str
    polygon: tuple[tuple[float, float], ...]
    height_m: float
    doors: tuple[Doorway, ...] = ()
    windowed: tuple[Side, ...] = ()
    blocked: tuple[tuple[float, float, float, float], ...] = ()
    tags: tuple[str, ...] = ()
    seed: int = 0

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Least x, least y, greatest x, greatest y."""
        x, y = zip(*self.polygon, strict=True)
        return min(x), min(y), max(x), max(y)


@dataclass(frozen=True, slots=True)
class Proposal:
    """One thing in a room.

    Attributes:
        kind: Name of a kind of the asset library, or `wall` for a partition.
        x: Middle of its frame in the room's frame, metres.
        y: See x.
        yaw: Direction of its front.
        z: Height of its origin above the floor; ignored for what stands on another thing.
        size: Wanted extents along its own x, y and z, metres; None for the kind's own.
        support: Index, in the same sequence, of what it stands on; `FLOOR` for the floor or a wall.
        faces: Index of the thing it is turned to, such as a chair's table; -1 for none.
        hung: Whether it hangs on a wall.
        seed: Which variant; drawn by the fitter if negative.
        params: For the asset library.
        attributes: Of the node.
    """

    kind: str
    x: float
    y: float
    yaw: float = 0.0
    z: float = 0.0
    size: tuple[float, float, float] | None = None
    support: int = FLOOR
    faces: int = -1
    hung: bool = False
    seed: int = -1
    params: Mapping[str, float | str] = field(default_factory=dict)
    attributes: Mapping[str, JSON] = field(default_factory=dict)


class LayoutProposer(Protocol):
    """Furnishes rooms on paper; must be deterministic in the brief."""

    def propose(self, brief: Brief) -> Sequence[Proposal] | None:
        """Returns the things of a room, supports before what stands on them; None for a role that it doesn't know."""
        ...
