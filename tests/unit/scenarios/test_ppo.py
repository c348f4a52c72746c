"""The learner moves towards what was rewarded, imitates, and leaves alone what has no reward."""

from dataclasses import replace

import pytest
import torch

from ecumene_models import FusionPolicy, SenseBatch
from ecumene_models.actions import PolicyActions
from ecumene_scenarios.ppo import MOVES, Learner, PPOConfig, drawn, movement_logprob, unmoved_imitation
from ecumene_scenarios.rollout import Experience

ROWS = 256


@pytest.fixture
def policy() -> FusionPolicy:
    return FusionPolicy(generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def experience(policy: FusionPolicy, *, graded: bool = True) -> Experience:
    """Every agent was rewarded for how far forward it moved."""
    noise = torch.Generator().manual_seed(2)
    senses = SenseBatch.zeros(ROWS)
    output = policy(senses)
    actions = drawn(output, noise)
    still = PolicyActions.of(
        torch.zeros(ROWS, 5), dict.fromkeys(("interact", "emote", "speak"), torch.zeros(ROWS, dtype=torch.int64))
    )
    advantage = actions.continuous[:, 0] - actions.continuous[:, 0].mean()
    return Experience(
        senses=senses,
        actions=actions,
        labels=still,
        logprob=movement_logprob(output, actions),
        vector=output.vector,
        graded=torch.full((ROWS,), graded),
        advantage=advantage,
        target=torch.ones(ROWS),
    )


def test_what_was_rewarded_becomes_likelier(policy: FusionPolicy) -> None:
    learner = Learner(policy, PPOConfig(epochs=4, batch=64, improve_batch=64, imitate=0.0, experts=0.0, max_kl=1.0))
    learner.begin_exploring()
    before = policy(SenseBatch.zeros(1)).mean[0, 0].item()
    learner.learn(experience(policy), "improve", 1.0, torch.Generator().manual_seed(3))
    assert policy(SenseBatch.zeros(1)).mean[0, 0].item() > before + 0.02


def test_agents_without_a_reward_only_imitate(policy: FusionPolicy) -> None:
    learner = Learner(policy, PPOConfig(epochs=6, batch=64))
    learner.begin_exploring()
    before = policy(SenseBatch.zeros(1)).mean[0, :MOVES].abs().max().item()
    losses = learner.learn(experience(policy, graded=False), "improve", 0.3, torch.Generator().manual_seed(3))
    assert losses["policy"] == 0
    assert policy(SenseBatch.zeros(1)).mean[0, :MOVES].abs().max().item() < before


def test_critic_learns_its_target(policy: FusionPolicy) -> None:
    learner = Learner(policy, PPOConfig(epochs=20, batch=64))
    learner.learn(experience(policy), "critic", 1.0, torch.Generator().manual_seed(3))
    assert policy(SenseBatch.zeros(1)).value.item() == pytest.approx(1.0, abs=0.15)


def test_passes_stop_once_the_policy_has_moved_far(policy: FusionPolicy) -> None:
    far = Learner(policy, PPOConfig(epochs=50, batch=32, improve_rate=3e-3, max_kl=0.01))
    far.begin_exploring()
    losses = far.learn(experience(policy), "improve", 1.0, torch.Generator().manual_seed(3))
    assert 0.01 < losses["kl"] < 1.0


def test_the_first_ratio_is_one(policy: FusionPolicy) -> None:
    learner = Learner(policy, PPOConfig(epochs=1, batch=ROWS))
    losses = learner.learn(experience(policy), "improve", 1.0, torch.Generator().manual_seed(3))
    assert losses["clipped"] == 0
    assert losses["kl"] == pytest.approx(0.0, abs=1e-9)


def test_noise_touches_movement_only(policy: FusionPolicy) -> None:
    output = policy(SenseBatch.zeros(ROWS))
    noisy, plain = drawn(output, torch.Generator().manual_seed(1)), drawn(output, None)
    assert torch.equal(noisy.gaze, plain.gaze)
    assert torch.equal(noisy.emote, plain.emote)
    assert (noisy.move - plain.move).std().item() == pytest.approx(policy.log_std[0].exp().item(), rel=0.2)


def test_imitation_of_the_rest_ignores_movement(policy: FusionPolicy) -> None:
    output = policy(SenseBatch.zeros(4))
    labels = drawn(output, None)
    moved = replace(labels, move=labels.move + 0.5, turn=labels.turn - 0.5)
    assert torch.allclose(unmoved_imitation(output, labels), unmoved_imitation(output, moved))
    assert (
        unmoved_imitation(output, replace(labels, gaze=labels.gaze + 0.5)) > unmoved_imitation(output, labels)
    ).all()
