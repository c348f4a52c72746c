"""What durability costs: how long an event waits until it is on disk, and how long a snapshot of a world takes.

Events come at a steady rate. With group commit, as the server does it, whatever gathers while one commit is under way
goes into the next; beside it each event gets a commit of its own, in the same run and on the same database. An event is
acknowledged when its commit has returned, with SQLite's `synchronous=FULL` or PostgreSQL's default.

    python benchmarks/storage.py [--rate 1000] [--seconds 8] [--entities 1000 10000] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.integration import postgres

from ecumene_scenarios.session import Session
from ecumene_server.freeze import Freezer
from ecumene_server.journal import Journal
from ecumene_server.openworld import Inhabited
from ecumene_server.store import Store, open_store
from ecumene_world import kinds, snapshot
from ecumene_world.generate import generate

RECORD: Final = random.Random(0).randbytes(300)
"""About as large as the record of a tick in which somebody edits, and as little compressible."""
PATIENCE_S: Final = 8.0
"""How long events that still wait may take after the last one has come; the rest count as never acknowledged."""
REPEATS: Final = 5
"""Snapshots of each size; the median is told."""

Put = Callable[[int], None]


async def acknowledged(rate: int, seconds: float, begin: Callable[[Callable[[int], None]], Put]) -> dict[str, Any]:
    """Puts events at a rate; returns how long each waited for its acknowledgement.

    Args:
        rate: Events a second.
        seconds: How long.
        begin: Given what to call with the last event that is on disk; returns what takes an event.
    """
    waiting: deque[tuple[int, float]] = deque()
    waits: list[float] = []

    def committed(last: int) -> None:
        now = time.perf_counter()
        while waiting and waiting[0][0] <= last:
            waits.append(now - waiting.popleft()[1])

    put, number, total = begin(committed), 0, round(rate * seconds)
    began = time.perf_counter()
    while number < total:
        due = min(total, int((time.perf_counter() - began) * rate) + 1)
        for number in range(number + 1, due + 1):  # noqa: B020 - goes on where it was
            waiting.append((number, time.perf_counter()))
            put(number)
        await asyncio.sleep(0.0005)
    until = time.perf_counter() + PATIENCE_S
    while waiting and time.perf_counter() < until:
        await asyncio.sleep(0.01)
    lost, span = len(waiting), time.perf_counter() - began
    waits.sort()
    spread = {f"p{share}": round(waits[int(share / 100 * (len(waits) - 1))] * 1e3, 2) for share in (50, 99)}
    return {"rate": rate, "ack_ms": spread, "per_s": round(len(waits) / span), "events": total, "never": lost}


async def group_commit(store: Store, rate: int, seconds: float) -> dict[str, Any]:
    """Measures the server's own journal."""
    epoch, journals = await store.begin_epoch(0), []

    def begin(committed: Callable[[int], None]) -> Put:
        journal = Journal(store, epoch, committed, sys.exit)
        journals.append(journal)
        return lambda number: journal.put(number, RECORD, durable=True)

    found = await acknowledged(rate, seconds, begin)
    await journals[0].close()
    counters = journals[0].counters
    return {**found, "events_a_commit": round(counters.records / max(1, counters.commits), 1)}


async def commit_each(store: Store, rate: int, seconds: float) -> dict[str, Any]:
    """Measures one commit for each event, in order."""
    epoch, queue = await store.begin_epoch(0), asyncio.Queue[int]()
    tasks: list[asyncio.Task[None]] = []

    def begin(committed: Callable[[int], None]) -> Put:
        async def work() -> None:
            while True:
                number = await queue.get()
                await store.append(epoch, [(number, RECORD)])
                committed(number)

        tasks.append(asyncio.create_task(work()))
        return queue.put_nowait

    found = await acknowledged(rate, seconds, begin)
    tasks[0].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return {**found, "events_a_commit": 1}


WAYS: Final[dict[str, Callable[[Store, int, float], Awaitable[dict[str, Any]]]]] = {
    "group commit": group_commit,
    "a commit an event": commit_each,
}


async def events(name: str, url: str, rate: int, seconds: float) -> list[dict[str, Any]]:
    """Returns one row for each way to commit, on a database."""
    rows = []
    for way, measure in WAYS.items():
        async with open_store(url, way) as store:
            rows.append({"database": name, "way": way, **await measure(store, rate, seconds)})
    return rows


async def snapshots(name: str, url: str, entities: int) -> dict[str, Any]:
    """Returns how long it takes to copy, to pack, to store and to load a world with that many avatars."""
    session = crowded(entities)
    freezer, spent = Freezer(session, None), []
    async with open_store(url, f"world of {entities}") as store:
        epoch = await store.begin_epoch(0)
        for repeat in range(REPEATS):
            marks = [time.perf_counter()]
            frozen = freezer.freeze()
            marks.append(time.perf_counter())
            body = await asyncio.to_thread(frozen.packed)
            marks.append(time.perf_counter())
            await store.put_snapshot(epoch, repeat, body)
            marks.append(time.perf_counter())
            snapshot.load(body, layout=session.world.layout)
            marks.append(time.perf_counter())
            spent.append([(end - start) * 1e3 for start, end in pairwise(marks)])
    middle = [round(sorted(column)[REPEATS // 2], 1) for column in zip(*spent, strict=True)]
    names = ("copy_ms", "pack_ms", "store_ms", "load_ms")
    return {"database": name, "entities": entities, **dict(zip(names, middle, strict=True)), "kb": len(body) // 1024}


def crowded(entities: int) -> Session:
    """Returns a plaza with that many avatars in it."""
    session = Session(Inhabited(lambda: generate("plaza", 1), 0, entities))
    world, draw = session.world, random.Random(entities)
    state, npc = world.state, kinds.kind_named("npc").code
    for slot in range(entities):
        state.position[0, slot, :2] = state.position.new_tensor((draw.uniform(-30, 30), draw.uniform(-30, 30)))
        world.enrol(f"npc:{slot}", 0, slot, title=f"Walker {slot}", role="", look=slot)
    state.alive[:], state.kind[:] = True, npc
    return session


async def measure(options: argparse.Namespace) -> dict[str, list[dict[str, Any]]]:
    """Returns the rows of both tables."""
    found: dict[str, list[dict[str, Any]]] = {"events": [], "snapshots": []}
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        urls = {"SQLite": f"sqlite:///{folder}/world.db"}
        if postgres.installed():
            urls["PostgreSQL"] = stack.enter_context(postgres.server())
        for name, url in urls.items():
            found["events"] += await events(name, url, options.rate, options.seconds)
            found["snapshots"] += [await snapshots(name, url, count) for count in options.entities]
    return found


def table(found: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    """Yields the lines of both tables."""
    yield (
        f"{'database':12}{'events/s':>10}  {'way':20}{'ack ms p50':>12}{'p99':>10}{'acknowledged/s':>16}"
        f"{'events/commit':>15}{'never':>8}"
    )
    for row in found["events"]:
        ack, rate = row["ack_ms"], row["rate"]
        yield (
            f"{row['database']:12}{rate:>10}  {row['way']:20}{ack['p50']:>12g}{ack['p99']:>10g}{row['per_s']:>16}"
            f"{row['events_a_commit']:>15g}{row['never']:>8}"
        )
    yield ""
    yield f"{'database':12}{'entities':>10}{'copy ms':>10}{'pack ms':>10}{'store ms':>10}{'load ms':>10}{'KB':>8}"
    for row in found["snapshots"]:
        yield (
            f"{row['database']:12}{row['entities']:>10}{row['copy_ms']:>10g}{row['pack_ms']:>10g}"
            f"{row['store_ms']:>10g}{row['load_ms']:>10g}{row['kb']:>8}"
        )


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=1000, help="events a second (1000)")
    parser.add_argument("--seconds", type=float, default=8.0, help="for each way and database (8)")
    parser.add_argument("--entities", type=int, nargs="+", default=[1000, 10_000], help="in snapshots (1000 10000)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    found = asyncio.run(measure(options))
    for line in [json.dumps(found, indent=1)] if options.json else table(found):
        print(line)


if __name__ == "__main__":
    main()
