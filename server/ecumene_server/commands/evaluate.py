"""`ecumene evaluate`: compares a model with its baseline on what it never saw."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecumene_server.commands import asked, learned, output, pretraining
from ecumene_server.commands.files import existing
from ecumene_server.errors import UsageError

if TYPE_CHECKING:
    from ecumene_scenarios.evaluate import Row

NAMES = ("minds", *learned.SHIPPED)
SENSES = ("vision", "hearing", "touch")
SPLITS = ("test", "validation")
OF_MINDS = {
    "weights": None,
    "adapter": None,
    "seeds": None,
    "worlds": None,
    "steps": None,
    "split": None,
    "jobs": None,
    "without": "",
    "crowd": None,
    "tasks": "",
}
"""Options that other models don't have, and what they are where they aren't given."""
OF_OTHERS = {"fresh": False, "data": None}


def add(parser: argparse.ArgumentParser) -> None:
    """Describes the command."""
    parser.description = "Runs a model and its baseline on the same held-out worlds; minutes for full figures."
    parser.add_argument("name", metavar="NAME", choices=NAMES, help=", ".join(NAMES))
    parser.add_argument("--weights", type=Path, metavar="FILE", help="the shipped ones")
    parser.add_argument("--adapter", type=Path, metavar="FILE", help="that the minds wear; it is bound to its weights")
    parser.add_argument("--seeds", type=int, metavar="N", help="held-out worlds a task (5)")
    parser.add_argument("--worlds", type=int, metavar="N", help="copies of each with other people (4)")
    parser.add_argument("--steps", type=int, metavar="N", help="decisions in which tries begin, 5 a second (75)")
    parser.add_argument(
        "--split", choices=SPLITS, help="test, or validation: arenas to choose by while training (test)"
    )
    parser.add_argument("--jobs", type=int, metavar="N", help="processes (all processors)")
    parser.add_argument(
        "--without", default="", metavar="A,B", help=f"also without these senses, of {', '.join(SENSES)}"
    )
    parser.add_argument("--crowd", type=int, metavar="N", help="times as many people as in training (1)")
    parser.add_argument("--tasks", default="", metavar="A,B", help="tasks of minds, forks among them (goto,avoid,wait)")
    parser.add_argument(
        "--fresh", action="store_true", help="train and compare anew instead of printing what is known (not minds)"
    )
    parser.add_argument("--data", type=Path, metavar="FILE", help="data for --fresh; fetched without it (not minds)")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Evaluates and prints the table."""
    if options.name in learned.SHIPPED:
        asked.unused(options, OF_MINDS, f"evaluate {options.name}")
        return learned.evaluate(options)
    asked.unused(options, OF_OTHERS, "evaluate minds")
    asked.at_least(1, options, "seeds", "worlds", "steps", "jobs", "crowd")
    from ecumene_scenarios.cast import WEIGHTS
    from ecumene_scenarios.evaluate import Arenas, evaluate
    from ecumene_scenarios.registry import BASICS
    from ecumene_scenarios.statistics import number

    tasks = pretraining.tasks(options.tasks) or BASICS
    wanted = {name: getattr(options, name) for name in ("seeds", "worlds", "steps", "split", "crowd")}
    arenas = Arenas(**{name: value for name, value in wanted.items() if value is not None})
    with output.bar("evaluating", "arenas") as report:
        rows = evaluate(
            existing(options.weights or WEIGHTS),
            arenas,
            tasks=tasks,
            without=senses(options.without),
            adapter=None if options.adapter is None else existing(options.adapter),
            jobs=options.jobs or os.cpu_count() or 1,
            progress=report,
        )
    if options.json:
        output.as_json(told(rows))
    else:
        columns = ("task and metric", "model", "mean", "95 % interval")
        lines = [
            (f"{r.task} {r.metric}", r.model, number(r.value), f"{number(r.low)} to {number(r.high)}") for r in rows
        ]
        output.table(columns, lines)
    return 0


def told(rows: Sequence[Row]) -> dict[str, Any]:
    """Returns the minds' figures, by task and name of their metric, and below them all rows."""
    each = [row.to_json() for row in rows]
    own: dict[str, dict[str, float | None]] = {}
    for row in each:
        if row["model"] == "minds":
            own.setdefault(row["task"], {})[row["metric"]] = row["value"]
    return {"name": "minds", "model": "minds", "tasks": own, "rows": each}


def senses(text: str) -> tuple[str, ...]:
    """Returns the senses that a list with commas names.

    Raises:
        UsageError: One of them is none.
    """
    named = tuple(name.strip() for name in text.split(",") if name.strip())
    unknown = [name for name in named if name not in SENSES]
    if unknown:
        raise UsageError(f"{unknown[0]!r} is not a sense; senses are {', '.join(SENSES)}")
    return named
