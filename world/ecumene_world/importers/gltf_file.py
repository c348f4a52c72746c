"""Reading glTF 2.0 files strictly: every index, length and number is checked before it is used.

Source: Khronos glTF 2.0 specification; sections 3.6 (buffers and accessors), 3.7 (geometry) and 4.4 (GLB).
"""

from __future__ import annotations

import base64
import binascii
import json
import struct
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecumene_world.errors import ImportFailed, TooLarge

Json = dict[str, Any]

MAX_BYTES: Final = 256 << 20
MAX_NODES: Final = 50_000
MAX_VALUES: Final = 60_000_000
"""Numbers read from accessors of one file, all together."""
_DTYPES: Final = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS: Final = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
_READABLE: Final = {"EXT_mesh_gpu_instancing", "KHR_mesh_quantization", "KHR_texture_transform", "KHR_lights_punctual"}
"""Extensions that a file may require; materials of any kind may be required too, since only colours are read."""
_GLB: Final = b"glTF"
_JSON_CHUNK: Final = 0x4E4F534A
_BIN_CHUNK: Final = 0x004E4942


class GltfFile:
    """A parsed file: its JSON document and its binary buffers.

    Attributes:
        document: The JSON object.
        name: File name, for messages.
    """

    def __init__(self, path: Path) -> None:
        """Reads a file.

        Raises:
            ImportFailed: It is no glTF 2.0 file, is damaged or needs an extension that is not read.
            TooLarge: It, or a file it refers to, is larger than `MAX_BYTES`.
        """
        self.name = path.name
        self._folder = path.resolve().parent
        data = _bytes_of(path)
        text, self._binary = _glb(data, self.name) if data[:4] == _GLB else (data, b"")
        try:
            document = json.loads(text, parse_constant=self._refused)
        except (ValueError, RecursionError) as error:
            raise ImportFailed(f"{self.name} is not glTF: its JSON can't be read") from error
        if not isinstance(document, dict):
            raise ImportFailed(f"{self.name} is not glTF: its JSON is no object")
        self.document: Json = document
        self._check_version()
        self._buffers: dict[int, bytes] = {}
        self._left = MAX_VALUES

    def entries(self, group: str) -> list[Json]:
        """Returns a top-level array of objects, empty if it is missing."""
        found = self.document.get(group, [])
        if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
            raise ImportFailed(f"{self.name}: {group} is not a list of objects")
        return found

    def entry(self, group: str, index: Any) -> Json:
        """Returns one object of a top-level array.

        Raises:
            ImportFailed: The index points nowhere.
        """
        found = self.entries(group)
        if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < len(found):
            raise ImportFailed(
                f"{self.name}: {group} has {len(found)} entries; index {str(index)[:40]} is none of them"
            )
        return found[index]

    def accessor(self, index: Any, shape: str) -> NDArray[np.generic]:
        """Returns an accessor's values: (N, width) numbers, normalised integers as floats.

        Args:
            index: Of the accessor.
            shape: Its type, such as `VEC3`.

        Raises:
            ImportFailed: It is of another type, reaches beyond its buffer, is sparse or holds a number that is not
                finite.
            TooLarge: The file's accessors hold more than `MAX_VALUES` numbers.
        """
        entry = self.entry("accessors", index)
        if entry.get("type") != shape:
            raise ImportFailed(
                f"{self.name}: accessor {index} is {str(entry.get('type'))[:20]}; {shape} is needed here"
            )
        if "sparse" in entry:
            raise ImportFailed(f"{self.name}: accessor {index} is sparse, which is not read")
        component = entry.get("componentType")
        if component not in _DTYPES:
            raise ImportFailed(f"{self.name}: accessor {index} has component type {str(component)[:20]}")
        dtype, count = np.dtype(_DTYPES[component]), self._count(entry, "count", f"accessor {index}")
        width = _WIDTHS[shape]
        self._left -= count * width
        if self._left < 0:
            raise TooLarge(f"{self.name} holds more than {MAX_VALUES} numbers")
        rows = self._rows(entry, index, dtype, count, width)
        if dtype.kind == "f" and not np.isfinite(rows).all():
            raise ImportFailed(f"{self.name}: accessor {index} holds a number that is not finite")
        return _normalised(rows) if entry.get("normalized") is True and dtype.kind in "iu" else rows

    def _rows(self, entry: Json, index: Any, dtype: np.dtype[Any], count: int, width: int) -> NDArray[np.generic]:
        """Returns raw values (N, width), a copy."""
        if "bufferView" not in entry:
            return np.zeros((count, width), dtype)
        view = self.entry("bufferViews", entry["bufferView"])
        buffer = self._buffer(view.get("buffer"))
        what = f"accessor {index}"
        start = self._count(view, "byteOffset", what, 0) + self._count(entry, "byteOffset", what, 0)
        end = self._count(view, "byteOffset", what, 0) + self._count(view, "byteLength", what)
        row = dtype.itemsize * width
        stride = self._count(view, "byteStride", what, row) or row
        if stride < row or stride > 252 + row:
            raise ImportFailed(f"{self.name}: {what} has rows of {row} bytes at a stride of {stride}")
        needed = start + stride * (count - 1) + row if count else start
        if needed > end or end > len(buffer):
            raise ImportFailed(f"{self.name}: {what} reaches beyond its buffer of {len(buffer)} bytes")
        if not count:
            return np.zeros((0, width), dtype)
        flat = np.frombuffer(buffer, np.uint8, needed - start, start)
        columns = np.lib.stride_tricks.as_strided(flat, (count, row), (stride, 1))
        return np.ascontiguousarray(columns).view(dtype).reshape(count, width)

    def _buffer(self, index: Any) -> bytes:
        """Returns the bytes of a buffer: the GLB's own, a data URI or a file beside this one."""
        entry = self.entry("buffers", index)
        if index in self._buffers:
            return self._buffers[index]
        uri = entry.get("uri")
        if uri is None:
            data = self._binary
        elif isinstance(uri, str) and uri.startswith("data:"):
            data = self._data_uri(uri)
        else:
            data = _bytes_of(self._beside(uri))
        length = self._count(entry, "byteLength", f"buffer {index}")
        if len(data) < length:
            raise ImportFailed(f"{self.name}: buffer {index} has {len(data)} bytes; {length} are promised")
        self._buffers[index] = data[:length]
        return self._buffers[index]

    def _data_uri(self, uri: str) -> bytes:
        head, _, body = uri.partition(",")
        if not head.endswith(";base64"):
            raise ImportFailed(f"{self.name}: a data URI is not base64")
        try:
            return base64.b64decode(body, validate=True)
        except (binascii.Error, ValueError) as error:
            raise ImportFailed(f"{self.name}: a data URI is damaged") from error

    def _beside(self, uri: Any) -> Path:
        """Returns the path of a file that lies beside this one, or below."""
        if not isinstance(uri, str) or not uri or "\\" in uri or "%" in uri or ":" in uri or "\0" in uri:
            raise ImportFailed(f"{self.name}: buffer file {str(uri)[:80]!r} is no plain name of a file beside it")
        path = (self._folder / uri).resolve()
        if not path.is_relative_to(self._folder):
            raise ImportFailed(f"{self.name}: buffer file {uri[:80]!r} lies outside of the file's folder")
        return path

    def _count(self, entry: Json, key: str, what: str, otherwise: int | None = None) -> int:
        value = entry.get(key, otherwise)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 40:
            raise ImportFailed(f"{self.name}: {key} of {what} is {str(value)[:40]}; a whole number from 0 on is needed")
        return value

    def _check_version(self) -> None:
        asset = self.document.get("asset")
        version = asset.get("version") if isinstance(asset, dict) else None
        if not isinstance(version, str) or not version.startswith("2."):
            raise ImportFailed(f"{self.name} is not glTF 2.0: its version is {str(version)[:20]}")
        required = self.document.get("extensionsRequired", [])
        if not isinstance(required, list):
            raise ImportFailed(f"{self.name}: extensionsRequired is not a list")
        for extension in required:
            if extension not in _READABLE and not str(extension).startswith("KHR_materials_"):
                raise ImportFailed(f"{self.name} needs the extension {str(extension)[:60]}, which is not read")
        if len(self.entries("nodes")) > MAX_NODES:
            raise TooLarge(f"{self.name} has {len(self.entries('nodes'))} nodes; {MAX_NODES} is the limit")

    def _refused(self, constant: str) -> float:
        raise ImportFailed(f"{self.name}: a number is {constant}; finite numbers are needed")


def _bytes_of(path: Path) -> bytes:
    """Returns a file's bytes."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise TooLarge(f"{path.name} has {size} bytes; {MAX_BYTES} is the limit")
        return path.read_bytes()
    except OSError as error:
        raise ImportFailed(f"{path.name} can't be read: {error.strerror or error}") from error


def _glb(data: bytes, name: str) -> tuple[bytes, bytes]:
    """Returns the JSON and the binary chunk of a GLB."""
    if len(data) < 20:
        raise ImportFailed(f"{name} is cut short: a GLB has at least 20 bytes, this has {len(data)}")
    _, version, length = struct.unpack_from("<4sII", data)
    if version != 2:
        raise ImportFailed(f"{name} is GLB version {version}; 2 is read")
    if length > len(data):
        raise ImportFailed(f"{name} is cut short: {length} bytes are promised, {len(data)} are there")
    text, binary, at = b"", b"", 12
    while at + 8 <= length:
        size, kind = struct.unpack_from("<II", data, at)
        if at + 8 + size > length:
            raise ImportFailed(f"{name} is damaged: a chunk of {size} bytes reaches beyond its end")
        body = data[at + 8 : at + 8 + size]
        if at == 12 and kind != _JSON_CHUNK:
            raise ImportFailed(f"{name} is damaged: its first chunk is not JSON")
        if kind == _JSON_CHUNK and not text:
            text = body
        elif kind == _BIN_CHUNK and not binary:
            binary = body
        at += 8 + size
    return text, binary


def _normalised(rows: NDArray[np.generic]) -> NDArray[np.generic]:
    """Returns integers as floats in 0..1, or -1..1 if they are signed."""
    most = {1: 127, 2: 32767, 4: 2**31 - 1}[rows.dtype.itemsize]
    most = most if rows.dtype.kind == "i" else 2 * most + 1
    return np.maximum(rows.astype(np.float64) / most, -1.0)
