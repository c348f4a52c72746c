"""Clearance behaves like a distance in any clutter."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.world.scenes import field

from ecumene_world import GraphError, Node, Pose, SceneGraph, compile_layout
from ecumene_world.compiler.places import BODY_M
from ecumene_world.grid import components

KINDS = ["bench", "rock", "broadleaf_tree", "table", "car", "rug", "chair", "bin"]
spot = st.floats(-5, 5)


@st.composite
def clutter(draw: st.DrawFn) -> SceneGraph:
    graph = field(6.0)
    for index in range(draw(st.integers(0, 12))):
        pose = Pose.at(draw(spot), draw(spot), yaw=draw(st.floats(-3, 3)))
        if draw(st.booleans()):
            graph.add(Node(f"n{index}", draw(st.sampled_from(KINDS)), pose, seed=draw(st.integers(0, 5))))
        else:
            size = [draw(st.floats(0.1, 6)), draw(st.floats(0.1, 3)), draw(st.floats(0.3, 3))]
            graph.add(Node(f"n{index}", "wall", pose, attributes={"size": [*size]}))
    return graph


@given(clutter(), st.sampled_from([0.25, 0.5]))
@settings(max_examples=20, deadline=None)
def test_clearance_is_a_distance_whatever_stands_around(graph: SceneGraph, cell_m: float) -> None:
    try:
        layout = compile_layout(graph, cell_m=cell_m)
    except GraphError:
        return
    clearance = layout.clearance[0].numpy()
    for axis in (0, 1):
        assert np.abs(np.diff(clearance, axis=axis)).max() <= 1.9 * cell_m, "it changes no faster than one walks"
    walkable = layout.surface[0].numpy() > 0
    assert (clearance[~walkable] <= 0).all()
    inside = clearance > 0.75 * cell_m
    assert (layout.tall_clearance[0].numpy()[inside] >= clearance[inside] - 0.75 * cell_m).all()


@given(clutter())
@settings(max_examples=12, deadline=None)
def test_tables_only_name_points_that_can_be_reached(graph: SceneGraph) -> None:
    try:
        layout = compile_layout(graph)
    except GraphError:
        return
    reachable = torch.from_numpy(components(layout.clearance.numpy(), layout.next_level.numpy(), BODY_M) == 1)
    for points in (layout.spawn_position, layout.seat_approach, layout.place_position):
        index = ((points[:, :2] - torch.tensor(layout.origin)) / layout.cell_m).round().long()
        assert reachable[0, index[:, 1], index[:, 0]].all()
    assert len(layout.spawn_level) >= 1
    assert (layout.thing_seat[layout.seat_thing] == torch.arange(len(layout.seat_thing))[:, None]).any(1).all()
