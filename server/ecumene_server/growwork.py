"""A program that makes districts: `python -m ecumene_server.growwork`, a world and a wish in, a branch and files out.

It generates, looks for a plot, compiles the whole and lets the gate judge it, which takes seconds to a minute. On the
pipes are msgpack messages as in `compilework`::

    in   `Task`
    out  `Told`, again and again, then `Made`, then `Drawn`, once the scene is in its file; or one `Refusal`
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec

from ecumene_server import helper
from ecumene_server.compilework import Drawn, get, put, written
from ecumene_server.kept import Kept
from ecumene_world import SceneGraph
from ecumene_world.branch import packed
from ecumene_world.errors import GraphError, ImportFailed
from ecumene_world.extend import District, Extension, extension
from ecumene_world.layout import Layout

NICENESS: Final = 4
"""Ticks go first, and so do edits."""


class Task(msgspec.Struct, frozen=True, tag="task"):
    """What is to be made.

    Attributes:
        folder: Where worlds are kept.
        name: Under which this one is.
        spare: Where a layout goes that can't be written there.
        cell_m: As `compile_layout` takes it.
        graph: The world, as `SceneGraph.to_json` writes it.
        kind: As `District` takes it; also seed, tags, size_m and at.
    """

    folder: str
    name: str
    spare: str
    cell_m: float | None
    graph: dict[str, Any]
    kind: str
    seed: int
    tags: tuple[str, ...]
    size_m: float | None
    at: tuple[float, float] | None


class Told(msgspec.Struct, frozen=True, tag="told"):
    """What is being done, and how much of the whole is done, 0..1."""

    doing: str
    share: float


class Made(msgspec.Struct, frozen=True, tag="made"):
    """A district that fits.

    Attributes:
        root: Name of its node.
        branch: As `branch.packed` writes it.
        file: Where the layout of the whole is.
        hash: Of that layout.
        bounds: Lowest x, y and highest x, y that it is built on, metres.
        entrance: x, y, metres.
    """

    root: str
    branch: str
    file: str
    hash: str
    bounds: tuple[float, float, float, float]
    entrance: tuple[float, float]


class Refusal(msgspec.Struct, frozen=True, tag="refusal"):
    """Why there can't be such a district."""

    sentence: str


Reply = Told | Made | Drawn | Refusal
_tasks: Final = msgspec.msgpack.Decoder(Task)
_replies: Final[msgspec.msgpack.Decoder[Reply]] = msgspec.msgpack.Decoder(Reply)  # type: ignore[arg-type]


def reply(stream: BinaryIO) -> Reply | None:
    """Returns the next reply, None at the end of the stream."""
    data = get(stream)
    return None if data is None else _replies.decode(data)


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Makes districts until the source ends, as it does when the server is gone."""
    while (data := get(source)) is not None:
        task = _tasks.decode(data)
        kept = Kept(Path(task.folder), task.name)
        try:
            made = _made(task, kept, sink)
            file = written(made.layout, kept, kept.grown_file, Path(task.spare))
        except (GraphError, ImportFailed, OSError) as error:
            put(sink, Refusal(str(error)))
            continue
        plot = made.plot
        entrance = plot.world(plot.entrance.landing)
        put(sink, Made(made.branch.root, packed(made.branch), str(file), made.layout.hash, plot.bounds, entrance))
        kept.scene(made.graph, made.layout.graph_hash)
        put(sink, Drawn())


def _made(task: Task, kept: Kept, sink: BinaryIO) -> Extension:
    graph = SceneGraph.from_json(task.graph)
    district = District(task.kind, task.seed, task.tags, task.size_m, task.at)
    return extension(
        graph,
        district,
        layout=_at_hand(kept, graph, task.cell_m),
        cell_m=task.cell_m,
        progress=lambda doing, share: put(sink, Told(doing, share)),
    )


def _at_hand(kept: Kept, graph: SceneGraph, cell_m: float | None) -> Layout | None:
    """Returns the layout of the world as it is, if that is kept."""
    layout = kept.layout()
    known = layout is not None and layout.asked_cell_m == cell_m and layout.graph_hash == graph.hash()
    return layout if known else None


if __name__ == "__main__":
    helper.run(serve, NICENESS)
