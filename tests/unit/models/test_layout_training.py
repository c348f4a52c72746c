from __future__ import annotations

import torch
from tests.unit.models.layout_rooms import CUP, KINDS, ROLES, TABLE, TAGS, furnished, many

from ecumene_models.layout_gan import LayoutConfig, LayoutGan
from ecumene_models.layout_training import LayoutTraining, compete_layout, train_layout, varied
from ecumene_models.layouts import joined

CONFIG = LayoutConfig(KINDS, ROLES, TAGS, most=6, width=16, heads=2, layers=1, sizes=2)
QUICK = LayoutTraining(epochs=3, batch=4, candidates=8, rounds=2, alone=1, looks=1)


def weights(network: LayoutGan) -> torch.Tensor:
    return torch.cat([part.flatten().double() for part in network.state_dict().values()])


def test_training_learns_and_is_the_same_for_the_same_seed() -> None:
    heard: list[tuple[int, int, float]] = []
    one = train_layout(
        many(12), CONFIG, LayoutTraining(epochs=12, batch=4, candidates=8), lambda *all_: heard.append(all_)
    )
    assert [done for done, _, _ in heard] == list(range(1, 13))
    assert heard[-1][2] < heard[0][2]
    first, second = (weights(train_layout(many(8), CONFIG, QUICK)) for _ in range(2))
    assert torch.equal(first, second)
    assert not one.training


def test_competition_teaches_the_critic_alone_and_then_both() -> None:
    rooms = many(8)
    start = train_layout(rooms, CONFIG, QUICK)
    alone = compete_layout(start, rooms, LayoutTraining(epochs=3, batch=4, candidates=8, rounds=1, alone=1, looks=1))
    both = compete_layout(start, rooms, QUICK)
    assert torch.equal(weights_of(start), weights_of(alone))
    assert not torch.equal(weights_of(start), weights_of(both))
    assert not torch.equal(start.critic.room.weight, alone.critic.room.weight)


def test_variation_keeps_what_carries_what() -> None:
    rooms = joined([furnished(), furnished(0.1)])
    for seed in range(8):
        found = varied(rooms, torch.Generator().manual_seed(seed))
        cup = found.kind == CUP
        under = found.support.clamp_min(0)
        assert (found.kind.gather(1, under)[cup] == TABLE).all()
        gap = (found.place - found.place.gather(1, under[..., None].expand(-1, -1, 2))).norm(dim=2)[cup]
        torch.testing.assert_close(gap, torch.full((2,), 0.1), atol=1e-4, rtol=1e-4)


def weights_of(network: LayoutGan) -> torch.Tensor:
    return torch.cat([part.flatten().double() for part in network.generator.state_dict().values()])
