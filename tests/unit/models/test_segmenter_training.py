from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ecumene_models.errors import CloudError
from ecumene_models.segmenter import SegmenterConfig, shares
from ecumene_models.segmenter_training import Labelled, SegmenterTraining, train_segmenter

CONFIG = SegmenterConfig(("floor", "wall", "box"), width=8)
QUICK = SegmenterTraining(steps=2, batch=2)


def scan(seed: int, points: int = 1500) -> Labelled:
    """A floor, two walls and a box that stands somewhere."""
    generator = torch.Generator().manual_seed(seed)
    xyz = torch.rand(points, 3, generator=generator) * torch.tensor([4.0, 3.0, 2.5])
    kind = torch.arange(points) % 4
    xyz[kind == 0, 2] = 0.0
    xyz[kind == 1, 0] = 0.0
    xyz[kind == 2, 1] = 0.0
    corner = torch.rand(3, generator=generator) * torch.tensor([2.0, 1.0, 0.0]) + torch.tensor([0.8, 0.8, 0.0])
    size = torch.tensor([0.7, 0.7, 0.8])
    inside = torch.rand(int((kind == 3).sum()), 3, generator=generator)
    inside[:, 2] = torch.where(inside[:, 0] < 0.5, inside[:, 2], 1.0)
    xyz[kind == 3] = corner + inside * size
    return Labelled(xyz, torch.tensor([0, 1, 1, 2])[kind])


def test_it_learns_what_a_box_in_a_room_is() -> None:
    network = train_segmenter([scan(n) for n in range(6)], CONFIG, SegmenterTraining(steps=60, batch=2))
    asked = scan(50)
    assert asked.kind is not None
    right = shares(network, asked.xyz).argmax(1) == asked.kind
    assert float(right.float().mean()) > 0.85


def test_the_same_seed_gives_the_same_weights_and_another_others() -> None:
    scans = [scan(1), scan(2), scan(3)._replace(kind=None)]
    first, again = (train_segmenter(scans, CONFIG, QUICK).state_dict() for _ in range(2))
    other = train_segmenter(scans, CONFIG, replace(QUICK, seed=1)).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_unlabelled_scans_change_what_is_learned() -> None:
    training = replace(QUICK, steps=4, sure=0.0)
    without = train_segmenter([scan(1)], CONFIG, training).state_dict()
    beside = train_segmenter([scan(1), scan(2)._replace(kind=None)], CONFIG, training).state_dict()
    assert any(not torch.equal(without[name], beside[name]) for name in without)


def test_progress_is_told() -> None:
    heard: list[tuple[int, int, float]] = []
    train_segmenter([scan(1)], CONFIG, QUICK, lambda *told: heard.append(told))
    assert [told[:2] for told in heard] == [(2, 2)]
    assert heard[0][2] > 0


def test_scans_that_teach_nothing_are_refused() -> None:
    with pytest.raises(CloudError, match="no scan has labels"):
        train_segmenter([scan(1)._replace(kind=None)], CONFIG, QUICK)
    wrong = scan(1)
    assert wrong.kind is not None
    with pytest.raises(CloudError, match="each below 3"):
        train_segmenter([wrong._replace(kind=wrong.kind + 1)], CONFIG, QUICK)
    with pytest.raises(CloudError, match="need as many labels"):
        train_segmenter([wrong._replace(kind=wrong.kind[:9])], CONFIG, QUICK)
