"""What `generate`, `import` and `export` say of a world, and the files they make of it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Final

from ecumene_server.commands.files import written
from ecumene_world import SceneGraph
from ecumene_world.exporters.glb import write_glb
from ecumene_world.gate import Gated
from ecumene_world.preview import write_preview

_UNITS: Final = {"doors": " m", "colliders": " m", "supported": "", "spawns": ""}
"""What values are counted in; the rest are shares."""


def add_outputs(parser: argparse.ArgumentParser) -> None:
    """Adds the options for what is written."""
    parser.add_argument("-o", "--output", metavar="FILE.json", help="write the scene graph")
    parser.add_argument("--glb", metavar="FILE.glb", help="write a 3D file")
    parser.add_argument("--preview", metavar="FILE.png", help="write a picture")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def report(world: Gated) -> dict[str, Any]:
    """Returns hash, size and what the gate says of a world, and what was repaired."""
    graph, layout = world.graph, world.layout
    return {
        "name": graph.name,
        "hash": graph.hash(),
        "nodes": len(graph),
        "things": len(layout.thing_kind),
        "places": len(layout.place_role),
        "unreachable": list(layout.unreachable),
        "gate": world.report.to_json(),
        "ok": world.report.ok,
        "repairs": list(world.repairs),
    }


def write_pictures(graph: SceneGraph, options: argparse.Namespace) -> None:
    """Writes the GLB and the picture that were asked for."""
    if options.glb:
        written(Path(options.glb), lambda path: path.write_bytes(write_glb(graph)))
    if options.preview:
        written(Path(options.preview), lambda path: write_preview(graph, path))


def tell(report: dict[str, Any]) -> None:
    """Prints a report for people."""
    print(f"{report['name']}: {report['nodes']} nodes, {report['things']} things, {report['places']} places")
    for name, check in report["gate"].items():
        unit = _UNITS.get(name)
        value, limit = (f"{check[key]:.1%}" if unit is None else f"{check[key]:g}{unit}" for key in ("value", "limit"))
        print(f"  {name} {value}, limit {limit}: {'ok' if check['ok'] else 'failed'}")
    if report["unreachable"]:
        print(f"  nobody can walk to: {', '.join(report['unreachable'][:8])}")
