import io
import json
import struct
from typing import Any

import numpy as np
import pytest
import trimesh

from ecumene_world.assets.solids import box
from ecumene_world.exporters.gltf import Channel, GlbWriter, linear, points_y_up, rotations_y_up, scales_y_up
from ecumene_world.pose import Pose

RED = (200, 30, 20)


def parts(glb: bytes) -> tuple[dict[str, Any], bytes]:
    magic, version, total = struct.unpack_from("<4sII", glb)
    assert (magic, version, total) == (b"glTF", 2, len(glb))
    length, kind = struct.unpack_from("<I4s", glb, 12)
    assert kind == b"JSON"
    rest = glb[20 + length :]
    return json.loads(glb[20 : 20 + length]), rest[8:] if rest else b""


def test_a_mesh_keeps_its_shape_and_turns_y_up() -> None:
    writer = GlbWriter()
    writer.add_node("crate", mesh=writer.add_mesh(box((1, 2, 3), RED), "crate"), extras={"kind": "box"})
    scene = trimesh.load_scene(io.BytesIO(writer.to_bytes()), file_type="glb")
    np.testing.assert_allclose(scene.bounds, [[-0.5, 0, -1], [0.5, 3, 1]], atol=1e-6)
    assert scene.volume == pytest.approx(6.0), "faces still wind outward"


def test_corners_of_equal_colour_are_shared() -> None:
    document, _ = parts(_crate())
    position = document["meshes"][0]["primitives"][0]["attributes"]["POSITION"]
    assert document["accessors"][position]["count"] == 8


def test_data_is_aligned_and_described() -> None:
    document, binary = parts(_crate())
    assert document["buffers"] == [{"byteLength": len(binary)}]
    for view in document["bufferViews"]:
        assert view["byteOffset"] % 4 == 0
        assert view["byteOffset"] + view["byteLength"] <= len(binary)


def test_instances_declare_their_extension() -> None:
    writer = GlbWriter()
    mesh = writer.add_mesh(box((1, 1, 1), RED))
    writer.add_instances(mesh, np.zeros((3, 3)), np.tile([0, 0, 0, 1], (3, 1)), np.ones((3, 3)), name="crates")
    document, _ = parts(writer.to_bytes())
    assert document["extensionsRequired"] == document["extensionsUsed"] == ["EXT_mesh_gpu_instancing"]
    columns = document["nodes"][0]["extensions"]["EXT_mesh_gpu_instancing"]["attributes"]
    assert set(columns) == {"TRANSLATION", "ROTATION", "SCALE"}
    assert all(document["accessors"][index]["count"] == 3 for index in columns.values())


def test_roots_are_nodes_without_parents_unless_said() -> None:
    writer = GlbWriter()
    child = writer.add_node("child")
    parent = writer.add_node("parent", children=[child])
    document, _ = parts(writer.to_bytes())
    assert document["scenes"] == [{"nodes": [parent]}]
    writer.set_scene([child], name="half", extras={"units": "m"})
    document, _ = parts(writer.to_bytes())
    assert document["scenes"] == [{"name": "half", "extras": {"units": "m"}, "nodes": [child]}]


def test_an_empty_file_has_no_binary_chunk() -> None:
    document, binary = parts(GlbWriter().to_bytes())
    assert document == {"asset": {"version": "2.0", "generator": "Ecumene"}}
    assert binary == b""


def test_channels_of_equal_times_share_them() -> None:
    writer = GlbWriter()
    node = writer.add_node("joint")
    times = np.array([0, 1], np.float32)
    turn = Channel(node, "rotation", times, np.array([[0, 0, 0, 1], [0, 1, 0, 0]], np.float32))
    move = Channel(node, "translation", times, np.zeros((2, 3), np.float32))
    writer.add_animation("spin", [turn, move])
    document, _ = parts(writer.to_bytes())
    samplers = document["animations"][0]["samplers"]
    assert samplers[0]["input"] == samplers[1]["input"]
    assert document["accessors"][samplers[0]["input"]]["max"] == [1.0]


def test_matrices_are_written_by_columns() -> None:
    writer = GlbWriter()
    matrix = np.arange(16, dtype=np.float32).reshape(1, 4, 4)
    writer.add_skin([writer.add_node("root")], matrix, "skin")
    _, binary = parts(writer.to_bytes())
    np.testing.assert_array_equal(np.frombuffer(binary, "<f4"), matrix[0].T.reshape(-1))


def test_large_meshes_get_wide_indices() -> None:
    writer = GlbWriter()
    narrow, wide = writer.index_accessor([[0, 1, 2]]), writer.index_accessor([[0, 1, 70_000]])
    writer.add_node("empty")
    document, _ = parts(writer.to_bytes())
    assert document["accessors"][narrow]["componentType"] == 5123
    assert document["accessors"][wide]["componentType"] == 5125


def test_poses_turn_y_up_as_points_do() -> None:
    pose = Pose.at(1, 2, 3, yaw=0.7)
    x, y, z, w = rotations_y_up(np.array(pose.rotation)).tolist()
    turn = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
    point = np.array([0.3, -0.4, 0.5])
    there = turn @ points_y_up(point) + points_y_up(np.array([1, 2, 3]))
    np.testing.assert_allclose(there, points_y_up(np.array(pose.apply((0.3, -0.4, 0.5)))), atol=1e-6)
    np.testing.assert_array_equal(scales_y_up([1, 2, 3]), [1, 3, 2])


def test_colours_become_linear_light() -> None:
    np.testing.assert_allclose(linear(np.array([0, 128, 255], np.uint8)), [0, 0.2159, 1], atol=1e-4)


def _crate() -> bytes:
    writer = GlbWriter()
    writer.add_node("crate", mesh=writer.add_mesh(box((1, 1, 1), RED)))
    return writer.to_bytes()
