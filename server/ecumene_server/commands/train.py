"""`ecumene train`: trains models."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecumene_server.commands import adapting, asked, learned, output, pretraining
from ecumene_server.commands.evaluate import SENSES, senses
from ecumene_server.commands.files import existing

if TYPE_CHECKING:
    from ecumene_scenarios.training import TrainingConfig

NAMES = ("minds", "senses", "adapter", *learned.TRAINED)
OF_MINDS = {
    "tasks": "",
    "worlds": None,
    "arenas": None,
    "refresh": None,
    "clone": None,
    "start": None,
    "sense_less": "",
    "memory": "none",
    "relations": False,
    "curriculum": False,
    "objective": None,
    "critic": "own",
}
"""Options that models of public data don't have, and what they are where they aren't given."""
OF_SENSES = {"objective": None, "data": None}
"""Those that minds don't have."""
MEMORIES = {"none": 0, "gru": 64}
"""Kinds of memory, and how many numbers an avatar remembers."""


def add(parser: argparse.ArgumentParser) -> None:
    """Describes the command."""
    parser.description = (
        "Trains a model; goes on where it stopped if the folder holds a run of the same options (adapters begin anew)."
    )
    parser.add_argument("name", metavar="NAME", choices=NAMES, help=", ".join(NAMES))
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of weights, worlds and noise (0)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder (runs/NAME); for an adapter its file")
    parser.add_argument("--data", type=Path, metavar="FILE", help="data to learn from; fetched without it (not minds)")
    parser.add_argument(
        "--tasks",
        default="",
        metavar="A,B",
        help="tasks to mix, forks among them (goto,avoid,wait); an adapter takes one",
    )
    parser.add_argument("--worlds", type=int, metavar="N", help="worlds of each task side by side")
    parser.add_argument(
        "--iterations", type=int, metavar="N", help="of policy gradients; rounds of an adapter, epochs of others"
    )
    parser.add_argument("--arenas", type=int, metavar="N", help="layouts of each task at a time (minds, senses)")
    parser.add_argument("--refresh", type=int, metavar="N", help="iterations between new layouts (minds)")
    parser.add_argument(
        "--clone", type=int, metavar="N", help="iterations of imitation, before policy gradients (minds)"
    )
    parser.add_argument(
        "--from", dest="start", type=Path, metavar="FILE", help="weights to begin with (minds), or to adapt (adapter)"
    )
    parser.add_argument(
        "--sense-less", default="", metavar="A,B", help=f"senses that nobody has, of {', '.join(SENSES)} (minds)"
    )
    parser.add_argument(
        "--relations", action="store_true", help="tell minds how neighbours are related to them and to things (minds)"
    )
    parser.add_argument(
        "--curriculum", action="store_true", help="more layouts for tasks that fare worse, fewer for others (minds)"
    )
    parser.add_argument("--memory", choices=MEMORIES, default="none", help="what minds remember (none)")
    parser.add_argument(
        "--objective", metavar="NAME", help="of pretraining: masked, contrastive or shuffled (masked; senses)"
    )
    parser.add_argument("--critic", choices=("own", "centralised"), default="own", help="who judges minds (own)")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--tensorboard", action="store_true", help="log for TensorBoard as well")
    parser.add_argument("--smoke", action="store_true", help="only show that training works, in seconds")
    parser.add_argument("--json", action="store_true", help="print one JSON document at the end")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Trains to the end."""
    if options.name in learned.TRAINED:
        asked.unused(options, OF_MINDS, f"train {options.name}")
        asked.at_least(1, options, "iterations")
        asked.device(options.device)
        return learned.train(options)
    if options.name == "senses":
        return pretraining.train(options)
    if options.name == "adapter":
        return adapting.train(options)
    asked.unused(options, OF_SENSES, "train minds")
    asked.at_least(1, options, "worlds", "arenas", "refresh")
    asked.at_least(0, options, "clone", "iterations")
    asked.device(options.device)
    import torch

    from ecumene_scenarios.training import Progress, last_numbers, train

    config = _config(options)
    torch.set_num_threads(1)  # sums must be added up in the same order on any number of processors
    if config.relations and config.start and not options.json:
        print(f"What {options.start} lacks to be told of relations starts at zero.", flush=True)
    with output.bar("training", "iterations") as report:

        def heard(progress: Progress) -> None:
            report(progress.iteration, progress.iterations)
            if not sys.stderr.isatty() and not options.json:
                print(line(progress), flush=True)

        weights = train(config, learned.folder_of(options), heard, tensorboard=options.tensorboard)
    if options.json:
        numbers = last_numbers(weights.parent)
        output.as_json({"weights": str(weights), "iterations": config.iterations, "numbers": numbers})
    else:
        print(f"The weights are in {weights}; compare them with: ecumene evaluate minds --weights {weights}")
    return 0


def _config(options: argparse.Namespace) -> TrainingConfig:
    """What the options ask for, of minds."""
    from ecumene_scenarios.registry import BASICS
    from ecumene_scenarios.training import TrainingConfig

    lacking = senses(options.sense_less)
    start = "" if options.start is None else str(existing(options.start))
    config = TrainingConfig(
        seed=options.seed,
        tasks=pretraining.tasks(options.tasks) or BASICS,
        device=options.device,
        lacking=lacking,
        start=start,
        memory=MEMORIES[options.memory],
        relations=options.relations,
        curriculum=options.curriculum,
        judge=options.critic,
    )
    if options.smoke:
        config = replace(config, worlds=2, steps=4, clone=1, critic=1, improve=1)
    asked = {
        "worlds": options.worlds,
        "arenas": options.arenas,
        "refresh": options.refresh,
        "clone": options.clone,
        "improve": options.iterations,
    }
    return replace(config, **{name: number for name, number in asked.items() if number is not None})


def line(progress: Any) -> str:
    """One line a report, for logs."""
    shown = ", ".join(f"{name} {value:.3g}" for name, value in progress.numbers.items() if "/" in name)
    return f"{progress.iteration}/{progress.iterations} {progress.stage}: {shown}"
