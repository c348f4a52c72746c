"""What an edit costs everybody: a real `ecumene serve`, and a builder who places, moves and removes something in it.

Told are the slowest ticks of half a minute without edits and of the half minute around each edit, the phases of the
slowest one, the longest pause between two position messages, and how long the edit took to be acknowledged, to be
walked around (the layout is swapped) and to be seen (the new scene file is served).

    python benchmarks/edit.py [--npcs 200] [--world bubenec] [--minds fusion] [--seconds 30] [--json]
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
from contextlib import contextmanager
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect

from ecumene_server import wire

WARM_S: Final = 20.0
"""Pause after the start: NPCs set out, caches fill."""
SEEN_S: Final = 120.0
"""Longest wait for the scene file with the edit."""
TREE: Final = "edit-benchmark-tree"


class Builder:
    """A visitor who edits, and remembers when what arrived."""

    def __init__(self, link: ClientConnection, place: tuple[float, float, float]) -> None:
        self._link = link
        self._place = place
        self._number = 0
        self._done = asyncio.Event()
        self._url = asyncio.Event()
        self._walkable_at = 0.0
        self._last = time.perf_counter()
        self.gap_s = 0.0

    def edits(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yields a name and a command for each edit."""
        x, y, z = self._place
        node = {"name": TREE, "kind": "broadleaf_tree", "position": [x, y, z]}
        yield "place", {"command": "add_node", "node": node}
        yield "move", {"command": "move_node", "node": TREE, "pose": {"position": [x + 3.0, y, z]}}
        yield "remove", {"command": "remove_node", "node": TREE}

    async def edit(self, command: dict[str, Any]) -> dict[str, float]:
        """Edits; returns milliseconds until it was acknowledged, walked around and seen."""
        self._number += 1
        self._done.clear()
        self._url.clear()
        began = time.perf_counter()
        await self._link.send(wire.encode(wire.Edit(self._number, command)))
        await self._done.wait()
        acknowledged = time.perf_counter()
        async with asyncio.timeout(SEEN_S):
            await self._url.wait()
        marks = {"acknowledged": acknowledged, "walkable": self._walkable_at, "seen": time.perf_counter()}
        return {name: round((mark - began) * 1e3, 1) for name, mark in marks.items()}

    async def listen(self, welcome: wire.Welcome) -> None:
        """Takes what the server sends until the connection ends."""
        shown = welcome.scene
        async for data in self._link:
            now = time.perf_counter()
            assert isinstance(data, bytes)
            if data[0] == wire.HOT:
                self.gap_s, self._last = max(self.gap_s, now - self._last), now
                continue
            message = wire.decode_server(data)
            if isinstance(message, wire.Done):
                if message.error:
                    raise SystemExit(f"the edit was refused: {message.error}")
                self._done.set()
            if isinstance(message, wire.Scene):
                if message.url == shown:
                    self._walkable_at = now
                else:
                    shown = message.url
                    self._url.set()


async def measure(url: str, seconds: float) -> list[dict[str, Any]]:
    """Returns one row for the time without edits and one for each edit."""
    async with connect(f"ws://{url.partition('://')[2]}/ws", max_size=None) as link:
        await link.send(wire.encode(wire.Hello(wire.PROTOCOL, "Builder")))
        welcome = wire.decode_server(await link.recv(decode=False))
        assert isinstance(welcome, wire.Welcome), welcome
        builder = Builder(link, _place(welcome))
        listening = asyncio.create_task(builder.listen(welcome))
        await asyncio.sleep(WARM_S)
        rows = []
        for name, command in [("none", None), *builder.edits()]:
            builder.gap_s, until = 0.0, time.perf_counter() + seconds
            took = {} if command is None else await builder.edit(command)
            await asyncio.sleep(max(2.0, until - time.perf_counter()))
            ticks = await asyncio.to_thread(_get, f"{url}/ticks")
            rows.append({"edit": name, **took, "gap_ms": round(builder.gap_s * 1e3, 1), "ticks": ticks})
        listening.cancel()
    return rows


def _place(welcome: wire.Welcome) -> tuple[float, float, float]:
    """Returns a point beside the first bench, or beside whatever is first."""
    thing = next((thing for thing in welcome.things if "bench" in thing.name), welcome.things[0])
    x, y, z = thing.position
    return x + 2.0, y + 2.0, z


@contextmanager
def serving(options: argparse.Namespace, folder: str) -> Iterator[str]:
    """Runs `ecumene serve` until the context ends; yields its address."""
    command = [sys.executable, "-m", "ecumene_server", "serve", options.world, "--npcs", str(options.npcs)]
    command += ["--minds", options.minds, "--port", "0", "--no-browser", "--open-as", "builder"]
    settings = {**os.environ, "ECUMENE_FOLDER": folder}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=settings)
    assert process.stdout is not None
    try:
        url = next((line.split()[-1] for line in process.stdout if line.startswith("Ecumene is open at")), "")
        if not url:
            raise SystemExit("the server did not open")
        yield url
    finally:
        process.terminate()
        process.communicate()


def table(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Yields the lines of a table, one for each row."""
    yield (
        f"{'edit':8}{'tick ms p50':>12}{'p99':>8}{'worst':>8}{'its CPU':>9}{'pause ms':>10}{'ack ms':>8}"
        f"{'walkable ms':>13}{'seen ms':>10}  phases of the worst tick over 3 ms"
    )
    for row in rows:
        spread, worst = row["ticks"]["tick_ms"], row["ticks"]["slowest"][0]
        phases = ", ".join(f"{name} {ms:g}" for name, ms in worst["phases_ms"].items() if ms >= 3)
        marks = [f"{row[name]:g}" if name in row else "-" for name in ("acknowledged", "walkable", "seen")]
        yield (
            f"{row['edit']:8}{spread['p50']:>12g}{spread['p99']:>8g}{spread['max']:>8g}{worst['cpu_ms']:>9g}"
            f"{row['gap_ms']:>10g}{marks[0]:>8}{marks[1]:>13}{marks[2]:>10}  {phases}"
        )


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as response:
        return json.load(response)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--npcs", type=int, default=200, help="NPCs (200)")
    parser.add_argument("--world", default="bubenec", help="as for `ecumene serve` (bubenec)")
    parser.add_argument("--minds", default="fusion", help="fusion, scripted or none (fusion)")
    parser.add_argument("--seconds", type=float, default=30.0, help="watched for each row (30)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, serving(options, folder) as url:
        rows = asyncio.run(measure(url, options.seconds))
    for line in [json.dumps({"rows": rows}, indent=1)] if options.json else table(rows):
        print(line)


if __name__ == "__main__":
    main()
