import numpy as np
import pytest
from tests.unit.world.scenes import house

from ecumene_world.compiler.rows import flattened
from ecumene_world.graph import Node, SceneGraph
from ecumene_world.pose import Pose


def test_rows_stand_parents_first() -> None:
    rows = flattened(house())
    assert rows.parent[0] == -1
    assert (rows.parent[1:] < np.arange(1, len(rows.nodes))).all()


def test_rows_of_a_depth_have_parents_of_the_depth_before() -> None:
    rows = flattened(house())
    assert rows.depth_start[0] == 0
    assert rows.depth_start[-1] == len(rows.nodes)
    for depth in range(1, len(rows.depth_start) - 1):
        above = rows.parent[rows.depth_start[depth] : rows.depth_start[depth + 1]]
        assert (above >= rows.depth_start[depth - 1]).all()
        assert (above < rows.depth_start[depth]).all()


def test_world_poses_are_those_of_the_graph() -> None:
    graph = house()
    rows = flattened(graph)
    for row, node in enumerate(rows.nodes):
        pose = graph.world_pose(node.name)
        assert rows.position[row] == pytest.approx(pose.position)
        assert rows.rotation[row] == pytest.approx(pose.rotation)
        assert rows.yaw[row] == pytest.approx(pose.yaw)


def test_a_lone_root_is_a_table_of_one_row() -> None:
    rows = flattened(SceneGraph())
    assert rows.depth_start == (0, 1)
    assert rows.position.tolist() == [[0, 0, 0]]


def test_storeys_are_inherited_until_a_node_names_its_own() -> None:
    graph = SceneGraph()
    graph.add(Node("room", "room", attributes={"level": 2}))
    graph.add(Node("table", "table"), "room")
    graph.add(Node("cellar", "room", attributes={"level": 0}), "room")
    graph.add(Node("box", "box"), "cellar")
    graph.add(Node("tree", "broadleaf_tree"))
    rows = flattened(graph)
    levels = {node.name: int(level) for node, level in zip(rows.nodes, rows.level, strict=True)}
    assert levels == {"world": 0, "room": 2, "tree": 0, "table": 2, "cellar": 0, "box": 0}


def test_a_polygon_is_placed_turned_and_scaled() -> None:
    graph = SceneGraph()
    pose = Pose((10.0, 0.0, 1.0), Pose.at(0, 0, yaw=np.pi / 2).rotation, 2.0)
    graph.add(Node("lawn", "lawn", pose, attributes={"polygon": [[0, 0], [1, 0], [1, 1]]}))
    rows = flattened(graph)
    polygon = rows.polygon(1)
    assert polygon is not None
    np.testing.assert_allclose(polygon, [[10, 0], [10, 2], [8, 2]], atol=1e-12)
    assert rows.polygon(0) is None


def test_slightly_long_rotations_are_normalised() -> None:
    graph = SceneGraph()
    graph.add(Node("cup", "cup", Pose(rotation=(1.0002, 0.0, 0.0, 0.0))))
    assert np.linalg.norm(flattened(graph).rotation[1]) == pytest.approx(1.0, abs=1e-12)
