"""The layout: everything the engine needs to know about a scene graph, as frozen index tensors.

`compile_layout(graph)` turns topology into tensors once; the tick never looks at the graph. A layout is never edited:
an edited graph is compiled again and the world swaps the new layout in at a tick boundary.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor

COARSE_M = 4.0
"""Side of a coarse cell of `thing_of_cell`, metres."""
THINGS_PER_CELL = 8
"""Nearest things listed for each coarse cell."""
SEATS_PER_THING = 4
"""Most seats a thing can have."""
DOOR_REACH_M = 1.25
"""A door is listed in `door_of_cell` up to this far from its leaf."""
TALL_M = 1.5
"""Obstacles at least this high above the floor hide what is behind them."""


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """A compiled scene graph: N nodes, L storeys of an H × W grid, O things, S seats, D doors, P places, Q spawns.

    World frame, metres and radians. Grid node (iy, ix) stands at `origin + cell_m * (ix, iy)`; between nodes sample
    bilinearly (`grid.sample`).
    """

    hash: str
    """Hash of the graph this was compiled from, and of `cell_m`; 64 hex digits."""
    names: tuple[str, ...]
    """(N) node names, parents first."""
    row: Mapping[str, int]
    """Row of each name in `names`."""
    kind: Tensor
    """(N,) i64 kind codes."""
    parent: Tensor
    """(N,) i64 row of the parent, -1 for the root."""
    depth_start: tuple[int, ...]
    """First row of each depth of the tree, then N: rows of depth d are `depth_start[d]:depth_start[d + 1]`."""
    rest_position: Tensor
    """(N, 3) f32 in the parent's frame."""
    rest_rotation: Tensor
    """(N, 4) f32 unit quaternions wxyz in the parent's frame."""
    rest_scale: Tensor
    """(N,) f32 relative to the parent."""
    world_position: Tensor
    """(N, 3) f32."""
    world_rotation: Tensor
    """(N, 4) f32 unit quaternions wxyz."""
    world_scale: Tensor
    """(N,) f32."""

    cell_m: float
    """Spacing of grid nodes, metres."""
    origin: tuple[float, float]
    """x, y of grid node (0, 0), metres."""
    floor: Tensor
    """(L, H, W) f32 height of what is walked on, metres; of the nearest walkable node where there is none."""
    clearance: Tensor
    """(L, H, W) f32 signed distance to the nearest obstacle or edge of the walkable area; negative inside, metres."""
    top: Tensor
    """(L, H, W) f32 world z of the top of that obstacle, metres; of the floor for a mere edge."""
    near_category: Tensor
    """(L, H, W) u8 `Category` of that obstacle; SKY for a mere edge."""
    tall_clearance: Tensor
    """(L, H, W) f32 distance to the nearest obstacle that rises `TALL_M` or more above the floor, metres."""
    tall_top: Tensor
    """(L, H, W) f32 world z of the top of that obstacle, metres."""
    tall_category: Tensor
    """(L, H, W) u8 `Category` of that obstacle."""
    surface: Tensor
    """(L, H, W) u8 what is walked on: 0 none, 1 ground, 2 street, 3 square, 4 lawn, 5 floor, 6 stairs or ramp."""
    next_level: Tensor
    """(L, H, W) i8 storey on which an avatar that stands here continues; its own except on stairs and ramps."""

    thing_row: Tensor
    """(O,) i64 node rows of things: nodes that can be interacted with."""
    thing_kind: Tensor
    """(O,) i64 kind codes."""
    thing_interaction: Tensor
    """(O,) i64 `Interaction`."""
    thing_position: Tensor
    """(O, 3) f32 at rest."""
    thing_yaw: Tensor
    """(O,) f32 at rest."""
    thing_level: Tensor
    """(O,) i64 storey."""
    thing_state0: Tensor
    """(O,) i64 initial state."""
    thing_of_cell: Tensor
    """(L, h, w, 8) i32 nearest things of each coarse cell of `COARSE_M`, nearest first, -1 padded."""
    seat_thing: Tensor
    """(S,) i64 thing index."""
    seat_position: Tensor
    """(S, 3) f32 where one sits or lies."""
    seat_yaw: Tensor
    """(S,) f32 which way one faces; when lying, which way the head points."""
    seat_approach: Tensor
    """(S, 3) f32 reachable point to stand on before and after."""
    thing_seat: Tensor
    """(O, 4) i64 seat indices of each thing, -1 padded."""
    door_thing: Tensor
    """(D,) i64 thing index."""
    door_segment: Tensor
    """(D, 2, 2) f32 end points of the closed leaf."""
    door_level: Tensor
    """(D,) i64 storey."""
    door_of_cell: Tensor
    """(L, H, W) i16 nearest door within `DOOR_REACH_M`, else -1."""
    thing_door: Tensor
    """(O,) i64 door index or -1."""

    place_row: Tensor
    """(P,) i64 node rows of places: somewhere to go."""
    place_role: tuple[str, ...]
    """(P) such as "cafe", "park", "home"."""
    place_position: Tensor
    """(P, 3) f32 a reachable point to stand on, nearest to the place's middle."""
    place_level: Tensor
    """(P,) i64 storey."""
    place_radius: Tensor
    """(P,) f32 metres within which one is at the place."""
    spawn_position: Tensor
    """(Q, 3) f32 free reachable points where avatars appear, Q ≥ 1."""
    spawn_level: Tensor
    """(Q,) i64 storey."""
    spawn_yaw: Tensor
    """(Q,) f32."""
    unreachable: tuple[str, ...]
    """Names of places, and of things with seats, that no avatar can walk to; they are left out of the tables above."""

    @property
    def levels(self) -> int:
        """L, how many storeys the walkable grid has."""
        return self.floor.shape[0]

    @property
    def device(self) -> torch.device:
        """Where all tensors are."""
        return self.floor.device

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Least x, least y, greatest x, greatest y of the grid, metres."""
        height, width = self.floor.shape[1:]
        x, y = self.origin
        return x, y, x + self.cell_m * (width - 1), y + self.cell_m * (height - 1)

    def thing_name(self, thing: int) -> str:
        """Returns the node name of a thing."""
        return self.names[int(self.thing_row[thing])]

    def tensors(self) -> dict[str, Tensor]:
        """Returns every tensor by its name, in the order of declaration."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, Tensor)}

    def to(self, device: torch.device | str) -> Layout:
        """Returns this layout on a device; tensors already there are shared."""
        moved: dict[str, Any] = {name: tensor.to(device) for name, tensor in self.tensors().items()}
        return replace(self, **moved)
