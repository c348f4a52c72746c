"""`ecumene bench`: measures, each figure beside a baseline of the same run."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from ecumene_server.errors import UsageError

FOLDER = Path(__file__).parents[3] / "benchmarks"


def add(parser: argparse.ArgumentParser) -> None:
    """Describes the command."""
    parser.description = f"Runs one of the benchmarks: {', '.join(names()) or 'none here, they come with the source'}."
    parser.add_argument("name", metavar="NAME", help="which one")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("rest", nargs=argparse.REMAINDER, metavar="...", help="options of that benchmark")
    parser.set_defaults(run=run)


def names() -> list[str]:
    """Every benchmark of this checkout."""
    return sorted(path.stem for path in FOLDER.glob("[a-z]*.py"))


def run(options: argparse.Namespace) -> int:
    """Runs it in a process of its own, so that nothing else is loaded."""
    if options.name not in names():
        raise UsageError(
            f"{options.name!r} is not a benchmark; there are {', '.join(names()) or 'none without the source'}"
        )
    flags = ["--json"] if options.json else []
    command = [sys.executable, str(FOLDER / f"{options.name}.py"), *flags, *options.rest]
    return subprocess.run(command, check=False).returncode  # noqa: S603 - our own scripts
