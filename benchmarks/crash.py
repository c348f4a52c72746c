"""What a killed server remembers: clients get durable things acknowledged, then the server gets SIGKILL, ten times.

    python benchmarks/crash.py [--kills 10] [--clients 20] [--seconds 4] [--world plaza] [--npcs 30] [--seed 1] [--json]

Starts `ecumene serve` on SQLite. Each client asks for one thing at a time: set the state of a bell post of its own, add
a node, say a line. After a random time the server is killed in the middle of that and started again on the same files.
Whatever was acknowledged must be there: states and nodes as a visitor of the new server is told them, lines in the
stored chat. Exit status 1 if anything is missing.

An acknowledgement takes a tick's wait, the tick, and the commit. SIGKILL spares what the operating system has taken
over; what a power cut would take is tested in `tests/integration/test_store_power_loss.py`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import math
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from ecumene_server import wire

STATES: Final = 250
PATIENCE_S: Final = 60.0


@dataclass(slots=True)
class Promised:
    """What one client was told is done, over all kills.

    Attributes:
        name: Of the client; its bell post is called like it.
        token: Of its account.
        state: Last acknowledged state of the bell post.
        asked: The state that was asked for last.
        nodes: Names of nodes that were acknowledged.
        lines: Lines that were acknowledged.
        counts: For names that are used once.
    """

    name: str
    token: str | None = None
    state: int = 0
    asked: int = 0
    nodes: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    counts: itertools.count[int] = field(default_factory=itertools.count)


@dataclass(frozen=True, slots=True)
class Row:
    """One kill.

    Attributes:
        kill: Which.
        after_s: How long clients had been at it.
        acknowledged: Durable requests that were acknowledged.
        p50_ms: Time to an acknowledgement.
        p99_ms: Same, exceeded by one in a hundred.
        lost: Acknowledged things that were missing afterwards.
        replayed: Ticks that the new server had to replay.
        open_s: From the start of the new process until it was open.
    """

    kill: int
    after_s: float
    acknowledged: int
    p50_ms: float
    p99_ms: float
    lost: int
    replayed: int
    open_s: float


class Server:
    """`ecumene serve` on SQLite in a folder."""

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        self._folder, self._options = folder, options
        self.process: subprocess.Popen[str]
        self.url = ""
        self.replayed = 0

    def start(self) -> float:
        """Starts it; returns the seconds until it was open."""
        begin = time.perf_counter()
        options = [
            "--port",
            "0",
            "--npcs",
            str(self._options.npcs),
            "--no-browser",
            "--open-as",
            "builder",
            "--keep-chat",
        ]
        command = [sys.executable, "-m", "ecumene_server", "serve", self._options.world, *options]
        self.process = subprocess.Popen(command, cwd=self._folder, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if " of them replayed" in line:
                self.replayed = int(line.split(" of them replayed")[0].rsplit(" ", 1)[1])
            if line.startswith("Ecumene is open at "):
                self.url = line.split()[-1].replace("http", "ws", 1) + "/ws"
                return time.perf_counter() - begin
        raise SystemExit("the server did not open")

    def kill(self) -> None:
        """Ends it as a crash would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """Lets it save and end."""
        self.process.terminate()
        self.process.wait()

    def lines(self) -> set[str]:
        """Returns the stored chat."""
        (file,) = (self._folder / "worlds").glob("*.db")
        with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as raw:
            return {text for (text,) in raw.execute("SELECT text FROM chat")}


class Client:
    """One visitor; asks for one thing at a time."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self.things: dict[str, int] = {}

    async def join(self, name: str, token: str | None) -> wire.Welcome:
        """Says hello; returns the welcome."""
        await self._socket.send(wire.encode(wire.Hello(wire.PROTOCOL, name, token)))
        while True:
            message = await self.next()
            if isinstance(message, wire.Welcome):
                return message
            if isinstance(message, wire.Refused):
                raise SystemExit(message.reason)

    async def next(self) -> wire.ServerMessage | None:
        """Returns the next message, None for positions; notes what it says of things."""
        data = await self._socket.recv()
        assert isinstance(data, bytes)
        if data[0] != wire.RARE:
            return None
        message = wire.decode_server(data)
        if isinstance(message, wire.Welcome | wire.Scene):
            self.things |= {thing.name: thing.state for thing in message.things}
        return message

    async def ask(self, make: Any) -> float:
        """Sends a request; returns the seconds to its acknowledgement, -1 when it was refused."""
        number = next(self._ids)
        begin = time.perf_counter()
        await self._socket.send(wire.encode(make(number)))
        while True:
            message = await self.next()
            if isinstance(message, wire.Done) and message.id == number:
                return time.perf_counter() - begin if message.ok else -1.0


async def insist(url: str, promised: Promised, started: asyncio.Barrier) -> list[float]:
    """Asks for durable things until the connection breaks; returns the seconds to each acknowledgement."""
    seconds: list[float] = []
    with contextlib.suppress(ConnectionClosed, OSError):
        async with connect(url, compression=None, max_size=None) as socket:
            client = Client(socket)
            promised.token = (await client.join(promised.name, promised.token)).token
            if promised.name not in client.things:
                await client.ask(lambda i: wire.Edit(i, bell(promised.name)))
                while promised.name not in client.things:
                    await client.next()
            await started.wait()
            while True:
                seconds.append(await one(client, promised))
    return [each for each in seconds if each >= 0]


async def one(client: Client, promised: Promised) -> float:
    """Asks for one thing and notes it when it is acknowledged."""
    number = next(promised.counts)
    if number % 20 == 0:
        name = f"{promised.name} made {number}"
        took = await client.ask(lambda i: wire.Edit(i, bell(name)))
        promised.nodes += [name] if took >= 0 else []
    elif number % 20 == 10:
        line = f"{promised.name} says {number}"
        took = await client.ask(lambda i: wire.Say(i, line))
        promised.lines += [line] if took >= 0 else []
    else:
        promised.asked = promised.asked % STATES + 1
        edit = {"command": "thing", "thing": promised.name, "state": promised.asked}
        took = await client.ask(lambda i: wire.Edit(i, edit))
        promised.state = promised.asked if took >= 0 else promised.state
    return took


def bell(name: str) -> dict[str, Any]:
    """Returns the record of a command that adds a bell post at a place that depends on the name alone."""
    x, y = random.Random(name).uniform(-12, 12), random.Random(name + "y").uniform(-12, 12)
    return {"command": "add_node", "node": {"name": name, "kind": "bell_post", "position": [x, y, 0.0]}}


async def missing(server: Server, clients: Iterable[Promised]) -> list[str]:
    """Returns what was acknowledged and is not there."""
    lines = server.lines()
    lost = [line for each in clients for line in each.lines if line not in lines]
    async with connect(server.url, compression=None, max_size=None) as socket:
        witness = Client(socket)
        await witness.join("Witness", None)
        wanted = {name for each in clients for name in (each.name, *each.nodes)}
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                while not wanted <= witness.things.keys():
                    await witness.next()
    lost += sorted(wanted - witness.things.keys())
    for each in clients:
        state = witness.things.get(each.name, -1)
        if state not in (each.state, each.asked):
            lost.append(f"{each.name} in state {each.state}, found {state}")
        each.state = each.asked = max(state, 0)
    return lost


async def crash(server: Server, clients: list[Promised], kill: int, seconds: float) -> Row:
    """Lets the clients ask, kills the server, starts it again and looks."""
    started = asyncio.Barrier(len(clients) + 1)
    tasks = [asyncio.create_task(insist(server.url, each, started)) for each in clients]
    async with asyncio.timeout(PATIENCE_S):
        await started.wait()
    await asyncio.sleep(seconds)
    server.kill()
    times = sorted(itertools.chain.from_iterable(await asyncio.gather(*tasks)))
    open_s = await asyncio.to_thread(server.start)
    lost = await missing(server, clients)
    for each in lost:
        print("lost:", each, file=sys.stderr)
    p50, p99 = (statistics.median(times), times[int(0.99 * len(times))]) if times else (math.nan, math.nan)
    return Row(kill, seconds, len(times), p50 * 1000, p99 * 1000, len(lost), server.replayed, open_s)


async def crashes(options: argparse.Namespace) -> list[Row]:
    """Kills the server as often as wanted; returns a row for each."""
    draw = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="ecumene-crash-") as folder:
        server = Server(Path(folder), options)
        server.start()
        clients = [Promised(f"client {number}") for number in range(options.clients)]
        try:
            rows = []
            for kill in range(options.kills):
                rows.append(await crash(server, clients, kill + 1, draw.uniform(0.3, 1.0) * options.seconds))
                if not options.json:
                    tell(rows[-1])
            return rows
        finally:
            server.stop()


def tell(row: Row) -> None:
    """Prints a row of the table, before the first one its head."""
    if row.kill == 1:
        print("| kill | after s | acknowledged | ack p50 ms | ack p99 ms | lost | ticks replayed | open again s |")
        print("|---|---|---|---|---|---|---|---|")
    times = f"{row.p50_ms:.0f} | {row.p99_ms:.0f} | {row.lost} | {row.replayed} | {row.open_s:.1f}"
    print(f"| {row.kill} | {row.after_s:.1f} | {row.acknowledged} | {times} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Kills a server and looks for what it acknowledged.")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=4.0, help="longest time before a kill")
    parser.add_argument("--world", default="plaza")
    parser.add_argument("--npcs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = asyncio.run(crashes(options))
    lost = sum(row.lost for row in rows)
    if options.json:
        print(json.dumps({"lost": lost, "rows": [asdict(row) for row in rows]}, indent=2))
    else:
        total = sum(row.acknowledged for row in rows)
        print(f"\n{len(rows)} kills, {total:,} acknowledged, {lost} lost.")
    sys.exit(1 if lost else 0)


if __name__ == "__main__":
    main()
