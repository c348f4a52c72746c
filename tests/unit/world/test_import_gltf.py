from __future__ import annotations

import base64
import json
import struct
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecumene_world import GraphError, Pose, SceneGraph, compile_layout
from ecumene_world.assets.mesh import Mesh
from ecumene_world.assets.solids import box
from ecumene_world.errors import ImportFailed, TooLarge
from ecumene_world.exporters.gltf import GlbWriter, points_y_up, rotations_y_up
from ecumene_world.importers import gltf_file
from ecumene_world.importers.gltf import import_gltf
from ecumene_world.mesh_of import mesh_of


def room() -> GlbWriter:
    """Returns a floor with two crates, one below a turned node, and three copies of a post."""
    writer = GlbWriter()
    floor = writer.add_mesh(box((10, 8, 0.2), (200, 120, 40)), "floor")
    crate = writer.add_mesh(box((1, 1, 1), (10, 200, 30)), "crate")
    post = writer.add_mesh(box((0.1, 0.1, 2), (30, 30, 30)), "post")
    child = writer.add_node("inner crate", mesh=crate, translation=points_y_up(np.array([2.0, 0.0, 0.0])))
    turn = rotations_y_up(np.array(Pose.at(0, 0, 0, np.pi / 2).rotation))
    parent = writer.add_node(
        "turned", translation=points_y_up(np.array([0.0, 0.0, 0.2])), rotation=turn, children=[child]
    )
    writer.add_node("floor", mesh=floor)
    beside = points_y_up(np.array([-3.0, 0, 0.2]))
    writer.add_node("stretched", mesh=crate, translation=beside, scale=[2.0, 1.0, 1.0])
    writer.add_instances(post, points_y_up(np.array([[x, 3.0, 0.2] for x in (-1.0, 0.0, 1.0)])), name="posts")
    assert parent >= 0
    return writer


def written(folder: Path, data: bytes, name: str = "a.glb") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def parts(data: bytes) -> tuple[dict[str, Any], bytes]:
    """Returns the JSON and the binary chunk of a GLB."""
    length = struct.unpack_from("<I", data, 12)[0]
    return json.loads(data[20 : 20 + length]), data[28 + length :]


def packed(document: dict[str, Any], binary: bytes) -> bytes:
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    body = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(binary), b"BIN\0") + binary
    return struct.pack("<4sII", b"glTF", 2, 12 + len(body)) + body


def seen(graph: SceneGraph, name: str) -> np.ndarray:
    """Returns the world bounds (2, 3) of a node's mesh."""
    mesh = mesh_of(graph, graph.node(name))
    assert mesh is not None
    return mesh.transformed(graph.world_pose(name).matrix()).bounds


def test_names_places_and_colours_survive(tmp_path: Path) -> None:
    graph = import_gltf(written(tmp_path, room().to_bytes()))
    graph.validate()
    assert graph.parent("inner crate") == "turned"
    assert seen(graph, "inner crate").tolist() == [
        pytest.approx([-0.5, 1.5, 0.2], abs=1e-5),
        pytest.approx([0.5, 2.5, 1.2], abs=1e-5),
    ]
    mesh = mesh_of(graph, graph.node("inner crate"))
    assert mesh is not None
    assert np.abs(mesh.colours.astype(int) - [10, 200, 30]).max() <= 1


def test_a_stretch_is_baked_into_the_mesh(tmp_path: Path) -> None:
    graph = import_gltf(written(tmp_path, room().to_bytes()))
    low, high = seen(graph, "stretched")
    assert (high - low).tolist() == pytest.approx([2.0, 1.0, 1.0], abs=1e-4)
    assert graph.node("inner crate").attributes["mesh"] != graph.node("stretched").attributes["mesh"]


def test_copies_become_nodes_of_one_mesh(tmp_path: Path) -> None:
    graph = import_gltf(written(tmp_path, room().to_bytes()))
    copies = [graph.node(name) for name in graph.children("posts")]
    assert len(copies) == 3
    assert len({str(node.attributes["mesh"]) for node in copies}) == 1
    assert [graph.world_pose(node.name).position[0] for node in copies] == pytest.approx([-1, 0, 1])


def test_the_floor_is_walked_on(tmp_path: Path) -> None:
    graph = import_gltf(written(tmp_path, room().to_bytes()))
    layout = compile_layout(graph)
    standing = layout.spawn_position.numpy()
    assert standing[:, 2].tolist() == pytest.approx([0.2] * len(standing), abs=0.02)
    assert np.abs(standing[:, 0]).max() <= 5
    assert layout.clearance.max() > 1.0
    assert graph.node("world").attributes["notes"] == []


def test_without_a_floor_a_plane_is_added_and_said(tmp_path: Path) -> None:
    writer = GlbWriter()
    writer.add_node("wall", mesh=writer.add_mesh(box((6, 0.1, 3), (9, 9, 9)).moved(z=0.5)))
    graph = import_gltf(written(tmp_path, writer.to_bytes()))
    assert "ground plane was added" in str(graph.node("world").attributes["notes"])
    compile_layout(graph)


def test_a_scene_far_away_is_moved_and_stays_sharp(tmp_path: Path) -> None:
    writer = GlbWriter()
    writer.add_node("floor", mesh=writer.add_mesh(box((4, 4, 0.1), (9, 9, 9))), translation=[3e6, 0, -4e6])
    graph = import_gltf(written(tmp_path, writer.to_bytes()))
    low, high = seen(graph, "floor")
    assert (high - low).tolist() == pytest.approx([4, 4, 0.1], abs=1e-3)
    assert np.abs((low + high)[:2]).max() < 1e-3
    assert "moved by" in str(graph.node("world").attributes["notes"])


def test_what_is_not_read_is_said(tmp_path: Path) -> None:
    document, binary = parts(room().to_bytes())
    document["animations"] = [{"channels": [], "samplers": []}]
    document["cameras"] = [{"type": "perspective"}]
    graph = import_gltf(written(tmp_path, packed(document, binary)))
    assert graph.node("world").attributes["notes"] == ["animations are not read", "cameras are not read"]


def test_text_files_take_buffers_from_data_uris_and_beside(tmp_path: Path) -> None:
    document, binary = parts(room().to_bytes())
    (tmp_path / "a.bin").write_bytes(binary)
    whole = import_gltf(written(tmp_path, packed(document, binary), "a.glb")).hash()
    for uri in ("a.bin", "data:application/octet-stream;base64," + base64.b64encode(binary).decode()):
        document["buffers"] = [{"byteLength": len(binary), "uri": uri}]
        path = written(tmp_path, json.dumps(document).encode(), "a.gltf")
        assert import_gltf(path).hash() == whole


@pytest.mark.parametrize(
    "uri", ["../a.bin", "/etc/passwd", "b/../../a.bin", "file:///a.bin", "..%2fa.bin", "no.bin", 7]
)
def test_buffers_elsewhere_are_refused(tmp_path: Path, uri: object) -> None:
    document, binary = parts(room().to_bytes())
    (tmp_path / "a.bin").write_bytes(binary)
    (tmp_path / "in").mkdir()
    document["buffers"] = [{"byteLength": len(binary), "uri": uri}]
    with pytest.raises(ImportFailed):
        import_gltf(written(tmp_path / "in", json.dumps(document).encode(), "a.gltf"))


def change(document: dict[str, Any], path: str, value: object) -> None:
    *above, last = path.split("/")
    entry: Any = document
    for key in above:
        entry = entry[int(key)] if isinstance(entry, list) else entry[key]
    entry[int(last) if isinstance(entry, list) else last] = value


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("asset/version", "1.0", "version is 1.0"),
        ("extensionsRequired", ["KHR_draco_mesh_compression"], "needs the extension KHR_draco"),
        ("accessors/0/count", 10**9, "more than|reaches beyond"),
        ("accessors/0/count", 1000, "reaches beyond"),
        ("accessors/0/count", -1, "whole number"),
        ("accessors/0/count", 2.5, "whole number"),
        ("accessors/0/bufferView", 99, "index 99"),
        ("accessors/0/componentType", 1, "component type"),
        ("accessors/0/type", "VEC2", "VEC3 is needed"),
        ("accessors/0/sparse", {}, "sparse"),
        ("bufferViews/0/byteOffset", 10**12, "whole number|reaches beyond"),
        ("bufferViews/0/byteStride", 1, "stride"),
        ("bufferViews/0/buffer", True, "index True"),
        ("meshes/0/primitives/0/indices", 0, "SCALAR is needed"),
        ("meshes/0/primitives", "many", "not a list"),
        ("nodes/0/mesh", 77, "index 77"),
        ("nodes/1/children", [1], "inside itself"),
        ("nodes/0/children", [1], "inside itself"),
        ("nodes/2/translation", [0, 0], "3 numbers"),
        ("nodes/2/translation", [1e300, 0, 0], "3 numbers"),
        ("nodes/2/scale", [0, 0, 0], "flattens"),
        ("nodes/2/rotation", [0, 0, 0, 0], "length 0"),
        ("nodes/2/matrix", [1] * 15, "16 numbers"),
        ("scene", 5, "index 5"),
        ("scenes/0/nodes", [], "shows nothing"),
        ("nodes", {"a": 1}, "not a list"),
    ],
)
def test_broken_rules_are_named(tmp_path: Path, path: str, value: object, message: str) -> None:
    document, binary = parts(room().to_bytes())
    document.setdefault("scenes", [{"nodes": [1, 2, 3, 4]}])
    change(document, path, value)
    with pytest.raises(ImportFailed, match=message):
        import_gltf(written(tmp_path, packed(document, binary)))


def test_numbers_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    document, binary = parts(room().to_bytes())
    view = document["bufferViews"][document["accessors"][0]["bufferView"]]
    broken = bytearray(binary)
    struct.pack_into("<f", broken, view["byteOffset"], float("nan"))
    with pytest.raises(ImportFailed, match="not finite"):
        import_gltf(written(tmp_path, packed(document, bytes(broken))))
    text = json.dumps(document).replace('"translation": [', '"translation": [NaN, ', 1).encode()
    with pytest.raises(ImportFailed, match="NaN"):
        import_gltf(written(tmp_path, text, "a.gltf"))


@pytest.mark.parametrize("length", [0, 3, 11, 19, 60, -1])
def test_cut_files_are_refused(tmp_path: Path, length: int) -> None:
    with pytest.raises(ImportFailed):
        import_gltf(written(tmp_path, room().to_bytes()[:length]))


def test_an_index_past_the_vertices_is_refused(tmp_path: Path) -> None:
    writer = GlbWriter()
    mesh = Mesh.of([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]], (1, 2, 3))
    writer.add_node("a", mesh=writer.add_mesh(mesh))
    document, binary = parts(writer.to_bytes())
    view = document["bufferViews"][
        document["accessors"][document["meshes"][0]["primitives"][0]["indices"]]["bufferView"]
    ]
    broken = bytearray(binary)
    struct.pack_into("<H", broken, view["byteOffset"], 9)
    with pytest.raises(ImportFailed, match="outside of 3 vertices"):
        import_gltf(written(tmp_path, packed(document, bytes(broken))))


def test_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, room().to_bytes())
    monkeypatch.setattr(gltf_file, "MAX_VALUES", 20)
    with pytest.raises(TooLarge, match="more than 20 numbers"):
        import_gltf(path)
    monkeypatch.setattr(gltf_file, "MAX_NODES", 2)
    with pytest.raises(TooLarge, match="2 is the limit"):
        import_gltf(path)
    monkeypatch.setattr(gltf_file, "MAX_BYTES", 100)
    with pytest.raises(TooLarge, match="100 is the limit"):
        import_gltf(path)
    with pytest.raises(ImportFailed, match="scale is 0"):
        import_gltf(path, scale=0.0)


WHOLE = room().to_bytes()


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spots=st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_damaged_bytes_only_ever_fail_politely(tmp_path: Path, spots: list[tuple[int, int]]) -> None:
    data = bytearray(WHOLE)
    for at, value in spots:
        data[at] = value
    with suppress(ImportFailed):
        graph = import_gltf(written(tmp_path, bytes(data)))
        with suppress(GraphError):
            graph.validate()
