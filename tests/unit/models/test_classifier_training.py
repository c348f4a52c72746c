from dataclasses import replace

import torch
from tests.unit.models.percept_rows import told_apart

from ecumene_models.classifier import ClassifierConfig, FusedClassifier
from ecumene_models.classifier_training import (
    ClassifierTraining,
    calibrate,
    train_experts,
    train_form,
    train_fusion,
    train_textbook,
)
from ecumene_models.metrics import accuracy
from ecumene_models.percepts import Percepts

CONFIG = ClassifierConfig(classes=4, d=16, hidden=24, layers=1)
TRAINING = ClassifierTraining(steps=60, forming=40, fusing=20, batch=64)
FUSION = ("role", "mix", "last", "norm", "residual")


def right(network: FusedClassifier, percepts: Percepts, classes: torch.Tensor) -> float:
    with torch.no_grad():
        return accuracy(network(percepts).log_chances, classes)


def test_experts_learn_their_half_and_together_the_whole() -> None:
    network = FusedClassifier(CONFIG)
    losses: list[float] = []
    train_experts(network, *told_apart(600), TRAINING, losses.append)
    assert len(losses) == 60
    assert losses[-1] < losses[0]
    percepts, classes = told_apart(300, seed=9)
    assert 0.4 < right(network, percepts.only("vision"), classes) < 0.65
    assert 0.4 < right(network, percepts.only("hearing"), classes) < 0.65
    assert right(network, percepts, classes) > 0.85


def test_the_fusion_leaves_the_experts_as_they_are() -> None:
    network = FusedClassifier(CONFIG)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    train_fusion(network, *told_apart(200), replace(TRAINING, fusing=3))
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name]) != name.startswith(FUSION), name


def test_the_form_learns_beside_the_experts() -> None:
    network, (percepts, classes) = FusedClassifier(CONFIG), told_apart(600)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    train_form(network, percepts, classes, TRAINING)
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name]) != name.startswith(("form", "judges.3")), name


def test_a_textbook_network_learns_without_experts() -> None:
    network = FusedClassifier(replace(CONFIG, experts=False))
    train_textbook(network, *told_apart(600), replace(TRAINING, drop=0.0))
    assert right(network, *told_apart(300, seed=9)) > 0.8


def test_calibration_tames_an_expert_that_is_too_sure() -> None:
    network = FusedClassifier(CONFIG)
    train_experts(network, *told_apart(600), TRAINING)
    with torch.no_grad():
        for parameter in network.judges[0][-1].parameters():  # type: ignore[index, union-attr]
            parameter.mul_(20.0)
    calibrate(network, *told_apart(600, seed=9))
    gain = network.gain.detach()
    assert bool((gain[:, 0] < 0.2).all())
    assert bool((gain[:, 0] < gain[:, 1]).all())
    assert float(gain[0, -1]) == 0.0


def test_without_the_form_its_gain_stays_zero() -> None:
    network = FusedClassifier(CONFIG)
    train_experts(network, *told_apart(300), TRAINING)
    calibrate(network, *told_apart(300, seed=9), form=False)
    assert network.gain[:, -1].tolist() == [0.0, 0.0]


def test_the_same_seed_gives_the_same_network() -> None:
    def made(seed: int) -> torch.Tensor:
        network = FusedClassifier(CONFIG)
        training = replace(TRAINING, steps=2, fusing=2, seed=seed)
        train_experts(network, *told_apart(100), training)
        train_fusion(network, *told_apart(100), training)
        return network.residual.weight.detach()

    assert torch.equal(made(1), made(1))
    assert not torch.equal(made(1), made(2))
