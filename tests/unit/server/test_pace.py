from __future__ import annotations

from itertools import pairwise

from ecumene_server.pace import MAX_BEHIND, Pace


class Time:
    """A clock that only moves when somebody sleeps or works."""

    def __init__(self) -> None:
        self.now = 5.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


def starts(work_s: list[float]) -> tuple[list[float], Pace]:
    """Returns when each tick began, in periods since the first."""
    time = Time()
    pace = Pace(0.05, time, time.sleep)
    began = []
    for seconds in work_s:
        pace.wait()
        began.append(round((time.now - 5.0) / 0.05, 6))
        time.now += seconds
    return began, pace


def test_short_ticks_begin_on_the_beat() -> None:
    began, pace = starts([0.01, 0.049, 0.0, 0.03])
    assert began == [0, 1, 2, 3]
    assert pace.skipped == 0


def test_a_late_tick_is_caught_up_without_drift() -> None:
    began, pace = starts([0.09, 0.01, 0.01, 0.01])
    assert began == [0, 1.8, 2, 3]
    assert pace.skipped == 0


def test_overload_skips_deadlines_instead_of_spiralling() -> None:
    began, pace = starts([0.12] * 100)
    gaps = {round(b - a, 6) for a, b in pairwise(began)}
    assert gaps == {2.4}, "the world runs slower, at the speed that the machine has"
    assert pace.skipped > 100


def test_after_a_long_pause_the_beat_goes_on_where_it_was() -> None:
    began, pace = starts([1.02, 0.0, 0.0, 0.0, 0.0])
    assert pace.skipped > MAX_BEHIND
    assert began[2:] == [21, 22, 23]


def test_lateness_is_told() -> None:
    time = Time()
    pace = Pace(0.05, time, time.sleep)
    pace.wait()
    time.now += 0.07
    assert round(pace.wait(), 6) == 0.02
