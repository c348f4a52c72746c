"""A state in one piece of memory, so that it crosses to another process in one write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch

from ecumene_world.layout import Layout
from ecumene_world.state import State

ALIGN: Final = 64


@dataclass(frozen=True, slots=True)
class Mirror:
    """A state whose tensors lie one after the other.

    Attributes:
        state: Views into `data`.
        data: All of it, writable.
    """

    state: State
    data: memoryview

    @classmethod
    def empty(cls, slots: int, layout: Layout) -> Mirror:
        """Returns the mirror of one world's state; both sides make it alike, so only `data` needs to be sent."""
        plain = State.empty(1, slots, layout).fields()
        starts, end = {}, 0
        for name, tensor in plain.items():
            starts[name] = end
            end += -(-tensor.nbytes // ALIGN) * ALIGN
        memory = np.zeros(end, np.uint8)
        whole = torch.from_numpy(memory)
        views = {
            name: whole[starts[name] : starts[name] + tensor.nbytes].view(tensor.dtype).view(tensor.shape)
            for name, tensor in plain.items()
        }
        mirror = cls(State(**views), memory.data)
        for name, tensor in plain.items():
            views[name].copy_(tensor)
        return mirror
