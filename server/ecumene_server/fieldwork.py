"""A program that computes route fields: `python -m ecumene_server.fieldwork`, a layout and goals in, fields out.

A shortest-path search holds the interpreter for as long as it runs, a tenth of a second in a large town; in a process
of its own it costs the tick nothing. The tick and the minds go before it: without a field NPCs wait, but without
decisions nobody moves. Everything on the pipes is little endian::

    in   u32 L, H, W  f64 cell_m  f32 clearance[L*H*W]  u8 surface[L*H*W]  i8 next_level[L*H*W]
         then any number of  i64 goal  f64 reach
    out  for each goal  i64 goal  f64 reach  u32 size  the (L*H*W) i8 directions in zlib
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, cast

import numpy as np
import torch

from ecumene_agents.fields import RouteMap
from ecumene_server import helper
from ecumene_world.layout import Layout

HEADER: Final = struct.Struct("<IIId")
GOAL: Final = struct.Struct("<qd")
FIELD: Final = struct.Struct("<qdI")
NICENESS: Final = 5
"""The tick and the minds go first where there are too few cores; further back, people on a busy machine would wait for
minutes for their routes."""


@dataclass(frozen=True, slots=True)
class _Grid:
    """The part of a layout that routes are made of."""

    clearance: torch.Tensor
    surface: torch.Tensor
    next_level: torch.Tensor
    cell_m: float


def described(layout: Layout) -> bytes:
    """Returns the layout as the program reads it."""
    arrays = (layout.clearance, layout.surface, layout.next_level)
    parts = [each.detach().cpu().contiguous().numpy().tobytes() for each in arrays]
    return b"".join([HEADER.pack(*layout.clearance.shape, layout.cell_m), *parts])


def read(stream: BinaryIO, size: int) -> bytes | None:
    """Returns exactly that many bytes, None at the end of the stream."""
    data = stream.read(size)
    return data if len(data) == size else None


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Reads a layout, then answers goals until the source ends, as it does when the server is gone."""
    head = read(source, HEADER.size)
    if head is None:
        return
    levels, height, width, cell_m = HEADER.unpack(head)
    shape = (levels, height, width)
    clearance, surface, next_level = (_array(source, kind, shape) for kind in ("<f4", "u1", "i1"))
    if clearance is None or surface is None or next_level is None:
        return
    routes = RouteMap(cast("Layout", _Grid(clearance, surface, next_level, cell_m)))
    while (asked := read(source, GOAL.size)) is not None:
        goal, reach = GOAL.unpack(asked)
        packed = zlib.compress(routes.field(goal, reach).tobytes(), 1)
        sink.write(FIELD.pack(goal, reach, len(packed)) + packed)
        sink.flush()


def _array(source: BinaryIO, kind: str, shape: tuple[int, ...]) -> torch.Tensor | None:
    dtype: np.dtype[Any] = np.dtype(kind)
    data = read(source, int(np.prod(shape)) * dtype.itemsize)
    return None if data is None else torch.from_numpy(np.frombuffer(bytearray(data), dtype).reshape(shape))


if __name__ == "__main__":
    helper.run(serve, NICENESS)
