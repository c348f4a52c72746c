from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from ecumene_models import shape_metrics
from ecumene_models.errors import WeightsError
from ecumene_models.metrics import Row
from ecumene_models.pointnet import PointNet, PointNetConfig
from ecumene_models.shape_codes import GanTraining
from ecumene_models.shape_diffusion import DiffusionTraining
from ecumene_models.shape_training import ShapeTraining
from ecumene_models.shapes import Autoencoder, ShapesConfig, load_shapes
from ecumene_world.assets import library
from ecumene_world.assets.mesh import Mesh
from ecumene_world.errors import GraphError
from ecumene_world.generate.shapes import read_shapes
from ecumene_world.learning import asset_ways, shape_evaluation, shaping
from ecumene_world.learning.forms import clouds_of, drawn, form
from ecumene_world.learning.labels import CLASSES, Label
from ecumene_world.learning.matching import LIKE, nearest_asset, nearest_of
from ecumene_world.learning.sampling import surface_points
from ecumene_world.learning.shape_evaluation import METRICS, Reference, boxed, makers, real_clouds, scores
from ecumene_world.learning.solids import Solids, probed, seen_points

CONFIG = ShapesConfig(tuple(CLASSES), latent=4, width=8, channels=12, hidden=8)


def box(x: float, y: float, z: float, *, lid: bool = True, floor: bool = True) -> Mesh:
    """A box of quads about the origin; without lid or floor it is open there."""
    corners = [(a, b, c) for c in (0, z) for a, b in ((-x, -y), (x, -y), (x, y), (-x, y))]
    quads = [(0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7)]
    quads += [(4, 5, 6, 7)] * lid + [(0, 3, 2, 1)] * floor
    return Mesh.of(corners, [t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))], (9, 9, 9))


def inside_share(mesh: Mesh) -> float:
    """Share of probes in the middle of the box that count as inside."""
    _, probes, distance, _ = probed(mesh, np.random.default_rng(0))
    middle = (np.abs(probes.astype(np.float32) - 0.5) < 0.3).all(1)
    return float((distance[middle] < 0).mean())


@pytest.mark.parametrize(("open_at", "share"), [("nowhere", 1.0), ("floor", 1.0), ("lid", 0.0)])
def test_what_no_way_leads_to_from_outside_is_inside(open_at: str, share: float) -> None:
    mesh = box(0.5, 0.3, 0.4, lid=open_at != "lid", floor=open_at != "floor")
    assert inside_share(mesh) == share


def test_probes_know_their_distance_and_the_size_is_kept() -> None:
    visible, probes, distance, size = probed(box(0.5, 0.3, 0.4), np.random.default_rng(0))
    assert np.allclose(size, [1.0, 0.6, 0.4], atol=1e-3)
    assert (visible.min(0) >= -1e-3).all()
    assert (visible.max(0) <= 1.001).all()
    beside = probes.astype(np.float32)
    true = -np.minimum(beside, 1 - beside).min(1)
    inside = (beside > 0).all(1) & (beside < 1).all(1)
    assert np.quantile(np.abs(distance - true)[inside], 0.99) < 0.01


def test_what_is_hidden_is_not_visible() -> None:
    mesh = Mesh.merged([box(0.5, 0.5, 1.0), box(0.2, 0.2, 0.5).moved(z=0.25)])
    visible = probed(mesh, np.random.default_rng(0))[0].astype(np.float32)
    assert not (np.abs(visible - 0.5).max(1) < 0.4).any()


class Ball(Autoencoder):
    """Says that a ball of a radius fills the middle of every box; depths are in twentieths of an edge."""

    radius = 0.4

    def depth(self, code: Tensor, points: Tensor) -> Tensor:
        depth: Tensor = 20.0 * (self.radius - (points - 0.5).norm(dim=1))
        return depth


def test_a_form_has_its_size_and_few_triangles() -> None:
    code = torch.cat([torch.zeros(4), torch.tensor([2.0, 1.0, 0.5]).log()])
    mesh = form(Ball(CONFIG), code)
    assert np.allclose(np.ptp(mesh.bounds, axis=0), [2.0, 1.0, 0.5], atol=1e-5)
    assert mesh.bounds[0, 2] == 0.0
    assert len(mesh.faces) <= 3000
    assert mesh.volume_m3 == pytest.approx(np.pi / 6, rel=0.06)
    assert len(drawn(Ball(CONFIG), code, 44).faces) > len(form(Ball(CONFIG), code, most=500).faces)


def test_an_empty_form_is_refused_and_its_cloud_is_one_point() -> None:
    network = Ball(CONFIG)
    network.radius = -1.0
    with pytest.raises(GraphError, match="is empty"):
        form(network, torch.zeros(7))
    assert not clouds_of(network, torch.zeros(1, 7), 20, 8, np.random.default_rng(0)).any()


@pytest.mark.parametrize(("name", "kind"), [("chair", "stool"), ("cabinet", "bookcase"), ("table", "desk")])
def test_the_nearest_thing_of_a_thing_of_the_library_is_itself(name: str, kind: str) -> None:
    asset = library.build(kind, 2)
    cloud = torch.from_numpy(surface_points(asset.mesh, 512, np.random.default_rng(5))[:, :3])
    match = nearest_asset(cloud, name)
    assert match.kind == kind
    assert match.build().size[2] == pytest.approx(asset.size[2], rel=0.1)


def test_every_class_has_things_of_the_library() -> None:
    assert set(LIKE) == set(CLASSES)
    assert {kind for kinds in LIKE.values() for kind in kinds} <= set(library.kinds())


def test_moving_parameters_brings_a_thing_nearer() -> None:
    asset = library.build("bed", 1, {"width_m": 1.1, "length_m": 2.0, "height_m": 0.6, "foot_m": 0.8})
    cloud = torch.from_numpy(surface_points(asset.mesh, 512, np.random.default_rng(5))[:, :3])
    first, moved = nearest_asset(cloud, "bed", sweeps=0), nearest_asset(cloud, "bed")
    assert moved.distance <= first.distance
    assert float(moved.params["height_m"]) < 0.85
    assert float(moved.params["foot_m"]) > 0.5


def test_limits_are_kept() -> None:
    cloud = torch.rand(300, 3) * torch.tensor([2.0, 3.5, 1.4])
    match = nearest_of(cloud, {"sofa": {"width_m": (1.5, 2.0)}})
    assert match.kind == "sofa"
    assert 1.5 <= float(match.params["width_m"]) <= 2.0
    assert 0.75 <= float(match.params["depth_m"]) <= 1.1


def test_a_real_shape_chooses_better_than_a_seed(boxes: Solids, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asset_ways, "POINTS", 96)
    ways = asset_ways.asset_makers({"real shape": lambda kinds, _: real_clouds(cabinets, 96, 0)})
    cabinets = boxes.of(np.flatnonzero(boxes.kinds == 3)[:4])
    kinds = torch.from_numpy(cabinets.kinds)
    real = boxed(real_clouds(cabinets, 96, 0))
    apart = {
        name: float(shape_metrics.chamfer(boxed(ways[name](kinds, 0)), real).mean())
        for name in (asset_ways.BY_SEED, f"{asset_ways.CHOSEN} real shape")
    }
    assert apart[f"{asset_ways.CHOSEN} real shape"] < apart[asset_ways.BY_SEED]


def test_what_is_hidden_is_not_seen() -> None:
    mesh = Mesh.merged([box(0.5, 0.5, 1), box(0.15, 0.15, 0.3).moved(z=0.3)])
    points = seen_points(mesh, 200, np.random.default_rng(0))
    middle = np.abs(points - [0, 0, 0.5]).max(1)
    assert (middle > 0.4).all()


def lot(count: int) -> Solids:
    """Boxes of many sizes, in turn of all classes."""
    names = tuple(CLASSES)
    generator = np.random.default_rng(0)
    parts = [probed(box(*generator.uniform(0.2, 1.0, 3)), generator) for _ in range(count)]
    visible, probes, distance, size = (np.stack(column) for column in zip(*parts, strict=True))
    labels = tuple(Label(f"Box/{row:03}", names[row % len(names)], row) for row in range(count))
    return Solids(labels, visible, probes, distance, size)


@pytest.fixture(scope="module")
def boxes() -> Solids:
    return lot(72)


@pytest.fixture
def judge() -> tuple[PointNet, ...]:
    torch.manual_seed(0)
    return (PointNet(PointNetConfig(tuple(CLASSES), width=8, embedding=16)).eval(),)


def test_real_shapes_score_as_real_ones(
    boxes: Solids, judge: tuple[PointNet, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shape_evaluation, "POINTS", 96)
    known, held = shaping.split(boxes)
    assert not {label.group for label in known.labels} & {label.group for label in held.labels}
    reference = Reference.of(held, known, judge)
    ways = makers(Ball(CONFIG), known, {"ball": lambda kinds, _: torch.zeros(len(kinds), 7)})
    real, ball = (scores(ways[name], reference, 0) for name in ("real shape", "ball"))
    assert set(real) == set(METRICS)
    assert real["novelty"] < 0.5 * ball["novelty"]
    assert real["mmd_cd"] < ball["mmd_cd"]
    assert ball["one_nna"] > 0.9
    assert ball["coverage"] <= real["coverage"]
    assert scores(ways["real shape"], reference, 0) == real


def test_clouds_are_boxed_by_their_longest_edge() -> None:
    cloud = torch.rand(2, 50, 3) * torch.tensor([4.0, 1.0, 1.0])
    found = boxed(cloud)
    assert torch.allclose((found.amax(1) - found.amin(1)).amax(1), torch.ones(2))
    assert torch.allclose(found.amax(1), -found.amin(1), atol=1e-6)


def test_training_leaves_weights_and_a_comparison(
    boxes: Solids, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shape_evaluation, "POINTS", 64)
    told: list[tuple[int, int]] = []
    weights, rows = shaping.train_all(
        boxes,
        ShapeTraining(epochs=1, points=32, probes=32),
        GanTraining(steps=2),
        DiffusionTraining(steps=2),
        tmp_path,
        extent=shaping.Extent(seeds=2, assets=0, kinds=("bed",), count=2),
        progress=lambda done, total, _: told.append((done, total)),
    )
    assert {row.metric for row in rows} == {"chamfer", *METRICS}
    assert told[-1][0] == told[-1][1]
    found = json.loads((tmp_path / "shapes.json").read_text())
    assert found["default"] in shaping.PRIORS
    assert shaping.rows_of(found) == rows
    assert load_shapes(weights).draw("chair", 1).shape == (shaping.CONFIG.code,)
    assert len(read_shapes(tmp_path / shaping.VARIANTS)["bed"]) <= 2


def test_the_one_that_is_harder_to_tell_is_the_default() -> None:
    values = {(shaping.GAN, "one_nna"): 0.9, (shaping.GAN, "mmd_cd"): 0.1, (shaping.GAUSSIAN, "one_nna"): 0.8}
    values[shaping.GAUSSIAN, "mmd_cd"] = 0.2
    rows = [Row.of(*key, [value], baseline=False, split="x") for key, value in values.items()]
    assert shaping.default_of(rows) == shaping.GAUSSIAN


def test_a_version_without_figures_says_how_to_make_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shaping, "SHIPPED", tmp_path / "none.json")
    with pytest.raises(WeightsError, match="--fresh"):
        shaping.shipped_results()


def test_the_same_model_is_probed_alike() -> None:
    digests = {
        hashlib.sha256(probed(box(1, 1, 1), np.random.default_rng(3))[1].tobytes()).hexdigest() for _ in range(2)
    }
    assert len(digests) == 1
