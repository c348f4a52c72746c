"""The learner moves towards what was rewarded, imitates, and leaves alone what has no reward."""

from dataclasses import replace

import pytest
import torch

from ecumene_models import FusionPolicy, SenseBatch
from ecumene_models.actions import PolicyActions
from ecumene_models.recurrent import Course, RecurrentConfig, RecurrentPolicy
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


def bells(noise: torch.Generator, columns: int = 32, steps: int = 3) -> tuple[SenseBatch, PolicyActions, Course]:
    """A bell rings left or right of each agent; at the last step it should turn to where it rang."""
    step, column = torch.arange(steps).repeat_interleave(columns), torch.arange(columns).repeat(steps)
    senses, side = SenseBatch.zeros(columns * steps), torch.randint(0, 2, (columns,), generator=noise)
    senses.hearing[torch.arange(columns), side] = 1.0
    wanted = torch.zeros(columns * steps, 5)
    wanted[-columns:, 2] = 1.6 * side - 0.8
    none = dict.fromkeys(("interact", "emote", "speak"), torch.zeros(columns * steps, dtype=torch.int64))
    return senses, PolicyActions.of(wanted, none), Course(step, column, step == 0, torch.zeros(columns, 16))


@torch.no_grad()
def turned_right(policy: RecurrentPolicy, senses: SenseBatch, labels: PolicyActions, course: Course) -> float:
    """The share of those who should turn that turn that way."""
    asked = labels.turn != 0
    found = policy.through(senses, course).turn[asked]
    return float((found.sign() == labels.turn[asked].sign()).float().mean())


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_was_heard_two_decisions_ago_is_remembered_and_told_by_nothing_else() -> None:
    noise = torch.Generator().manual_seed(1)
    policy = RecurrentPolicy(RecurrentConfig(d=32, heads=2, hidden=32, memory=16), noise)
    learner = Learner(policy, PPOConfig(clone_epochs=8, batch=96, rate=3e-3))
    for _ in range(45):
        senses, labels, course = bells(noise)
        zeros = torch.zeros(len(senses))
        blank = torch.zeros(len(senses), 15)
        experience = Experience(senses, labels, labels, zeros, blank, zeros > 0, zeros, zeros, course)
        learner.learn(experience, "clone", 1.0, noise)
    senses, labels, course = bells(noise)
    assert turned_right(policy, senses, labels, course) > 0.95
    forgetful = replace(course, fresh=torch.ones_like(course.fresh))
    assert turned_right(policy, senses, labels, forgetful) < 0.8
