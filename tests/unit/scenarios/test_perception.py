"""Follow, find, come and alarm: who succeeds, who fails, and what the teacher tells those who can know it."""

import math

import pytest
import torch

from ecumene_agents.batch import batch_of
from ecumene_models import SenseBatch
from ecumene_scenarios.batched import BatchedEnv
from ecumene_scenarios.packs.alarm import Alarm
from ecumene_scenarios.packs.calling import CALLER, Come
from ecumene_scenarios.packs.finding import LOOK_AROUND, REACH_M, SORTS, Find
from ecumene_scenarios.packs.following import FAR_M, PATIENCE_TICKS, START_TICKS, Follow
from ecumene_scenarios.packs.task import Task
from ecumene_sim.frame import Actions, Frame
from ecumene_world.kinds import BY_NAME
from ecumene_world.state import TICK_HZ, Sound, State, Verb


def started(task: Task, seed: int = 2, worlds: int = 2) -> BatchedEnv:
    env = BatchedEnv(task, seed=seed, worlds=worlds)
    env.reset(seed)
    return env


def state_of(env: BatchedEnv) -> State:
    return env.session.world.state


def tick(env: BatchedEnv) -> Frame:
    return env.session.end(env.session.begin(), Actions.none(worlds=state_of(env).worlds))


def somebody(env: BatchedEnv, verb: Verb) -> tuple[int, int]:
    state = state_of(env)
    world, slot = (state.alive & (state.verb == int(verb))).nonzero()[0].tolist()
    return world, slot


def put(env: BatchedEnv, row: tuple[int, int], x: float, y: float) -> None:
    state_of(env).position[row][0], state_of(env).position[row][1] = x, y


def guided(env: BatchedEnv, row: tuple[int, int], *, blind: bool = False) -> tuple[bool, float]:
    """Whether the teacher tells somebody where to go, and in which direction, radians to the left."""
    state, scenario, world = state_of(env), env.scenario, env.session.world
    assert isinstance(scenario, Task)
    slots = torch.arange(state.slots)
    env.session.routes.update(slots)
    at = torch.tensor([row[0] * state.slots + row[1]])
    senses: SenseBatch = batch_of(env.session.engine.sense(slots)).rows(at)
    told, point = scenario.guide(world, senses.without("vision") if blind else senses, at)
    way = (point[0] - state.position[row][:2]).tolist()
    return bool(told[0]), math.remainder(math.atan2(way[1], way[0]) - float(state.yaw[row]), math.tau)


def test_who_stays_with_the_leader_to_the_end_has_followed() -> None:
    env = started(Follow(least=4, most=4))
    row, state = somebody(env, Verb.FOLLOW), state_of(env)
    leader = (row[0], int(state.target[row]))
    assert state.verb[leader] == Verb.GO
    for _ in range(Follow.limit_ticks):
        x, y = state.position[leader][:2].tolist()
        put(env, row, x + 1.5, y)
        frame = tick(env)
    assert frame.left[row]
    assert env.scenario.memory["arrived_count"][row[0]] >= 1
    assert state.alive[leader]
    assert not env.scenario.memory["ended"][leader]


def test_who_loses_touch_for_a_second_fails_and_not_before() -> None:
    env = started(Follow(least=4, most=4))
    row, state = somebody(env, Verb.FOLLOW), state_of(env)
    leader = (row[0], int(state.target[row]))
    env.scenario.memory["age"][row] = START_TICKS
    left = []
    for _ in range(PATIENCE_TICKS):
        x, y = state.position[leader][:2].tolist()
        put(env, row, x + FAR_M + 0.2, y)
        left.append(bool(tick(env).left[row]))
    assert left == [False] * (PATIENCE_TICKS - 1) + [True]
    assert env.scenario.memory["arrived_count"].sum() == 0


def test_leaders_go_on_when_they_have_come_to_a_place() -> None:
    env = started(Follow(least=4, most=4))
    row, state = somebody(env, Verb.GO), state_of(env)
    places = set()
    for _ in range(8):
        put(env, row, *state.goal[row][:2].tolist())
        for _ in range(4):
            assert not tick(env).left[row]
        places.add(int(state.place[row]))
    assert len(places) > 2


def test_the_teacher_of_followers_stops_short_of_whom_they_follow() -> None:
    env = started(Follow(least=4, most=4))
    row, state = somebody(env, Verb.FOLLOW), state_of(env)
    scenario = env.scenario
    assert isinstance(scenario, Follow)
    for away, left in ((1.0, 0.0), (2.4, 1.0)):
        x, y = state.position[row[0], int(state.target[row])][:2].tolist()
        put(env, row, x + away, y)
        state.waypoint[row] = state.position[row[0], int(state.target[row])]
        told, point = scenario.hint(state)
        assert told[row]
        assert float((point[row] - state.position[row][:2]).norm()) == pytest.approx(left, abs=1e-4)


def test_only_what_is_sought_counts_as_found() -> None:
    env = started(Find(least=8, most=8))
    row, graph = somebody(env, Verb.FIND), env.session.world.graph
    category = -1 - int(state_of(env).place[row])
    for sort in (sort for sort in SORTS if sort in graph):
        x, y, _ = graph.world_pose(sort).position
        put(env, row, x + REACH_M - 0.1, y)
        memory = env.scenario.memory
        memory["ended"][row] = False
        assert bool(tick(env).left[row]) == (BY_NAME[sort].category == category), sort


def test_nothing_but_looks_tells_where_the_sought_thing_is() -> None:
    env = started(Find(least=8, most=8))
    state = state_of(env)
    alive = state.alive.flatten().nonzero().flatten()
    before = batch_of(env.session.engine.sense(torch.arange(state.slots))).rows(alive)
    state.goal += 3.0
    state.waypoint += 3.0
    after = batch_of(env.session.engine.sense(torch.arange(state.slots))).rows(alive)
    assert all(torch.equal(one, after.tensors()[name]) for name, one in before.tensors().items())
    assert bool((before.goal[:, 5] == 0).all())
    assert len({tuple(row) for row in before.goal.tolist()}) > 2, "they seek different sorts"


def test_who_sees_it_is_guided_there_and_who_does_not_looks_about() -> None:
    env = started(Find(least=1, most=1), worlds=1)
    row, state = somebody(env, Verb.FIND), state_of(env)
    sort = next(sort for sort in SORTS if BY_NAME[sort].category == -1 - int(state.place[row]))
    x, y, _ = env.session.world.graph.world_pose(sort).position
    inwards = math.atan2(-y, -x)
    put(env, row, x + 3.0 * math.cos(inwards), y + 3.0 * math.sin(inwards))
    state.yaw[row] = inwards + math.pi - 0.3
    told, way = guided(env, row)
    assert told
    on = (state.waypoint - state.position)[row][:2].tolist()
    assert way == pytest.approx(math.remainder(math.atan2(on[1], on[0]) - float(state.yaw[row]), math.tau), abs=1e-4)
    assert abs(way) < 0.8
    assert guided(env, row, blind=True)[1] == pytest.approx(LOOK_AROUND, abs=1e-3)
    state.yaw[row] = inwards
    assert guided(env, row)[1] == pytest.approx(LOOK_AROUND, abs=1e-3)


def test_the_caller_calls_every_second_and_stays() -> None:
    env = started(Come(least=8, most=8))
    state, caller = state_of(env), env.session.world.slot_of(f"{CALLER}0")
    assert caller is not None
    begun = 0
    for _ in range(5 * TICK_HZ):
        assert not tick(env).left[0, caller]
        begun += bool((state.sound[0, caller] == Sound.CALL) & (state.sound_age[0, caller] == 1))
    assert begun == 5


def test_a_wall_hides_the_caller_from_those_who_shall_come() -> None:
    env = started(Come(least=10, most=10), worlds=4)
    state = state_of(env)
    env.session.routes.update(torch.arange(state.slots))
    comes = state.alive & (state.verb == int(Verb.COME))
    assert int(comes.sum()) > 8
    senses = env.session.engine.sense(torch.arange(state.slots))
    callers = torch.tensor([env.session.world.slot_of(f"{CALLER}{index}") for index in range(4)])
    far = (senses.neighbour_slot == callers[:, None, None]).any(dim=-1) & comes
    assert int(far.sum()) <= 0.1 * int(comes.sum()), "sight is coarser than walls are"
    assert not senses.goal[comes].any()
    round_about = (state.waypoint - state.goal)[comes][:, :2].norm(dim=-1)
    assert bool((round_about > 0.5).any()), "the teacher's way leads round the wall"


def test_who_stands_before_the_caller_has_come() -> None:
    env = started(Come(least=8, most=8))
    row = somebody(env, Verb.COME)
    x, y = state_of(env).goal[row][:2].tolist()
    put(env, row, x + 2.0, y)
    assert not tick(env).left[row]
    put(env, row, x + 1.4, y)
    assert tick(env).left[row]


def sound_the_alarm(env: BatchedEnv) -> None:
    memory = env.scenario.memory
    memory["ring_from"] = memory["world_age"].clone()


def test_who_leaves_before_the_alarm_fails_and_after_it_succeeds() -> None:
    env = started(Alarm(least=6, most=6))
    first = somebody(env, Verb.LEAVE)
    tick(env)
    put(env, first, Alarm.hall_m / 2 + 0.5, 0.0)
    assert tick(env).reward[first] < -0.5
    assert env.scenario.memory["arrived_count"][first[0]] == 0
    other = (first[0], first[1] + 1)
    sound_the_alarm(env)
    for _ in range(3):
        tick(env)
    assert state_of(env).thing_sound[0, env.session.world.thing("alarm")] == int(Sound.ALARM)
    put(env, other, Alarm.hall_m / 2 + 0.5, 0.0)
    assert tick(env).left[other]
    assert env.scenario.memory["arrived_count"][other[0]] == 1


def test_who_leaves_by_another_than_the_nearest_exit_is_told_apart() -> None:
    task = Alarm(least=6, most=6)
    env = started(task, worlds=1)
    sound_the_alarm(env)
    tick(env)
    exits = env.session.world.layout.place_position[:, :2]
    start = env.scenario.memory["start"]
    rows = [(world, slot) for world, slot in (state_of(env).verb == int(Verb.LEAVE)).nonzero().tolist()[:2]]
    for row, farther in zip(rows, (False, True), strict=True):
        order = (exits - start[row]).norm(dim=1).argsort(descending=farther)
        put(env, row, *(1.02 * exits[order[0]]).tolist())
    tick(env)
    assert task.totals()["nearest_exit"] == pytest.approx(0.5)
    assert float(task.metrics(env.session.world)["nearest_exit"][0]) == pytest.approx(0.5)


@pytest.mark.parametrize("seed", range(4))
def test_two_of_four_exits_are_barred(seed: int) -> None:
    env = started(Alarm(least=2, most=2), seed=seed, worlds=1)
    layout, state = env.session.world.layout, state_of(env)
    assert layout.place_role.count("exit") == 2
    row = somebody(env, Verb.LEAVE)
    assert float(state.goal[row][:2].abs().max()) > Alarm.hall_m / 2
    nearest = (layout.place_position - state.position[row])[:, :2].norm(dim=-1).argmin()
    assert torch.equal(state.goal[row], layout.place_position[nearest])


def test_the_teacher_takes_the_exit_in_view_once_the_alarm_sounds() -> None:
    env = started(Alarm(least=1, most=1), worlds=1)
    row, state = somebody(env, Verb.LEAVE), state_of(env)
    exit_at = env.session.world.layout.place_position[0, :2].tolist()
    put(env, row, 0.5 * exit_at[0], 0.5 * exit_at[1])
    out = math.atan2(*(0.5 * each for each in reversed(exit_at)))
    state.yaw[row] = out
    env.scenario.memory["start"][row] = state.position[row][:2]
    assert not guided(env, row)[0]
    sound_the_alarm(env)
    tick(env)
    told, way = guided(env, row)
    assert told
    assert abs(way) < 0.3
    assert guided(env, row, blind=True)[1] == pytest.approx(LOOK_AROUND, abs=1e-3)
