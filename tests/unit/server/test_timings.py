from __future__ import annotations

from itertools import accumulate

import pytest

from ecumene_server.timings import RATE_TICKS, SLOWEST, WINDOW_TICKS, Timings, percentile


class Hands:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def ticked(timings: Timings, hands: Hands, tick: int, *phases: tuple[str, float], rest: float = 0.0) -> None:
    timings.begin()
    for name, seconds in phases:
        hands.now += seconds
        timings.ended(name)
    timings.finish(tick)
    hands.now += rest


def made() -> tuple[Timings, Hands]:
    hands = Hands()
    return Timings(hands, hands), hands


def test_before_the_first_tick_everything_is_zero() -> None:
    timings, _ = made()
    assert (timings.hz(), timings.percentile_ms(0.99), timings.phases_ms(0.5)) == (0.0, 0.0, {})
    assert timings.report()["slowest"] == []


def test_a_phase_is_the_time_since_the_last_one_ended() -> None:
    timings, hands = made()
    ticked(timings, hands, 1, ("think", 0.004), ("step", 0.010))
    assert timings.phases_ms(0.5) == pytest.approx({"think": 4.0, "step": 10.0})
    assert timings.percentile_ms(0.5) == pytest.approx(14.0)


def test_a_phase_that_comes_twice_is_added_up() -> None:
    timings, hands = made()
    ticked(timings, hands, 1, ("sense", 0.002), ("step", 0.001), ("sense", 0.003))
    assert timings.phases_ms(0.5)["sense"] == pytest.approx(5.0)


def test_a_phase_that_a_tick_lacks_counts_as_nothing_there() -> None:
    timings, hands = made()
    ticked(timings, hands, 1, ("think", 0.004))
    for tick in range(2, 6):
        ticked(timings, hands, tick, ("step", 0.001))
    assert timings.phases_ms(0.5) == pytest.approx({"think": 0.0, "step": 1.0})


def test_the_rate_is_taken_from_start_to_start() -> None:
    timings, hands = made()
    for tick in range(RATE_TICKS * 2):
        ticked(timings, hands, tick, ("step", 0.01), rest=0.04 if tick >= RATE_TICKS else 1.0)
    assert timings.hz() == pytest.approx(20.0)


def test_only_the_last_minute_is_kept() -> None:
    timings, hands = made()
    ticked(timings, hands, 0, ("step", 9.0))
    for tick in range(WINDOW_TICKS):
        ticked(timings, hands, tick, ("step", 0.001))
    assert timings.ticks == WINDOW_TICKS + 1
    assert timings.percentile_ms(1.0) == pytest.approx(1.0)


def test_the_slowest_ticks_are_told_with_their_phases() -> None:
    timings, hands = made()
    for tick, seconds in enumerate(accumulate([0.001] * 30)):
        ticked(timings, hands, tick, ("step", seconds))
    slowest = timings.report()["slowest"]
    assert [lap["tick"] for lap in slowest] == list(range(29, 29 - SLOWEST, -1))
    assert slowest[0]["phases_ms"] == {"step": 30.0}
    assert slowest[0]["cpu_ms"] == 30.0


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1), (0.5, 3), (0.99, 4), (1.0, 4)])
def test_percentiles_are_values_that_occurred(share: float, expected: float) -> None:
    assert percentile([4, 1, 3, 2], share) == expected
