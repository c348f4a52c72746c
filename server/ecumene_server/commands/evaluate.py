"""`ecumene evaluate`: compares a model with its baseline on what it never saw."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from ecumene_server.commands import learned, output
from ecumene_server.commands.files import existing
from ecumene_server.errors import UsageError

NAMES = ("minds", *learned.SHIPPED)
SENSES = ("vision", "hearing", "touch")
SPLITS = ("test", "validation")


def add(parser: argparse.ArgumentParser) -> None:
    """Describes the command."""
    parser.description = "Runs a model and its baseline on the same held-out worlds; minutes for full figures."
    parser.add_argument("name", metavar="NAME", choices=NAMES, help=", ".join(NAMES))
    parser.add_argument("--weights", type=Path, metavar="FILE", help="the shipped ones")
    parser.add_argument("--adapter", type=Path, metavar="FILE", help="that the minds wear; it is bound to its weights")
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="held-out worlds a task (5)")
    parser.add_argument("--worlds", type=int, default=4, metavar="N", help="copies of each with other people (4)")
    parser.add_argument(
        "--steps", type=int, default=75, metavar="N", help="decisions in which tries begin, 5 a second (75)"
    )
    parser.add_argument(
        "--split", choices=SPLITS, default="test", help="test, or validation: arenas to choose by while training (test)"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes (all processors)")
    parser.add_argument(
        "--without", default="", metavar="A,B", help=f"also without these senses, of {', '.join(SENSES)}"
    )
    parser.add_argument("--crowd", type=int, default=1, metavar="N", help="times as many people as in training (1)")
    parser.add_argument("--tasks", default="", metavar="A,B", help="tasks of minds (goto,avoid,wait)")
    parser.add_argument("--fresh", action="store_true", help="train and compare anew instead of printing what is known")
    parser.add_argument("--data", type=Path, metavar="FILE", help="data for --fresh; fetched without it (not minds)")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Evaluates and prints the table."""
    if options.name in learned.SHIPPED:
        return learned.evaluate(options)
    from ecumene_scenarios.cast import WEIGHTS
    from ecumene_scenarios.evaluate import Arenas, evaluate
    from ecumene_scenarios.registry import ABROAD, BASICS, TASKS

    tasks = tuple(name.strip() for name in options.tasks.split(",") if name.strip()) or BASICS
    unknown = [name for name in tasks if name not in (*TASKS, *ABROAD)]
    if unknown:
        raise UsageError(f"{unknown[0]!r} is not a task; tasks are {', '.join((*TASKS, *ABROAD))}")
    if options.crowd < 1:
        raise UsageError(f"a crowd of {options.crowd} times as many people is nobody; 1 or more would do")
    with output.bar("evaluating", "arenas") as report:
        rows = evaluate(
            existing(options.weights or WEIGHTS),
            Arenas(options.seeds, options.worlds, options.steps, options.split, options.crowd),
            tasks=tasks,
            without=senses(options.without),
            adapter=None if options.adapter is None else existing(options.adapter),
            jobs=options.jobs,
            progress=report,
        )
    if options.json:
        output.as_json([row.to_json() for row in rows])
    else:
        columns = ("task and metric", "model", "mean", "95 % interval")
        output.table(
            columns, [(f"{r.task} {r.metric}", r.model, f"{r.value:.3f}", f"{r.low:.3f} to {r.high:.3f}") for r in rows]
        )
    return 0


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
