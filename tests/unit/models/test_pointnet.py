from __future__ import annotations

from math import pi
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ecumene_models import checkpoint
from ecumene_models.errors import CloudError, WeightsError
from ecumene_models.pointnet import (
    PointNet,
    PointNetConfig,
    facing,
    filling,
    load_pointnet,
    pose,
    recognise,
    resample,
    save_pointnet,
)

CONFIG = PointNetConfig(("box", "pole"), width=8, embedding=16)


def network(seed: int = 0) -> PointNet:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return PointNet(CONFIG).eval()


def boxes(*sizes: tuple[float, float, float], points: int = 256, seed: int = 0) -> Tensor:
    """Points in boxes that stand on z = 0, with their corners."""
    generator = torch.Generator().manual_seed(seed)
    inside = torch.rand(len(sizes), points, 3, generator=generator)
    inside[:, :8] = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 3)
    return (inside - torch.tensor([0.5, 0.5, 0.0])) * torch.tensor(sizes)[:, None]


def turned(clouds: Tensor, angle: float) -> Tensor:
    c, s = torch.tensor(angle).cos(), torch.tensor(angle).sin()
    return torch.stack(
        [c * clouds[..., 0] - s * clouds[..., 1], s * clouds[..., 0] + c * clouds[..., 1], clouds[..., 2]], -1
    )


def test_order_of_points_does_not_matter() -> None:
    clouds = boxes((1.0, 0.5, 0.8), (0.1, 0.1, 2.0))
    shuffled = clouds[:, torch.randperm(256, generator=torch.Generator().manual_seed(1))]
    for one, other in zip(recognise(network(), clouds), recognise(network(), shuffled), strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


def test_heading_and_place_hardly_matter() -> None:
    clouds = boxes((1.0, 0.5, 0.8), (2.0, 0.4, 0.3))
    there = turned(clouds, 0.7) + torch.tensor([40.0, -12.0, 3.0])
    torch.testing.assert_close(pose(there).size_m, pose(clouds).size_m, atol=0.06, rtol=0.0)
    torch.testing.assert_close(
        recognise(network(), there).embedding, recognise(network(), clouds).embedding, atol=0.15, rtol=0.0
    )


def test_standard_pose_lies_along_x_on_the_ground() -> None:
    posed = pose(turned(boxes((0.5, 3.0, 1.0)), pi / 6) + 7.0)
    torch.testing.assert_close(posed.size_m[0], torch.tensor([3.0, 0.5, 1.0]), atol=1e-3, rtol=0.0)
    assert posed.points[0, :, 2].min() == pytest.approx(0.0, abs=1e-6)
    assert posed.points[0].amax(0)[0] == pytest.approx(0.5, abs=1e-3)


def test_size_matters() -> None:
    small, large = boxes((0.1, 0.1, 0.1)), boxes((1.0, 1.0, 1.0))
    assert not torch.allclose(recognise(network(), small).logits, recognise(network(), large).logits, atol=1e-4)


def test_filling_is_the_same_whichever_way_round() -> None:
    posed = pose(boxes((1.0, 0.6, 0.4)))
    for way in (1, 2, 3):
        torch.testing.assert_close(filling(facing(posed, way)), filling(posed), atol=0.0, rtol=0.0)


def test_probabilities_add_up_and_embeddings_have_unit_length() -> None:
    seen = recognise((network(0), network(1)), boxes((1.0, 0.6, 0.4), (0.3, 0.3, 2.0)))
    torch.testing.assert_close(seen.logits.exp().sum(1), torch.ones(2))
    torch.testing.assert_close(seen.embedding.norm(dim=1), torch.ones(2))
    assert seen.embedding.shape == (2, 32)


def test_a_flat_thing_is_a_thing() -> None:
    flat = boxes((0.6, 0.5, 1.0))
    flat[..., 2] = 0.0
    assert torch.isfinite(recognise(network(), flat).logits).all()


@pytest.mark.parametrize(
    ("clouds", "said"),
    [
        (torch.zeros(1, 0, 3), "0 points"),
        (torch.rand(1, 5, 3), "5 points"),
        (torch.zeros(1, 64, 3), "in one place"),
        (torch.rand(1, 64, 3) * 1e9, "m long"),
        (torch.full((1, 64, 3), float("nan")), "not finite"),
        (torch.full((1, 64, 3), float("inf")), "not finite"),
        (torch.rand(64, 3), r"\(64, 3\)"),
        (torch.ones(1, 64, 3, dtype=torch.int64), "int64"),
    ],
)
def test_what_is_no_thing_is_refused(clouds: Tensor, said: str) -> None:
    with pytest.raises(CloudError, match=said):
        recognise(network(), clouds)


def test_resampling_repeats_only_when_it_must() -> None:
    cloud = torch.arange(10.0)[:, None].expand(-1, 3)
    generator = torch.Generator().manual_seed(0)
    assert len(set(resample(cloud, 10, generator)[:, 0].tolist())) == 10
    assert len(set(resample(cloud, 25, generator)[:, 0].tolist())) == 10
    with pytest.raises(CloudError, match="0 points"):
        resample(cloud[:0], 4, generator)


def test_weights_come_back(tmp_path: Path) -> None:
    clouds = boxes((1.0, 0.6, 0.4))
    save_pointnet((network(3), network(4)), tmp_path / "w.safetensors", {"seed": 3})
    loaded = load_pointnet(tmp_path / "w.safetensors")
    torch.testing.assert_close(
        recognise(loaded, clouds), recognise((network(3), network(4)), clouds), atol=0.0, rtol=0.0
    )


def test_foreign_and_damaged_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_pointnet((network(),), path)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(WeightsError, match="damaged"):
        load_pointnet(path)
    checkpoint.write(path, network(), model="other", config={})
    with pytest.raises(WeightsError, match="'other'"):
        load_pointnet(path)
    checkpoint.write(path, network(), model="pointnet", config={"width": 8})
    with pytest.raises(WeightsError, match="can't be built"):
        load_pointnet(path)
