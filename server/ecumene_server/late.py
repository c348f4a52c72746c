"""Minds on a thread of their own: the tick waits for them a little, never long."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillThinking
from dataclasses import dataclass
from typing import Final, Protocol

import torch
from torch import Tensor

from ecumene_server.lateness import Lateness
from ecumene_sim.frame import Actions, Senses
from ecumene_world.world import World

PATIENCE_S: Final = 0.012
"""How long a tick waits for decisions at most."""
TRIES: Final = 20
"""Minds that let a tick wait for nothing are not waited for in so many of the next batches."""


class Deciding(Protocol):
    """Whatever decides, trained or scripted."""

    def decide(self, senses: Senses) -> Actions:
        """Decides for the sensed slots."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A batch under way: its answer, the serials that its slots had, and when it was asked for."""

    answer: Future[Actions]
    slots: Tensor
    serial: Tensor
    tick: int


class LateMinds:
    """Decides like the minds inside it, or later if they take longer than a tick can wait.

    Minds that let a tick wait for nothing are slow, and not waited for again for a while.

    An answer that comes late is applied together with the next tick's; rows of avatars that left meanwhile are
    dropped, and so are rows that the next tick decides anew.
    """

    def __init__(self, minds: Deciding, world: World, *, patience_s: float = PATIENCE_S) -> None:
        self.lateness = Lateness(world.state.slots, soonest=0)
        self._minds = minds
        self._world = world
        self._patience_s = patience_s
        self._asked: _Asked | None = None
        self._hopeless = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="minds")

    def decide(self, senses: Senses) -> Actions:
        """Returns the decisions that are ready: those of these senses, of the last tick's, both or none.

        Raises:
            Exception: Whatever the minds raised.
        """
        self.lateness.begin()
        self.lateness.turned(senses.slots)
        earlier = self._collect(0.0)
        if not len(senses.slots):
            return earlier or Actions.none(senses.slots.device)
        if self._asked is not None:
            self.lateness.dropped += 1
            return Actions.none(senses.slots.device)
        self._asked = self._ask(senses)
        now = self._collect(0.0 if self._hopeless else self._patience_s)
        self._hopeless = max(0, self._hopeless - 1) if now is not None or self._hopeless else TRIES
        nothing = Actions.none(senses.slots.device)
        return joined(earlier or nothing, now or nothing)

    def settle(self) -> None:
        """Waits until the minds are idle, so that their memory may be read or saved."""
        if self._asked is not None:
            self._asked.answer.exception()

    def close(self) -> None:
        """Ends the thread after what it is doing."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _ask(self, senses: Senses) -> _Asked:
        serial = self._world.state.serial[0, senses.slots].clone()
        answer = self._thread.submit(self._minds.decide, senses)
        return _Asked(answer, senses.slots, serial, self.lateness.tick)

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
        self.lateness.came(asked.tick, asked.slots)
        same = self._world.state.serial[0, asked.slots] == asked.serial
        gone = asked.slots[~(same & self._world.state.alive[0, asked.slots])]
        return _without(actions, gone) if len(gone) else actions


def _without(actions: Actions, slots: Tensor) -> Actions:
    keep = torch.isin(actions.slots, slots, invert=True)
    return Actions(actions.slots[keep], actions.raw[:, keep])


def joined(earlier: Actions, later: Actions) -> Actions:
    """Returns the decisions of both; of who is in both, the later one."""
    if not len(earlier.slots) or not len(later.slots):
        return later if len(later.slots) else earlier
    rest = _without(earlier, later.slots)
    return Actions(torch.cat([rest.slots, later.slots]), torch.cat([rest.raw, later.raw], dim=1))
