"""Swapping layouts under a running state: what was true of a name stays true of it."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ecumene_world.layout import Layout
from ecumene_world.state import State


def carried_over(state: State, old: Layout, new: Layout) -> State:
    """Returns a state for the new layout; things and seats are matched by node name and kind, places by name.

    A thing that lay where the old layout put it goes to where the new one does; one that was carried off stays. Who
    sat on, held or was about to use something that is gone no longer does. Avatars keep their storey if it exists.
    """
    fresh = State.empty(state.worlds, state.slots, new, state.device)
    source, target = _shared(old.thing_index, new.thing_index, state.device)
    alike = old.thing_kind[source] == new.thing_kind[target]
    source, target = source[alike], target[alike]
    for name, tensor in state.fields().items():
        column = getattr(fresh, name)
        if name.startswith("thing_"):
            column[:, target] = tensor[:, source]
        else:
            column.copy_(tensor)
    _settle(fresh, state, old, new, (source, target))
    things = _renumbering(len(old.thing_row), source, target)
    fresh.held.copy_(_renumbered(things, state.held))
    named = state.interact >= 2
    wanted = _renumbered(things, torch.where(named, state.interact - 2, -1))
    fresh.interact.copy_(torch.where(named, (wanted + 2).where(wanted >= 0, 0), state.interact))
    fresh.seat.copy_(_renumbered(_seat_renumbering(old, new, things), state.seat))
    fresh.posture[(fresh.seat < 0) & (state.seat >= 0)] = 0
    places = _renumbering(len(old.place_row), *_shared(old.place_index, new.place_index, state.device))
    fresh.place.copy_(torch.where(state.place < 0, state.place, _renumbered(places, state.place)))
    fresh.level.clamp_(max=new.levels - 1)
    fresh.goal_level.clamp_(max=new.levels - 1)
    return fresh


def _settle(fresh: State, state: State, old: Layout, new: Layout, shared: tuple[Tensor, Tensor]) -> None:
    """Puts things that are at rest where the new layout wants them."""
    source, target = shared
    before = state.thing_position[:, source]
    rests = (before == old.thing_position[source]).all(-1) & (state.thing_holder[:, source] < 0)
    fresh.thing_position[:, target] = torch.where(rests[..., None], new.thing_position[target], before)
    fresh.thing_yaw[:, target] = torch.where(rests, new.thing_yaw[target], state.thing_yaw[:, source])


def _seat_renumbering(old: Layout, new: Layout, things: Tensor) -> Tensor:
    """Returns (old S + 1,) the new number of each seat: the same seat of the same thing, -1 if gone."""
    thing = old.seat_thing
    place = (old.thing_seat[thing] == torch.arange(len(thing), device=thing.device)[:, None]).long().argmax(1)
    there = _renumbered(things, thing)
    known = there >= 0
    seats = torch.full((len(thing) + 1,), -1, dtype=torch.int64, device=thing.device)
    seats[:-1][known] = new.thing_seat[there[known], place[known]]
    return seats


def _shared(old: Mapping[str, int], new: Mapping[str, int], device: torch.device) -> tuple[Tensor, Tensor]:
    """Returns old and new indices (n,) of the names that both know."""
    both = [(index, new[name]) for name, index in old.items() if name in new]
    pairs = torch.tensor(both, dtype=torch.int64, device=device).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _renumbering(count: int, source: Tensor, target: Tensor) -> Tensor:
    """Returns (count + 1,) the new index of each old one, -1 if gone; the last row stands for -1."""
    table = torch.full((count + 1,), -1, dtype=torch.int64, device=source.device)
    table[source] = target
    return table


def _renumbered(table: Tensor, index: Tensor) -> Tensor:
    """Returns indices through a renumbering; negative ones become -1."""
    return table[index.clamp(min=-1)]
