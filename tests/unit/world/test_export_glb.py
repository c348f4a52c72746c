from __future__ import annotations

import json
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.lacking import lacking

from ecumene_world import Node, Pose, SceneGraph
from ecumene_world.assets.mesh import Mesh
from ecumene_world.assets.solids import box
from ecumene_world.exporters.glb import write_glb
from ecumene_world.exporters.parts import above, below, drawn
from ecumene_world.generate import generate

TOOLS = Path(__file__).parents[2] / "tools"


@pytest.fixture(scope="module")
def plaza() -> SceneGraph:
    return generate("plaza", 4)


@pytest.fixture(scope="module")
def document(plaza: SceneGraph) -> dict[str, Any]:
    return read(write_glb(plaza))


def read(data: bytes) -> dict[str, Any]:
    length = struct.unpack_from("<I", data, 12)[0]
    found: dict[str, Any] = json.loads(data[20 : 20 + length])
    return found


def nodes(document: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [node for node in document["nodes"] if node.get("extras", {}).get("kind") == kind]


def validated(data: bytes) -> dict[str, Any]:
    """Returns the issues that Khronos' validator counts."""
    node = shutil.which("node")
    if node is None or not (TOOLS / "node_modules" / "gltf-validator").is_dir():
        lacking("needs Node.js and tests/tools/node_modules")
    done = subprocess.run([node, TOOLS / "validate_gltf.mjs"], input=data, capture_output=True, check=True)
    issues: dict[str, Any] = json.loads(done.stdout)["issues"]
    return issues


def test_the_validator_finds_no_fault(plaza: SceneGraph) -> None:
    issues = validated(write_glb(plaza))
    faults = [message for message in issues["messages"] if message["severity"] < 2]
    assert not faults
    assert issues["numErrors"] == 0


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", ["apartment", "office", "meeting", "classroom", "clinic", "museum", "shop", "cafe"])
def test_rooms_of_every_type_are_valid(kind: str) -> None:
    assert validated(write_glb(generate(kind, 11)))["numErrors"] == 0


def test_doors_stand_apart_at_their_hinges(plaza: SceneGraph, document: dict[str, Any]) -> None:
    doors = nodes(document, "door")
    known = {node.name: node for node in plaza.walk() if node.kind == "door"}
    assert {door["extras"]["name"] for door in doors} == set(known)
    for door in doors:
        pose = plaza.world_pose(door["extras"]["name"])
        width = door["extras"]["width_m"]
        x, y, z = pose.apply((0.0, -width / 2, 0.0))
        assert door["translation"] == pytest.approx([x, z, -y], abs=1e-4)
        corners = document["accessors"][document["meshes"][door["mesh"]]["primitives"][0]["attributes"]["POSITION"]]
        assert corners["max"][2] == pytest.approx(0.0, abs=1e-5)
        assert corners["min"][2] == pytest.approx(-width, abs=1e-3)


def test_loose_things_stand_apart(plaza: SceneGraph, document: dict[str, Any]) -> None:
    cups = {node["extras"]["name"] for node in nodes(document, "cup")}
    assert cups == {node.name for node in plaza.walk() if node.kind == "cup"}


def test_roofs_can_be_hidden_and_upper_storeys_are_marked(plaza: SceneGraph, document: dict[str, Any]) -> None:
    roofs = [node for node in document["nodes"] if node.get("extras", {}).get("roof")]
    inside = [node.name for node in plaza.walk() if node.attributes.get("interior") is True]
    assert sorted(node["extras"]["name"] for node in roofs) == sorted(inside)
    assert any(node["extras"].get("level") == 1 for node in document["nodes"])


def test_copies_keep_their_names_in_order(plaza: SceneGraph, document: dict[str, Any]) -> None:
    group = max(nodes(document, "chair"), key=lambda node: len(node["extras"].get("names", [])))
    attributes = group["extensions"]["EXT_mesh_gpu_instancing"]["attributes"]
    assert document["accessors"][attributes["TRANSLATION"]]["count"] == len(group["extras"]["names"])
    assert all(plaza.node(name).kind == "chair" for name in group["extras"]["names"])
    assert document["extensionsRequired"] == ["EXT_mesh_gpu_instancing"]


def test_few_draw_calls(plaza: SceneGraph, document: dict[str, Any]) -> None:
    calls = sum("mesh" in node for node in document["nodes"])
    assert calls < 0.5 * len(plaza)


def test_everything_that_is_drawn_is_in_the_file(plaza: SceneGraph, document: dict[str, Any]) -> None:
    copies, parts = drawn(plaza)
    faces = sum(len(group.mesh.faces) * len(group.nodes) for group in copies)
    faces += sum(len(part.mesh.faces) for part in parts)
    total = 0
    for node in document["nodes"]:
        primitive = document["meshes"][node["mesh"]]["primitives"][0]
        each = document["accessors"][primitive["indices"]]["count"] // 3
        instances = node.get("extensions", {}).get("EXT_mesh_gpu_instancing", {}).get("attributes", {})
        total += each * (document["accessors"][instances["TRANSLATION"]]["count"] if instances else 1)
    assert total == faces


def test_the_scene_names_world_and_sources() -> None:
    graph = SceneGraph("Yard", attribution=["Somebody"])
    graph.add(Node("g", "ground", attributes={"polygon": [[0, 0], [4, 0], [4, 4]]}))
    scene = read(write_glb(graph))["scenes"][0]
    assert scene["name"] == "Yard"
    assert scene["extras"] == {"hash": graph.hash(), "attribution": ["Somebody"]}


def test_an_empty_world_is_still_a_file(tmp_path: Path) -> None:
    data = write_glb(SceneGraph(), tmp_path / "a.glb")
    assert (tmp_path / "a.glb").read_bytes() == data
    assert validated(data)["numErrors"] == 0


def test_what_is_not_drawn_is_left_out() -> None:
    graph = SceneGraph()
    graph.add(Node("w", "wall", attributes={"size": [3, 0.2, 2], "drawn": False}))
    assert drawn(graph) == ([], [])


def test_copies_are_scaled_with_their_parents() -> None:
    graph = SceneGraph()
    graph.add(Node("group", "room", Pose((1.0, 2.0, 0.0), scale=2.0)))
    graph.add(Node("tree", "broadleaf_tree", Pose.at(1, 0)), "group")
    (group,), _ = drawn(graph)
    assert group.position.tolist() == [[3.0, 2.0, 0.0]]
    assert group.scale.tolist() == [2.0]


@pytest.mark.parametrize("height", [0.2, 0.5, 0.9])
def test_a_cut_mesh_keeps_its_surface(height: float) -> None:
    mesh = box((2.0, 1.0, 1.0), (10, 20, 30))
    low, high = below(mesh, height), above(mesh, height)
    assert area(low) + area(high) == pytest.approx(area(mesh), rel=1e-5)
    assert low.bounds[1, 2] == pytest.approx(height)
    assert high.bounds[0, 2] == pytest.approx(height)
    assert (low.colours == [10, 20, 30]).all()


def test_a_cut_beyond_a_mesh_changes_nothing() -> None:
    mesh = box((1, 1, 1), (1, 1, 1))
    assert area(below(mesh, 5.0)) == pytest.approx(area(mesh))
    assert not len(above(mesh, 5.0).faces)


def area(mesh: Mesh) -> float:
    a, b, c = np.moveaxis(mesh.triangles.astype(np.float64), 1, 0)
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)
