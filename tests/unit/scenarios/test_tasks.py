"""What the training tasks reward, and what they call success and failure."""

import pytest
import torch

from ecumene_scenarios import run as headless
from ecumene_scenarios.batched import STRIDE, BatchedEnv
from ecumene_scenarios.packs.task import BRUSH_M, Task
from ecumene_scenarios.packs.training import Wait
from ecumene_scenarios.registry import BASICS
from ecumene_sim.frame import Actions, Frame
from ecumene_world.state import TICK_HZ, Sound, State, Verb


@pytest.fixture
def env() -> BatchedEnv:
    env = BatchedEnv(Wait(least=8, most=8), seed=2, worlds=2)
    env.reset(2)
    return env


def waiting(env: BatchedEnv) -> tuple[int, int]:
    """World and slot of somebody who waits."""
    state = env.session.world.state
    world, slot = (state.alive & (state.verb == int(Verb.COME))).nonzero()[0].tolist()
    return world, slot


def tick(env: BatchedEnv) -> Frame:
    return env.session.end(env.session.begin(), Actions.none(worlds=2))


def move_to(state: State, row: tuple[int, int], x: float, y: float) -> None:
    state.position[row][0], state.position[row][1] = x, y


def ring(env: BatchedEnv) -> None:
    memory = env.scenario.memory
    memory["ring_from"] = memory["world_age"].clone()


def test_who_comes_when_the_bell_rings_succeeds(env: BatchedEnv) -> None:
    row = waiting(env)
    ring(env)
    x, y = env.scenario.memory["bell"][row[0]].tolist()
    move_to(env.session.world.state, row, 1.25 * x, 1.25 * y)
    frame = tick(env)
    assert frame.left[row]
    assert frame.reward[row] > 0.9
    assert env.scenario.memory["arrived_count"][row[0]] == 1


def test_coming_takes_no_time_known_where_nobody_came(env: BatchedEnv) -> None:
    world, slot = waiting(env)
    ring(env)
    x, y = env.scenario.memory["bell"][world].tolist()
    move_to(env.session.world.state, (world, slot), 1.25 * x, 1.25 * y)
    took = tick(env).metrics["seconds_to_goal"]
    assert took[world] == pytest.approx(1 / TICK_HZ)
    assert took.isnan().tolist() == [index != world for index in range(2)]
    task = env.scenario
    assert isinstance(task, Task)
    assert task.totals()["seconds_to_goal"] == pytest.approx(1 / TICK_HZ), "the other world doesn't count"


def test_a_run_in_which_nobody_arrives_tells_no_time() -> None:
    found = headless.run("goto", ticks=4, minds="none")
    assert found.metrics["seconds_to_goal"] is None
    assert ("seconds to goal", "–") in found.table()
    assert headless.run("alarm", ticks=4, minds="none").metrics["nearest_exit"] is None


@pytest.mark.parametrize(("metres", "fails"), [(0.4, False), (0.6, True)])
def test_who_strays_before_the_bell_rings_fails(env: BatchedEnv, metres: float, *, fails: bool) -> None:
    row = waiting(env)
    tick(env)
    x, y = env.scenario.memory["start"][row].tolist()
    move_to(env.session.world.state, row, x + metres, y)
    frame = tick(env)
    assert bool(frame.left[row]) is fails
    assert (frame.reward[row] < -0.9) == fails


def test_who_was_on_the_way_may_stop_where_it_is(env: BatchedEnv) -> None:
    row = waiting(env)
    ring(env)
    for _ in range(Wait.ring_ticks + Wait.calm_ticks - 1):
        tick(env)
    x, y = env.scenario.memory["start"][row].tolist()
    move_to(env.session.world.state, row, x + 1.0, y)
    env.scenario.memory["bell"][:] = 99.0
    for _ in range(TICK_HZ // 2):
        assert not tick(env).left[row]


def test_nobody_begins_to_wait_while_the_bell_can_be_heard(env: BatchedEnv) -> None:
    world, scenario, generator = env.session.world, env.scenario, torch.Generator().manual_seed(1)
    assert isinstance(scenario, Task)
    quiet = [scenario.part(world, 0, generator) for _ in range(30)]
    ring(env)
    loud = [scenario.part(world, 0, generator) for _ in range(30)]
    assert Verb.COME in {part.verb for part in quiet if part}
    assert {part.verb for part in loud if part} == {Verb.GO}


def test_the_bell_is_struck_every_second_and_never_blank_when_minds_decide(env: BatchedEnv) -> None:
    ring(env)
    bell, state = env.session.world.thing("bell"), env.session.world.state
    strikes, oldest = 0, 0
    for tick_of_ring in range(1, 4 * TICK_HZ + 1):
        tick(env)
        age = int(state.thing_sound_age[0, bell])
        strikes += age == 1
        oldest = max(oldest, age)
        if tick_of_ring % STRIDE == 0:
            assert state.thing_sound[0, bell] == int(Sound.BELL)
            assert age >= 2
    assert (strikes, oldest) == (4, TICK_HZ - 1)


def test_who_waits_is_told_to_come_only_while_the_bell_rings(env: BatchedEnv) -> None:
    row, scenario, state = waiting(env), env.scenario, env.session.world.state
    assert isinstance(scenario, Task)
    scenario.memory["bell"][:] = 99.0
    told = []
    ring(env)
    for _ in range(Wait.ring_ticks + Wait.calm_ticks):
        tick(env)
        told.append(bool(scenario.hint(state)[0][row]))
        assert told[-1] is not bool(scenario.standing(state)[row])
    assert sum(told) == Wait.ring_ticks
    assert all(told[: Wait.ring_ticks])


def test_tries_that_begin_late_do_not_count_for_success() -> None:
    task = Wait(least=8, most=8)
    task.counted_ticks = 10
    env = BatchedEnv(task, seed=2, worlds=2)
    env.reset(2)
    row, state = waiting(env), env.session.world.state
    tick(env)
    assert task.pending(state)[row]
    task.memory["begun"][row] = 10
    assert not task.pending(state)[row]
    ring(env)
    x, y = task.memory["bell"][row[0]].tolist()
    move_to(state, row, 1.25 * x, 1.25 * y)
    assert tick(env).left[row]
    assert task.memory["arrived_count"][row[0]] == 0


@pytest.mark.parametrize("task", BASICS)
def test_brushing_past_a_wall_costs_something(task: str) -> None:
    env = BatchedEnv(task, seed=3, worlds=1)
    env.reset(3)
    state, layout = env.session.world.state, env.session.world.layout
    row = tuple((state.alive & (state.verb == int(Verb.GO))).nonzero()[0].tolist())
    free = layout.clearance[0]
    rewards = []
    for gap in (BRUSH_M / 2, BRUSH_M * 3):
        iy, ix = ((free - 0.25 - gap).abs() < 0.02).nonzero()[0].tolist()
        move_to(state, row, layout.origin[0] + ix * layout.cell_m, layout.origin[1] + iy * layout.cell_m)
        state.velocity.zero_()
        state.desired_velocity.zero_()
        rewards.append(float(tick_of(env).reward[row]))
    assert rewards[0] < rewards[1]


def tick_of(env: BatchedEnv) -> Frame:
    return env.session.end(env.session.begin(), Actions.none())


def test_errands_have_no_reward() -> None:
    env = BatchedEnv("goto", seed=4, worlds=4)
    step, scenario, state = env.reset(4), env.scenario, env.session.world.state
    assert isinstance(scenario, Task)
    errand = scenario.taught(state) & step.alive
    assert errand.any()
    frame = env.session.end(env.session.begin(), Actions.none(worlds=4))
    assert (frame.reward[errand] == 0).all()
    assert (frame.reward[step.alive & ~errand & (state.verb != int(Verb.WAIT))] != 0).any()
