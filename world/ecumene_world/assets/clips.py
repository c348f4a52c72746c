"""The humanoid's motions, made by rule: gaits whose feet don't slide, and standing, sitting, waving and talking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import cos, pi, sin
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecumene_world.assets.skeleton import (
    ANKLE_M,
    HIPS_M,
    Pose,
    Quaternion,
    Vector,
    about,
    arm,
    elbow,
    inverse,
    leg,
    product,
    rotation_matrix,
    turned,
)

SEAT_M: Final = 0.45
"""Height of the seat that the clip `sit` is made for; on another one, shift the model by the difference."""
_BALL: Final = np.array([0.115, 0.0, -ANKLE_M])
_HEEL: Final = np.array([-0.06, 0.0, -ANKLE_M])
"""Where the sole touches the floor, from the ankle of a flat foot."""
_TURN: Final = 2 * pi


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A looping motion; the last pose repeats the first.

    Attributes:
        name: What players ask for.
        times_s: (K,) from 0 to the clip's length.
        hips: (K, 3) positions of the root joint, metres, z up.
        rotations: (K, J, 4) local rotations wxyz.
    """

    name: str
    times_s: NDArray[np.float32]
    hips: NDArray[np.float64]
    rotations: NDArray[np.float64]

    @property
    def poses(self) -> tuple[Pose, ...]:
        """All key poses, in order."""
        return tuple(Pose(hips, rotations) for hips, rotations in zip(self.hips, self.rotations, strict=True))


@dataclass(frozen=True, slots=True)
class Gait:
    """A way of going forward, in place.

    Attributes:
        speed_m_s: At which the feet don't slide.
        cycle_s: Of two steps.
        stance: Share of the cycle for which a foot is on the floor.
        middle: Share of the cycle at which that foot is below the hips.
        heel_off: Share of the cycle at which its heel leaves the floor.
        strike_rad: How far the toes point up when the heel lands.
        push_rad: How far the heel is up when the toes leave.
        lift_m: How far a foot is raised more on its way to the front.
        height_m: Mean height of the root joint.
        bob_m: By which it rises above and falls below that.
        highest: Share of the cycle at which it is highest for the first time.
        lean_rad: Of the upper body, forward.
        arms_rad: Swing of each upper arm to both sides.
        elbows_rad: Mean bend of the elbows.
    """

    speed_m_s: float
    cycle_s: float
    stance: float
    middle: float
    heel_off: float
    strike_rad: float
    push_rad: float
    lift_m: float
    height_m: float
    bob_m: float
    highest: float
    lean_rad: float
    arms_rad: float
    elbows_rad: float

    def foot(self, share: float) -> tuple[Vector, float]:
        """Returns the ankle (3,) against the hips' ground point, and the sole's pitch, at a share of the cycle."""
        if share <= self.stance:
            return self._stance(share)
        start, first = self._stance(self.stance)
        end, last = self._stance(0.0)
        s = (share - self.stance) / (1 - self.stance)
        ease = s * s * (3 - 2 * s)
        ankle = start + (end - start) * ease + np.array([0, 0, self.lift_m]) * sin(pi * s**0.8) ** 1.5
        pitch = first + (last - first) * ease + 0.3 * self.lift_m * sin(pi * s)
        return ankle, pitch

    def _stance(self, share: float) -> tuple[Vector, float]:
        """Returns ankle and pitch while the foot rolls over heel, sole and ball, all of which stay put on the floor."""
        flat = np.array([(self.middle - share) * self.cycle_s * self.speed_m_s, 0.0, ANKLE_M])
        landed = 0.14 * self.stance
        pitch, pivot = 0.0, _HEEL
        if share < landed:
            pitch = -self.strike_rad * (1 - share / landed)
        elif share > self.heel_off:
            pitch = self.push_rad * ((share - self.heel_off) / (self.stance - self.heel_off)) ** 1.4
            pivot = _BALL
        c, s = cos(pitch), sin(pitch)
        x, _, z = -pivot
        return flat + pivot + np.array([c * x + s * z, 0.0, c * z - s * x]), pitch


WALK: Final = Gait(1.3, 1.04, 0.60, 0.26, 0.36, 0.36, 0.90, 0.035, 0.898, 0.016, 0.27, 0.04, 0.42, 0.25)
RUN: Final = Gait(3.1, 0.68, 0.34, 0.15, 0.17, 0.10, 0.85, 0.27, 0.868, 0.030, 0.42, 0.20, 0.75, 1.45)


@lru_cache(maxsize=1)
def clips() -> tuple[Clip, ...]:
    """Returns idle, walk, run, sit, wave and talk."""
    return (
        _sampled("idle", 4.0, 9, _idle),
        _sampled("walk", WALK.cycle_s, 21, lambda t: _gait(WALK, t)),
        _sampled("run", RUN.cycle_s, 17, lambda t: _gait(RUN, t)),
        _sampled("sit", 4.0, 9, _sit),
        _sampled("wave", 2.4, 25, _wave),
        _sampled("talk", 4.8, 25, _talk),
    )


def _sampled(name: str, length_s: float, keys: int, pose: Callable[[float], Pose]) -> Clip:
    """Returns a clip with poses at even shares of its cycle, quaternions on the same side from key to key."""
    shares = np.linspace(0, 1, keys)
    poses = [pose(float(share) % 1.0) for share in shares]
    rotations = np.stack([p.rotations for p in poses])
    for key in range(1, keys):
        flip = (rotations[key] * rotations[key - 1]).sum(-1, keepdims=True) < 0
        rotations[key] = np.where(flip, -rotations[key], rotations[key])
    return Clip(name, np.asarray(shares * length_s, np.float32), np.stack([p.hips for p in poses]), rotations)


def _gait(gait: Gait, share: float) -> Pose:
    """Returns one moment of walking or running; share 0 is the left heel's landing."""
    phase = share * _TURN
    running = gait.lean_rad > 0.1
    rise = gait.bob_m * cos(2 * (phase - gait.highest * _TURN))
    sway = (0.006 if running else 0.018) * sin(phase - 0.1 * _TURN + 0.25)
    hips = np.array([0.0, sway, gait.height_m + rise])
    yaw = -0.10 * cos(phase)
    roll = (0.03 if running else 0.05) * sin(phase)
    facing = product(turned("z", yaw), turned("x", roll), turned("y", gait.lean_rad * 0.4))
    turns: dict[str, Quaternion] = {"hips": facing}
    for side, offset, sign in (("left", 0.0, 1.0), ("right", 0.5, -1.0)):
        ankle, pitch = gait.foot((share + offset) % 1.0)
        inner = 0.035 if running else 0.07
        turns |= leg(side, hips, facing, ankle + np.array([0, sign * inner, 0]), pitch)
        aloft = max(0.0, (share + offset) % 1.0 - gait.stance) / (1 - gait.stance)
        turns[f"toes_{side}"] = turned("y", -min(max(pitch, 0.0), 0.9) * max(0.0, 1 - 2.5 * aloft))
        swing = -gait.arms_rad * cos(phase + offset * _TURN - 0.25)
        bend = gait.elbows_rad + 0.17 * (1 + sin(phase + offset * _TURN - 0.25 - pi / 2))
        turns[f"upper_arm_{side}"] = arm(
            side, forward=swing + (0.1 if running else 0.04), outward=0.15, twist=0.35 if running else 0.12
        )
        turns[f"forearm_{side}"] = elbow(side, bend)
        turns[f"clavicle_{side}"] = turned("z", -sign * 0.06 * swing)
    counter = 0.13 * cos(phase)
    turns["spine"] = product(
        turned("z", counter * 0.5 - yaw * 0.4), turned("x", -roll * 0.6), turned("y", gait.lean_rad * 0.35)
    )
    turns["chest"] = product(
        turned("z", counter * 0.7 - yaw * 0.4), turned("x", -roll * 0.4), turned("y", gait.lean_rad * 0.25)
    )
    turns["neck"] = product(turned("z", -counter * 0.7), turned("y", -gait.lean_rad * 0.4))
    turns["head"] = product(turned("z", -counter * 0.5), turned("y", -gait.lean_rad * 0.45 + 0.01 * cos(2 * phase)))
    return Pose.of(hips, turns)


def _standing(share: float, *, sway_m: float = 0.012) -> tuple[Vector, dict[str, Quaternion]]:
    """Returns hips and rotations of someone who stands, breathes and shifts weight once a cycle."""
    phase = share * _TURN
    breath = sin(2 * phase)
    hips = np.array([0.0, sway_m * sin(phase), HIPS_M - 0.012 - 0.002 * cos(2 * phase)])
    roll = 0.02 * sin(phase)
    facing = turned("x", roll)
    turns: dict[str, Quaternion] = {"hips": facing}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        turns |= leg(side, hips, facing, np.array([0.0, sign * 0.105, ANKLE_M]), 0.0)
        turns[f"foot_{side}"] = product(turns[f"foot_{side}"], turned("z", sign * 0.16))
        turns[f"upper_arm_{side}"] = arm(side, forward=0.03 + 0.012 * breath, outward=0.11 + 0.008 * breath, twist=0.2)
        turns[f"forearm_{side}"] = elbow(side, 0.22 + 0.02 * breath)
        turns[f"clavicle_{side}"] = turned("x", sign * 0.014 * breath)
    turns["spine"] = product(turned("x", -roll * 0.8), turned("y", 0.012 * breath))
    turns["chest"] = product(turned("x", -roll * 0.5), turned("y", -0.020 * breath))
    turns["neck"] = turned("y", 0.02)
    turns["head"] = product(turned("z", 0.10 * sin(phase + 0.6)), turned("y", 0.012 * sin(2 * phase + 1.0)))
    return hips, turns


def _idle(share: float) -> Pose:
    return Pose.of(*_standing(share))


def _sit(share: float) -> Pose:
    """Returns a sitter on a seat of `SEAT_M`, hips above the origin, feet on the floor, hands on the thighs."""
    phase = share * _TURN
    breath = sin(2 * phase)
    hips = np.array([0.0, 0.0, SEAT_M + 0.115])
    facing = turned("y", -0.10)
    turns: dict[str, Quaternion] = {"hips": facing}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        turns |= leg(side, hips, facing, np.array([0.40, sign * 0.125, ANKLE_M]), 0.0)
        turns[f"foot_{side}"] = product(turns[f"foot_{side}"], turned("z", sign * 0.12))
        turns[f"upper_arm_{side}"] = arm(side, forward=0.30, outward=0.15, twist=0.30)
        turns[f"forearm_{side}"] = elbow(side, 0.80 + 0.01 * breath)
        turns[f"hand_{side}"] = product(turned("y", 0.2))
    turns["spine"] = turned("y", 0.08 + 0.01 * breath)
    turns["chest"] = turned("y", 0.03 - 0.02 * breath)
    turns["head"] = product(turned("z", 0.16 * sin(phase + 0.5)), turned("y", 0.03))
    return Pose.of(hips, turns)


def _wave(share: float) -> Pose:
    """Returns someone who stands and waves with the right hand, three times a cycle."""
    hips, turns = _standing(share)
    beat = sin(3 * share * _TURN)
    upper = arm("right", forward=0.30, outward=1.20, twist=-1.35)
    side_to_side = rotation_matrix(inverse(upper)) @ np.array([1.0, 0.0, 0.0])
    turns["clavicle_right"] = turned("x", -0.20)
    turns["upper_arm_right"] = upper
    turns["forearm_right"] = product(about(side_to_side, 0.36 * beat), elbow("right", 1.65))
    turns["hand_right"] = turned("x", 0.10 * sin(3 * share * _TURN - 0.7))
    turns["chest"] = product(turned("x", -0.035 + 0.01 * beat), turned("z", 0.06))
    turns["head"] = product(turned("x", 0.06), turned("z", 0.03 * beat), turned("y", -0.03))
    return Pose.of(hips, turns)


def _talk(share: float) -> Pose:
    """Returns someone who stands and talks with both hands, nodding."""
    hips, turns = _standing(share, sway_m=0.008)
    phase = share * _TURN
    for side, sign, lag in (("left", 1.0, 0.0), ("right", -1.0, 1.3)):
        lift = 0.5 + 0.5 * sin(phase - lag)
        beat = sin(4 * phase - lag)
        turns[f"upper_arm_{side}"] = arm(side, forward=0.18 + 0.30 * lift, outward=0.20 + 0.10 * lift, twist=0.12)
        turns[f"forearm_{side}"] = elbow(side, 0.85 + 0.55 * lift + 0.13 * beat * lift)
        turns[f"hand_{side}"] = product(turned("z", sign * 0.15 * beat), turned("x", sign * 0.2 * lift))
    turns["chest"] = product(turned("z", 0.06 * sin(phase)), turned("y", 0.02 * sin(2 * phase)))
    turns["head"] = product(
        turned("z", 0.12 * sin(phase + 0.8)), turned("y", 0.05 * sin(4 * phase)), turned("x", 0.04 * sin(3 * phase))
    )
    return Pose.of(hips, turns)
