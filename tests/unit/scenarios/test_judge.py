"""The centralised critic is told of others nearest first, of nobody who isn't there, and learns what it is taught."""

import pytest
import torch

from ecumene_scenarios.batched import BatchedEnv
from ecumene_scenarios.judge import FACTS, OTHERS, SCALE_M, Judge, facts, told
from ecumene_scenarios.packs.training import Avoid, Wait


def crossing(worlds: int = 2) -> BatchedEnv:
    env = BatchedEnv(Avoid(least=3, most=6), seed=2, worlds=worlds)
    env.reset(4)
    return env


def test_it_is_told_of_the_others_nearest_first() -> None:
    env = crossing()
    state = env.session.world.state
    assert isinstance(env.scenario, Avoid)
    known = told(env.scenario, state).view(2, env.slots, 1 + OTHERS, FACTS)
    alone = facts(env.scenario, state)
    assert torch.equal(known[:, :, 0], alone)
    for world, slot in state.alive.nonzero().tolist():
        here = state.position[world, slot, :2]
        gaps = sorted(
            float((state.position[world, other, :2] - here).norm())
            for other in state.alive[world].nonzero().flatten().tolist()
            if other != slot
        )
        seen = known[world, slot, 1:]
        there = seen[:, -1] > 0
        assert int(there.sum()) == len(gaps)
        assert (seen[there][:, :2].norm(dim=1) * SCALE_M).tolist() == pytest.approx(gaps, abs=1e-4)
        assert not seen[~there].any()


def test_empty_slots_are_blank() -> None:
    env = crossing()
    state = env.session.world.state
    assert isinstance(env.scenario, Avoid)
    assert not state.alive.all()
    assert not told(env.scenario, state).view(2, env.slots, -1)[~state.alive].any()


def test_it_knows_where_the_bell_is_that_nobody_hears() -> None:
    scenario = Wait()
    env = BatchedEnv(scenario, seed=2, worlds=1)
    env.reset(4)
    state = env.session.world.state
    waits = (scenario.judged(state) & state.alive)[0]
    place = facts(scenario, state)[0, waits]
    bell = scenario.memory["bell"][0]
    assert torch.allclose((place[:, :2] + place[:, 4:6]) * SCALE_M, bell.expand(len(place), 2), atol=1e-4)


def test_the_order_of_others_does_not_matter_but_who_they_are_does() -> None:
    judge = Judge(torch.Generator().manual_seed(1))
    known = torch.rand(5, 1 + OTHERS, FACTS, generator=torch.Generator().manual_seed(2))
    known[:, :, -1] = 1.0
    shuffled = known.clone()
    shuffled[:, 1:] = known[:, 1:].flip(1)
    assert torch.allclose(judge(known), judge(shuffled), atol=1e-6)
    changed = known.clone()
    changed[:, 1, :4] += 1.0
    assert not torch.allclose(judge(known), judge(changed))


def test_those_who_are_not_there_do_not_count() -> None:
    judge = Judge(torch.Generator().manual_seed(1))
    known = torch.zeros(3, 1 + OTHERS, FACTS)
    known[:, 0] = 0.5
    other = known.clone()
    other[:, 1:, :4] = 9.0
    assert torch.equal(judge(known), judge(other))
