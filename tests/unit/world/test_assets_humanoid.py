import io
import json
import struct

import numpy as np
import pytest
import trimesh

from ecumene_world.assets.body import surfaces
from ecumene_world.assets.clips import RUN, SEAT_M, WALK, Clip, Gait, clips
from ecumene_world.assets.humanoid import MATERIALS, VARIANTS, humanoid_glb, humanoid_mesh, person, posed_mesh, skinned
from ecumene_world.assets.skeleton import BIND, INDEX, JOINTS, Pose, inverse, product, rotation_matrix, turned

CLIPS = {clip.name: clip for clip in clips()}


def document(glb: bytes) -> dict[str, list[dict[str, object]]]:
    length = struct.unpack_from("<I", glb, 12)[0]
    found: dict[str, list[dict[str, object]]] = json.loads(glb[20 : 20 + length])
    return found


def place(pose: Pose, joint: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.asarray(pose.matrices()[INDEX[joint], :3, 3])


@pytest.mark.parametrize("seed", range(VARIANTS))
def test_the_near_person_is_small_enough_and_tall_enough(seed: int) -> None:
    mesh = posed_mesh(seed)
    mesh.validate()
    assert 1200 <= len(mesh.faces) <= 2500
    assert 1.70 <= mesh.bounds[1, 2] <= 1.80
    assert abs(mesh.bounds[0, 2]) < 0.005
    assert len(humanoid_glb(seed)) <= 200_000


@pytest.mark.parametrize("seed", range(VARIANTS))
def test_the_far_person_is_light_and_like_the_near_one(seed: int) -> None:
    far, near = humanoid_mesh(seed), posed_mesh(seed, CLIPS["idle"].poses[0])
    assert len(far.faces) <= 250
    assert far.volume_m3 > 0
    np.testing.assert_allclose(far.bounds, near.bounds, atol=0.09)


def test_glb_is_read_by_an_independent_reader() -> None:
    scene = trimesh.load_scene(io.BytesIO(humanoid_glb(0)), file_type="glb")
    assert set(scene.geometry)
    assert scene.bounds[1][1] == pytest.approx(1.75, abs=0.06), "y is up"
    assert sum(len(np.asarray(part.faces)) for part in scene.geometry.values()) == len(posed_mesh(0).faces)


def test_glb_names_materials_joints_and_clips() -> None:
    data = document(humanoid_glb(2))
    assert [material["name"] for material in data["materials"]] == list(MATERIALS)
    assert [clip["name"] for clip in data["animations"]] == ["idle", "walk", "run", "sit", "wave", "talk"]
    assert {joint.name for joint in JOINTS} < {str(node["name"]) for node in data["nodes"]}
    assert len(JOINTS) >= 15
    for clip in data["animations"]:
        assert len(clip["channels"]) == len(JOINTS) + 1  # type: ignore[arg-type]


def test_seeds_repeat_after_the_variants() -> None:
    assert humanoid_glb(1) is humanoid_glb(1 + VARIANTS)
    assert person(0) == person(VARIANTS)
    assert humanoid_glb(0) != humanoid_glb(1)


@pytest.mark.parametrize("seed", range(VARIANTS))
def test_skins_are_sound(seed: int) -> None:
    for skin in surfaces(person(seed).figure):
        np.testing.assert_allclose(skin.weights.sum(1), 1.0, atol=1e-9)
        assert (skin.weights >= 0).all()
        assert skin.joints.max() < len(JOINTS)
        np.testing.assert_allclose(np.linalg.norm(skin.normals, axis=1), 1.0, atol=1e-6)
        assert skin.faces.max() < len(skin.vertices)
        np.testing.assert_allclose(skinned(skin, BIND), skin.vertices, atol=1e-9)


@pytest.mark.parametrize("clip", clips(), ids=lambda clip: clip.name)
def test_clips_loop_and_move_smoothly(clip: Clip) -> None:
    np.testing.assert_allclose(clip.rotations[0], clip.rotations[-1], atol=1e-6)
    np.testing.assert_allclose(clip.hips[0], clip.hips[-1], atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(clip.rotations, axis=-1), 1.0, atol=1e-9)
    assert (np.diff(clip.times_s) > 0).all()
    dots = np.abs((clip.rotations[1:] * clip.rotations[:-1]).sum(-1))
    assert dots.min() > 0.9, "no joint jumps between keys"


@pytest.mark.parametrize("clip", clips(), ids=lambda clip: clip.name)
def test_nobody_sinks_into_the_floor_or_floats(clip: Clip) -> None:
    lowest = [float(posed_mesh(0, pose).bounds[0, 2]) for pose in clip.poses[::3]]
    assert min(lowest) > -0.025
    assert max(lowest) < (0.12 if clip.name == "run" else 0.025)


@pytest.mark.parametrize("gait", [WALK, RUN])
def test_a_foot_on_the_floor_does_not_slide(gait: Gait) -> None:
    """While heel, sole and ball roll over the floor, the point of contact goes backward at exactly the gait's speed."""
    flat = np.linspace(0.15 * gait.stance, gait.heel_off, 6)
    ankles = np.array([gait.foot(float(share))[0] for share in flat])
    np.testing.assert_allclose(np.diff(ankles[:, 0]) / np.diff(flat), -gait.speed_m_s * gait.cycle_s, rtol=1e-9)
    np.testing.assert_allclose(ankles[:, 2], 0.09, atol=1e-9)


def test_walking_reaches_its_feet() -> None:
    """The legs are long enough for the stride: inverse kinematics puts the ankles where the gait wants them."""
    pose = CLIPS["walk"].poses[0]
    wanted, _ = WALK.foot(0.0)
    np.testing.assert_allclose(place(pose, "foot_left")[[0, 2]], wanted[[0, 2]], atol=0.012)


def test_sitting_people_sit_on_the_seat() -> None:
    mesh = posed_mesh(0, CLIPS["sit"].poses[0])
    pelvis = mesh.vertices[(np.abs(mesh.vertices[:, 0]) < 0.08) & (np.abs(mesh.vertices[:, 1]) < 0.2)]
    assert pelvis[:, 2].min() == pytest.approx(SEAT_M, abs=0.05)
    assert place(CLIPS["sit"].poses[0], "head")[2] < 1.25


def test_waving_lifts_the_right_hand_above_the_head_and_keeps_the_left_down() -> None:
    for pose in CLIPS["wave"].poses[::4]:
        assert place(pose, "hand_right")[2] > place(pose, "head")[2]
        assert place(pose, "hand_left")[2] < 1.0


def test_rotations_compose_as_matrices_do() -> None:
    a, b = turned("x", 0.4), turned("z", -1.1)
    np.testing.assert_allclose(rotation_matrix(product(a, b)), rotation_matrix(a) @ rotation_matrix(b), atol=1e-12)
    np.testing.assert_allclose(product(a, inverse(a)), [1, 0, 0, 0], atol=1e-12)
    np.testing.assert_allclose(rotation_matrix(turned("y", np.pi / 2)) @ [0, 0, 1], [1, 0, 0], atol=1e-12)
