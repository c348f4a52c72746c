"""Who wears which adapter: by role, for all avatars of a batch at once, and changed while they decide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ecumene_models.adapters import Bank, Wearing, load_adapter
from ecumene_sim.frame import Senses
from ecumene_world.world import World


@dataclass(slots=True)
class _Outfit:
    """Adapters and who wears them, replaced as a whole so that a decision under way ends as it began.

    Attributes:
        bank: The adapters, None for none.
        number: Role to the number of its adapter, from 1.
        worn: (B, C) i64, what the avatar of a slot wears.
        serial: (B, C) i64, which avatar of its slot that is.
    """

    bank: Bank | None
    number: Mapping[str, int]
    worn: Tensor
    serial: Tensor


class Wardrobe:
    """The adapters of a world's roles.

    Args:
        world: Whose avatars.
        policy: Their base.
        adapters: Role to the file of its adapter; other roles wear none.

    Raises:
        WeightsError: A file can't be read, or belongs to another base.
    """

    def __init__(self, world: World, policy: Wearing, adapters: Mapping[str, Path]) -> None:
        self._world, self.policy = world, policy
        self._outfit = self._made(adapters)

    def wear(self, adapters: Mapping[str, Path]) -> None:
        """Changes who wears what from the next decision on; what can't be worn changes nothing.

        Raises:
            WeightsError: A file can't be read, or belongs to another base.
        """
        self._outfit = self._made(adapters)

    @contextmanager
    def dressing(self, senses: Senses) -> Iterator[None]:
        """Lets the sensed slots decide with what they wear, in one pass."""
        outfit = self._outfit
        with self.policy.wearing(self._index(outfit, senses.slots, senses.serial).flatten(), outfit.bank):
            yield

    @contextmanager
    def dressing_one(self, slot: int, world: int, rows: int) -> Iterator[None]:
        """Lets so many rows of one avatar decide with what it wears, in one pass."""
        outfit, slots = self._outfit, torch.tensor([slot])
        index = self._index(outfit, slots, self._world.state.serial[:, slots])[world]
        with self.policy.wearing(index.expand(rows), outfit.bank):
            yield

    def _made(self, adapters: Mapping[str, Path]) -> _Outfit:
        bank = self.policy.bank_of([load_adapter(path) for path in adapters.values()])
        never = torch.full_like(self._world.state.serial, -1)
        number = {role: place for place, role in enumerate(adapters, start=1)}
        return _Outfit(bank, number, torch.zeros_like(never), never)

    def _index(self, outfit: _Outfit, slots: Tensor, serial: Tensor) -> Tensor:
        """Returns (B, A) i64, what these slots wear; looks anew when somebody is new."""
        wide = self._world.state.serial.shape
        if outfit.serial.shape != wide or bool((outfit.serial[:, slots] != serial).any()):
            self._look(outfit, wide)
        return outfit.worn[:, slots]

    def _look(self, outfit: _Outfit, wide: torch.Size) -> None:
        """Notes what everybody wears who is there now."""
        worn = torch.zeros(wide, dtype=torch.int64)
        for who in list(self._world.avatars.values()):
            worn[who.world, who.slot] = outfit.number.get(who.role, 0)
        outfit.worn, outfit.serial = worn.to(outfit.worn.device), self._world.state.serial.clone()
