"""How long ticks take, how they divide into phases, and which of them took longest.

A phase is named when it ends, as `ecumene_sim.engine.Probe` does it: the time since the last phase ended is its own.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

WINDOW_TICKS: Final = 1200
"""Ticks that percentiles are taken over: one minute."""
RECENT_TICKS: Final = 600
"""Ticks that `report` tells about: half a minute."""
RATE_TICKS: Final = 200
"""Ticks that the rate is taken over."""
SLOWEST: Final = 10
"""Ticks that are told one by one."""


@dataclass(frozen=True, slots=True)
class Lap:
    """One tick.

    Attributes:
        tick: Its number.
        start: When it began, seconds.
        wall_s: How long it took.
        cpu_s: How much of that its thread computed; the rest it waited for minds, the interpreter or a core.
        late_s: How long after its deadline it began.
        phases: Seconds of each phase, in order.
    """

    tick: int
    start: float
    wall_s: float
    cpu_s: float
    late_s: float
    phases: dict[str, float]

    def told(self) -> dict[str, Any]:
        """Returns it in milliseconds, for people to read."""
        phases = {name: _ms(seconds) for name, seconds in self.phases.items()}
        return {
            "tick": self.tick,
            "ms": _ms(self.wall_s),
            "cpu_ms": _ms(self.cpu_s),
            "late_ms": _ms(self.late_s),
            "phases_ms": phases,
        }


class Timings:
    """Measures ticks on the tick thread; any thread may read what was measured.

    Args:
        clock: Monotonic seconds.
        cpu_clock: Seconds that the calling thread has computed.
    """

    def __init__(
        self, clock: Callable[[], float] = time.perf_counter, cpu_clock: Callable[[], float] = time.thread_time
    ) -> None:
        self.ticks = 0
        """Ticks stepped."""
        self._clock = clock
        self._cpu_clock = cpu_clock
        self._laps: deque[Lap] = deque(maxlen=WINDOW_TICKS)
        self._phases: dict[str, float] = {}
        self._start = self._last = self._cpu = 0.0

    def begin(self) -> None:
        """A tick begins."""
        self._phases = {}
        self._cpu = self._cpu_clock()
        self._start = self._last = self._clock()

    def ended(self, phase: str) -> None:
        """A phase of the tick ends; the same name may come again."""
        now = self._clock()
        self._phases[phase] = self._phases.get(phase, 0.0) + now - self._last
        self._last = now

    def finish(self, tick: int, late_s: float = 0.0) -> None:
        """The tick ends."""
        wall, cpu = self._clock() - self._start, self._cpu_clock() - self._cpu
        self._laps.append(Lap(tick, self._start, wall, cpu, late_s, self._phases))
        self.ticks += 1

    def percentile_ms(self, share: float) -> float:
        """Returns the duration that `share` of the last ticks did not exceed, milliseconds."""
        return percentile([lap.wall_s for lap in self._kept()], share) * 1000

    def hz(self) -> float:
        """Returns ticks a second lately, from start to start."""
        laps = self._kept()[-RATE_TICKS:]
        return (len(laps) - 1) / max(1e-9, laps[-1].start - laps[0].start) if len(laps) > 1 else 0.0

    def phases_ms(self, share: float) -> dict[str, float]:
        """Returns the duration of each phase that `share` of the last ticks did not exceed, milliseconds."""
        laps = self._kept()
        names = dict.fromkeys(name for lap in laps for name in lap.phases)
        return {name: percentile([lap.phases.get(name, 0.0) for lap in laps], share) * 1000 for name in names}

    def report(self) -> dict[str, Any]:
        """Returns everything about the last half minute's ticks, for `/ticks`."""
        laps = self._kept()[-RECENT_TICKS:]
        slowest = sorted(laps, key=lambda lap: lap.wall_s, reverse=True)[:SLOWEST]
        wall, cpu = [lap.wall_s for lap in laps], [lap.cpu_s for lap in laps]
        return {
            "ticks": len(laps),
            "tick_hz": round(self.hz(), 2),
            "tick_ms": _spread(wall),
            "cpu_ms": _spread(cpu),
            "late_ms": _spread([lap.late_s for lap in laps]),
            "phases_ms": {
                name: _spread([lap.phases.get(name, 0.0) for lap in laps])
                for name in dict.fromkeys(name for lap in laps for name in lap.phases)
            },
            "slowest": [lap.told() for lap in slowest],
        }

    def _kept(self) -> list[Lap]:
        """Returns the last ticks; the tick thread may add one meanwhile."""
        while True:
            try:
                return list(self._laps)
            except RuntimeError:  # it was added to while it was copied
                continue


def percentile(values: Iterable[float], share: float) -> float:
    """Returns the value that `share` of them do not exceed, 0 for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def _spread(seconds: list[float]) -> dict[str, float]:
    mean = sum(seconds) / len(seconds) if seconds else 0.0
    shares = (("p50", 0.5), ("p99", 0.99), ("max", 1.0))
    return {"mean": _ms(mean), **{name: _ms(percentile(seconds, share)) for name, share in shares}}


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)
