from dataclasses import fields

import pytest
import torch
from tests.unit.world.scenes import compiled, field, house, rectangle, yard

from ecumene_world import GraphError, Node, Pose, SceneGraph, compile_layout


def test_the_same_graph_compiles_to_the_same_tensors() -> None:
    first, second = compiled(house()), compiled(house())
    assert first.hash == second.hash
    for name, tensor in first.tensors().items():
        assert torch.equal(tensor, second.tensors()[name]), name


def test_the_hash_names_graph_and_grid() -> None:
    layout = compiled(yard())
    assert layout.graph_hash == yard().hash()
    assert compile_layout(yard(), cell_m=0.5).hash != layout.hash
    graph = yard()
    graph.move("bench", Pose.at(-4, 0.1))
    assert compiled(graph).hash != layout.hash


def test_rows_are_found_by_name() -> None:
    layout = compiled(house())
    assert [layout.names[layout.row[name]] for name in ("bed", "world")] == ["bed", "world"]
    bed = layout.row["bed"]
    assert layout.names[int(layout.parent[bed])] == "house"
    assert layout.world_position[bed].tolist() == pytest.approx(house().world_pose("bed").position, abs=1e-5)


def test_the_spacing_is_chosen_by_extent() -> None:
    assert compiled(field(40)).cell_m == 0.25
    assert compiled(field(60)).cell_m == 0.5
    for half_m, cell_m in ((60, 0.25), (170, 0.25), (250, 0.3)):
        graph = field(half_m)
        graph.add(Node("door", "door"))
        assert compiled(graph).cell_m == cell_m
    assert compile_layout(field(60), cell_m=1.0).cell_m == 1.0
    assert compile_layout(field(60), cell_m=1.0).asked_cell_m == 1.0


def test_the_grid_covers_all_surfaces_with_a_margin() -> None:
    layout = compiled(field(10))
    x0, y0, x1, y1 = layout.bounds
    assert x0 < -10 and y0 < -10 and x1 > 10 and y1 > 10  # noqa: PT018
    assert (layout.clearance[0, 0] < 0).all()
    assert (layout.clearance[0, :, -1] < 0).all()


def test_every_field_of_the_grid_has_its_shape() -> None:
    layout = compiled(house())
    for name in (
        "floor",
        "clearance",
        "top",
        "near_category",
        "tall_clearance",
        "tall_top",
        "tall_category",
        "surface",
        "next_level",
        "door_of_cell",
    ):
        assert getattr(layout, name).shape == layout.floor.shape, name
    assert layout.levels == 2


def test_a_layout_moves_to_a_device_whole() -> None:
    layout = compiled(yard()).to("meta")
    assert {tensor.device.type for tensor in layout.tensors().values()} == {"meta"}
    assert layout.device.type == "meta"
    assert layout.names == compiled(yard()).names


def test_tensors_are_all_fields_that_are_tensors() -> None:
    layout = compiled(yard())
    others = {f.name for f in fields(layout)} - layout.tensors().keys()
    assert not any(isinstance(getattr(layout, name), torch.Tensor) for name in others)


def test_everything_is_finite() -> None:
    for graph in (yard(), house()):
        for name, tensor in compiled(graph).tensors().items():
            assert torch.isfinite(tensor).all(), name


@pytest.mark.parametrize("cell_m", [0.0, -1.0, 0.01, 10.0, float("nan")])
def test_a_senseless_spacing_is_refused(cell_m: float) -> None:
    with pytest.raises(GraphError, match="cell_m is"):
        compile_layout(yard(), cell_m=cell_m)


def test_a_world_too_wide_for_its_grid_is_refused() -> None:
    with pytest.raises(GraphError, match="ask for a larger cell_m"):
        compile_layout(field(50_000))


def test_a_graph_without_ground_is_refused() -> None:
    graph = SceneGraph("void")
    graph.add(Node("cup", "cup"))
    with pytest.raises(GraphError, match="graph 'void' has nothing to walk on"):
        compiled(graph)


def test_an_invalid_graph_is_refused() -> None:
    graph = field()
    graph.add(Node("lawn", "lawn", attributes={"polygon": [[0, 0], [1, 1]]}))
    with pytest.raises(GraphError, match="'lawn'"):
        compiled(graph)


def test_a_bad_parameter_names_its_node() -> None:
    graph = field()
    graph.add(Node("seat", "bench", params={"width_m": 99.0}))
    with pytest.raises(GraphError, match=r"node 'seat': width_m of 'bench' is 99\.0"):
        compiled(graph)


def test_surfaces_may_be_given_by_size() -> None:
    graph = SceneGraph()
    graph.add(Node("floor", "floor", attributes={"size": [6.0, 4.0, 0.1]}))
    graph.add(Node("hall", "floor", Pose.at(5, 0), attributes={"polygon": rectangle(-2, -2, 2, 2)}))
    assert compiled(graph).bounds[0] == pytest.approx(-3.25)
