import base64
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.unit.world.scenes import hill, house, yard

from ecumene_world.errors import GraphError
from ecumene_world.graph import Node, SceneGraph
from ecumene_world.graph_json import node_decoded, node_encoded, parsed
from ecumene_world.pose import Pose


def data() -> dict[str, Any]:
    """Returns a valid graph as plain data to be spoilt."""
    return dict(yard().to_json())


@pytest.mark.parametrize("make", [yard, house, hill])
def test_a_graph_survives_json_exactly(make: Any) -> None:
    graph = make()
    text = json.dumps(graph.to_json())
    twin = SceneGraph.from_json(json.loads(text))
    assert twin.hash() == graph.hash()
    assert json.dumps(twin.to_json()) == text
    assert [*twin.walk()] == [*graph.walk()]
    assert twin.relations() == graph.relations()


@pytest.mark.parametrize("dtype", ["f4", "f8", "u1", "i1", "u2", "i4", "i8", "?", ">f4", ">i8"])
def test_arrays_survive_bit_for_bit(dtype: str) -> None:
    graph = yard()
    graph.arrays["a"] = np.array([[0, 1, 1], [1, 0, 1]]).astype(dtype)
    graph.arrays["nothing"] = np.zeros((0, 3), dtype)
    twin = SceneGraph.from_json(graph.to_json())
    np.testing.assert_array_equal(twin.arrays["a"], graph.arrays["a"])
    assert twin.arrays["nothing"].shape == (0, 3)
    assert twin.hash() == graph.hash()


def test_the_hash_sees_arrays() -> None:
    graph = hill()
    before = graph.hash()
    graph.arrays["heights"] = graph.arrays["heights"].copy()
    assert graph.hash() == before
    graph.arrays["heights"][3, 3] += 1e-3  # type: ignore[operator]
    assert graph.hash() != before


def test_a_file_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    house().save(path)
    assert SceneGraph.load(path) == house()


def test_defaults_are_left_out_of_a_node() -> None:
    assert node_encoded(Node("cup", "cup")) == {"name": "cup", "kind": "cup"}
    full = Node("cup", "cup", Pose((1, 2, 3), (0, 1, 0, 0), 2.0), 7, {"a": 1.5}, {"b": [1]})
    assert node_decoded(node_encoded(full)) == full


def spoilt(path: list[Any], value: Any) -> dict[str, Any]:
    spoilt_data: dict[str, Any] = json.loads(json.dumps(data()))
    target = spoilt_data
    for key in path[:-1]:
        target = target[key]
    if value is None:
        del target[path[-1]]
    else:
        target[path[-1]] = value
    return spoilt_data


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (["format"], "gltf", "must be of format 'ecumene-graph' version 1, not 'gltf' version 1"),
        (["version"], 2, "version 2"),
        (["surprise"], 1, "unknown field 'surprise'"),
        (["name"], 3, "graph's name must be text"),
        (["name"], "", "graph's name"),
        (["seed"], 1.5, "seed must be a whole number"),
        (["attribution"], "me", "attribution must be a list"),
        (["nodes"], None, "nodes must be a list"),
        (["nodes"], [], "first node must be the root"),
        (["nodes"], {}, "nodes must be a list"),
        (["nodes", 0, "name"], "earth", "first node must be the root"),
        (["nodes", 0, "parent"], "world", "root 'world' can't have a parent"),
        (["nodes", 1], 7, "a node must be an object"),
        (["nodes", 1, "parent"], None, "parent of node 'ground' must be text"),
        (["nodes", 1, "parent"], "bench", "'ground' names parent 'bench', which is not listed before it"),
        (["nodes", 1, "parent"], "ground", "not listed before it"),
        (["nodes", 1, "kind"], "spaceship", "node 'ground': 'spaceship' is not a kind"),
        (["nodes", 1, "kind"], None, "kind of node 'ground' must be text"),
        (["nodes", 1, "name"], "bench", "'bench' exists already"),
        (["nodes", 1, "position"], [1, 2], "position of node 'ground' must have 3 entries"),
        (["nodes", 1, "position"], [1, 2, "3"], "finite numbers"),
        (["nodes", 1, "position"], [1, 2, float("nan")], "pose of node 'ground' holds a number that is not finite"),
        (["nodes", 1, "position"], [1, 2, float("inf")], "finite numbers"),
        (["nodes", 1, "position"], [1, 2, 1e6], "'ground' stands at"),
        (["nodes", 1, "rotation"], [1, 1, 0, 0], "no unit quaternion"),
        (["nodes", 1, "rotation"], [0, 0, 0, 0], "no unit quaternion"),
        (["nodes", 1, "scale"], 0, "scale 0.0 of node 'ground'"),
        (["nodes", 1, "scale"], True, "finite numbers"),
        (["nodes", 1, "seed"], 2**80, "whole number"),
        (["nodes", 1, "surprise"], 1, "unknown field 'surprise'"),
        (["nodes", 1, "params"], [1], "params of node 'ground' must be an object"),
        (
            ["nodes", 1, "attributes", "polygon"],
            [[0, 0], [1, 1]],
            "'polygon' of node 'ground' must be 3..20000 corners",
        ),
        (["nodes", 1, "attributes", "polygon"], [[0, 0], [1, 1], [2, "x"]], "corners"),
        (["nodes", 1, "attributes", "deep"], [[[[[[[[[1]]]]]]]]], "nests deeper"),
        (["relations"], [["bench", "on"]], "a relation must have 3 entries"),
        (["relations"], [["bench", "on", "nobody"]], "'nobody', which does not exist"),
        (["relations"], [["bench", "eats", "ground"]], "'eats' is not a relation"),
        (["arrays"], [], "arrays must be an object"),
        (["arrays", "a"], {"dtype": "object", "shape": [1], "data": ""}, "dtype 'object'"),
        (["arrays", "a"], {"dtype": "<f4", "shape": [1 << 40], "data": ""}, "all arrays together"),
        (["arrays", "a"], {"dtype": "<f4", "shape": [-1], "data": ""}, "shape"),
        (["arrays", "a"], {"dtype": "<f4", "shape": [2], "data": "!"}, "damaged"),
        (["arrays", "a"], {"dtype": "<f4", "shape": [2], "data": ""}, "does not hold the 8 bytes"),
    ],
)
def test_damage_is_answered_with_one_sentence(path: list[Any], value: Any, sentence: str) -> None:
    with pytest.raises(GraphError, match=sentence):
        SceneGraph.from_json(spoilt(path, value))


def test_a_bomb_is_not_unpacked() -> None:
    bomb = base64.b64encode(zlib.compress(bytes(10_000_000))).decode()
    with pytest.raises(GraphError, match="does not hold the 16 bytes"):
        SceneGraph.from_json(spoilt(["arrays", "a"], {"dtype": "<f8", "shape": [2], "data": bomb}))


@pytest.mark.parametrize("text", ["[" * 100_000, "{", '{"a": NaN}', '{"a": Infinity}', b"\xff\xfe\x00", ""])
def test_text_that_is_no_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(GraphError, match="somewhere is no JSON"):
        parsed(text, "somewhere")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(GraphError, match=r"gone\.json can't be read"):
        SceneGraph.load(tmp_path / "gone.json")


def test_a_huge_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ecumene_world.graph_json.MAX_FILE_BYTES", 10)
    yard().save(tmp_path / "world.json")
    with pytest.raises(GraphError, match="larger than 10 bytes"):
        SceneGraph.load(tmp_path / "world.json")
