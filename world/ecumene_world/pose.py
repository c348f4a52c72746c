"""Poses: position, rotation and uniform scale relative to a parent."""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, cos, isfinite, sin, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

Vector3 = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a node stands in its parent's frame.

    Attributes:
        position: x, y, z in metres.
        rotation: Unit quaternion w, x, y, z.
        scale: Uniform, > 0; applies to everything below the node.
    """

    position: Vector3 = (0.0, 0.0, 0.0)
    rotation: Quaternion = (1.0, 0.0, 0.0, 0.0)
    scale: float = 1.0

    def __post_init__(self) -> None:
        x, y, z = self.position
        w, i, j, k = self.rotation
        object.__setattr__(self, "position", (float(x), float(y), float(z)))
        object.__setattr__(self, "rotation", (float(w), float(i), float(j), float(k)))
        object.__setattr__(self, "scale", float(self.scale))

    @classmethod
    def at(cls, x: float, y: float, z: float = 0.0, yaw: float = 0.0) -> Pose:
        """Returns an upright pose that faces `yaw` radians counter-clockwise from +x."""
        return cls((x, y, z), (cos(yaw / 2), 0.0, 0.0, sin(yaw / 2)) if yaw else (1.0, 0.0, 0.0, 0.0))

    @property
    def yaw(self) -> float:
        """Heading of the local +x axis seen from above, radians in -π..π."""
        w, x, y, z = self.rotation
        return atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))

    @property
    def finite(self) -> bool:
        """Whether every number is finite."""
        return all(map(isfinite, (*self.position, *self.rotation, self.scale)))

    def compose(self, child: Pose) -> Pose:
        """Returns the child's pose in the frame that this pose is given in: first `child`, then this one."""
        return Pose(self.apply(child.position), _product(self.rotation, child.rotation), self.scale * child.scale)

    def inverse(self) -> Pose:
        """Returns the pose that undoes this one."""
        w, x, y, z = self.rotation
        back: Quaternion = (w, -x, -y, -z)
        moved = _rotated(back, self.position)
        shrink = 1.0 / self.scale
        return Pose((-moved[0] * shrink, -moved[1] * shrink, -moved[2] * shrink), back, shrink)

    def apply(self, point: Vector3) -> Vector3:
        """Returns a local point in the parent's frame, metres."""
        x, y, z = _rotated(self.rotation, point)
        px, py, pz = self.position
        return (px + self.scale * x, py + self.scale * y, pz + self.scale * z)

    def normalised(self) -> Pose:
        """Returns this pose with a rotation of length 1; the rotation must not be zero."""
        length = sqrt(sum(part * part for part in self.rotation))
        w, x, y, z = self.rotation
        return Pose(self.position, (w / length, x / length, y / length, z / length), self.scale)

    def matrix(self) -> NDArray[np.float64]:
        """Returns the (4, 4) affine matrix that maps local to parent coordinates."""
        columns = [_rotated(self.rotation, axis) for axis in ((1, 0, 0), (0, 1, 0), (0, 0, 1))]
        matrix = np.eye(4)
        matrix[:3, :3] = np.array(columns).T * self.scale
        matrix[:3, 3] = self.position
        return matrix


def _product(a: Quaternion, b: Quaternion) -> Quaternion:
    aw, ax, ay, az = a
    bw, bx, by, bz = b
    return (
        aw * bw - ax * bx - ay * by - az * bz,
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
    )


def _rotated(rotation: Quaternion, point: Vector3) -> Vector3:
    """Returns the point turned by a unit quaternion: p + 2w(u × p) + 2u × (u × p)."""
    w, x, y, z = rotation
    px, py, pz = point
    cx, cy, cz = y * pz - z * py, z * px - x * pz, x * py - y * px
    return (
        px + 2 * (w * cx + y * cz - z * cy),
        py + 2 * (w * cy + z * cx - x * cz),
        pz + 2 * (w * cz + x * cy - y * cx),
    )


IDENTITY: Final = Pose()
"""The pose that changes nothing."""
