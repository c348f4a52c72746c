import numpy as np
import pytest
from tests.unit.world.scenes import at, compiled, field, hill, house, rectangle

from ecumene_world import Node, Pose, SceneGraph
from ecumene_world.grid import Surface
from ecumene_world.plain import JSON


def staircase(rise: float = 2.8, landing: bool = True) -> SceneGraph:
    """Returns stairs from (0, 0) along +x to a floor one storey up that begins where they end, at x = 5."""
    graph = field()
    graph.add(Node("stairs", "stairs", Pose.at(0, 0), attributes={"size": [5.0, 2.0, rise]}))
    if landing:
        above: dict[str, JSON] = {"polygon": rectangle(5, -4, 9, 4), "level": 1}
        graph.add(Node("landing", "floor", Pose.at(0, 0, 2.8), attributes=above))
    return graph


def test_special_surfaces_lie_over_general_ones_whatever_the_order() -> None:
    graph = SceneGraph()
    graph.add(Node("room", "floor", Pose.at(0, 0, 0.1), attributes={"polygon": rectangle(-1, -1, 1, 1)}))
    graph.add(Node("street", "street", attributes={"polygon": rectangle(-3, -3, 3, 3)}))
    graph.add(Node("ground", "ground", attributes={"polygon": rectangle(-5, -5, 5, 5)}))
    layout = compiled(graph)
    found = [at(layout, "surface", x, 0) for x in (0.0, 2.0, 4.0, 5.5)]
    assert found == [Surface.FLOOR, Surface.STREET, Surface.GROUND, Surface.NONE]
    assert at(layout, "floor", 0, 0) == pytest.approx(0.1)


def test_the_floor_goes_on_where_there_is_none() -> None:
    graph = SceneGraph()
    graph.add(Node("deck", "floor", Pose.at(0, 0, 3), attributes={"polygon": rectangle(-5, -5, 5, 5)}))
    assert (compiled(graph).floor == 3).all()


def test_stairs_rise_along_x() -> None:
    layout = compiled(staircase())
    heights = [at(layout, "floor", x, 0) for x in (0.5, 2.5, 4.5)]
    assert heights == pytest.approx([0.28, 1.4, 2.52], abs=1e-5)
    assert at(layout, "surface", 2.5, 0) == Surface.STAIRS


def test_stairs_lead_up_and_down_from_half_way() -> None:
    layout = compiled(staircase())
    for level in (0, 1):
        assert at(layout, "next_level", 1.0, 0, level) == 0
        assert at(layout, "next_level", 4.0, 0, level) == 1
        assert at(layout, "floor", 2.5, 0, level) == pytest.approx(1.4)
    assert at(layout, "next_level", -3, 0, 0) == 0
    assert at(layout, "next_level", 7, 0, 1) == 1


def test_a_walk_up_the_stairs_never_jumps_nor_bumps() -> None:
    layout = compiled(staircase())
    level, heights = 0, []
    for x in np.arange(-1.5, 7, 0.1):
        level = int(at(layout, "next_level", float(x), 0, level))
        assert at(layout, "clearance", float(x), 0, level) > 0.3
        heights.append(at(layout, "floor", float(x), 0, level))
    assert level == 1
    assert np.abs(np.diff(heights)).max() < 0.1
    assert heights[-1] == pytest.approx(2.8)


def test_one_cannot_walk_into_the_side_of_stairs_nor_off_their_head() -> None:
    layout = compiled(staircase())
    assert at(layout, "clearance", 4.0, 1.1) < 0.15
    assert at(layout, "clearance", 5.1, 0, 0) < 0.15
    assert at(layout, "clearance", 0.1, 0, 0) > 0.3


def test_stairs_that_meet_no_storey_join_none() -> None:
    for graph in (staircase(landing=False), staircase(rise=1.4)):
        layout = compiled(graph)
        own = np.arange(layout.levels)[:, None, None]
        assert (layout.next_level.numpy() == own).all()


def test_a_ramp_leads_onto_a_stage_of_the_same_storey() -> None:
    graph = field()
    graph.add(Node("ramp", "ramp", Pose.at(-4, 0), attributes={"size": [4.0, 2.0, 0.8]}))
    graph.add(Node("stage", "floor", Pose.at(0, 0, 0.8), attributes={"polygon": rectangle(0, -3, 4, 3)}))
    layout = compiled(graph)
    assert all(at(layout, "clearance", x, 0) > 0.3 for x in np.arange(-6, 3, 0.1).tolist())
    assert at(layout, "floor", -2, 0) == pytest.approx(0.4)


def test_terrain_is_interpolated() -> None:
    layout = compiled(hill(0.2))
    assert at(layout, "floor", 7.3, 4) == pytest.approx(1.46, abs=1e-5)


def test_streets_lie_on_the_terrain_and_floors_do_not() -> None:
    graph = hill(0.2)
    graph.add(Node("street", "street", Pose.at(10, 10), attributes={"polygon": rectangle(-3, -3, 3, 3)}))
    graph.add(Node("hut", "floor", Pose.at(10, 17, 2), attributes={"polygon": rectangle(-1, -1, 1, 1)}))
    layout = compiled(graph)
    assert at(layout, "surface", 10, 10) == Surface.STREET
    assert at(layout, "floor", 12, 10) == pytest.approx(2.4, abs=1e-5)
    assert at(layout, "floor", 10.7, 17) == pytest.approx(2.0)


def test_a_doorstep_bridges_the_gap_between_two_rooms() -> None:
    graph = SceneGraph()
    for name, x in (("left", -3.2), ("right", 3.2)):
        graph.add(Node(name, "floor", Pose.at(x, 0), attributes={"polygon": rectangle(-3, -3, 3, 3)}))
    assert at(compiled(graph), "clearance", 0, 0) < 0
    graph.add(Node("door", "door", Pose.at(0, 0)))
    assert at(compiled(graph), "clearance", 0, 0) > 0.3


def test_upper_storeys_are_walkable_only_on_their_own_floors() -> None:
    layout = compiled(house())
    assert layout.levels == 2
    assert at(layout, "surface", 0, 0, 1) == Surface.FLOOR
    assert at(layout, "surface", 10, 10, 1) == Surface.NONE
    assert at(layout, "clearance", 10, 10, 1) < 0


@pytest.mark.parametrize("yaw", [0.0, 0.3])
def test_one_crosses_the_seam_of_floors_whose_corners_were_rounded(yaw: float) -> None:
    graph = SceneGraph("rounded")
    for name, (left, right) in {"west": (-4.0, -0.0005), "east": (0.0005, 4.0)}.items():
        outline: dict[str, JSON] = {"polygon": rectangle(left, -3, right, 3)}
        graph.add(Node(name, "floor", Pose.at(0, 0, yaw=yaw), attributes=outline))
    layout = compiled(graph)
    way = [(step * np.cos(yaw), step * np.sin(yaw)) for step in np.linspace(-2, 2, 33)]
    assert min(at(layout, "clearance", x, y) for x, y in way) > 0.9


def test_nobody_steps_over_the_seam_of_a_ledge() -> None:
    graph = SceneGraph("ledge")
    for name, (left, right, z) in {"low": (-4.0, -0.0005, 0.0), "high": (0.0005, 4.0, 1.0)}.items():
        outline: dict[str, JSON] = {"polygon": rectangle(left, -3, right, 3)}
        graph.add(Node(name, "floor", Pose.at(0, 0, z), attributes=outline))
    assert at(compiled(graph), "clearance", 0, 0) < 0.2
