"""What each avatar that wishes to use something would use: the thing it asked for, or the nearest that it can use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from ecumene_sim.angles import into_frame
from ecumene_sim.asking import FAR, STOREY_M, Askers
from ecumene_sim.terrain import Terrain, take
from ecumene_sim.things import ThingTable
from ecumene_world.kinds import Interaction
from ecumene_world.state import State

GRASP_M: Final = 0.8
"""How far one reaches to the end of a thing that two carry, from the middle of the body, metres along the ground."""
BESIDE_M: Final = 0.6
"""Who stands at the approach of a seat is as good as this near to it, however far under a table it is."""
_BEHIND: Final = 0.35
"""Things behind the back count as this share of the reach further away."""
_LEGIBLE: Final = 0.9
"""Things to read count as at least this share of their reach away: whatever else is at hand goes first."""


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
    square = square + FAR * (held | (away[..., 2].abs() > STOREY_M))
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
    can = _can(state, table, asking, kind, thing) & (candidates >= 0) & (share < 1.0) & (away[..., 2].abs() < STOREY_M)
    here = take(layout.thing_level, thing) == asking.level.unsqueeze(1)
    can = can & (here | (kind == int(Interaction.PICK_UP)))
    badness = (share + behind) * (1.0 / (1.0 + _BEHIND)) + FAR * ~can
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
        return torch.full_like(thing, -1), torch.full(thing.shape, FAR, device=thing.device)
    seats = take(layout.thing_seat, thing)
    taken = asking.of_thing(taken_seats(state, count), seats)
    at, seat = asking.at[:, None, None, :2], seats.clamp(min=0)
    from_seat = _along_ground(take(layout.seat_position, seat)[..., :2] - at)
    from_approach = _along_ground(take(layout.seat_approach, seat)[..., :2] - at) + BESIDE_M
    distance = torch.minimum(from_seat, from_approach) + FAR * (taken | (seats < 0))
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
