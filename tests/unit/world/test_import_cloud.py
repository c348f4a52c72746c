from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ecumene_world import SceneGraph, compile_layout
from ecumene_world.errors import ImportFailed
from ecumene_world.importers.cloud import import_cloud
from ecumene_world.importers.hull import hull_of
from ecumene_world.importers.segment import NOISE, GeometricSegmenter
from ecumene_world.importers.terrain import cell_for, ground_of

RNG = np.random.default_rng(5)
SLOPE = 0.05


def ground_z(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(SLOPE * xy[:, 0] + np.sin(xy[:, 1] / 12))


def meadow(count: int = 12_000) -> NDArray[np.float64]:
    """Returns points on a wavy slope of 60 × 40 m."""
    xy = RNG.uniform(0, [60, 40], (count, 2))
    return np.column_stack([xy, ground_z(xy) + RNG.normal(0, 0.02, count)])


def ball(x: float, y: float, count: int = 800) -> NDArray[np.float64]:
    """Returns points of a crown about 5 m above the ground, with a trunk below."""
    crown = RNG.uniform(-1.6, 1.6, (count, 3)) + np.array([x, y, 5.0])
    trunk = np.column_stack([RNG.normal(x, 0.1, 200), RNG.normal(y, 0.1, 200), RNG.uniform(0, 5, 200)])
    both = np.concatenate([crown, trunk])
    both[:, 2] += ground_z(np.array([[x, y]]))[0]
    return both


def cabin(x: float, y: float, count: int = 4000) -> NDArray[np.float64]:
    """Returns points on the walls and the roof of an 8 × 6 × 3 m box."""
    u = RNG.uniform(0, 1, (count, 2))
    roof = np.column_stack([8 * u[:, 0], 6 * u[:, 1], np.full(count, 3.0)])
    side = np.column_stack([8 * u[:, 0], np.zeros(count), 3 * u[:, 1]])
    box = np.concatenate([roof, side, side + np.array([0, 6, 0])]) + np.array([x, y, 0])
    box[:, 2] += ground_z(np.array([[x + 4, y + 3]]))[0]
    return np.asarray(box)


def saved(path: Path, xyz: NDArray[np.float64], offset: float = 0.0) -> Path:
    head = f"ply\nformat binary_little_endian 1.0\nelement vertex {len(xyz)}\n"
    head += "".join(f"property double {axis}\n" for axis in "xyz") + "end_header\n"
    path.write_bytes(head.encode() + (xyz + offset).astype("<f8").tobytes())
    return path


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> SceneGraph:
    xyz = np.concatenate([meadow(), ball(15, 10), ball(40, 30), cabin(25, 5)])
    graph = import_cloud(saved(tmp_path_factory.mktemp("scan") / "park_scan.ply", xyz, offset=5e5))
    graph.validate()
    return graph


def labels(graph: SceneGraph) -> list[str]:
    return sorted(str(node.attributes["label"]) for node in graph.walk() if node.kind == "cluster")


def test_things_are_told_apart_by_shape(scan: SceneGraph) -> None:
    assert labels(scan) == ["building", "tree", "tree"]
    assert scan.name == "park scan"


def test_things_stand_where_they_were_scanned(scan: SceneGraph) -> None:
    trees = [n for n in scan.walk() if n.attributes.get("label") == "tree"]
    at = sorted(scan.world_pose(node.name).position[:2] for node in trees)
    assert at[0] == pytest.approx((15 - 30, 10 - 20), abs=1.0)
    assert at[1] == pytest.approx((40 - 30, 30 - 20), abs=1.0)


def test_the_ground_is_the_ground(scan: SceneGraph) -> None:
    node = scan.node("ground")
    heights = np.asarray(scan.arrays["ground"])
    cell = float(str(node.attributes["cell_m"]))
    origin = np.array(node.attributes["origin"], np.float64)
    rows, columns = np.indices(heights.shape)
    x, y = origin[0] + cell * columns + 30, origin[1] + cell * rows + 20
    inside = (x > 1) & (x < 59) & (y > 1) & (y < 39)
    error = heights - ground_z(np.stack([x, y], -1).reshape(-1, 2)).reshape(x.shape)
    error -= np.median(error)
    assert np.abs(error[inside]).max() < 0.7
    assert np.abs(error[inside]).mean() < 0.1


def test_the_world_can_be_walked(scan: SceneGraph) -> None:
    layout = compile_layout(scan)
    assert len(layout.spawn_position) >= 1
    assert "spawn" in layout.place_role


def test_a_learned_segmenter_can_take_its_place(tmp_path: Path) -> None:
    class Halves:
        def segment(
            self, xyz: NDArray[np.float64], rgb: NDArray[np.uint8] | None, height_m: NDArray[np.float64]
        ) -> NDArray[np.int64]:
            return np.where(xyz[:, 2] > xyz[:, 2].mean() + 2.0, 1, 0)

    path = saved(tmp_path / "a.ply", np.concatenate([meadow(3000), ball(20, 20)]))
    assert len(labels(import_cloud(path, segmenter=Halves()))) == 1

    class Wrong:
        def segment(self, *_: object) -> NDArray[np.int64]:
            return np.zeros(3, np.int64)

    with pytest.raises(ImportFailed, match=r"\(3,\) labels"):
        import_cloud(path, segmenter=Wrong())


def test_y_up_files_are_turned(tmp_path: Path) -> None:
    xyz = np.concatenate([meadow(4000), ball(20, 20)])
    turned = xyz[:, [0, 2, 1]] * [1, 1, -1]
    graph = import_cloud(saved(tmp_path / "a.ply", turned), up="y")
    assert labels(graph) == ["tree"]


def test_colours_are_kept(tmp_path: Path) -> None:
    xyz = meadow(4000)
    rows = np.zeros(
        len(xyz), [("x", "<f8"), ("y", "<f8"), ("z", "<f8"), ("red", "u1"), ("green", "u1"), ("blue", "u1")]
    )
    rows["x"], rows["y"], rows["z"] = xyz.T
    rows["red"] = 200
    head = f"ply\nformat binary_little_endian 1.0\nelement vertex {len(xyz)}\n"
    head += "".join(f"property double {axis}\n" for axis in "xyz")
    head += "".join(f"property uchar {colour}\n" for colour in ("red", "green", "blue")) + "end_header\n"
    path = tmp_path / "a.ply"
    path.write_bytes(head.encode() + rows.tobytes())
    colours = np.asarray(import_cloud(path).arrays["ground/colours"])
    assert colours.reshape(-1, 3).tolist() == [[200, 0, 0]] * (colours.size // 3)


@pytest.mark.parametrize(
    ("xyz", "message"),
    [
        (np.zeros((0, 3)), "has 0 points"),
        (np.ones((1, 3)), "has 1 points"),
        (np.zeros((500, 3)), r"is 0.00 m by 0.00 m seen from above"),
        (np.column_stack([np.zeros(500), RNG.uniform(0, 9, (500, 2))]), r"is 0.00 m by 9|is 0.00 m by 8"),
        (np.full((500, 3), np.nan), "not finite"),
        (RNG.uniform(0, 1e6, (500, 3)), "20000 m is the limit"),
    ],
)
def test_what_nobody_can_stand_on_is_refused(tmp_path: Path, xyz: NDArray[np.float64], message: str) -> None:
    with pytest.raises(ImportFailed, match=message):
        import_cloud(saved(tmp_path / "a.ply", xyz))


def test_a_flat_floor_is_enough(tmp_path: Path) -> None:
    graph = import_cloud(saved(tmp_path / "a.ply", np.column_stack([RNG.uniform(0, 8, (900, 2)), np.zeros(900)])))
    assert labels(graph) == []
    compile_layout(graph)


@pytest.mark.parametrize("options", [{"up": "x"}, {"unit_m": -1.0}])
def test_options_out_of_range_are_refused(tmp_path: Path, options: dict[str, object]) -> None:
    path = saved(tmp_path / "a.ply", meadow(500))
    with pytest.raises(ImportFailed, match="accepted"):
        import_cloud(path, **options)  # type: ignore[arg-type]
    with pytest.raises(ImportFailed, match="is not a file"):
        import_cloud(tmp_path / "b.ply")
    with pytest.raises(ImportFailed, match="no point cloud"):
        import_cloud(tmp_path / "b.xyz")


def test_a_unit_scales_everything(tmp_path: Path) -> None:
    feet = import_cloud(saved(tmp_path / "a.ply", meadow(3000) / 0.3048), unit_m=0.3048)
    heights, cell = feet.arrays["ground"].shape, feet.node("ground").attributes["cell_m"]
    assert isinstance(cell, float)
    assert heights[1] * cell == pytest.approx(60, abs=3)


def test_wide_roofs_are_not_ground() -> None:
    terrain = ground_of(np.concatenate([meadow(8000), cabin(20, 10)]), 0.7)
    under = terrain.at(np.array([[24.0, 13.0]]))[0]
    assert under == pytest.approx(ground_z(np.array([[24.0, 13.0]]))[0], abs=0.5)


def test_cells_follow_density() -> None:
    dense, sparse = cell_for(meadow(40_000)), cell_for(meadow(1000))
    assert dense < sparse
    assert cell_for(np.array([[0.0, 0, 0], [10_000, 10_000, 0]])) == 4.0


def test_segments_touch_and_noise_is_dropped() -> None:
    one, two = np.tile([0.0, 0.0, 1.0], (20, 1)), np.tile([5.0, 0.0, 1.0], (20, 1))
    lone = np.array([[9.0, 9.0, 1.0]])
    xyz = np.concatenate([one, two, lone])
    found = GeometricSegmenter().segment(xyz, None, np.ones(len(xyz)))
    assert set(found[:20]) != set(found[20:40])
    assert found[-1] == NOISE
    assert (GeometricSegmenter().segment(xyz, None, np.zeros(len(xyz))) == 0).all()


def test_wide_things_are_cut_into_tiles() -> None:
    x = np.linspace(0, 100, 2000)
    wall = np.column_stack([x, np.zeros_like(x), np.ones_like(x)])
    found = GeometricSegmenter(widest_m=25.0).segment(wall, None, np.ones(len(x)))
    assert 4 <= len(set(found.tolist())) <= 5


def test_a_hull_is_closed_and_near_its_points() -> None:
    points = RNG.normal(0, 1, (500, 3))
    mesh = hull_of(points, np.full((500, 3), 90, np.uint8), 0.4)
    mesh.validate()
    edges = np.sort(np.concatenate([mesh.faces[:, [0, 1]], mesh.faces[:, [1, 2]], mesh.faces[:, [2, 0]]]), axis=1)
    _, count = np.unique(edges, axis=0, return_counts=True)
    assert (count % 2 == 0).all()
    assert mesh.volume_m3 > 0
    assert (mesh.bounds[0] >= points.min(0) - 0.4).all()
    assert (mesh.bounds[1] <= points.max(0) + 0.4).all()
    assert (mesh.colours == 90).all()
