"""Routes: where to head next, for all deciding avatars at once, from flow fields kept per goal.

A field takes milliseconds in a house and up to a few tenths of a second in a large town, so fields are computed at most
`per_tick` a tick, or none, with `work` called between ticks. Until its field is there, an avatar heads straight for its
goal, or waits (see `Routes.hasty`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import torch
from torch import Tensor

from ecumene_agents.fields import ARRIVED, NOWHERE, PORTAL, Directions, RouteMap
from ecumene_agents.lattice import Lattice
from ecumene_agents.vectors import length
from ecumene_world.ahead import Ahead
from ecumene_world.layout import Layout
from ecumene_world.state import State, Verb

MEMORY_BYTES: Final = 256 * 2**20
"""Fields kept take at most this much; the longest unused goes first."""
AHEAD: Final = (1, 2, 3, 4, 6, 8, 11, 14)
"""Steps down the field that are tried as waypoint; the furthest in plain sight wins."""
DIRECT_M: Final = 12.0
"""A goal this near and in plain sight is headed for directly."""
MARGIN_M: Final = 30.0
"""A field for a point reaches 1.6 times as far as its walker is away, and this much further."""
_FOLLOW_STEPS: Final = 20_000
_EVERYWHERE: Final = float("inf")


def _nowhere(goal: int) -> None:
    """Finds nothing."""
    del goal


@dataclass(frozen=True, slots=True)
class Walkers:
    """M avatars on their way, of any world.

    Attributes:
        world: (M,) i64.
        slot: (M,) i64.
        level: (M,) i64 storey.
        position: (M, 3) m.
        goal: (M, 3) m.
        goal_level: (M,) i64.
        chases: (M,) bool, the goal is another avatar.
        place: (M,) bool, the goal is a place.
    """

    world: Tensor
    slot: Tensor
    level: Tensor
    position: Tensor
    goal: Tensor
    goal_level: Tensor
    chases: Tensor
    place: Tensor

    def rows(self, which: Tensor) -> Walkers:
        """Returns the walkers that (M,) bool selects."""
        names = ("world", "slot", "level", "position", "goal", "goal_level", "chases", "place")
        return Walkers(**{name: getattr(self, name)[which] for name in names})


@dataclass(frozen=True, slots=True)
class Blank:
    """A layout's route map, and the tables of its fields before the first one is computed.

    Attributes:
        map: As it is.
        snap: (L·H·W,) i64 of the map, on the layout's device; also portal.
        delta: (10,) i64 how a step in each direction changes the node.
        number: (L·H·W,) i32 of the map, on the layout's device.
        table: (fields, F) i8 pages, a column for each free node, that take up memory as they are written to.
        row_of: (L·H·W,) i64 the page of each goal, -1 for none.
    """

    map: RouteMap
    snap: Tensor
    portal: Tensor
    delta: Tensor
    number: Tensor
    table: Tensor
    row_of: Tensor

    @classmethod
    def of(cls, layout: Layout) -> Blank:
        """Makes them; takes a tenth of a second in a large town."""
        routes, device = RouteMap(layout), layout.device
        nodes, free, width = len(routes), len(routes.node), routes.shape[2]
        steps = [dy * width + dx for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
        return cls(
            routes,
            torch.from_numpy(routes.snap).to(device),
            torch.from_numpy(routes.portal).to(device),
            torch.tensor([*steps, 0], device=device),
            torch.from_numpy(routes.number).to(device),
            _pages(max(16, MEMORY_BYTES // max(free, 1)), free, device),
            torch.full((nodes,), -1, dtype=torch.int64, device=device),
        )


class Ground(Protocol):
    """What routes need of a world: `World`, or as much of it as another process has."""

    layout: Layout
    state: State


class Routes:
    """Flow fields of one world and the waypoints read off them.

    Attributes:
        per_tick: Fields that `update` may compute by itself.
        hasty: For a host that has fields computed meanwhile. Those of places, too, at first reach only a little further
            than whoever goes there is away (see `take_later`); who has none yet stays where it is.
        elsewhere: Where `distance` finds the whole field of a goal node that is not kept here.
    """

    def __init__(self, world: Ground, *, per_tick: int = 1) -> None:
        self.per_tick = per_tick
        self.hasty = False
        self.elsewhere: Callable[[int], Directions | None] = _nowhere
        self.blanks = Ahead(Blank.of)
        """By layout; prepare that of a layout to come on another thread, and its swap takes no time."""
        self._world = world
        self._load(world.layout)

    def update(self, slots: Tensor) -> None:
        """Writes waypoints, and goals that are other avatars, into the state.

        A waypoint is the goal itself if that is near and in plain sight, else a point in plain sight on the way to it.

        Args:
            slots: (A,) i64; in all worlds.
        """
        self._keep_up()
        self._chase(slots)
        state = self._world.state
        state.waypoint[:, slots] = state.goal[:, slots]
        walkers = self._walkers(slots)
        walkers = walkers.rows(~self._direct(walkers))
        if len(walkers.slot):
            node = self._goal_nodes(walkers)
            self._want(walkers, node)
            self.work(self.per_tick)
            state.waypoint[walkers.world, walkers.slot] = self._ahead(walkers, node)

    def prepare(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Computes the fields of all places ahead of time, as far as memory allows.

        Args:
            progress: Called with fields done and fields in all.
        """
        count = min(len(self._layout.place_role), self._capacity)
        for place in range(count):
            self._ensure(self._place_node(place))
            if progress is not None:
                progress(place + 1, count)

    def work(self, count: int) -> int:
        """Computes up to `count` fields that were wanted, in the order they were; returns how many are left."""
        for _ in range(min(count, len(self._wanted))):
            wanted = self.take_wanted()
            assert wanted is not None, "the list was not empty"
            self._install(*wanted)
        return len(self._wanted)

    def take_wanted(self) -> tuple[int, float] | None:
        """Takes what was wanted first off the list: goal node and reach of a field; None if nothing is wanted."""
        if not self._wanted:
            return None
        goal = next(iter(self._wanted))
        return goal, self._wanted.pop(goal)

    def take_later(self) -> int | None:
        """Takes off the list the goal node of a place whose field might reach everywhere, if there is time; or None."""
        if not self._later:
            return None
        goal = next(iter(self._later))
        del self._later[goal]
        return goal

    def put(self, goal: int, limit: float, directions: Directions) -> None:
        """Keeps a field of this layout that `RouteMap.field` computed, here or elsewhere.

        Args:
            goal: Flat free node.
            limit: How far the field reaches.
            directions: (L·H·W,) i8.
        """
        row = self._fields.pop(goal, (-1, 0.0))[0]
        if row < 0:
            row = self._free_row()
        self._table[row] = torch.from_numpy(directions[self._map.node]).to(self._table.device)
        self._fields[goal] = (row, limit)
        self._row_of[goal] = row
        if limit == _EVERYWHERE:
            self._later.pop(goal, None)
        if goal in self._wanted and self._wanted[goal] <= limit:
            del self._wanted[goal]

    def distance(self, world: int, slot: int, place: int) -> float | None:
        """Returns how long an avatar's walk to a place is, m; None without a way or before its field is there."""
        self._keep_up()
        goal = self._place_node(place)
        directions = self._kept(goal) if goal in self._fields else self.elsewhere(goal)
        if directions is None:
            return None
        state = self._world.state
        here = self._snap[self._lattice.nodes(state.level[world, slot], state.position[world, slot, :2])]
        return self._walked(directions, int(here))

    def _keep_up(self) -> None:
        """Starts over if the world has swapped its layout for another."""
        if self._world.layout.hash != self._layout.hash:
            self._load(self._world.layout)

    def _load(self, layout: Layout) -> None:
        """Starts over with a layout."""
        blank = self.blanks.of(layout)
        self._layout, self._map, self._lattice = layout, blank.map, Lattice(layout)
        _, height, width = self._map.shape
        self._storey = height * width
        self._snap, self._portal, self._delta = blank.snap, blank.portal, blank.delta
        self._number, self._table, self._row_of = blank.number, blank.table, blank.row_of
        self._capacity = len(self._table)
        self._fields: dict[int, tuple[int, float]] = {}
        self._wanted: dict[int, float] = {}
        self._later: dict[int, None] = {}

    def _chase(self, slots: Tensor) -> None:
        """Moves the goals of intents that are about another avatar to where that avatar is."""
        state = self._world.state
        target = state.target[:, slots]
        about, other = target >= 0, target.clamp(min=0)
        where = state.position.gather(1, other[..., None].expand(*other.shape, 3))
        state.goal[:, slots] = torch.where(about[..., None], where, state.goal[:, slots])
        state.goal_level[:, slots] = torch.where(about, state.level.gather(1, other), state.goal_level[:, slots])

    def _walkers(self, slots: Tensor) -> Walkers:
        """Returns those of the slots, in all worlds, that are on their way somewhere."""
        state = self._world.state
        walks = state.alive[:, slots] & (state.verb[:, slots] != int(Verb.WAIT))
        world, column = walks.nonzero(as_tuple=True)
        row = (world, slots[column])
        return Walkers(
            *row,
            level=state.level[row],
            position=state.position[row],
            goal=state.goal[row],
            goal_level=state.goal_level[row],
            chases=state.target[row] >= 0,
            place=state.place[row] >= 0,
        )

    def _direct(self, walkers: Walkers) -> Tensor:
        """Returns whose goal is near and in plain sight: (M,) bool."""
        near = length((walkers.goal - walkers.position)[:, :2]) < DIRECT_M
        direct = near & (walkers.level == walkers.goal_level)
        few = walkers.rows(direct)
        if len(few.slot):
            start, end = few.position[:, :2], few.goal[None, :, :2]
            direct[direct.clone()] = self._lattice.sees(few.level, start, end, DIRECT_M)[0]
        return direct

    def _goal_nodes(self, walkers: Walkers) -> Tensor:
        """Returns the free node that stands for each goal, (M,); moving goals share one per square metre."""
        goal = walkers.goal[:, :2]
        goal = torch.where(walkers.chases[:, None], goal.floor() + 0.5, goal)
        return self._snap[self._lattice.nodes(walkers.goal_level, goal)]

    def _want(self, walkers: Walkers, node: Tensor) -> None:
        """Queues the fields that walkers lack, and marks the ones in use."""
        far = length((walkers.goal - walkers.position)[:, :2])
        reach = MARGIN_M + 1.6 * far
        if not self.hasty:
            reach = reach.masked_fill(walkers.place, _EVERYWHERE)
        for goal, needed, place in zip(node.tolist(), reach.tolist(), walkers.place.tolist(), strict=True):
            row, limit = self._fields.pop(goal, (-1, 0.0))
            if row >= 0:
                self._fields[goal] = (row, limit)
            if limit < 0.7 * needed:
                self._wanted[goal] = max(needed, self._wanted.get(goal, 0.0))
            elif place and limit < _EVERYWHERE:
                self._later[goal] = None

    def _ensure(self, goal: int) -> None:
        """Computes the whole field of a goal unless it is there."""
        if self._fields.get(goal, (-1, 0.0))[1] < _EVERYWHERE:
            self._install(goal, _EVERYWHERE)

    def _install(self, goal: int, limit: float) -> None:
        """Computes a field and gives it a row, if need be that of the longest unused one."""
        self.put(goal, limit, self._map.field(goal, limit))

    def _kept(self, goal: int) -> Directions:
        """Returns a field that is kept, (L·H·W,) i8."""
        directions = np.full(len(self._map), NOWHERE, np.int8)
        directions[self._map.node] = self._table[self._fields[goal][0]].numpy(force=True)
        return directions

    def _free_row(self) -> int:
        used = len(self._fields)
        if used >= self._capacity:
            oldest = next(iter(self._fields))
            self._row_of[oldest] = -1
            return self._fields.pop(oldest)[0]
        return used

    def _ahead(self, walkers: Walkers, goal: Tensor) -> Tensor:
        """Returns the furthest point in plain sight on the way down the fields: (M, 3); the goal without a way.

        Where fields are a matter of moments, who has none yet waits instead of walking into a wall.
        """
        row = self._row_of[goal]
        path, known = self._path(walkers, row)
        spots = self._lattice.spots(path)
        reach = AHEAD[-1] * self._map.cell_m * math.sqrt(2)
        seen = self._lattice.sees(walkers.level, walkers.position[:, :2], spots[..., :2], reach)
        seen &= path // self._storey == walkers.level
        order = torch.arange(len(path), device=path.device)[:, None]
        best = torch.where(seen, order, 0).amax(dim=0)
        chosen = spots.gather(0, best[None, :, None].expand(1, -1, 3))[0]
        otherwise = torch.where((row < 0)[:, None], walkers.position, walkers.goal) if self.hasty else walkers.goal
        return torch.where(known[:, None], chosen, otherwise)

    def _path(self, walkers: Walkers, row: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the nodes `AHEAD` steps down the fields, (S, M), and who has a field with a way, (M,)."""
        node = self._snap[self._lattice.nodes(walkers.level, walkers.position[:, :2])]
        table, offset = self._table.view(-1), row.clamp(min=0) * self._table.shape[1]
        known = (row >= 0) & (table[offset + self._number[node]] != NOWHERE)
        path = []
        for step in range(1, AHEAD[-1] + 1):
            code = table[offset + self._number[node]].clamp(min=0).long()
            node = torch.where(code == PORTAL, self._portal[node], node + self._delta[code])
            if step in AHEAD:
                path.append(node)
        return torch.stack(path), known

    def _walked(self, directions: Directions, node: int) -> float | None:
        """Returns the length of the walk down a field from a node, m; None if there is no way."""
        metres, width = 0.0, self._map.shape[2]
        for _ in range(_FOLLOW_STEPS):
            code = int(directions[node])
            if code in {ARRIVED, NOWHERE}:
                return metres if code == ARRIVED else None
            dy, dx = (0, 0) if code == PORTAL else (code // 3 - 1, code % 3 - 1)
            node = int(self._map.portal[node]) if code == PORTAL else node + dy * width + dx
            metres += self._map.cell_m * (dy * dy + dx * dx) ** 0.5
        return metres

    def _place_node(self, place: int) -> int:
        layout = self._layout
        return int(self._snap[self._lattice.nodes(layout.place_level[place], layout.place_position[place, :2])])


def _pages(rows: int, nodes: int, device: torch.device) -> Tensor:
    """Returns (rows, nodes) i8 that take up memory as they are written to, where the device lets them."""
    if device.type == "cpu":
        return torch.from_numpy(np.zeros((rows, nodes), np.int8))
    return torch.zeros((rows, nodes), dtype=torch.int8, device=device)
