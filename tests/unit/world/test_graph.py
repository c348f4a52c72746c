from math import pi

import pytest

from ecumene_world.errors import GraphError
from ecumene_world.graph import ROOT, Node, Relation, SceneGraph
from ecumene_world.pose import Pose


def small() -> SceneGraph:
    graph = SceneGraph("small")
    graph.add(Node("room", "room", Pose.at(10, 0, yaw=pi / 2)))
    graph.add(Node("table", "table", Pose.at(1, 0)), "room")
    graph.add(Node("cup", "cup", Pose.at(0, 0, 0.7)), "table")
    graph.add(Node("tree", "broadleaf_tree"))
    return graph


def names(graph: SceneGraph) -> list[str]:
    return [node.name for node in graph.walk()]


def test_a_new_graph_holds_the_root_only() -> None:
    assert names(SceneGraph()) == [ROOT]


def test_the_walk_goes_depth_by_depth_in_order_of_addition() -> None:
    assert names(small()) == ["world", "room", "tree", "table", "cup"]


def test_children_and_parents_mirror_each_other() -> None:
    graph = small()
    assert graph.children(ROOT) == ("room", "tree")
    assert [graph.parent(name) for name in ("world", "room", "cup")] == [None, "world", "table"]


def test_world_pose_composes_up_to_the_root() -> None:
    assert small().world_pose("cup").position == pytest.approx((10, 1, 0.7))
    assert small().world_pose("cup").yaw == pytest.approx(pi / 2)


def test_removing_takes_the_subtree_and_its_relations() -> None:
    graph = small()
    graph.relate("tree", "next_to", "table")
    assert [node.name for node in graph.remove("table")] == ["table", "cup"]
    assert len(graph) == 3
    assert "cup" not in graph
    assert graph.relations() == ()


def test_replacing_keeps_place_and_children() -> None:
    graph = small()
    old = graph.replace(Node("table", "desk"))
    assert old.kind == "table"
    assert graph.node("table").kind == "desk"
    assert graph.children("table") == ("cup",)


def test_moving_changes_the_pose_only() -> None:
    graph = small()
    graph.move("cup", Pose.at(1, 1))
    assert graph.node("cup") == Node("cup", "cup", Pose.at(1, 1))


def test_reparenting_moves_the_subtree() -> None:
    graph = small()
    graph.reparent("table", "tree")
    assert graph.children("tree") == ("table",)
    assert graph.parent("cup") == "table"


def test_no_edit_can_make_a_cycle() -> None:
    graph = small()
    with pytest.raises(GraphError, match="'room' can't be put under 'cup', which is inside it"):
        graph.reparent("room", "cup")
    with pytest.raises(GraphError, match="inside it"):
        graph.reparent("room", "room")


def test_relations_are_sorted_and_stated_once() -> None:
    graph = small()
    graph.relate("tree", "next_to", "room")
    graph.relate("cup", "on", "table")
    graph.relate("cup", "on", "table")
    assert graph.relations() == (Relation("cup", "on", "table"), Relation("tree", "next_to", "room"))
    assert graph.relations("room") == (Relation("tree", "next_to", "room"),)
    graph.unrelate("cup", "on", "table")
    assert graph.relations("cup") == ()


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (lambda g: g.add(Node("cup", "cup")), "a node named 'cup' exists already"),
        (lambda g: g.add(Node("x", "cup"), "nobody"), "asks for parent 'nobody', which does not exist"),
        (lambda g: g.remove("nobody"), "'nobody', which does not exist"),
        (lambda g: g.remove(ROOT), "root node 'world' can't be removed"),
        (lambda g: g.reparent(ROOT, "cup"), "root node 'world' can't be moved"),
        (lambda g: g.replace(Node("nobody", "cup")), "'nobody'"),
        (lambda g: g.relate("cup", "above", "table"), "'above' is not a relation"),
        (lambda g: g.relate("cup", "on", "nobody"), "'nobody'"),
        (lambda g: g.unrelate("cup", "on", "table"), "'cup' is not 'on' 'table'"),
        (lambda g: g.node("nobody"), "'nobody'"),
        (lambda g: g.children("nobody"), "'nobody'"),
        (lambda g: g.world_pose("nobody"), "'nobody'"),
    ],
)
def test_impossible_edits_name_the_culprit_and_change_nothing(edit, sentence) -> None:  # type: ignore[no-untyped-def]
    graph = small()
    before = graph.hash()
    with pytest.raises(GraphError, match=sentence):
        edit(graph)
    assert graph.hash() == before


def test_a_full_graph_takes_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ecumene_world.graph.MAX_NODES", 5)
    with pytest.raises(GraphError, match="'x' does not fit"):
        small().add(Node("x", "cup"))


def test_a_copy_is_independent() -> None:
    graph = small()
    twin = graph.copy()
    assert twin == graph
    twin.remove("tree")
    assert "tree" in graph
    assert twin != graph


def test_nodes_keep_copies_of_what_they_are_given() -> None:
    polygon = [[0, 0], [1, 0], [1, 1]]
    node = Node("n", "ground", attributes={"polygon": polygon})  # type: ignore[dict-item]
    polygon[0][0] = 99
    assert node.attributes["polygon"] == [[0, 0], [1, 0], [1, 1]]


@pytest.mark.parametrize(
    "other", [Node("n", "cup", seed=1), Node("n", "cup", Pose.at(0, 0, 1e-9)), Node("n", "cup", params={"a": 1.0})]
)
def test_the_hash_sees_every_part_of_a_node(other: Node) -> None:
    graphs = [SceneGraph(), SceneGraph()]
    for graph, node in zip(graphs, (Node("n", "cup"), other), strict=True):
        graph.add(node)
    assert graphs[0].hash() != graphs[1].hash()


def test_the_hash_does_not_depend_on_how_the_graph_came_to_be() -> None:
    graph = small()
    graph.add(Node("extra", "cup"))
    graph.remove("extra")
    graph.relate("cup", "on", "table")
    twin = small()
    twin.relate("cup", "on", "table")
    assert graph.hash() == twin.hash()
    assert len(graph.hash()) == 64
