"""Cell frames: where everybody is, as quantised columns, one frame per occupied interest cell.

Little endian. A header of 24 bytes::

    u8 1 | u8 version | u16 n | u32 epoch | u32 tick | i16 cell_x | i16 cell_y | u16 flags | u16 0 | u32 bytes

then one column after another, padded with zeros to a multiple of 4 bytes::

    u32 id[n]      serial << 16 | slot, wrapped to 32 bits
    u16 x[n] y[n]  within the cell, 32 m / 65536 (0.5 mm)
    i16 z[n]       centimetres
    u16 yaw[n]     2 pi / 65536
    u8  speed[n]   1 / 20 m/s
    u8  pose[n]    posture | emote << 2
    u8  flags[n]   1 visitor, 2 speaking, 4 holding
    u8  level[n]   storey

A frame depends on its cell alone, so it is encoded once and shared by every client that sees the cell.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ecumene_server.errors import FrameError
from ecumene_server.wire import HOT

VERSION: Final = 1
CELL_M: Final = 32.0
"""Edge of an interest cell."""
HEADER: Final = struct.Struct("<BBHIIhhHHI")
ENTITY_BYTES: Final = 16
FLAG_FAR: Final = 1
"""Header flag: this cell comes at the lower rate of far cells."""
VISITOR: Final = 1
SPEAKING: Final = 2
HOLDING: Final = 4

Cell: TypeAlias = tuple[int, int]
Array: TypeAlias = NDArray[Any]

_MAX_N: Final = 65_535


@dataclass(frozen=True, slots=True)
class Entities:
    """Everybody alive in one world, struct of arrays of n rows.

    Attributes:
        id: (n,) u32 entity ids.
        position: (n, 3) f32 metres, world frame.
        yaw: (n,) f32 radians.
        speed: (n,) f32 m/s.
        posture: (n,) u8 0..3.
        emote: (n,) u8 0..63.
        flags: (n,) u8 `VISITOR | SPEAKING | HOLDING`.
        level: (n,) u8 storey.
    """

    id: Array
    position: Array
    yaw: Array
    speed: Array
    posture: Array
    emote: Array
    flags: Array
    level: Array

    def __len__(self) -> int:
        return len(self.id)


@dataclass(frozen=True, slots=True)
class CellFrame:
    """A decoded cell frame; `entities` carry the quantisation error."""

    epoch: int
    tick: int
    cell: Cell
    flags: int
    entities: Entities


def cell_of(x: float, y: float) -> Cell:
    """Returns the interest cell that holds the point; metres."""
    return math.floor(x / CELL_M), math.floor(y / CELL_M)


def encode_cells(entities: Entities, *, epoch: int, tick: int) -> dict[Cell, bytes]:
    """Returns one frame for each occupied cell; entities of a cell stand in row order.

    A cell holds at most 65,535 entities: further ones are left out.
    """
    if not len(entities):
        return {}
    cells = np.floor(entities.position[:, :2].astype(np.float64) / CELL_M).astype(np.int64)
    order = np.lexsort((cells[:, 1], cells[:, 0]))
    cells = cells[order]
    starts = np.flatnonzero(np.append(True, (cells[1:] != cells[:-1]).any(axis=1)))
    count = np.diff(starts, append=len(cells))
    rank = np.arange(len(cells)) - np.repeat(starts, count)
    kept, count = rank < _MAX_N, np.minimum(count, _MAX_N)
    headers = np.zeros(len(count), _HEADER)
    headers["kind"], headers["version"], headers["n"] = HOT, VERSION, count
    headers["epoch"], headers["tick"] = epoch & 0xFFFFFFFF, tick & 0xFFFFFFFF
    headers["cell"] = np.clip(cells[starts], -32_768, 32_767)
    headers["bytes"] = HEADER.size + ENTITY_BYTES * count
    frames = _frames(headers, _quantise(entities, order[kept], cells[kept]), rank[kept])
    return {(x, y): frame for (x, y), frame in zip(cells[starts].tolist(), frames, strict=True)}


def with_flags(frame: bytes, flags: int) -> bytes:
    """Returns the frame with its header flags replaced."""
    return frame[:16] + struct.pack("<H", flags) + frame[18:]


def decode_frames(data: bytes) -> list[CellFrame]:
    """Returns the frames of one hot message; the reference for decoders in other languages.

    Raises:
        FrameError: The bytes are cut short, of another version, or inconsistent.
    """
    frames = []
    offset = 0
    while offset < len(data):
        frame, offset = _decode_one(data, offset)
        frames.append(frame)
    return frames


def _quantise(entities: Entities, order: Array, cells: Array) -> tuple[Array, ...]:
    position = entities.position[order].astype(np.float64)
    within = (position[:, :2] - cells * CELL_M) * (65_536 / CELL_M)
    xy = np.clip(np.rint(within), 0, 65_535).astype("<u2")
    turns = entities.yaw[order].astype(np.float64) * (65_536 / (2 * math.pi))
    speed = np.clip(np.rint(entities.speed[order] * 20), 0, 255)
    pose = (entities.posture[order].astype(np.uint8) & 3) | (entities.emote[order].astype(np.uint8) << 2)
    return (
        entities.id[order].astype("<u4"),
        np.ascontiguousarray(xy[:, 0]),
        np.ascontiguousarray(xy[:, 1]),
        np.clip(np.rint(position[:, 2] * 100), -32_768, 32_767).astype("<i2"),
        (np.rint(turns).astype(np.int64) & 0xFFFF).astype("<u2"),
        speed.astype(np.uint8),
        pose.astype(np.uint8),
        entities.flags[order].astype(np.uint8),
        np.clip(entities.level[order], 0, 255).astype(np.uint8),
    )


def _frames(headers: Array, columns: tuple[Array, ...], rank: Array) -> Iterator[bytes]:
    """Yields the frames of G cells, written for all of them at once.

    Args:
        headers: (G,) of them.
        columns: Of all rows, cell by cell.
        rank: Which row of its cell each row is.
    """
    rows, ends = headers["n"].astype(np.int64), headers["bytes"].cumsum(dtype=np.int64)
    begins = ends - headers["bytes"]
    data = np.zeros(ends[-1], np.uint8)
    data[begins[:, None] + np.arange(HEADER.size)] = headers.view(np.uint8).reshape(len(headers), HEADER.size)
    column_at, all_rows = np.repeat(begins + HEADER.size, rows), np.repeat(rows, rows)
    for column in columns:
        data.view(column.dtype)[column_at // column.itemsize + rank] = column
        column_at += column.itemsize * all_rows
    whole = data.tobytes()
    return (whole[begin:end] for begin, end in zip(begins.tolist(), ends.tolist(), strict=True))


def _decode_one(data: bytes, offset: int) -> tuple[CellFrame, int]:
    if len(data) - offset < HEADER.size:
        raise FrameError(f"{len(data) - offset} bytes are left where a header of {HEADER.size} is expected")
    kind, version, n, epoch, tick, cx, cy, flags, _, size = HEADER.unpack_from(data, offset)
    if kind != HOT or version != VERSION:
        raise FrameError(f"frame of kind {kind} version {version} where {HOT} version {VERSION} is expected")
    if size != HEADER.size + n * ENTITY_BYTES or offset + size > len(data):
        raise FrameError(f"frame of {n} entities says {size} bytes, {len(data) - offset} are left")
    return CellFrame(epoch, tick, (cx, cy), flags, _columns(data, offset + HEADER.size, n, (cx, cy))), offset + size


def _columns(data: bytes, offset: int, n: int, cell: Cell) -> Entities:
    read: dict[str, Array] = {}
    for name, kind in _COLUMNS:
        read[name] = np.frombuffer(data, kind, n, offset)
        offset += read[name].nbytes
    xy = np.stack([read["x"], read["y"]], axis=1) * (CELL_M / 65_536) + np.array(cell) * CELL_M
    return Entities(
        id=read["id"].astype(np.uint32),
        position=np.concatenate([xy, read["z"][:, None] / 100], axis=1).astype(np.float64),
        yaw=read["yaw"] * (2 * math.pi / 65_536),
        speed=read["speed"] / 20,
        posture=read["pose"] & 3,
        emote=read["pose"] >> 2,
        flags=read["flags"],
        level=read["level"],
    )


_COLUMNS: Final = (
    ("id", "<u4"),
    ("x", "<u2"),
    ("y", "<u2"),
    ("z", "<i2"),
    ("yaw", "<u2"),
    ("speed", "u1"),
    ("pose", "u1"),
    ("flags", "u1"),
    ("level", "u1"),
)
_HEADER: Final = np.dtype(
    [
        ("kind", "u1"),
        ("version", "u1"),
        ("n", "<u2"),
        ("epoch", "<u4"),
        ("tick", "<u4"),
        ("cell", "<i2", 2),
        ("flags", "<u2"),
        ("reserved", "<u2"),
        ("bytes", "<u4"),
    ]
)
"""As `HEADER`, of many frames at once."""
