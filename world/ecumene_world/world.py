"""The world: graph, layout, state and who is in it; changed by commands between ticks and by the engine within."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import torch

from ecumene_world.avatar import Avatar
from ecumene_world.command import check
from ecumene_world.commands.base import Command
from ecumene_world.commands.body import Steer, steer
from ecumene_world.errors import CommandError
from ecumene_world.event import Event
from ecumene_world.graph import SceneGraph
from ecumene_world.grid import sample_near
from ecumene_world.layout import Layout, compile_layout
from ecumene_world.plain import JSON, shown
from ecumene_world.pose import Vector3
from ecumene_world.state import State
from ecumene_world.swap import carried_over

STREAMS: Final = ("spawn", "minds", "engine", "scenario")
"""Named generators that every world has."""
ARRIVAL_GAP_M: Final = 0.6
"""Avatars appear at least this far from others while there is room."""
ARRIVAL_TRIES: Final = 12

Value = float | int | bool | str


class World:
    """B worlds of one scene graph, run side by side.

    Attributes:
        graph: What exists; edited by commands only.
        layout: The graph as tensors, as of the last compile.
        state: What changes each tick.
        avatars: Who is here, by key.
        readings: Last value and unit of each field that sensors reported, by node and field.
        generators: Named streams of random numbers, all from `seed`; part of snapshots.
        seed: What they came from.
        extra: What others want kept in snapshots, such as minds' memories, by name.
        compiled_graph: The graph that the layout was compiled from, None while that is `graph` itself.
        edits: How often the graph was edited since this object was made.
    """

    def __init__(
        self,
        graph: SceneGraph,
        *,
        worlds: int = 1,
        slots: int = 256,
        seed: int = 0,
        layout: Layout | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        self.graph = graph
        self.layout = compile_layout(graph, device=device) if layout is None else layout.to(device)
        self.state = State.empty(worlds, slots, self.layout, device)
        self.avatars: dict[str, Avatar] = {}
        self.readings: dict[str, dict[str, tuple[Value, str]]] = {}
        self.seed = seed
        self.generators = {name: stream(seed, name) for name in STREAMS}
        self.extra: dict[str, bytes] = {}
        self.compiled_graph: SceneGraph | None = None
        self.edits = 0
        self._pending: tuple[Layout, int] | None = None
        self._grown: tuple[SceneGraph, int, str] | None = None
        self._by_slot: dict[tuple[int, int], str] = {}

    @property
    def stale(self) -> bool:
        """Whether the graph was edited since the layout was compiled."""
        return self.compiled_graph is not None

    def apply(self, commands: Sequence[Command]) -> list[Event]:
        """Carries out commands in order; one that can't be carried out becomes a `rejected` event with the reason.

        Steering that comes in a row is carried out together: of the same body the last counts.
        """
        events: list[Event] = []
        steering: dict[tuple[int, str], Steer] = {}
        for command in commands:
            try:
                check(command, self)
            except CommandError as error:
                events.append(self._rejected(command, str(error)))
                continue
            if isinstance(command, Steer):
                steering[command.world, command.key] = command
                continue
            if steering:
                steer(self, steering.values())
                steering.clear()
            events += command.apply(self)
        if steering:
            steer(self, steering.values())
        return events

    def prepare(self) -> Layout:
        """Returns the layout of the graph as it stands, compiling it unless that has been done already.

        Raises:
            GraphError: The graph can't be compiled.
        """
        if not self.stale:
            return self.layout
        cell_m = self.layout.asked_cell_m
        offered, edits = self._pending or (self.layout, -1)
        if offered.asked_cell_m != cell_m or edits != self.edits:
            offered = compile_layout(self.graph, cell_m=cell_m, device=self.state.device)
            self._pending = offered, self.edits
        return offered

    def offer(self, layout: Layout, edits: int) -> None:
        """Hands in a layout that was compiled elsewhere; `recompile` takes it if the graph was not edited since.

        To compile off the tick: copy the graph and note `edits` between ticks, call
        `compile_layout(copy, cell_m=layout.asked_cell_m)` elsewhere, offer the outcome between ticks and give the
        command Recompile.
        """
        self._pending = layout.to(self.state.device), edits

    def recompile(self) -> None:
        """Swaps in the layout of the graph as it stands, keeping the state by names.

        Raises:
            GraphError: The graph can't be compiled; nothing has changed then.
        """
        layout = self.prepare()
        if layout is not self.layout:
            self.state = carried_over(self.state, self.layout, layout)
            self.layout = layout
        self._pending = self.compiled_graph = None

    def editing(self) -> None:
        """Notes that the graph is about to change, keeping the one that the layout was compiled from."""
        self.edits += 1
        if self.compiled_graph is None:
            self.compiled_graph = self.graph.copy()

    def offer_graph(self, graph: SceneGraph, edits: int, branch: str) -> None:
        """Hands in this graph with a branch added to it elsewhere; AddBranch takes it if nothing was edited since.

        Args:
            graph: Nobody may change it any more.
            edits: `World.edits` when this graph was copied.
            branch: The branch, packed.
        """
        self._grown = graph, edits, branch

    def take_graph(self, branch: str) -> bool:
        """Puts the graph that was offered with a branch in place of this one; returns whether there was one."""
        offered, self._grown = self._grown, None
        if offered is None or offered[1] != self.edits or offered[2] != branch:
            return False
        if self.compiled_graph is None:
            self.compiled_graph = self.graph
        self.graph = offered[0]
        self.edits += 1
        return True

    def slots_alive(self, world: int = 0) -> torch.Tensor:
        """Returns (A,) i64 slots of a world that hold an avatar, ascending."""
        return self.state.alive[world].nonzero().flatten()

    def key_of(self, world: int, slot: int) -> str | None:
        """Returns the key of the avatar in a slot, None if it is free."""
        return self._by_slot.get((world, slot))

    def slot_of(self, key: str) -> int | None:
        """Returns the slot of an avatar, None if it is not here."""
        found = self.avatars.get(key)
        return None if found is None else found.slot

    def thing(self, name: str) -> int:
        """Returns the index of a thing.

        Raises:
            CommandError: No thing in the layout has that name.
        """
        found = self.layout.thing_index.get(name)
        if found is None:
            raise CommandError(f"{shown(name)} is not a thing that can be used here")
        return found

    def place(self, name: str) -> int:
        """Returns the index of a place.

        Raises:
            CommandError: No reachable place has that name.
        """
        found = self.layout.place_index.get(name)
        if found is None:
            raise CommandError(f"{shown(name)} is not a place that one can go to here")
        return found

    def level_at(self, point: Vector3) -> int:
        """Returns the storey whose walkable floor under or over a point is nearest in height."""
        return self._footing(point)[0]

    def standable(self, point: Vector3) -> bool:
        """Tells whether an avatar can be put there: some storey is free of obstacles at that x, y."""
        return self._footing(point)[2]

    def free_slot(self, world: int) -> int | None:
        """Returns the lowest free slot of a world, None if it is full."""
        free = (~self.state.alive[world]).nonzero()
        return int(free[0]) if len(free) else None

    def arrival(self, world: int, wanted: Vector3 | None) -> tuple[Vector3, int, float]:
        """Returns position, storey and yaw for a newcomer.

        Without a wanted position it is the first of a few random spawn points that keeps its distance from all
        avatars, or the one that comes nearest to doing so.
        """
        if wanted is not None:
            level, floor, _ = self._footing(wanted)
            return (wanted[0], wanted[1], floor), level, 0.0
        layout = self.layout
        count = len(layout.spawn_level)
        picks = torch.randint(count, (min(ARRIVAL_TRIES, count),), generator=self.generators["spawn"])
        picks = picks.to(layout.device)
        spots, levels = layout.spawn_position[picks], layout.spawn_level[picks]
        others = self.slots_alive(world)
        gaps = torch.cdist(spots, self.state.position[world, others], compute_mode="donot_use_mm_for_euclid_dist")
        gaps = gaps.where(levels[:, None] == self.state.level[world, others], ARRIVAL_GAP_M)
        best = int(gaps.clamp(max=ARRIVAL_GAP_M).amin(1).argmax()) if len(others) else 0
        x, y, z = spots[best].tolist()
        return (x, y, z), int(levels[best]), float(layout.spawn_yaw[picks[best]])

    def take_slot(self, world: int) -> int:
        """Marks the lowest free slot as alive, puts its columns back to their initial values and returns it."""
        slot = self.free_slot(world)
        assert slot is not None, "Spawn has checked that there is room"
        self.state.reset_slot(world, slot)
        self.state.alive[world, slot] = True
        self.state.serial[world, slot] += 1
        return slot

    def enrol(self, key: str, world: int, slot: int, *, title: str, role: str, look: int) -> Avatar:
        """Notes who holds a slot; returns them."""
        row = (world, slot)
        serial, kind = int(self.state.serial[row]), int(self.state.kind[row])
        who = Avatar(key, world, slot, serial, title, role, kind, look)
        self.enrol_again(who)
        return who

    def enrol_again(self, who: Avatar) -> None:
        """Notes that an avatar holds the slot that it names, as after a restart."""
        self.avatars[who.key] = who
        self._by_slot[who.world, who.slot] = who.key

    def vacate(self, who: Avatar) -> None:
        """Frees a slot; what its avatar carried lies where it stood, and nobody aims at the slot any more.

        What it carried with another falls in the next tick.
        """
        state, world = self.state, who.world
        held = (state.thing_holder[world] == who.slot) & (self.layout.thing_lengths() == 0)
        state.thing_position[world, held] = state.position[world, who.slot]
        state.thing_holder[world, held] = -1
        state.target[world, state.target[world] == who.slot] = -1
        state.reset_slot(world, who.slot)
        del self.avatars[who.key], self._by_slot[world, who.slot]

    def event(
        self,
        name: str,
        subject: str,
        other: str = "",
        *,
        data: Mapping[str, JSON] | None = None,
        position: Vector3 | None = None,
        at: Command | None = None,
    ) -> Event:
        """Returns an event of now; an avatar's position is filled in."""
        world = 0 if at is None else at.world
        who = self.avatars.get(subject)
        if position is None and who is not None:
            x, y, z = self.state.position[who.world, who.slot].tolist()
            position = (x, y, z)
        return Event(int(self.state.tick[world]), name, subject, other, data or {}, position, world)

    def _rejected(self, command: object, reason: str) -> Event:
        name = getattr(command, "name", type(command).__name__)
        subject = next(
            (text for key in ("key", "thing", "node", "a") if isinstance(text := getattr(command, key, None), str)), ""
        )
        world = getattr(command, "world", 0)
        known = isinstance(world, int) and 0 <= world < self.state.worlds
        data: dict[str, JSON] = {"command": str(name), "reason": reason}
        return Event(
            int(self.state.tick[world if known else 0]), "rejected", subject, data=data, world=world if known else 0
        )

    def _footing(self, point: Vector3) -> tuple[int, float, bool]:
        """Returns storey, floor height and whether one can stand there, of the storey that fits a point best."""
        layout, (x, y, z) = self.layout, point
        floor, clearance = (
            sample_near(layout, field, slice(None), [(x, y)])[:, 0] for field in (layout.floor, layout.clearance)
        )
        x0, y0, x1, y1 = layout.bounds
        inside = x0 <= x <= x1 and y0 <= y <= y1
        best = int((np.abs(floor - z) + np.where(clearance > 0, 0.0, 1e6)).argmin())
        return best, float(floor[best]), bool(clearance[best] > 0) and inside


def stream(seed: int, name: str) -> torch.Generator:
    """Returns a generator whose numbers depend on the seed and the name only."""
    digest = hashlib.sha256(f"{seed} {name}".encode()).digest()
    generator = torch.Generator()
    generator.manual_seed(int.from_bytes(digest[:8], "little") & (2**63 - 1))
    return generator
