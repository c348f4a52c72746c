"""`ecumene doctor`: says what this machine has and lacks, or how a running server is."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import shutil
import sqlite3
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from ecumene_agents.roster import DECISION_HZ
from ecumene_server.commands import output
from ecumene_server.errors import FailedError
from ecumene_world.state import TICK_HZ

WAIT_S: Final = 5.0
"""For a server's answer."""
LATE: Final = 0.05
"""Share of batches that may be late or put off before minds count as too slow."""
OFTEN: Final = 0.9
"""Share of the decisions that NPCs who don't rest are to make; below it minds count as too slow."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: What.
        ok: Whether it is as it should be.
        needed: Whether serving needs it.
        detail: What was found, or how to get it.
    """

    name: str
    ok: bool
    needed: bool
    detail: str


def add(parser: argparse.ArgumentParser) -> None:
    """Describes the command."""
    parser.description = "Says what this machine has and lacks, or how a running server is."
    parser.add_argument("url", nargs="?", default="", help="a running server, such as http://localhost:8000")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Looks and tells; fails if something that serving needs is missing, or a server is not well.

    Raises:
        FailedError: Nothing answers at the address.
    """
    findings = of_server(asked(options.url)) if options.url else [*core(), *extras()]
    if options.json:
        output.as_json({"ok": all(f.ok or not f.needed for f in findings), "findings": [asdict(f) for f in findings]})
    else:
        for found in findings:
            mark = "✓" if found.ok else ("✗" if found.needed else "–")
            print(f"{mark} {found.name}: {found.detail}")
    return 0 if all(found.ok or not found.needed for found in findings) else 1


def asked(url: str) -> dict[str, Any]:
    """Returns what a server says of its health.

    Raises:
        FailedError: It does not answer, or is something else.
    """
    address = f"{url.rstrip('/')}/healthz"
    try:
        with urllib.request.urlopen(address, timeout=WAIT_S) as answer:  # noqa: S310 - the user's own address
            found = json.loads(answer.read())
    except (OSError, ValueError) as error:
        raise FailedError(f"{address} does not answer as a server of Ecumene does: {error}") from error
    if not isinstance(found, dict) or "tick_hz" not in found:
        raise FailedError(f"{address} is no server of Ecumene")
    return found


def of_server(health: dict[str, Any]) -> list[Finding]:
    """Judges a server by its health: saving and the tick are needed, punctual and moving NPCs are not."""
    rate, p99 = health["tick_hz"], health["tick_p99_ms"]
    found = [
        Finding("saving", health["status"] == "ok", needed=True, detail=health["problem"] or "all is saved"),
        Finding("tick", rate >= 0.95 * TICK_HZ, needed=True, detail=f"{rate:g} a second, p99 {p99:g} ms"),
    ]
    decisions, stuck = health.get("decisions"), health.get("stuck")
    if decisions is not None:
        batches = sum(decisions[when] for when in ("on_time", "late", "put_off"))
        detail = f"{decisions['each_hz']:g} a second of each NPC, {decisions['awake_hz']:g} of who does not rest"
        detail += f", {decisions['late']} of {batches} batches late"
        detail += f", {decisions['put_off']} put off"
        detail += f", applied after {decisions['age_p50_ticks']} ticks, p99 {decisions['age_p99_ticks']}"
        prompt = decisions["late"] + decisions["put_off"] <= LATE * max(1, batches)
        prompt &= decisions["each_hz"] == 0 or decisions["awake_hz"] >= OFTEN * DECISION_HZ
        found.append(Finding("decisions", prompt, needed=False, detail=detail))
    if stuck is not None:
        detail = "; ".join([f"{stuck['npcs']} of {health['npcs']} NPCs get nowhere", *stuck["longest"]])
        found.append(Finding("stuck NPCs", stuck["npcs"] == 0, needed=False, detail=detail))
    return found


def core() -> list[Finding]:
    """What serving needs."""
    import torch

    from ecumene_scenarios.cast import WEIGHTS
    from ecumene_server import http

    page = Path(http.__file__).parent / "page" / "index.html"
    free_mb = shutil.disk_usage(Path.cwd()).free // 2**20
    cuda = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "no GPU, the CPU decides"
    return [
        present("Python", platform.python_version()),
        present("torch", f"{torch.__version__}, {cuda}, {torch.get_num_threads()} threads"),
        present("processor", f"{os.cpu_count()} cores"),
        Finding(
            "page", page.is_file(), needed=True, detail="built" if page.is_file() else "missing; `make run` builds it"
        ),
        Finding(
            "minds",
            WEIGHTS.is_file(),
            needed=True,
            detail="shipped weights" if WEIGHTS.is_file() else f"{WEIGHTS} is missing",
        ),
        present("SQLite", sqlite3.sqlite_version),
        Finding("folder", os.access(Path.cwd(), os.W_OK), needed=True, detail=f"{Path.cwd()}, {free_mb:,} MB free"),
    ]


def present(name: str, detail: str) -> Finding:
    """Returns a finding that can't be missing, since this code runs."""
    return Finding(name, ok=True, needed=True, detail=detail)


def extras() -> list[Finding]:
    """What some commands use."""
    modules = {
        "shapely": ("maps", "data"),
        "osmium": ("OpenStreetMap extracts", "data"),
        "laspy": ("LAS and LAZ scans", "data"),
        "tensorboard": ("training logs", "train"),
        "ray": ("clusters", "cluster"),
    }
    findings = []
    for module, (use, extra) in modules.items():
        there = importlib.util.find_spec(module) is not None
        how = f"for {use}" if there else f"missing, for {use}: pip install 'ecumene[{extra}]'"
        findings.append(Finding(module, there, needed=False, detail=how))
    return findings
