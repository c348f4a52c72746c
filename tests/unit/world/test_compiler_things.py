from math import hypot, pi

import pytest
import torch
from tests.unit.world.scenes import at, compiled, field, house, rectangle, yard

from ecumene_world import Layout, Node, Pose
from ecumene_world.compiler.things import COARSE_M
from ecumene_world.kinds import BY_NAME, Interaction


@pytest.fixture(scope="module")
def layout() -> Layout:
    return compiled(yard())


def test_things_are_the_nodes_that_can_be_used(layout: Layout) -> None:
    assert set(layout.thing_index) == {"bench", "bell", "ball"}
    for name, index in layout.thing_index.items():
        assert layout.thing_name(index) == name
    assert layout.thing_interaction[layout.thing_index["bench"]] == Interaction.SIT
    assert layout.thing_kind[layout.thing_index["bell"]] == BY_NAME["bell_post"].code
    assert layout.thing_position[layout.thing_index["ball"]].tolist() == [0, 3, 0]


def test_things_take_their_first_state_from_the_graph() -> None:
    graph = field()
    graph.add(Node("open", "door", attributes={"state": 1}))
    graph.add(Node("closed", "door", Pose.at(3, 0)))
    layout = compiled(graph)
    assert layout.thing_state0.tolist() == [1, 0]


def test_a_scene_without_things_has_empty_tables() -> None:
    layout = compiled(field())
    assert layout.thing_row.shape == (0,)
    assert layout.thing_seat.shape == (0, 4)
    assert (layout.thing_of_cell == -1).all()
    assert layout.door_segment.shape == (0, 2, 2)


def test_coarse_cells_list_near_things_nearest_first() -> None:
    graph = field()
    for index in range(12):
        graph.add(Node(f"cup {index}", "cup", Pose.at(0.3 * index, 1)))
    layout = compiled(graph)
    ix, iy = (int((coordinate - start) / COARSE_M) for coordinate, start in zip((0.5, 1.0), layout.origin, strict=True))
    listed = layout.thing_of_cell[0, iy, ix]
    assert (listed >= 0).all()
    middle = torch.tensor([layout.origin[0] + COARSE_M * (ix + 0.5), layout.origin[1] + COARSE_M * (iy + 0.5)])
    distance = (layout.thing_position[listed.long(), :2] - middle).norm(dim=1)
    assert (distance.diff() >= 0).all()
    assert (layout.thing_of_cell[0, 0, 0] == -1).all()


def test_a_bench_has_seats_that_face_its_way_and_can_be_reached(layout: Layout) -> None:
    bench = layout.thing_index["bench"]
    seats = layout.thing_seat[bench]
    seats = seats[seats >= 0]
    assert len(seats) >= 2
    for seat in seats.tolist():
        assert layout.seat_thing[seat] == bench
        assert layout.seat_yaw[seat] == pytest.approx(0.0, abs=1e-6)
        x, y, _ = layout.seat_approach[seat].tolist()
        assert x > -4, "one comes from the front"
        assert hypot(x - float(layout.seat_position[seat, 0]), y - float(layout.seat_position[seat, 1])) < 2
        assert at(layout, "clearance", x, y) >= 0.3


def test_a_turned_and_scaled_chair_turns_and_scales_its_seat() -> None:
    graph = field()
    graph.add(Node("chair", "chair", Pose((1.0, 2.0, 0.0), Pose.at(0, 0, yaw=pi / 2).rotation, 2.0)))
    plain = field()
    plain.add(Node("chair", "chair"))
    seat, turned = compiled(plain), compiled(graph)
    x, y, z = seat.seat_position[0].tolist()
    assert turned.seat_position[0].tolist() == pytest.approx([1 - 2 * y, 2 + 2 * x, 2 * z], abs=1e-5)
    assert turned.seat_yaw[0] == pytest.approx(float(seat.seat_yaw[0]) + pi / 2)


def test_a_seat_behind_walls_is_left_out_and_named() -> None:
    graph = field()
    graph.add(Node("cage", "wall", attributes={"size": [6.0, 6.0, 2.5]}))
    graph.add(Node("throne", "chair"))
    layout = compiled(graph)
    assert layout.seat_thing.shape == (0,)
    assert layout.unreachable == ("throne",)
    assert "throne" in layout.thing_index


def test_beds_are_lain_on_upstairs() -> None:
    layout = compiled(house())
    bed = layout.thing_index["bed"]
    assert layout.thing_interaction[bed] == Interaction.LIE
    assert layout.thing_level[bed] == 1
    assert (layout.thing_seat[bed] >= 0).any()
    assert layout.seat_approach[0, 2] == pytest.approx(2.9)


def test_a_door_is_a_segment_as_wide_as_its_leaf() -> None:
    layout = compiled(house())
    door = int(layout.thing_door[layout.thing_index["front door"]])
    a, b = layout.door_segment[door]
    assert float((b - a).norm()) == pytest.approx(0.9, abs=0.05)
    middle = Pose.at(0, 1, yaw=0.3).apply((-2, -4, 0))
    assert ((a + b) / 2).tolist() == pytest.approx(middle[:2], abs=1e-5)
    assert layout.thing_name(int(layout.door_thing[door])) == "front door"


def test_cells_know_the_nearest_door() -> None:
    graph = field()
    graph.add(Node("left", "door", Pose.at(-1, 0), attributes={"width_m": 1.0}))
    graph.add(Node("right", "door", Pose.at(1, 0)))
    layout = compiled(graph)
    names = {x: int(at(layout, "door_of_cell", x, 0)) for x in (-3.0, -2.0, -0.5, 0.5, 2.0, 3.0)}
    left, right = (int(layout.thing_door[layout.thing_index[name]]) for name in ("left", "right"))
    assert names == {-3.0: -1, -2.0: left, -0.5: left, 0.5: right, 2.0: right, 3.0: -1}
    assert at(layout, "door_of_cell", -1, 1.6) == left
    assert at(layout, "door_of_cell", -1, 2.0) == -1


def test_doors_of_one_storey_are_not_felt_on_another() -> None:
    graph = field()
    graph.add(Node("deck", "floor", Pose.at(0, 0, 3), attributes={"polygon": rectangle(-5, -5, 5, 5), "level": 1}))
    graph.add(Node("door", "door", Pose.at(0, 0, 3), attributes={"level": 1}))
    layout = compiled(graph)
    assert at(layout, "door_of_cell", 0, 0, 0) == -1
    assert at(layout, "door_of_cell", 0, 0, 1) == 0
