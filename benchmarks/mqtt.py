"""What a flood of sensors does to a world: `ecumene serve --mqtt` at a real mosquitto, and a process that publishes.

The same server is measured for half a minute in peace and for half a minute under the flood: how long ticks take, and
what became of the messages. Dropped are those that came faster than they could be read, received the others; what was
sent and is neither waits with the broker or was dropped there. A newer message of a topic takes the place of one that
still waits, and a tick takes at most `ecumene_server.mqtt.BATCH`.

    python benchmarks/mqtt.py [--rate 5000] [--topics 200] [--npcs 100] [--world plaza] [--seconds 30] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from websockets.asyncio.client import connect

from ecumene_server import wire

MOSQUITTO: Final = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
WARM_S: Final = 10.0
COUNTERS: Final = ("messages_in", "superseded", "refused", "dropped")


def flood(port: int, topics: int, rate: int, seconds: float) -> None:
    """Publishes readings in turn on that many topics of the nodes on standard input; prints how many it sent."""
    nodes = [quote(line.strip(), safe="") for line in sys.stdin]
    names = [f"ecumene/in/{nodes[i % len(nodes)]}/field-{i // len(nodes)}" for i in range(topics)]
    client = Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    began, sent = time.perf_counter(), 0
    while (now := time.perf_counter() - began) < seconds:
        for number in range(sent, int(now * rate)):
            client.publish(names[number % topics], f'{{"value": {number}}}')
            sent = number + 1
        time.sleep(0.001)
    client.loop_stop()
    client.disconnect()
    print(sent)


@contextmanager
def brokered(folder: Path) -> Iterator[int]:
    """Runs mosquitto until the context ends; yields its port."""
    if MOSQUITTO is None:
        raise SystemExit("mosquitto is not installed here")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\npersistence false\nallow_anonymous true\n")
    process = subprocess.Popen([MOSQUITTO, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield port
    finally:
        process.terminate()
        process.wait()


@contextmanager
def serving(folder: Path, port: int, options: argparse.Namespace) -> Iterator[str]:
    """Runs `ecumene serve` until the context ends; yields its address."""
    command = [sys.executable, "-m", "ecumene_server", "serve", options.world, "--npcs", str(options.npcs)]
    command += ["--port", "0", "--no-browser", "--mqtt", f"mqtt://127.0.0.1:{port}"]
    settings = {**os.environ, "ECUMENE_FOLDER": str(folder)}
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


async def nodes_of(url: str) -> list[str]:
    """Returns the names of things in the world."""
    async with connect(f"ws://{url.partition('://')[2]}/ws", max_size=None) as link:
        await link.send(wire.encode(wire.Hello(wire.PROTOCOL, "Sensor")))
        welcome = wire.decode_server(await link.recv(decode=False))
        assert isinstance(welcome, wire.Welcome), welcome
        return [thing.name for thing in welcome.things]


def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Returns a row for peace and one for the flood."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        port = stack.enter_context(brokered(folder))
        url = stack.enter_context(serving(folder, port, options))
        nodes = asyncio.run(nodes_of(url))
        time.sleep(WARM_S + options.seconds)
        peace = {"flood": "none", "sent_s": 0, **_ticks(url), **dict.fromkeys(COUNTERS, 0)}
        before = _counts(url)
        command = [sys.executable, __file__, "--flood", str(port), "--topics", str(options.topics)]
        command += ["--rate", str(options.rate), "--seconds", str(options.seconds)]
        done = subprocess.run(command, input="\n".join(nodes), stdout=subprocess.PIPE, text=True, check=True)
        ticks, after = _ticks(url), _counts(url)
    rest = {name: round(after[name] - before[name]) for name in COUNTERS}
    sent = round(int(done.stdout) / options.seconds)
    return [peace, {"flood": f"{options.rate}/s", "sent_s": sent, **ticks, **rest}]


def table(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Yields the lines of a table, one for each row."""
    yield (
        f"{'flood':10}{'sent/s':>8}{'ticks/s':>9}{'tick ms p50':>13}{'p99':>8}{'worst':>8}{'CPU p50':>9}{'p99':>8}"
        f"{'dropped':>9}{'received':>10}{'overtaken':>11}{'refused':>9}{'reached/s':>11}"
    )
    for row in rows:
        wall, cpu = row["tick_ms"], row["cpu_ms"]
        taken = row["messages_in"] - row["superseded"] - row["refused"]
        yield (
            f"{row['flood']:10}{row['sent_s']:>8}{row['tick_hz']:>9g}{wall['p50']:>13g}{wall['p99']:>8g}"
            f"{wall['max']:>8g}{cpu['p50']:>9g}{cpu['p99']:>8g}{row['dropped']:>9}{row['messages_in']:>10}"
            f"{row['superseded']:>11}{row['refused']:>9}{taken / row['ticks'] * row['tick_hz']:>11.0f}"
        )


def _ticks(url: str) -> dict[str, Any]:
    found = json.loads(_get(f"{url}/ticks"))
    return {name: found[name] for name in ("ticks", "tick_hz", "tick_ms", "cpu_ms")}


def _counts(url: str) -> dict[str, float]:
    lines = (line.split() for line in _get(f"{url}/metrics").decode().splitlines() if not line.startswith("#"))
    found = {name.removesuffix("_total").removeprefix("ecumene_mqtt_"): float(value) for name, value in lines}
    return {name: found[name] for name in COUNTERS}


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as response:
        content: bytes = response.read()
    return content


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=5000, help="messages a second (5000)")
    parser.add_argument("--topics", type=int, default=200, help="sensors that send them (200)")
    parser.add_argument("--npcs", type=int, default=100, help="NPCs (100)")
    parser.add_argument("--world", default="plaza", help="as for `ecumene serve` (plaza)")
    parser.add_argument(
        "--seconds", type=float, default=30.0, help="of peace and of flood; 30 is what ticks are told of"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--flood", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.flood:
        flood(options.flood, options.topics, options.rate, options.seconds)
        return
    rows = measure(options)
    for line in [json.dumps({"rows": rows}, indent=1)] if options.json else table(rows):
        print(line)


if __name__ == "__main__":
    main()
