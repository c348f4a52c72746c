"""The humanoid's skeleton: joints, poses and two-link inverse kinematics.

The bind pose stands upright, faces +x and holds its arms 35 degrees away from the body. Every joint's frame is then
parallel to the world's, so a joint's local rotation reads in world axes: +y is the person's left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import acos, atan2, cos, hypot, sin
from typing import Final

import numpy as np
from numpy.typing import NDArray

Quaternion = NDArray[np.float64]
"""(4,) unit, wxyz."""
Vector = NDArray[np.float64]
"""(3,) metres, z up."""

ARM_ANGLE: Final = 0.61
"""Radians between a hanging arm and the bind pose's."""
_ARM: Final = np.array([0.0, sin(ARM_ANGLE), -cos(ARM_ANGLE)])
_SHOULDER: Final = np.array([-0.010, 0.163, 1.382])
UPPER_ARM_M: Final = 0.275
FOREARM_M: Final = 0.245
HIP: Final = np.array([0.0, 0.088, 0.90])
"""The left hip joint in the bind pose."""
THIGH_M: Final = 0.41
SHIN_M: Final = 0.40
ANKLE_M: Final = 0.09
"""Height of a standing person's ankles."""
HIPS_M: Final = 0.93
"""Height of the root joint of a standing person."""


@dataclass(frozen=True, slots=True, eq=False)
class Joint:
    """One joint.

    Attributes:
        name: Unique; sides end in `_left` and `_right`.
        parent: The parent's index, -1 for the root.
        position: (3,) in the bind pose, metres from the floor between the feet.
    """

    name: str
    parent: int
    position: Vector


def _joints() -> tuple[Joint, ...]:
    middle = (("hips", -1, (0, 0, HIPS_M)), ("spine", 0, (-0.01, 0, 1.06)), ("chest", 1, (-0.012, 0, 1.22)))
    upper = (("neck", 2, (-0.012, 0, 1.455)), ("head", 3, (0.0, 0, 1.525)))
    joints = [Joint(name, parent, np.array(at, np.float64)) for name, parent, at in middle + upper]
    for side, sign in (("left", 1.0), ("right", -1.0)):
        mirror = np.array([1.0, sign, 1.0])
        first = len(joints)
        elbow = _SHOULDER + _ARM * UPPER_ARM_M
        ankle = HIP - [0, 0, THIGH_M + SHIN_M]
        chain = (
            ("clavicle", 2, np.array([-0.01, 0.045, 1.40])),
            ("upper_arm", first, _SHOULDER),
            ("forearm", first + 1, elbow),
            ("hand", first + 2, elbow + _ARM * FOREARM_M),
            ("thigh", 0, HIP),
            ("shin", first + 4, HIP - [0, 0, THIGH_M]),
            ("foot", first + 5, ankle),
            ("toes", first + 6, ankle + np.array([0.115, 0, 0.035 - ANKLE_M])),
        )
        joints += [Joint(f"{name}_{side}", parent, np.asarray(at) * mirror) for name, parent, at in chain]
    return tuple(joints)


JOINTS: Final = _joints()
INDEX: Final = {joint.name: index for index, joint in enumerate(JOINTS)}


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """One moment of the skeleton.

    Attributes:
        hips: (3,) position of the root joint, metres.
        rotations: (J, 4) local rotations wxyz, in the order of `JOINTS`.
    """

    hips: Vector
    rotations: NDArray[np.float64]

    @classmethod
    def of(cls, hips: Vector, rotations: Mapping[str, Quaternion]) -> Pose:
        """Returns a pose from the joints that are turned; the others keep the bind pose."""
        rows = np.tile([1.0, 0.0, 0.0, 0.0], (len(JOINTS), 1))
        for name, rotation in rotations.items():
            rows[INDEX[name]] = rotation
        return cls(np.asarray(hips, np.float64), rows)

    def matrices(self) -> NDArray[np.float64]:
        """Returns (J, 4, 4) from each joint's frame to the model's."""
        found = np.tile(np.eye(4), (len(JOINTS), 1, 1))
        for index, joint in enumerate(JOINTS):
            local = np.eye(4)
            local[:3, :3] = rotation_matrix(self.rotations[index])
            if joint.parent < 0:
                local[:3, 3] = self.hips
                found[index] = local
            else:
                local[:3, 3] = joint.position - JOINTS[joint.parent].position
                found[index] = found[joint.parent] @ local
        return found


BIND: Final = Pose.of(JOINTS[0].position, {})


def turned(axis: str, angle: float) -> Quaternion:
    """Returns the rotation about the axis "x", "y" or "z" by an angle in radians.

    About y a positive angle bends forward (up goes to forward), about z it turns left, about x it leans right.
    """
    found = np.zeros(4)
    found[0], found[1 + "xyz".index(axis)] = cos(angle / 2), sin(angle / 2)
    return found


def about(axis: Vector, angle: float) -> Quaternion:
    """Returns the rotation about a unit axis (3,) by an angle in radians."""
    return np.concatenate([[cos(angle / 2)], np.asarray(axis) * sin(angle / 2)])


def product(*rotations: Quaternion) -> Quaternion:
    """Returns the rotation that applies the last one first."""
    found = rotations[0]
    for other in rotations[1:]:
        w, v, s, u = found[0], found[1:], other[0], other[1:]
        found = np.concatenate([[w * s - v @ u], w * u + s * v + np.cross(v, u)])
    return found


def inverse(rotation: Quaternion) -> Quaternion:
    """Returns the opposite of a unit rotation."""
    return np.asarray(rotation * np.array([1.0, -1.0, -1.0, -1.0]))


def rotation_matrix(rotation: Quaternion) -> NDArray[np.float64]:
    """Returns (3, 3) of a unit quaternion."""
    w, x, y, z = rotation
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def elbow(side: str, angle: float) -> Quaternion:
    """Returns the local rotation of a forearm bent forward by an angle in radians."""
    sign = 1.0 if side == "left" else -1.0
    return about(np.array([0.0, -cos(ARM_ANGLE), -sign * sin(ARM_ANGLE)]), angle)


def arm(side: str, *, forward: float = 0.0, outward: float = 0.12, twist: float = 0.0) -> Quaternion:
    """Returns the local rotation of an upper arm.

    Args:
        side: "left" or "right".
        forward: Swing to the front from hanging, radians; pi points straight up.
        outward: Angle away from the body, radians.
        twist: About the arm itself, radians; positive turns the bent forearm inward.
    """
    sign = 1.0 if side == "left" else -1.0
    along = np.array([0.0, sign * sin(ARM_ANGLE), -cos(ARM_ANGLE)])
    hang = turned("x", sign * (outward - ARM_ANGLE))
    return product(turned("y", -forward), hang, about(along, sign * twist))


def leg(side: str, hips: Vector, facing: Quaternion, ankle: Vector, foot_pitch: float) -> dict[str, Quaternion]:
    """Returns local rotations of thigh, shin and foot that put an ankle somewhere, the knee pointing forward.

    Args:
        side: "left" or "right".
        hips: (3,) position of the root joint.
        facing: The root joint's rotation.
        ankle: (3,) where the ankle goes; out of reach, the leg is stretched towards it.
        foot_pitch: Of the sole against the floor, radians; positive lifts the heel.
    """
    sign = 1.0 if side == "left" else -1.0
    frame = rotation_matrix(facing)
    joint = HIP * [1.0, sign, 1.0] - JOINTS[0].position
    x, y, z = frame.T @ (np.asarray(ankle) - hips) - joint
    reach = min(hypot(x, y, z), (THIGH_M + SHIN_M) * 0.9995)
    bend = acos(np.clip((reach**2 - THIGH_M**2 - SHIN_M**2) / (2 * THIGH_M * SHIN_M), -1, 1))
    swing = atan2(-x, hypot(y, z)) - atan2(SHIN_M * sin(bend), THIGH_M + SHIN_M * cos(bend))
    thigh = product(turned("x", atan2(y, -z)), turned("y", swing))
    shin = turned("y", bend)
    foot = product(inverse(product(facing, thigh, shin)), turned("y", foot_pitch))
    return {f"thigh_{side}": thigh, f"shin_{side}": shin, f"foot_{side}": foot}
