"""The humanoid's surface: rings around bones, joined to smooth skins that the joints bend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import cos, pi, sin
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecumene_world.assets.skeleton import ARM_ANGLE, FOREARM_M, INDEX, JOINTS, UPPER_ARM_M

Weights = Mapping[str, float]
HAIRSTYLES: Final = ("short", "bob", "bun", "quiff")
SLEEVES: Final = ("short", "long")

# Rings of the head: height, middle along x, half depth along x, half width along y; metres.
_SKULL: Final = np.array(
    [
        [1.486, 0.040, 0.024, 0.022],
        [1.498, 0.030, 0.050, 0.043],
        [1.520, 0.019, 0.072, 0.058],
        [1.545, 0.012, 0.084, 0.066],
        [1.580, 0.007, 0.091, 0.072],
        [1.620, 0.002, 0.097, 0.076],
        [1.660, -0.003, 0.097, 0.076],
        [1.694, -0.007, 0.087, 0.068],
        [1.720, -0.010, 0.059, 0.046],
        [1.732, -0.012, 0.010, 0.008],
    ]
)


@dataclass(frozen=True, slots=True, eq=False)
class Skin:
    """A surface of one material with up to four bones a vertex.

    Attributes:
        material: "skin", "hair", "shirt", "trousers", "shoes" or "eyes".
        vertices: (V, 3) in the bind pose, metres, z up.
        normals: (V, 3) unit.
        faces: (F, 3) counter-clockwise from outside.
        joints: (V, 4) joint indices.
        weights: (V, 4) shares that sum to 1.
        shades: (V,) 0..1, what the material's colour is multiplied with.
    """

    material: str
    vertices: NDArray[np.float64]
    normals: NDArray[np.float64]
    faces: NDArray[np.int64]
    joints: NDArray[np.int64]
    weights: NDArray[np.float64]
    shades: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Figure:
    """What distinguishes one body from the next.

    Attributes:
        hair: One of `HAIRSTYLES`.
        sleeves: One of `SLEEVES`.
        shoulders: Width of shoulders and chest against the mean.
        waist: Width of the waist against the mean.
        hips: Width of the hips against the mean.
        limbs: Thickness of arms and legs against the mean.
    """

    hair: str = "short"
    sleeves: str = "long"
    shoulders: float = 1.0
    waist: float = 1.0
    hips: float = 1.0
    limbs: float = 1.0


def surfaces(figure: Figure) -> tuple[Skin, ...]:
    """Returns all surfaces of a person, several of a material."""
    parts = [_torso(figure), _pelvis(figure), _neck(), _head(), *_face(), _hair(figure)]
    if figure.hair == "bun":
        parts.append(_ball((-0.105, 0.0, 1.685), (0.042, 0.045, 0.042), "hair", 0.9))
    for side in ("left", "right"):
        parts += _arm(side, figure) + _leg(side, figure) + [_shoe(side), _ear(side)]
    return tuple(parts)


def _ring(centre: ArrayLike, across: ArrayLike, out: ArrayLike, sides: int, power: float = 2.0) -> NDArray[np.float64]:
    """Returns a superellipse (sides, 3) with half axes `across` and `out`, from the first towards the second."""
    angle = np.arange(sides) * 2 * pi / sides
    c, s = np.cos(angle), np.sin(angle)
    share = (np.abs(c) ** power + np.abs(s) ** power) ** (-1 / power)
    ring = (c * share)[:, None] * np.asarray(across, np.float64) + (s * share)[:, None] * np.asarray(out, np.float64)
    return ring + np.asarray(centre, np.float64)


def _joined(
    material: str,
    rings: Sequence[NDArray[np.float64]],
    weights: Sequence[Weights],
    shades: Sequence[float],
    *,
    capped: tuple[bool, bool] = (False, False),
) -> Skin:
    """Returns the smooth skin over rings (R, N, 3) with one set of weights and one shade a ring."""
    stack = np.stack(rings)
    count, sides = stack.shape[:2]
    vertices = stack.reshape(-1, 3)
    near = np.arange(sides)
    far = (near + 1) % sides
    faces = []
    for band in range(count - 1):
        low, high = band * sides, (band + 1) * sides
        faces += [np.stack([low + near, low + far, high + far], 1), np.stack([low + near, high + far, high + near], 1)]
    rows = [w for w in weights for _ in range(sides)]
    shade = np.repeat(np.asarray(shades, np.float64), sides)
    for index, wanted in zip((0, count - 1), capped, strict=True):
        if wanted:
            tip = len(vertices)
            vertices = np.vstack([vertices, stack[index].mean(0)])
            fan = np.stack([np.full(sides, tip), index * sides + near, index * sides + far], 1)
            faces.append(fan[:, ::-1] if index == 0 else fan)
            rows.append(weights[index])
            shade = np.append(shade, shades[index])
    return _skin(material, vertices, np.concatenate(faces), rows, shade)


def _skin(
    material: str,
    vertices: NDArray[np.float64],
    faces: NDArray[np.int64],
    rows: Sequence[Weights],
    shades: NDArray[np.float64],
) -> Skin:
    """Returns a skin with normals averaged over faces, oriented outward, and weights as four columns."""
    a, b, c = np.moveaxis(vertices[faces], 1, 0)
    cross = np.cross(b - a, c - a)
    if np.einsum("fi,fi->", a - vertices.mean(0), cross) < 0:
        faces, cross = faces[:, ::-1].copy(), -cross
    normals = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(normals, faces[:, corner], cross)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    joints, weights = np.zeros((len(rows), 4), np.int64), np.zeros((len(rows), 4))
    for index, row in enumerate(rows):
        for column, (name, weight) in enumerate(row.items()):
            joints[index, column], weights[index, column] = INDEX[name], weight
    weights /= weights.sum(1, keepdims=True)
    return Skin(material, vertices, normals, faces, joints, weights, shades)


def _torso(figure: Figure) -> Skin:
    """Returns the shirt's trunk, from hem to collar."""
    wide, mid, low = figure.shoulders, figure.waist, figure.hips
    rows: tuple[tuple[float, float, float, float, float, Weights], ...] = (
        # height, middle x, half depth, half width, shade, weights
        (0.925, -0.002, 0.104, 0.150 * low, 0.70, {"hips": 1.0}),
        (0.900, -0.002, 0.124, 0.173 * low, 0.90, {"hips": 1.0}),
        (0.975, 0.000, 0.117, 0.162 * low, 1.0, {"hips": 0.8, "spine": 0.2}),
        (1.075, 0.002, 0.103, 0.138 * mid, 1.0, {"hips": 0.25, "spine": 0.75}),
        (1.190, 0.000, 0.113, 0.152 * (mid + wide) / 2, 1.0, {"spine": 0.5, "chest": 0.5}),
        (1.320, -0.002, 0.120, 0.179 * wide, 1.0, {"chest": 1.0}),
        (1.392, -0.010, 0.098, 0.176 * wide, 1.0, {"chest": 1.0}),
        (1.426, -0.014, 0.080, 0.146 * wide, 1.0, {"chest": 1.0}),
        (1.456, -0.014, 0.064, 0.084, 1.0, {"chest": 0.9, "neck": 0.1}),
        (1.474, -0.012, 0.057, 0.057, 0.95, {"chest": 0.6, "neck": 0.4}),
        (1.462, -0.012, 0.046, 0.046, 0.6, {"chest": 0.6, "neck": 0.4}),
    )
    rings = [_ring((x, 0, z), (d, 0, 0), (0, w, 0), 12, 2.35) for z, x, d, w, _, _ in rows]
    return _joined("shirt", rings, [row[5] for row in rows], [row[4] for row in rows])


def _pelvis(figure: Figure) -> Skin:
    """Returns the trousers' seat, closed between the legs."""
    rows = (
        (0.795, -0.006, 0.060, 0.060, 0.9),
        (0.815, -0.007, 0.101, 0.130 * figure.hips, 1.0),
        (0.855, -0.008, 0.112, 0.156 * figure.hips, 1.0),
        (0.905, -0.006, 0.113, 0.160 * figure.hips, 1.0),
        (0.955, -0.002, 0.104, 0.150 * figure.hips, 1.0),
    )
    rings = [_ring((x, 0, z), (d, 0, 0), (0, w, 0), 12, 2.3) for z, x, d, w, _ in rows]
    return _joined("trousers", rings, [{"hips": 1.0}] * 5, [row[4] for row in rows], capped=(True, False))


def _neck() -> Skin:
    rows: tuple[tuple[float, float, float, Weights, float], ...] = (
        (1.425, -0.014, 0.050, {"chest": 1.0}, 0.8),
        (1.470, -0.010, 0.047, {"chest": 0.3, "neck": 0.7}, 0.84),
        (1.505, -0.003, 0.045, {"neck": 0.7, "head": 0.3}, 0.88),
        (1.545, 0.000, 0.048, {"head": 1.0}, 0.92),
    )
    rings = [_ring((x, 0, z), (r, 0, 0), (0, r * 0.96, 0), 8) for z, x, r, _, _ in rows]
    return _joined("skin", rings, [row[3] for row in rows], [row[4] for row in rows])


def _head() -> Skin:
    rings = [_ring((x, 0, z), (d, 0, 0), (0, w, 0), 14, 2.15) for z, x, d, w in _SKULL]
    shades = [0.9, 0.93, 0.97] + [1.0] * (len(_SKULL) - 3)
    return _joined("skin", rings, [{"head": 1.0}] * len(rings), shades, capped=(True, True))


def _skull_point(height: float, angle: float, proud: float = 0.0) -> NDArray[np.float64]:
    """Returns a point of the head (3,) at a height and an angle from the front to the left, `proud` metres outside."""
    x, d, w = (float(np.interp(height, _SKULL[:, 0], column)) for column in _SKULL[:, 1:].T)
    c, s = cos(angle), sin(angle)
    share = (abs(c) ** 2.15 + abs(s) ** 2.15) ** (-1 / 2.15)
    return np.array([x + c * share * (d + proud), s * share * (w + proud), height])


def _face() -> list[Skin]:
    """Returns nose, eyes, brows and mouth."""
    parts = [_nose()]
    for sign in (1.0, -1.0):
        eye = _disc(1.612, sign * 0.36, 0.0150, 0.0185, 0.002, 10)
        parts.append(_flat("eyes", eye, 0.10))
        glint = _disc(1.6165, sign * 0.36 - 0.04, 0.0045, 0.005, 0.0042, 6)
        parts.append(_flat("eyes", glint, 1.0))
        brow = [_skull_point(z, sign * turn, 0.005) for z, turn in ((1.6415, 0.22), (1.6450, 0.36), (1.6395, 0.52))]
        parts.append(_stroke("hair", brow, 0.0055, 0.8))
    lips = [_skull_point(1.5455 + 0.0065 * t**2, 0.25 * t, 0.0025) for t in (-1.0, -0.4, 0.4, 1.0)]
    parts.append(_stroke("skin", lips, 0.0042, 0.52))
    return parts


def _nose() -> Skin:
    front = float(_skull_point(1.59, 0.0)[0])
    rows = ((1.630, 0.004, 0.007), (1.600, 0.012, 0.011), (1.578, 0.020, 0.0155), (1.569, 0.010, 0.0125))
    rings = [_ring((front - 0.008, 0, z), (out + 0.008, 0, 0), (0, w, 0), 6) for z, out, w in rows]
    return _joined("skin", rings, [{"head": 1.0}] * 4, [1.0, 1.0, 0.97, 0.88], capped=(True, True))


def _ear(side: str) -> Skin:
    sign = 1.0 if side == "left" else -1.0
    at = (-0.006, sign * 0.0755, 1.595)
    return _ball(at, (0.018, 0.011, 0.030), "skin", 0.93)


def _hair(figure: Figure) -> Skin:
    """Returns a cap of hair that follows the skull above a hairline, whose height depends on the style."""
    sides, levels = 14, 5
    back = {"short": 1.520, "bob": 1.455, "bun": 1.530, "quiff": 1.530}[figure.hair]
    side = {"short": 1.585, "bob": 1.475, "bun": 1.600, "quiff": 1.600}[figure.hair]
    rings, shades = [], []
    for level in range(levels + 1):
        share = level / levels
        ring = []
        for index in range(sides):
            angle = index * 2 * pi / sides
            front = 0.5 + 0.5 * cos(angle)
            rear = max(0.0, -cos(angle))
            edge = side + (back - side) * rear**1.2 + (1.672 - side) * float(np.clip((front - 0.54) / 0.30, 0, 1))
            height = edge + (1.730 - edge) * share**0.9
            full = 0.017 + 0.010 * rear + (0.012 if figure.hair == "bob" else 0.0) * (1 - front)
            if figure.hair == "quiff":
                full += 0.016 * front**2 * share
            proud = -0.004 if level == 0 else full * (0.75 + 0.25 * cos(2.5 * angle + 1.1 * level))
            point = _skull_point(min(height, 1.730), angle, proud)
            if level > 0:
                point[2] += full * share**2 * (1.0 + (0.5 * front if figure.hair == "quiff" else 0.0))
            if height < 1.515:
                wide = _skull_point(1.560, angle, full)
                point[:2] = wide[:2] * (0.90 if level == 0 else 1.0)
                point[0] = min(point[0], 0.02)
            ring.append(point)
        rings.append(np.array(ring))
        shades.append(0.72 + 0.28 * min(1.0, share * 1.6))
    return _joined("hair", rings, [{"head": 1.0}] * (levels + 1), shades, capped=(False, True))


def _arm(side: str, figure: Figure) -> list[Skin]:
    """Returns sleeve, forearm and hand."""
    sign = 1.0 if side == "left" else -1.0
    shoulder = JOINTS[INDEX[f"upper_arm_{side}"]].position * [1.0, figure.shoulders, 1.0]
    down = np.array([0.0, sign * sin(ARM_ANGLE), -cos(ARM_ANGLE)])
    front = np.array([1.0, 0.0, 0.0])
    outward = np.cross(down, front) * -sign
    upper, fore, hand, collar = (f"{name}_{side}" for name in ("upper_arm", "forearm", "hand", "clavicle"))
    limb = figure.limbs

    def ring(t: float, deep: float, wide: float, sides: int = 8) -> NDArray[np.float64]:
        return _ring(shoulder + down * t, front * deep, outward * wide, sides, 2.1)

    elbow_at = UPPER_ARM_M
    bend: list[tuple[float, float, Weights]] = [
        (elbow_at - 0.045, 0.0465, {upper: 0.92, fore: 0.08}),
        (elbow_at - 0.015, 0.0455, {upper: 0.66, fore: 0.34}),
        (elbow_at + 0.015, 0.0450, {upper: 0.34, fore: 0.66}),
        (elbow_at + 0.050, 0.0450, {upper: 0.08, fore: 0.92}),
    ]
    rows: list[tuple[float, float, Weights, float]] = [
        (-0.052, 0.026, {"chest": 0.6, collar: 0.4}, 0.95),
        (-0.034, 0.042, {"chest": 0.3, collar: 0.5, upper: 0.2}, 1.0),
        (0.000, 0.055, {collar: 0.4, upper: 0.6}, 1.0),
        (0.050, 0.0575, {collar: 0.1, upper: 0.9}, 1.0),
        (0.110, 0.056, {upper: 1.0}, 1.0),
    ]
    wrist = elbow_at + FOREARM_M
    if figure.sleeves == "long":
        rows += [(t, r * 1.08, w, 1.0) for t, r, w in bend]
        rows += [(elbow_at + 0.14, 0.044, {fore: 1.0}, 1.0), (wrist - 0.035, 0.037, {fore: 1.0}, 1.0)]
        rows += [(wrist - 0.020, 0.038, {fore: 1.0}, 0.9), (wrist - 0.022, 0.026, {fore: 1.0}, 0.6)]
        bare: list[tuple[float, float, Weights]] = [(wrist - 0.06, 0.026, {fore: 1.0})]
    else:
        rows += [
            (0.165, 0.058, {upper: 1.0}, 0.95),
            (0.160, 0.044, {upper: 1.0}, 0.6),
        ]
        bare = [(0.120, 0.045, {upper: 1.0}), *bend, (elbow_at + 0.11, 0.0430, {fore: 1.0})]
        bare += [(elbow_at + 0.18, 0.0330, {fore: 1.0})]
    sleeve = _joined(
        "shirt",
        [ring(t, r * limb, r * limb * 0.95) for t, r, _, _ in rows],
        [w for _, _, w, _ in rows],
        [shade for *_, shade in rows],
        capped=(True, False),
    )
    bare += [(wrist - 0.012, 0.0262, {fore: 0.75, hand: 0.25}), (wrist + 0.006, 0.0262, {fore: 0.25, hand: 0.75})]
    arm_rings = [ring(t, r * limb, r * limb * 0.9) for t, r, _ in bare]
    palm = (
        (0.030, 0.034, 0.0190),
        (0.068, 0.041, 0.0180),
        (0.118, 0.036, 0.0155),
        (0.146, 0.026, 0.0120),
        (0.158, 0.012, 0.007),
    )
    curl = outward * -1.0
    for t, deep, thick in palm:
        sag = 0.10 * max(t - 0.07, 0.0) ** 1.0
        arm_rings.append(_ring(shoulder + down * (wrist + t) + curl * sag, front * deep, outward * thick, 8, 2.4))
    weights: list[Weights] = [w for _, _, w in bare] + [{hand: 1.0}] * len(palm)
    shades = [1.0] * (len(bare) + len(palm))
    shades[0] = 0.7
    skin = _joined("skin", arm_rings, weights, shades, capped=(False, True))
    base = shoulder + down * (wrist + 0.030) + front * 0.020
    tip = shoulder + down * (wrist + 0.090) + front * 0.047 + curl * 0.014
    steps = ((0.0, 0.0155), (0.55, 0.0145), (0.92, 0.0105))
    thumb_rings = [
        _ring(base + (tip - base) * s, np.cross(tip - base, outward) / np.linalg.norm(tip - base) * r, outward * r, 6)
        for s, r in steps
    ]
    thumb = _joined("skin", thumb_rings, [{hand: 1.0}] * 3, [0.95, 1.0, 1.0], capped=(False, True))
    return [sleeve, skin, thumb]


def _leg(side: str, figure: Figure) -> list[Skin]:
    """Returns a trouser leg."""
    sign = 1.0 if side == "left" else -1.0
    thigh, shin = f"thigh_{side}", f"shin_{side}"
    y = sign * 0.088
    rows: tuple[tuple[float, float, float, float, float, Weights, float], ...] = (
        # height, middle x, middle y, half depth, half width, weights, shade
        (0.930, -0.004, y * 0.90, 0.070, 0.050, {"hips": 1.0}, 1.0),
        (0.895, -0.006, y * 0.93, 0.100, 0.073, {"hips": 0.8, thigh: 0.2}, 1.0),
        (0.860, -0.008, y * 0.97, 0.110, 0.086, {"hips": 0.45, thigh: 0.55}, 1.0),
        (0.800, -0.008, y, 0.104, 0.0865, {"hips": 0.15, thigh: 0.85}, 1.0),
        (0.720, -0.004, y, 0.093, 0.080, {thigh: 1.0}, 1.0),
        (0.610, 0.001, y, 0.080, 0.070, {thigh: 1.0}, 1.0),
        (0.535, 0.004, y, 0.072, 0.064, {thigh: 0.9, shin: 0.1}, 1.0),
        (0.490, 0.005, y, 0.070, 0.062, {thigh: 0.5, shin: 0.5}, 1.0),
        (0.440, -0.002, y, 0.067, 0.060, {thigh: 0.1, shin: 0.9}, 1.0),
        (0.350, -0.010, y, 0.068, 0.060, {shin: 1.0}, 1.0),
        (0.220, -0.006, y, 0.059, 0.053, {shin: 1.0}, 1.0),
        (0.092, 0.002, y, 0.061, 0.053, {shin: 1.0}, 0.92),
        (0.100, 0.000, y, 0.045, 0.040, {shin: 1.0}, 0.6),
    )
    limb = (figure.limbs + 1) / 2
    rings = [_ring((x, cy, z), (d * limb, 0, 0), (0, w * limb, 0), 10, 2.1) for z, x, cy, d, w, _, _ in rows]
    return [_joined("trousers", rings, [row[5] for row in rows], [row[6] for row in rows], capped=(True, True))]


def _shoe(side: str) -> Skin:
    """Returns a shoe with a paler sole, built from slices from heel to toe."""
    sign = 1.0 if side == "left" else -1.0
    foot, toes = f"foot_{side}", f"toes_{side}"
    slices: tuple[tuple[float, float, float, float, Weights], ...] = (
        # x, half width, height, shift outward, weights
        (-0.078, 0.020, 0.060, 0.0, {foot: 1.0}),
        (-0.066, 0.036, 0.098, 0.0, {foot: 1.0}),
        (-0.010, 0.042, 0.116, 0.0, {foot: 1.0}),
        (0.055, 0.045, 0.086, 0.003, {foot: 0.95, toes: 0.05}),
        (0.100, 0.050, 0.068, 0.006, {foot: 0.65, toes: 0.35}),
        (0.160, 0.046, 0.054, 0.006, {toes: 1.0}),
        (0.196, 0.020, 0.034, 0.003, {toes: 1.0}),
    )
    outline = np.array([[-0.9, 0.0], [0.9, 0.0], [1.04, 0.30], [0.92, 0.42], [0.66, 0.86], [0.0, 1.0]])
    outline = np.vstack([outline, outline[4:1:-1] * [-1, 1]])
    rings = []
    for x, half, tall, shift, _ in slices:
        y = sign * (0.088 + shift) + outline[:, 0] * half
        z = np.where(outline[:, 1] <= 0.30, outline[:, 1] * 0.085, outline[:, 1] * tall)
        z = np.maximum(z, np.where(outline[:, 1] > 0.30, 0.0265, 0.0)) + max(0.0, x - 0.12) * 0.16
        rings.append(np.column_stack([np.full(len(outline), x), y, z]))
    skin = _joined("shoes", rings, [row[4] for row in slices], [1.0] * len(slices), capped=(True, True))
    height = skin.vertices[:, 2] - np.maximum(0.0, skin.vertices[:, 0] - 0.12) * 0.16
    shades = np.where(height < 0.026, 0.55, 1.0)
    return Skin(skin.material, skin.vertices, skin.normals, skin.faces, skin.joints, skin.weights, shades)


def _ball(at: tuple[float, float, float], radius: tuple[float, float, float], material: str, shade: float) -> Skin:
    """Returns a small ellipsoid that moves with the head."""
    rings = []
    for latitude in (-0.8, -0.1, 0.6):
        r = cos(latitude * pi / 2)
        rings.append(
            _ring(
                (at[0], at[1], at[2] + radius[2] * sin(latitude * pi / 2)),
                (radius[0] * r, 0, 0),
                (0, radius[1] * r, 0),
                6,
            )
        )
    return _joined(material, rings, [{"head": 1.0}] * 3, [shade] * 3, capped=(True, True))


def _disc(
    height: float, angle: float, half_wide: float, half_tall: float, proud: float, sides: int
) -> NDArray[np.float64]:
    """Returns an ellipse (sides, 3) that lies on the face."""
    turn = np.arange(sides) * 2 * pi / sides
    reach = float(np.hypot(*_skull_point(height, angle)[:2]))
    return np.array(
        [_skull_point(height + half_tall * sin(t), angle + half_wide * cos(t) / reach, proud) for t in turn]
    )


def _flat(material: str, outline: NDArray[np.float64], shade: float) -> Skin:
    """Returns a convex patch on the face, whose first-to-second direction turns left seen from the front."""
    count = len(outline)
    faces = np.stack([np.zeros(count - 2, np.int64), np.arange(1, count - 1), np.arange(2, count)], 1)
    middle = outline.mean(0)
    normal = np.array([middle[0], middle[1], 0.0])
    normal /= np.linalg.norm(normal)
    a, b, c = outline[faces[0]]
    if np.cross(b - a, c - a) @ normal < 0:
        faces = faces[:, ::-1].copy()
    joints = np.zeros((count, 4), np.int64)
    joints[:, 0] = INDEX["head"]
    weights = np.tile([1.0, 0.0, 0.0, 0.0], (count, 1))
    return Skin(material, outline, np.tile(normal, (count, 1)), faces, joints, weights, np.full(count, shade))


def _stroke(material: str, line: Sequence[NDArray[np.float64]], half: float, shade: float) -> Skin:
    """Returns a band along points of the face that thins out towards both ends."""
    points = np.stack(line)
    width = half * np.interp(np.linspace(-1, 1, len(points)), [-1, 0, 1], [0.45, 1.0, 0.45])
    lift = np.array([0, 0, 1.0]) * width[:, None]
    return _flat_band(material, points - lift, points + lift, shade)


def _flat_band(material: str, low: NDArray[np.float64], high: NDArray[np.float64], shade: float) -> Skin:
    outline = np.vstack([low, high[::-1]])
    count, half = len(outline), len(low)
    index = np.arange(half - 1)
    faces = np.concatenate(
        [np.stack([index, index + 1, count - 2 - index], 1), np.stack([index, count - 2 - index, count - 1 - index], 1)]
    )
    patch = _flat(material, outline, shade)
    a, b, c = np.moveaxis(outline[faces], 1, 0)
    if (np.cross(b - a, c - a) @ patch.normals[0]).sum() < 0:
        faces = faces[:, ::-1].copy()
    return Skin(material, outline, patch.normals, faces, patch.joints, patch.weights, patch.shades)
