"""Minds on a thread of their own: the tick waits for them a little, never long."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillThinking
from dataclasses import dataclass
from typing import Final, Protocol

import torch
from torch import Tensor

from ecumene_sim.frame import Actions, Senses
from ecumene_world.world import World

PATIENCE_S: Final = 0.012
"""How long a tick waits for the decisions of its own senses."""


class Deciding(Protocol):
    """Whatever decides, trained or scripted."""

    def decide(self, senses: Senses) -> Actions:
        """Decides for the sensed slots."""


@dataclass(slots=True)
class Lateness:
    """How punctual decisions were.

    Attributes:
        on_time: Batches applied in the tick of their senses.
        late: Batches applied one tick later.
        dropped: Batches never asked for, because the minds were still busy.
    """

    on_time: int = 0
    late: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class _Asked:
    """A batch under way: its answer, and the serials that its slots had."""

    answer: Future[Actions]
    slots: Tensor
    serial: Tensor


class LateMinds:
    """Decides like the minds inside it, at most one tick later.

    An answer that comes late is applied together with the next tick's; rows of avatars that left meanwhile are
    dropped, and so are rows that the next tick decides anew.
    """

    def __init__(self, minds: Deciding, world: World, *, patience_s: float = PATIENCE_S) -> None:
        self.lateness = Lateness()
        self._minds = minds
        self._world = world
        self._patience_s = patience_s
        self._asked: _Asked | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="minds")

    def decide(self, senses: Senses) -> Actions:
        """Returns the decisions that are ready: those of these senses, of the last tick's, both or none.

        Raises:
            Exception: Whatever the minds raised.
        """
        earlier = self._collect(0.0)
        if self._asked is not None:
            earlier = self._collect(self._patience_s)
        if not len(senses.slots):
            return earlier or Actions.none(senses.slots.device)
        if self._asked is not None:
            self.lateness.dropped += 1
            return Actions.none(senses.slots.device)
        self._asked = self._ask(senses)
        now = self._collect(self._patience_s)
        self.lateness.on_time += now is not None
        self.lateness.late += earlier is not None
        return _joined(earlier, now, senses.slots.device)

    def settle(self) -> None:
        """Waits until the minds are idle, so that their memory may be read or saved."""
        if self._asked is not None:
            self._asked.answer.exception()

    def close(self) -> None:
        """Ends the thread after what it is doing."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _ask(self, senses: Senses) -> _Asked:
        serial = self._world.state.serial[0, senses.slots].clone()
        return _Asked(self._thread.submit(self._minds.decide, senses), senses.slots, serial)

    def _collect(self, wait_s: float) -> Actions | None:
        """Returns the answer under way if it comes within the time, reduced to avatars that are still the same."""
        asked = self._asked
        if asked is None:
            return None
        try:
            actions = asked.answer.result(timeout=wait_s)
        except StillThinking:
            return None
        self._asked = None
        same = self._world.state.serial[0, asked.slots] == asked.serial
        gone = asked.slots[~(same & self._world.state.alive[0, asked.slots])]
        return _without(actions, gone) if len(gone) else actions


def _without(actions: Actions, slots: Tensor) -> Actions:
    keep = torch.isin(actions.slots, slots, invert=True)
    return Actions(actions.slots[keep], actions.raw[:, keep])


def _joined(earlier: Actions | None, now: Actions | None, device: torch.device) -> Actions:
    if earlier is None or now is None:
        return earlier or now or Actions.none(device)
    rest = _without(earlier, now.slots)
    return Actions(torch.cat([rest.slots, now.slots]), torch.cat([rest.raw, now.raw], dim=1))
