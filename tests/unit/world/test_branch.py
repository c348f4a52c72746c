"""Branches: exact as text, put in whole or not at all, and refused with a sentence when they are spoilt."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import pytest
from tests.unit.world.scenes import world

from ecumene_world import Node, Pose, SceneGraph
from ecumene_world.branch import Branch, packed, unpacked
from ecumene_world.command import AddBranch, Recompile, RemoveNode
from ecumene_world.errors import GraphError


def cafe() -> Branch:
    graph = SceneGraph()
    graph.add(Node("cafe", "place", Pose.at(4, 5), attributes={"role": "district", "title": "Café ✓"}))
    graph.add(Node("table", "table", Pose.at(1, 0), seed=3), "cafe")
    graph.add(Node("cup", "cup", Pose.at(0, 0, 0.7), params={}), "table")
    graph.relate("cup", "on", "table")
    graph.add(Node("elsewhere", "bench"))
    graph.relate("table", "next_to", "elsewhere")
    return Branch.of(graph, "cafe")


def text_of(data: Any) -> str:
    return base64.b64encode(zlib.compress(json.dumps(data).encode())).decode()


def command(branch: Branch) -> AddBranch:
    return AddBranch(branch.root, packed(branch))


def test_a_branch_takes_what_is_below_its_root_and_its_own_relations() -> None:
    branch = cafe()
    assert [(node.name, above) for node, above in branch.nodes] == [("cafe", ""), ("table", "cafe"), ("cup", "table")]
    assert [tuple(each) for each in branch.relations] == [("cup", "on", "table")]


def test_text_restores_the_branch() -> None:
    assert unpacked(packed(cafe())) == cafe()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("no base64!", "damaged"),
        (base64.b64encode(b"no zlib").decode(), "damaged"),
        (packed(cafe())[:-8], "damaged|cut off"),
        (text_of([]), "object with 'nodes' and 'relations'"),
        (text_of({"nodes": [], "relations": []}), "must list 1"),
        (text_of({"nodes": [{"name": "a", "kind": "dragon"}], "relations": []}), "not a kind"),
        (text_of({"nodes": [{"name": "a", "kind": "cup", "parent": "b"}], "relations": []}), "has no parent"),
        (text_of({"nodes": [{"name": "a", "kind": "cup"}] * 2, "relations": []}), "names 'a' twice"),
        (
            text_of(
                {"nodes": [{"name": "a", "kind": "cup"}, {"name": "b", "kind": "cup", "parent": "c"}], "relations": []}
            ),
            "not listed before",
        ),
        (
            text_of({"nodes": [{"name": "a", "kind": "mesh", "attributes": {"mesh": "m"}}], "relations": []}),
            "refers to an array",
        ),
        (text_of({"nodes": [{"name": "a", "kind": "cup"}], "relations": [["a", "on", "b"]]}), "no relation between"),
        (text_of({"nodes": [{"name": "a", "kind": "cup"}], "relations": [[[], "on", "a"]]}), "no relation between"),
    ],
)
def test_spoilt_text_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(GraphError, match=sentence):
        unpacked(text)


def test_a_branch_is_added_whole_and_goes_whole() -> None:
    w = world()
    before = w.graph.hash()
    (event,) = w.apply([command(cafe())])
    assert (event.name, event.subject, w.stale, w.edits) == ("edited", "cafe", True, 1)
    assert w.graph.world_pose("cup").position == pytest.approx((5, 5, 0.7))
    w.apply([Recompile()])
    assert "cup" in w.layout.thing_index
    w.apply([RemoveNode("cafe")])
    assert w.graph.hash() == before


@pytest.mark.parametrize(
    ("branch", "parent", "sentence"),
    [
        (Branch(((Node("new", "place"), ""), (Node("bench", "cup"), "new")), ()), "world", "'bench' exists already"),
        (cafe(), "nowhere", "parent 'nowhere' does not exist"),
    ],
)
def test_what_can_not_be_added_whole_leaves_the_world_as_it_was(branch: Branch, parent: str, sentence: str) -> None:
    w = world()
    before = w.graph.hash()
    (event,) = w.apply([AddBranch(branch.root, packed(branch), parent)])
    assert event.name == "rejected"
    assert sentence in str(event.data["reason"])
    assert (w.graph.hash(), w.edits) == (before, 0)


def test_a_graph_made_elsewhere_is_taken_and_comes_out_the_same() -> None:
    here, there = world(), world()
    branch = cafe()
    made = there.graph.copy()
    branch.graft(made, "world")
    there.offer_graph(made, there.edits, packed(branch))
    before = there.graph
    here.apply([command(branch), Recompile()])
    there.apply([command(branch)])
    assert there.graph is made
    assert there.compiled_graph is before
    there.apply([Recompile()])
    assert (there.graph.hash(), there.layout.hash, there.edits) == (here.graph.hash(), here.layout.hash, here.edits)
    assert there.layout.names == here.layout.names


def test_a_graph_made_for_another_edit_or_branch_is_passed_over() -> None:
    w, branch = world(), cafe()
    made = w.graph.copy()
    w.offer_graph(made, w.edits + 1, packed(branch))
    w.apply([command(branch)])
    assert w.graph is not made
    w.offer_graph(made, w.edits, "another")
    w.apply([RemoveNode("cafe"), command(branch)])
    assert w.graph is not made
    assert "cup" in w.graph
