from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from tests.integration.squares import square

from ecumene_server import apart
from ecumene_server.apart import ApartMinds
from ecumene_server.errors import FailedError
from ecumene_server.kept import Kept
from ecumene_sim.frame import Actions
from ecumene_world import Node, compile_layout
from ecumene_world.command import Despawn, SetIntent, Spawn
from ecumene_world.state import Posture, Verb
from ecumene_world.world import World

NOBODY = torch.zeros(0, dtype=torch.int64)


def inhabited() -> World:
    world = World(square(), slots=8)
    world.apply([Spawn(f"npc:{number}", position=(10.0 * number, -20.0, 0.0)) for number in range(6)])
    world.apply([SetIntent(f"npc:{number}", Verb.GO, place="square") for number in range(6)])
    return world


@pytest.fixture(scope="module")
def minds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApartMinds]:
    found = ApartMinds(inhabited(), None, Kept(tmp_path_factory.mktemp("layouts"), "square"))
    yield found
    found.close()


def until(minds: ApartMinds, slots: torch.Tensor, enough: Callable[[Actions], bool]) -> Actions:
    """Ticks until what is decided is enough."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        decided = minds.decide(slots)
        if enough(decided):
            return decided
        time.sleep(0.02)
    raise AssertionError("no decision came")


def settled(minds: ApartMinds, answers: int = 1) -> None:
    """Waits until so many answers lie ready."""
    end = time.monotonic() + 60
    while len(minds._crew._answers) < answers and time.monotonic() < end:
        time.sleep(0.005)


def idle(minds: ApartMinds) -> None:
    """Waits until the process is there and has nothing to do."""
    until(minds, torch.tensor([0]), some)
    while minds._asked or minds._due:
        minds.decide(NOBODY)
        time.sleep(0.005)


def some(decided: Actions) -> bool:
    return len(decided.slots) > 0


def test_what_is_decided_comes_later_with_the_waypoints(minds: ApartMinds) -> None:
    state = minds._world.state
    state.waypoint.zero_()
    slots = torch.tensor([0, 4])
    assert not some(minds.decide(slots))
    decided = until(minds, slots, some)
    assert decided.slots.tolist() == [0, 4]
    assert bool(decided.raw[0, :, :2].any()), "nobody moves"
    assert bool(state.waypoint[0, [0, 4]].any(dim=-1).all())
    assert not bool(state.waypoint[0, 1].any())


def test_who_was_given_another_intent_meanwhile_keeps_it(minds: ApartMinds) -> None:
    idle(minds)
    state, slots = minds._world.state, torch.tensor([0, 1, 2])
    minds.decide(slots)
    settled(minds)
    point = (2.0, 3.0, 0.0)
    minds._world.apply([SetIntent("npc:0", Verb.GO, point=point), SetIntent("npc:1", Verb.FOLLOW, target="npc:5")])
    followed, before = state.position[0, 5].tolist(), state.goal[0, 2].tolist()
    assert minds.decide(NOBODY).slots.tolist() == [0, 1, 2]
    assert state.goal[0, 0].tolist() == state.waypoint[0, 0].tolist() == list(point)
    assert state.goal[0, 1].tolist() == followed
    assert state.goal[0, 2].tolist() == before
    minds._world.apply([SetIntent(f"npc:{number}", Verb.GO, place="square") for number in range(2)])


def test_who_sat_down_or_got_up_meanwhile_does_not_do_what_it_wished_before(minds: ApartMinds) -> None:
    idle(minds)
    state, slots = minds._world.state, torch.tensor([0, 1, 2])
    state.posture[0, 1] = int(Posture.SIT)
    minds.decide(slots)
    settled(minds)
    state.posture[0, :2] = torch.tensor([int(Posture.SIT), int(Posture.STAND)])
    assert minds.decide(NOBODY).slots.tolist() == [2]
    until(minds, slots, lambda decided: decided.slots.tolist() == [0, 1, 2])
    state.posture[0, 0] = int(Posture.STAND)


def test_the_goal_of_who_goes_after_somebody_moves_along(minds: ApartMinds) -> None:
    idle(minds)
    state = minds._world.state
    minds._world.apply([SetIntent("npc:1", Verb.FOLLOW, target="npc:5")])
    state.position[0, 5, 0] += 2.0
    until(minds, torch.tensor([1]), lambda decided: 1 in decided.slots.tolist())
    assert state.goal[0, 1].tolist() == state.position[0, 5].tolist()
    minds._world.apply([SetIntent("npc:1", Verb.GO, place="square")])


@pytest.mark.parametrize(
    ("batch", "expected"),
    [(1, [[0, 4], [1, 5], [2], [3], [0, 4]]), (3, [[0, 4], [1, 2, 5], [0, 3, 4]]), (99, [[0, 4], [0, 1, 2, 3, 4, 5]])],
)
def test_shares_wait_in_line_while_the_minds_are_busy(
    minds: ApartMinds, monkeypatch: pytest.MonkeyPatch, batch: int, expected: list[list[int]]
) -> None:
    monkeypatch.setattr(apart, "BATCH", batch)
    monkeypatch.setattr(apart, "UNDER_WAY", 1)
    shares = [torch.tensor([0, 4]), torch.tensor([1, 5]), torch.tensor([2]), torch.tensor([3])]
    idle(minds)
    minds.decide(shares[0])
    settled(minds)
    minds._due = dict(zip((1, 2, 3), shares[1:], strict=True)) | {0: shares[0]}
    told = []
    for _ in range(6):
        told.append(minds.decide(NOBODY).slots.tolist())
        if minds._asked:
            settled(minds)
    assert [slots for slots in told if slots] == expected


def test_the_next_question_lies_ready_while_one_is_thought_about(minds: ApartMinds) -> None:
    shares = [torch.tensor([0, 4]), torch.tensor([1, 5]), torch.tensor([2]), torch.tensor([3])]
    idle(minds)
    minds.seconds = 0.0
    state, came = minds._world.state, []
    os.kill(minds._crew._process.pid, signal.SIGSTOP)
    try:
        for share in shares:
            state.position[0, share, 1] += 1.0
            came.append(some(minds.decide(share)))
        assert not any(came)
        assert [asked.slots.tolist() for asked in minds._asked] == [[0, 4], [1, 5]]
        assert [slots.tolist() for slots in minds._due.values()] == [[2], [3]]
        before, after = (mirror.state.position[0, :, 1] for mirror in minds._mirrors)
        assert (after - before).tolist() == [0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0], "each has the world of its tick"
    finally:
        os.kill(minds._crew._process.pid, signal.SIGCONT)
    settled(minds, 2)
    assert sorted(minds.decide(NOBODY).slots.tolist()) == [0, 1, 4, 5], "both are told at once"


@pytest.mark.parametrize(("seconds", "ready"), [(0.0, True), (9.0, False)])
def test_it_lies_ready_no_earlier_than_it_is_needed(minds: ApartMinds, seconds: float, *, ready: bool) -> None:
    idle(minds)
    minds.seconds = seconds
    os.kill(minds._crew._process.pid, signal.SIGSTOP)
    try:
        minds.decide(torch.tensor([0, 4]))
        minds.decide(torch.tensor([1, 5]))
        assert len(minds._asked) == 1 + ready
        minds._begun -= 9.0  # so long has the process thought
        minds.decide(NOBODY)
        assert len(minds._asked) == 2
    finally:
        os.kill(minds._crew._process.pid, signal.SIGCONT)
    settled(minds, 2)
    assert some(minds.decide(NOBODY))


@pytest.mark.parametrize(("count", "ready"), [(8, False), (400, True)])
def test_a_question_about_few_is_expected_to_end_sooner(minds: ApartMinds, count: int, *, ready: bool) -> None:
    """The last one took 0.12 s for so many: if for 400, that of 6 is over within a tick, if for 8, not."""
    idle(minds)
    minds.seconds, minds._count = 0.12, count
    os.kill(minds._crew._process.pid, signal.SIGSTOP)
    try:
        minds.decide(torch.tensor([0, 1, 2, 3, 4, 5]))
        minds.decide(torch.tensor([0]))
        assert len(minds._asked) == 1 + ready
    finally:
        os.kill(minds._crew._process.pid, signal.SIGCONT)
    settled(minds, 1 + ready)
    assert some(minds.decide(NOBODY))


def test_who_is_decided_for_twice_does_the_later(minds: ApartMinds) -> None:
    idle(minds)
    minds.seconds = 0.0
    minds.decide(torch.tensor([0, 4]))
    state = minds._world.state
    state.yaw[0, 0] += 2.0
    minds.decide(torch.tensor([0]))
    settled(minds, 2)
    earlier, later = (answer.raw[0].tolist() for answer in minds._crew._answers)
    decided = minds.decide(NOBODY)
    assert decided.slots.tolist() == [4, 0]
    assert decided.raw[0, 1].tolist() == later
    assert earlier != later, "the two would not tell"


def test_a_decision_never_reaches_who_took_the_slot_over(minds: ApartMinds) -> None:
    slots = torch.tensor([0, 4])
    until(minds, slots, some)
    settled(minds)
    minds._world.apply([Despawn("npc:0"), Spawn("npc:new")])
    assert minds._world.slot_of("npc:new") == 0
    assert minds.decide(slots).slots.tolist() == [4]


def test_a_new_layout_is_taken_up(minds: ApartMinds) -> None:
    slots = torch.tensor([0, 4])
    until(minds, slots, some)
    world = minds._world
    graph = square()
    graph.add(Node("another bench", "bench"))
    fresh = World(graph, slots=8, layout=compile_layout(graph))
    world.graph, world.layout, state = graph, fresh.layout, world.state
    fresh.apply([Spawn(f"npc:{number}", position=(10.0 * number, -20.0, 0.0)) for number in range(6)])
    fresh.state.serial.copy_(state.serial)
    world.state = fresh.state
    assert not some(minds.decide(slots)), "an answer of the old layout"
    assert some(until(minds, slots, some))


def test_a_process_that_stands_still_holds_no_tick_up(minds: ApartMinds) -> None:
    shares = [torch.tensor([slot, *([slot + 4] if slot < 2 else [])]) for slot in range(4)]
    until(minds, shares[0], some)
    settled(minds)
    late, dropped = minds.lateness.late, minds.lateness.dropped
    minds.decide(shares[0])
    os.kill(minds._crew._process.pid, signal.SIGSTOP)
    try:
        came = [some(minds.decide(shares[tick % 4])) for tick in range(1, 14)]
    finally:
        os.kill(minds._crew._process.pid, signal.SIGCONT)
    assert not any(came[1:]), "an answer of before may have come, no other"
    assert minds.lateness.dropped > dropped + 4
    until(minds, shares[0], some)
    assert minds.lateness.late > late
    assert max(minds.lateness.ages) >= 12
    assert minds.lateness.age(0) is not None


def test_a_process_that_dies_is_started_again(minds: ApartMinds) -> None:
    slots = torch.tensor([0, 4])
    until(minds, slots, some)
    minds._crew._process.kill()
    minds._crew._process.wait()
    assert some(until(minds, slots, some))


def test_one_that_never_decides_is_given_up(minds: ApartMinds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "PROGRAM", "ecumene_server.no_such_program")
    idle(minds)
    minds._crew._process.kill()
    with pytest.raises(FailedError, match="ended with status 1, 3 times in a row"):
        until(minds, torch.tensor([0]), some)


def test_a_layout_that_cannot_be_kept_ends_it(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where a folder is needed")
    minds = ApartMinds(inhabited(), None, Kept(tmp_path / "taken", "square"))
    with pytest.raises(FailedError, match="can't be kept"):
        until(minds, torch.tensor([0]), some)
    minds.close()
