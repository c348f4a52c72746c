"""Draws real rooms beside rooms that are generated for the same floors.

    python benchmarks/real_rooms.py [--networks DIR] [--rooms 6] [--out docs/images/worlds-real-rooms.jpg]

A column for each of the first held-out rooms of a type, not chosen; from above: as somebody designed it, as the layout
network furnishes it, the same put straight by the placement network first, and as the rules do. DIR holds the networks
of `ecumene train layout`, of which the first never saw these rooms; without it the shipped one is asked, which did.
All are drawn alike, with the assets of the library; real rooms stand exactly as they are, with what they overlap.
Needs Pillow.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from ecumene_models.layout_gan import load_layout
from ecumene_models.layouts import Layouts
from ecumene_world import Node, Pose, SceneGraph
from ecumene_world.generate.fitting import fitted, top_of
from ecumene_world.generate.learned_layout import KNOWN, WEIGHTS, LearnedLayout, drawn_of, exactly
from ecumene_world.generate.procedural import Procedural
from ecumene_world.generate.proposer import FLOOR, Brief, LayoutProposer, Proposal
from ecumene_world.generate.straightening import straightener
from ecumene_world.learning.arrangements import ROLES, arrangements, layouts_of
from ecumene_world.learning.arranging import folds
from ecumene_world.learning.ruled_rooms import brief_of
from ecumene_world.plain import JSON
from ecumene_world.preview import picture

_TILE: Final = (240, 200)
_SEED: Final = 7


def graph_of(brief: Brief, things: Sequence[Proposal]) -> SceneGraph:
    """Returns a room with its floor, its two far walls and what stands in it."""
    x0, y0, x1, y1 = brief.bounds
    graph = SceneGraph("room")
    corners: list[JSON] = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]
    graph.add(Node("floor", "floor", attributes={"polygon": corners, "style": "parquet", "colour": "#c9ad86"}))
    for name, x, y, yaw, long in (
        ("back", (x0 + x1) / 2, y1 + 0.05, 0.0, x1 - x0),
        ("left", x0 - 0.05, (y0 + y1) / 2, np.pi / 2, y1 - y0),
    ):
        wall: dict[str, JSON] = {"size": [long, 0.1, 1.6], "colour": "#efe8dc"}
        graph.add(Node(name, "wall", Pose.at(x, y, 0.0, yaw), attributes=wall))
    for number, thing in enumerate(things):
        if thing.hung or thing.kind == "wall":
            continue
        z = thing.z
        if thing.support != FLOOR:
            under = things[thing.support]
            z = top_of(under, 0.0, 0.0)
        pose = Pose.at(thing.x, thing.y, z, thing.yaw)
        graph.add(Node(f"{thing.kind} {number}", thing.kind, pose, seed=max(thing.seed, 0), params=dict(thing.params)))
    return graph


def made_by(proposer: LayoutProposer, brief: Brief) -> SceneGraph:
    """Returns a room furnished by somebody, fitted as in a generated world."""
    return graph_of(brief, fitted(brief, proposer.propose(brief) or (), brief.seed).things)


def chosen(layouts: Layouts, rows: Sequence[int], count: int) -> list[int]:
    """Returns the first rooms of each type that the rules know too."""
    found = []
    for role in KNOWN:
        code = tuple(ROLES.values()).index(role)
        found += [row for row in rows if int(layouts.role[row]) == code][:count]
    return found


def main() -> None:
    """Draws and writes the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=Path, metavar="DIR", help="where `ecumene train layout` left its networks")
    parser.add_argument("--rooms", type=int, default=2, help="of each type")
    parser.add_argument("--out", type=Path, default=Path("docs/images/worlds-real-rooms.jpg"))
    options = parser.parse_args()
    rooms = arrangements()
    layouts = layouts_of(rooms)
    _, asked = folds(rooms, 0)[0]
    network = load_layout(options.networks / "layout-0.safetensors" if options.networks else WEIGHTS)
    makers = (LearnedLayout(network), LearnedLayout(network, straightener()), Procedural())
    shown = chosen(layouts, asked.tolist(), options.rooms)
    sheet = Image.new("RGB", (len(shown) * _TILE[0], 4 * _TILE[1]), (226, 234, 232))
    for column, row in enumerate(shown):
        brief = brief_of(layouts, row, _SEED)
        graphs = [graph_of(brief, exactly(brief, drawn_of(layouts, row, brief)))]
        graphs += [made_by(maker, brief) for maker in makers]
        for at, graph in enumerate(graphs):
            tile = Image.fromarray(np.ascontiguousarray(picture(graph, _TILE, view="cut")))
            sheet.paste(tile, (column * _TILE[0], at * _TILE[1]))
    sheet.save(options.out, "JPEG", quality=84, optimize=True, progressive=True)
    print(f"{options.out}: {options.out.stat().st_size // 1000} kB, {[rooms[row].name for row in shown]}")


if __name__ == "__main__":
    main()
