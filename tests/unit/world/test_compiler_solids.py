from math import pi

import pytest
from tests.unit.world.scenes import at, compiled, field, house, rectangle

from ecumene_world import Node, Pose, SceneGraph
from ecumene_world.plain import JSON


def walled(attributes: dict[str, JSON] | None = None, yaw: float = 0.0, door: Pose | None = None) -> SceneGraph:
    """Returns a wall of 8 m through the origin, with a door if a pose is given."""
    graph = field()
    size: dict[str, JSON] = {"size": [8.0, 0.2, 5.6]}
    graph.add(Node("wall", "wall", Pose.at(0, 0, yaw=yaw), attributes=size | (attributes or {})))
    if door is not None:
        graph.add(Node("door", "door", door))
    return graph


def test_a_wall_without_a_door_blocks() -> None:
    layout = compiled(walled())
    assert all(at(layout, "clearance", x, 0) <= 0 for x in (-3.0, 0.0, 3.0))


@pytest.mark.parametrize("yaw", [0.0, 0.7])
def test_a_door_parts_the_wall_that_it_stands_in(yaw: float) -> None:
    turn = Pose.at(0, 0, yaw=yaw)
    layout = compiled(walled(yaw=yaw, door=turn.compose(Pose.at(1, 0, yaw=pi / 2))))
    for x, free in ((1.0, True), (-1.0, False), (3.0, False)):
        px, py, _ = turn.apply((x, 0, 0))
        assert (at(layout, "clearance", px, py) > 0.3) == free


def test_a_door_at_an_angle_or_aside_parts_nothing() -> None:
    for pose in (Pose.at(1, 0), Pose.at(1, 0.8, yaw=pi / 2)):
        layout = compiled(walled(door=pose))
        assert at(layout, "clearance", 1.0, 0) <= 0


def test_several_doors_part_one_wall() -> None:
    graph = walled()
    for x in (-2.5, 0.0, 2.5):
        graph.add(Node(f"door {x}", "door", Pose.at(x, 0, yaw=pi / 2)))
    layout = compiled(graph)
    assert [at(layout, "clearance", x, 0) > 0.3 for x in (-2.5, -1.25, 0.0, 1.25, 2.5)] == [
        True,
        False,
        True,
        False,
        True,
    ]


def test_openings_are_walked_through_if_they_reach_from_floor_to_head() -> None:
    openings: JSON = [[1.0, 1.2, 0.0, 2.1], [4.0, 1.2, 0.9, 2.1], [6.0, 1.2, 0.0, 1.2]]
    layout = compiled(walled({"openings": openings}))
    assert [at(layout, "clearance", x, 0) > 0.3 for x in (-2.4, 0.6, 2.6)] == [True, False, False]


def test_walls_stand_on_every_storey_they_reach_also_above_doors() -> None:
    layout = compiled(house())
    inside = Pose.at(0, 1, yaw=0.3)
    door = inside.apply((-2, -4, 0))
    assert at(layout, "clearance", door[0], door[1], 0) > 0.3
    assert at(layout, "tall_clearance", door[0], door[1], 1) < 0.2
    window = inside.apply((5.9, 0, 0))
    for level in (0, 1):
        assert at(layout, "clearance", window[0], window[1], level) < 0.2


def test_furniture_stands_on_its_own_storey_only() -> None:
    layout = compiled(house())
    x, y, _ = Pose.at(0, 1, yaw=0.3).apply((4, 2.5, 0))
    assert at(layout, "clearance", x, y, 1) < 0
    assert at(layout, "clearance", x, y, 0) > 0.5


def test_a_size_makes_a_box_of_what_has_no_asset() -> None:
    graph = field()
    graph.add(Node("crate", "cluster", Pose.at(0, 0), attributes={"size": [4.0, 2.0, 1.0]}))
    layout = compiled(graph)
    assert at(layout, "clearance", 3, 0) == pytest.approx(1, abs=0.05)
    assert at(layout, "clearance", 0, 3) == pytest.approx(2, abs=0.05)


def test_any_kind_may_have_a_polygon_of_its_own() -> None:
    graph = field()
    graph.add(Node("maze", "hedge", attributes={"polygon": rectangle(-4, -0.5, 4, 0.5), "height_m": 1.8}))
    layout = compiled(graph)
    assert at(layout, "clearance", 3.5, 2) == pytest.approx(1.5, abs=0.1)
    assert at(layout, "top", 0, 2) == pytest.approx(1.8)
