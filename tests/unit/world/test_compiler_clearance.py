from dataclasses import replace
from math import cos, pi, sin

import numpy as np
import pytest
import torch
from shapely.affinity import rotate, translate
from shapely.geometry import Point, Polygon, box
from tests.unit.world.scenes import at, compiled, field, hill, rectangle

from ecumene_world import Node, Pose, SceneGraph
from ecumene_world.compiler import clearance
from ecumene_world.grid import sample
from ecumene_world.kinds import Category
from ecumene_world.plain import JSON


def with_node(node: Node, half_m: float = 10.0) -> SceneGraph:
    graph = field(half_m)
    graph.add(node)
    return graph


def wall(x: float, y: float, yaw: float, length: float, thickness: float = 0.15, height: float = 2.6) -> Node:
    return Node("wall", "wall", Pose.at(x, y, yaw=yaw), attributes={"size": [length, thickness, height]})


@pytest.mark.parametrize("yaw", [0.0, 0.4, pi / 4, 1.3])
def test_clearance_is_the_distance_to_a_turned_building(yaw: float) -> None:
    corners = [(-3, -2), (3, -2), (3, 0.5), (0, 0.5), (0, 2), (-3, 2)]
    outline: JSON = [[x, y] for x, y in corners]
    graph = with_node(
        Node("b", "building", Pose.at(1.1, 0.3, yaw=yaw), attributes={"polygon": outline, "height_m": 5}), 20
    )
    layout = compiled(graph)
    shape = translate(rotate(Polygon(corners), yaw, origin=(0, 0), use_radians=True), 1.1, 0.3)
    _, height, width = layout.clearance.shape
    rng = np.random.default_rng(0)
    for iy, ix in zip(rng.integers(30, height - 30, 300), rng.integers(30, width - 30, 300), strict=True):
        point = Point(layout.origin[0] + layout.cell_m * ix, layout.origin[1] + layout.cell_m * iy)
        edge = 20 - max(abs(point.x), abs(point.y))
        distance = shape.distance(point) or -shape.exterior.distance(point)
        assert layout.clearance[0, iy, ix] == pytest.approx(min(distance, edge), abs=0.75 * layout.cell_m)


@pytest.mark.parametrize("yaw", [0.0, 0.3, pi / 4])
@pytest.mark.parametrize("offset", [0.0, 0.11, 0.125])
@pytest.mark.parametrize("cell_m", [0.25, 0.5])
def test_a_thin_wall_blocks_wherever_it_falls_between_nodes(yaw: float, offset: float, cell_m: float) -> None:
    from ecumene_world import compile_layout

    layout = compile_layout(with_node(wall(offset, offset, yaw, 30), 10), cell_m=cell_m)
    along = torch.linspace(-7, 7, 300)
    across = torch.linspace(-1, 1, 41)
    grid = torch.stack(torch.meshgrid(along, across, indexing="ij"), -1)
    turn = torch.tensor([[cos(yaw), sin(yaw)], [-sin(yaw), cos(yaw)]])
    xy = grid @ turn + offset
    values = sample(layout, layout.clearance, torch.zeros(300, 41, dtype=torch.int64), xy)
    assert (values.amin(1) < 0.2).all(), "no body of radius 0.25 gets through"
    assert (values[:, 0] > 0.75).all()


def test_near_things_are_known_by_category_and_top() -> None:
    graph = with_node(wall(0, 3, 0, 6))
    graph.add(Node("table", "table", Pose.at(0, -3), seed=1))
    layout = compiled(graph)
    assert at(layout, "near_category", 0, 2) == Category.WALL
    assert at(layout, "top", 0, 2) == pytest.approx(2.6)
    assert at(layout, "near_category", 0, -2) == Category.TABLE
    assert 0.3 < at(layout, "top", 0, -2) < 1.2


def test_only_tall_obstacles_are_in_the_tall_layer() -> None:
    graph = with_node(wall(0, 3, 0, 6))
    graph.add(Node("table", "table", Pose.at(0, -3), seed=1))
    layout = compiled(graph)
    assert at(layout, "tall_clearance", 0, -1) == pytest.approx(4 - 0.075, abs=0.02)
    assert at(layout, "tall_category", 0, -3) == Category.WALL
    assert at(layout, "tall_top", 0, -3) == pytest.approx(2.6)


def test_without_tall_obstacles_one_sees_far() -> None:
    layout = compiled(field())
    assert (layout.tall_clearance == 200).all()
    assert (layout.tall_category == Category.SKY).all()


def test_the_edge_of_the_world_is_no_obstacle_but_bounds_the_walk() -> None:
    layout = compiled(field())
    assert at(layout, "clearance", 8.5, 0) == pytest.approx(1.5, abs=0.15)
    assert at(layout, "near_category", 8.5, 0) == Category.SKY
    assert at(layout, "clearance", 10.2, 0) < 0


def test_ghosts_and_loose_things_do_not_block() -> None:
    graph = field()
    graph.add(Node("rug", "rug"))
    graph.add(Node("ball", "ball", Pose.at(2, 0)))
    graph.add(Node("box", "box", Pose.at(-2, 0)))
    assert torch.equal(compiled(graph).clearance, compiled(field()).clearance)


def test_what_hangs_high_is_walked_under_and_what_is_low_stepped_over() -> None:
    beam = Node("beam", "wall", Pose.at(0, 0, 2.2), attributes={"size": [4, 4, 0.5]})
    sill = Node("sill", "wall", Pose.at(0, 0), attributes={"size": [4, 4, 0.15]})
    for node in (beam, sill):
        assert torch.equal(compiled(with_node(node)).clearance, compiled(field()).clearance)
    table = Node("slab", "wall", Pose.at(0, 0, 1.0), attributes={"size": [4, 4, 0.1]})
    assert at(compiled(with_node(table)), "clearance", 0, 0) < 0


def test_a_cylinder_is_round() -> None:
    layout = compiled(with_node(Node("f", "fountain", params={"radius_m": 2.0})))
    reach = [at(layout, "clearance", 4 * cos(a), 4 * sin(a)) for a in np.linspace(0, pi, 9)]
    assert max(reach) - min(reach) < 0.08
    assert at(layout, "clearance", 0, 0) < -1.5


def test_obstacles_grow_with_their_scale() -> None:
    small, large = (Node("r", "rock", Pose(scale=scale), seed=1) for scale in (1.0, 3.0))
    assert at(compiled(with_node(large)), "clearance", 3, 0) < at(compiled(with_node(small)), "clearance", 3, 0) - 0.5


def test_a_stage_blocks_at_its_edge_and_is_free_on_top() -> None:
    stage = Node("stage", "floor", Pose.at(0, 0, 0.8), attributes={"polygon": rectangle(-3, -3, 3, 3)})
    layout = compiled(with_node(stage))
    assert at(layout, "clearance", 3.05, 0) < 0.15
    assert at(layout, "clearance", 0, 0) > 2.5
    assert at(layout, "clearance", 6, 0) > 2.5
    assert at(layout, "top", 4, 0) == pytest.approx(0.8)


def test_a_kerb_is_stepped_over() -> None:
    kerb = Node("kerb", "square", Pose.at(0, 0, 0.15), attributes={"polygon": rectangle(-3, -3, 3, 3)})
    assert torch.equal(compiled(with_node(kerb)).clearance, compiled(field()).clearance)


def test_gentle_slopes_are_walked_and_cliffs_are_not() -> None:
    assert at(compiled(hill(0.3)), "clearance", 10, 10) > 5
    graph = hill(0.3)
    graph.arrays["heights"][:, 11:] += 4  # type: ignore[misc]
    cliff = compiled(graph)
    assert at(cliff, "clearance", 10.5, 10) < 0
    assert at(cliff, "clearance", 5, 10) == pytest.approx(5, abs=0.2)
    assert at(cliff, "near_category", 9, 10) == Category.WALL


def test_where_solids_overlap_the_taller_one_counts() -> None:
    graph = with_node(Node("table", "table", seed=1, params={"shape": "square"}))
    graph.add(wall(0, 0, 0, 0.4, 0.4))
    layout = compiled(graph)
    assert at(layout, "top", 0, 0) == pytest.approx(2.6)
    assert at(layout, "near_category", 0, 0) == Category.WALL


def test_a_hollow_building_is_open_and_a_solid_one_is_not() -> None:
    outline = rectangle(-2, -2, 2, 2)
    hollow = Node("b", "building", attributes={"polygon": outline, "interior": True})
    solid = Node("b", "building", attributes={"polygon": outline})
    assert at(compiled(with_node(hollow)), "clearance", 0, 0) > 2
    assert at(compiled(with_node(solid)), "clearance", 0, 0) < -1.5


def test_an_imported_mesh_blocks_where_it_stands_between_step_and_head() -> None:
    graph = field()
    shell = np.array(
        [[-2, 0, 0], [2, 0, 0], [2, 0, 3], [-2, 0, 3], [-5, -5, 0], [5, -5, 0], [5, 5, 0], [-5, 5, 0]], np.float32
    )
    graph.arrays["scan/vertices"] = shell
    graph.arrays["scan/faces"] = np.array([[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 7]], np.int32)
    graph.arrays["scan/colours"] = np.zeros((4, 3), np.uint8)
    graph.add(Node("scan", "mesh", Pose.at(0, 1), attributes={"mesh": "scan"}))
    layout = compiled(graph)
    assert at(layout, "clearance", 1.2, 1) <= 0.1
    assert at(layout, "clearance", 0, -1) == pytest.approx(2, abs=0.2)
    assert at(layout, "tall_clearance", 0, -1) == pytest.approx(2, abs=0.2)
    assert at(layout, "near_category", 0, 0) == Category.BUILDING


def test_distances_agree_with_a_box_oracle_for_many_props() -> None:
    rng = np.random.default_rng(3)
    graph, shapes = field(15.0), []
    for index in range(25):
        x, y, yaw, w, d = rng.uniform([-12, -12, -3, 0.3, 0.3], [12, 12, 3, 2, 2]).tolist()
        graph.add(Node(f"wall {index}", "wall", Pose.at(x, y, yaw=yaw), attributes={"size": [w, d, 1.0]}))
        shapes.append(translate(rotate(box(-w / 2, -d / 2, w / 2, d / 2), yaw, origin=(0, 0), use_radians=True), x, y))
    layout = compiled(graph)
    for x, y in rng.uniform(-12, 12, (400, 2)):
        ix, iy = round((x - layout.origin[0]) / 0.25), round((y - layout.origin[1]) / 0.25)
        point = Point(layout.origin[0] + 0.25 * ix, layout.origin[1] + 0.25 * iy)
        edge = 15 - max(abs(point.x), abs(point.y))
        nearest = min(edge, *(shape.distance(point) for shape in shapes))
        value = float(layout.clearance[0, iy, ix])
        assert value == pytest.approx(nearest, abs=0.1) if nearest > 0 else value <= 0


@pytest.mark.parametrize("walled", [True, False])
def test_a_small_storey_is_worked_out_by_itself_and_alike(walled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gallery above a wide field: where one walks, its fields are those that the whole storey's would be."""
    graph = field(60)
    loft: dict[str, JSON] = {"polygon": rectangle(-4, -4, 4, 4), "level": 1}
    graph.add(Node("loft", "floor", Pose.at(20, 9, 3.0), attributes=loft))
    if walled:
        graph.add(wall(20, 9, 0.3, 5, height=6.0))
    graph.add(replace(wall(20, -40, 0.0, 5, height=6.0), name="far wall"))
    quick = compiled(graph)
    monkeypatch.setattr(clearance, "_MUCH", 0.0)
    whole = compiled(graph)
    walked = whole.surface[1] > 0
    for name in ("clearance", "top", "near_category", "tall_clearance", "tall_top", "tall_category"):
        assert torch.equal(getattr(quick, name)[1][walked], getattr(whole, name)[1][walked]), name
    assert torch.equal(quick.tall_clearance[1], whole.tall_clearance[1]) != walled
    assert (quick.clearance[1][~walked] <= 0).all()
