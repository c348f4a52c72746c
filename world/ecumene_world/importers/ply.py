"""PLY: ascii and binary, either byte order; the vertex element's x, y, z and colours are read.

Source: Turk, "The PLY polygon file format", 1994.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecumene_world.errors import ImportFailed, TooLarge
from ecumene_world.importers.points import MAX_POINTS, Points, colours_of

_HEADER_MAX: Final = 1 << 16
_TYPES: Final = {
    "char": "i1",
    "int8": "i1",
    "uchar": "u1",
    "uint8": "u1",
    "short": "i2",
    "int16": "i2",
    "ushort": "u2",
    "uint16": "u2",
    "int": "i4",
    "int32": "i4",
    "uint": "u4",
    "uint32": "u4",
    "float": "f4",
    "float32": "f4",
    "double": "f8",
    "float64": "f8",
}
_ALIASES: Final = {"r": "red", "g": "green", "b": "blue", "diffuse_red": "red", "diffuse_green": "green"}
_ORDERS: Final = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}


@dataclass(slots=True)
class _Element:
    """One table of the file: its rows and columns; `plain` is false if it has list columns."""

    name: str
    count: int
    columns: list[tuple[str, str]]
    plain: bool = True


def read_ply(path: Path) -> Points:
    """Returns the points of a file.

    Raises:
        ImportFailed: It is no PLY file, is cut short, or has no coordinates.
        TooLarge: It promises more than `MAX_POINTS` points.
    """
    data = path.read_bytes()
    order, elements, start = _header(data, path.name)
    at = start
    for element in elements:
        if element.name == "vertex":
            break
        at = _skipped(data, at, element, order, path.name)
    else:
        raise ImportFailed(f"{path.name} has no element named vertex")
    if not element.plain:
        raise ImportFailed(f"{path.name} has vertices with list properties, which are not read")
    columns = _text(data[at:], element, path.name) if not order else _binary(data, at, element, order, path.name)
    if not {"x", "y", "z"} <= columns.keys():
        raise ImportFailed(f"{path.name} has vertices without x, y and z")
    xyz = np.stack([np.asarray(columns[axis], np.float64) for axis in "xyz"], 1)
    return Points(xyz, colours_of(columns))


def _header(data: bytes, name: str) -> tuple[str, list[_Element], int]:
    """Returns the byte order ("" for ascii), the elements and where the data start."""
    end = data.find(b"end_header", 0, _HEADER_MAX)
    if not data.startswith(b"ply") or end < 0:
        raise ImportFailed(f"{name} is not a PLY file: no header was found")
    newline = data.find(b"\n", end)
    lines = data[:end].decode("ascii", "replace").splitlines()
    order, elements = None, list[_Element]()
    for words in (line.split() for line in lines[1:]):
        if not words or words[0] in {"comment", "obj_info"}:
            continue
        if words[0] == "format" and len(words) >= 2:
            order = _ORDERS.get(words[1])
        elif words[0] == "element" and len(words) == 3 and words[2].isdigit() and len(words[2]) < 13:
            elements.append(_Element(words[1], int(words[2]), []))
        elif words[0] == "property" and elements and len(words) >= 3:
            _add_property(elements[-1], words, name)
        else:
            raise ImportFailed(f"{name} has a header line that can't be read: {' '.join(words)[:60]!r}")
    if order is None or newline < 0:
        raise ImportFailed(f"{name} has no format of PLY; {', '.join(_ORDERS)} are read")
    for element in elements:
        if element.count > MAX_POINTS:
            raise TooLarge(f"{name} promises {element.count} rows of {element.name[:40]}; {MAX_POINTS} is the limit")
    return order, elements, newline + 1


def _add_property(element: _Element, words: list[str], name: str) -> None:
    if words[1] == "list":
        element.plain = False
    elif words[1] in _TYPES:
        element.columns.append((_ALIASES.get(words[2].lower(), words[2].lower()), _TYPES[words[1]]))
    else:
        raise ImportFailed(f"{name} has a property of type {words[1][:20]!r}, which PLY does not know")


def _skipped(data: bytes, at: int, element: _Element, order: str, name: str) -> int:
    """Returns where the element after this one starts."""
    if not order:
        for _ in range(element.count):
            newline = data.find(b"\n", at)
            if newline < 0:
                raise ImportFailed(f"{name} is cut short before its vertices")
            at = newline + 1
        return at
    if not element.plain:
        raise ImportFailed(f"{name} has lists before its vertices, which are not read")
    return at + element.count * _dtype(element, order, name).itemsize


def _binary(data: bytes, at: int, element: _Element, order: str, name: str) -> dict[str, NDArray[np.generic]]:
    dtype = _dtype(element, order, name)
    if len(data) - at < element.count * dtype.itemsize:
        held = max(0, len(data) - at) // max(dtype.itemsize, 1)
        raise ImportFailed(f"{name} is cut short: {element.count} points are promised, {held} are there")
    table = np.frombuffer(data, dtype, element.count, at)
    return {column: table[column] for column, _ in element.columns}


def _dtype(element: _Element, order: str, name: str) -> np.dtype[np.void]:
    names = [column for column, _ in element.columns]
    if len(set(names)) != len(names) or not names:
        raise ImportFailed(f"{name} has no or twice the same property in its element {element.name[:40]}")
    return np.dtype([(column, order + kind) for column, kind in element.columns])


def _text(body: bytes, element: _Element, name: str) -> dict[str, NDArray[np.generic]]:
    lines = body.split(b"\n", element.count)[: element.count]
    width = len(element.columns)
    words = b" ".join(lines).split()
    if len(lines) < element.count or len(words) != element.count * width:
        raise ImportFailed(f"{name} is cut short: {element.count} points of {width} numbers are promised")
    try:
        table = np.array(words, dtype=np.float64).reshape(element.count, width)
    except ValueError as error:
        raise ImportFailed(f"{name} has a point that is not written in numbers") from error
    integers = {column for column, kind in element.columns if kind[0] in "iu"}
    columns = {column: table[:, n] for n, (column, _) in enumerate(element.columns)}
    return {c: (np.nan_to_num(v).astype(np.int64) if c in integers else v) for c, v in columns.items()}
