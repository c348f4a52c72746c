"""What a builder hands over: a mesh, what of it is solid and where one can sit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ecumene_world.assets.mesh import Mesh

Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Collider:
    """A solid for motion, in the asset's frame.

    Attributes:
        shape: An upright cylinder, or a box.
        centre: Its middle, metres.
        size: Full extents, metres; a cylinder's are diameter, diameter, height.
        yaw: Radians about z, of a box.
    """

    shape: Literal["box", "cylinder"]
    centre: Triple
    size: Triple
    yaw: float = 0.0


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a sitter's hips go.

    Attributes:
        position: Middle of the seat's surface in the asset's frame, metres.
        yaw: Where the sitter looks, radians from the asset's +x.
    """

    position: Triple
    yaw: float = 0.0


@dataclass(frozen=True, slots=True)
class Asset:
    """A thing of some kind, standing on z = 0 about the origin and facing +x.

    What hangs on a wall has its origin at the middle of its back instead.

    Attributes:
        kind: Name of its kind.
        mesh: What it looks like.
        colliders: What of it is solid; empty for what can be walked through.
        seats: Where one can sit or lie.
        size: Extents of the mesh along x, y and z, metres.
    """

    kind: str
    mesh: Mesh
    colliders: tuple[Collider, ...]
    seats: tuple[Seat, ...]
    size: Triple
