"""Serving under load: a real `ecumene serve`, and WebSocket clients in another process on the same machine.

Every client joins, steers 15 times a second and reads what it is sent; the first one decodes all of it. Told are the
tick rate held, how long ticks took and in which phases, what they cost and what arrived. Beside it stands the naive way
to tell everybody where everybody is: one JSON object an entity, the whole list to each client.

    python benchmarks/serving.py [--npcs 100 500 2000] [--clients 20] [--seconds 30] [--slowest] [--json]

The clients take a share of the same cores, as they would not elsewhere. Look at CPU times first on a busy machine.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import psutil
from websockets.asyncio.client import ClientConnection, connect

from ecumene_agents.roster import DECISION_HZ
from ecumene_server import wire
from ecumene_server.codec import HEADER, decode_frames

STEER_HZ: Final = 15
TICK_HZ: Final = 20
WARM_S: Final = 15.0
"""Pause between the last client's arrival and the measurement: NPCs set out, caches fill. Routes take minutes."""


@dataclass(frozen=True, slots=True)
class Received:
    """What one client got while it was measured.

    Attributes:
        frames: Position messages.
        entities: Rows in them.
        hot_bytes: Their bytes.
        bytes: Of everything.
        gaps_ms: Between two position messages.
    """

    frames: int
    entities: int
    hot_bytes: int
    bytes: int
    gaps_ms: list[float]


def main() -> None:
    """Measures and prints."""
    options = _parser().parse_args()
    if options.crowd:
        print(json.dumps(asyncio.run(crowd(options.crowd, options.clients, options.warm, options.seconds))), flush=True)
        return
    rows = []
    for npcs in options.npcs:
        rows.append(measure(npcs, options))
        if not options.json:
            print(
                f"measured {npcs}: tick {rows[-1]['tick_ms']}, CPU {rows[-1]['tick_cpu_ms']}",
                file=sys.stderr,
                flush=True,
            )
    if options.json:
        print(json.dumps({"rows": rows}, indent=1))
        return
    for line in table(rows):
        print(line)
    if options.slowest:
        for row in rows:
            print(f"\nslowest ticks, {row['npcs']} NPCs")
            for lap in row["slowest"]:
                phases = ", ".join(f"{name} {ms:g}" for name, ms in lap["phases_ms"].items() if ms >= 1)
                print(
                    f"  tick {lap['tick']}: {lap['ms']} ms, cpu {lap['cpu_ms']}, begun late {lap['late_ms']}: {phases}"
                )


def measure(npcs: int, options: argparse.Namespace) -> dict[str, Any]:
    """Serves that many NPCs to the clients; returns one row of the table."""
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder), npcs, options) as (server, url, start_s):
        command = [sys.executable, __file__, "--crowd", url, "--clients", str(options.clients)]
        command += ["--seconds", str(options.seconds), "--warm", str(options.warm)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as clients:
            assert clients.stdout is not None
            clients.stdout.readline()  # everybody has joined and the pause is over
            crowd_process = psutil.Process(clients.pid)
            before, decisions, began = _cpu_s(server, crowd_process), _decisions(url), time.perf_counter()
            decided, turns = _total(url, "npc_decisions"), _total(url, "npc_turns")
            found = json.loads(clients.stdout.readline())
            seconds, after = time.perf_counter() - began, _cpu_s(server, crowd_process)
        ticks, health = (json.loads(_get(f"{url}/{page}")) for page in ("ticks", "healthz"))
        cpu = {name: (used - before.get(name, 0.0)) / seconds for name, used in after.items()}
        decided, turns = _total(url, "npc_decisions") - decided, _total(url, "npc_turns") - turns
        late = {when: count - decisions[when] for when, count in _decisions(url).items()}
        rss = sum(each.memory_info().rss for each in [server, *server.children(recursive=True)])
    return {
        "npcs": npcs,
        "clients": options.clients,
        "start_s": round(start_s, 2),
        "tick_hz": ticks["tick_hz"],
        "tick_ms": ticks["tick_ms"],
        "tick_cpu_ms": ticks["cpu_ms"],
        "phases_ms": ticks["phases_ms"],
        "cpu_cores": {name: round(share, 3) for name, share in cpu.items()},
        "us_per_npc_tick": round((sum(cpu.values()) - cpu["clients"]) / TICK_HZ / npcs * 1e6, 1),
        "decisions": late,
        "each_decides_hz": round(decided / seconds / npcs, 2),
        "awake_decide_hz": round(DECISION_HZ * decided / max(decided, turns, 1) * ticks["tick_hz"] / TICK_HZ, 2),
        "turns_hz": round(turns / seconds / npcs, 2),
        "age_ticks": {share: (health["decisions"] or {}).get(f"age_{share}_ticks", 0) for share in ("p50", "p99")},
        "rss_mb": round(rss / 2**20),
        **_summary(found["clients"], seconds),
        "json_baseline": naive(npcs, options.clients),
        "slowest": ticks["slowest"],
    }


def naive(npcs: int, clients: int) -> dict[str, float]:
    """The simple way: a dictionary for each entity, one JSON text for everybody. CPU ms a tick, KB/s a client."""
    draw = random.Random(0)
    columns = [[draw.uniform(-200, 200) for _ in range(5)] for _ in range(npcs + clients)]
    names = ("x", "y", "z", "yaw", "speed")
    began, rounds, text = time.process_time(), 20, ""
    for _ in range(rounds):
        people = [{"id": i, **dict(zip(names, row, strict=True)), "pose": 0} for i, row in enumerate(columns)]
        text = json.dumps({"people": people})
    return {
        "encode_ms": round((time.process_time() - began) / rounds * 1e3, 2),
        "kb_s_client": round(len(text) * TICK_HZ / 1e3, 1),
    }


@contextmanager
def serving(folder: Path, npcs: int, options: argparse.Namespace) -> Iterator[tuple[psutil.Process, str, float]]:
    """Runs `ecumene serve` until the context ends; yields its process, its address and the seconds it took to open."""
    command = [sys.executable, "-m", "ecumene_server", "serve", *([options.world] if options.world else [])]
    command += ["--npcs", str(npcs), "--visitors", str(max(128, options.clients)), "--port", "0", "--no-browser"]
    command += ["--minds", options.minds]
    began = time.perf_counter()
    settings = {**os.environ, "ECUMENE_FOLDER": str(folder)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=settings)
    assert process.stdout is not None
    try:
        url = next((line.split()[-1] for line in process.stdout if line.startswith("Ecumene is open at")), "")
        if not url:
            raise SystemExit("the server did not open")
        yield psutil.Process(process.pid), url, time.perf_counter() - began
    finally:
        process.terminate()
        process.communicate()


async def crowd(url: str, count: int, warm_s: float, seconds: float) -> dict[str, Any]:
    """Lets clients in, waits, then measures for some seconds."""
    address = f"ws://{url.partition('://')[2]}/ws"
    begin, end = asyncio.Event(), asyncio.Event()
    async with contextlib.AsyncExitStack() as stack:
        links = []
        for number in range(count):
            links.append(await stack.enter_async_context(connect(address, max_size=None)))
            await _join(links[-1], number)
        tasks = [asyncio.create_task(_visit(link, number, begin, end)) for number, link in enumerate(links)]
        await asyncio.sleep(warm_s)
        print("begin", flush=True)
        begin.set()
        await asyncio.sleep(seconds)
        end.set()
        received = await asyncio.gather(*tasks)
    return {"clients": [asdict(each) for each in received]}


async def _join(link: ClientConnection, number: int) -> None:
    await link.send(wire.encode(wire.Hello(wire.PROTOCOL, f"Walker {number}")))
    answer = wire.decode_server(await link.recv(decode=False))
    if not isinstance(answer, wire.Welcome):
        raise SystemExit(f"client {number} was not welcomed: {answer}")


async def _visit(link: ClientConnection, number: int, begin: asyncio.Event, end: asyncio.Event) -> Received:
    listening = asyncio.create_task(_listen(link, begin, end, whole=number == 0))
    draw, yaw, n = random.Random(number), 0.0, 0
    while not end.is_set():
        n += 1
        yaw = math.remainder(yaw + draw.uniform(-0.3, 0.3), math.tau)
        await link.send(wire.encode(wire.Steer(n, (draw.uniform(0.3, 1.0), 0.0), yaw)))
        await asyncio.sleep(1 / STEER_HZ)
    listening.cancel()
    return await listening


async def _listen(link: ClientConnection, begin: asyncio.Event, end: asyncio.Event, *, whole: bool) -> Received:
    frames = entities = hot = total = 0
    arrivals: list[float] = []
    with contextlib.suppress(asyncio.CancelledError):
        while not end.is_set():
            data = await link.recv(decode=False)
            now = time.perf_counter()
            people = _people(data, whole=whole) if data[0] == wire.HOT else -1
            if not begin.is_set():
                continue
            total += len(data)
            if people >= 0:
                arrivals.append(now)
                frames, entities, hot = frames + 1, entities + people, hot + len(data)
    gaps = [(b - a) * 1e3 for a, b in pairwise(arrivals)]
    return Received(frames, entities, hot, total, gaps)


def _people(data: bytes, *, whole: bool) -> int:
    """Returns how many rows a message has; `whole` decodes them all, as a page would."""
    if whole:
        return sum(len(frame.entities) for frame in decode_frames(data))
    people = offset = 0
    while offset < len(data):
        _, _, count, *_, size = HEADER.unpack_from(data, offset)
        people, offset = people + count, offset + size
    return people


def _summary(clients: list[dict[str, Any]], seconds: float) -> dict[str, float]:
    gaps = sorted(gap for each in clients for gap in each["gaps_ms"]) or [0.0]
    count = max(1, len(clients))
    frames = sum(each["frames"] for each in clients)
    return {
        "frames_hz": round(frames / count / seconds, 2),
        "kb_s_client": round(sum(each["bytes"] for each in clients) / count / seconds / 1e3, 1),
        "seen": round(sum(each["entities"] for each in clients) / max(1, frames), 1),
        "gap_p50_ms": round(gaps[len(gaps) // 2], 1),
        "gap_p99_ms": round(gaps[int(0.99 * (len(gaps) - 1))], 1),
    }


def _cpu_s(server: psutil.Process, clients: psutil.Process) -> dict[str, float]:
    """CPU seconds so far of the server, of its helpers and of the clients."""
    used: dict[str, float] = {}
    for process in [server, clients, *server.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            name = {server.pid: "server", clients.pid: "clients"}.get(process.pid)
            name = name or process.cmdline()[-1].rpartition(".")[2]
            times = process.cpu_times()
            used[name] = used.get(name, 0.0) + times.user + times.system
    return used


def _decisions(url: str) -> dict[str, float]:
    """Batches of decisions so far by punctuality."""
    lines = _get(f"{url}/metrics").decode().splitlines()
    counts = [line for line in lines if line.startswith("ecumene_decisions_total{")]
    return {line.partition('when="')[2].partition('"')[0]: float(line.rpartition(" ")[2]) for line in counts}


def _total(url: str, name: str) -> float:
    """A counter of the server; 0 where nobody counts it, since nobody decides."""
    lines = _get(f"{url}/metrics").decode().splitlines()
    return next((float(line.split()[-1]) for line in lines if line.startswith(f"ecumene_{name}_total ")), 0.0)


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as response:
        content: bytes = response.read()
    return content


def table(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Yields the lines of a table, one column for each row measured."""
    names = dict.fromkeys(name for row in rows for name in row["phases_ms"])
    cores = dict.fromkeys(name for row in rows for name in row["cpu_cores"])
    yield _line("NPCs + clients", [f"{row['npcs']} + {row['clients']}" for row in rows])
    yield _line("ticks a second", [row["tick_hz"] for row in rows])
    yield _line("tick p50 / p99 / max ms", [_spread(row["tick_ms"]) for row in rows])
    yield _line("tick CPU p50 / p99 / max ms", [_spread(row["tick_cpu_ms"]) for row in rows])
    for name in names:
        yield _line(f"  {name} mean / p99 ms", [_mean(row["phases_ms"].get(name)) for row in rows])
    yield _line("decisions " + " / ".join(rows[0]["decisions"]), [_counts(row["decisions"]) for row in rows])
    yield _line("each NPC decides, times a second", [row["each_decides_hz"] for row in rows])
    yield _line("each that does not rest", [row["awake_decide_hz"] for row in rows])
    yield _line("would, if minds were fast enough", [row["turns_hz"] for row in rows])
    yield _line("ticks from senses to act p50 / p99", [_counts(row["age_ticks"]) for row in rows])
    for name in cores:
        yield _line(f"cores used, {name}", [row["cpu_cores"].get(name, 0.0) for row in rows])
    yield _line("CPU us / NPC / tick", [row["us_per_npc_tick"] for row in rows])
    yield _line("memory MB", [row["rss_mb"] for row in rows])
    yield _line("frames / s / client", [row["frames_hz"] for row in rows])
    yield _line("people seen", [row["seen"] for row in rows])
    yield _line("KB / s / client", [row["kb_s_client"] for row in rows])
    yield _line("frame gap p50 / p99 ms", [f"{row['gap_p50_ms']} / {row['gap_p99_ms']}" for row in rows])
    yield _line("naive JSON: ms, KB / s / client", [_counts(row["json_baseline"]) for row in rows])
    yield _line("start s", [row["start_s"] for row in rows])


def _line(name: str, values: list[Any]) -> str:
    return f"{name:34s}" + "".join(f"{value!s:>24s}" for value in values)


def _spread(values: dict[str, float]) -> str:
    return f"{values['p50']} / {values['p99']} / {values['max']}"


def _mean(values: dict[str, float] | None) -> str:
    return "-" if values is None else f"{values['mean']} / {values['p99']}"


def _counts(values: dict[str, float]) -> str:
    return " / ".join(f"{value:g}" for value in values.values())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--npcs", type=int, nargs="+", default=[100, 500, 2000], help="NPCs (100 500 2000)")
    parser.add_argument("--clients", type=int, default=20, help="visitors (20)")
    parser.add_argument("--seconds", type=float, default=30.0, help="measured after a warm-up (30)")
    parser.add_argument("--warm", type=float, default=WARM_S, help="seconds from the last arrival on (15)")
    parser.add_argument("--world", default="", help="as for `ecumene serve`; the default town")
    parser.add_argument("--minds", default="fusion", help="fusion, scripted or none (fusion)")
    parser.add_argument("--slowest", action="store_true", help="print the ten slowest ticks")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--crowd", default="", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    main()
