from dataclasses import replace

import pytest

from ecumene_agents.persona import Persona
from ecumene_agents.schedule import Activity, Clock, Entry, current, plan

WORKER = Persona("npc:1", "Mara Holm", "clerk", "calm", 0, 1, (2,), (), 7.0)


@pytest.mark.parametrize(
    ("seconds", "hour", "day"), [(0, 8.0, 0), (600, 20.0, 0), (799.9, 23.998, 0), (800, 0.0, 1), (2000, 0.0, 2)]
)
def test_a_day_lasts_twenty_minutes(seconds: float, hour: float, day: int) -> None:
    clock = Clock()
    assert clock.hour(round(seconds * 20)) == pytest.approx(hour, abs=0.01)
    assert clock.day(round(seconds * 20)) == day


@pytest.mark.parametrize(
    ("hour", "words"),
    [
        (8.0, "eight o'clock in the morning"),
        (12.0, "noon"),
        (0.05, "midnight"),
        (14.5, "half past two in the afternoon"),
        (18.77, "a quarter to seven in the evening"),
        (22.25, "a quarter past ten at night"),
        (23.9, "midnight"),
    ],
)
def test_time_is_spoken_to_the_quarter(hour: float, words: str) -> None:
    assert Clock(day_s=24, start_h=hour).spoken(0) == words


def test_the_plan_is_the_same_each_time_and_differs_between_days_and_people() -> None:
    assert plan(WORKER, 5, 0) == plan(WORKER, 5, 0)
    assert plan(WORKER, 5, 0) != plan(WORKER, 5, 1)
    assert plan(WORKER, 5, 0) != plan(replace(WORKER, key="npc:2"), 5, 0)


def test_a_plan_covers_the_day_in_order() -> None:
    entries = plan(WORKER, 5, 0)
    hours = [entry.hour for entry in entries]
    assert hours == sorted(hours)
    assert all(0 <= hour < 24 for hour in hours)
    assert {Activity.WORK, Activity.MEAL, Activity.HOME} <= {entry.activity for entry in entries}


def test_who_has_no_work_does_not_go_there() -> None:
    free = plan(replace(WORKER, work=-1), 5, 0)
    assert Activity.WORK not in {entry.activity for entry in free}


def test_the_entry_that_is_on_wraps_around_midnight() -> None:
    entries = (Entry(7.0, Activity.MEAL), Entry(9.0, Activity.WORK), Entry(22.0, Activity.HOME))
    found = [current(entries, hour).activity for hour in (6.9, 7.0, 8.9, 12.0, 23.0)]
    assert found == [Activity.HOME, Activity.MEAL, Activity.MEAL, Activity.WORK, Activity.HOME]
