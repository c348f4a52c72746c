"""What avatars do with things and with each other: sit, stand up, open, press, read, take, put down, hand over.

A wish to interact lives for one tick. Everyone's best choice is found at once; where several want the same seat, thing
or pair of hands, the lowest slot gets it. Only the few who wish for something are looked at (see `compaction`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import torch
from torch import Tensor

from ecumene_sim.angles import into_frame
from ecumene_sim.compaction import chosen, nobody, packed, write
from ecumene_sim.terrain import Terrain, take
from ecumene_sim.things import ThingTable, doorways_taken, toggle
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
    PULLED = 13
    """It pulled at what another holds; that one's hand feels it."""


GRASP_M: Final = 0.8
"""How far one reaches to the end of a thing that two carry, from the middle of the body, metres along the ground."""


HAND_OVER_M: Final = 1.0
"""How near the other must be to be handed something."""
HANDS: Final = 1024
"""On an accelerator, most avatars of all worlds that hand something over, and that pull, in one tick; of others no
hand is met: what they hold they put down."""
BESIDE_M: Final = 0.6
"""Who stands at the approach of a seat is as good as this near to it, however far under a table it is."""
ASK_SPEED: Final = 0.3
"""A seated avatar that wants to move faster than this stands up, m/s."""
PUT_AHEAD_M: Final = 0.45
"""Things are put down this far ahead, where there is room."""
HAND_N: Final = 15.0
"""Felt by a hand that uses a thing, newtons."""
HOLD_N: Final = 5.0
"""Felt by a hand that holds one."""
PULL_N: Final = 30.0
"""Felt besides by a hand at whose thing another pulls, newtons."""
PULL_S: Final = 0.6
"""How long a pull at a held thing lasts, seconds."""
_STOREY_M: Final = 1.6
_BEHIND: Final = 0.35
"""Things behind the back count as this share of the reach further away."""
_LEGIBLE: Final = 0.9
"""Things to read count as at least this share of their reach away: whatever else is at hand goes first."""
_FAR: Final = 1.0e6


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
        gives = gives & ((asking.wish == asking.held + 2) | ((asking.wish == 1) & (choice.thing < 0)))
        gives = _let_go(state, table, asking, gives)
        _hand_over(state, asking, gives)
        _put_down(state, terrain, asking, gives & asking.idle)
        _sit(state, terrain, asking, choice)
        asking.note(asking.idle & (choice.kind == int(Interaction.READ)), Outcome.READ, choice.thing)
        _take_and_switch(state, terrain, table, asking, choice)
        _pull(state, table, asking)
    asking.note(asking.idle, Outcome.NOTHING_THERE)


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


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """What each of R avatars would use, (R,) i64: thing or -1, its best free seat or -1, its `Interaction` or 0."""

    thing: Tensor
    seat: Tensor
    kind: Tensor


def choose(state: State, terrain: Terrain, table: ThingTable, asking: Askers) -> Choice:
    """Returns the thing each asker would use: the one asked for, or the nearest that can be used, those ahead first."""
    asked = torch.where(asking.wish >= 2, asking.wish - 2, -1).unsqueeze(-1)
    around = torch.where(asking.wish.unsqueeze(-1) == 1, _around(state, terrain, table, asking), -1)
    candidates = torch.cat((around, asked), dim=-1)
    badness, seat = _badness(state, terrain, table, asking, candidates)
    best = badness.argmin(dim=-1, keepdim=True)
    found = (badness.gather(-1, best).squeeze(-1) < 1.0) & asking.idle
    thing = candidates.gather(-1, best).squeeze(-1).masked_fill(~found, -1)
    kind = take(terrain.layout.thing_interaction, thing.clamp(min=0)).masked_fill(~found, 0)
    return Choice(thing, seat.gather(-1, best).squeeze(-1).masked_fill(~found, -1), kind)


def _around(state: State, terrain: Terrain, table: ThingTable, asking: Askers) -> Tensor:
    """Returns (R, k) i64 things that may be in reach, -1 padded: fixed ones by coarse cell, the nearest loose one.

    The nearest door is among them even where a crowded cell does not list it.
    """
    at = asking.at[:, :2].t()
    fixed = terrain.things_near(asking.level, at)
    if terrain.has_doors:
        door = terrain.door_at(asking.level, at)
        leaf = take(terrain.layout.door_thing, door.clamp(min=0)).masked_fill(door < 0, -1)
        fixed = torch.cat((fixed, leaf.unsqueeze(-1)), dim=-1)
    loose = table.loose_index
    if len(loose) == 0:
        return fixed
    fixed = fixed.masked_fill(take(table.loose, fixed.clamp(min=0)), -1)
    away = state.thing_position.index_select(1, loose).index_select(0, asking.world) - asking.at.unsqueeze(1)
    held = state.thing_holder.index_select(1, loose).index_select(0, asking.world) >= 0
    if len(table.heavy_index):
        held = held & ~asking.one_end_free(state, table).index_select(1, loose)
    square = (away[..., 0] * away[..., 0]).addcmul_(away[..., 1], away[..., 1])
    square = square + _FAR * (held | (away[..., 2].abs() > _STOREY_M))
    return torch.cat((fixed, take(loose, square.argmin(dim=-1, keepdim=True))), dim=-1)


def _badness(
    state: State, terrain: Terrain, table: ThingTable, asking: Askers, candidates: Tensor
) -> tuple[Tensor, Tensor]:
    """Returns how far candidates (R, k) are as shares of the reach (1 or more: can't be used), and their best seats."""
    layout, thing = terrain.layout, candidates.clamp(min=0)
    kind = take(layout.thing_interaction, thing)
    away = asking.of_thing(state.thing_position, thing) - asking.at.unsqueeze(1)
    reach = take(table.reach, kind)
    if len(table.heavy_index):
        away, reach = _to_end(state, table, asking, thing, away), reach.masked_fill(take(table.heavy, thing), GRASP_M)
    distance = _along_ground(away)
    seat, seat_distance = _best_seat(state, terrain, asking, thing)
    sits = (kind == int(Interaction.SIT)) | (kind == int(Interaction.LIE))
    share = torch.where(sits, seat_distance, distance) / reach
    legible = kind == int(Interaction.READ)
    share = torch.where(legible, _LEGIBLE + (1.0 - _LEGIBLE) * share, share)
    ahead, _ = into_frame(away[..., 0], away[..., 1], asking.yaw.cos().unsqueeze(1), asking.yaw.sin().unsqueeze(1))
    behind = (1.0 - ahead / distance.clamp(min=0.1)) * (0.5 * _BEHIND)
    can = _can(state, table, asking, kind, thing) & (candidates >= 0) & (share < 1.0) & (away[..., 2].abs() < _STOREY_M)
    here = take(layout.thing_level, thing) == asking.level.unsqueeze(1)
    can = can & (here | (kind == int(Interaction.PICK_UP)))
    badness = (share + behind) * (1.0 / (1.0 + _BEHIND)) + _FAR * ~can
    return badness, seat.masked_fill(~sits, -1)


def _to_end(state: State, table: ThingTable, asking: Askers, thing: Tensor, away: Tensor) -> Tensor:
    """Returns (R, k, 3) the way to the end that each asker would take of what takes two, else (R, k, 3) `away`.

    That is the nearer end, or the one that the first holder has left.
    """
    yaw, half = asking.of_thing(state.thing_yaw, thing), 0.5 * take(table.length, thing)
    end = torch.stack((half * yaw.cos(), half * yaw.sin(), torch.zeros_like(half)), dim=-1)
    holder = asking.of_thing(state.thing_holder, thing)
    row = asking.world.unsqueeze(1) * asking.slots + holder.clamp(min=0)
    towards = take(state.position.view(-1, 3), row) - asking.of_thing(state.thing_position, thing)
    towards = torch.where((holder >= 0).unsqueeze(-1), towards, away)
    side = (towards[..., 0] * end[..., 0]).addcmul_(towards[..., 1], end[..., 1])
    return away - torch.where(side > 0, 1.0, -1.0).unsqueeze(-1) * end


def _can(state: State, table: ThingTable, asking: Askers, kind: Tensor, thing: Tensor) -> Tensor:
    """Returns (R, k) whether hands allow it: full hands take nothing and, unless asked to, only open what is shut."""
    full = (asking.held >= 0).unsqueeze(1)
    takes = kind == int(Interaction.PICK_UP)
    free = asking.of_thing(state.thing_holder, thing) < 0
    if len(table.heavy_index):
        free = free | asking.one_end_free(state, table).gather(1, thing)
    shut = (kind == int(Interaction.OPEN)) & (asking.of_thing(state.thing_state, thing) == 0)
    busy = full & (asking.wish == 1).unsqueeze(1)
    return torch.where(takes, free & ~full, ~busy | shut)


def _best_seat(state: State, terrain: Terrain, asking: Askers, thing: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the nearest free seat of each thing (R, k), -1 none, and its distance, m; far when it has none."""
    layout = terrain.layout
    count = len(layout.seat_thing)
    if count == 0:
        return torch.full_like(thing, -1), torch.full(thing.shape, _FAR, device=thing.device)
    seats = take(layout.thing_seat, thing)
    taken = asking.of_thing(taken_seats(state, count), seats)
    at, seat = asking.at[:, None, None, :2], seats.clamp(min=0)
    from_seat = _along_ground(take(layout.seat_position, seat)[..., :2] - at)
    from_approach = _along_ground(take(layout.seat_approach, seat)[..., :2] - at) + BESIDE_M
    distance = torch.minimum(from_seat, from_approach) + _FAR * (taken | (seats < 0))
    nearest, which = distance.min(dim=-1, keepdim=True)
    return seats.gather(-1, which).squeeze(-1), nearest.squeeze(-1)


def _along_ground(away: Tensor) -> Tensor:
    """Returns the lengths of (..., 2 or 3) vectors in plan."""
    return (away[..., 0] * away[..., 0] + away[..., 1] * away[..., 1]).sqrt()


def taken_seats(state: State, seats: int) -> Tensor:
    """Returns (B, S) bool: somebody sits or lies there."""
    index = torch.where(state.alive & (state.seat >= 0), state.seat, seats)
    marks = torch.zeros((len(index), seats + 1), dtype=torch.bool, device=index.device)
    return marks.scatter_(1, index, torch.ones_like(index, dtype=torch.bool))[:, :seats]


def _won(asking: Askers, wanted: Tensor, wants: Tensor, count: int) -> Tensor:
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


def _sit(state: State, terrain: Terrain, asking: Askers, choice: Choice) -> None:
    """Seats or lays down those who won their seats."""
    layout, row = terrain.layout, asking.row
    wants = asking.idle & (choice.seat >= 0)
    if len(layout.seat_thing) == 0 or nobody(wants):
        return
    sits = _won(asking, choice.seat, wants, len(layout.seat_thing))
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
    won = _won(asking, choice.thing, single, things)
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


def _let_go(state: State, table: ThingTable, asking: Askers, gives: Tensor) -> Tensor:
    """Lets go of ends of what takes two, which nobody is handed; returns who else gives something away, (R,) bool."""
    if len(table.heavy_index) == 0:
        return gives
    lets = gives & take(table.heavy, asking.held.clamp(min=0))
    write(state.held, asking.row, lets, torch.full_like(asking.held, -1))
    asking.note(lets, Outcome.PUT_DOWN, asking.held)
    return gives & ~lets


def _hand_over(state: State, asking: Askers, gives: Tensor) -> None:
    """Gives held things to the nearest avatar ahead whose hands are empty."""
    if nobody(gives):
        return
    giver, there = packed(gives, min(HANDS, len(asking.row)))
    receiver, found = _receiver(state, asking, giver)
    to = torch.full_like(asking.slot, -1)
    write(to, giver, found & there, receiver)
    done = _won(asking, to, to >= 0, asking.slots)
    things = state.thing_holder.shape[1]
    write(state.held, asking.world * asking.slots + to.clamp(min=0), done, asking.held)
    write(state.held, asking.row, done, torch.full_like(asking.held, -1))
    thing = asking.world * things + asking.held.clamp(min=0)
    write(state.thing_holder, thing, done, to)
    write(state.thing_timer, thing, done, torch.zeros_like(asking.yaw))
    asking.other = torch.where(done, to, asking.other)
    asking.note(done, Outcome.HANDED_OVER, asking.held)


def _pull(state: State, table: ThingTable, asking: Askers) -> None:
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
    felt = _won(asking, thing, pulls, things)
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
    able = able & (ahead > left.abs()) & (square < HAND_OVER_M * HAND_OVER_M) & (away[..., 2].abs() < _STOREY_M)
    nearest, slot = (square + _FAR * ~able).min(dim=1)
    return slot, nearest < _FAR


def _put_down(state: State, terrain: Terrain, asking: Askers, puts: Tensor) -> None:
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
