from __future__ import annotations

from dataclasses import replace
from math import pi
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ecumene_models import checkpoint
from ecumene_models.errors import CloudError, WeightsError
from ecumene_models.pointnet import (
    MOST_POINTS,
    PointNet,
    PointNetConfig,
    facing,
    load_pointnet,
    look,
    pose,
    recognise,
    resample,
    save_pointnet,
    told,
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
        torch.testing.assert_close(one, other, atol=2e-3, rtol=0.0)


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


def test_what_is_seen_from_the_other_side_is_what_the_mirror_image_shows() -> None:
    posed = pose(boxes((1.0, 0.6, 0.4)))
    for way, signs in ((1, (-1.0, 1.0, 1.0)), (2, (1.0, -1.0, 1.0)), (3, (-1.0, -1.0, 1.0))):
        mirrored, other = facing(look(posed), way), look(posed._replace(points=posed.points * torch.tensor(signs)))
        torch.testing.assert_close(mirrored.points, other.points, atol=0.0, rtol=0.0)
        torch.testing.assert_close(mirrored.surface.abs(), other.surface.abs(), atol=1e-3, rtol=0.0)
        torch.testing.assert_close(mirrored.description, other.description, atol=1e-2, rtol=0.0)


def taught(labels: tuple[int, ...] = (0, 0, 1, 1)) -> PointNet:
    """A network that remembers two boxes and two poles."""
    clouds = boxes((1.0, 0.6, 0.4), (1.1, 0.5, 0.4), (0.1, 0.1, 2.0), (0.12, 0.1, 1.8))
    one = PointNet(replace(CONFIG, known=len(clouds)))
    one.load_state_dict({**one.state_dict(), **network().state_dict(), "rows": one.rows, "weights": one.weights})
    one.remember(told(look(pose(clouds))), torch.tensor(labels))
    return one.eval()


def test_it_remembers_what_it_was_told() -> None:
    asked = boxes((1.05, 0.55, 0.4), (0.11, 0.1, 1.9), seed=9)
    assert recognise(taught(), asked).logits.argmax(1).tolist() == [0, 1]
    assert recognise(taught((1, 1, 0, 0)), asked).logits.argmax(1).tolist() == [1, 0]


def test_what_is_alike_is_near() -> None:
    embedding = recognise(taught(), boxes((1.0, 0.6, 0.4), (1.1, 0.6, 0.45), (0.1, 0.1, 2.0), seed=5)).embedding
    apart = torch.cdist(embedding, embedding)
    assert 1.2 * apart[0, 1] < apart[0, 2]


def test_without_memory_the_network_answers_alone() -> None:
    clouds = boxes((1.0, 0.6, 0.4))
    for one, other in zip(recognise(taught().forgetful(), clouds), recognise(network(), clouds), strict=True):
        torch.testing.assert_close(one, other, atol=0.0, rtol=0.0)


def test_large_clouds_are_thinned_evenly() -> None:
    seen = look(pose(boxes((1.0, 0.6, 0.4), points=5 * MOST_POINTS - 3)))
    assert 0.75 * MOST_POINTS < seen.points.shape[1] <= MOST_POINTS


def test_probabilities_add_up_and_embeddings_have_unit_length() -> None:
    seen = recognise((network(0), network(1)), boxes((1.0, 0.6, 0.4), (0.3, 0.3, 2.0)))
    torch.testing.assert_close(seen.logits.exp().sum(1), torch.ones(2))
    torch.testing.assert_close(seen.embedding.norm(dim=1), torch.ones(2))
    assert seen.embedding.shape == (2, 32)


def test_no_clouds_are_nothing() -> None:
    seen = recognise(network(), torch.zeros(0, 64, 3))
    assert seen.logits.shape == (0, 2)


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


def test_memory_comes_back(tmp_path: Path) -> None:
    clouds = boxes((1.0, 0.6, 0.4))
    save_pointnet((taught(),), tmp_path / "w.safetensors")
    torch.testing.assert_close(
        recognise(load_pointnet(tmp_path / "w.safetensors"), clouds), recognise(taught(), clouds), atol=0.0, rtol=0.0
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
