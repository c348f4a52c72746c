"""The tensor environment: shapes, seeds, restarts, and that a world of many goes as it would alone."""

from itertools import pairwise

import pytest
import torch

from ecumene_agents import scripted
from ecumene_scenarios import batched_env
from ecumene_scenarios.batched import STRIDE, BatchedEnv, Step
from ecumene_scenarios.errors import TrainingError, UnknownScenarioError
from ecumene_scenarios.packs.training import Avoid
from ecumene_sim.errors import ActionsError
from ecumene_sim.frame import Actions


def env(worlds: int = 2, seed: int = 2, ticks: int = 1200) -> BatchedEnv:
    scenario = Avoid(least=3, most=5)
    scenario.ticks = ticks
    return BatchedEnv(scenario, seed=seed, worlds=worlds)


def run(made: BatchedEnv, seed: int, steps: int) -> list[Step]:
    found = [made.reset(seed)]
    for _ in range(steps):
        found.append(made.step(scripted.decide(found[-1].senses)))
    return found


def test_shapes() -> None:
    step = run(env(), 1, 1)[-1]
    assert step.senses.vision_depth.shape == (2, 5, 8, 24)
    for tensor in (step.alive, step.serial, step.reward, step.terminated, step.truncated):
        assert tensor.shape == (2, 5)
    assert step.done.shape == (2,)
    assert step.metrics["success"].shape == (2,)


def test_no_worlds_and_actions_that_fit_nobody_are_refused_in_a_sentence() -> None:
    with pytest.raises(TrainingError, match="0 worlds are nothing to step; 1 or more would do"):
        batched_env("goto", worlds=0)
    made = env(worlds=2)
    made.reset(1)
    slots, raw = torch.arange(5), torch.zeros(2, 5, 8, dtype=torch.int8)
    with pytest.raises(ActionsError, match="actions for 3 worlds don't fit the 2 that there are"):
        made.step(Actions(slots, torch.zeros(3, 5, 8, dtype=torch.int8)))
    with pytest.raises(ActionsError, match="slots 1 to 5 are not within 0 and 4"):
        made.step(Actions(slots + 1, raw))
    made.step(Actions(slots, raw))


def test_a_step_is_one_decision() -> None:
    made = env()
    run(made, 1, 3)
    assert made.session.now == 3 * STRIDE


def test_the_same_seed_gives_the_same_episode_in_one_environment() -> None:
    made = env()
    first, second = run(made, 5, 12), run(made, 5, 12)
    for one, other in zip(first, second, strict=True):
        assert torch.equal(one.senses.vision_depth, other.senses.vision_depth)
        assert torch.equal(one.reward, other.reward)
    assert not torch.equal(run(made, 6, 1)[-1].senses.neighbours, first[1].senses.neighbours)


def test_agents_end_once_and_their_place_is_taken_by_somebody_else() -> None:
    steps = run(env(worlds=4), 3, 70)
    ended = 0
    for before, after in pairwise(steps):
        over = after.terminated | after.truncated
        assert not (over & ~before.alive).any(), "only those who acted can end"
        assert (after.serial[over & after.alive] > before.serial[over & after.alive]).all()
        assert (after.serial[before.alive & ~over] == before.serial[before.alive & ~over]).all()
        ended += int(over.sum())
    assert ended > 8


def test_worlds_start_over_together_with_their_clock() -> None:
    steps = run(env(ticks=10 * STRIDE), 3, 21)
    assert [step.done.tolist() for step in steps[9:12]] == [[False] * 2, [True] * 2, [False] * 2]
    assert steps[20].done.all()
    assert (steps[10].terminated | steps[10].truncated)[steps[9].alive].all()
    assert steps[10].alive.any()


def test_without_actions_nobody_moves() -> None:
    made = env()
    made.reset(1)
    before = made.session.world.state.position.clone()
    made.step(Actions.none(worlds=2))
    alive = made.session.world.state.alive
    assert torch.equal(made.session.world.state.position[alive], before[alive])


def test_unknown_scenarios_are_named_with_the_nearest() -> None:
    with pytest.raises(UnknownScenarioError, match=r"'avoyd' is neither .*did you mean 'avoid'\?"):
        batched_env("avoyd")
