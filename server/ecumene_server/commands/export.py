"""`ecumene export`: writes a world as GLB, as JSON or as a picture."""

from __future__ import annotations

import argparse
from pathlib import Path

from ecumene_server.commands import inspection, output
from ecumene_server.commands.files import existing, written
from ecumene_server.errors import UsageError
from ecumene_server.openworld import read


def add(parser: argparse.ArgumentParser) -> None:
    """Describes the command."""
    parser.description = "Writes a world file as GLB, as JSON or as a picture."
    parser.add_argument("world", metavar="WORLD", help="a world file, or anything that can be imported")
    inspection.add_outputs(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Writes what was asked for."""
    if not (options.output or options.glb or options.preview):
        raise UsageError("nothing to write; give --glb FILE, --preview FILE or -o FILE")
    graph = read(existing(Path(options.world)))
    if options.output:
        written(Path(options.output), graph.save)
    inspection.write_pictures(graph, options)
    made = [name for name in (options.output, options.glb, options.preview) if name]
    if options.json:
        sizes = {name: Path(name).stat().st_size for name in made}
        output.as_json({"name": graph.name, "hash": graph.hash(), "nodes": len(graph), "bytes": sizes})
    else:
        print(f"{graph.name}: wrote {', '.join(made)}")
    return 0
