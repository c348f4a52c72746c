"""Who wears which adapter: by role or by intent, for all avatars of a batch at once, and changed while they decide.

An adapter's name says who wears it: that of a role, such as "clerk", or "while-" and a verb, such as "while-queue", for
everybody who intends that. Who might wear two wears that of its role.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from ecumene_models.adapters import Bank, Wearing, load_adapter
from ecumene_models.errors import WeightsError
from ecumene_sim.frame import Senses
from ecumene_world.state import Verb
from ecumene_world.world import World

WHILE: Final = "while-"
"""Names of adapters that go with an intent begin like this."""


@dataclass(slots=True)
class _Outfit:
    """Adapters and who wears them, replaced as a whole so that a decision under way ends as it began.

    Attributes:
        bank: The adapters, None for none.
        number: Name to the number of its adapter, from 1.
        meant: (verbs,) i64, the number of the adapter that goes with an intent, 0 for none.
        worn: (B, C) i64, what the avatar of a slot wears for its role.
        serial: (B, C) i64, which avatar of its slot that is.
    """

    bank: Bank | None
    number: Mapping[str, int]
    meant: Tensor
    worn: Tensor
    serial: Tensor


class Wardrobe:
    """The adapters of a world's roles and intents.

    Args:
        world: Whose avatars.
        policy: Their base.
        adapters: Name to the file of its adapter; whom no name fits wears none.

    Raises:
        WeightsError: A file can't be read, or belongs to another base, or a name ends with no verb.
    """

    def __init__(self, world: World, policy: Wearing, adapters: Mapping[str, Path]) -> None:
        self._world, self.policy = world, policy
        self._outfit = self._made(adapters)

    def wear(self, adapters: Mapping[str, Path]) -> None:
        """Changes who wears what from the next decision on; what can't be worn changes nothing.

        Raises:
            WeightsError: A file can't be read, or belongs to another base, or a name ends with no verb.
        """
        self._outfit = self._made(adapters)

    @contextmanager
    def dressing(self, senses: Senses) -> Iterator[None]:
        """Lets the sensed slots decide with what they wear, in one pass."""
        outfit = self._outfit
        with self.policy.wearing(self._index(outfit, senses.slots, senses.serial, senses.verb).flatten(), outfit.bank):
            yield

    @contextmanager
    def dressing_one(self, slot: int, world: int, verb: Tensor, rows: int) -> Iterator[None]:
        """Lets so many rows of one avatar decide with what it wears while it intends a verb, in one pass."""
        outfit, slots = self._outfit, torch.tensor([slot])
        serial = self._world.state.serial[:, slots]
        index = self._index(outfit, slots, serial, verb.to(serial.device).expand(serial.shape))[world]
        with self.policy.wearing(index.expand(rows), outfit.bank):
            yield

    def _made(self, adapters: Mapping[str, Path]) -> _Outfit:
        bank = self.policy.bank_of([load_adapter(path) for path in adapters.values()])
        never = torch.full_like(self._world.state.serial, -1)
        number = {name: place for place, name in enumerate(adapters, start=1)}
        return _Outfit(bank, number, _meant(number).to(never.device), torch.zeros_like(never), never)

    def _index(self, outfit: _Outfit, slots: Tensor, serial: Tensor, verb: Tensor) -> Tensor:
        """Returns (B, A) i64, what these slots wear; looks anew when somebody is new."""
        wide = self._world.state.serial.shape
        if outfit.serial.shape != wide or bool((outfit.serial[:, slots] != serial).any()):
            self._look(outfit, wide)
        worn = outfit.worn[:, slots]
        return torch.where(worn > 0, worn, outfit.meant[verb])

    def _look(self, outfit: _Outfit, wide: torch.Size) -> None:
        """Notes what everybody who is there now wears for its role."""
        worn = torch.zeros(wide, dtype=torch.int64)
        for who in list(self._world.avatars.values()):
            worn[who.world, who.slot] = outfit.number.get(who.role, 0)
        outfit.worn, outfit.serial = worn.to(outfit.worn.device), self._world.state.serial.clone()


def _meant(number: Mapping[str, int]) -> Tensor:
    """Returns (verbs,) i64, the number of the adapter that goes with each intent.

    Raises:
        WeightsError: A name ends with no verb.
    """
    meant = torch.zeros(len(Verb), dtype=torch.int64)
    verbs = {verb.name.lower(): int(verb) for verb in Verb}
    for name, place in number.items():
        if name.startswith(WHILE):
            asked = name.removeprefix(WHILE)
            if asked not in verbs:
                raise WeightsError(f"no NPC wears {name!r}: {asked!r} is no verb; there are {', '.join(verbs)}")
            meant[verbs[asked]] = place
    return meant
