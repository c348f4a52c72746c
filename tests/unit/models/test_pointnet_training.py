from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ecumene_models.errors import CloudError
from ecumene_models.pointnet import PointNet, PointNetConfig, recognise
from ecumene_models.pointnet_training import PointNetTraining, Report, Sample, distorted, train_pointnet, views_of

CONFIG = PointNetConfig(("board", "pole"), width=8, embedding=16)
TRAINING = PointNetTraining(seed=1, epochs=12, batch=4, points=(32, 64))


def lot(count: int = 24) -> tuple[Tensor, Tensor]:
    """Flat boards and upright poles of many sizes."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(count) % 2
    size = torch.where(labels[:, None] == 0, torch.tensor([1.0, 0.6, 0.1]), torch.tensor([0.2, 0.2, 1.5]))
    size = size * (0.7 + 0.6 * torch.rand(count, 3, generator=generator))
    return torch.rand(count, 128, 3, generator=generator) * size[:, None], labels


def trained(
    clouds: Tensor, labels: Tensor, training: PointNetTraining, state: Path | None = None, report: Report | None = None
) -> PointNet:
    return train_pointnet(views_of(clouds, 2), labels, CONFIG, training, state=state, report=report)


def test_it_learns_to_tell_boards_from_poles() -> None:
    clouds, labels = lot()
    losses: list[float] = []
    network = trained(clouds, labels, TRAINING, report=lambda *told: losses.append(told[2]))
    assert (recognise(network, clouds).logits.argmax(1) == labels).float().mean() > 0.9
    assert len(losses) == 12
    assert losses[-1] < 0.7 * losses[0]


def test_same_seed_same_weights() -> None:
    clouds, labels = lot(8)
    short = replace(TRAINING, epochs=2)
    first, second = (trained(clouds, labels, short).state_dict() for _ in range(2))
    other = trained(clouds, labels, replace(short, seed=2)).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["head.weight"], other["head.weight"])


def test_an_interrupted_run_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    clouds, labels = lot(8)
    whole = trained(clouds, labels, TRAINING).state_dict()

    class Stopped(Exception):
        pass

    def stop(epoch: int, epochs: int, loss: float) -> None:
        if epoch == 11:
            raise Stopped

    with pytest.raises(Stopped):
        trained(clouds, labels, TRAINING, state=tmp_path / "run", report=stop)
    heard: list[int] = []
    rest = trained(clouds, labels, TRAINING, state=tmp_path / "run", report=lambda epoch, *_: heard.append(epoch))
    assert heard == [11, 12]
    assert all(torch.equal(value, whole[name]) for name, value in rest.state_dict().items())


def test_a_run_of_other_settings_or_data_is_not_gone_on_with(tmp_path: Path) -> None:
    clouds, labels = lot(8)
    trained(clouds, labels, replace(TRAINING, epochs=10), state=tmp_path / "run")
    for training, points in (
        (replace(TRAINING, epochs=10, seed=5), clouds),
        (replace(TRAINING, epochs=10), clouds + 1),
    ):
        heard: list[int] = []
        trained(points, labels, training, state=tmp_path / "run", report=lambda e, *_, h=heard: h.append(e))
        assert heard[0] == 1


def test_distortions_keep_shapes_finite_and_sizes_near() -> None:
    views = views_of(lot()[0], 1)
    sample = Sample(views.points[:, 0], views.surface[:, 0], views.size_m)
    seen = distorted(sample, replace(TRAINING, cut=1.0), torch.Generator().manual_seed(0))
    assert all(torch.isfinite(part).all() for part in seen)
    assert seen.points.shape == sample.points.shape
    torch.testing.assert_close(seen.surface[..., :3].norm(dim=-1), torch.ones(24, 128))
    share = (seen.size_m / sample.size_m).log().abs()
    assert 0.0 < float(share.max()) <= 1.5 * TRAINING.stretch + 1e-5


def test_normals_stay_upright_on_a_stretched_and_turned_floor() -> None:
    flat = torch.rand(4, 200, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 0.6, 0.0])
    views = views_of(flat, 1)
    sample = Sample(views.points[:, 0], views.surface[:, 0], views.size_m)
    seen = distorted(sample, TRAINING, torch.Generator().manual_seed(1))
    assert seen.surface[..., 2].abs().min() > 0.999


def test_views_are_other_samplings_of_the_same_shape() -> None:
    views = views_of(torch.rand(2, 900, 3, generator=torch.Generator().manual_seed(0)), 3)
    assert views.points.shape == (2, 3, 512, 3)
    assert views.surface.shape == (2, 3, 512, 6)
    assert not torch.equal(views.points[:, 0], views.points[:, 1])
    assert views.of(torch.tensor([1])).size_m.tolist() == views.size_m[1:].tolist()


@pytest.mark.parametrize("labels", [torch.zeros(3, dtype=torch.int64), torch.full((4,), 2), torch.full((4,), -1)])
def test_labels_that_do_not_fit_are_refused(labels: Tensor) -> None:
    with pytest.raises(CloudError, match="4 clouds need as many labels"):
        trained(lot(4)[0], labels, TRAINING)
