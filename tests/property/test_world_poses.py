"""Compiled poses are those that a walk over the graph composes."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ecumene_world import Node, Pose, SceneGraph
from ecumene_world.compiler.rows import flattened

finite = st.floats(-100, 100, allow_nan=False)


@st.composite
def poses(draw: st.DrawFn) -> Pose:
    quaternion = np.array(draw(st.tuples(*[st.floats(-1, 1)] * 4)))
    length = float(np.linalg.norm(quaternion))
    w, x, y, z = (quaternion / length).tolist() if length > 0.1 else (1.0, 0.0, 0.0, 0.0)
    return Pose(draw(st.tuples(finite, finite, finite)), (w, x, y, z), draw(st.floats(0.1, 3)))


@st.composite
def trees(draw: st.DrawFn) -> SceneGraph:
    graph, names = SceneGraph(), ["world"]
    for index, pose in enumerate(draw(st.lists(poses(), max_size=20))):
        graph.add(Node(f"n{index}", "rug", pose), draw(st.sampled_from(names)))
        names.append(f"n{index}")
    return graph


@given(trees())
def test_compiled_poses_are_the_walks(graph: SceneGraph) -> None:
    rows = flattened(graph)
    for row, node in enumerate(rows.nodes):
        oracle = graph.world_pose(node.name)
        scale = max(1.0, np.abs(oracle.position).max())
        np.testing.assert_allclose(rows.position[row], oracle.position, atol=1e-9 * scale)
        np.testing.assert_allclose(rows.rotation[row], oracle.rotation, atol=1e-9)
        np.testing.assert_allclose(rows.scale[row], oracle.scale, rtol=1e-9)


@given(trees())
@settings(max_examples=50)
def test_every_row_stands_after_its_parent_in_the_next_depth(graph: SceneGraph) -> None:
    rows = flattened(graph)
    depth = np.searchsorted(rows.depth_start, np.arange(len(rows.nodes)), side="right") - 1
    assert depth[0] == 0
    assert (depth[1:] == depth[rows.parent[1:]] + 1).all()
    for row, node in enumerate(rows.nodes[1:], start=1):
        assert rows.nodes[rows.parent[row]].name == graph.parent(node.name)


@given(poses(), poses(), poses())
def test_poses_form_a_group(a: Pose, b: Pose, c: Pose) -> None:
    def close(left: Pose, right: Pose) -> None:
        scale = max(1.0, np.abs(left.matrix()).max())
        np.testing.assert_allclose(left.matrix(), right.matrix(), atol=1e-9 * scale)

    close(a.compose(b).compose(c), a.compose(b.compose(c)))
    close(a.compose(a.inverse()).compose(b), b)
    close(a.inverse().inverse(), a)
