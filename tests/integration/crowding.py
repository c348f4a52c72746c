"""Twenty visitors who edit and talk until their server dies, and remember what it promised them."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from pathlib import Path

from tests.integration.visitors import Visitor
from websockets.exceptions import ConnectionClosed

from ecumene_server import records, wire
from ecumene_server.store import open_store
from ecumene_world.command import Say, SetThing, from_record


@dataclass(slots=True)
class Promises:
    """What one visitor was told is done.

    Attributes:
        bell: The thing it edits; its state counts up.
        key: Avatar key.
        edits: Highest state that was acknowledged.
        said: Lines that were acknowledged.
    """

    bell: str
    key: str = ""
    edits: int = 0
    said: int = 0
    latencies_s: list[float] = field(default_factory=list)


async def insist(url: str, number: int, promises: Promises, started: asyncio.Event) -> None:
    """Sends durable requests one after another until the connection breaks."""
    with contextlib.suppress(ConnectionClosed, OSError, TimeoutError):
        async with Visitor(url, f"Visitor {number}") as visitor:
            welcome = await visitor.join()
            promises.key = next(person.key for person in welcome.people if person.id == welcome.entity)
            await started.wait()
            for state in range(1, 250):
                edit = {"command": "thing", "thing": promises.bell, "state": state}
                await _timed(visitor, promises, lambda i, e=edit: wire.Edit(i, e))  # type: ignore[misc]
                promises.edits = state
                if state % 25 == 0:
                    await _timed(visitor, promises, lambda i: wire.Say(i, "still here"))
                    promises.said += 1


async def _timed(visitor: Visitor, promises: Promises, make: object) -> None:
    clock = asyncio.get_running_loop().time
    start = clock()
    done = await asyncio.wait_for(_or_closed(visitor, make), 20)
    assert done.ok, done.error
    promises.latencies_s.append(clock() - start)


async def _or_closed(visitor: Visitor, make: object) -> wire.Done:
    ask = asyncio.ensure_future(visitor.ask(make, 20))  # type: ignore[arg-type]
    closed = asyncio.ensure_future(visitor.socket.wait_closed())
    await asyncio.wait({ask, closed}, return_when=asyncio.FIRST_COMPLETED)
    if not ask.done():
        ask.cancel()
        raise ConnectionError
    closed.cancel()
    return ask.result()


async def crowd(url: str, clients: int, seconds: float, kill: object) -> list[Promises]:
    """Lets as many visitors insist for some time, then calls `kill`; returns what they were promised."""
    promises = [Promises(f"bell-{number}") for number in range(clients)]
    started = asyncio.Event()
    tasks = [asyncio.create_task(insist(url, n, each, started)) for n, each in enumerate(promises)]
    async with asyncio.timeout(60):
        while not all(each.key for each in promises):
            await asyncio.sleep(0.05)
    started.set()
    await asyncio.sleep(seconds)
    kill()  # type: ignore[operator]
    await asyncio.gather(*tasks)
    return promises


async def written(database: Path, world: str) -> tuple[dict[str, int], dict[str, int]]:
    """Returns from the log the last state of each thing, and how many lines each avatar said."""
    states: dict[str, int] = {}
    lines: dict[str, int] = {}
    async with open_store(f"sqlite:///{database}", world) as store:
        async for row in store.log_after(0):
            for record in records.unpacked(row.payload).commands:
                command = from_record(record)
                if isinstance(command, SetThing):
                    states[command.thing] = command.state
                if isinstance(command, Say):
                    lines[command.key] = lines.get(command.key, 0) + 1
    return states, lines
