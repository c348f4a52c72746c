"""`ecumene replay`: makes a recording happen again and compares."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from ecumene_server.commands import output
from ecumene_server.commands.files import existing

UNENDED: Final = "; whoever recorded them was stopped before the end"


def add(parser: argparse.ArgumentParser) -> None:
    """Describes the command."""
    parser.description = "Steps a recording again, tick by tick, and compares it bit by bit with what was recorded."
    parser.add_argument("file", type=Path, metavar="FILE.rec")
    parser.add_argument("--verify", action="store_true", help="compare (always done; says so in scripts)")
    parser.add_argument("--redecide", action="store_true", help="let the minds decide again, too, and compare")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="weights of the minds that decide again")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Replays the whole recording; a difference is an error that names the tick."""
    from ecumene_scenarios.replay import verify

    with output.bar(options.file.name, "ticks") as report:
        found = verify(existing(options.file), minds=_minds(options) if options.redecide else None, progress=report)
    if options.json:
        output.as_json({"verified": True, **found.to_json()})
        return 0
    ending = "" if found.complete else UNENDED
    print(f"{options.file}: {found.ticks} ticks of {found.scenario} are the same, bit for bit{ending}")
    if options.redecide:
        print(f"{found.differing} of {found.redecided} decisions differ when the minds decide again")
    return 0


def _minds(options: argparse.Namespace) -> Callable[[Any], Any]:
    from ecumene_agents import Minds
    from ecumene_scenarios.cast import WEIGHTS

    return lambda world: Minds(world, weights=options.weights or WEIGHTS)
