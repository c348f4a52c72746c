"""Graphs survive JSON after any edits, and no JSON makes anything but a valid graph or a GraphError."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.world.scenes import house, yard

from ecumene_world import GraphError, Node, Pose, SceneGraph
from ecumene_world.graph import RELATIONS

NAMES = [f"n{index}" for index in range(8)]
names = st.sampled_from(["world", *NAMES])
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("aé✓ 😀", max_size=5)
)
attributes = st.dictionaries(
    st.sampled_from(["owner", "tags", "note"]),
    st.recursive(scalars, lambda inner: st.lists(inner, max_size=3), max_leaves=6),
)
edits = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sampled_from(NAMES), names, attributes),
        st.tuples(st.just("remove"), names),
        st.tuples(st.just("reparent"), names, names),
        st.tuples(st.just("relate"), names, st.sampled_from(RELATIONS), names),
        st.tuples(st.just("unrelate"), names, st.sampled_from(RELATIONS), names),
        st.tuples(st.just("move"), names, st.floats(-10, 10)),
    ),
    max_size=30,
)


def apply(graph: SceneGraph, edit: tuple[Any, ...]) -> None:
    match edit:
        case ("add", name, parent, given_attributes):
            graph.add(Node(name, "rug", attributes=given_attributes), parent)
        case ("move", name, x):
            graph.move(name, Pose.at(x, 0))
        case (method, *arguments):
            getattr(graph, method)(*arguments)


@given(edits)
def test_any_edits_leave_a_valid_tree_that_survives_json(sequence: list[tuple[Any, ...]]) -> None:
    graph = SceneGraph("edited")
    for edit in sequence:
        before = graph.hash()
        try:
            apply(graph, edit)
        except GraphError:
            assert graph.hash() == before, "a refused edit changes nothing"
    graph.validate()
    walk = [node.name for node in graph.walk()]
    assert len(walk) == len(set(walk)) == len(graph)
    for node in graph.walk():
        assert all(graph.parent(child) == node.name for child in graph.children(node.name))
    for relation in graph.relations():
        assert relation.subject in graph
        assert relation.object in graph
    twin = SceneGraph.from_json(json.loads(json.dumps(graph.to_json())))
    assert [*twin.walk()] == [*graph.walk()]
    assert twin.hash() == graph.hash()


def paths(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Returns the path to every value of nested data."""
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path, *(found for key, value in inner for found in paths(value, (*path, key)))]


BASE = json.dumps(house().to_json())
PATHS = paths(json.loads(BASE))[1:]
junk = st.recursive(
    scalars | st.floats() | st.text(max_size=3) | st.sampled_from([[], {}, "world", "house", "stairs", 1e9, -1, 2**70]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(st.lists(st.tuples(st.sampled_from(PATHS), junk), min_size=1, max_size=3))
@settings(max_examples=300)
def test_spoilt_json_is_a_graph_error_or_a_valid_graph(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    data = json.loads(BASE)
    for path, value in changes:
        target = data
        try:
            for key in path[:-1]:
                target = target[key]
            target[path[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue
    try:
        graph = SceneGraph.from_json(data)
    except GraphError:
        return
    graph.validate()
    assert SceneGraph.from_json(graph.to_json()).hash() == graph.hash()


@given(junk)
def test_junk_is_a_graph_error(data: Any) -> None:
    try:
        SceneGraph.from_json(data)
    except GraphError:
        return
    raise AssertionError("junk became a graph")


def test_the_base_is_worth_spoiling() -> None:
    assert len(PATHS) > 100
    assert SceneGraph.from_json(yard().to_json()) == yard()
