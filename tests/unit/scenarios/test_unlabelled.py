"""Unlabelled rollouts: who is who later, how bodies moved, and where people walk about."""

import math
from dataclasses import replace

import pytest
import torch

from ecumene_agents import scripted
from ecumene_models.senses import SenseBatch
from ecumene_scenarios import unlabelled
from ecumene_scenarios.errors import TrainingError
from ecumene_scenarios.training import HELD_OUT, TrainingConfig, arena_seed
from ecumene_scenarios.unlabelled import LATER, Stroll, Walks, moved, rollout_seed, walked

FEW = Walks(tasks=("goto", "come"), arenas=1, worlds=2, steps=8)


def test_rollouts_come_from_arenas_apart_from_all_others() -> None:
    seeds = {rollout_seed(Walks(seed=seed), row) for seed in (0, 1, 7, 10_000) for row in range(4)}
    assert max(seeds) < HELD_OUT
    assert not seeds & {arena_seed(TrainingConfig(seed=seed), 0, row) for seed in range(8) for row in range(4)}


def test_a_moment_later_is_the_same_body_where_it_went() -> None:
    found = walked(FEW).checked()
    assert len(found) > 50
    assert found.motion.shape == (len(found), 6)
    assert found.motion[:, :2].norm(dim=1).max() < 1.8 * LATER / 5 + 0.1, "nobody walks faster"
    assert found.motion[:, :2].norm(dim=1).max() > 0.3
    assert (found.later > found.now).all()
    kept = found.senses.rows(found.later).body[:, 3]
    assert found.motion[:, 4].allclose(kept / 1.2, atol=0.01), "gaze is that of the later moment"


def test_pairs_end_with_a_life() -> None:
    serial = torch.tensor([[1, 1], [1, -1], [1, 2], [1, 2], [2, 2], [2, 2]])
    body = torch.arange(60, dtype=torch.float32).view(6, 2, 5)
    senses = SenseBatch.zeros(int((serial >= 0).sum()))
    found = unlabelled._paired(senses, serial, body)
    assert found.now.tolist() == [0, 4], "slot 0 lives on from step 0, slot 1 from step 2; the others change or leave"
    assert found.later.tolist() == [5, 10]


def test_motion_is_seen_by_the_body() -> None:
    start = torch.tensor([[1.0, 1.0, math.pi / 2, 0.0, 0.0]])
    end = torch.tensor([[1.0, 2.0, math.pi, 0.6, -0.4]])
    assert moved(start, end)[0].tolist() == pytest.approx([1.0, 0.0, 0.0, 1.0, 0.5, -0.5], abs=1e-6)


def test_half_walk_at_random_and_half_by_the_scripted_controller() -> None:
    senses = SenseBatch.zeros(200)
    stroll = Stroll(200, torch.Generator().manual_seed(0))
    assert 70 < int(stroll.free.sum()) < 130
    did, led = stroll.act(senses), scripted.act(senses)
    assert torch.equal(did.move[~stroll.free], led.move[~stroll.free])
    assert did.move[stroll.free].std() > 0.2
    assert not did.interact[stroll.free].any()


def test_the_same_seed_gives_the_same_rollouts_and_another_others() -> None:
    first, second, third = walked(FEW), walked(FEW), walked(replace(FEW, seed=1))
    assert torch.equal(first.senses.vision_depth, second.senses.vision_depth)
    assert torch.equal(first.motion, second.motion)
    assert first.motion.shape != third.motion.shape or not torch.equal(first.motion, third.motion)


def test_what_is_no_task_is_refused() -> None:
    with pytest.raises(TrainingError, match="'plaza' is no task, since nobody is rewarded in it"):
        walked(replace(FEW, tasks=("plaza",)))
