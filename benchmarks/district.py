"""What a new district costs everybody: a real `ecumene serve`, an admin who asks for it, and visitors who walk.

Told are the slowest ticks of half a minute without it and of the time from the request until half a minute after it
stands, the phases of the slowest tick of both, the longest pause between two position messages, how many nodes came,
and how long it took until it could be walked (the layout is swapped), was acknowledged and was seen (the new scene file
is served).

    python benchmarks/district.py [--npcs 100] [--clients 20] [--world town] [--kinds cafe,plaza] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from math import cos
from pathlib import Path
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect

from ecumene_server import wire

WARM_S: Final = 20.0
"""Pause after the start: NPCs set out, caches fill."""
BUILT_S: Final = 900.0
"""Longest wait for a district."""
STEER_S: Final = 0.1


class Walker:
    """A visitor who walks about, and remembers when what arrived."""

    def __init__(self, link: ClientConnection, welcome: wire.Welcome) -> None:
        self.link = link
        self.gap_s = 0.0
        self.things = len(welcome.things)
        self.walkable_at = self.seen_at = 0.0
        self.done: asyncio.Future[wire.Done] = asyncio.get_running_loop().create_future()
        self._shown = welcome.scene
        self._last = time.perf_counter()

    async def listen(self) -> None:
        """Takes what the server sends until the connection ends."""
        async for data in self.link:
            now = time.perf_counter()
            assert isinstance(data, bytes)
            if data[0] == wire.HOT:
                self.gap_s, self._last = max(self.gap_s, now - self._last), now
                continue
            message = wire.decode_server(data)
            if isinstance(message, wire.Done) and not self.done.done():
                self.done.set_result(message)
            if isinstance(message, wire.Scene) and message.url == self._shown:
                self.walkable_at, self.things = now, len(message.things)
            elif isinstance(message, wire.Scene):
                self.seen_at, self._shown = now, message.url

    async def walk(self, phase: float) -> None:
        """Steers ten times a second until the connection ends."""
        for n in range(1 << 30):
            await self.link.send(wire.encode(wire.Steer(n, (0.6, 0.0), cos(phase + n / 40) * 3.0)))
            await asyncio.sleep(STEER_S)


async def joined(stack: AsyncExitStack, url: str, name: str, token: str | None = None) -> Walker:
    """Returns a visitor who has come in and listens."""
    link = await stack.enter_async_context(connect(f"ws://{url.partition('://')[2]}/ws", max_size=None))
    await link.send(wire.encode(wire.Hello(wire.PROTOCOL, name, token)))
    welcome = wire.decode_server(await link.recv(decode=False))
    assert isinstance(welcome, wire.Welcome), welcome
    walker = Walker(link, welcome)
    stack.callback(asyncio.create_task(walker.listen()).cancel)
    return walker


async def measure(url: str, token: str, options: argparse.Namespace) -> None:
    """Prints one row for the time without a district and one for each kind, each when it is known."""
    async with AsyncExitStack() as stack:
        admin = await joined(stack, url, "Admin", token)
        for number in range(options.clients):
            walker = await joined(stack, url, f"Walker {number}")
            stack.callback(asyncio.create_task(walker.walk(number)).cancel)
        await asyncio.sleep(WARM_S)
        for number, kind in enumerate(["", *options.kinds.split(",")]):
            row = await _row(url, admin, kind, number=number, seconds=options.seconds)
            print(json.dumps(row) if options.json else line_of(row), flush=True)


async def _row(url: str, admin: Walker, kind: str, *, number: int, seconds: float) -> dict[str, Any]:
    """Watches a district come, or nothing."""
    before, admin.gap_s = await asyncio.to_thread(_get, f"{url}/healthz"), 0.0
    slowest, took = Slowest(), {}
    watching = asyncio.create_task(slowest.watch(url))
    if kind:
        began = time.perf_counter()
        admin.done = asyncio.get_running_loop().create_future()
        await admin.link.send(wire.encode(wire.Build(number, kind, number)))
        async with asyncio.timeout(BUILT_S):
            done = await admin.done
        if not done.ok:
            raise SystemExit(f"{kind} was refused: {done.error}")
        took["acknowledged"] = round(time.perf_counter() - began, 2)
        while admin.seen_at < began:
            await asyncio.sleep(0.05)
        took |= {"walkable": round(admin.walkable_at - began, 2), "seen": round(admin.seen_at - began, 2)}
    await asyncio.sleep(seconds)
    watching.cancel()
    health = await asyncio.to_thread(_get, f"{url}/healthz")
    ticks = health["tick"] - before["tick"]
    row = {"district": kind or "none", "things": admin.things, **took, "ticks": ticks}
    return {**row, "gap_ms": round(admin.gap_s * 1e3, 1), **slowest.report()}


class Slowest:
    """The slowest tick of a while, and the medians of its seconds."""

    def __init__(self) -> None:
        self._worst: dict[str, Any] = {"ms": 0.0, "cpu_ms": 0.0, "phases_ms": {}}
        self._first = -1
        self._medians: list[float] = []

    async def watch(self, url: str) -> None:
        """Asks the server every few seconds."""
        self._first = (await asyncio.to_thread(_get, f"{url}/healthz"))["tick"]
        while True:
            await asyncio.sleep(5.0)
            found = await asyncio.to_thread(_get, f"{url}/ticks")
            self._medians.append(found["tick_ms"]["p50"])
            fresh = [tick for tick in found["slowest"] if tick["tick"] > self._first]
            self._worst = max([self._worst, *fresh], key=lambda tick: float(tick["ms"]))

    def report(self) -> dict[str, Any]:
        """Returns the median tick, the slowest one and its phases, milliseconds."""
        middle = sorted(self._medians)[len(self._medians) // 2] if self._medians else 0.0
        phases = {name: ms for name, ms in self._worst["phases_ms"].items() if ms >= 3}
        return {"p50_ms": middle, "worst_ms": self._worst["ms"], "cpu_ms": self._worst["cpu_ms"], "phases_ms": phases}


@contextmanager
def serving(options: argparse.Namespace, folder: str) -> Iterator[tuple[str, str]]:
    """Runs `ecumene serve` until the context ends; yields its address and the admin's token."""
    command = [sys.executable, "-m", "ecumene_server", "serve", options.world, "--npcs", str(options.npcs)]
    command += ["--minds", options.minds, "--port", "0", "--no-browser"]
    settings = {**os.environ, "ECUMENE_FOLDER": folder}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=settings)
    assert process.stdout is not None
    try:
        url = next((line.split()[-1] for line in process.stdout if line.startswith("Ecumene is open at")), "")
        if not url:
            raise SystemExit("the server did not open")
        (file,) = Path(folder).glob("*.admin")
        yield url, file.read_text().strip()
    finally:
        process.terminate()
        process.communicate()


HEADING: Final = (
    f"{'district':10}{'things':>8}{'tick ms p50':>13}{'worst':>8}{'its CPU':>9}{'pause ms':>10}{'walkable s':>12}"
    f"{'ack s':>8}{'seen s':>8}  phases of the worst tick over 3 ms"
)


def line_of(row: dict[str, Any]) -> str:
    """Returns the line of a table for a row."""
    phases = ", ".join(f"{name} {ms:g}" for name, ms in row["phases_ms"].items())
    marks = [f"{row[name]:g}" if name in row else "-" for name in ("walkable", "acknowledged", "seen")]
    return (
        f"{row['district']:10}{row['things']:>8}{row['p50_ms']:>13g}{row['worst_ms']:>8g}{row['cpu_ms']:>9g}"
        f"{row['gap_ms']:>10g}{marks[0]:>12}{marks[1]:>8}{marks[2]:>8}  {phases}"
    )


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=30) as response:
        return json.load(response)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--npcs", type=int, default=100, help="NPCs (100)")
    parser.add_argument("--clients", type=int, default=20, help="visitors who walk (20)")
    parser.add_argument("--world", default="town", help="as for `ecumene serve` (town)")
    parser.add_argument("--kinds", default="cafe,plaza", help="districts, one after another (cafe,plaza)")
    parser.add_argument("--minds", default="fusion", help="fusion, scripted or none (fusion)")
    parser.add_argument("--seconds", type=float, default=30.0, help="watched after each (30)")
    parser.add_argument("--json", action="store_true", help="print JSON, an object a line")
    options = parser.parse_args()
    if not options.json:
        print(HEADING)
    with tempfile.TemporaryDirectory() as folder, serving(options, folder) as (url, token):
        asyncio.run(measure(url, token, options))


if __name__ == "__main__":
    main()
