"""`ecumene import`: makes a world from a map, a 3D scene or a scan."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any, Final

from ecumene_models.errors import ModelError
from ecumene_server.commands import inspection, output
from ecumene_server.commands.files import existing, written
from ecumene_server.errors import UsageError
from ecumene_world import datasets, importers
from ecumene_world.errors import ImportFailed, Unfit
from ecumene_world.gate import Gated

WAYS: Final = ("geometry", "network")


def add(parser: argparse.ArgumentParser) -> None:
    """Describes the command."""
    parser.description = f"Makes a world from a file ({' '.join(importers.SUFFIXES)}), or from a data set by its name."
    parser.add_argument("file", metavar="FILE", help="the file, or bubenec, helsinki or autzen")
    parser.add_argument(
        "--recognise",
        choices=WAYS,
        default="geometry",
        help="read a scan by its geometry (geometry), or as a room whose things networks name (network)",
    )
    parser.add_argument(
        "--labels", type=Path, metavar="FILE.labels.json", help="labels of a scan's things that you have corrected"
    )
    inspection.add_outputs(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Reads, checks and writes the world."""
    start = time.perf_counter()
    known = options.file in datasets.RECIPES
    path = datasets.fetch(options.file) if known else existing(Path(options.file))
    try:
        world, told = _read(path, options)
    except (Unfit, ModelError) as error:
        raise UsageError(str(error)) from error
    graph, seconds = world.graph, time.perf_counter() - start
    report = {"source": path.name, **inspection.report(world), "seconds": round(seconds, 3), **told}
    report["attribution"] = list(graph.attribution)
    if options.output:
        written(Path(options.output), graph.save)
    inspection.write_pictures(graph, options)
    if options.json:
        output.as_json(report)
    else:
        inspection.tell(report)
        _tell(report)
    return 0


def _read(path: Path, options: argparse.Namespace) -> tuple[Gated, dict[str, Any]]:
    """Returns the world, and what was recognised in it if it is a scan that networks looked at."""
    scan = path.suffix.lower() in importers.CLOUD
    if options.labels and (not scan or options.recognise == "geometry"):
        raise UsageError("--labels is for scans that networks look at; take --recognise network")
    if not scan:
        if options.recognise == "network":
            raise UsageError(f"{path.name} is no scan; things are recognised in {', '.join(importers.CLOUD)}")
        return importers.imported(path), {}
    if options.recognise == "geometry":
        return importers.imported(path), {}
    from ecumene_world.importers.recognise import import_room

    labels = _labels_path(options)
    found = import_room(path, labels=options.labels)
    if labels:
        from ecumene_world.importers.corrections import write_labels

        written(labels, lambda file: write_labels(file, found.guesses, found.source, found.classes))
    things = [{**guess.to_json(), "node": found.nodes.get(guess.number)} for guess in found.guesses]
    relations = [
        {"first": one.first, "relation": one.relation, "second": one.second, "confidence": round(one.confidence, 3)}
        for one in found.relations
    ]
    told = {"recognise": "network", "recognised": things, "relations": relations}
    return importers.as_it_is(found.graph), {**told, "labels": str(labels) if labels else None}


def _labels_path(options: argparse.Namespace) -> Path | None:
    """Returns where labels are written: the file they came from, or one beside the world.

    Raises:
        UsageError: A file there holds corrections, and was not passed.
    """
    if options.labels:
        return Path(options.labels)
    if not options.output:
        return None
    from ecumene_world.importers.corrections import edited

    path = Path(options.output).with_suffix(".labels.json")
    try:
        if path.exists() and edited(path):
            raise UsageError(f"{str(path)!r} holds corrected labels; pass it with --labels, or move it away")
    except ImportFailed as error:
        raise UsageError(f"{str(path)!r} is in the way of the labels: {error}") from error
    return path


def _tell(report: dict[str, Any]) -> None:
    """Prints what was recognised."""
    if report.get("recognise") != "network":
        return
    rows = []
    for thing in report["recognised"]:
        size = " x ".join(f"{edge:.2f}" for edge in thing["size_m"])
        rows.append((thing["node"] or "left out", thing["guess"], f"{thing['confidence']:.2f}", size))
    output.table(("thing", "guess", "confidence", "size in m"), rows)
    for one in report["relations"]:
        words = one["relation"].replace("_", " ")
        print(f"  {one['first']} {words} {one['second']} ({one['confidence']:.2f})")
    if report["labels"]:
        print(f"Correct the labels in {report['labels']} and import again with --labels {report['labels']}")
