from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ecumene_models import checkpoint
from ecumene_models.errors import WeightsError
from ecumene_models.placement import (
    PlacementConfig,
    PlacementNet,
    excursion,
    intrusion,
    load_placement,
    neighbours,
    save_placement,
)
from ecumene_models.placement_training import PlacementTraining, disordered, train_placement
from ecumene_models.relations import Boxes

CONFIG = PlacementConfig(sorts=3, width=16, rounds=1, steps=2)


def rooms(count: int = 8) -> Boxes:
    """Rooms with a cabinet at the wall to the west and a chair half a metre before it; the fourth row is empty."""
    sort = torch.tensor([0, 1, 2, -1]).repeat(count, 1)
    centre = torch.tensor([[-1.75, 0.0, 0.5], [-0.75, 0.0, 0.5], [1.5, 1.5, 0.5], [0.0, 0.0, 0.0]])
    size = torch.tensor([[0.5, 1.0, 1.0], [0.5, 0.5, 1.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0]])
    floor = torch.tensor([-2.0, -2.0, 2.0, 2.0])
    return Boxes(sort, centre.repeat(count, 1, 1), size.repeat(count, 1, 1), floor.repeat(count, 1))


def net(seed: int = 0) -> PlacementNet:
    return PlacementNet(CONFIG, torch.Generator().manual_seed(seed)).eval()


def test_intrusion_is_the_shorter_way_out() -> None:
    boxes = rooms(1)
    boxes.centre[0, 1, 0] = -1.35
    assert intrusion(boxes)[0, 0, 1] == intrusion(boxes)[0, 1, 0] == pytest.approx(0.1)
    assert intrusion(boxes)[0, 2].sum() == 0
    boxes.centre[0, 1, 2] = 2.0
    assert intrusion(boxes).sum() == 0


def test_excursion_counts_from_the_edge() -> None:
    boxes = rooms(1)
    boxes.centre[0, 2, 1] = 1.8
    assert excursion(boxes)[0].tolist() == pytest.approx([0.0, 0.0, 0.3, 0.0], abs=1e-6)
    assert excursion(boxes._replace(floor=torch.full((1, 4), torch.nan))).sum() == 0


def test_nothing_moves_up_down_or_farther_than_it_can() -> None:
    boxes = rooms(2)
    after = net()(boxes)
    assert len(after) == CONFIG.steps
    moved = after[-1].centre - boxes.centre
    assert moved[..., 2].abs().max() == 0
    assert moved[:, 3].abs().max() == 0
    assert moved.abs().max() <= CONFIG.steps * CONFIG.reach_m


def test_what_is_far_off_says_nothing() -> None:
    boxes = rooms(1)
    assert neighbours(boxes)[0, :2, :2].sum() == 2
    boxes.centre[0, 2] = torch.tensor([9.0, 9.0, 0.5])
    before = net()(boxes)[-1].centre[0, :2]
    boxes.sort[0, 2] = 0
    assert torch.equal(net()(boxes)[-1].centre[0, :2], before)


def test_it_learns_to_put_rooms_straight() -> None:
    truth, generator = rooms(), torch.Generator().manual_seed(3)
    training = PlacementTraining(seed=1, epochs=150, batch=8, rate=1e-2)
    network = train_placement(truth, CONFIG, training)
    seen = disordered(truth, torch.full((8,), 0.3), generator)
    with torch.no_grad():
        after = network(seen)[-1]
    errors = [(room.centre - truth.centre)[:, :2, 0].abs().mean() for room in (seen, after)]
    assert errors[1] < 0.7 * errors[0]


def test_same_seed_same_weights() -> None:
    first, again, other = (
        train_placement(rooms(), CONFIG, PlacementTraining(seed=seed, epochs=2)).state_dict() for seed in (1, 1, 2)
    )
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_files_hold_what_was_saved(tmp_path: Path) -> None:
    path = tmp_path / "placement.safetensors"
    save_placement(net(), path)
    assert torch.equal(load_placement(path)(rooms())[-1].centre, net()(rooms())[-1].centre)


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "placement.safetensors"
    save_placement(net(), path)
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    with pytest.raises(WeightsError):
        load_placement(path)


def test_other_models_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "placement.safetensors"
    checkpoint.write(path, net(), model="relations", config={}, notes=None)
    with pytest.raises(WeightsError, match="relations"):
        load_placement(path)
