from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from tests.integration.squares import square

from ecumene_server.late import PATIENCE_S, LateMinds
from ecumene_sim.engine import Engine
from ecumene_sim.frame import Actions, Senses
from ecumene_world.command import Despawn, Spawn
from ecumene_world.world import World


class SlowMinds:
    """Decide when they are allowed to: each action names the call it comes from."""

    def __init__(self) -> None:
        self.allowed = threading.Semaphore(0)
        self.calls = 0

    def decide(self, senses: Senses) -> Actions:
        assert self.allowed.acquire(timeout=20)
        self.calls += 1
        raw = torch.full((1, len(senses.slots), 8), self.calls, dtype=torch.int8)
        return Actions(senses.slots, raw)


@pytest.fixture(scope="module")
def engine() -> Engine:
    world = World(square(), slots=6)
    world.apply([Spawn(f"npc:{number}") for number in range(4)])
    return Engine(world)


@contextmanager
def late(engine: Engine, minds: SlowMinds, patience_s: float) -> Iterator[LateMinds]:
    found = LateMinds(minds, engine.world, patience_s=patience_s)
    try:
        yield found
    finally:
        minds.allowed.release(100)
        found.close()


def sensed(engine: Engine, *slots: int) -> Senses:
    return engine.sense(torch.tensor(slots, dtype=torch.int64), frozenset())


def told(actions: Actions) -> dict[int, int]:
    return dict(zip(actions.slots.tolist(), actions.raw[0, :, 0].tolist(), strict=True))


def test_quick_minds_are_on_time(engine: Engine) -> None:
    minds = SlowMinds()
    minds.allowed.release(10)
    with late(engine, minds, 20.0) as found:
        assert told(found.decide(sensed(engine, 0, 1))) == {0: 1, 1: 1}
        assert told(found.decide(sensed(engine, 2))) == {2: 2}
        assert (found.lateness.on_time, found.lateness.late, found.lateness.dropped) == (2, 0, 0)


def test_slow_minds_are_one_tick_late_and_counted(engine: Engine) -> None:
    minds = SlowMinds()
    with late(engine, minds, 0.01) as found:
        assert told(found.decide(sensed(engine, 0, 1))) == {}
        minds.allowed.release()
        found.settle()
        minds.allowed.release()
        found._patience_s, found._hopeless = 20.0, 0
        assert told(found.decide(sensed(engine, 1, 2))) == {0: 1, 1: 2, 2: 2}
        assert (found.lateness.on_time, found.lateness.late) == (1, 1)


def test_minds_slower_than_a_tick_never_delay_it(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Minds that take 0.3 s decide at 20 Hz for two seconds: only the first batch is waited for."""

    class Sleepy:
        def decide(self, senses: Senses) -> Actions:
            time.sleep(0.3)
            return Actions(senses.slots, torch.ones((1, len(senses.slots), 8), dtype=torch.int8))

    found, came = LateMinds(Sleepy(), engine.world), 0
    waits: list[float] = []
    collect = found._collect

    def collected(wait_s: float) -> Actions | None:
        waits.append(wait_s)
        return collect(wait_s)

    monkeypatch.setattr(found, "_collect", collected)
    for _ in range(40):
        came += len(found.decide(sensed(engine, 0, 1)).slots) > 0
        time.sleep(0.05)
    found.close()
    late = found.lateness
    assert sum(waits) == PATIENCE_S, "minds held up more than one tick"
    assert (late.on_time, late.late) == (0, came)
    assert came >= 3
    assert late.dropped >= 20
    assert all(age >= 4 for age in late.ages)
    assert dict(late.buckets())["+Inf"] == came
    assert dict(late.buckets())["2"] == 0


def test_how_long_ago_a_slot_sensed_what_it_decided_on(engine: Engine) -> None:
    minds = SlowMinds()
    minds.allowed.release(1)
    with late(engine, minds, 20.0) as found:
        found.decide(sensed(engine, 0))
        assert (found.lateness.age(0), found.lateness.age(1)) == (0, None)
        for _ in range(3):
            found.decide(sensed(engine))
        assert found.lateness.age(0) == 3


def test_minds_that_are_still_busy_are_not_asked_again(engine: Engine) -> None:
    with late(engine, SlowMinds(), 0.01) as found:
        for _ in range(3):
            assert told(found.decide(sensed(engine, 0))) == {}
        assert found.lateness.dropped == 2


def test_a_late_decision_never_reaches_who_took_the_slot_over(engine: Engine) -> None:
    minds = SlowMinds()
    with late(engine, minds, 0.01) as found:
        found.decide(sensed(engine, 0, 1))
        engine.world.apply([Despawn("npc:0"), Spawn("npc:new")])
        minds.allowed.release()
        found.settle()
        assert told(found.decide(sensed(engine))) == {1: 1}
        engine.world.apply([Despawn("npc:new"), Spawn("npc:0")])


def test_when_nobody_decides_nobody_is_asked(engine: Engine) -> None:
    minds = SlowMinds()
    with late(engine, minds, 0.01) as found:
        assert told(found.decide(sensed(engine))) == {}
    assert minds.calls == 0


def test_what_goes_wrong_in_a_mind_reaches_the_tick(engine: Engine) -> None:
    class Broken:
        def decide(self, senses: Senses) -> Actions:
            raise ValueError("no idea")

    found = LateMinds(Broken(), engine.world)
    found._patience_s = 20.0
    with pytest.raises(ValueError, match="no idea"):
        found.decide(sensed(engine, 0))
    found.close()
