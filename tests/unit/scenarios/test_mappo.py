"""Multi-agent PPO on yardsticks: it learns, it repeats itself, and its densities are right."""

from __future__ import annotations

import pytest
import torch

from ecumene_models.vector_policy import Intention, VectorPolicy
from ecumene_scenarios.yardsticks import Navigation, Spread
from ecumene_scenarios.yardsticks.mappo import Mappo, Settings, mean_return


def learner(seed: int, *, worlds: int = 32, steps: int = 30, centralised: bool = True) -> Mappo:
    torch.manual_seed(seed)
    env = Navigation(worlds=worlds, agents=2, seed=seed)
    policy = VectorPolicy(18, 2, 2, width=32, centralised=centralised)
    return Mappo(env, policy, Settings(steps=steps, batch=256, rate=1e-3, epochs=6), seed=seed)


@pytest.mark.parametrize("centralised", [True, False])
def test_it_learns_to_head_for_goals(*, centralised: bool) -> None:
    learning = learner(0, centralised=centralised)
    before = mean_return(Navigation(worlds=128, agents=2, seed=9), learning.policy, 30)
    for _ in range(8):
        learning.round()
    after = mean_return(Navigation(worlds=128, agents=2, seed=9), learning.policy, 30)
    assert after > before + 0.2


def test_the_same_seed_learns_the_same() -> None:
    first, second = learner(4, worlds=4, steps=8), learner(4, worlds=4, steps=8)
    assert first.round() == second.round()
    weights = zip(first.policy.parameters(), second.policy.parameters(), strict=True)
    assert all(torch.equal(mine, yours) for mine, yours in weights)


def test_a_world_that_is_done_starts_over_and_promises_nothing_more() -> None:
    learning = learner(1, worlds=2, steps=2)
    reward = torch.ones(2, 1, 2)
    value, last = torch.zeros(2, 1, 2), torch.full((1, 2), 100.0)
    done = torch.tensor([[False], [True]])
    ended = learning._gained(reward, value, last, done)
    goes_on = learning._gained(reward, value, last, torch.zeros_like(done))
    assert ended[1].tolist() == [[1.0, 1.0]]
    assert goes_on[1, 0].tolist() == pytest.approx([100.0, 100.0])


def test_densities_are_those_of_squeezed_normal_numbers() -> None:
    intention = Intention(torch.tensor([[0.3, -1.0]]), torch.tensor([[0.7, 0.2]]))
    raw = intention.draw(torch.Generator().manual_seed(2))
    squeezed = torch.distributions.TransformedDistribution(
        torch.distributions.Normal(intention.mean, intention.spread), [torch.distributions.TanhTransform()]
    )
    expected = squeezed.log_prob(raw.tanh()).sum(-1)  # type: ignore[no-untyped-call]
    assert torch.allclose(intention.logprob(raw), expected, atol=1e-4)


def test_a_centralised_critic_sees_everybody_and_an_own_one_only_itself() -> None:
    seen = torch.randn(5, 3, 4)
    changed = seen.clone()
    changed[:, 2] += 1.0
    for centralised in (True, False):
        policy = VectorPolicy(4, 2, 3, width=8, centralised=centralised)
        same = torch.allclose(policy.value(seen)[:, 0], policy.value(changed)[:, 0])
        assert same is not centralised
        assert policy.value(seen).shape == (5, 3)


def test_spread_can_be_learned_on_too() -> None:
    env = Spread(worlds=4, agents=3, seed=0)
    policy = VectorPolicy(env.reset().shape[-1], 2, 3, width=16)
    told = Mappo(env, policy, Settings(steps=5, epochs=1)).round()
    assert set(told) == {"policy", "value", "kl", "return"}
    assert told["return"] < 0
