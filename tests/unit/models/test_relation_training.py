from __future__ import annotations

import pytest
import torch

from ecumene_models.relation_training import (
    RelationTraining,
    Truth,
    blurred,
    cropped,
    reflected,
    train_relations,
)
from ecumene_models.relations import Boxes, RelationsConfig, offsets, wall_gap

CONFIG = RelationsConfig(sorts=3, width=16, rounds=1)


def rooms(count: int = 8) -> tuple[Boxes, Truth]:
    """Rooms of a table and two things, one of which stands on it."""
    generator = torch.Generator().manual_seed(5)
    centre = torch.zeros(count, 4, 3)
    centre[:, 0, 2] = 0.35
    centre[:, 1, :2] = torch.rand(count, 2, generator=generator) * 0.4 - 0.2
    centre[:, 1, 2] = 0.8
    centre[:, 2, :2] = 1.2 + torch.rand(count, 2, generator=generator)
    centre[:, 2, 2] = 0.1
    size = torch.tensor([[1.0, 1.0, 0.7], [0.2, 0.2, 0.2], [0.2, 0.2, 0.2], [0.0, 0.0, 0.0]]).repeat(count, 1, 1)
    sort = torch.tensor([0, 1, 1, -1]).repeat(count, 1)
    pairs = torch.zeros(count, 4, 4, 5)
    pairs[:, 1, 0, 0] = 1
    floor = torch.tensor([-0.5, -3.0, 3.0, 3.0]).repeat(count, 1)
    wall = torch.tensor([1.0, 0.0, 0.0, 0.0]).repeat(count, 1)
    return Boxes(sort, centre, size, floor), Truth(pairs, wall)


def test_it_learns_what_stands_on_what() -> None:
    boxes, truth = rooms()
    losses: list[float] = []
    training = RelationTraining(seed=1, epochs=30, batch=8, confused=0.0, rate=2e-2)
    network = train_relations(boxes, truth, CONFIG, training, lambda _done, _all, loss: losses.append(loss))
    assert losses[-1] < 0.3 * losses[0]
    found = network(boxes).pairs.sigmoid()[..., 0]
    assert found[:, 1, 0].min() > 0.5
    assert found[:, 2, 0].max() < 0.5


def test_same_seed_same_weights() -> None:
    boxes, truth = rooms(8)
    first, again, other = (
        train_relations(boxes, truth, CONFIG, RelationTraining(seed=seed, epochs=2)) for seed in (3, 3, 4)
    )
    assert torch.equal(first.head.weight, again.head.weight)
    assert not torch.equal(first.head.weight, other.head.weight)


@pytest.mark.parametrize("way", range(8))
def test_symmetries_of_the_square_keep_distances(way: int) -> None:
    boxes, _ = rooms(4)
    seen = reflected(boxes, way)
    torch.testing.assert_close(offsets(boxes).gap, offsets(seen).gap)
    torch.testing.assert_close(wall_gap(boxes)[0], wall_gap(seen)[0])
    unknown = reflected(boxes._replace(floor=torch.full((4, 4), torch.nan)), way)
    assert unknown.floor.isnan().all()


def test_blur_moves_boxes_and_leaves_empty_places_empty() -> None:
    boxes, _ = rooms(50)
    training = RelationTraining(place_m=0.1, confused=0.5)
    seen = blurred(boxes, CONFIG, training, torch.Generator().manual_seed(0))
    assert float((seen.centre - boxes.centre).std()) == pytest.approx(0.1, rel=0.1)
    assert (seen.sort[:, 3] == -1).all()
    changed = float((seen.sort != boxes.sort)[:, :3].float().mean())
    assert changed == pytest.approx(0.5 * 2 / 3, abs=0.1)


def test_cropping_drops_empty_columns_only() -> None:
    boxes, truth = rooms(3)
    some, wanted = cropped(boxes, truth)
    assert some.sort.shape == (3, 3)
    assert wanted.pairs.shape == (3, 3, 3, 5)
    assert torch.equal(some.centre, boxes.centre[:, :3])
