"""Who sees what: each client gets the frames of the cells around its own, within a byte budget.

The 3 × 3 cells around a client come every tick, the ring around them every `FAR_EVERY` ticks. Clients in the same
cell get the same bytes, joined once. When the bytes of a cell's neighbourhood exceed the budget, cells wait for
their turn: the own cell first, then by how long they have waited and how near they are. Frames are whole states, so
a cell that comes less often only moves less smoothly.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ecumene_server.codec import FLAG_FAR, Cell, with_flags

FAR_EVERY: Final = 5
"""Ticks between two frames of a far cell: 4 Hz."""
BUDGET_BYTES: Final = 16_384
"""Bytes a client gets each tick on average; 320 KB/s at 20 Hz."""
FORGET_TICKS: Final = 200
"""A neighbourhood that nobody stood in for this long loses its memory of who waits."""

_NEAR: Final = tuple((dx, dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1))
_FAR: Final = tuple((dx, dy) for dx in range(-2, 3) for dy in range(-2, 3) if max(abs(dx), abs(dy)) == 2)


class Neighbourhood:
    """What clients in one cell are owed: byte credit and how long each cell has waited."""

    __slots__ = ("credit", "sent", "used")

    def __init__(self) -> None:
        self.credit = 0.0
        self.sent: dict[Cell, int] = {}
        self.used = 0

    def choose(
        self, center: Cell, frames: Mapping[Cell, bytes], far: Mapping[Cell, bytes], tick: int, budget: int
    ) -> bytes:
        """Returns the joined frames for this tick; empty when nothing is near or the budget is spent."""
        self.used = tick
        self.credit = min(self.credit + budget, 2.0 * budget)
        near = [cell for cell in _around(center, _NEAR) if cell in frames]
        ring = [cell for cell in _around(center, _FAR) if cell in far and self._waited(cell, tick) >= FAR_EVERY]
        total = sum(len(frames[cell]) for cell in near) + sum(len(far[cell]) for cell in ring)
        if total > self.credit:
            return self._rationed(center, near, ring, frames, far, tick)
        self.credit -= total
        for cell in ring:
            self.sent[cell] = tick
        return b"".join([*(frames[cell] for cell in near), *(far[cell] for cell in ring)])

    def _rationed(
        self,
        center: Cell,
        near: list[Cell],
        ring: list[Cell],
        frames: Mapping[Cell, bytes],
        far: Mapping[Cell, bytes],
        tick: int,
    ) -> bytes:
        waiting = [(self._urgency(center, cell, tick), cell, frames[cell]) for cell in near]
        waiting += [(self._urgency(center, cell, tick), cell, far[cell]) for cell in ring]
        parts = []
        for _, cell, frame in sorted(waiting, reverse=True):
            if self.credit <= 0:
                break
            self.credit -= len(frame)
            self.sent[cell] = tick
            parts.append(frame)
        return b"".join(parts)

    def _waited(self, cell: Cell, tick: int) -> int:
        return tick - self.sent.get(cell, tick - FAR_EVERY)

    def _urgency(self, center: Cell, cell: Cell, tick: int) -> float:
        distance = max(abs(cell[0] - center[0]), abs(cell[1] - center[1]))
        return self._waited(cell, tick) / (1 + 2 * distance)


class Interest:
    """Joins cell frames into messages, once for each cell that clients stand in."""

    def __init__(self, budget_bytes: int = BUDGET_BYTES) -> None:
        self.budget_bytes = budget_bytes
        self._places: dict[Cell, Neighbourhood] = {}
        self._frames: Mapping[Cell, bytes] = {}
        self._far: dict[Cell, bytes] = {}
        self._joined: dict[Cell, bytes] = {}
        self._tick = 0

    def begin(self, frames: Mapping[Cell, bytes], tick: int) -> None:
        """Takes this tick's frames of all occupied cells."""
        self._frames = frames
        self._far = {cell: with_flags(frame, FLAG_FAR) for cell, frame in frames.items()}
        self._joined = {}
        self._tick = tick
        if tick % FORGET_TICKS == 0:
            self._places = {c: place for c, place in self._places.items() if tick - place.used < FORGET_TICKS}

    def message(self, cell: Cell) -> bytes:
        """Returns the hot message for clients in the cell, empty when there is nothing to say."""
        if cell not in self._joined:
            place = self._places.setdefault(cell, Neighbourhood())
            self._joined[cell] = place.choose(cell, self._frames, self._far, self._tick, self.budget_bytes)
        return self._joined[cell]


def _around(center: Cell, offsets: tuple[Cell, ...]) -> list[Cell]:
    return [(center[0] + dx, center[1] + dy) for dx, dy in offsets]
