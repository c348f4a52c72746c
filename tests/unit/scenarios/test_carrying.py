"""Carrying together: what counts, who knows what, and that the hand is needed."""

import pytest
import torch
from torch import Tensor

from ecumene_agents.batch import batch_of
from ecumene_scenarios.batched import BatchedEnv
from ecumene_scenarios.bounds import fared
from ecumene_scenarios.packs.carrying import ALONE_TICKS, EASES, STILL_TICKS, Carry
from ecumene_sim.frame import Actions, Frame
from ecumene_sim.hauling import EFFORT
from ecumene_sim.interaction import HOLD_N
from ecumene_world.state import State, Verb

Row = tuple[int, int]


class Numb(Carry):
    """The same, with a teacher whose hand feels nothing."""

    def felt(self, state: State) -> Tensor:
        return torch.zeros_like(state.touch_hand)


class Pushy(Carry):
    """The same, with a teacher whose hand feels nothing, and who goes towards the other all the time."""

    def felt(self, state: State) -> Tensor:
        ahead = torch.stack((state.yaw.cos(), state.yaw.sin()), dim=-1)
        return (0.8 - (state.velocity[..., :2] * ahead).sum(-1)) * EFFORT


def tick(env: BatchedEnv) -> Frame:
    return env.session.end(env.session.begin(), Actions.none())


@pytest.fixture
def pair() -> tuple[BatchedEnv, Row, Row]:
    """Two with a stretcher between them: who knows its place, and who does not."""
    env = BatchedEnv(Carry(least=4, most=4), seed=900_002, worlds=1)
    env.reset(900_002)
    state = env.session.world.state
    for _ in range(4):
        tick(env)
    follower = next(slot for slot in range(4) if state.target[0, slot] >= 0)
    return env, (0, int(state.target[0, follower])), (0, follower)


def test_two_come_for_a_stretcher_and_one_knows_where_it_should_go(pair: tuple[BatchedEnv, Row, Row]) -> None:
    env, leader, follower = pair
    state, task = env.session.world.state, env.scenario
    assert (state.verb[0] == int(Verb.CARRY)).all()
    assert (state.held[0] >= 0).all(), "they have taken their ends"
    assert state.held[leader] == state.held[follower]
    assert state.place[leader] >= 0 > state.place[follower]
    assert state.target[leader] == -1
    assert isinstance(task, Carry)
    assert task.judged(state).all()


def test_nothing_tells_the_other_the_place(pair: tuple[BatchedEnv, Row, Row]) -> None:
    env, leader, follower = pair
    state, routes = env.session.world.state, env.session.routes
    seen = []
    for shift in (0.0, 2.0):
        state.goal[leader][:2] += shift
        routes.update(torch.arange(4))
        senses = batch_of(env.session.engine.sense())
        seen.append([getattr(senses, name)[follower[1]] for name in ("goal", "neighbours", "touch", "body", "verb")])
    assert all(torch.equal(*columns) for columns in zip(*seen, strict=True))


def test_both_succeed_when_they_have_stood_long_enough_at_the_place(pair: tuple[BatchedEnv, Row, Row]) -> None:
    env, leader, follower = pair
    state = env.session.world.state
    state.goal[leader] = state.position[leader]
    left = [tick(env).left[0].clone() for _ in range(STILL_TICKS)]
    assert not torch.stack(left[:-1])[:, [leader[1], follower[1]]].any()
    assert left[-1][leader[1]]
    assert left[-1][follower[1]]
    assert env.scenario.memory["arrived_count"][0] == 2


def test_who_moves_has_not_arrived(pair: tuple[BatchedEnv, Row, Row]) -> None:
    env, leader, follower = pair
    state = env.session.world.state
    state.goal[leader] = state.position[leader]
    for step in range(2 * STILL_TICKS):
        state.desired_velocity[follower] = 0.0
        if step % STILL_TICKS == STILL_TICKS - 5:
            state.desired_velocity[follower][0] = 0.8
        assert not tick(env).left[leader]


@pytest.mark.parametrize("who", [0, 1])
def test_both_fail_when_either_lets_go(pair: tuple[BatchedEnv, Row, Row], who: int) -> None:
    env, leader, follower = pair
    state = env.session.world.state
    state.interact[(leader, follower)[who]] = 1
    frame = tick(env)
    for row in (leader, follower):
        assert frame.left[row]
        assert frame.reward[row] < -0.9
    assert env.scenario.memory["arrived_count"][0] == 0
    assert env.scenario.memory["left_count"][0] == 2


def test_whoever_leaves_takes_the_try_with_it(pair: tuple[BatchedEnv, Row, Row]) -> None:
    env, leader, _ = pair
    env.scenario.memory["age"][leader] = Carry.limit_ticks
    tick(env)
    for _ in range(6):
        tick(env)
    assert env.scenario.memory["left_count"][0] >= 2
    assert env.scenario.memory["arrived_count"][0] == 0


def test_whom_nobody_joins_leaves_uncounted(pair: tuple[BatchedEnv, Row, Row]) -> None:
    env, leader, follower = pair
    env.scenario.memory["had"][:] = False
    state = env.session.world.state
    state.alive[follower], state.held[leader] = False, -1
    env.scenario.memory["age"][leader] = ALONE_TICKS
    frame = tick(env)
    assert frame.left[leader]
    assert env.scenario.memory["left_count"][0] == 0


@pytest.mark.parametrize(("newtons", "towards"), [(60.0, 1.0), (-60.0, -1.0), (0.0, 0.0)])
def test_the_hand_says_where_to(pair: tuple[BatchedEnv, Row, Row], newtons: float, towards: float) -> None:
    env, _, follower = pair
    state = env.session.world.state
    state.touch_hand[follower] = HOLD_N + newtons
    state.velocity.zero_()
    told, point = env.scenario.hint(state)  # type: ignore[attr-defined]
    way = point[follower] - state.position[follower][:2]
    ahead = way[0] * state.yaw[follower].cos() + way[1] * state.yaw[follower].sin()
    assert told[follower]
    assert torch.sign(ahead.round(decimals=4)) == towards


def test_who_leads_waits_for_who_hangs_back(pair: tuple[BatchedEnv, Row, Row]) -> None:
    env, leader, _ = pair
    state = env.session.world.state
    state.velocity.zero_()
    speeds = []
    for newtons in (0.0, 30.0, 90.0):
        state.touch_hand[leader] = HOLD_N + newtons
        point = env.scenario.hint(state)[1]  # type: ignore[attr-defined]
        speeds.append(float((point[leader] - state.position[leader][:2]).norm() / 0.6 * state.max_speed[leader]))
    assert speeds == pytest.approx([EASES, EASES / 2, 0.0], abs=1e-3)


def test_the_teacher_shows_that_it_can_be_done() -> None:
    found = fared(Carry(), "teacher", seed=900_003, worlds=1, steps=5)
    assert found["ended"] >= 4
    assert found["success"] >= 0.8


@pytest.mark.parametrize("task", [Numb, Pushy])
def test_without_its_hand_the_teacher_fails(task: type[Carry]) -> None:
    found = fared(task(), "teacher", seed=900_003, worlds=2, steps=5)
    assert found["ended"] >= 8
    assert found["success"] == 0


@pytest.mark.parametrize("player", ["random", "scripted"])
def test_who_does_not_heed_the_other_drops_it(player: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Carry, "limit_ticks", 200)
    found = fared(Carry(least=4, most=4), player, seed=900_003, worlds=2, steps=5)
    assert found["ended"] >= 4
    assert found["success"] == 0
