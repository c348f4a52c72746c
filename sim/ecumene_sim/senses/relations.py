"""How the nearest others stand to me, to things and to places, in the words of the scene graph.

What cells of the grid mean is looked up in one table that is made once for a layout; the rest is in the state.
"""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor

from ecumene_sim.senses.body import aims
from ecumene_sim.senses.viewer import Viewers
from ecumene_sim.terrain import Terrain, take
from ecumene_sim.things import DOORWAY_M
from ecumene_world.layout import Layout
from ecumene_world.state import State

BESIDE_M: Final = 1.0
"""Who is this near to where my intent ends is next to it."""
WALL_M: Final = 0.5
"""Who has something tall this near, from the middle of the body, is against a wall."""
FACING: Final = math.cos(math.radians(30))
"""Cosine of the angle within which a body that is turned to me faces me."""
_DOOR, _WALL, _SEATED, _HOLDS, _PLACE = range(5)
"""Bits of what is known of an avatar; the number of its place, from 1, begins at the last."""


class Surroundings:
    """What each grid node and each seat of a layout belong to.

    Attributes:
        cell: (L·H·W) i32 bits: within `DOORWAY_M` of a door's leaf, within `WALL_M` of what is tall; above them the
            number of the smallest place whose radius reaches there, from 1, or 0.
        seat_thing: (S + 1,) i64 thing of each seat, -1 in the last row.
    """

    def __init__(self, terrain: Terrain) -> None:
        layout = terrain.layout
        self._terrain = terrain
        wall = (layout.tall_clearance <= WALL_M).to(torch.int32) << _WALL
        bits = wall | _doorways(layout).to(torch.int32) << _DOOR | _places(layout) << _PLACE
        self.cell = bits.flatten().contiguous()
        self.seat_thing = torch.cat((layout.seat_thing, layout.seat_thing.new_full((1,), -1)))

    def relations(self, state: State, viewers: Viewers, tokens: Tensor, slot: Tensor) -> Tensor:
        """Returns (B, A, 8, 8) bool as `Senses.relations` says; False where there is nobody.

        Args:
            state: Of the world.
            viewers: Who senses.
            tokens: (B, A, 8, 12) the neighbours.
            slot: (B, A, 8) their slots, -1 padded.
        """
        bits, thing = self._known(state)
        here = slot >= 0
        row = (slot.clamp(min=0) + torch.arange(state.worlds, device=state.device).view(-1, 1, 1) * state.slots).view(
            -1
        )
        their_bits, their_thing = (known.view(-1).index_select(0, row).view(slot.shape) for known in (bits, thing))
        my_bits, my_thing = (known.index_select(1, viewers.slots).unsqueeze(-1) for known in (bits, thing))
        place = their_bits >> _PLACE
        columns = (
            (place == my_bits >> _PLACE) & (place > 0),
            _has(their_bits, _SEATED),
            _beside(state, viewers, tokens),
            _facing(tokens),
            _has(their_bits, _WALL),
            _has(their_bits, _DOOR),
            (their_thing == my_thing) & (their_thing >= 0),
            _has(their_bits, _HOLDS),
        )
        return torch.stack(columns, dim=-1) & here.unsqueeze(-1)

    def _known(self, state: State) -> tuple[Tensor, Tensor]:
        """Returns (B, C) i32 bits of every avatar, and (B, C) i64 the thing it sits on or else holds, -1 none."""
        bits = take(self.cell, self._terrain.cell(state.level, state.position.permute(2, 0, 1)[:2]))
        seated, holds = state.seat >= 0, state.held >= 0
        seat = torch.where(seated, state.seat, len(self.seat_thing) - 1)
        bits = bits | (seated.to(torch.int32) << _SEATED) | (holds.to(torch.int32) << _HOLDS)
        return bits, torch.where(seated, take(self.seat_thing, seat), state.held)


def _has(bits: Tensor, which: int) -> Tensor:
    return (bits & (1 << which)) > 0


def _beside(state: State, viewers: Viewers, tokens: Tensor) -> Tensor:
    """Returns (B, A, 8) bool: near to where my intent ends, if I know where and it is on my storey."""
    slots = viewers.slots
    end = state.goal.index_select(1, slots).permute(2, 0, 1)[:2] - viewers.at
    ahead, left = end[0] * viewers.cos + end[1] * viewers.sin, end[1] * viewers.cos - end[0] * viewers.sin
    dx, dy = tokens[..., 0] - ahead.unsqueeze(-1), tokens[..., 1] - left.unsqueeze(-1)
    wants, _ = aims(state, slots)
    known = wants & (state.goal_level.index_select(1, slots) == viewers.level)
    return (dx * dx + dy * dy <= BESIDE_M * BESIDE_M) & known.unsqueeze(-1)


def _facing(tokens: Tensor) -> Tensor:
    """Returns (B, A, 8) bool: its body is turned to me."""
    towards = -(tokens[..., 0] * tokens[..., 7] + tokens[..., 1] * tokens[..., 8])
    return towards >= FACING * tokens[..., 5]


def _doorways(layout: Layout) -> Tensor:
    """Returns (L, H, W) bool: within `DOORWAY_M` of the leaf of the nearest door, were it closed."""
    if layout.door_thing.numel() == 0:
        return torch.zeros_like(layout.clearance, dtype=torch.bool)
    _, iy, ix = near = (layout.door_of_cell >= 0).nonzero(as_tuple=True)
    hinge, end = layout.door_segment[layout.door_of_cell[near].long()].unbind(dim=1)
    at = torch.stack((ix, iy), dim=1) * layout.cell_m + hinge.new_tensor(layout.origin)
    leaf = end - hinge
    share = ((at - hinge) * leaf).sum(1) / leaf.square().sum(1).clamp(min=1e-6)
    away = at - hinge - share.clamp(0, 1).unsqueeze(1) * leaf
    marks = torch.zeros_like(layout.clearance, dtype=torch.bool)
    marks[near] = away.square().sum(1) <= DOORWAY_M * DOORWAY_M
    return marks


def _places(layout: Layout) -> Tensor:
    """Returns (L, H, W) i32 the number, from 1, of the smallest place whose radius reaches a node; 0 for none."""
    number = torch.zeros(layout.clearance.shape, dtype=torch.int32)
    height, width = number.shape[1:]
    radii, spots, levels = (part.tolist() for part in (layout.place_radius, layout.place_position, layout.place_level))
    for index in sorted(range(len(radii)), key=lambda place: -radii[place]):
        x, y = ((spots[index][axis] - layout.origin[axis]) / layout.cell_m for axis in range(2))
        reach = radii[index] / layout.cell_m
        left, right = max(0, math.ceil(x - reach)), min(width - 1, math.floor(x + reach))
        low, high = max(0, math.ceil(y - reach)), min(height - 1, math.floor(y + reach))
        if left > right or low > high:
            continue
        square = (torch.arange(low, high + 1) - y).square().unsqueeze(1) + (torch.arange(left, right + 1) - x).square()
        window = number[levels[index], low : high + 1, left : right + 1]
        window.masked_fill_(square <= reach * reach, index + 1)
    return number.to(layout.device)
