"""`ecumene doctor`: says what this machine has and lacks."""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import shutil
import sqlite3
from dataclasses import asdict, dataclass
from pathlib import Path

from ecumene_server.commands import output


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
    parser.description = "Says what this machine has and lacks."
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Looks and tells; fails if something that serving needs is missing."""
    findings = [*core(), *extras()]
    if options.json:
        output.as_json({"ok": all(f.ok or not f.needed for f in findings), "findings": [asdict(f) for f in findings]})
    else:
        for found in findings:
            mark = "✓" if found.ok else ("✗" if found.needed else "–")
            print(f"{mark} {found.name}: {found.detail}")
    return 0 if all(found.ok or not found.needed for found in findings) else 1


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
