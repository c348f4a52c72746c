"""Edits taken up: compiled in another process, prepared on another thread, exchanged between two ticks.

The tick thread copies the graph, and later takes references to what has been made. That it did so is the command
Recompile, in the log like any other: a replay compiles the graph as it stood then, and gets the same layout.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final, Protocol

from ecumene_agents import Minds
from ecumene_scenarios.session import Session
from ecumene_server.errors import FailedError
from ecumene_server.freeze import Freezer
from ecumene_server.host import Host
from ecumene_server.watch import Watch
from ecumene_world import Layout, SceneGraph
from ecumene_world.command import Recompile
from ecumene_world.errors import GraphError
from ecumene_world.state import DT

SETTLE_S: Final = 0.25
"""Pause after an edit before the graph is compiled: edits come in bursts."""
TRIES: Final = 2
"""Compiles that new edits may overtake before they have to wait for one."""
RETRY_S: Final = 5.0
"""Pause after a compile that failed for no fault of the graph."""

_LOG: Final = logging.getLogger("ecumene")


class Compiling(Protocol):
    """Compiles on the thread that calls it; `compiler.Compiler` implements it."""

    def compile(self, graph: SceneGraph, cell_m: float | None) -> Layout:
        """Returns the layout of a graph."""

    def finish(self) -> None:
        """Waits until the scene of that graph is drawn."""

    def rest(self) -> None:
        """Frees what has not been used for a while."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that make something of the layout, and let others have it made ahead."""

    session: Session
    watch: Watch
    minds: Minds | None

    def prepare(self, layout: Layout, graph: SceneGraph) -> None:
        """Makes everything that the tick will need of a layout to come; on any thread."""
        self.session.engine.tables.prepare(layout)
        self.session.routes.blanks.prepare(layout)
        self.watch.prepare(layout, graph)
        if self.minds is not None:
            self.minds.prepare(layout, graph)

    def tidy(self) -> None:
        """Lets go of what was made of the layout before; on any thread."""
        self.session.engine.tables.tidy()
        self.session.routes.blanks.tidy()
        self.watch.tidy()
        if self.minds is not None:
            self.minds.tidy()


class Renewal:
    """Looks after edits of one world until it is cancelled.

    Args:
        host: The tick thread.
        freezer: Copies the graph.
        prepared: Who needs the layout.
        compiler: Makes it.
        taken: Called with the graph and the layout each time one has been taken up; the scene is drawn by then.
    """

    def __init__(
        self,
        host: Host,
        freezer: Freezer,
        prepared: Prepared,
        compiler: Compiling,
        taken: Callable[[SceneGraph, Layout], Coroutine[Any, Any, None]],
    ) -> None:
        self._host = host
        self._freezer = freezer
        self._prepared = prepared
        self._compiler = compiler
        self._taken = taken

    async def run(self) -> None:
        """Takes edits up, also those that a crash had left."""
        world, tries = self._host.world, 0
        done: int | None = None if world.stale else world.edits
        while True:
            await asyncio.sleep(SETTLE_S)
            if world.edits == done:
                await asyncio.to_thread(self._compiler.rest)
                continue
            tries += 1
            done = await self._once(held=tries > TRIES)
            if done is not None:
                tries = 0

    async def _once(self, *, held: bool) -> int | None:
        """Takes up the graph as it is now, if it stays so.

        Args:
            held: Whether edits wait meanwhile.

        Returns:
            The `World.edits` that have been taken care of, or None: to be tried again.
        """
        self._host.inbox.holds_edits = held
        try:
            return await self._renew()
        except FailedError as error:
            _LOG.error("an edit is not taken up yet: %s", error)
            await asyncio.sleep(RETRY_S)
            return None
        finally:
            self._host.inbox.holds_edits = False

    async def _renew(self) -> int | None:
        world = self._host.world
        edits, graph = await self._host.wonder(lambda: (world.edits, self._freezer.graph()))
        try:
            layout = await asyncio.to_thread(self._made, graph)
        except GraphError:
            return edits
        swapped = await self._host.wonder(lambda: self._swap(layout, edits))
        await asyncio.to_thread(self._compiler.finish)
        if not swapped:
            return None
        while await self._host.wonder(lambda: world.stale and world.edits == edits):
            await asyncio.sleep(DT)
        await self._taken(graph, layout)
        await asyncio.to_thread(self._prepared.tidy)
        return edits

    def _made(self, graph: SceneGraph) -> Layout:
        world = self._host.world
        layout = self._compiler.compile(graph, world.layout.asked_cell_m).to(world.state.device)
        self._prepared.prepare(layout, graph)
        return layout

    def _swap(self, layout: Layout, edits: int) -> bool:
        """Lets the next tick begin with a swap unless the graph was edited; runs between two ticks."""
        if self._host.world.edits != edits:
            return False
        self._host.world.offer(layout, edits)
        self._host.inbox.put_first(Recompile())
        self._host.inbox.holds_edits = False
        return True
