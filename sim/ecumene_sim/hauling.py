"""Two who carry a heavy thing: neither moves it alone, and each feels in the hand what the other wants.

Along the thing both go as the slower of the two wants, and nowhere if they want opposite ways; across it each is free,
and the thing turns. What they want differently stretches or presses the arms a little, like a spring, and both hands
feel that: a pull is positive, a push negative. Pairs are worked on at once; no pair heeds another.

Source: that the force in the hand tells a follower where to go is Kosuge and Kazamura 1997, Control of a robot handling
an object in cooperation with a human.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor

from ecumene_sim.choice import GRASP_M
from ecumene_sim.compaction import chosen, nobody, write
from ecumene_sim.terrain import Terrain
from ecumene_world.state import Posture, State

if TYPE_CHECKING:
    from ecumene_sim.things import ThingTable

LOADED_SPEED: Final = 1.0
"""Fastest that those go who carry a heavy thing, m/s."""
EFFORT: Final = 60.0
"""Felt for each m/s along the thing by which the two want to go apart, N s/m."""
STIFFNESS: Final = 400.0
"""Felt for each metre that the arms are stretched, N/m."""
GIVE: Final = 0.14
"""Share of the speed by which the two want to go apart that their arms give way to."""
CLOSES_HZ: Final = 0.2
"""Share of a stretch that arms make good in a second."""
SLACK_M: Final = 0.12
"""An arm's slack: whoever strays further from where it took hold, towards the other or away, loses its grip."""
MAX_N: Final = 200.0
"""Felt at most."""
HELD_SHARE: Final = 0.45
"""Height of the thing as a share of its carriers'."""
STRAY_M: Final = 0.2
"""Who holds one end alone lets go when it is this much further away than one reaches."""


@dataclass(frozen=True, slots=True, eq=False)
class Bearers:
    """R heavy things and those at their two ends.

    Attributes:
        thing: (R,) i64 row of a (B·O) table.
        first: (R,) i64 row of the holder in a (B·C) table; also second, of the partner.
        along: (2, R) unit vectors from the first to the second.
        apart: (R,) metres between the two.
        both: (R,) bool, each end is held by somebody on their feet.
    """

    thing: Tensor
    first: Tensor
    second: Tensor
    along: Tensor
    apart: Tensor
    both: Tensor

    @classmethod
    def of(cls, state: State, thing: Tensor) -> Bearers:
        """Returns who bears (R,) things, rows of a (B·O) table."""
        things = state.thing_holder.shape[1]
        holder, partner = (
            column.view(-1).index_select(0, thing) for column in (state.thing_holder, state.thing_partner)
        )
        first, second = ((thing // things) * state.slots + slot.clamp(min=0) for slot in (holder, partner))
        away = (_rows(state.position, second) - _rows(state.position, first))[:, :2].t()
        apart = (away[0] * away[0]).addcmul_(away[1], away[1]).sqrt_()
        along = away / apart.clamp(min=1e-3)
        bears = [(slot >= 0) & holds(state, row, thing % things) for slot, row in ((holder, first), (partner, second))]
        return cls(thing, first, second, along, apart, bears[0] & bears[1])


def holds(state: State, row: Tensor, thing: Tensor) -> Tensor:
    """Returns (R,) whether the avatars of (R,) rows stand and have (R,) things in hand."""
    stands = state.alive & (state.posture == int(Posture.STAND))
    return stands.view(-1).index_select(0, row) & (state.held.view(-1).index_select(0, row) == thing)


def face(state: State, table: ThingTable) -> None:
    """Turns those who carry a heavy thing towards each other."""
    bearers = _bearers(state, table)
    if bearers is None:
        return
    yaw = torch.atan2(bearers.along[1], bearers.along[0])
    write(state.target_yaw, bearers.first, bearers.both, yaw)
    write(state.target_yaw, bearers.second, bearers.both, torch.atan2(-bearers.along[1], -bearers.along[0]))


def couple(state: State, table: ThingTable) -> None:
    """Lets the velocities of those who carry a heavy thing be what both of them want."""
    bearers = _bearers(state, table)
    if bearers is None:
        return
    first, second = (_loaded(_rows(state.velocity, row)[:, :2].t()) for row in (bearers.first, bearers.second))
    one, two = _along(bearers, first), _along(bearers, second)
    agreed = torch.where(one * two > 0, torch.where(one.abs() < two.abs(), one, two), 0.0)
    parts = GIVE * _disagreement(state, bearers) - CLOSES_HZ * _stretch(state, bearers)
    for row, velocity, was, sign in ((bearers.first, first, one, -0.5), (bearers.second, second, two, 0.5)):
        planar = velocity + bearers.along * (agreed + sign * parts - was)
        whole = torch.cat((planar.t(), _rows(state.velocity, row)[:, 2:]), dim=1)
        write(state.velocity, row, bearers.both, whole)


def hold(state: State, terrain: Terrain, table: ThingTable) -> Tensor:
    """Moves heavy things with those who carry them, who feel each other, and drops what is not held any more.

    Returns:
        (B, O) bool: fell because somebody let go, left or strayed.
    """
    dropped = torch.zeros_like(state.thing_state, dtype=torch.bool)
    if len(table.heavy_index) == 0:
        return dropped
    touched = table.heavy & ((state.thing_holder >= 0) | (state.thing_partner >= 0))
    if nobody(touched):
        return dropped
    bearers = Bearers.of(state, chosen(touched))
    there = touched.view(-1).index_select(0, bearers.thing)
    kept = there & bearers.both & (_stretch(state, bearers).abs() <= SLACK_M)
    _carry(state, bearers, kept)
    _feel(state, bearers, kept)
    falls = there & ~kept & ~_waits(state, table, bearers)
    paired = state.thing_partner.view(-1).index_select(0, bearers.thing) >= 0
    write(dropped, bearers.thing, falls & paired, torch.ones_like(paired))
    _drop(state, terrain, bearers, falls)
    return dropped


def _bearers(state: State, table: ThingTable) -> Bearers | None:
    """Returns who carries something together; None where that is known to be nobody."""
    if len(table.heavy_index) == 0:
        return None
    carried = table.heavy & (state.thing_holder >= 0) & (state.thing_partner >= 0)
    return None if nobody(carried) else Bearers.of(state, chosen(carried))


def _rows(column: Tensor, row: Tensor) -> Tensor:
    """Returns (R, 3) rows of a (B, C, 3) column."""
    return column.view(-1, 3).index_select(0, row)


def _along(bearers: Bearers, vectors: Tensor) -> Tensor:
    """Returns (R,) how far (2, R) vectors go along the things."""
    return (vectors[0] * bearers.along[0]).addcmul_(vectors[1], bearers.along[1])


def _loaded(vectors: Tensor) -> Tensor:
    """Returns (2, R) velocities of no more than `LOADED_SPEED`."""
    speed = (vectors[0] * vectors[0]).addcmul_(vectors[1], vectors[1]).sqrt_()
    return vectors * (LOADED_SPEED / speed.clamp_(min=LOADED_SPEED))


def _disagreement(state: State, bearers: Bearers) -> Tensor:
    """Returns (R,) how fast the two want to go apart, m/s; negative is towards each other."""
    first, second = (
        _along(bearers, _loaded(state.desired_velocity.view(-1, 2).index_select(0, row).t()))
        for row in (bearers.first, bearers.second)
    )
    return second - first


def _stretch(state: State, bearers: Bearers) -> Tensor:
    """Returns (R,) how much further apart the two are than when they took hold, metres."""
    return bearers.apart - state.thing_span.view(-1).index_select(0, bearers.thing)


def _carry(state: State, bearers: Bearers, kept: Tensor) -> None:
    """Puts things between those who carry them."""
    first, second = (_rows(state.position, row) for row in (bearers.first, bearers.second))
    heights = [state.height.view(-1).index_select(0, row) for row in (bearers.first, bearers.second)]
    middle = (first + second) * 0.5
    middle[:, 2] += (heights[0] + heights[1]) * (0.5 * HELD_SHARE)
    write(state.thing_position, bearers.thing, kept, middle)
    write(state.thing_yaw, bearers.thing, kept, torch.atan2(bearers.along[1], bearers.along[0]))


def _feel(state: State, bearers: Bearers, kept: Tensor) -> None:
    """Adds to both hands the pull, or push, of the other."""
    newtons = EFFORT * _disagreement(state, bearers) + STIFFNESS * _stretch(state, bearers)
    newtons = newtons.clamp_(-MAX_N, MAX_N)
    for row in (bearers.first, bearers.second):
        write(state.touch_hand, row, kept, state.touch_hand.view(-1).index_select(0, row) + newtons)


def _waits(state: State, table: ThingTable, bearers: Bearers) -> Tensor:
    """Returns (R,) whether somebody holds one end of a thing that lies there, and waits for another."""
    things = state.thing_holder.shape[1]
    thing = bearers.thing % things
    away = (state.thing_position.view(-1, 3).index_select(0, bearers.thing) - _rows(state.position, bearers.first))[
        :, :2
    ]
    reach = 0.5 * table.length.index_select(0, thing) + GRASP_M + STRAY_M
    near = (away[:, 0] * away[:, 0]).addcmul_(away[:, 1], away[:, 1]) < reach * reach
    single = state.thing_partner.view(-1).index_select(0, bearers.thing) < 0
    holder = state.thing_holder.view(-1).index_select(0, bearers.thing) >= 0
    return single & holder & near & holds(state, bearers.first, thing)


def _drop(state: State, terrain: Terrain, bearers: Bearers, falls: Tensor) -> None:
    """Lets things fall where they are, and empties the hands of whoever still holds one."""
    if nobody(falls):
        return
    things = state.thing_holder.shape[1]
    spot = state.thing_position.view(-1, 3).index_select(0, bearers.thing)
    first, second = (state.level.view(-1).index_select(0, row) for row in (bearers.first, bearers.second))
    level = torch.where(state.alive.view(-1).index_select(0, bearers.first), first, second)
    floor = terrain.sample(terrain.floor, level, spot[:, :2].t().contiguous())[0]
    write(state.thing_position, bearers.thing, falls, torch.cat((spot[:, :2], floor.unsqueeze(1)), dim=1))
    for column, row in ((state.thing_holder, bearers.first), (state.thing_partner, bearers.second)):
        held = state.held.view(-1).index_select(0, row)
        mine = falls & (column.view(-1).index_select(0, bearers.thing) >= 0) & (held == bearers.thing % things)
        write(state.held, row, mine, torch.full_like(held, -1))
    nobody_s = torch.full_like(bearers.thing, -1)
    for column in (state.thing_holder, state.thing_partner):
        write(column, bearers.thing, falls, nobody_s)
