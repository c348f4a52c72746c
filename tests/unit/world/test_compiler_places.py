from math import hypot, pi

import pytest
import torch
from tests.unit.world.scenes import at, compiled, field, house, rectangle, yard

from ecumene_world import Layout, Node, Pose, SceneGraph
from ecumene_world.compiler.places import BODY_M
from ecumene_world.errors import GraphError
from ecumene_world.grid import components


def reachable(layout: Layout) -> torch.Tensor:
    parts = components(layout.clearance.numpy(), layout.next_level.numpy(), BODY_M)
    return torch.from_numpy(parts == 1)


def test_places_are_known_by_name_and_role() -> None:
    layout = compiled(yard())
    assert set(layout.place_index) == {"arrivals", "market"}
    market = layout.place_index["market"]
    assert layout.place_role[market] == "square"
    assert layout.place_radius[market] == 2.0
    assert layout.place_position[market].tolist() == pytest.approx([5, 0, 0], abs=0.2)


def test_a_solid_building_with_a_role_is_gone_to_at_its_entrance() -> None:
    graph = field()
    attributes = {"polygon": rectangle(-2, -2, 2, 2), "role": "shop", "entrances": [[2.0, 0.5, 0.0]]}
    graph.add(Node("shop", "building", Pose.at(0, 3, yaw=pi / 2), attributes=attributes))  # type: ignore[arg-type]
    layout = compiled(graph)
    x, y, _ = layout.place_position[0].tolist()
    assert hypot(x + 0.5, y - 5.0) < 0.8
    assert at(layout, "clearance", x, y) >= 0.3


def test_a_place_behind_walls_is_left_out_and_named() -> None:
    graph = field(20)
    graph.add(Node("vault", "building", attributes={"polygon": rectangle(-15, -15, 15, 15)}))
    graph.add(Node("treasure", "place", attributes={"role": "museum", "radius_m": 1.0}))
    layout = compiled(graph)
    assert layout.place_role == ()
    assert layout.unreachable == ("treasure",)


def test_places_upstairs_count_as_reachable_through_stairs() -> None:
    layout = compiled(house())
    study = layout.place_index["study"]
    assert layout.place_level[study] == 1
    assert layout.place_position[study, 2] == pytest.approx(2.9)


@pytest.mark.parametrize("turn", range(12))
def test_the_study_is_reached_however_the_house_stands(turn: int) -> None:
    graph = house()
    graph.move("house", Pose.at(0.09 * turn, 0.07 * turn, yaw=turn * pi / 24))
    assert compiled(graph).unreachable == ()


def test_without_stairs_the_study_is_out_of_reach() -> None:
    graph = house()
    graph.remove("stairs")
    layout = compiled(graph)
    assert "study" in layout.unreachable
    assert "bed" in layout.unreachable


def test_spawn_points_lie_in_the_spawn_place() -> None:
    layout = compiled(yard())
    assert 9 <= len(layout.spawn_level) <= 49
    assert ((layout.spawn_position[:, :2] + 5).abs() <= 3.01).all()


def test_spawn_points_can_leave() -> None:
    for graph in (yard(), house(), field()):
        layout = compiled(graph)
        index = ((layout.spawn_position[:, :2] - torch.tensor(layout.origin)) / layout.cell_m).round().long()
        assert reachable(layout)[layout.spawn_level, index[:, 1], index[:, 0]].all()


def test_a_spawn_place_may_be_a_disc_or_a_point_and_gives_its_yaw() -> None:
    for attributes in ({"role": "spawn", "radius_m": 2.0}, {"role": "spawn"}):
        graph = field()
        graph.add(Node("door step", "place", Pose.at(3, 4, yaw=1.0), attributes=attributes))  # type: ignore[arg-type]
        layout = compiled(graph)
        assert ((layout.spawn_position[:, :2] - torch.tensor([3.0, 4.0])).norm(dim=1) <= 2.01).all()
        assert layout.spawn_yaw.tolist() == pytest.approx([1.0] * len(layout.spawn_yaw))
        assert (len(layout.spawn_yaw) > 4) == ("radius_m" in attributes)


def test_without_a_spawn_place_one_may_appear_anywhere() -> None:
    layout = compiled(field())
    assert len(layout.spawn_level) > 200
    assert float(layout.spawn_position[:, 0].max() - layout.spawn_position[:, 0].min()) > 15


def test_the_order_of_spawn_points_is_drawn_from_the_seed() -> None:
    first, again = compiled(field()), compiled(field())
    assert torch.equal(first.spawn_position, again.spawn_position)
    other = field()
    other.seed = 7
    assert not torch.equal(first.spawn_position, compiled(other).spawn_position)


def test_one_does_not_appear_in_a_walled_off_corner() -> None:
    graph = field()
    graph.add(Node("wall", "wall", Pose.at(6, 0, yaw=pi / 2), attributes={"size": [20.0, 0.2, 2.0]}))
    layout = compiled(graph)
    assert (layout.spawn_position[:, 0] < 6).all()


def test_a_blocked_spawn_place_is_an_error_that_names_it() -> None:
    graph = field(20)
    graph.add(Node("vault", "building", attributes={"polygon": rectangle(-15, -15, 15, 15)}))
    graph.add(Node("cell", "place", attributes={"role": "spawn"}))
    with pytest.raises(GraphError, match="nobody can stand at, or leave, the spawn places 'cell'"):
        compiled(graph)


def test_a_world_without_room_is_an_error() -> None:
    graph = SceneGraph()
    graph.add(Node("ledge", "floor", attributes={"polygon": rectangle(0, 0, 0.4, 0.4)}))
    with pytest.raises(GraphError, match="nowhere to stand"):
        compiled(graph)
