"""Recall: go once the bell is silent, not before and not too late."""

import pytest
import torch

from ecumene_agents.batch import actions_of, batch_of
from ecumene_scenarios.batched import STRIDE, BatchedEnv, Step
from ecumene_scenarios.packs.recalling import Recall
from ecumene_scenarios.teacher import guided
from ecumene_sim.frame import Actions


def steps(kind: str, count: int) -> list[tuple[Recall, BatchedEnv, Step]]:
    """Lets everybody who waits do one thing, in a world without walkers; yields after each decision."""
    scenario = Recall(least=3, most=4)
    env = BatchedEnv(scenario, seed=2, worlds=2)
    step = env.reset(3)
    found = []
    for _ in range(count):
        batch = batch_of(step.senses)
        rows = torch.arange(len(batch))
        if kind == "teacher":
            actions = actions_of(step.senses.slots, guided(scenario, env.session.world, batch, rows, None))
        else:
            raw = torch.zeros(2, env.slots, 8, dtype=torch.int8)
            raw[..., 0] = 127 * (kind == "hasty")
            actions = Actions(step.senses.slots, raw)
        step = env.step(actions)
        found.append((scenario, env, step))
    return found


@pytest.mark.parametrize(("kind", "least", "most"), [("teacher", 0.7, 1.0), ("idle", 0.0, 0.0), ("hasty", 0.0, 0.0)])
def test_who_goes_in_time_succeeds_and_nobody_else(kind: str, least: float, most: float) -> None:
    scenario = steps(kind, 140)[-1][0]
    totals = scenario.totals()
    assert totals["ended"] >= 4
    assert least <= totals["success"] <= most


def test_silence_before_and_after_sounds_alike_and_only_after_it_may_one_go() -> None:
    scenario = Recall(least=3, most=4)
    env = BatchedEnv(scenario, seed=2, worlds=1)
    step = env.reset(3)
    state = env.session.world.state
    waits = scenario.judged(state) & state.alive
    assert waits.any()
    phases: list[tuple[str, int]] = []
    for _ in range(140):
        rings = bool((scenario.memory["world_age"] >= scenario.memory["ring_from"])[0])
        goes = bool((scenario.hint(state)[0] & waits)[waits].any())
        stands = bool(scenario.standing(state)[waits].all())
        phase = "rings" if rings else "go" if goes else "wait"
        assert stands == (phase != "go")
        if not phases or phases[-1][0] != phase:
            phases.append((phase, 0))
        phases[-1] = (phase, phases[-1][1] + 1)
        still = torch.zeros(1, env.slots, 8, dtype=torch.int8)
        step = env.step(Actions(step.senses.slots, still))
        if bool((step.terminated | step.truncated)[waits].any()):
            break
    assert [name for name, _ in phases[:3]] == ["wait", "rings", "go"]
    assert phases[1][1] == pytest.approx(Recall.ring_ticks / STRIDE, abs=1)
    assert phases[2][1] == pytest.approx(Recall.calm_ticks / STRIDE, abs=1)
