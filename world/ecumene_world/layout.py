"""The layout: everything the engine needs to know about a scene graph, as frozen index tensors.

`compile_layout(graph)` turns topology into tensors once; the tick never looks at the graph. A layout is never edited:
an edited graph is compiled again and the world swaps the new layout in at a tick boundary.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from ecumene_world.assets.asset import Asset
from ecumene_world.compiler import clearance, places, rows, solids, surfaces, things
from ecumene_world.compiler.raster import Raster
from ecumene_world.errors import GraphError
from ecumene_world.graph import SceneGraph
from ecumene_world.grid import Surface, components
from ecumene_world.kinds import BY_CODE, HEAVY, Motion

VERSION: Final = 2
"""Part of every layout's hash; grows when the same graph compiles to something else."""
FINE_CELL_M: Final = 0.25
"""Chosen spacing of the grid in worlds up to `SMALL_M` across."""
WIDE_CELL_M: Final = 0.5
"""Chosen spacing of the grid in wider worlds."""
SMALL_M: Final = 100.0
INDOOR_CELL_M: Final = 0.3
"""Widest chosen spacing of the grid in worlds with doors: on a wider one, bodies do not fit through them everywhere."""
INDOOR_NODES: Final = 1400
"""Nodes along a side that a wider world with doors may have to stay as fine as a small one."""
MAX_GRID_NODES: Final = 40_000_000
"""Most nodes that the grid of all storeys may have."""


def compile_layout(graph: SceneGraph, *, cell_m: float | None = None, device: torch.device | str = "cpu") -> Layout:
    """Returns a scene graph as frozen index tensors, everything that the engine needs to know about it.

    Args:
        graph: A valid graph with something to walk on.
        cell_m: Spacing of the walkable grid in metres; None takes the root's attribute `cell_m`, and without one
            chooses 0.25 up to 100 m across, else 0.5; with doors, 0.25 up to 350 m, else 0.3.
        device: Where the tensors go.

    Raises:
        GraphError: The graph is invalid, too wide for its grid, or leaves nobody a place to stand.
    """
    graph.validate()
    table = rows.flattened(graph)
    raster, levels = _grid(table, graph, cell_m)
    fine = Raster(raster.origin, raster.step_m / 2, 2 * raster.height - 1, 2 * raster.width - 1)
    assets = solids.assets_of(table)
    doors = things.doors_of(table, assets)
    ground = surfaces.laid(table, graph, fine, levels)
    surfaces.lay_doorsteps(ground, doors.segment, doors.level, doors.height)
    grid = _fields(table, graph, ground, assets, doors)
    parts = components(grid["clearance"], grid["next_level"], places.BODY_M)
    standing = (parts == 1) & (grid["clearance"] >= places.STAND_M)
    footing = places.Footing.of(raster, standing, grid["floor"])
    tables, lost_things = _things(table, footing, assets, doors)
    more_tables, lost_places = _places(table, footing, graph.seed)
    names = tuple(node.name for node in table.nodes)
    graph_hash = graph.hash()
    layout = Layout(
        hash=hashlib.sha256(f"{VERSION} {raster.step_m} {graph_hash}".encode()).hexdigest(),
        graph_hash=graph_hash,
        asked_cell_m=cell_m,
        names=names,
        row={name: row for row, name in enumerate(names)},
        depth_start=table.depth_start,
        cell_m=raster.step_m,
        origin=raster.origin,
        **_node_columns(table),
        **_tensors(grid),
        **tables,
        **more_tables,
        unreachable=(*lost_places, *lost_things),
    )
    return layout.to(device)


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """A compiled scene graph: N nodes, L storeys of an H × W grid, O things, S seats, D doors, P places, Q spawns.

    World frame, metres and radians. Grid node (iy, ix) stands at `origin + cell_m * (ix, iy)`; between nodes sample
    bilinearly (`grid.sample`).
    """

    hash: str
    """64 hex digits of the graph this was compiled from, of `cell_m` and of the compiler's version."""
    graph_hash: str
    """`SceneGraph.hash` of that graph."""
    asked_cell_m: float | None
    """The `cell_m` that was asked for, None if it was chosen; compile with it again to get a layout alike."""
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
    thing_index: Mapping[str, int]
    """Index of each thing by node name."""
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
    place_index: Mapping[str, int]
    """Index of each place by node name."""
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

    def thing_lengths(self) -> Tensor:
        """Returns (O,) f32 the length of each thing that two have to carry, metres; 0 of all else."""
        lengths = torch.zeros_like(self.thing_yaw)
        for code, length_m in HEAVY.items():
            lengths.masked_fill_(self.thing_kind == code, length_m)
        return lengths

    def thing_name(self, thing: int) -> str:
        """Returns the node name of a thing."""
        return self.names[int(self.thing_row[thing])]

    def tensors(self) -> dict[str, Tensor]:
        """Returns every tensor by its name, in the order of declaration."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, Tensor)}

    def to(self, device: torch.device | str) -> Layout:
        """Returns this layout on a device: itself if it is there, else a copy that shares the tensors that are."""
        if self.device == torch.device(device):
            return self
        moved: dict[str, Any] = {name: tensor.to(device) for name, tensor in self.tensors().items()}
        return replace(self, **moved)


def _grid(table: rows.Rows, graph: SceneGraph, cell_m: float | None) -> tuple[Raster, int]:
    """Returns the walkable grid, one cell wider than all surfaces on each side, and its number of storeys."""
    found = surfaces.surface_rows(table)
    if not found:
        raise GraphError(f"graph {graph.name!r} has nothing to walk on; add a ground, street or floor with a polygon")
    corners = np.concatenate([surfaces.outline(table, graph, row) for row in found])
    low, high = corners.min(0), corners.max(0)
    extent = float((high - low).max())
    authored = table.nodes[0].attributes.get("cell_m")
    chosen = float(authored) if isinstance(authored, int | float) else _spacing(table, extent)
    step = chosen if cell_m is None else cell_m
    if not 0.05 <= step <= 4.0:
        raise GraphError(f"cell_m is {step}; the spacing of the grid must lie in 0.05..4 metres")
    first = np.floor(low / step) - 1
    width, height = (np.ceil(high / step) + 1 - first + 1).astype(int).tolist()
    levels = int(table.level[found].max()) + 1
    if levels * width * height > MAX_GRID_NODES:
        size = f"{levels} storeys of {width} × {height} nodes"
        raise GraphError(f"graph {graph.name!r} needs {size}; {MAX_GRID_NODES} are allowed, so ask for a larger cell_m")
    x, y = (first * step).tolist()
    return Raster((x, y), step, height, width), levels


def _spacing(table: rows.Rows, extent_m: float) -> float:
    """Returns the spacing of the grid for a world of some extent; finer with doors."""
    if extent_m <= SMALL_M:
        return FINE_CELL_M
    if not any(BY_CODE[int(code)].motion is Motion.DOOR for code in table.kind):
        return WIDE_CELL_M
    return FINE_CELL_M if extent_m <= INDOOR_NODES * FINE_CELL_M else INDOOR_CELL_M


def _node_columns(table: rows.Rows) -> dict[str, Any]:
    return {
        "kind": torch.from_numpy(table.kind),
        "parent": torch.from_numpy(table.parent),
        "rest_position": _floats(table.rest_position),
        "rest_rotation": _floats(table.rest_rotation),
        "rest_scale": _floats(table.rest_scale),
        "world_position": _floats(table.position),
        "world_rotation": _floats(table.rotation),
        "world_scale": _floats(table.scale),
    }


def _fields(
    table: rows.Rows,
    graph: SceneGraph,
    ground: surfaces.Ground,
    assets: list[Asset | None],
    doors: things.Doors,
) -> dict[str, NDArray[Any]]:
    """Returns the fields (L, H, W) of the walkable grid by name."""
    boxes = solids.with_openings(solids.solids_of(table, assets), table, doors.segment, doors.level)
    clouds = solids.clouds_of(table, graph, ground.raster.step_m / 2)
    obstacles = clearance.Obstacles(boxes, solids.blocks_of(table), clouds)
    layers: list[dict[str, NDArray[Any]]] = []
    for level in range(len(ground.floor)):
        canvas = clearance.stamped(ground, level, table, obstacles)
        near, tall = clearance.fields(canvas)
        layers.append(
            {
                "floor": _filled(ground.floor[level, ::2, ::2], ground.surface[level, ::2, ::2] != Surface.NONE),
                "clearance": near.distance,
                "top": near.top,
                "near_category": near.category,
                "tall_clearance": tall.distance,
                "tall_top": tall.top,
                "tall_category": tall.category,
            }
        )
    stacked = {name: np.stack([layer[name] for layer in layers]) for name in layers[0]}
    return stacked | {"surface": ground.surface[:, ::2, ::2], "next_level": ground.next_level[:, ::2, ::2]}


def _filled(floor: NDArray[np.float32], known: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Returns the floor (H, W) with unknown nodes as high as the nearest known one."""
    if not known.any():
        return floor
    at = distance_transform_edt(~known, return_distances=False, return_indices=True)
    return np.asarray(floor[at[0], at[1]])


def _things(
    table: rows.Rows, footing: places.Footing, assets: list[Asset | None], doors: things.Doors
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Returns the tables of things, seats and doors, and the names of things whose seats nobody gets to."""
    found = things.thing_rows(table)
    levels = len(footing.floor)
    seats = things.seats_of(table, found, assets)
    before = seats.position[:, :2] + things.KNEES_M * np.stack([np.cos(seats.yaw), np.sin(seats.yaw)], 1)
    approach, reached = footing.nearest(before, seats.level, np.full(len(before), places.SEAT_REACH_M))
    lost = sorted(set(found[seats.thing[~reached]].tolist()) - set(found[seats.thing[reached]].tolist()))
    seats = seats.take(reached)
    thing_door = np.full(len(found), -1, np.int64)
    door_thing = np.searchsorted(found, doors.row)
    thing_door[door_thing] = np.arange(len(doors.row))
    tables = {
        "thing_row": torch.from_numpy(found),
        "thing_index": {table.nodes[row].name: index for index, row in enumerate(found)},
        "thing_kind": torch.from_numpy(table.kind[found]),
        "thing_interaction": torch.tensor([int(BY_CODE[int(code)].interaction) for code in table.kind[found]]).long(),
        "thing_position": _floats(table.position[found]),
        "thing_yaw": _floats(table.yaw[found]),
        "thing_level": torch.from_numpy(table.level[found].clip(0, levels - 1)),
        "thing_state0": torch.tensor([table.nodes[row].attributes.get("state", 0) for row in found]).long(),
        "thing_of_cell": torch.from_numpy(
            things.thing_of_cell(table.position[found, :2], table.level[found], footing.raster, levels)
        ),
        "seat_thing": torch.from_numpy(seats.thing),
        "seat_position": _floats(seats.position),
        "seat_yaw": _floats(seats.yaw),
        "seat_approach": _floats(approach[reached]),
        "thing_seat": torch.from_numpy(things.seat_table(seats, len(found))),
        "door_thing": torch.from_numpy(door_thing.astype(np.int64)),
        "door_segment": _floats(doors.segment),
        "door_level": torch.from_numpy(doors.level),
        "door_of_cell": torch.from_numpy(things.door_of_cell(doors, footing.raster, levels)),
        "thing_door": torch.from_numpy(thing_door),
    }
    return tables, tuple(table.nodes[row].name for row in lost)


def _places(table: rows.Rows, footing: places.Footing, seed: int) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Returns the tables of places and spawn points, and the names of places that nobody gets to."""
    found = places.places_of(table)
    standing, reached = footing.nearest(found.middle, found.level, found.radius + places.PLACE_REACH_M)
    spawn_position, spawn_level, spawn_yaw = places.spawns_of(table, found, footing, seed)
    kept = np.flatnonzero(reached)
    tables = {
        "place_row": torch.from_numpy(found.row[kept]),
        "place_index": {table.nodes[found.row[at]].name: index for index, at in enumerate(kept)},
        "place_role": tuple(found.role[at] for at in kept),
        "place_position": _floats(standing[kept]),
        "place_level": torch.from_numpy(found.level[kept]),
        "place_radius": _floats(found.radius[kept]),
        "spawn_position": _floats(spawn_position),
        "spawn_level": torch.from_numpy(spawn_level),
        "spawn_yaw": _floats(spawn_yaw),
    }
    return tables, tuple(table.nodes[row].name for row in found.row[~reached])


def _tensors(arrays: dict[str, NDArray[Any]]) -> dict[str, Any]:
    return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}


def _floats(values: NDArray[np.float64]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, np.float32))
