"""`ecumene train adapter`: teaches an adapter of frozen minds one task."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ecumene_server.commands import asked, output, pretraining
from ecumene_server.commands.files import existing, written
from ecumene_server.errors import UsageError

if TYPE_CHECKING:
    from ecumene_scenarios.adapting import Course


OF_OTHERS = {
    "data": None,
    "arenas": None,
    "refresh": None,
    "clone": None,
    "sense_less": "",
    "memory": "none",
    "objective": None,
    "critic": "own",
    "tensorboard": False,
}
"""Options of `ecumene train` that adapters have no use for, and what they are where they aren't given."""


def train(options: argparse.Namespace) -> int:
    """Trains to the end and says how to use what was made."""
    asked.unused(options, OF_OTHERS, "train adapter")
    import torch

    from ecumene_models import load_policy
    from ecumene_models.adapters import Adapter, share
    from ecumene_scenarios.adapting import adapt
    from ecumene_scenarios.cast import WEIGHTS

    task, course = _task(options), _course(options)
    base, out = (
        existing(options.start or WEIGHTS),
        options.out or Path("runs") / "adapter" / f"{Path(task).stem}.safetensors",
    )
    if out.is_dir():
        raise UsageError(f"{str(out)!r} is a folder; --out names the file of the adapter")
    torch.set_num_threads(1)  # sums must be added up in the same order on any number of processors
    made: list[Adapter] = []
    losses: list[float] = []
    with output.bar("teaching", "rounds") as report:

        def heard(done: int, loss: float) -> None:
            losses.append(loss)
            report(done, course.rounds)
            if not sys.stderr.isatty() and not options.json:
                print(f"{done}/{course.rounds} loss {loss:.4f}", flush=True)

        written(out, lambda path: made.append(adapt(base, task, path, course, heard)))
    adapter = made[0]
    part = share(adapter, load_policy(base))
    if options.json:
        numbers = {"numbers": adapter.size, "share": part, "rank": adapter.rank, "base": adapter.base, "losses": losses}
        output.as_json({"adapter": str(out), "task": task, "rounds": course.rounds, **numbers})
    else:
        print(f"The adapter is in {out}: {adapter.size} numbers, {part:.1%} of those of {base}.")
        print(f"Compare: ecumene evaluate minds --tasks {task} --weights {base} --adapter {out}")
    return 0


def _task(options: argparse.Namespace) -> str:
    """The one task that the options name."""
    named = pretraining.tasks(options.tasks)
    if len(named) != 1:
        raise UsageError(f"an adapter is taught one task, not {len(named)}; --tasks come would do")
    return named[0]


def _course(options: argparse.Namespace) -> Course:
    """How long the options ask to teach."""
    from ecumene_scenarios.adapting import Course

    if options.device != "cpu":
        raise UsageError("adapters are trained on the CPU; leave --device out")
    usual = Course(seed=options.seed)
    if options.smoke:
        usual = replace(usual, rounds=2, worlds=1, steps=6, passes=1)
    asked = {"worlds": options.worlds, "rounds": options.iterations}
    for name, number in asked.items():
        if number is not None and number < 1:
            raise UsageError(f"{number} {name} teach nothing; 1 or more would do")
    return replace(usual, **{name: number for name, number in asked.items() if number is not None})
