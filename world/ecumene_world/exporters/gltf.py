"""Binary glTF 2.0 (GLB), written with `json` and `struct` alone.

`GlbWriter` speaks glTF: y up, quaternions xyzw. Meshes of ours are converted when added; `points_y_up` and
`rotations_y_up` convert everything else from the world's z up, wxyz.

Source: Khronos glTF 2.0 specification, sections 3.6 (buffers), 4.4 (GLB); EXT_mesh_gpu_instancing.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecumene_world.assets.mesh import Mesh

Json = dict[str, Any]
Shape = Literal["SCALAR", "VEC2", "VEC3", "VEC4", "MAT4"]
Path = Literal["translation", "rotation", "scale"]

_COMPONENT: Final = {"i1": 5120, "u1": 5121, "i2": 5122, "u2": 5123, "u4": 5125, "f4": 5126}
_WIDTH: Final = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
_ARRAY_BUFFER: Final = 34962
_ELEMENT_ARRAY_BUFFER: Final = 34963
_INSTANCING: Final = "EXT_mesh_gpu_instancing"


@dataclass(frozen=True, slots=True)
class Channel:
    """One animated property of one node.

    Attributes:
        node: Node index.
        path: What moves.
        times_s: (K,) rising seconds.
        values: (K, 3), or (K, 4) unit quaternions xyzw for a rotation.
    """

    node: int
    path: Path
    times_s: NDArray[np.float32]
    values: NDArray[np.float32]


class GlbWriter:
    """Collects meshes, nodes, skins and animations; `to_bytes` writes them as one GLB."""

    def __init__(self, generator: str = "Ecumene") -> None:
        self._json: dict[str, list[Any]] = {}
        self._asset: Json = {"version": "2.0", "generator": generator}
        self._extensions: set[str] = set()
        self._required: set[str] = set()
        self._chunks: list[bytes] = []
        self._length = 0
        self._times: dict[bytes, int] = {}
        self._flat: int | None = None
        self._roots: list[int] = []
        self._scene: Json = {}

    def accessor(
        self,
        values: ArrayLike,
        shape: Shape,
        *,
        indices: bool = False,
        vertex: bool = False,
        bounds: bool = False,
        normalised: bool = False,
    ) -> int:
        """Stores an array and returns its accessor's index.

        Args:
            values: (N, width) in a dtype of glTF: i1, u1, i2, u2, u4 or f4. Rows must be a multiple of 4 bytes if
                `vertex`, as the specification asks.
            shape: What a row is.
            indices: Rows are vertex indices.
            vertex: Rows are a vertex attribute.
            bounds: Also state the least and greatest of each column (needed for POSITION and animation input).
            normalised: Integers stand for 0..1 or -1..1.
        """
        array = np.ascontiguousarray(values)
        rows = array.reshape(-1, _WIDTH[shape])
        view: Json = {"buffer": 0, "byteOffset": self._append(array.tobytes()), "byteLength": array.nbytes}
        if indices or vertex:
            view["target"] = _ELEMENT_ARRAY_BUFFER if indices else _ARRAY_BUFFER
        entry: Json = {
            "bufferView": self._add("bufferViews", view),
            "componentType": _COMPONENT[array.dtype.str[1:]],
            "count": len(rows),
            "type": shape,
        }
        if bounds:
            entry |= {"min": rows.min(0).tolist(), "max": rows.max(0).tolist()}
        if normalised:
            entry["normalized"] = True
        return self._add("accessors", entry)

    def material(
        self,
        name: str,
        colour: Sequence[int] = (255, 255, 255),
        *,
        roughness: float = 0.9,
        metallic: float = 0.0,
        double_sided: bool = False,
        extras: Mapping[str, Any] | None = None,
    ) -> int:
        """Adds a material with an sRGB base colour 0..255, which multiplies vertex colours; returns its index."""
        base = [*np.round(linear(np.asarray(colour[:3], np.uint8)), 5).tolist(), 1.0]
        pbr = {"baseColorFactor": base, "metallicFactor": metallic, "roughnessFactor": roughness}
        entry: Json = {"name": name, "pbrMetallicRoughness": pbr, "doubleSided": double_sided}
        return self._add("materials", entry | _optional(extras=dict(extras) if extras else None))

    def add_mesh(self, mesh: Mesh, name: str = "", material: int | None = None) -> int:
        """Adds a mesh of ours with vertex colours and without normals, which glTF draws flat; returns its index.

        Args:
            mesh: At least one face; metres, z up.
            name: Shown by editors.
            material: A material's index; None takes a shared matt white one that lets vertex colours through.
        """
        if material is None:
            if self._flat is None:
                self._flat = self.material("flat")
            material = self._flat
        vertices, colours, faces = _welded(mesh)
        attributes = {
            "POSITION": self.accessor(points_y_up(vertices), "VEC3", vertex=True, bounds=True),
            "COLOR_0": self.accessor(_colour_rows(colours), "VEC4", vertex=True, normalised=True),
        }
        return self.add_primitives(
            [{"attributes": attributes, "indices": self.index_accessor(faces), "material": material}], name
        )

    def index_accessor(self, faces: ArrayLike) -> int:
        """Stores (F, 3) vertex indices in the narrowest type that holds them; returns the accessor's index."""
        corners = np.asarray(faces).reshape(-1)
        narrow = corners.size == 0 or int(corners.max()) < 65535
        return self.accessor(corners.astype(np.uint16 if narrow else np.uint32), "SCALAR", indices=True)

    def add_primitives(self, primitives: Sequence[Json], name: str = "") -> int:
        """Adds a mesh from raw glTF primitives; returns its index."""
        return self._add("meshes", _optional(name=name or None) | {"primitives": list(primitives)})

    def add_node(  # noqa: PLR0913 - a glTF node has this many properties
        self,
        name: str = "",
        *,
        mesh: int | None = None,
        skin: int | None = None,
        translation: ArrayLike | None = None,
        rotation: ArrayLike | None = None,
        scale: ArrayLike | None = None,
        children: Sequence[int] = (),
        extras: Mapping[str, Any] | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> int:
        """Adds a node and returns its index; it is drawn once it is a root, or a child of one.

        Args:
            name: Shown by editors and found by clients.
            mesh: A mesh's index.
            skin: A skin's index; needs a mesh.
            translation: (3,) metres, y up.
            rotation: (4,) unit quaternion xyzw.
            scale: (3,).
            children: Node indices, each with this one parent only.
            extras: JSON data of the application.
            extensions: JSON by extension name; `use_extension` is called for each.
        """
        for extension in extensions or {}:
            self.use_extension(extension)
        entry = _optional(
            name=name or None,
            mesh=mesh,
            skin=skin,
            translation=_numbers(translation),
            rotation=_numbers(rotation),
            scale=_numbers(scale),
            children=list(children) or None,
            extras=dict(extras) if extras else None,
            extensions=dict(extensions) if extensions else None,
        )
        return self._add("nodes", entry)

    def add_instances(
        self,
        mesh: int,
        translations: ArrayLike,
        rotations: ArrayLike | None = None,
        scales: ArrayLike | None = None,
        *,
        name: str = "",
        extras: Mapping[str, Any] | None = None,
    ) -> int:
        """Adds one node that draws a mesh N >= 1 times (EXT_mesh_gpu_instancing); returns its index.

        Args:
            mesh: A mesh's index.
            translations: (N, 3) metres, y up.
            rotations: (N, 4) unit quaternions xyzw; None for none.
            scales: (N, 3); None for none.
            name: Shown by editors and found by clients.
            extras: JSON data of the application.
        """
        self.use_extension(_INSTANCING, required=True)
        columns: dict[str, int] = {"TRANSLATION": self.accessor(np.asarray(translations, "<f4"), "VEC3")}
        if rotations is not None:
            columns["ROTATION"] = self.accessor(np.asarray(rotations, "<f4"), "VEC4")
        if scales is not None:
            columns["SCALE"] = self.accessor(np.asarray(scales, "<f4"), "VEC3")
        return self.add_node(name, mesh=mesh, extras=extras, extensions={_INSTANCING: {"attributes": columns}})

    def add_skin(self, joints: Sequence[int], inverse_binds: ArrayLike, name: str = "") -> int:
        """Adds a skin and returns its index.

        Args:
            joints: J node indices, in the order that JOINTS_0 counts them; the first is the skeleton's root.
            inverse_binds: (J, 4, 4) matrices from mesh to joint space in the pose in which the mesh was made.
            name: Shown by editors.
        """
        columns = np.asarray(inverse_binds, "<f4").transpose(0, 2, 1).reshape(-1, 16)
        entry = {"joints": list(joints), "inverseBindMatrices": self.accessor(columns, "MAT4"), "skeleton": joints[0]}
        return self._add("skins", _optional(name=name or None) | entry)

    def add_animation(self, name: str, channels: Iterable[Channel]) -> int:
        """Adds a clip of linearly interpolated channels, which share times where they are equal; returns its index."""
        samplers: list[Json] = []
        targets: list[Json] = []
        for channel in channels:
            shape: Shape = "VEC4" if channel.path == "rotation" else "VEC3"
            output = self.accessor(np.asarray(channel.values, "<f4"), shape)
            samplers.append({"input": self._time_accessor(channel.times_s), "output": output})
            targets.append({"sampler": len(samplers) - 1, "target": {"node": channel.node, "path": channel.path}})
        return self._add("animations", {"name": name, "channels": targets, "samplers": samplers})

    def use_extension(self, name: str, *, required: bool = False) -> None:
        """Lists an extension as used, or as needed to read the file at all."""
        self._extensions.add(name)
        if required:
            self._required.add(name)

    def set_scene(self, roots: Sequence[int], *, name: str = "", extras: Mapping[str, Any] | None = None) -> None:
        """Says which nodes are drawn; without this call every node without a parent is."""
        self._roots = list(roots)
        self._scene = _optional(name=name or None, extras=dict(extras) if extras else None)

    def to_bytes(self) -> bytes:
        """Returns the GLB: a 12-byte header, a JSON chunk and, if there is any data, a binary chunk."""
        binary = b"".join(self._chunks)
        document: Json = {"asset": self._asset, **self._json}
        roots = self._roots or self._orphans()
        if roots:
            document |= {"scene": 0, "scenes": [{**self._scene, "nodes": roots}]}
        if self._extensions:
            document["extensionsUsed"] = sorted(self._extensions)
        if self._required:
            document["extensionsRequired"] = sorted(self._required)
        if binary:
            document["buffers"] = [{"byteLength": len(binary)}]
        text = json.dumps(document, separators=(",", ":"), allow_nan=False).encode()
        body = _chunk(b"JSON", text, b" ") + (_chunk(b"BIN\0", binary, b"\0") if binary else b"")
        return struct.pack("<4sII", b"glTF", 2, 12 + len(body)) + body

    def _add(self, group: str, entry: Json) -> int:
        entries = self._json.setdefault(group, [])
        entries.append(entry)
        return len(entries) - 1

    def _append(self, data: bytes) -> int:
        """Stores bytes at the next multiple of 4 and returns where."""
        start = self._length
        padded = data + b"\0" * (-len(data) % 4)
        self._chunks.append(padded)
        self._length += len(padded)
        return start

    def _time_accessor(self, times_s: ArrayLike) -> int:
        times = np.asarray(times_s, "<f4").reshape(-1, 1)
        key = times.tobytes()
        if key not in self._times:
            self._times[key] = self.accessor(times, "SCALAR", bounds=True)
        return self._times[key]

    def _orphans(self) -> list[int]:
        nodes = self._json.get("nodes", [])
        owned = {child for node in nodes for child in node.get("children", ())}
        return [index for index in range(len(nodes)) if index not in owned]


def linear(srgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Returns sRGB bytes as linear light 0..1, the space of glTF factors and vertex colours.

    Source: IEC 61966-2-1.
    """
    c = srgb.astype(np.float64) / 255.0
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def points_y_up(points: ArrayLike) -> NDArray[np.float32]:
    """Returns positions or directions (..., 3) of the world's z-up frame in glTF's y-up frame."""
    p = np.asarray(points, np.float32)
    return np.stack([p[..., 0], p[..., 2], -p[..., 1]], -1)


def rotations_y_up(quaternions: ArrayLike) -> NDArray[np.float32]:
    """Returns quaternions wxyz (..., 4) of the world's z-up frame as xyzw in glTF's y-up frame."""
    q = np.asarray(quaternions, np.float32)
    return np.stack([q[..., 1], q[..., 3], -q[..., 2], q[..., 0]], -1)


def scales_y_up(scales: ArrayLike) -> NDArray[np.float32]:
    """Returns scales (..., 3) along the world's x, y, z as scales along glTF's axes."""
    s = np.asarray(scales, np.float32)
    return np.stack([s[..., 0], s[..., 2], s[..., 1]], -1)


def _welded(mesh: Mesh) -> tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.int64]]:
    """Returns vertices (V, 3), their colours (V, 3) and faces (F, 3), sharing corners of equal place and colour."""
    places = mesh.triangles.reshape(-1, 3)
    paint = np.repeat(mesh.colours, 3, axis=0)
    keys = np.concatenate([np.round(places * 1e4).astype(np.int64), paint.astype(np.int64)], 1)
    _, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    return places[first], paint[first], inverse.reshape(-1, 3)


def _colour_rows(srgb: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Returns sRGB (V, 3) as linear 16-bit RGBA (V, 4): eight bits would band in the dark."""
    rows = np.full((len(srgb), 4), 65535, np.uint16)
    rows[:, :3] = np.round(linear(srgb) * 65535).astype(np.uint16)
    return rows


def _numbers(values: ArrayLike | None) -> list[float] | None:
    return None if values is None else [float(v) for v in np.asarray(values, np.float64).reshape(-1)]


def _optional(**entries: Any) -> Json:
    return {key: value for key, value in entries.items() if value is not None}


def _chunk(kind: bytes, data: bytes, padding: bytes) -> bytes:
    padded = data + padding * (-len(data) % 4)
    return struct.pack("<I4s", len(padded), kind) + padded
