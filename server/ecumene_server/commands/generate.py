"""`ecumene generate`: makes a world from a seed."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from ecumene_server.commands import inspection, output
from ecumene_server.commands.files import written
from ecumene_server.errors import UsageError
from ecumene_world.errors import RequestError
from ecumene_world.generate import TYPES, generated
from ecumene_world.generate.proposer import LayoutProposer
from ecumene_world.generate.shapes import TAG

LAYOUTS = ("procedural", "learned")
REFINERS = ("none", "placement")
SHAPES = ("library", "learned")


def add(parser: argparse.ArgumentParser) -> None:
    """Describes the command."""
    parser.description = "Makes a world from a seed: the same seed gives the same world."
    parser.add_argument("type", metavar="TYPE", help=", ".join(TYPES))
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="any whole number (0)")
    parser.add_argument("--tags", default="", metavar="A,B", help="what it should be like, such as cozy,elderly")
    parser.add_argument(
        "--layout",
        choices=LAYOUTS,
        default=LAYOUTS[0],
        help="who furnishes homes: rules, or the network that learned from designed rooms (procedural)",
    )
    parser.add_argument(
        "--refine",
        choices=REFINERS,
        default=REFINERS[0],
        help="whether the placement network puts straight what the learned layout drew, before it is built (none)",
    )
    parser.add_argument(
        "--shapes",
        choices=SHAPES,
        default=SHAPES[0],
        help="who shapes furniture: the library by seed, or the network that learned from real furniture (library)",
    )
    parser.add_argument("--size", type=float, metavar="M", help="edge length, metres")
    inspection.add_outputs(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Makes, checks and writes the world."""
    start = time.perf_counter()
    tags = tuple(tag.strip() for tag in options.tags.split(",") if tag.strip())
    if options.shapes == SHAPES[1] and TAG not in tags:
        tags = (*tags, TAG)
    with output.bar(f"{options.type} {options.seed}", "%") as tell:
        try:
            made = generated(
                options.type,
                options.seed,
                tags=tags,
                size_m=options.size,
                proposer=_proposer(options.layout, options.refine),
                progress=lambda _, share: tell(round(100 * share), 100),
            )
        except RequestError as error:
            raise UsageError(str(error)) from error
    graph, seconds = made.graph, time.perf_counter() - start
    report = {"type": options.type, "seed": options.seed, **inspection.report(made)}
    report["seconds"] = round(seconds, 3)
    if options.output:
        written(Path(options.output), graph.save)
    inspection.write_pictures(graph, options)
    if options.json:
        output.as_json(report)
    else:
        inspection.tell(report)
    return 0 if report["ok"] else 1


def _proposer(layout: str, refine: str) -> LayoutProposer | None:
    """Returns who furnishes; None for the rules."""
    if layout == "procedural":
        if refine != REFINERS[0]:
            raise UsageError(
                f"--refine {refine} has nothing to put straight in what the rules draw; add --layout learned"
            )
        return None
    from ecumene_world.generate.learned_layout import LearnedLayout

    return LearnedLayout.shipped(straighten=refine == "placement")
