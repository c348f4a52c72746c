"""What recurrent fast minds remember: a row of numbers for each slot, forgotten when somebody else takes it."""

from __future__ import annotations

from typing import Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from ecumene_agents.errors import MindMemoryError
from ecumene_models.actions import PolicyOutput
from ecumene_models.recurrent import RecurrentPolicy
from ecumene_models.senses import SenseBatch

RECALLED: Final = "fast minds"
"""Where a snapshot keeps it, beside what slow minds remember."""
_PARTS: Final = ("held", "before", "serial")


class Remembering:
    """A recurrent policy and what the avatars that it decides for remember.

    Attributes:
        held: (B, C, memory) f32, what each slot remembers, for as many slots as have decided.
        before: (B, C, memory) f32, what it remembered when it decided last, to explain that decision.
        serial: (B, C) i64, whose memory that is.
    """

    def __init__(self, policy: RecurrentPolicy) -> None:
        self._policy = policy
        self.held = torch.zeros(0, 0, policy.config.memory)
        self.before, self.serial = self.held, torch.zeros(0, 0, dtype=torch.int64)

    def decide(self, batch: SenseBatch, slots: Tensor, serial: Tensor) -> PolicyOutput:
        """Decides and remembers.

        Args:
            batch: B·A rows, worlds outermost.
            slots: (A,) i64.
            serial: (B, A) i64, which avatar of its slot it is.
        """
        self._make_room(len(serial), slots, batch.body.device)
        mine = self.serial[:, slots] == serial
        before = self.held[:, slots] * mine[..., None]
        output: PolicyOutput = self._policy(batch, memory=before.flatten(0, 1))
        assert output.memory is not None, "recurrent policies remember"
        self.before[:, slots], self.serial[:, slots] = before, serial
        self.held[:, slots] = output.memory.view_as(before)
        return output

    def row(self, slot: int, world: int) -> Tensor:
        """What a slot remembered when it decided last, (1, memory); zeros for one that hasn't."""
        known = world < self.before.shape[0] and slot < self.before.shape[1]
        return self.before[world, slot][None] if known else self.before.new_zeros(1, self.before.shape[2])

    def pack(self) -> bytes:
        """Everything as bytes, for a snapshot."""
        return save({name: getattr(self, name).cpu().contiguous() for name in _PARTS})

    def unpack(self, data: bytes) -> None:
        """Takes back what `pack` returned.

        Raises:
            MindMemoryError: The bytes are no such memory, or one of another width.
        """
        try:
            found = load(data)
        except SafetensorError as error:
            raise MindMemoryError(f"what the fast minds remember is damaged in a snapshot: {error}") from error
        width, shape = self.held.shape[2], found["serial"].shape if "serial" in found else ()
        wanted = {"held": (*shape, width), "before": (*shape, width), "serial": tuple(shape)}
        if len(shape) != 2 or {name: tuple(tensor.shape) for name, tensor in found.items()} != wanted:
            told = {name: tuple(tensor.shape) for name, tensor in found.items()}
            raise MindMemoryError(f"what the fast minds remember in a snapshot has shapes {told}, not {wanted}")
        device = self.held.device
        self.held, self.before, self.serial = (found[name].to(device) for name in _PARTS)

    def _make_room(self, worlds: int, slots: Tensor, device: torch.device) -> None:
        """Lets the tensors grow to the greatest slot; what is new belongs to nobody."""
        most = max(int(slots.max()) + 1 if len(slots) else 0, self.serial.shape[1])
        if (worlds, most) == tuple(self.serial.shape) and self.held.device == device:
            return
        size = (worlds, most)
        grown = {"held": self.held.new_zeros(*size, self.held.shape[2], device=device)}
        grown |= {"before": grown["held"].clone(), "serial": torch.full(size, -1, device=device)}
        kept = min(worlds, self.serial.shape[0])
        for name, tensor in grown.items():
            tensor[:kept, : self.serial.shape[1]] = getattr(self, name)[:kept].to(device)
            setattr(self, name, tensor)
