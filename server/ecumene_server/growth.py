"""Districts on request: one at a time, made by another process, put in at a tick boundary by a durable command.

States of the one that is being built::

    making ──fits──▸ putting in ──swapped, on disk──▸ Done
       └──refused, given up, failed──▸ Done with the reason; the world is as it was
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from ecumene_server import wire
from ecumene_server.errors import FailedError
from ecumene_server.freeze import Freezer
from ecumene_server.grower import Grower
from ecumene_server.growwork import Made
from ecumene_server.host import Host
from ecumene_server.news import Answer, Ticket
from ecumene_server.picture import Message
from ecumene_server.renewal import TRIES, Grown, Renewal
from ecumene_world import Layout, SceneGraph
from ecumene_world.branch import unpacked
from ecumene_world.command import AddBranch
from ecumene_world.errors import WorldError
from ecumene_world.extend.district import KINDS, District
from ecumene_world.generate.tags import TAGS
from ecumene_world.graph import ROOT
from ecumene_world.plain import Packed


@dataclass(slots=True)
class Work:
    """A district that is being built.

    Attributes:
        ticket: Whose.
        who: Their name.
        wish: What was asked for.
        doing: What is being done.
        share: How much is done, 0..1.
        settled: Whether it is being put in, so that it can't be given up any more.
        dropped: Who gave it up, "" while nobody did.
    """

    ticket: Ticket
    who: str
    wish: wire.Build
    doing: str = "beginning"
    share: float = 0.0
    settled: bool = False
    dropped: str = ""


class Growth:
    """Implements `surroundings.Building`; belongs to the event loop.

    Args:
        host: The tick thread.
        freezer: Copies the graph.
        grower: Makes districts.
        renewal: Exchanges layouts.
        inform: Tells a visitor something, by avatar key.
        answer: Answers a request.
    """

    def __init__(
        self,
        host: Host,
        freezer: Freezer,
        grower: Grower,
        renewal: Renewal,
        inform: Callable[[str, Message], None],
        answer: Callable[[Answer], None],
    ) -> None:
        self._host = host
        self._freezer = freezer
        self._grower = grower
        self._renewal = renewal
        self._inform = inform
        self._answer = answer
        self._work: Work | None = None
        self._task: asyncio.Task[None] | None = None

    def begin(self, ticket: Ticket, who: str, message: wire.Build) -> None:
        """Begins with a district unless another one is being built."""
        if (busy := self._work) is not None:
            about = f"{busy.wish.kind} {busy.wish.seed} for {busy.who} ({busy.doing}, {100 * busy.share:.0f} %)"
            self._answer(Answer(ticket, error=f"one district is built at a time, and {about} is being built now"))
            return
        self._work = Work(ticket, who, message)
        self._task = asyncio.get_running_loop().create_task(self._run(self._work))

    def give_up(self, ticket: Ticket, who: str) -> None:
        """Gives up what is being built, unless it is being put in already."""
        work = self._work
        if work is None:
            self._answer(Answer(ticket, error="no district is being built"))
        elif work.settled:
            self._answer(Answer(ticket, error="it is being put in already; remove it when it stands"))
        else:
            work.dropped = who
            self._grower.close()
            self._answer(Answer(ticket))

    async def close(self) -> None:
        """Gives up whatever is being built."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.to_thread(self._grower.close)
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self, work: Work) -> None:
        try:
            await self._build(work)
        except (WorldError, FailedError) as error:
            sentence = (
                f"{work.wish.kind} {work.wish.seed} was given up by {work.dropped}" if work.dropped else str(error)
            )
            self._answer(Answer(work.ticket, error=sentence))
        finally:
            self._work = None
            await asyncio.to_thread(self._grower.close)

    async def _build(self, work: Work) -> None:
        """Makes it for the graph as it is and puts it in; edits that overtake it too often have to wait."""
        wish = await asyncio.to_thread(_checked, work.wish)
        for attempt in range(TRIES + 1):
            async with AsyncExitStack() as held:
                if attempt == TRIES:
                    await held.enter_async_context(self._renewal.turn)
                    self._host.inbox.holds_edits = True
                    held.callback(self._release)
                edits, graph = await self._host.wonder(lambda: (self._host.world.edits, self._freezer.graph()))
                made, layout = await asyncio.to_thread(self._made, work, wish, graph)
                grown = await asyncio.to_thread(_grown, made, layout, graph, edits)
                if attempt < TRIES:
                    await held.enter_async_context(self._renewal.turn)
                if await self._put_in(work, grown, made):
                    return

    async def _put_in(self, work: Work, grown: Grown, made: Made) -> bool:
        if work.dropped:
            raise FailedError("given up")
        work.settled = True
        self._told(work, "putting it in", 0.95)
        if not await self._renewal.put_in(grown, work.ticket, self._grower.finish):
            work.settled = False
            return False
        self._told(work, "it stands", 1.0, made.entrance)
        return True

    def _made(self, work: Work, wish: District, graph: SceneGraph) -> tuple[Made, Layout]:
        """Makes a district; runs on a thread."""
        loop, device = self._loop, self._host.world.state.device

        def tell(doing: str, share: float) -> None:
            loop.call_soon_threadsafe(self._told, work, doing, share)

        made, layout = self._grower.make(graph, self._host.world.layout.asked_cell_m, wish, tell)
        return made, layout.to(device)

    @property
    def _loop(self) -> asyncio.AbstractEventLoop:
        assert self._task is not None, "something is being built"
        return self._task.get_loop()

    def _release(self) -> None:
        self._host.inbox.holds_edits = False

    def _told(self, work: Work, doing: str, share: float, at: tuple[float, float] | None = None) -> None:
        if work.dropped:
            self._grower.close()  # it may have begun after it was given up
            return
        work.doing, work.share = doing, share
        about = (work.wish.kind, work.wish.seed, doing, share, at)
        request = work.ticket.request
        assert request is not None, "only requests are answered"
        self._inform(work.ticket.key, lambda seq: wire.Building(seq, request, *about))


def _checked(message: wire.Build) -> District:
    wish = District(message.kind, message.seed, tuple(message.tags), message.size_m, message.at)
    wish.check()
    return wish


def _grown(made: Made, layout: Layout, graph: SceneGraph, edits: int) -> Grown:
    """Returns all that has to be there when it is put in, so that the tick has nothing to make."""
    whole = graph.copy()
    unpacked(made.branch).graft(whole, ROOT)
    return Grown(AddBranch(made.root, Packed(made.branch)), edits, whole, whole.copy(), layout, made.bounds)


def offer() -> dict[str, Any]:
    """Returns what can be built: for each kind its usual, least and greatest size in metres, and its tags."""
    return {
        kind: {"size": [size.usual, size.least, size.greatest], "tags": dict(TAGS[kind])}
        for kind, size in KINDS.items()
    }
