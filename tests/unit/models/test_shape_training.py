from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ecumene_models.errors import CloudError
from ecumene_models.shape_training import ShapeTraining, SolidShapes, train_autoencoder
from ecumene_models.shapes import Autoencoder, ShapesConfig

CONFIG = ShapesConfig(("post", "slab"), latent=4, width=8, channels=12, hidden=16)
TRAINING = ShapeTraining(seed=1, epochs=50, batch=4, rate=1e-2, points=64, probes=256, divergence=1e-5, bend=0.0)


def depth_of(points: Tensor, kind: int) -> Tensor:
    """Signed distance to a post in the middle of the box (0) or a slab at its top (1)."""
    if kind:
        return (points[:, 2] - 0.8).abs() - 0.2
    return (points[:, :2] - 0.5).abs().amax(1) - 0.2


def lot(count: int = 12) -> SolidShapes:
    generator = torch.Generator().manual_seed(0)
    probes = torch.rand(count, 800, 3, generator=generator)
    distance = torch.stack([depth_of(part, row % 2) for row, part in enumerate(probes)])
    visible = torch.stack([part[d.abs().argsort()[:100]] for part, d in zip(probes, distance, strict=True)])
    return SolidShapes(visible, probes, distance, torch.ones(count, 3), torch.arange(count) % 2)


def agreement(network: Autoencoder, shapes: SolidShapes) -> float:
    """Share of probes that are solid in truth and for the network, of those that are in either."""
    codes = network.encode(shapes.visible, shapes.size_m)
    said = torch.stack([network.depth(*pair) for pair in zip(codes, shapes.probes, strict=True)]) > 0
    true = shapes.distance < TRAINING.shell
    return float((said & true).sum() / (said | true).sum())


def test_it_learns_what_is_solid() -> None:
    losses: list[float] = []
    network = train_autoencoder(lot(), CONFIG, TRAINING, report=lambda *told: losses.append(told[2]))
    assert losses[-1] < 0.5 * losses[0]
    assert agreement(network, lot()) > 0.75


def test_same_seed_same_weights() -> None:
    short = replace(TRAINING, epochs=1)
    first, second = (train_autoencoder(lot(4), CONFIG, short).state_dict() for _ in range(2))
    other = train_autoencoder(lot(4), CONFIG, replace(short, seed=2)).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["decoder.seed.weight"], other["decoder.seed.weight"])


def test_an_interrupted_run_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    seven = replace(TRAINING, epochs=7)
    whole = train_autoencoder(lot(4), CONFIG, seven).state_dict()

    class Stopped(Exception):
        pass

    def stop(epoch: int, _epochs: int, _loss: float) -> None:
        if epoch == 6:
            raise Stopped

    with pytest.raises(Stopped):
        train_autoencoder(lot(4), CONFIG, seven, state=tmp_path / "run", report=stop)
    heard: list[int] = []
    rest = train_autoencoder(
        lot(4), CONFIG, seven, state=tmp_path / "run", report=lambda epoch, *_: heard.append(epoch)
    )
    assert heard == [6, 7]
    assert all(torch.equal(value, whole[name]) for name, value in rest.state_dict().items())


def test_a_run_of_other_settings_or_data_is_not_gone_on_with(tmp_path: Path) -> None:
    five = replace(TRAINING, epochs=5)
    train_autoencoder(lot(4), CONFIG, five, state=tmp_path / "run")
    for training, shapes in ((replace(five, seed=5), lot(4)), (five, lot(6))):
        heard: list[int] = []
        train_autoencoder(shapes, CONFIG, training, state=tmp_path / "run", report=lambda e, *_, h=heard: h.append(e))
        assert heard[0] == 1


@pytest.mark.parametrize(
    ("shapes", "said"),
    [
        (replace(lot(2), size_m=torch.ones(3, 3)), "as many probes"),
        (replace(lot(2), size_m=torch.zeros(2, 3)), "not positive"),
        (replace(lot(2), distance=torch.full((2, 800), torch.nan)), "not finite"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(shapes: SolidShapes, said: str) -> None:
    with pytest.raises(CloudError, match=said):
        train_autoencoder(shapes, CONFIG, TRAINING)
