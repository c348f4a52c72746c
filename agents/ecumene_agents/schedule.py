"""The day: what time it is in the world, and what each NPC means to do at that time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from operator import attrgetter
from typing import Final

from ecumene_agents.chance import number
from ecumene_agents.persona import Persona
from ecumene_world.state import TICK_HZ

DAY_S: Final = 20 * 60
"""Length of a world's day by default, seconds."""
DAWN_H: Final = 8.0
"""Hour at which a world begins."""


@dataclass(frozen=True, slots=True)
class Clock:
    """World time.

    Attributes:
        day_s: Length of a day, seconds.
        start_h: Hour at tick 0.
    """

    day_s: float = DAY_S
    start_h: float = DAWN_H

    def hour(self, tick: int) -> float:
        """Returns the hour of the day, 0..24."""
        return (self.start_h + 24.0 * tick / (self.day_s * TICK_HZ)) % 24.0

    def day(self, tick: int) -> int:
        """Returns the number of the day, 0 for the first."""
        return int((self.start_h + 24.0 * tick / (self.day_s * TICK_HZ)) // 24.0)

    def spoken(self, tick: int) -> str:
        """Returns the time as people say it, such as "quarter past nine in the morning"."""
        quarter = round(self.hour(tick) * 4) % 96
        hour, part = divmod(quarter, 4)
        near = hour if part < 3 else (hour + 1) % 24
        name = _HOURS[near % 12]
        words = ("{} o'clock", "a quarter past {}", "half past {}", "a quarter to {}")[part].format(name)
        if part == 0 and near % 12 == 0:
            return "noon" if near == 12 else "midnight"
        return f"{words} {part_of_day(hour)}"


_HOURS: Final = ("twelve", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven")


def part_of_day(hour: float) -> str:
    """Returns such as "in the morning"."""
    if hour < 5 or hour >= 22:
        return "at night"
    return "in the morning" if hour < 12 else "in the afternoon" if hour < 18 else "in the evening"


class Activity(Enum):
    """What part of a day is for."""

    HOME = "home"
    WORK = "work"
    MEAL = "meal"
    STROLL = "stroll"
    REST = "rest"
    ERRAND = "errand"
    SOCIAL = "social"


@dataclass(frozen=True, slots=True)
class Entry:
    """One part of a day plan, until the next one begins.

    Attributes:
        hour: When it begins.
        activity: What it is for.
    """

    hour: float
    activity: Activity


_WORKING_DAY: Final = (
    (0.0, Activity.MEAL),
    (1.0, Activity.WORK),
    (5.0, Activity.MEAL),
    (6.0, Activity.STROLL),
    (6.75, Activity.WORK),
    (10.0, Activity.SOCIAL),
    (11.5, Activity.ERRAND),
    (12.5, Activity.REST),
    (13.5, Activity.MEAL),
    (15.0, Activity.HOME),
)
_FREE_DAY: Final = (
    (0.0, Activity.MEAL),
    (1.0, Activity.STROLL),
    (2.5, Activity.REST),
    (3.5, Activity.ERRAND),
    (5.0, Activity.MEAL),
    (6.0, Activity.SOCIAL),
    (8.0, Activity.STROLL),
    (9.5, Activity.REST),
    (11.0, Activity.SOCIAL),
    (12.5, Activity.STROLL),
    (13.5, Activity.MEAL),
    (15.0, Activity.HOME),
)
"""Hours after rising."""


def plan(persona: Persona, seed: int, day: int) -> tuple[Entry, ...]:
    """Returns the day plan of an NPC, in order of hours; what comes before the first entry is the last one's.

    Each entry is up to a quarter of an hour off, so that people don't all set out at once.
    """
    pattern = _WORKING_DAY if persona.work >= 0 else _FREE_DAY
    entries = []
    for part, (after, activity) in enumerate(pattern):
        slack = 0.5 * number(seed, persona.key, day, part) - 0.25
        entries.append(Entry((persona.rising + after + slack) % 24.0, activity))
    return tuple(sorted(entries, key=lambda entry: entry.hour))


def current(entries: Sequence[Entry], hour: float) -> Entry:
    """Returns the entry of a plan, in order of hours, that is on at an hour."""
    return entries[bisect_right(entries, hour, key=attrgetter("hour")) - 1]
