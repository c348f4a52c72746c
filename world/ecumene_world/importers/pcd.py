"""PCD: ascii, binary and binary_compressed point clouds.

Source: "The PCD (Point Cloud Data) file format", Point Cloud Library, version 0.7; LZF as in Lehmann's liblzf.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecumene_world.errors import ImportFailed, TooLarge
from ecumene_world.importers.points import MAX_BYTES, MAX_POINTS, Points, colours_of

_HEADER_MAX: Final = 1 << 16
_KEYS: Final = {"VERSION", "FIELDS", "SIZE", "TYPE", "COUNT", "WIDTH", "HEIGHT", "VIEWPOINT", "POINTS", "DATA"}
_KINDS: Final = {"I": "i", "U": "u", "F": "f"}
Columns = dict[str, NDArray[np.generic]]


def read_pcd(path: Path) -> Points:
    """Returns the points of a file.

    Raises:
        ImportFailed: It is no PCD file, is cut short, damaged or has no coordinates.
        TooLarge: It promises more than `MAX_POINTS` points.
    """
    data = path.read_bytes()
    header, start = _header(data, path.name)
    dtype = _row_type(header, path.name)
    count = _count(header, path.name)
    kind = " ".join(header["DATA"])
    if kind == "ascii":
        columns = _text(data[start:], dtype, count, path.name)
    elif kind == "binary":
        columns = _rows(data[start:], dtype, count, path.name)
    elif kind == "binary_compressed":
        columns = _compressed(data[start:], dtype, count, path.name)
    else:
        raise ImportFailed(f"{path.name} has data of kind {kind[:30]!r}; ascii, binary, binary_compressed are read")
    if not {"x", "y", "z"} <= columns.keys():
        raise ImportFailed(f"{path.name} has no fields x, y and z")
    xyz = np.stack([np.asarray(columns[axis], np.float64).reshape(count, -1)[:, 0] for axis in "xyz"], 1)
    return Points(xyz, colours_of(_unpacked(columns)))


def decompressed(data: bytes, size: int) -> bytes:
    """Returns LZF-compressed bytes as they were.

    Args:
        data: What was compressed.
        size: Length of the original; more is never produced.

    Raises:
        ImportFailed: The data are damaged.
    """
    out, at, end = bytearray(), 0, len(data)
    while at < end and len(out) <= size:
        control = data[at]
        at += 1
        if control < 32:
            out += data[at : at + control + 1]
            at += control + 1
            continue
        length = control >> 5
        if length == 7 and at < end:
            length += data[at]
            at += 1
        if at >= end:
            break
        back = len(out) - ((control & 31) << 8) - data[at] - 1
        at += 1
        if back < 0:
            raise ImportFailed("compressed points are damaged: they refer to bytes before their beginning")
        length += 2
        if back + length <= len(out):
            out += out[back : back + length]
        else:
            piece = bytes(out[back:])
            out += (piece * (length // len(piece) + 1))[:length]
    if len(out) != size:
        raise ImportFailed(f"compressed points are damaged: {len(out)} bytes come out where {size} are promised")
    return bytes(out)


def _header(data: bytes, name: str) -> tuple[dict[str, list[str]], int]:
    """Returns the header's words by key and where the data start."""
    header: dict[str, list[str]] = {}
    at = 0
    while at < min(len(data), _HEADER_MAX):
        newline = data.find(b"\n", at)
        if newline < 0:
            break
        words = data[at:newline].decode("ascii", "replace").split("#")[0].split()
        at = newline + 1
        if words and words[0] in _KEYS:
            header[words[0]] = words[1:]
        elif words:
            break
        if words and words[0] == "DATA":
            return header, at
    raise ImportFailed(f"{name} is not a PCD file: no header was found")


def _row_type(header: dict[str, list[str]], name: str) -> np.dtype[np.void]:
    """Returns the type of a row, little endian."""
    fields = [field.lower() for field in header.get("FIELDS", [])]
    sizes, kinds = header.get("SIZE", []), header.get("TYPE", [])
    counts = header.get("COUNT", ["1"] * len(fields))
    if not fields or not len(fields) == len(sizes) == len(kinds) == len(counts) or len(fields) > 200:
        raise ImportFailed(f"{name} has {len(fields)} fields, {len(sizes)} sizes and {len(kinds)} types")
    columns = []
    for n, (field, size, kind, many) in enumerate(zip(fields, sizes, kinds, counts, strict=True)):
        known = kind in _KINDS and size in {"1", "2", "4", "8"} and (kind != "F" or size in {"4", "8"})
        if not known or not many.isdigit() or not 1 <= int(many) <= 4096 or len(many) > 4:
            raise ImportFailed(f"{name} has a field {field[:30]!r} of type {kind[:10]}, size {size[:10]}")
        label = f"_{n}" if field == "_" or fields.index(field) != n else field
        columns.append((label, f"<{_KINDS[kind]}{size}", (int(many),)))
    return np.dtype(columns)


def _count(header: dict[str, list[str]], name: str) -> int:
    """Returns how many points are promised."""
    words = header.get("POINTS") or ["?"]
    if not words[0].isdigit() or len(words[0]) > 12:
        wide, high = header.get("WIDTH", ["?"]), header.get("HEIGHT", ["1"])
        if not (wide[0].isdigit() and high[0].isdigit() and len(wide[0] + high[0]) < 14):
            raise ImportFailed(f"{name} does not say how many points it has")
        words = [str(int(wide[0]) * int(high[0]))]
    count = int(words[0])
    if count > MAX_POINTS:
        raise TooLarge(f"{name} promises {count} points; {MAX_POINTS} is the limit")
    return count


def _rows(data: bytes, dtype: np.dtype[np.void], count: int, name: str) -> Columns:
    if len(data) < count * dtype.itemsize:
        held = len(data) // dtype.itemsize
        raise ImportFailed(f"{name} is cut short: {count} points are promised, {held} are there")
    table = np.frombuffer(data, dtype, count)
    return {field: table[field] for field in dtype.names or ()}


def _compressed(data: bytes, dtype: np.dtype[np.void], count: int, name: str) -> Columns:
    """Returns the columns of compressed data, which stand one after another."""
    if len(data) < 8:
        raise ImportFailed(f"{name} is cut short: its compressed points are missing")
    packed, size = struct.unpack_from("<II", data)
    if size != count * dtype.itemsize or size > MAX_BYTES:
        raise ImportFailed(f"{name} promises {count} points of {dtype.itemsize} bytes, but {size} bytes of them")
    if len(data) - 8 < packed:
        raise ImportFailed(f"{name} is cut short: {packed} compressed bytes are promised, {len(data) - 8} are there")
    flat = decompressed(data[8 : 8 + packed], size)
    columns: Columns = {}
    at = 0
    for field in dtype.names or ():
        kind = dtype[field]
        columns[field] = np.frombuffer(flat, kind.base, count * kind.itemsize // kind.base.itemsize, at).reshape(
            count, -1
        )
        at += count * kind.itemsize
    return columns


def _text(data: bytes, dtype: np.dtype[np.void], count: int, name: str) -> Columns:
    width = sum(int(np.prod(dtype[field].shape)) for field in dtype.names or ())
    words = data.split()
    if len(words) < count * width:
        raise ImportFailed(f"{name} is cut short: {count} points of {width} numbers are promised")
    try:
        table = np.array(words[: count * width], dtype=np.float64).reshape(count, width)
    except ValueError as error:
        raise ImportFailed(f"{name} has a point that is not written in numbers") from error
    columns: Columns = {}
    at = 0
    for field in dtype.names or ():
        many = int(np.prod(dtype[field].shape))
        columns[field] = table[:, at : at + many]
        at += many
    packed = "rgb" if "rgb" in columns else "rgba"
    if packed in columns and dtype[packed].base.kind == "f":
        columns[packed] = columns[packed].astype(np.float32)
    elif packed in columns:
        columns[packed] = np.nan_to_num(columns[packed]).clip(0, 2**32 - 1).astype(np.uint32)
    return columns


def _unpacked(columns: Columns) -> Columns:
    """Returns columns red, green and blue from a packed field rgb or rgba, whose bits are 0xAARRGGBB."""
    packed = next((field for field in ("rgb", "rgba") if field in columns), None)
    if packed is None or columns[packed].dtype.itemsize != 4:
        single = {c: columns[c].reshape(-1) for c in ("red", "green", "blue", "r", "g", "b") if c in columns}
        long = {"r": "red", "g": "green", "b": "blue"}
        return {long.get(name, name): values for name, values in single.items()}
    bits = np.ascontiguousarray(columns[packed]).reshape(-1).view(np.uint32)
    shifts = {"red": 16, "green": 8, "blue": 0}
    return {name: ((bits >> shift) & 255).astype(np.uint8) for name, shift in shifts.items()}
