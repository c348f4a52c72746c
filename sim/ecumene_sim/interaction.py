"""What avatars do with things and with each other: sit, stand up, open, press, read, take, put down, hand over.

A wish to interact lives for one tick. Everyone's best choice is found at once; where several want the same seat, thing
or pair of hands, the lowest slot gets it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import torch
from torch import Tensor

from ecumene_sim.angles import into_frame
from ecumene_sim.neighbours import Pairs
from ecumene_sim.terrain import Terrain, take
from ecumene_sim.things import ThingTable, mark, occupied, toggle
from ecumene_world.kinds import Interaction
from ecumene_world.state import Posture, State


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


HAND_OVER_M: Final = 1.0
"""How near the other must be to be handed something."""
ASK_SPEED: Final = 0.3
"""A seated avatar that wants to move faster than this stands up, m/s."""
PUT_AHEAD_M: Final = 0.45
"""Things are put down this far ahead, where there is room."""
HAND_N: Final = 15.0
"""Felt by a hand that uses a thing, newtons."""
HOLD_N: Final = 5.0
"""Felt by a hand that holds one."""
_STOREY_M: Final = 1.6
_BEHIND: Final = 0.35
"""Things behind the back count as this share of the reach further away."""
_FAR: Final = 1.0e6


@dataclass(slots=True, eq=False)
class Outcomes:
    """What happened to each avatar, (B, C) i64, and which things returned to rest, (B, O) bool."""

    code: Tensor
    thing: Tensor
    other: Tensor
    rested: Tensor

    @classmethod
    def none(cls, state: State) -> Outcomes:
        """Returns outcomes of a tick in which nobody did anything."""
        nobody = torch.full_like(state.seat, -1)
        rested = torch.zeros_like(state.thing_state, dtype=torch.bool)
        return cls(torch.zeros_like(state.seat), nobody, nobody.clone(), rested)

    def note(self, where: Tensor, code: Outcome | Tensor, thing: Tensor | None = None) -> None:
        """Writes a code, and a thing, where a (B, C) mask says so."""
        self.code = torch.where(where, code if isinstance(code, Tensor) else int(code), self.code)
        if thing is not None:
            self.thing = torch.where(where, thing, self.thing)


def interact(state: State, terrain: Terrain, table: ThingTable, near: Pairs) -> Outcomes:
    """Carries out everyone's wishes; afterwards nobody has one."""
    outcomes = Outcomes.none(state)
    wish = state.interact * state.alive
    stand_up(state, terrain, wish, outcomes)
    upright = (state.posture == int(Posture.STAND)) & (wish > 0) & (outcomes.code == 0)
    if state.thing_state.shape[1]:
        choice = choose(state, terrain, table, wish, upright)
        gives = upright & (state.held >= 0) & ((wish == state.held + 2) | ((wish == 1) & (choice.thing < 0)))
        hand_over(state, near, gives, outcomes)
        put_down(state, terrain, gives & (outcomes.code == 0), outcomes)
        _use(state, terrain, table, choice, outcomes)
    outcomes.note(upright & (outcomes.code == 0), Outcome.NOTHING_THERE)
    used = (outcomes.code > int(Outcome.STOOD_UP)).to(state.touch_hand.dtype)
    state.touch_hand.copy_(used * HAND_N + (state.held >= 0) * HOLD_N)
    state.interact.zero_()
    return outcomes


def stand_up(state: State, terrain: Terrain, wish: Tensor, outcomes: Outcomes) -> None:
    """Puts seated avatars that want to move, or to interact, or whose seat is gone, on their feet before the seat."""
    layout = terrain.layout
    asked = (state.desired_velocity[..., 0].square() + state.desired_velocity[..., 1].square()).sqrt() > ASK_SPEED
    rises = state.alive & (state.posture != int(Posture.STAND)) & (asked | (wish > 0) | (state.seat < 0))
    outcomes.note(rises, Outcome.STOOD_UP)
    if len(layout.seat_thing):
        seat = state.seat.clamp(min=0)
        thing = take(layout.seat_thing, seat)
        spot = take(layout.seat_approach, seat)
        leaves = (rises & (state.seat >= 0)).unsqueeze(-1)
        state.position.copy_(torch.where(leaves, spot, state.position))
        state.level.copy_(torch.where(leaves.squeeze(-1), take(layout.thing_level, thing), state.level))
        outcomes.note(rises & (state.seat >= 0), Outcome.STOOD_UP, thing)
    state.posture.masked_fill_(rises | ~state.alive, int(Posture.STAND))
    state.seat.masked_fill_(rises | ~state.alive, -1)


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """What each avatar wants to use: thing index and seat index, (B, C) i64, -1 none."""

    thing: Tensor
    seat: Tensor


def choose(state: State, terrain: Terrain, table: ThingTable, wish: Tensor, upright: Tensor) -> Choice:
    """Returns the thing that each of (B, C) avatars would use, by nearness and facing, and its best seat."""
    asked = torch.where(wish >= 2, wish - 2, -1).unsqueeze(-1)
    around = things_around(state, terrain, table)
    candidates = torch.where(wish.unsqueeze(-1) == 1, around, -1)
    candidates = torch.cat((candidates, asked), dim=-1)
    badness, seat = _badness(state, terrain, table, candidates)
    badness = badness + _FAR * ~upright.unsqueeze(-1)
    best = badness.argmin(dim=-1, keepdim=True)
    found = badness.gather(-1, best).squeeze(-1) < 1.0
    thing = candidates.gather(-1, best).squeeze(-1).masked_fill(~found, -1)
    return Choice(thing, seat.gather(-1, best).squeeze(-1).masked_fill(~found, -1))


def things_around(state: State, terrain: Terrain, table: ThingTable) -> Tensor:
    """Returns (B, C, k) i64 things that might be in reach, -1 padded: fixed ones by coarse cell, loose ones nearest."""
    x, y = state.position[..., 0], state.position[..., 1]
    fixed = terrain.things_near(state.level, x, y)
    loose = table.loose_index
    if len(loose) == 0:
        return fixed
    fixed = fixed.masked_fill(take(table.loose, fixed.clamp(min=0)) & (fixed >= 0), -1)
    at = state.thing_position.index_select(1, loose).unsqueeze(1)
    free = (state.thing_holder.index_select(1, loose) < 0).unsqueeze(1)
    square = (at[..., 0] - x.unsqueeze(-1)).square() + (at[..., 1] - y.unsqueeze(-1)).square()
    square = square + _FAR * ~free + _FAR * ((at[..., 2] - state.position[..., 2:3]).abs() > _STOREY_M)
    return torch.cat((fixed, take(loose, square.argmin(dim=-1, keepdim=True))), dim=-1)


def _badness(state: State, terrain: Terrain, table: ThingTable, candidates: Tensor) -> tuple[Tensor, Tensor]:
    """Returns how far candidates (B, C, k) are as shares of the reach (1 or more: can't be used), and best seats."""
    layout, thing = terrain.layout, candidates.clamp(min=0)
    kind = take(layout.thing_interaction, thing)
    dx, dy, dz = _towards(state, _of_things(state.thing_position, thing))
    distance = (dx * dx + dy * dy).sqrt()
    seat, seat_distance = _best_seat(state, terrain, thing)
    sits = (kind == int(Interaction.SIT)) | (kind == int(Interaction.LIE))
    share = torch.where(sits, seat_distance, distance) / take(table.reach, kind)
    ahead, _ = into_frame(dx, dy, state.yaw.cos().unsqueeze(-1), state.yaw.sin().unsqueeze(-1))
    behind = (1.0 - ahead / distance.clamp(min=0.1)) * (0.5 * _BEHIND)
    carried = _of_things(state.thing_holder.unsqueeze(-1), thing).squeeze(-1) >= 0
    takes = kind == int(Interaction.PICK_UP)
    hands_full = takes & (state.held >= 0).unsqueeze(-1)
    elsewhere = (dz.abs() > _STOREY_M) | (~takes & (take(layout.thing_level, thing) != state.level.unsqueeze(-1)))
    busy = (state.held >= 0) & (state.interact == 1)
    shut = (kind == int(Interaction.OPEN)) & (_of_things(state.thing_state.unsqueeze(-1), thing).squeeze(-1) == 0)
    elsewhere = elsewhere | (busy.unsqueeze(-1) & ~shut)
    never = (candidates < 0) | (share >= 1.0) | (takes & carried) | hands_full | elsewhere
    return (share + behind) * (1.0 / (1.0 + _BEHIND)) + _FAR * never, seat.masked_fill(~sits, -1)


def _of_things(field: Tensor, thing: Tensor) -> Tensor:
    """Returns (B, C, k, n) values of a (B, O, n) field."""
    index = thing.view(len(thing), -1, 1).expand(-1, -1, field.shape[-1])
    return field.gather(1, index).view(*thing.shape, field.shape[-1])


def _towards(state: State, point: Tensor) -> tuple[Tensor, ...]:
    """Returns dx, dy, dz from avatars to (B, C, k, 3) points."""
    return (point - state.position.unsqueeze(2)).unbind(dim=-1)


def _best_seat(state: State, terrain: Terrain, thing: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the nearest free seat of each thing (B, C, k), and its distance; far when it has none."""
    layout = terrain.layout
    if len(layout.seat_thing) == 0:
        return torch.full_like(thing, -1), torch.full(thing.shape, _FAR, device=thing.device)
    seats = take(layout.thing_seat, thing)
    worlds = len(seats)
    taken = taken_seats(state, len(layout.seat_thing)).gather(1, seats.clamp(min=0).view(worlds, -1)).view(seats.shape)
    spot = take(layout.seat_position, seats.clamp(min=0))
    away = spot[..., :2] - state.position[..., None, None, :2]
    distance = (away[..., 0].square() + away[..., 1].square()).sqrt() + _FAR * (taken | (seats < 0))
    nearest, which = distance.min(dim=-1, keepdim=True)
    return seats.gather(-1, which).squeeze(-1), nearest.squeeze(-1)


def taken_seats(state: State, seats: int) -> Tensor:
    """Returns (B, S) bool: somebody sits or lies there."""
    return mark(torch.where(state.alive & (state.seat >= 0), state.seat, seats), seats)


def winners(wanted: Tensor, count: int) -> Tensor:
    """Returns (B, count) i64 the lowest slot that wants each of `count` things, the number of slots where none does.

    Args:
        wanted: (B, C) i64 thing index or -1.
        count: How many things there are.
    """
    worlds, slots = wanted.shape
    lowest = torch.full((worlds, count + 1), slots, dtype=torch.int64, device=wanted.device)
    slot = torch.arange(slots, device=wanted.device).expand(worlds, -1)
    index = torch.where(wanted >= 0, wanted, count)
    return lowest.scatter_reduce_(1, index, slot, "amin")[:, :count]


def _won(wanted: Tensor, winner: Tensor) -> Tensor:
    """Returns (B, C) bool: the avatar wants something, and is the one who gets it."""
    if winner.shape[1] == 0:
        return torch.zeros_like(wanted, dtype=torch.bool)
    slot = torch.arange(wanted.shape[1], device=wanted.device)
    return (winner.gather(1, wanted.clamp(min=0)) == slot) & (wanted >= 0)


def _use(state: State, terrain: Terrain, table: ThingTable, choice: Choice, outcomes: Outcomes) -> None:
    """Lets those who got what they chose sit, take, read, open or press it."""
    layout = terrain.layout
    kind = take(layout.thing_interaction, choice.thing.clamp(min=0))
    idle = (choice.thing >= 0) & (outcomes.code == 0)
    seat = torch.where(idle, choice.seat, -1)
    _sit(state, terrain, kind, _won(seat, winners(seat, len(layout.seat_thing))), choice, outcomes)
    reads = idle & (kind == int(Interaction.READ))
    outcomes.note(reads, Outcome.READ, choice.thing)
    single = torch.where(idle & (choice.seat < 0) & ~reads, choice.thing, -1)
    winner = winners(single, state.thing_state.shape[1])
    mine = _won(single, winner)
    _take(state, table, winner, mine & (kind == int(Interaction.PICK_UP)), choice.thing, outcomes)
    _switch(state, terrain, table, winner, mine, choice.thing, outcomes)


def _sit(state: State, terrain: Terrain, kind: Tensor, sits: Tensor, choice: Choice, outcomes: Outcomes) -> None:
    """Seats or lays down the avatars that won their seats."""
    layout = terrain.layout
    if len(layout.seat_thing) == 0:
        return
    seat = choice.seat.clamp(min=0)
    lies = kind == int(Interaction.LIE)
    state.position.copy_(torch.where(sits.unsqueeze(-1), take(layout.seat_position, seat), state.position))
    yaw = take(layout.seat_yaw, seat)
    state.yaw.copy_(torch.where(sits, yaw, state.yaw))
    state.target_yaw.copy_(torch.where(sits, yaw, state.target_yaw))
    state.velocity.mul_(~sits.unsqueeze(-1))
    state.desired_velocity.mul_(~sits.unsqueeze(-1))
    state.seat.copy_(torch.where(sits, choice.seat, state.seat))
    posture = torch.where(lies, int(Posture.LIE), int(Posture.SIT))
    state.posture.copy_(torch.where(sits, posture, state.posture))
    outcomes.note(sits, torch.where(lies, int(Outcome.LAY_DOWN), int(Outcome.SAT)), choice.thing)


def _take(state: State, table: ThingTable, winner: Tensor, takes: Tensor, thing: Tensor, outcomes: Outcomes) -> None:
    """Puts loose things into the hands of those who won them."""
    slots = state.held.shape[1]
    taken = (winner < slots) & table.loose
    state.thing_holder.copy_(torch.where(taken, winner, state.thing_holder))
    state.held.copy_(torch.where(takes, thing, state.held))
    outcomes.note(takes, Outcome.PICKED_UP, thing)


def _switch(
    state: State, terrain: Terrain, table: ThingTable, winner: Tensor, mine: Tensor, thing: Tensor, outcomes: Outcomes
) -> None:
    """Opens, closes, turns on or off what was won; a door in which somebody stands stays open."""
    switchable = ~table.loose & (table.opens | (terrain.layout.thing_interaction == int(Interaction.PRESS)))
    stuck = table.is_door & (state.thing_state != 0) & occupied(state, terrain)
    used = (winner < state.held.shape[1]) & switchable & ~stuck
    toggle(state, table, used)
    safe = thing.clamp(min=0)
    moved = mine & used.gather(1, safe)
    on, opens = state.thing_state.gather(1, safe) != 0, take(table.opens, safe)
    opened = torch.where(on, int(Outcome.OPENED), int(Outcome.CLOSED))
    turned = torch.where(on, int(Outcome.TURNED_ON), int(Outcome.TURNED_OFF))
    outcomes.note(moved, torch.where(opens, opened, turned), thing)


def hand_over(state: State, near: Pairs, gives: Tensor, outcomes: Outcomes) -> None:
    """Gives held things to the nearest avatar ahead whose hands are empty."""
    dx = near.of(state.position[..., 0]) - state.position[..., 0]
    dy = near.of(state.position[..., 1]) - state.position[..., 1]
    distance = (dx * dx + dy * dy).sqrt()
    ahead, left = into_frame(dx, dy, state.yaw.cos(), state.yaw.sin())
    able = near.valid & (ahead > left.abs()) & (distance < HAND_OVER_M) & (near.of(state.held) < 0)
    able = able & ((near.of(state.position[..., 2]) - state.position[..., 2]).abs() < _STOREY_M)
    best, which = (distance + _FAR * ~able).min(dim=0, keepdim=True)
    receiver = near.slot.gather(0, which)[0]
    receiver = torch.where(gives & (best[0] < _FAR), receiver, -1)
    winner = winners(receiver, gives.shape[1])
    done = _won(receiver, winner)
    thing = state.held.clone()
    gets = winner < gives.shape[1]
    given = thing.gather(1, winner.clamp(max=gives.shape[1] - 1))
    state.held.copy_(torch.where(gets, given, state.held.masked_fill(done, -1)))
    _pass_on(state, done, thing, receiver)
    outcomes.note(done, Outcome.HANDED_OVER, thing)
    outcomes.other = torch.where(done, receiver, outcomes.other)


def _pass_on(state: State, done: Tensor, thing: Tensor, holder: Tensor) -> None:
    """Writes new holders (B, C) of things (B, C) where done."""
    things = state.thing_holder.shape[1]
    padded = torch.nn.functional.pad(state.thing_holder, (0, 1))
    padded.scatter_(1, torch.where(done, thing, things), torch.where(done, holder, 0))
    state.thing_holder.copy_(padded[:, :things])


def put_down(state: State, terrain: Terrain, puts: Tensor, outcomes: Outcomes) -> None:
    """Lays held things on the floor ahead, or at the feet where there is no room."""
    x, y = state.position[..., 0], state.position[..., 1]
    ahead_x, ahead_y = x + state.yaw.cos() * PUT_AHEAD_M, y + state.yaw.sin() * PUT_AHEAD_M
    room = terrain.sample(terrain.near, state.level, ahead_x, ahead_y)[0] > 0.1
    x, y = torch.where(room, ahead_x, x), torch.where(room, ahead_y, y)
    spot = torch.stack((x, y, terrain.sample(terrain.floor, state.level, x, y)[0]), dim=-1)
    things, thing = state.thing_holder.shape[1], state.held
    index = torch.where(puts, thing, things)
    padded = torch.nn.functional.pad(state.thing_position, (0, 0, 0, 1))
    padded.scatter_(1, index.unsqueeze(-1).expand(-1, -1, 3), spot)
    state.thing_position.copy_(padded[:, :things])
    outcomes.note(puts, Outcome.PUT_DOWN, thing.clone())
    _pass_on(state, puts, thing, torch.full_like(thing, -1))
    state.held.masked_fill_(puts, -1)
