"""What hands do with what they hold: let go of an end, hand it over, put it down; and pull at what others hold."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from ecumene_sim.angles import into_frame
from ecumene_sim.asking import FAR, STOREY_M, Askers, Outcome, winners
from ecumene_sim.compaction import nobody, packed, write
from ecumene_sim.terrain import Terrain, take
from ecumene_sim.things import ThingTable
from ecumene_world.state import State

HAND_OVER_M: Final = 1.0
"""How near the other must be to be handed something."""
HANDS: Final = 1024
"""On an accelerator, most avatars of all worlds that hand something over, and that pull, in one tick; of others no
hand is met: what they hold they put down."""
PUT_AHEAD_M: Final = 0.45
"""Things are put down this far ahead, where there is room."""
PULL_S: Final = 0.6
"""How long a pull at a held thing lasts, seconds."""


def let_go(state: State, table: ThingTable, asking: Askers, gives: Tensor) -> Tensor:
    """Lets go of ends of what takes two, which nobody is handed; returns who else gives something away, (R,) bool."""
    if len(table.heavy_index) == 0:
        return gives
    lets = gives & take(table.heavy, asking.held.clamp(min=0))
    write(state.held, asking.row, lets, torch.full_like(asking.held, -1))
    asking.note(lets, Outcome.PUT_DOWN, asking.held)
    return gives & ~lets


def hand_over(state: State, asking: Askers, gives: Tensor) -> None:
    """Gives held things to the nearest avatar ahead whose hands are empty."""
    if nobody(gives):
        return
    giver, there = packed(gives, min(HANDS, len(asking.row)))
    receiver, found = _receiver(state, asking, giver)
    to = torch.full_like(asking.slot, -1)
    write(to, giver, found & there, receiver)
    done = winners(asking, to, to >= 0, asking.slots)
    things = state.thing_holder.shape[1]
    write(state.held, asking.world * asking.slots + to.clamp(min=0), done, asking.held)
    write(state.held, asking.row, done, torch.full_like(asking.held, -1))
    thing = asking.world * things + asking.held.clamp(min=0)
    write(state.thing_holder, thing, done, to)
    write(state.thing_timer, thing, done, torch.zeros_like(asking.yaw))
    asking.other = torch.where(done, to, asking.other)
    asking.note(done, Outcome.HANDED_OVER, asking.held)


def put_down(state: State, terrain: Terrain, asking: Askers, puts: Tensor) -> None:
    """Lays held things on the floor ahead, or at the feet where there is no room."""
    if nobody(puts):
        return
    feet = asking.at[:, :2].t()
    ahead = feet + torch.stack((asking.yaw.cos(), asking.yaw.sin())) * PUT_AHEAD_M
    room = terrain.sample(terrain.near, asking.level, ahead)[0] > 0.1
    spot = torch.where(room, ahead, feet)
    spot = torch.cat((spot, terrain.sample(terrain.floor, asking.level, spot))).t()
    index = asking.world * state.thing_holder.shape[1] + asking.held.clamp(min=0)
    no_one = torch.full_like(asking.held, -1)
    write(state.thing_position, index, puts, spot)
    write(state.thing_holder, index, puts, no_one)
    write(state.held, asking.row, puts, no_one)
    asking.note(puts, Outcome.PUT_DOWN, asking.held)


def pull(state: State, table: ThingTable, asking: Askers) -> None:
    """Lets empty hands pull at what the nearest avatar ahead holds, or at the thing asked for in another's hands.

    Nobody pulls at what takes two: whose end it is, is felt by those who carry it.
    """
    wants = asking.idle & (asking.held < 0)
    if nobody(wants):
        return
    puller, there = packed(wants, min(HANDS, len(asking.row)))
    world, wish = asking.world.index_select(0, puller), asking.wish.index_select(0, puller).unsqueeze(1)
    held = state.held.index_select(0, world)
    able = (held >= 0) & ((wish == 1) | (held == wish - 2))
    if len(table.heavy_index):
        able = able & ~take(table.heavy, held.clamp(min=0))
    slot, found = _nearest_ahead(state, asking, puller, able)
    found = found & there
    thing, whose = torch.full_like(asking.slot, -1), torch.full_like(asking.slot, -1)
    write(thing, puller, found, held.gather(1, slot.unsqueeze(1)).squeeze(1))
    write(whose, puller, found, slot)
    pulls = thing >= 0
    things = state.thing_timer.shape[1]
    felt = winners(asking, thing, pulls, things)
    write(state.thing_timer, asking.world * things + thing.clamp(min=0), felt, torch.full_like(asking.yaw, PULL_S))
    asking.other = torch.where(pulls, whose, asking.other)
    asking.note(pulls, Outcome.PULLED, thing)


def _receiver(state: State, asking: Askers, giver: Tensor) -> tuple[Tensor, Tensor]:
    """Returns for (G,) askers the slot of the nearest empty-handed avatar ahead, and whether there is one."""
    world = asking.world.index_select(0, giver)
    return _nearest_ahead(state, asking, giver, state.held.index_select(0, world) < 0)


def _nearest_ahead(state: State, asking: Askers, who: Tensor, able: Tensor) -> tuple[Tensor, Tensor]:
    """Returns for (G,) askers the slot of the nearest avatar ahead of (G, C) able ones, and whether there is one."""
    world, at, yaw = (column.index_select(0, who) for column in (asking.world, asking.at, asking.yaw))
    away = state.position.index_select(0, world) - at.unsqueeze(1)
    ahead, left = into_frame(away[..., 0], away[..., 1], yaw.cos().unsqueeze(1), yaw.sin().unsqueeze(1))
    square = (away[..., 0] * away[..., 0]).addcmul_(away[..., 1], away[..., 1])
    able = able & state.alive.index_select(0, world)
    able = able & (ahead > left.abs()) & (square < HAND_OVER_M * HAND_OVER_M) & (away[..., 2].abs() < STOREY_M)
    nearest, slot = (square + FAR * ~able).min(dim=1)
    return slot, nearest < FAR
