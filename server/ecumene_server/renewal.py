"""Edits taken up: compiled in another process, prepared on another thread, exchanged between two ticks.

The tick thread copies the graph, and later takes references to what has been made. That it did so is the command
Recompile, in the log like any other: a replay compiles the graph as it stood then, and gets the same layout.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final, Protocol

from ecumene_agents import Minds
from ecumene_scenarios.session import Session
from ecumene_server.errors import FailedError
from ecumene_server.freeze import Freezer
from ecumene_server.host import Host
from ecumene_server.news import Ticket
from ecumene_server.watch import Watch
from ecumene_world import Layout, SceneGraph
from ecumene_world.command import AddBranch, Recompile
from ecumene_world.errors import GraphError
from ecumene_world.state import DT
from ecumene_world.world import World

SETTLE_S: Final = 0.25
"""Pause after an edit before the graph is compiled: edits come in bursts."""
TRIES: Final = 2
"""Compiles that new edits may overtake before they have to wait for one."""
CLEAR_S: Final = 30.0
"""How long a branch waits for who stands where it will be."""
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


@dataclass(frozen=True, slots=True)
class Grown:
    """A world with a branch to come.

    Attributes:
        command: Puts the branch in.
        edits: `World.edits` of the graph that it was made for.
        whole: That graph with the branch, for the world to go on with.
        graph: The same once more, for everybody else.
        layout: It, compiled.
        bounds: Lowest x, y and highest x, y that the branch is built on, metres.
    """

    command: AddBranch
    edits: int
    whole: SceneGraph
    graph: SceneGraph
    layout: Layout
    bounds: tuple[float, float, float, float]


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
        self.turn = asyncio.Lock()
        """Held by whoever is about to exchange the layout."""
        self._done: int | None = None
        """The `World.edits` that have been taken care of last."""

    async def run(self) -> None:
        """Takes edits up, also those that a crash had left."""
        world, tries = self._host.world, 0
        self._done = None if world.stale else world.edits
        while True:
            await asyncio.sleep(SETTLE_S)
            if world.edits == self._done:
                await asyncio.to_thread(self._compiler.rest)
                continue
            async with self.turn:
                if world.edits == self._done:
                    continue
                tries += 1
                self._done = await self._once(held=tries > TRIES)
            if self._done is not None:
                tries = 0

    async def put_in(self, grown: Grown, ticket: Ticket, drawn: Callable[[], None]) -> bool:
        """Puts a branch into the world together with its layout; `turn` is held by who calls.

        Args:
            grown: What is put in; prepared here.
            ticket: Answered once it is on disk.
            drawn: Waits until the scene is drawn; called on a thread.

        Returns:
            Whether it was: not if the graph was edited since.

        Raises:
            FailedError: Somebody stands in the way all the time, or the scene is not drawn.
        """
        world = self._host.world
        await asyncio.to_thread(self._prepared.prepare, grown.layout, grown.graph)
        if not await self._inserted(grown, ticket):
            return False
        tick = await self._host.wonder(lambda: int(world.state.tick[0]))
        while await self._host.wonder(lambda: int(world.state.tick[0])) <= tick + 1:
            await asyncio.sleep(DT)
        if await self._host.wonder(lambda: world.edits) == grown.edits:
            raise FailedError("the world did not take it")
        self._done = grown.edits + 1
        await asyncio.to_thread(drawn)
        await self._taken(grown.graph, grown.layout)
        await asyncio.to_thread(self._prepared.tidy)
        return True

    async def _inserted(self, grown: Grown, ticket: Ticket) -> bool:
        """Lets the next tick begin with it as soon as nobody stands there; returns whether the graph was unedited."""
        until = time.monotonic() + CLEAR_S
        while (stands := await self._host.wonder(lambda: self._insert(grown, ticket))) is None:
            if time.monotonic() > until:
                raise FailedError(f"somebody has stood where it would be for {CLEAR_S:g} seconds; choose another point")
            await asyncio.sleep(SETTLE_S)
        return stands

    def _insert(self, grown: Grown, ticket: Ticket) -> bool | None:
        """Returns None while somebody stands in the way, False if the graph was edited; runs between two ticks."""
        world = self._host.world
        if world.edits != grown.edits:
            return False
        if _stands_in(world, grown.bounds):
            return None
        world.offer_graph(grown.whole, grown.edits, grown.command.branch)
        world.offer(grown.layout, grown.edits + 1)
        self._freezer.adopt(grown.graph, grown.edits + 1)
        self._host.inbox.put_first(Recompile())
        self._host.inbox.put_first(grown.command, ticket)
        self._host.inbox.holds_edits = False
        return True

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


def _stands_in(world: World, bounds: tuple[float, float, float, float]) -> bool:
    x0, y0, x1, y1 = bounds
    x, y = world.state.position[0, :, 0], world.state.position[0, :, 1]
    inside = (x > x0) & (x < x1) & (y > y0) & (y < y1) & world.state.alive[0]
    return bool(inside.any())
