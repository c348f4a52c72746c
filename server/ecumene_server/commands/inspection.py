"""What `generate`, `import` and `export` say of a world, and the files they make of it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Final

from ecumene_server.commands.files import written
from ecumene_world import SceneGraph, compile_layout
from ecumene_world.exporters.glb import write_glb
from ecumene_world.preview import write_preview

REACHABLE: Final = 0.98
"""Share of places and seats that somebody must be able to walk to."""


def add_outputs(parser: argparse.ArgumentParser) -> None:
    """Adds the options for what is written."""
    parser.add_argument("-o", "--output", metavar="FILE.json", help="write the scene graph")
    parser.add_argument("--glb", metavar="FILE.glb", help="write a 3D file")
    parser.add_argument("--preview", metavar="FILE.png", help="write a picture")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def report(graph: SceneGraph) -> dict[str, Any]:
    """Returns hash, size and the gate: whether people can get to what is there."""
    layout = compile_layout(graph)
    sought = len(layout.place_role) + int((layout.thing_seat[:, 0] >= 0).sum()) + len(layout.unreachable)
    share = 1.0 if sought == 0 else 1.0 - len(layout.unreachable) / sought
    gate = {"reachable": {"value": round(share, 4), "limit": REACHABLE, "ok": share >= REACHABLE}}
    return {
        "name": graph.name,
        "hash": graph.hash(),
        "nodes": len(graph),
        "things": len(layout.thing_kind),
        "places": len(layout.place_role),
        "unreachable": list(layout.unreachable),
        "gate": gate,
        "ok": all(check["ok"] for check in gate.values()),
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
        print(f"  {name} {check['value']:.1%} (at least {check['limit']:.0%}): {'ok' if check['ok'] else 'failed'}")
    if report["unreachable"]:
        print(f"  nobody can walk to: {', '.join(report['unreachable'][:8])}")
