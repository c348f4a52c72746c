"""Pretraining: what is hidden stays hidden, the encoders learn, the heads don't."""

from dataclasses import replace

import pytest
import torch
from tests.unit.models.sense_rows import random_senses

from ecumene_models import FusionPolicy, SenseBatch
from ecumene_models.errors import RolloutError
from ecumene_models.pretraining import (
    HIDDEN,
    MOTION,
    OBJECTIVES,
    TARGETS,
    Decoder,
    PretrainingConfig,
    Rollouts,
    Scale,
    drawn,
    explained,
    hide,
    people,
    pretrain,
    read,
    targets,
    trained_parameters,
)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def told(count: int = 64, seed: int = 0) -> Rollouts:
    """Rollouts in which touch says how loud it is, and what comes later is what was."""
    senses, loud = random_senses(count, seed), torch.rand(count, 1, generator=generator(seed))
    senses = replace(senses, hearing=senses.hearing * loud[:, :, None, None], touch=4 * loud.expand(-1, 10) - 2)
    rows = torch.arange(count)
    return Rollouts(senses, rows, rows, torch.zeros(count, MOTION))


def only(name: str, count: int) -> torch.Tensor:
    hidden = torch.zeros(count, len(HIDDEN), dtype=torch.bool)
    hidden[:, HIDDEN.index(name)] = True
    return hidden


def changed(senses: SenseBatch, name: str) -> SenseBatch:
    other = random_senses(len(senses), 99)
    parts = {
        "vision": ("vision_depth", "vision_kind"),
        "hearing": ("hearing",),
        "touch": ("touch",),
        "people": ("neighbours",),
    }
    return replace(senses, **{part: getattr(other, part) for part in parts[name]})


@pytest.mark.parametrize("name", HIDDEN)
def test_a_decoder_cannot_see_what_is_hidden(name: str) -> None:
    policy, senses = FusionPolicy().eval(), random_senses(16)
    other, hidden = changed(senses, name), only(name, 16)
    assert not torch.equal(targets(policy, senses), targets(policy, other)), "what is asked for has changed"
    assert torch.equal(read(policy, senses, hidden), read(policy, other, hidden)), "what is told has not"
    nothing = torch.zeros_like(hidden)
    assert not torch.equal(read(policy, senses, nothing), read(policy, other, nothing)), "shown, it counts"


def test_hiding_takes_away_one_sense_and_no_other() -> None:
    senses = random_senses(4)
    hidden = torch.eye(4, dtype=torch.bool)
    without = hide(senses, hidden)
    assert torch.equal(without.present, senses.present & ~hidden[:, :3])
    assert torch.equal(without.neighbour_present[:3], senses.neighbour_present[:3])
    assert not without.neighbour_present[3].any()


def test_at_most_one_is_hidden_and_as_often_as_asked() -> None:
    hidden = drawn(4000, 0.75, generator())
    assert hidden.sum(dim=1).max() == 1
    assert hidden.any(dim=1).float().mean().item() == pytest.approx(0.75, abs=0.03)
    assert hidden.float().mean(dim=0).min() > 0.15, "each of them"
    assert not drawn(100, 0.0, generator()).any()


def test_targets_say_where_and_what() -> None:
    policy, senses = FusionPolicy(), SenseBatch.zeros(2)
    senses.vision_depth.fill_(30.0)
    senses.vision_kind[0, 3, 23] = 7
    senses.hearing[1, 0] = 0.5
    found = targets(policy, senses)
    assert found.shape == (2, TARGETS)
    kinds = found[:, 24 : 24 + 128].view(2, 8, 16)
    assert kinds[0, 7, 7] == 1
    assert kinds[0, :7, 7].sum() == 0
    assert kinds[1, :, 7].sum() == 0
    heard = found[:, 152 : 152 + 64]
    assert heard[0].abs().max() == 0
    assert heard[1, :32].allclose(torch.tensor(0.25))
    assert heard[1, 32:].allclose(torch.tensor(2.0)), "the left ear alone hears it"


def test_people_stand_in_their_sector() -> None:
    senses = SenseBatch.zeros(1)
    senses.neighbours[0, 0, :2], senses.neighbours[0, 0, 5] = torch.tensor([0.0, 2.0]), 2.0
    senses.neighbours[0, 1, :2], senses.neighbours[0, 1, 5] = torch.tensor([0.0, 0.7]), 0.7
    senses.neighbour_present[0, :2] = True
    near = people(senses)
    assert near[0, 2].item() == pytest.approx(1.0), "the nearer of two on the left"
    assert near.sum().item() == pytest.approx(1.0)
    assert people(senses.alone()).abs().max() == 0


def test_pretraining_changes_encoders_and_no_head() -> None:
    policy = FusionPolicy(generator=generator())
    before = {name: each.detach().clone() for name, each in policy.named_parameters()}
    pretrain(policy, told(), told(32, 1), PretrainingConfig(epochs=2, batch=32), generator())
    moved = {name for name, each in policy.named_parameters() if not torch.equal(each, before[name])}
    assert {"vision.fine.weight", "hearing.pair.weight", "touch.layers.0.weight", "neighbours.layers.0.weight"} <= moved
    assert moved <= trained_parameters(policy).keys()
    assert not any(name.startswith(("experts", "critic", "residual", "log_std")) for name in moved)


def test_a_hidden_sense_is_learned_from_another() -> None:
    policy, rollouts, held = FusionPolicy(generator=generator()), told(512), told(256, 1)
    done = pretrain(policy, rollouts, held, PretrainingConfig(epochs=12, batch=64), generator())
    assert done.losses[-1] < done.losses[0]
    assert len(done.held) == 12
    numbers = explained(policy, done.decoder, held)
    assert numbers["touch hidden"] > 0.5, "hearing says what touch would"
    assert numbers["hearing hidden"] < 0.2, "but noise can't be guessed"


def test_the_same_numbers_come_of_the_same_seed() -> None:
    twins = [FusionPolicy(generator=generator()) for _ in range(2)]
    for policy in twins:
        pretrain(policy, told(), told(32, 1), PretrainingConfig(epochs=1, batch=32), generator(5))
    assert all(torch.equal(a, b) for a, b in zip(twins[0].parameters(), twins[1].parameters(), strict=True))


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_learns_with_senses_that_are_absent(objective: str) -> None:
    policy, rollouts = FusionPolicy(generator=generator()), told(96)
    rollouts = replace(
        rollouts, senses=replace(rollouts.senses, present=torch.rand(96, 3, generator=generator()) > 0.5)
    )
    done = pretrain(policy, rollouts, rollouts, PretrainingConfig(objective, epochs=1, batch=32), generator())
    assert all(loss == loss for loss in (*done.losses, *done.held)), "no loss is NaN"
    assert all(bool(each.isfinite().all()) for each in policy.parameters())


def test_what_somebody_lacks_is_not_asked_for() -> None:
    policy = FusionPolicy(generator=generator())
    twins = []
    for seed in (0, 99):
        rollouts = told(64)
        senses = replace(rollouts.senses, touch=random_senses(64, seed).touch).without("touch")
        twins.append(
            pretrain(policy, replace(rollouts, senses=senses), told(32), PretrainingConfig(epochs=1), generator())
        )
        policy = FusionPolicy(generator=generator())
    assert twins[0].losses == twins[1].losses


def test_shuffled_moments_teach_nothing_of_the_hidden() -> None:
    policy, rollouts, held = FusionPolicy(generator=generator()), told(512), told(256, 1)
    config = PretrainingConfig("shuffled", epochs=12, batch=64)
    done = pretrain(policy, rollouts, held, config, generator())
    assert explained(policy, done.decoder, held)["touch hidden"] < 0.1


def test_scaled_targets_have_mean_zero_and_come_back() -> None:
    found = torch.rand(100, 5, generator=generator()) * 7
    scale = Scale(found)
    scaled = scale(found)
    assert scaled.mean(dim=0).abs().max() < 1e-5
    assert scale.back(scaled).allclose(found, atol=1e-5)
    assert Scale(torch.ones(10, 2))(torch.ones(10, 2)).abs().max() == 0, "what never varies stays finite"


def test_rollouts_that_are_damaged_are_refused() -> None:
    good = told(8)
    broken = replace(good, senses=replace(good.senses, hearing=good.senses.hearing * float("nan")))
    with pytest.raises(RolloutError, match="'hearing' of these rollouts"):
        pretrain(FusionPolicy(), broken, good, PretrainingConfig(), generator())
    empty = replace(good, now=good.now[:0], later=good.later[:0], motion=good.motion[:0])
    with pytest.raises(RolloutError, match="no two moments"):
        pretrain(FusionPolicy(), good, empty, PretrainingConfig(), generator())
    with pytest.raises(RolloutError, match="'guess'; there are masked"):
        pretrain(FusionPolicy(), good, good, PretrainingConfig("guess"), generator())


def test_a_decoder_answers_for_all_targets() -> None:
    policy, senses = FusionPolicy().eval(), random_senses(3)
    decoder = Decoder(policy.config.d, 16, generator())
    now, later = decoder(read(policy, senses, only("touch", 3)), torch.zeros(3, MOTION))
    assert now.shape == later.shape == (3, TARGETS)
