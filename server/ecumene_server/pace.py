"""Real time: fixed-rate deadlines that never drift and never spiral."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

MAX_BEHIND: Final = 3
"""Ticks that may be caught up by running faster; beyond that they are skipped."""


class Pace:
    """Deadlines every `period_s` from the start.

    A tick that takes too long is followed by ticks without a pause until the deadlines are met again; when more than
    `MAX_BEHIND` of them have passed, they are given up and counted: the world then runs slower than the clock instead
    of falling ever further behind.
    """

    def __init__(
        self,
        period_s: float,
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.period_s = period_s
        self.skipped = 0
        """Deadlines that were given up."""
        self._clock = clock
        self._sleep = sleep
        self._next = clock()

    def wait(self) -> float:
        """Sleeps until the next deadline; returns how late it is, seconds (0 when it slept)."""
        now = self._clock()
        behind = now - self._next
        if behind < 0:
            self._sleep(-behind)
        elif behind > MAX_BEHIND * self.period_s:
            missed = int(behind / self.period_s)
            self.skipped += missed
            self._next += missed * self.period_s
        self._next += self.period_s
        return max(0.0, behind)
