"""Who drives each avatar slot, and when minds are asked: staggered, so that every tick decides for its share.

Who rests is passed over in most turns, until something happens to it (see `resting`).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Final

import torch
from torch import Tensor

from ecumene_agents.resting import resting
from ecumene_sim.frame import Actions
from ecumene_world.command import Command, Steer
from ecumene_world.kinds import BY_NAME
from ecumene_world.state import TICK_HZ
from ecumene_world.world import World

DECISION_HZ: Final = 5
"""Decisions a second of each mind."""
STRIDE: Final = TICK_HZ // DECISION_HZ
"""Ticks between two decisions of the same slot."""
RESTING_TURNS: Final = 4
"""Who rests takes one turn in so many: 1.25 decisions a second."""
HOLD_TICKS: Final = 3 * TICK_HZ
"""An NPC that somebody steers goes back to its mind this long after the last steering."""

_VISITOR: Final = BY_NAME["visitor"].code


class Driver(IntEnum):
    """Who decides for a slot."""

    NONE = 0
    """Nobody: the slot is empty, or its avatar stands where it is put."""
    MINDS = 1
    PERSON = 2


class Roster:
    """Drivers of all slots of a world: people drive visitors, and whatever they steer; minds drive the rest.

    Attributes:
        stride: Ticks between two decisions of the same slot.
    """

    def __init__(self, world: World, *, stride: int = STRIDE) -> None:
        self.stride = stride
        self._world = world
        self._held: dict[str, int] = {}
        self._idle: set[str] = set()

    def driver(self, key: str) -> Driver:
        """Returns who drives an avatar; `NONE` if it is not here."""
        who = self._world.avatars.get(key)
        if who is None or key in self._idle:
            return Driver.NONE
        return Driver.PERSON if who.kind == _VISITOR or key in self._held else Driver.MINDS

    def idle(self, key: str, *, idle: bool = True) -> None:
        """Takes an avatar from its mind, for a statue or a test, or gives it back."""
        if idle:
            self._idle.add(key)
        else:
            self._idle.discard(key)

    def deciding(self, tick: int) -> Tensor:
        """Returns the (A,) i64 slots whose minds decide in this tick, ascending; the same in all worlds.

        A slot is passed over when those who have it in any world rest, and this is not one of their turns.
        """
        state = self._world.state
        slot = torch.arange(state.slots, device=state.device)
        minded = (state.alive & (state.kind != _VISITOR)).any(dim=0) & (slot % self.stride == tick % self.stride)
        minded[self._driven()] = False
        slots = minded.nonzero().flatten()
        passed = ((slots + tick) // self.stride % RESTING_TURNS != 0).nonzero().flatten()
        rests = resting(state, slots[passed]) | ~state.alive[:, slots[passed]]
        awake = torch.ones_like(slots, dtype=torch.bool)
        awake[passed] = ~rests.all(dim=0)
        return slots[awake]

    def override(self, actions: Actions, commands: Sequence[Command]) -> Actions:
        """Returns the actions without those of avatars that people drive: people win over minds.

        A person who steers an NPC holds it from this tick until `HOLD_TICKS` after the last steering.
        """
        now, here = int(self._world.state.tick[0]), self._world.avatars
        steered = {command.key for command in commands if isinstance(command, Steer)} & here.keys() - self._idle
        self._held |= {key: now for key in steered if here[key].kind != _VISITOR}
        self._held = {k: t for k, t in self._held.items() if now - t <= HOLD_TICKS and k in here}
        self._idle &= here.keys()
        minded = ~(self._world.state.alive & (self._world.state.kind == _VISITOR)).any(dim=0)
        minded[self._driven()] = False
        keep = minded[actions.slots]
        return Actions(actions.slots[keep], actions.raw[:, keep])

    def _driven(self) -> list[int]:
        """Returns the slots of NPCs that no mind drives."""
        here = self._world.avatars
        return [here[key].slot for key in (*self._held, *self._idle) if key in here]
