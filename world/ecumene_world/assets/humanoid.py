"""People: a skinned, animated GLB for those near by and a light mesh for those far away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from ecumene_world.assets import palette
from ecumene_world.assets.body import Figure, Skin, surfaces
from ecumene_world.assets.clips import Clip, clips
from ecumene_world.assets.mesh import RGB, Mesh
from ecumene_world.assets.palette import darker
from ecumene_world.assets.skeleton import BIND, INDEX, JOINTS, Pose
from ecumene_world.assets.solids import box, lathe, loft, sphere, tube
from ecumene_world.exporters.gltf import Channel, GlbWriter, points_y_up, rotations_y_up

VARIANTS: Final = 6
"""Seeds that give different people; clients vary colours further by tinting the materials."""
MATERIALS: Final = ("skin", "hair", "shirt", "trousers", "shoes", "eyes")
_FIGURES: Final = (
    Figure("short", "long", shoulders=1.04, waist=1.02, hips=0.98, limbs=1.05),
    Figure("bob", "short", shoulders=0.93, waist=0.92, hips=1.02, limbs=0.90),
    Figure("quiff", "short", shoulders=1.06, waist=1.0, hips=0.98, limbs=1.05),
    Figure("bun", "long", shoulders=0.93, waist=0.94, hips=1.04, limbs=0.92),
    Figure("short", "short", shoulders=1.0, waist=1.1, hips=1.03, limbs=1.06),
    Figure("bob", "long", shoulders=0.95, waist=0.97, hips=1.02, limbs=0.94),
)
_COLOURS: Final = (
    (palette.SKIN[0], palette.HAIR[1], palette.FABRIC[0], palette.TROUSERS[0], palette.SHOES[0]),
    (palette.SKIN[2], palette.HAIR[0], palette.FABRIC[1], palette.TROUSERS[3], palette.SHOES[2]),
    (palette.SKIN[5], palette.HAIR[4], palette.FABRIC[2], palette.TROUSERS[1], palette.SHOES[1]),
    (palette.SKIN[1], palette.HAIR[3], palette.FABRIC[3], palette.TROUSERS[4], palette.SHOES[0]),
    (palette.SKIN[4], palette.HAIR[0], palette.FABRIC[5], palette.TROUSERS[0], palette.SHOES[3]),
    (palette.SKIN[3], palette.HAIR[2], palette.FABRIC[4], palette.TROUSERS[2], palette.SHOES[1]),
)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Person:
    """A figure and the sRGB colour of each of its materials."""

    figure: Figure
    colours: Mapping[str, RGB]


def humanoid_glb(seed: int = 0) -> bytes:
    """Returns a person as binary glTF: y up, facing +x, feet on the origin, about 1.75 m tall.

    Six materials ("skin", "hair", "shirt", "trousers", "shoes", "eyes") carry the colours as base colour factors for
    clients to replace; vertex colours only shade them. Clips `idle`, `walk` (1.3 m/s), `run` (3.1 m/s), `sit` (on a
    seat 0.45 m high at the origin), `wave` and `talk` loop, move in place and set every joint.

    Args:
        seed: Which of the `VARIANTS` people.
    """
    return _glb(seed % VARIANTS)


def humanoid_mesh(seed: int = 0, pose: Pose | None = None) -> Mesh:
    """Returns a person for far away, at most 250 flat triangles, standing or in a given pose.

    Args:
        seed: Which of the `VARIANTS` people.
        pose: A key pose of a clip, for instance; None stands.
    """
    someone = person(seed)
    joints = (pose or clips()[0].poses[0]).matrices()
    at = {joint.name: matrix[:3, 3] for joint, matrix in zip(JOINTS, joints, strict=True)}
    colours, figure = someone.colours, someone.figure
    parts = [_far_torso(joints, figure, colours), *_far_head(joints[INDEX["head"]], figure, colours)]
    for side in ("left", "right"):
        hip, knee, ankle = (at[f"{name}_{side}"] for name in ("thigh", "shin", "foot"))
        parts.append(
            tube(np.stack([hip * 0.95 + knee * 0.05, knee, ankle]), (0.100, 0.074, 0.062), colours["trousers"], sides=4)
        )
        shoe = box((0.26, 0.09, 0.085), colours["shoes"], (0.055, 0, -0.09), taper=0.8)
        parts.append(shoe.transformed(joints[INDEX[f"foot_{side}"]]))
        shoulder, elbow, wrist = (at[f"{name}_{side}"] for name in ("upper_arm", "forearm", "hand"))
        long = figure.sleeves == "long"
        parts.append(tube([shoulder, elbow], (0.066, 0.054), colours["shirt"], sides=4))
        parts.append(tube([elbow, wrist], (0.052, 0.040), colours["shirt" if long else "skin"], sides=4))
        hand = joints[INDEX[f"hand_{side}"]]
        down = (wrist - elbow) / np.linalg.norm(wrist - elbow)
        parts.append(tube([wrist, hand[:3, 3] + down * 0.16], (0.034, 0.030), colours["skin"], sides=3))
    return Mesh.merged(parts)


def posed_mesh(seed: int = 0, pose: Pose = BIND) -> Mesh:
    """Returns the near person skinned in a pose and painted flat, for previews and tests."""
    someone = person(seed)
    parts = []
    for skin in surfaces(someone.figure):
        tint = np.array(someone.colours[skin.material]) * skin.shades[skin.faces].mean(1)[:, None]
        parts.append(Mesh.of(skinned(skin, pose), skin.faces, np.round(tint)))
    return Mesh.merged(parts)


def skinned(skin: Skin, pose: Pose) -> NDArray[np.float64]:
    """Returns the vertices (V, 3) of a surface in a pose, by linear blend skinning."""
    moves = pose.matrices() @ np.linalg.inv(BIND.matrices())
    points = np.concatenate([skin.vertices, np.ones((len(skin.vertices), 1))], 1)
    moved = np.einsum("vkij,vj->vki", moves[skin.joints], points)[..., :3]
    return np.asarray((moved * skin.weights[..., None]).sum(1))


def person(seed: int = 0) -> Person:
    """Returns the person of a seed (modulo `VARIANTS`)."""
    index = seed % VARIANTS
    return Person(_FIGURES[index], dict(zip(MATERIALS, (*_COLOURS[index], palette.WHITE), strict=True)))


@lru_cache(maxsize=VARIANTS)
def _glb(index: int) -> bytes:
    writer = GlbWriter()
    nodes = _add_skeleton(writer)
    binds = np.tile(np.eye(4), (len(JOINTS), 1, 1))
    binds[:, :3, 3] = -points_y_up(np.stack([joint.position for joint in JOINTS]))
    skin = writer.add_skin(nodes, binds, "skeleton")
    body = writer.add_node("body", mesh=_add_body(writer, person(index)), skin=skin)
    for clip in clips():
        writer.add_animation(clip.name, _channels(clip, nodes))
    writer.set_scene([nodes[0], body], name="humanoid")
    return writer.to_bytes()


def _add_skeleton(writer: GlbWriter) -> list[int]:
    """Adds a node for each joint and returns their indices in the order of `JOINTS`."""
    nodes: dict[int, int] = {}
    for number in reversed(range(len(JOINTS))):
        joint = JOINTS[number]
        offset = joint.position - JOINTS[joint.parent].position if joint.parent >= 0 else joint.position
        children = [nodes[other] for other in range(number + 1, len(JOINTS)) if JOINTS[other].parent == number]
        nodes[number] = writer.add_node(joint.name, translation=points_y_up(offset), children=children)
    return [nodes[number] for number in range(len(JOINTS))]


def _add_body(writer: GlbWriter, someone: Person) -> int:
    """Adds one mesh with a primitive for each material and returns its index."""
    everything = surfaces(someone.figure)
    primitives = []
    for name in MATERIALS:
        skins = [skin for skin in everything if skin.material == name]
        starts = np.cumsum([0] + [len(skin.vertices) for skin in skins[:-1]])
        faces = np.concatenate([skin.faces + start for skin, start in zip(skins, starts, strict=True)])
        shades = _stacked([skin.shades for skin in skins])
        attributes = {
            "POSITION": writer.accessor(
                points_y_up(_stacked([skin.vertices for skin in skins])), "VEC3", vertex=True, bounds=True
            ),
            "NORMAL": writer.accessor(points_y_up(_stacked([skin.normals for skin in skins])), "VEC3", vertex=True),
            "COLOR_0": writer.accessor(_grey(shades), "VEC4", vertex=True, normalised=True),
            "JOINTS_0": writer.accessor(
                _stacked([skin.joints for skin in skins]).astype(np.uint8), "VEC4", vertex=True
            ),
            "WEIGHTS_0": writer.accessor(
                _shares(_stacked([skin.weights for skin in skins])), "VEC4", vertex=True, normalised=True
            ),
        }
        roughness = 0.5 if name in ("eyes", "shoes") else 0.85
        material = writer.material(name, someone.colours[name], roughness=roughness)
        primitives.append({"attributes": attributes, "indices": writer.index_accessor(faces), "material": material})
    return writer.add_primitives(primitives, "body")


def _channels(clip: Clip, nodes: Sequence[int]) -> list[Channel]:
    """Returns the channels of a clip; what doesn't move has a single key."""
    channels = [_channel(nodes[0], "translation", clip.times_s, points_y_up(clip.hips))]
    for index, node in enumerate(nodes):
        channels.append(_channel(node, "rotation", clip.times_s, rotations_y_up(clip.rotations[:, index])))
    return channels


def _channel(node: int, path: Any, times_s: NDArray[np.float32], values: NDArray[np.float32]) -> Channel:
    still = bool((np.abs(values - values[0]) < 1e-6).all())
    return Channel(node, path, times_s[:1] if still else times_s, values[:1] if still else values)


def _stacked(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(list(arrays))


def _grey(shades: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Returns shades 0..1 of sRGB as linear grey RGBA (V, 4)."""
    rows = np.full((len(shades), 4), 255, np.uint8)
    rows[:, :3] = np.round(255 * shades[:, None] ** 2.2).astype(np.uint8)
    return rows


def _shares(weights: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Returns weights (V, 4) as bytes that sum to exactly 255."""
    rows = np.round(weights * 255).astype(np.int64)
    heaviest = rows.argmax(1)
    rows[np.arange(len(rows)), heaviest] += 255 - rows.sum(1)
    return rows.astype(np.uint8)


def _far_torso(joints: NDArray[np.float64], figure: Figure, colours: Mapping[str, RGB]) -> Mesh:
    """Returns trunk and seat as a loft of six-sided rings that follow hips and chest."""
    rows = (
        ("hips", 0.79, 0.075, 0.080, 0.0),
        ("hips", 0.90, 0.125, 0.178 * figure.hips, 0.0),
        ("spine", 1.08, 0.108, 0.150 * figure.waist, 0.0),
        ("chest", 1.36, 0.118, 0.212 * figure.shoulders, -0.005),
        ("neck", 1.47, 0.054, 0.072, -0.012),
    )
    rings = []
    for name, height, deep, wide, x in rows:
        angle = np.arange(6) * np.pi / 3
        ring = np.stack([x + deep * np.cos(angle), wide * np.sin(angle), np.full(6, height)], 1)
        local = ring - JOINTS[INDEX[name]].position
        matrix = joints[INDEX[name]]
        rings.append(local @ matrix[:3, :3].T + matrix[:3, 3])
    shirt = colours["shirt"]
    return loft(rings, [colours["trousers"], shirt, shirt, darker(shirt, 0.05)])


def _far_head(matrix: NDArray[np.float64], figure: Figure, colours: Mapping[str, RGB]) -> list[Mesh]:
    """Returns neck, face and hair."""
    low = {"short": 0.04, "bob": -0.06, "bun": 0.05, "quiff": 0.05}[figure.hair]
    face = lathe([(0.048, -0.06), (0.074, -0.01), (0.099, 0.07), (0.080, 0.17)], colours["skin"], sides=6)
    cap = sphere(1.0, colours["hair"], detail=0).scaled(0.118, 0.102, (0.238 - low) / 2)
    cap = cap.pitched(-0.45).moved(-0.052 if low < 0 else -0.022, 0, (0.236 + low) / 2)
    return [part.transformed(matrix) for part in (face.scaled(1.0, 0.80, 1.0), cap)]
