import math
from dataclasses import replace

import pytest
import torch
from tests.unit.models.sense_rows import random_senses
from torch.distributions import Categorical, Normal, kl_divergence

from ecumene_models.actions import PolicyActions, PolicyOutput, act, divergence, evaluate, likeliest, split_choices
from ecumene_models.fusion import FusionPolicy


def output(count: int = 40, seed: int = 0) -> PolicyOutput:
    policy = FusionPolicy(generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        policy.residual.weight.normal_(generator=torch.Generator().manual_seed(seed))
        result: PolicyOutput = policy(random_senses(count, seed))
    return result


def test_the_views_cover_the_action_row() -> None:
    found = output()
    parts = (found.move, found.turn[:, None], found.gaze, found.interact, found.emote, found.speak)
    assert torch.equal(torch.cat(parts, dim=1), found.vector)
    assert float(found.mean.detach().abs().max()) <= 1.0
    assert found.expert["touch"].shape == (40, 5)


def test_the_likeliest_actions_are_the_means_and_the_greatest_logits() -> None:
    found = output()
    actions = likeliest(found)
    assert torch.equal(actions.continuous, found.mean)
    for name, logits in split_choices(found.vector).items():
        chosen = logits.gather(1, getattr(actions, name)[:, None])
        assert (chosen >= logits).all(), name
    assert torch.equal(act(found, None)[0].emote, actions.emote)


def test_probability_and_entropy_are_those_of_torch_distributions() -> None:
    found = output()
    actions, logprob = act(found, torch.Generator().manual_seed(2))
    normal = Normal(found.mean, found.log_std.exp())
    wanted = normal.log_prob(actions.continuous).sum(-1)  # type: ignore[no-untyped-call]
    entropy = normal.entropy().sum(-1)  # type: ignore[no-untyped-call]
    for name, logits in split_choices(found.vector).items():
        choice = Categorical(logits=logits)
        wanted = wanted + choice.log_prob(getattr(actions, name))  # type: ignore[no-untyped-call]
        entropy = entropy + choice.entropy()  # type: ignore[no-untyped-call]
    assert torch.allclose(logprob, wanted, atol=1e-4)
    again, spread = evaluate(found, actions)
    assert torch.allclose(again, wanted, atol=1e-4)
    assert torch.allclose(spread, entropy, atol=1e-4)


def test_divergence_is_that_of_torch_distributions() -> None:
    one, other = output(seed=1), output(seed=2)
    spread = one.log_std.exp()
    wanted = kl_divergence(Normal(one.mean, spread), Normal(other.mean, spread)).sum(-1)
    for name, logits in split_choices(one.vector).items():
        theirs = Categorical(logits=split_choices(other.vector)[name])
        wanted = wanted + kl_divergence(Categorical(logits=logits), theirs)
    assert torch.allclose(divergence(one.vector, other.vector, one.log_std), wanted, atol=1e-3)
    assert float(divergence(one.vector, one.vector, one.log_std.detach()).abs().max()) < 1e-6


def test_drawing_is_reproducible_and_spreads_as_the_standard_deviation_says() -> None:
    found = output(2000)
    first, second = (act(found, torch.Generator().manual_seed(3))[0] for _ in range(2))
    assert torch.equal(first.continuous, second.continuous)
    assert torch.equal(first.emote, second.emote)
    spread = (first.continuous - found.mean).std().item()
    assert spread == pytest.approx(math.exp(-0.7), rel=0.05)


def test_without_a_generator_the_likeliest_action_is_taken() -> None:
    found = output()
    actions, _ = act(found, None)
    assert torch.equal(actions.continuous, found.mean)
    assert torch.equal(actions.emote, found.emote.argmax(dim=1))


def test_choices_are_drawn_by_their_probability() -> None:
    logits = torch.tensor([0.0, 2.0]).log_softmax(-1)
    found = output(4000)
    vector = found.vector.detach().clone()
    vector[:, 5:7] = logits
    taken, _ = act(replace(found, vector=vector), torch.Generator().manual_seed(0))
    assert taken.interact.float().mean().item() == pytest.approx(logits.exp()[1].item(), abs=0.03)


def test_rows_of_actions_keep_all_parts() -> None:
    actions, _ = act(output(), None)
    part = actions.rows(torch.tensor([3, 1]))
    assert isinstance(part, PolicyActions)
    assert len(part) == 2
    assert torch.equal(part.move[1], actions.move[1])
    assert torch.equal(part.emote[0], actions.emote[3])
