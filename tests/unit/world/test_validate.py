from typing import Any

import numpy as np
import pytest
from tests.unit.world.scenes import hill, house, yard

from ecumene_world.errors import GraphError
from ecumene_world.graph import Node, SceneGraph
from ecumene_world.pose import Pose


@pytest.mark.parametrize("make", [yard, house, hill])
def test_good_graphs_pass(make: Any) -> None:
    make().validate()


@pytest.mark.parametrize(
    ("node", "sentence"),
    [
        (Node("", "cup"), "node name ''"),
        (Node("x" * 121, "cup"), "1..120"),
        (Node("tab\t", "cup"), "printable"),
        (Node(" padded", "cup"), "not padded"),
        (Node("n", "cupp"), "node 'n': 'cupp' is not a kind of thing; did you mean 'cup'"),
        (Node("n", "npc"), "avatars are spawned, not authored"),
        (Node("n", "world"), "only the root may be of kind 'world'"),
        (Node("n", "cup", Pose((0, 0, float("nan")))), "'n' holds a number that is not finite"),
        (Node("n", "cup", Pose((2e5, 0, 0))), "'n' stands at"),
        (Node("n", "cup", Pose(rotation=(1, 0, 0, 1))), "no unit quaternion"),
        (Node("n", "cup", Pose(scale=-1)), "scale -1.0"),
        (Node("n", "cup", params={"size": [1]}), "parameter 'size' of node 'n' must be a number or text"),  # type: ignore[dict-item]
        (Node("n", "cup", attributes={"level": -1}), "'level' of node 'n' must be a whole number in 0..31"),
        (Node("n", "cup", attributes={"level": True}), "whole number"),
        (Node("n", "cup", attributes={"state": 256}), "0..255"),
        (Node("n", "cup", attributes={"height_m": 0}), "above 0"),
        (Node("n", "wall", attributes={"size": [1, 2]}), r"\[x, y, z\]"),
        (Node("n", "wall", attributes={"size": [0, 1, 1]}), "first two above 0"),
        (Node("n", "wall", attributes={"openings": [[1, 2, 3]]}), r"\[start, width, sill, head\]"),
        (Node("n", "lawn", attributes={"polygon": [[0, 0], [1, 0], [2, 0]]}), "enclose an area"),
        (Node("n", "lawn", attributes={"polygon": [[0, 0], [1, 0], [2, 1e9]]}), "corners"),
        (Node("n", "building", attributes={"entrances": [[1, 2]]}), r"\[x, y, yaw\]"),
        (Node("n", "building", attributes={"interior": "yes"}), "true or false"),
        (Node("n", "wall", attributes={"colour": "red"}), "a colour such as '#c46a4a'"),
        (Node("n", "wall", attributes={"drawn": 1}), "true or false"),
        (Node("n", "cup", attributes={"title": 3}), "'title' of node 'n' must be text"),
        (Node("n", "stairs"), "lacks the attribute 'size'"),
        (Node("n", "mesh", attributes={"mesh": "scan"}), "refers to array 'scan/vertices'"),
        (Node("n", "ground", attributes={"heights": "gone"}), "refers to array 'gone'"),
    ],
)
def test_a_broken_rule_names_the_node(node: Node, sentence: str) -> None:
    graph = SceneGraph()
    graph.add(node)
    with pytest.raises(GraphError, match=sentence):
        graph.validate()


def mesh(faces: Any, vertices: Any = ((0, 0, 0), (1, 0, 0), (0, 1, 0))) -> SceneGraph:
    graph = SceneGraph()
    graph.arrays["m/vertices"] = np.array(vertices, np.float32)
    graph.arrays["m/faces"] = np.array(faces)
    graph.arrays["m/colours"] = np.zeros((1, 3), np.uint8)
    graph.add(Node("n", "mesh", attributes={"mesh": "m"}))
    return graph


def test_a_mesh_of_arrays_passes() -> None:
    mesh([[0, 1, 2]]).validate()


@pytest.mark.parametrize(
    ("graph", "sentence"),
    [
        (mesh([[0, 1, 3]]), "points outside its 3 vertices"),
        (mesh([[0, 1, -1]]), "points outside"),
        (mesh([[0.0, 1.0, 2.0]]), "whole numbers"),
        (mesh([0, 1, 2]), r"\(n, 3\) is needed"),
        (mesh([[0, 1, 2]], [[0, 0, np.nan], [1, 0, 0], [0, 1, 0]]), "'m/vertices' holds numbers that are not finite"),
    ],
)
def test_a_broken_mesh_is_named(graph: SceneGraph, sentence: str) -> None:
    with pytest.raises(GraphError, match=sentence):
        graph.validate()


def test_arrays_hold_numbers() -> None:
    graph = SceneGraph()
    graph.arrays["text"] = np.array(["a"])
    with pytest.raises(GraphError, match="array 'text' has dtype"):
        graph.validate()


def test_unknown_attributes_are_nobodys_business() -> None:
    graph = SceneGraph()
    graph.add(Node("n", "cup", attributes={"owner": "ada", "prices": [1, 2.5]}))
    graph.validate()
