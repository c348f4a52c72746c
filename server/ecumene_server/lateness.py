"""How punctual decisions are: counted by batch, in ticks, and remembered for each slot; and how frequent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

import numpy as np
from torch import Tensor

BUCKETS: Final = (0, 1, 2, 4, 8, 20)
"""Ticks from the senses of a batch to the tick that its decisions were applied in, upper bounds of a histogram."""
WINDOW: Final = 200
"""Ticks that the share of those who decide is told of."""


class Lateness:
    """How punctual decisions were.

    Attributes:
        on_time: Batches applied as early as could be.
        late: Batches applied later.
        dropped: Batches never asked for, because the minds were still busy.
        ages: Batches by ticks from their senses to the tick they were applied in.
        decided: Decisions, one for each slot of each batch.
        turns: How many there would have been if minds had been fast enough: one for each slot whose turn came.
        tick: Ticks since the minds began.

    Args:
        slots: Of the world.
        soonest: Age of a batch that is as early as can be, ticks.
    """

    def __init__(self, slots: int, *, soonest: int) -> None:
        self.on_time = self.late = self.dropped = self.decided = self.turns = 0
        self.ages: Counter[int] = Counter()
        self.tick = 0
        self._soonest = soonest
        self._sensed = np.full(slots, -1, np.int64)
        self._lately, self._turned = (np.zeros(WINDOW, np.int64) for _ in range(2))

    def begin(self) -> None:
        """Notes that a tick begins."""
        self.tick += 1
        self._lately[self.tick % WINDOW] = self._turned[self.tick % WINDOW] = 0

    def turned(self, slots: Tensor) -> None:
        """Notes whose turn it is in this tick."""
        self.turns += len(slots)
        self._turned[self.tick % WINDOW] += len(slots)

    def came(self, asked: int, slots: Tensor) -> None:
        """Notes that decisions for those slots, asked for in some tick, are applied in this one."""
        age = self.tick - asked
        self.ages[age] += 1
        self.on_time += age <= self._soonest
        self.late += age > self._soonest
        self._sensed[slots.numpy(force=True)] = asked
        self.decided += len(slots)
        self._lately[self.tick % WINDOW] += len(slots)

    def age(self, slot: int) -> int | None:
        """Returns how many ticks ago a slot sensed what it last decided on; None if it has not decided yet."""
        sensed = int(self._sensed[slot])
        return None if sensed < 0 else self.tick - sensed

    def per_tick(self) -> float:
        """Returns how many decisions were applied in a tick, lately; 0 before the first tick."""
        return float(self._lately.sum()) / max(1, min(self.tick, WINDOW))

    def served(self) -> float:
        """Returns the share of turns in which a decision came of it, lately; 1 when nobody's turn came."""
        turns = float(self._turned.sum())
        return min(1.0, float(self._lately.sum()) / turns) if turns else 1.0

    def buckets(self) -> Sequence[tuple[str, float]]:
        """Returns upper bound and number of batches that were at most so old, as Prometheus wants them."""
        counts = [sum(n for age, n in self.ages.items() if age <= bound) for bound in BUCKETS]
        return [*zip((str(bound) for bound in BUCKETS), counts, strict=True), ("+Inf", self.ages.total())]

    def ticks(self) -> int:
        """Returns the sum of all ages."""
        return sum(age * count for age, count in self.ages.items())

    def oldest(self, share: float) -> int:
        """Returns the age that `share` of all batches did not exceed, ticks; 0 before the first."""
        ages = sorted(self.ages)
        sums = accumulate(self.ages[age] for age in ages)
        return next((age for age, some in zip(ages, sums, strict=True) if some >= share * self.ages.total()), 0)
