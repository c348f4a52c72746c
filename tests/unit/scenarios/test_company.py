"""The tasks of company and touch: what counts as queueing, keeping distance, gathering and handing over."""

import math
from pathlib import Path

import pytest

from ecumene_scenarios.batched import BatchedEnv
from ecumene_scenarios.bounds import fared
from ecumene_scenarios.packs.distance import CLOSE_TICKS, GRACE_TICKS, Distance
from ecumene_scenarios.packs.handover import HandOver
from ecumene_scenarios.packs.line import PUSHING_TICKS, SPACING_M, Queue
from ecumene_scenarios.packs.ring import LISTENED_TICKS, Gather
from ecumene_scenarios.packs.task import Task
from ecumene_scenarios.training import Progress, TrainingConfig, train
from ecumene_sim.frame import Actions, Frame
from ecumene_world.command import Interact
from ecumene_world.state import State, Verb

Row = tuple[int, int]


def begun(task: Task, seed: int = 3) -> tuple[BatchedEnv, State]:
    env = BatchedEnv(task, seed=seed, worlds=1)
    env.reset(seed)
    return env, env.session.world.state


def tick(env: BatchedEnv) -> Frame:
    return env.session.end(env.session.begin(), Actions.none())


def those(state: State, verb: Verb) -> list[Row]:
    return [(world, slot) for world, slot in (state.alive & (state.verb == int(verb))).nonzero().tolist()]


def put(state: State, row: Row, x: float, y: float) -> None:
    state.position[row][0], state.position[row][1] = x, y
    state.velocity[row], state.desired_velocity[row] = 0.0, 0.0


def at_spot(env: BatchedEnv, row: Row, number: float, aside: float = 0.0) -> None:
    """Puts somebody at a spot of the line, counted from the counter."""
    front, out = (env.scenario.memory[name][0].tolist() for name in ("front", "out"))
    x, y = (front[axis] + number * SPACING_M * out[axis] for axis in (0, 1))
    put(env.session.world.state, row, x - aside * out[1], y + aside * out[0])


@pytest.fixture
def queue() -> tuple[BatchedEnv, list[Row]]:
    env, state = begun(Queue(least=6, most=6))
    rows = those(state, Verb.QUEUE)
    assert len(rows) >= 3
    for slot in range(state.slots):
        put(state, (0, slot), 6.5, 1.4 * slot - 4)
    return env, rows


def test_who_comes_to_the_end_of_the_line_joins_it_and_is_served_in_turn(queue: tuple[BatchedEnv, list[Row]]) -> None:
    env, rows = queue
    rank = env.scenario.memory["rank"]
    for number, row in enumerate(rows[:3]):
        at_spot(env, row, number)
        tick(env)
    rank = env.scenario.memory["rank"]
    assert [int(rank[row]) for row in rows[:3]] == [0, 1, 2]
    for _ in range(Queue.served_ticks[1]):
        frame = tick(env)
        if frame.left[rows[0]]:
            break
    assert frame.left[rows[0]]
    assert frame.reward[rows[0]] > 0.9
    tick(env)
    rank = env.scenario.memory["rank"]
    assert [int(rank[row]) for row in rows[1:3]] == [0, 1], "the others move up"


@pytest.mark.parametrize(("spot", "aside", "fails"), [(0.2, 0.7, True), (2.0, 0.0, False), (0.2, 2.5, False)])
def test_who_pushes_in_fails(queue: tuple[BatchedEnv, list[Row]], spot: float, aside: float, *, fails: bool) -> None:
    env, rows = queue
    env.scenario.memory["served"] -= 1000
    for number, row in enumerate(rows[:2]):
        at_spot(env, row, number)
        tick(env)
        env.scenario.memory["served"][row] = -1000
    at_spot(env, rows[2], spot, aside)
    frames = [tick(env) for _ in range(PUSHING_TICKS + 1)]
    assert any(bool(frame.left[rows[2]]) for frame in frames) is fails
    assert (min(float(frame.reward[rows[2]]) for frame in frames) < -0.9) is fails


@pytest.mark.parametrize(("metres", "fails"), [(1.1, True), (1.3, False)])
def test_who_stays_near_another_fails(metres: float, *, fails: bool) -> None:
    env, state = begun(Distance(least=8, most=8))
    row, other = those(state, Verb.AVOID)[:2]
    for slot in range(state.slots):
        put(state, (0, slot), 8.0, 2.0 * slot - 8)
    put(state, row, -6.0, 0.0)
    put(state, other, -6.0 + metres, 0.0)
    left = [bool(tick(env).left[row]) for _ in range(GRACE_TICKS + CLOSE_TICKS + 2)]
    assert any(left) is fails
    assert not any(left[: GRACE_TICKS + CLOSE_TICKS - 1])


@pytest.mark.parametrize(
    ("away", "turned", "elbow", "succeeds"),
    [(1.9, 0.0, 2.0, True), (1.0, 0.0, 2.0, False), (1.9, 1.0, 2.0, False), (1.9, 0.0, 0.7, False)],
)
def test_a_listener_stands_in_the_ring_facing_the_speaker(
    away: float, turned: float, elbow: float, *, succeeds: bool
) -> None:
    env, state = begun(Gather(least=5, most=5))
    (speaker,), (row, other, *_) = those(state, Verb.WAIT), those(state, Verb.GATHER)
    for slot in range(state.slots):
        put(state, (0, slot), 8.0, 2.0 * slot - 6)
    put(state, speaker, 0.0, 0.0)
    put(state, row, -away, 0.0)
    put(state, other, -away, -elbow)
    state.goal[row], state.yaw[row], state.target_yaw[row] = 0.0, turned, turned
    left = [bool(tick(env).left[row]) for _ in range(LISTENED_TICKS + 2)]
    assert any(left) is succeeds
    assert not any(left[: LISTENED_TICKS - 1])


def test_speakers_speak_and_never_leave() -> None:
    env, state = begun(Gather(least=4, most=4))
    (speaker,) = those(state, Verb.WAIT)
    spoken = 0
    for _ in range(Gather.limit_ticks // 10 + 20):
        tick(env)
        spoken += int(state.sound[speaker] != 0)
    assert spoken > 20
    assert env.scenario.memory["age"][speaker] <= 1


@pytest.fixture
def pair() -> tuple[BatchedEnv, Row, Row]:
    """A giver with a thing in hand, and its receiver, face to face."""
    env, state = begun(HandOver(least=6, most=6))
    for _ in range(3):
        tick(env)
    giver = those(state, Verb.HAND_OVER)[0]
    receiver = (0, int(state.target[giver]))
    assert state.held[giver] >= 0, "a newcomer takes up its thing"
    assert int(state.target[receiver]) == giver[1], "the receiver knows who brings it something"
    for slot in range(state.slots):
        put(state, (0, slot), 7.0, 2.0 * slot - 6)
    put(state, giver, 0.0, 0.0)
    put(state, receiver, 0.8, 0.0)
    state.yaw[giver] = state.target_yaw[giver] = 0.0
    state.yaw[receiver] = state.target_yaw[receiver] = math.pi
    return env, giver, receiver


def let_go(env: BatchedEnv, giver: Row) -> Frame:
    env.session.world.state.interact[giver] = 1
    return tick(env)


def test_who_lets_go_when_it_is_pulled_succeeds(pair: tuple[BatchedEnv, Row, Row]) -> None:
    env, giver, receiver = pair
    env.scenario.memory["patience"][giver] = 1
    tick(env)
    assert env.session.world.state.touch_hand[giver] > 20
    frame = let_go(env, giver)
    assert frame.left[giver]
    assert frame.left[receiver]
    assert frame.reward[giver] > 0.9
    assert env.scenario.memory["arrived_count"][0] == 1


def test_who_lets_go_before_fails(pair: tuple[BatchedEnv, Row, Row]) -> None:
    env, giver, _ = pair
    env.scenario.memory["patience"][giver] = 100
    frame = let_go(env, giver)
    assert frame.left[giver]
    assert frame.reward[giver] < -0.9
    assert env.scenario.memory["arrived_count"][0] == 0


def test_who_puts_it_down_fails(pair: tuple[BatchedEnv, Row, Row]) -> None:
    env, giver, receiver = pair
    put(env.session.world.state, receiver, 3.0, 0.0)
    assert let_go(env, giver).reward[giver] < -0.9


def test_a_receiver_pulls_only_when_it_has_hesitated_and_only_what_is_near(pair: tuple[BatchedEnv, Row, Row]) -> None:
    env, giver, receiver = pair
    key = env.session.world.key_of(*receiver)

    def pulls() -> bool:
        commands = env.session.begin()
        env.session.end(commands, Actions.none())
        return any(isinstance(each, Interact) and each.key == key for each in commands)

    env.scenario.memory["patience"][giver] = 5
    assert [pulls() for _ in range(6)] == [False] * 4 + [True] * 2
    put(env.session.world.state, giver, -2.0, 0.0)
    assert not pulls()


def test_a_giver_whose_receiver_got_something_else_finds_another(pair: tuple[BatchedEnv, Row, Row]) -> None:
    env, giver, receiver = pair
    state = env.session.world.state
    other = next(row for row in those(state, Verb.HAND_OVER) if row != giver)
    thing = int(state.held[other])
    state.held[other], state.held[receiver], state.thing_holder[0, thing] = -1, thing, receiver[1]
    for _ in range(12):
        tick(env)
    assert int(state.target[giver]) != receiver[1] or state.held[receiver] < 0
    found = int(state.target[giver])
    assert found < 0 or (bool(state.alive[0, found]) and state.verb[0, found] == int(Verb.WAIT))


@pytest.mark.parametrize("task", [Queue, Distance, Gather, HandOver])
def test_the_teacher_shows_that_it_can_be_done(task: type[Task]) -> None:
    found = fared(task(), "teacher", seed=900_003, worlds=2, steps=5)
    assert found["ended"] >= 5
    assert found["success"] >= 0.8


@pytest.mark.parametrize("task", [Queue, Distance, Gather, HandOver])
def test_acting_at_random_achieves_nothing(task: type[Task], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task, "limit_ticks", 160)
    found = fared(task(least=5, most=5), "random", seed=900_003, worlds=3, steps=20)
    assert found["ended"] >= 6
    assert found["success"] < 0.2


def test_letting_go_without_feeling_drops_it() -> None:
    found = fared(HandOver(), "scripted", seed=900_003, worlds=2, steps=10)
    assert found["success"] < 0.5
    assert found["ended"] >= 4


def test_going_straight_for_the_counter_is_no_queueing() -> None:
    straight = fared(Queue(), "scripted", seed=900_003, worlds=2, steps=30)
    assert straight["success"] < 0.6


@pytest.mark.parametrize("task", ["queue", "distance", "gather", "hand_over"])
def test_training_runs_through_all_stages(task: str, tmp_path: Path) -> None:
    config = TrainingConfig(tasks=(task,), worlds=1, arenas=1, steps=3, clone=1, critic=1, improve=1, refresh=3)
    reports: list[Progress] = []
    assert train(config, tmp_path, reports.append).is_file()
    assert [report.stage for report in reports] == ["clone", "critic", "improve"]
    assert all(math.isfinite(value) for report in reports for value in report.numbers.values())


@pytest.mark.parametrize("number", [1, 30])
@pytest.mark.parametrize("task", [Queue, Distance, Gather, HandOver])
def test_one_alone_and_a_crowd_can_try(task: type[Task], number: int) -> None:
    env, state = begun(task(least=number, most=number))
    for _ in range(12):
        frame = tick(env)
    assert 1 <= int(state.alive.sum()) <= number
    assert number == 1 or int(state.alive.sum()) > 8
    assert bool(frame.reward.isfinite().all())
