"""Who wishes to use something in a tick, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import torch
from torch import Tensor

from ecumene_sim.compaction import chosen
from ecumene_sim.terrain import take
from ecumene_sim.things import ThingTable
from ecumene_world.state import State

STOREY_M: Final = 1.6
"""What is so much further up or down is on another storey, metres."""
FAR: Final = 1.0e6
"""Added to the distance of what is out of the question."""


class Outcome(IntEnum):
    """What came of an avatar's wish in this tick."""

    NONE = 0
    NOTHING_THERE = 1
    """It wished to use something, but nothing that it could use was in reach, or another was quicker."""
    SAT = 2
    LAY_DOWN = 3
    STOOD_UP = 4
    OPENED = 5
    CLOSED = 6
    TURNED_ON = 7
    TURNED_OFF = 8
    READ = 9
    PICKED_UP = 10
    PUT_DOWN = 11
    HANDED_OVER = 12
    PULLED = 13
    """It pulled at what another holds; that one's hand feels it."""


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """What happened to each avatar.

    Attributes:
        code: (B, C) i64 `Outcome`.
        thing: (B, C) i64 thing index, -1 none.
        other: (B, C) i64 slot handed to, whose thing was pulled at, or who holds the other end, -1 none.
        rested: (B, O) bool: things that returned to rest by themselves.
        dropped: (B, O) bool: things that fell because those who carried them let go, left or strayed apart.
    """

    code: Tensor
    thing: Tensor
    other: Tensor
    rested: Tensor
    dropped: Tensor


@dataclass(slots=True, eq=False)
class Askers:
    """R avatars that wish for something.

    Attributes:
        worlds: B.
        slots: C.
        row: (R,) i64 row of a (B·C) table; also world and slot.
        at: (R, 3) metres.
        yaw: (R,) radians.
        level: (R,) i64.
        wish: (R,) i64: 1 the nearest, 2 + thing index.
        held: (R,) i64 thing in hand, -1 none.
        idle: (R,) bool: wishes for something and has not got it yet.
        code: (R,) i64 `Outcome`; also thing and other as in `Outcomes`.
    """

    worlds: int
    slots: int
    row: Tensor
    world: Tensor
    slot: Tensor
    at: Tensor
    yaw: Tensor
    level: Tensor
    wish: Tensor
    held: Tensor
    idle: Tensor
    code: Tensor
    thing: Tensor
    other: Tensor

    @classmethod
    def of(cls, state: State, asks: Tensor) -> Askers:
        """Returns the avatars where a (B, C) mask is True."""
        row = chosen(asks)
        nothing = torch.full_like(row, -1)
        return cls(
            worlds=state.worlds,
            slots=state.slots,
            row=row,
            world=row // state.slots,
            slot=row % state.slots,
            at=state.position.view(-1, 3).index_select(0, row),
            yaw=state.yaw.view(-1).index_select(0, row),
            level=state.level.view(-1).index_select(0, row),
            wish=state.interact.view(-1).index_select(0, row),
            held=state.held.view(-1).index_select(0, row),
            idle=asks.view(-1).index_select(0, row),
            code=torch.zeros_like(row),
            thing=nothing,
            other=nothing.clone(),
        )

    def note(self, where: Tensor, code: Outcome | Tensor, thing: Tensor | None = None) -> None:
        """Writes what some achieved, (R,) bool; they are idle no more."""
        self.code = torch.where(where, code if isinstance(code, Tensor) else int(code), self.code)
        self.thing = self.thing if thing is None else torch.where(where, thing, self.thing)
        self.idle = self.idle & ~where

    def one_end_free(self, state: State, table: ThingTable) -> Tensor:
        """Returns (R, O) which things somebody holds at one end and nobody at the other, in the askers' worlds."""
        free = table.heavy & (state.thing_holder >= 0) & (state.thing_partner < 0)
        return free.index_select(0, self.world)

    def of_thing(self, field: Tensor, thing: Tensor) -> Tensor:
        """Returns (R, ...) values of a (B, O, ...) field for (R, ...) things of the askers' own worlds."""
        worlds, things = field.shape[:2]
        world = self.world.view(-1, *([1] * (thing.ndim - 1)))
        return take(field.reshape(worlds * things, *field.shape[2:]), world * things + thing.clamp(min=0))


def winners(asking: Askers, wanted: Tensor, wants: Tensor, count: int) -> Tensor:
    """Returns (R,) bool: who gets what they want, the lowest slot of those who want the same.

    Args:
        asking: Who.
        wanted: (R,) i64 index of 0..count-1 of the asker's world.
        wants: (R,) bool.
        count: How many things there are in a world.
    """
    index = asking.world * count + wanted.clamp(min=0)
    lowest = torch.full((asking.worlds * count,), asking.slots, device=wanted.device)
    lowest.scatter_reduce_(0, index, torch.where(wants, asking.slot, asking.slots), "amin")
    return wants & (lowest.index_select(0, index) == asking.slot)
