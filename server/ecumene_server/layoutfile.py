r"""Compiled layouts in files: what takes seconds to compile is mapped into memory in milliseconds, by many processes.

Little endian::

    magic "ECLAY\0\0\1"  sha256 of all that follows  u32 length  header (JSON)  zeros up to a multiple of 64
    the tensors one after the other, each padded with zeros to a multiple of 64 bytes

The header holds everything of `Layout` that is no tensor, and name, dtype, shape and place of each tensor. A file is
written under another name first, so a reader never sees half of one.
"""

from __future__ import annotations

import hashlib
import json
import struct
import threading
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from ecumene_world.layout import Layout

MAGIC: Final = b"ECLAY\0\0\1"
PREFIX: Final = struct.Struct("<8s32sI")
ALIGN: Final = 64
_PLAIN: Final = ("hash", "graph_hash", "asked_cell_m", "names", "depth_start", "cell_m", "origin", "place_role")


def write(layout: Layout, path: Path, made_by: str = "") -> None:
    """Keeps a layout in a file, replacing the one that is there.

    Args:
        layout: What is kept.
        path: Where.
        made_by: Names the program that compiled it.

    Raises:
        OSError: The file can't be written.
    """
    entries, parts, end = {}, [], 0
    for name, tensor in layout.tensors().items():
        array = np.ascontiguousarray(tensor.detach().cpu().numpy())
        entries[name] = {"dtype": array.dtype.newbyteorder("<").str, "shape": list(array.shape), "start": end}
        parts.append(_padded(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()))
        end += len(parts[-1])
    plain = {"made_by": made_by, **{name: getattr(layout, name) for name in _PLAIN}}
    tables = {"thing_index": dict(layout.thing_index), "place_index": dict(layout.place_index)}
    text = json.dumps({**plain, **tables, "unreachable": layout.unreachable, "tensors": entries}).encode()
    text += b" " * (-(PREFIX.size + len(text)) % ALIGN)
    body = b"".join([text, *parts])
    draft = path.with_suffix(f".{threading.get_ident()}")
    draft.write_bytes(PREFIX.pack(MAGIC, hashlib.sha256(body).digest(), len(text)) + body)
    draft.replace(path)


def keep(layout: Layout, path: Path, made_by: str = "") -> None:
    """Does as `write` unless the file holds that layout already.

    Raises:
        OSError: The file can't be written.
    """
    kept = read(path, made_by)
    if kept is None or kept.hash != layout.hash:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(layout, path, made_by)


def hash_of(path: Path) -> str | None:
    """Returns the hash of the layout in a file, which may be damaged; None if there is no such file."""
    try:
        with path.open("rb") as file:
            magic, _, length = PREFIX.unpack(file.read(PREFIX.size))
            return str(json.loads(file.read(length))["hash"]) if magic == MAGIC else None
    except (OSError, struct.error):
        return None


def read(path: Path, made_by: str | None = None) -> Layout | None:
    """Returns the layout in a file on the CPU, None if there is no file, or none that this program wrote undamaged.

    Its tensors lie in the file itself, shared with all who read it; writing to them changes this process's copy only.

    Args:
        path: Where.
        made_by: Under which name it must have been written; None takes any.
    """
    try:
        data = np.memmap(path, np.uint8, "c")
    except (OSError, ValueError):
        return None
    if len(data) < PREFIX.size:
        return None
    magic, checksum, length = PREFIX.unpack(data[: PREFIX.size].tobytes())
    if magic != MAGIC or hashlib.sha256(data[PREFIX.size :].data).digest() != checksum:
        return None
    header = json.loads(data[PREFIX.size : PREFIX.size + length].tobytes())
    if made_by not in (None, header.pop("made_by", None)):
        return None
    if set(header) - {"tensors"} | set(header["tensors"]) != {field.name for field in fields(Layout)} - {"row"}:
        return None
    start = PREFIX.size + length
    tensors: dict[str, Any] = {name: _tensor(data[start:], entry) for name, entry in header.pop("tensors").items()}
    for name in ("names", "depth_start", "origin", "place_role", "unreachable"):
        header[name] = tuple(header[name])
    return Layout(row={name: row for row, name in enumerate(header["names"])}, **header, **tensors)


def _tensor(data: np.ndarray[Any, Any], entry: dict[str, Any]) -> torch.Tensor:
    dtype = np.dtype(entry["dtype"])
    size = int(np.prod(entry["shape"])) * dtype.itemsize
    view = data[entry["start"] : entry["start"] + size].view(dtype).reshape(entry["shape"])
    return torch.from_numpy(np.asarray(view))


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % ALIGN)
