"""A scenario's memory as bytes: a plain dictionary of tensors, kept in snapshots beside the world."""

from __future__ import annotations

from collections.abc import Mapping

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from ecumene_scenarios.errors import ScenarioError


def packed(memory: Mapping[str, Tensor]) -> bytes:
    """The tensors as safetensors bytes."""
    return save({name: tensor.detach().cpu().contiguous().clone() for name, tensor in memory.items()})


def unpacked(data: bytes) -> dict[str, Tensor]:
    """The tensors of `packed`, on the CPU.

    Raises:
        ScenarioError: The bytes are no such memory.
    """
    try:
        return load(data)
    except SafetensorError as error:
        raise ScenarioError(f"the scenario's memory in a snapshot is damaged: {error}") from error
