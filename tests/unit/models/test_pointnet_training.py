from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ecumene_models.errors import CloudError
from ecumene_models.pointnet import PointNetConfig, pose, recognise
from ecumene_models.pointnet_training import PointNetTraining, distorted, train_pointnet

CONFIG = PointNetConfig(("board", "pole"), width=8, embedding=16)
TRAINING = PointNetTraining(seed=1, epochs=12, batch=4, points=(32, 64))


def lot(count: int = 24) -> tuple[Tensor, Tensor]:
    """Flat boards and upright poles of many sizes."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(count) % 2
    size = torch.where(labels[:, None] == 0, torch.tensor([1.0, 0.6, 0.1]), torch.tensor([0.2, 0.2, 1.5]))
    size = size * (0.7 + 0.6 * torch.rand(count, 3, generator=generator))
    return torch.rand(count, 128, 3, generator=generator) * size[:, None], labels


def test_it_learns_to_tell_boards_from_poles() -> None:
    clouds, labels = lot()
    losses: list[float] = []
    network = train_pointnet(clouds, labels, CONFIG, TRAINING, report=lambda *told: losses.append(told[2]))
    assert (recognise(network, clouds).logits.argmax(1) == labels).float().mean() > 0.9
    assert len(losses) == 12
    assert losses[-1] < 0.7 * losses[0]


def test_same_seed_same_weights() -> None:
    clouds, labels = lot(8)
    short = replace(TRAINING, epochs=2)
    first, second = (train_pointnet(clouds, labels, CONFIG, short).state_dict() for _ in range(2))
    other = train_pointnet(clouds, labels, CONFIG, replace(short, seed=2)).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["head.weight"], other["head.weight"])


def test_an_interrupted_run_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    clouds, labels = lot(8)
    whole = train_pointnet(clouds, labels, CONFIG, TRAINING).state_dict()

    class Stopped(Exception):
        pass

    def stop(epoch: int, epochs: int, loss: float) -> None:
        if epoch == 11:
            raise Stopped

    with pytest.raises(Stopped):
        train_pointnet(clouds, labels, CONFIG, TRAINING, state=tmp_path / "run", report=stop)
    heard: list[int] = []
    rest = train_pointnet(
        clouds, labels, CONFIG, TRAINING, state=tmp_path / "run", report=lambda epoch, *_: heard.append(epoch)
    )
    assert heard == [11, 12]
    assert all(torch.equal(value, whole[name]) for name, value in rest.state_dict().items())


def test_a_run_of_other_settings_or_data_is_not_gone_on_with(tmp_path: Path) -> None:
    clouds, labels = lot(8)
    train_pointnet(clouds, labels, CONFIG, replace(TRAINING, epochs=10), state=tmp_path / "run")
    for training, points in (
        (replace(TRAINING, epochs=10, seed=5), clouds),
        (replace(TRAINING, epochs=10), clouds + 1),
    ):
        heard: list[int] = []
        train_pointnet(
            points, labels, CONFIG, training, state=tmp_path / "run", report=lambda e, *_, h=heard: h.append(e)
        )
        assert heard[0] == 1


def test_distortions_keep_shapes_finite_and_sizes_near() -> None:
    posed = pose(lot()[0])
    seen = distorted(posed, replace(TRAINING, cut=1.0), torch.Generator().manual_seed(0))
    assert torch.isfinite(seen.points).all()
    assert seen.points.shape == posed.points.shape
    share = (seen.size_m / posed.size_m).log().abs()
    assert 0.0 < float(share.max()) <= 1.5 * TRAINING.stretch + 1e-5


@pytest.mark.parametrize("labels", [torch.zeros(3, dtype=torch.int64), torch.full((4,), 2), torch.full((4,), -1)])
def test_labels_that_do_not_fit_are_refused(labels: Tensor) -> None:
    with pytest.raises(CloudError, match="4 clouds need as many labels"):
        train_pointnet(lot(4)[0], labels, CONFIG, TRAINING)
