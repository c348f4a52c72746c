"""`ecumene train senses`: pretraining of the senses on unlabelled rollouts."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ecumene_server.commands import asked, output
from ecumene_server.errors import UsageError

if TYPE_CHECKING:
    from ecumene_scenarios.sensing import SensingConfig


MASKED = "masked"
OF_OTHERS = {
    "data": None,
    "refresh": None,
    "clone": None,
    "start": None,
    "sense_less": "",
    "memory": "none",
    "critic": "own",
    "tensorboard": False,
}
"""Options of `ecumene train` that pretraining has no use for, and what they are where they aren't given."""


def train(options: argparse.Namespace) -> int:
    """Pretrains to the end and prints what the rest tells of a hidden sense."""
    asked.unused(options, OF_OTHERS, "train senses")
    asked.at_least(1, options, "arenas", "worlds", "iterations")
    import torch

    from ecumene_scenarios.sensing import train_senses

    config = _config(options)
    torch.set_num_threads(1)  # sums must be added up in the same order on any number of processors
    with output.bar("pretraining", "epochs") as report:

        def heard(done: int, total: int, loss: float) -> None:
            report(done, total)
            if not sys.stderr.isatty() and not options.json:
                print(f"{done}/{total} held-out loss {loss:.4f}", flush=True)

        found = train_senses(config, options.out or Path("runs") / "senses", heard)
    if options.json:
        counted = {"rows": found.rows, "pairs": found.pairs, "losses": found.left.losses, "held": found.left.held}
        output.as_json({"weights": str(found.weights), **counted, "explained": dict(found.explained)})
    else:
        shown = [(name, f"{share:.3f}") for name, share in found.explained.items()]
        output.table(("of held-out", "variance explained"), shown)
        print(f"The weights are in {found.weights}; begin with them: ecumene train minds --from {found.weights}")
    return 0


def tasks(listed: str) -> tuple[str, ...]:
    """Returns the tasks that an option names.

    Raises:
        UsageError: One of them is neither a task nor a file.
    """
    from ecumene_scenarios.registry import ABROAD, TASKS

    named = tuple(name.strip() for name in listed.split(",") if name.strip())
    known = (*TASKS, *ABROAD)
    unknown = [name for name in named if name not in known and not name.endswith((".yaml", ".yml"))]
    if unknown:
        raise UsageError(f"{unknown[0]!r} is not a task; tasks are {', '.join(known)}, and files of `ecumene fork`")
    return named


def _config(options: argparse.Namespace) -> SensingConfig:
    """What the options ask for."""
    from ecumene_models.pretraining import OBJECTIVES, PretrainingConfig
    from ecumene_scenarios.sensing import SensingConfig
    from ecumene_scenarios.unlabelled import Walks

    if options.device != "cpu":
        raise UsageError("senses are pretrained on the CPU; leave --device out")
    if (options.objective or MASKED) not in OBJECTIVES:
        raise UsageError(f"{options.objective!r} is no objective; there are {', '.join(OBJECTIVES)}")
    usual = Walks(seed=options.seed)
    walks, how = (
        replace(usual, tasks=tasks(options.tasks) or usual.tasks),
        PretrainingConfig(options.objective or MASKED),
    )
    if options.smoke:
        walks, how = replace(walks, tasks=walks.tasks[:2], arenas=1, worlds=1, steps=8), replace(how, epochs=1)
    walks = replace(walks, arenas=options.arenas or walks.arenas, worlds=options.worlds or walks.worlds)
    how = replace(how, epochs=options.iterations or how.epochs)
    return SensingConfig(walks, 8 if options.smoke else SensingConfig().held_steps, how)
