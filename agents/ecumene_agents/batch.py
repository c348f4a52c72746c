"""Senses of the engine to rows for a policy, and rows of actions back to bytes for the engine."""

from __future__ import annotations

from dataclasses import fields

from torch import Tensor

from ecumene_models.actions import PolicyActions
from ecumene_models.senses import SenseBatch
from ecumene_sim.frame import Actions, Senses


def batch_of(senses: Senses) -> SenseBatch:
    """Returns senses of A avatars in B worlds as B·A rows, worlds outermost; tensors are views where they can be."""
    rows = {field.name: getattr(senses, field.name, None) for field in fields(SenseBatch)}
    rows["neighbour_present"] = senses.neighbour_slot >= 0
    return SenseBatch(**{name: _flat(tensor) for name, tensor in rows.items() if tensor is not None})


def actions_of(slots: Tensor, actions: PolicyActions) -> Actions:
    """Returns B·A rows of actions, worlds outermost, as (B, A, 8) bytes for the (A,) `slots`."""
    agents = len(slots)
    worlds = len(actions) // max(agents, 1)
    parts = {field.name: getattr(actions, field.name) for field in fields(actions)}
    shaped = {name: part.reshape(worlds, agents, *part.shape[1:]) for name, part in parts.items()}
    return Actions.from_floats(slots, **shaped)


def _flat(tensor: Tensor) -> Tensor:
    return tensor.reshape(tensor.shape[0] * tensor.shape[1], *tensor.shape[2:])
