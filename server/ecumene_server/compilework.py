"""A program that compiles scene graphs: `python -m ecumene_server.compilework`, graphs in, files out.

To compile a town takes seconds, most of them spent holding the interpreter; in a process of its own that costs the tick
nothing. On the pipes are msgpack messages, each after its length, u32 little endian::

    in   `Task`
    out  `Compiled`, once the layout is in its file, then `Drawn`, once the scene is; or one `Refusal`
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec

from ecumene_server import helper, layoutfile
from ecumene_server.fieldwork import read
from ecumene_server.kept import Kept, made_by
from ecumene_world import Layout, SceneGraph, compile_layout
from ecumene_world.errors import GraphError

LENGTH: Final = struct.Struct("<I")
NICENESS: Final = 2
"""The tick goes first where there are too few cores."""


class Task(msgspec.Struct, frozen=True, tag="task"):
    """What is to be compiled.

    Attributes:
        folder: Where worlds are kept.
        name: Under which this one is.
        spare: Where a layout goes that can't be written there.
        cell_m: As `compile_layout` takes it.
        graph: As `SceneGraph.to_json` writes it.
    """

    folder: str
    name: str
    spare: str
    cell_m: float | None
    graph: dict[str, Any]


class Compiled(msgspec.Struct, frozen=True, tag="compiled"):
    """The layout of that hash is in a file."""

    file: str
    hash: str


class Drawn(msgspec.Struct, frozen=True, tag="drawn"):
    """The scene is in `Kept.scene_file`, as far as it could be written."""


class Refusal(msgspec.Struct, frozen=True, tag="refusal"):
    """Why the graph can't be compiled, or its layout not be kept."""

    sentence: str
    broken: bool
    """Whether that is the graph's fault."""


Reply = Compiled | Drawn | Refusal
_tasks: Final = msgspec.msgpack.Decoder(Task)
_replies: Final[msgspec.msgpack.Decoder[Reply]] = msgspec.msgpack.Decoder(Reply)  # type: ignore[arg-type]


def put(stream: BinaryIO, message: msgspec.Struct) -> None:
    """Writes a message."""
    data = msgspec.msgpack.encode(message)
    stream.write(LENGTH.pack(len(data)) + data)
    stream.flush()


def get(stream: BinaryIO) -> bytes | None:
    """Returns the bytes of the next message, None at the end of the stream."""
    head = read(stream, LENGTH.size)
    return None if head is None else read(stream, LENGTH.unpack(head)[0])


def reply(stream: BinaryIO) -> Reply | None:
    """Returns the next reply, None at the end of the stream."""
    data = get(stream)
    return None if data is None else _replies.decode(data)


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Compiles until the source ends, as it does when the server is gone."""
    while (data := get(source)) is not None:
        task = _tasks.decode(data)
        kept = Kept(Path(task.folder), task.name)
        try:
            graph = SceneGraph.from_json(task.graph)
            layout = compile_layout(graph, cell_m=task.cell_m)
            file = written(layout, kept, kept.next_file, Path(task.spare))
        except (GraphError, OSError) as error:
            put(sink, Refusal(str(error), isinstance(error, GraphError)))
            continue
        put(sink, Compiled(str(file), layout.hash))
        kept.scene(graph)
        put(sink, Drawn())


def written(layout: Layout, kept: Kept, draft: Path, spare: Path) -> Path:
    """Writes a layout to a file beside the stored world, or else to a spare folder; returns where."""
    spare = spare / f"ecumene-{kept.name}-{os.getpid()}.layout"
    for file in (draft, spare):
        try:
            layoutfile.write(layout, file, made_by())
        except OSError:
            if file == spare:
                raise
        else:
            break
    return file


if __name__ == "__main__":
    helper.run(serve, NICENESS)
