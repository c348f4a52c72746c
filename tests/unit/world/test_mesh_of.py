import numpy as np
import pytest
from tests.unit.world.scenes import hill, house, rectangle, yard

from ecumene_world import GraphError, Node, Pose, SceneGraph
from ecumene_world.assets import library
from ecumene_world.kinds import BY_NAME, Motion
from ecumene_world.mesh_of import asset_of, mesh_of
from ecumene_world.plain import JSON


def drawn(kind: str, attributes: dict[str, JSON] | None = None, **options: float) -> np.ndarray:
    mesh = mesh_of(SceneGraph(), Node("n", kind, params=options, attributes=attributes or {}))
    assert mesh is not None
    mesh.validate()
    return mesh.bounds


@pytest.mark.parametrize("kind", library.kinds())
def test_every_kind_of_the_library_is_drawn(kind: str) -> None:
    if kind in ("stairs", "ramp"):
        drawn(kind, {"size": [4.0, 1.5, 2.0]})
    else:
        low, high = drawn(kind)
        assert (high > low).all()


def test_whole_scenes_are_drawn() -> None:
    for graph in (yard(), house(), hill()):
        for node in graph.walk():
            mesh = mesh_of(graph, node)
            if mesh is not None:
                mesh.validate()


def test_a_building_stands_on_its_footprint_to_its_height() -> None:
    low, high = drawn("building", {"polygon": rectangle(-4, -3, 4, 3), "height_m": 9.0})
    assert high[2] == pytest.approx(9.0, abs=2.5)
    assert low[:2].tolist() == pytest.approx([-4, -3], abs=0.6)
    assert high[:2].tolist() == pytest.approx([4, 3], abs=0.6)


def test_ground_is_a_plate_whose_top_is_the_floor() -> None:
    low, high = drawn("square", {"polygon": rectangle(0, 0, 5, 4)})
    assert high.tolist() == pytest.approx([5, 4, 0])
    assert low[2] < 0


def test_styles_colour_the_ground() -> None:
    lawn, street = (
        mesh_of(SceneGraph(), Node("n", "street", attributes={"polygon": rectangle(0, 0, 1, 1), "style": style}))
        for style in ("lawn", "asphalt")
    )
    assert lawn is not None
    assert street is not None
    assert not np.array_equal(lawn.colours, street.colours)


def test_stairs_climb_from_their_origin_along_x() -> None:
    low, high = drawn("stairs", {"size": [5.0, 1.6, 2.8]})
    assert low[0] == pytest.approx(0, abs=0.1)
    assert high[0] == pytest.approx(5, abs=0.1)
    assert high[2] == pytest.approx(2.8, abs=0.1)
    assert high[1] - low[1] == pytest.approx(1.6, abs=0.1)


def test_a_wall_of_a_size_has_its_openings() -> None:
    holes: list[JSON] = [[1.0, 1.0, 0.0, 2.1]]
    whole, pierced = (
        mesh_of(SceneGraph(), Node("n", "wall", attributes={"size": [4.0, 0.2, 2.6], "openings": openings}))
        for openings in ([], holes)
    )
    assert whole is not None
    assert pierced is not None
    assert pierced.volume_m3 < whole.volume_m3 - 0.2
    np.testing.assert_allclose(whole.bounds, [[-2, -0.1, 0], [2, 0.1, 2.6]], atol=0.02)


def test_a_hedge_of_any_plan_is_as_high_as_it_says() -> None:
    _, high = drawn("hedge", {"polygon": rectangle(0, 0, 5, 1), "height_m": 1.5})
    assert high.tolist() == pytest.approx([5, 1, 1.5])


def test_an_unknown_style_of_building_is_left_to_the_builder() -> None:
    drawn("building", {"polygon": rectangle(-4, -3, 4, 3), "height_m": 9.0, "style": "baroque"})


def test_terrain_passes_through_its_heights() -> None:
    graph = hill(0.5)
    mesh = mesh_of(graph, graph.node("ground"))
    assert mesh is not None
    assert mesh.bounds.tolist() == [[0, 0, 0], [20, 20, 10]]
    assert (mesh.normals[:, 2] > 0).all()


def test_imported_meshes_come_from_arrays() -> None:
    graph = SceneGraph()
    graph.arrays |= {
        "m/vertices": np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32),
        "m/faces": np.array([[0, 1, 2]], np.int32),
        "m/colours": np.array([[1, 2, 3]], np.uint8),
    }
    mesh = mesh_of(graph, Node("n", "mesh", attributes={"mesh": "m"}))
    assert mesh is not None
    assert mesh.colours.tolist() == [[1, 2, 3]]


def test_groups_and_hidden_nodes_are_not_drawn() -> None:
    area: dict[str, JSON] = {"polygon": rectangle(0, 0, 1, 1)}
    for node in (
        Node("n", "place"),
        Node("n", "place", attributes=area),
        Node("n", "world"),
        Node("n", "bench", attributes={"drawn": False}),
    ):
        assert mesh_of(SceneGraph(), node) is None


def test_a_bad_parameter_or_footprint_names_the_node() -> None:
    with pytest.raises(GraphError, match="node 'n': width_m"):
        asset_of(Node("n", "bench", params={"width_m": 99.0}))
    sliver: dict[str, JSON] = {"polygon": [[0, 0], [9, 0], [9, 0.001]], "height_m": 5}
    with pytest.raises(GraphError, match="node 'n': a footprint"):
        mesh_of(SceneGraph(), Node("n", "building", attributes=sliver))


def test_nodes_with_a_shape_of_their_own_have_no_asset() -> None:
    assert asset_of(Node("n", "building", attributes={"polygon": rectangle(0, 0, 1, 1)})) is None
    assert asset_of(Node("n", "place", Pose())) is None
    assert asset_of(Node("n", "bench")) is library.build("bench", 0)


def test_every_solid_kind_has_a_look() -> None:
    missing = {
        name
        for name, kind in BY_NAME.items()
        if kind.motion in (Motion.OBSTACLE, Motion.LOOSE, Motion.DOOR) and name not in library.kinds()
    }
    assert missing <= {"mesh", "cluster", "statue"}
