"""Snapshots: a whole world as bytes, and back, bit for bit.

    "ECUM"  u16 version  sha256 of all that follows (32 bytes)
    u32 length of the header  header (JSON)  blocks (zlib), one after the other

The header says what each block is. There is no pickle, so a stranger's snapshot can't run code; the checksum finds
damage, not malice. Integers are little-endian.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from ecumene_world.avatar import Avatar
from ecumene_world.errors import SnapshotError, WorldError
from ecumene_world.graph import SceneGraph
from ecumene_world.graph_json import parsed
from ecumene_world.layout import Layout, compile_layout
from ecumene_world.state import OF_PAIRS, State
from ecumene_world.world import World

MAGIC: Final = b"ECUM"
VERSION: Final = 1
MAX_BYTES: Final = 1 << 32
"""Most bytes that all blocks together may unpack to."""
_PREFIX: Final = struct.Struct("<4sH32s")
_LENGTH: Final = struct.Struct("<I")
_MEANINGLESS: Final = (
    WorldError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    RuntimeError,
    AssertionError,
    struct.error,
    zlib.error,
)
"""What undamaged bytes of another meaning can raise on the way to a world."""


def save(world: World) -> bytes:
    """Returns a world as bytes: graph, state, avatars, readings, generators and `extra`."""
    blocks, compiled = _Writer(), world.compiled_graph
    header = {
        "seed": world.seed,
        "cell_m": world.layout.asked_cell_m,
        "layout": world.layout.hash,
        "graph": blocks.text(json.dumps(world.graph.to_json())),
        "compiled_graph": None if compiled is None else blocks.text(json.dumps(compiled.to_json())),
        "state": {name: blocks.tensor(tensor) for name, tensor in world.state.fields().items()},
        "avatars": [asdict(avatar) for avatar in world.avatars.values()],
        "readings": world.readings,
        "generators": {name: blocks.tensor(generator.get_state()) for name, generator in world.generators.items()},
        "extra": {name: blocks.bytes(value) for name, value in world.extra.items()},
    }
    text = json.dumps(header, allow_nan=False).encode()
    body = b"".join([_LENGTH.pack(len(text)), text, *blocks.parts])
    return _PREFIX.pack(MAGIC, VERSION, hashlib.sha256(body).digest()) + body


def load(data: bytes, device: torch.device | str = "cpu", *, layout: Layout | None = None) -> World:
    """Returns the world that a snapshot holds.

    Args:
        data: What `save` returned.
        device: Where the tensors go.
        layout: The layout, if it is at hand; taken if its hash is the snapshot's, else the graph is compiled.

    Raises:
        SnapshotError: The bytes are no snapshot, damaged, or of a version that this program does not know.
    """
    body = _checked(data)
    try:
        return _restored(body, device, layout)
    except SnapshotError:
        raise
    except _MEANINGLESS as error:
        raise SnapshotError(f"the snapshot does not describe a world: {error}") from error


def _checked(data: bytes) -> memoryview:
    """Returns what follows the prefix, once it has proved to be undamaged."""
    if len(data) < _PREFIX.size or data[:4] != MAGIC:
        raise SnapshotError(f"these {len(data)} bytes are no snapshot; one begins with {MAGIC.decode()}")
    _, version, checksum = _PREFIX.unpack_from(data)
    if version != VERSION:
        raise SnapshotError(f"the snapshot is of version {version}; this program reads version {VERSION}")
    body = memoryview(data)[_PREFIX.size :]
    if hashlib.sha256(body).digest() != checksum:
        raise SnapshotError("the snapshot is damaged: its checksum is wrong")
    return body


def _restored(body: memoryview, device: torch.device | str, layout: Layout | None) -> World:
    (length,) = _LENGTH.unpack_from(body)
    start = _LENGTH.size + length
    header: Any = parsed(bytes(body[_LENGTH.size : start]), "the snapshot's header")
    blocks = _Reader(body[start:])
    graph = SceneGraph.from_json(parsed(blocks.bytes(header["graph"]), "the snapshot's graph"))
    stale = header["compiled_graph"]
    compiled = None if stale is None else SceneGraph.from_json(parsed(blocks.bytes(stale), "the snapshot's graph"))
    if layout is None or layout.hash != header["layout"]:
        layout = compile_layout(graph if compiled is None else compiled, cell_m=header["cell_m"], device=device)
    if layout.hash != header["layout"]:
        raise SnapshotError("the snapshot was made by a program that compiles its graph to another layout")
    columns = {name: blocks.tensor(entry) for name, entry in header["state"].items()}
    worlds, slots = columns["alive"].shape
    world = World(graph, worlds=worlds, slots=slots, seed=header["seed"], layout=layout, device=device)
    world.compiled_graph = compiled
    _fill(world.state, columns)
    for entry in header["avatars"]:
        world.enrol_again(Avatar(**entry))
    world.readings = {
        node: {field: (value, unit) for field, (value, unit) in fields.items()}
        for node, fields in header["readings"].items()
    }
    world.generators = {name: _generator(blocks.tensor(entry)) for name, entry in header["generators"].items()}
    world.extra = {name: blocks.bytes(entry) for name, entry in header["extra"].items()}
    return world


def _fill(state: State, columns: Mapping[str, Tensor]) -> None:
    for name, tensor in state.fields().items():
        if name in OF_PAIRS and name not in columns:
            continue
        stored = columns[name]
        if stored.shape != tensor.shape or stored.dtype != tensor.dtype:
            raise SnapshotError(f"column {name!r} of the snapshot is {tuple(stored.shape)}, not {tuple(tensor.shape)}")
        tensor.copy_(stored)


def _generator(state: Tensor) -> torch.Generator:
    generator = torch.Generator()
    generator.set_state(state)
    return generator


class _Writer:
    """Collects compressed blocks and returns where each one is."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self._end = 0

    def bytes(self, value: bytes) -> dict[str, Any]:
        packed = zlib.compress(value, 1)
        entry = {"start": self._end, "packed": len(packed), "size": len(value)}
        self.parts.append(packed)
        self._end += len(packed)
        return entry

    def text(self, value: str) -> dict[str, Any]:
        return self.bytes(value.encode())

    def tensor(self, value: Tensor) -> dict[str, Any]:
        array = value.detach().cpu().contiguous().numpy()
        little = array.astype(array.dtype.newbyteorder("<"), copy=False)
        return {"dtype": little.dtype.str, "shape": list(array.shape), **self.bytes(little.tobytes())}


class _Reader:
    """Unpacks blocks, never more than they announce and never more than `MAX_BYTES` in all."""

    def __init__(self, body: memoryview) -> None:
        self._body = body
        self._left = MAX_BYTES

    def bytes(self, entry: Mapping[str, int]) -> bytes:
        start, packed, size = entry["start"], entry["packed"], entry["size"]
        self._left -= size
        if not (0 <= start <= start + packed <= len(self._body) and size >= 0 <= self._left):
            raise SnapshotError(f"the snapshot announces a block of {size} bytes that it does not hold")
        unpack = zlib.decompressobj()
        raw = unpack.decompress(self._body[start : start + packed], size + 1)
        if len(raw) != size:
            raise SnapshotError(f"the snapshot announces a block of {size} bytes that it does not hold")
        return raw

    def tensor(self, entry: Mapping[str, Any]) -> Tensor:
        array = np.frombuffer(self.bytes(entry), np.dtype(entry["dtype"])).reshape(entry["shape"])
        return torch.from_numpy(array.astype(array.dtype.newbyteorder("="), copy=True))
