"""What avatars do with things and with each other: sit, stand up, open, press, read, take, put down, hand over.

A wish to interact lives for one tick. Everyone's best choice is found at once; where several want the same seat, thing
or pair of hands, the lowest slot gets it. Only the few who wish for something are looked at (see `compaction`).
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from ecumene_sim.asking import Askers, Outcome, Outcomes, winners
from ecumene_sim.choice import Choice, choose
from ecumene_sim.compaction import chosen, nobody, write
from ecumene_sim.hands import hand_over, let_go, pull, put_down
from ecumene_sim.terrain import Terrain, take
from ecumene_sim.things import DOOR_CLOSES_S, ThingTable, doorways_taken, toggle
from ecumene_world.kinds import Interaction
from ecumene_world.state import Posture, State

LOOKED_S: Final = 0.5
"""So long ago may be what a wish goes by: decisions are four ticks apart, and some come late."""
ASK_SPEED: Final = 0.3
"""A seated avatar that wants to move faster than this stands up, m/s."""
HAND_N: Final = 15.0
"""Felt by a hand that uses a thing, newtons."""
HOLD_N: Final = 5.0
"""Felt by a hand that holds one."""
PULL_N: Final = 30.0
"""Felt besides by a hand at whose thing another pulls, newtons."""


def interact(state: State, terrain: Terrain, table: ThingTable) -> Outcomes:
    """Carries out everyone's wishes; afterwards nobody has one."""
    code = torch.zeros_like(state.seat)
    thing, other = torch.full_like(code, -1), torch.full_like(code, -1)
    upright = state.posture == int(Posture.STAND)
    asks = state.alive & upright & (state.interact > 0)
    _stand_up(state, terrain, state.alive & ~upright, code, thing)
    if not nobody(asks):
        asking = Askers.of(state, asks)
        _carry_out(state, terrain, table, asking)
        for column, value in ((code, asking.code), (thing, asking.thing), (other, asking.other)):
            write(column, asking.row, asks.view(-1).index_select(0, asking.row), value)
    state.interact.zero_()
    used = (code > int(Outcome.STOOD_UP)).to(state.touch_hand.dtype)
    torch.add(used * HAND_N, (state.held >= 0).to(used.dtype), alpha=HOLD_N, out=state.touch_hand)
    if len(table.loose_index):
        pulled = state.thing_timer.gather(1, state.held.clamp(min=0)) > 0
        state.touch_hand.add_(pulled & (state.held >= 0), alpha=PULL_N)
    nothing = torch.zeros_like(state.thing_state, dtype=torch.bool)
    return Outcomes(code, thing, other, nothing, nothing)


def _carry_out(state: State, terrain: Terrain, table: ThingTable, asking: Askers) -> None:
    """Choose, give away or put down, sit, read, take, switch, pull: in this order."""
    if len(table.sound):
        choice = choose(state, terrain, table, asking)
        gives = asking.idle & (asking.held >= 0)
        spare = (asking.wish == 1) & (choice.thing < 0) & ~_meant_the_door(state, terrain, asking)
        gives = gives & ((asking.wish == asking.held + 2) | spare)
        gives = let_go(state, table, asking, gives)
        hand_over(state, asking, gives)
        put_down(state, terrain, asking, gives & asking.idle)
        _sit(state, terrain, asking, choice)
        asking.note(asking.idle & (choice.kind == int(Interaction.READ)), Outcome.READ, choice.thing)
        _take_and_switch(state, terrain, table, asking, choice)
        pull(state, table, asking)
    asking.note(asking.idle, Outcome.NOTHING_THERE)


def _meant_the_door(state: State, terrain: Terrain, asking: Askers) -> Tensor:
    """Returns (R,) who is at a door that was shut when they looked and has been opened since."""
    if not terrain.has_doors:
        return torch.zeros_like(asking.idle)
    door = terrain.door_at(asking.level, asking.at[:, :2].t())
    leaf = take(terrain.layout.door_thing, door.clamp(min=0))
    return (door >= 0) & (asking.of_thing(state.thing_timer, leaf) > DOOR_CLOSES_S - LOOKED_S)


def _stand_up(state: State, terrain: Terrain, rests: Tensor, code: Tensor, thing: Tensor) -> None:
    """Puts those who rest and want to move, or to interact, or whose seat is gone, on their feet before the seat."""
    if nobody(rests):
        return
    layout, row = terrain.layout, chosen(rests)
    x, y = state.desired_velocity.view(-1, 2).index_select(0, row).unbind(dim=1)
    seat, wish = state.seat.view(-1).index_select(0, row), state.interact.view(-1).index_select(0, row)
    rises = ((x * x + y * y).sqrt() > ASK_SPEED) | (wish > 0) | (seat < 0)
    rises = rises & rests.view(-1).index_select(0, row)
    if len(layout.seat_thing):
        leaves, safe = rises & (seat >= 0), seat.clamp(min=0)
        left = take(layout.seat_thing, safe)
        write(state.position, row, leaves, take(layout.seat_approach, safe))
        write(state.level, row, leaves, take(layout.thing_level, left))
        write(thing, row, leaves, left)
    write(state.posture, row, rises, torch.full_like(row, int(Posture.STAND)))
    write(state.seat, row, rises, torch.full_like(row, -1))
    write(code, row, rises, torch.full_like(row, int(Outcome.STOOD_UP)))


def _sit(state: State, terrain: Terrain, asking: Askers, choice: Choice) -> None:
    """Seats or lays down those who won their seats."""
    layout, row = terrain.layout, asking.row
    wants = asking.idle & (choice.seat >= 0)
    if len(layout.seat_thing) == 0 or nobody(wants):
        return
    sits = winners(asking, choice.seat, wants, len(layout.seat_thing))
    seat = choice.seat.clamp(min=0)
    lies = choice.kind == int(Interaction.LIE)
    yaw, still = take(layout.seat_yaw, seat), torch.zeros((len(row), 3), device=row.device)
    write(state.position, row, sits, take(layout.seat_position, seat))
    write(state.yaw, row, sits, yaw)
    write(state.target_yaw, row, sits, yaw)
    write(state.velocity, row, sits, still)
    write(state.desired_velocity, row, sits, still[:, :2])
    write(state.seat, row, sits, seat)
    write(state.posture, row, sits, torch.where(lies, int(Posture.LIE), int(Posture.SIT)))
    asking.note(sits, torch.where(lies, int(Outcome.LAY_DOWN), int(Outcome.SAT)), choice.thing)


def _take_and_switch(state: State, terrain: Terrain, table: ThingTable, asking: Askers, choice: Choice) -> None:
    """Lets those who won a thing take it, or open, close or switch it; a door in which somebody stands stays open."""
    things = len(table.sound)
    single = asking.idle & (choice.thing >= 0) & (choice.seat < 0)
    if nobody(single):
        return
    won = winners(asking, choice.thing, single, things)
    index = asking.world * things + choice.thing.clamp(min=0)
    takes = won & (choice.kind == int(Interaction.PICK_UP))
    takes = _join(state, table, asking, choice, takes)
    write(state.thing_holder, index, takes & (asking.other < 0), asking.slot)
    write(state.held, asking.row, takes, choice.thing)
    asking.note(takes, Outcome.PICKED_UP, choice.thing)
    switches = won & (choice.kind != int(Interaction.PICK_UP))
    if nobody(switches):
        return
    switches = switches & ~asking.of_thing(doorways_taken(state, terrain), choice.thing)
    toggle(state, table, index, switches)
    on, opens = asking.of_thing(state.thing_state, choice.thing) != 0, choice.kind == int(Interaction.OPEN)
    moved = torch.where(on, int(Outcome.OPENED), int(Outcome.CLOSED))
    turned = torch.where(on, int(Outcome.TURNED_ON), int(Outcome.TURNED_OFF))
    asking.note(switches, torch.where(opens, moved, turned), choice.thing)


def _join(state: State, table: ThingTable, asking: Askers, choice: Choice, takes: Tensor) -> Tensor:
    """Makes those who take what somebody holds already that one's partners; returns who takes something, (R,) bool.

    Who stands too near to the other to have the thing between them takes nothing.
    """
    if len(table.heavy_index) == 0 or nobody(takes):
        return takes
    things, slots = len(table.sound), asking.slots
    index = asking.world * things + choice.thing.clamp(min=0)
    holder = take(state.thing_holder.view(-1), index)
    joins = takes & (holder >= 0)
    away = take(state.position.view(-1, 3), asking.world * slots + holder.clamp(min=0)) - asking.at
    span = (away[:, 0] * away[:, 0]).addcmul_(away[:, 1], away[:, 1]).sqrt_()
    fits = joins & (span > take(table.length, choice.thing.clamp(min=0)))
    write(state.thing_partner, index, fits, asking.slot)
    write(state.thing_span, index, fits, span)
    asking.other = torch.where(fits, holder, asking.other)
    return takes & (fits | ~joins)
