"""`ecumene import`: makes a world from a map, a 3D scene or a scan."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from ecumene_server.commands import inspection, output
from ecumene_server.commands.files import existing, written
from ecumene_server.errors import UsageError
from ecumene_world import datasets, importers
from ecumene_world.errors import Unfit


def add(subcommands: Any) -> None:
    """Describes the command."""
    parser: argparse.ArgumentParser = subcommands.add_parser(
        "import",
        help="make a world from a map, a 3D scene or a scan",
        description=f"Makes a world from a file ({' '.join(importers.SUFFIXES)}), or from a data set by its name.",
    )
    parser.add_argument("file", metavar="FILE", help="the file, or bubenec, helsinki or autzen")
    inspection.add_outputs(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Reads, checks and writes the world."""
    start = time.perf_counter()
    known = options.file in datasets.RECIPES
    path = datasets.fetch(options.file) if known else existing(Path(options.file))
    try:
        world = importers.imported(path)
    except Unfit as error:
        raise UsageError(str(error)) from error
    graph, seconds = world.graph, time.perf_counter() - start
    report = {"source": path.name, **inspection.report(world), "seconds": round(seconds, 3)}
    report["attribution"] = list(graph.attribution)
    if options.output:
        written(Path(options.output), graph.save)
    inspection.write_pictures(graph, options)
    if options.json:
        output.as_json(report)
    else:
        inspection.tell(report)
    return 0
