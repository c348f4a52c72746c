"""glTF scenes become worlds: nodes keep their names and places, and what is level and low is walked on.

Colours come from materials and vertices. Textures, skins, animations, cameras and lights are not read; the world's root
node says so in `notes` where a file has them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecumene_world.errors import ImportFailed, TooLarge
from ecumene_world.graph import MAX_NODES, ROOT, Node, SceneGraph
from ecumene_world.importers.footing import lay_floor
from ecumene_world.importers.gltf_file import GltfFile, Json
from ecumene_world.pose import Pose

_Z_UP: Final = np.array([[1.0, 0, 0, 0], [0, 0, -1.0, 0], [0, 1.0, 0, 0], [0, 0, 0, 1.0]])
"""Turns glTF's y up into z up."""
_DEEPEST: Final = 64
_FAR_M: Final = 1000.0
_FARTHEST_M: Final = 1e8
_TRIANGLES, _STRIP, _FAN = 4, 5, 6
_IGNORED: Final = ("animations", "skins", "cameras", "textures")
_INSTANCING: Final = "EXT_mesh_gpu_instancing"
MAX_TRIANGLES: Final = 5_000_000


def import_gltf(path: Path | str, *, name: str = "", scale: float = 1.0) -> SceneGraph:
    """Returns the world that a glTF or GLB file describes.

    Args:
        path: The file; buffers in other files must lie in its folder.
        name: Title of the world; by default the file's name.
        scale: Metres per unit of the file; glTF's own unit is the metre.

    Raises:
        ImportFailed: The file is damaged, breaks a rule, needs an extension that is not read, or shows nothing.
        TooLarge: A limit is exceeded.
    """
    path = Path(path)
    if not 1e-4 <= scale <= 1e4:
        raise ImportFailed(f"the scale is {scale}; 0.0001 to 10000 is accepted")
    file = GltfFile(path)
    graph = SceneGraph(name or path.stem.replace("_", " ").strip() or "Scene")
    scene = _Scene(file, graph)
    scene.add_roots(np.diag([scale, scale, scale, 1.0]))
    if not scene.triangles:
        raise ImportFailed(f"{path.name} shows nothing: no node has a mesh with triangles")
    notes = scene.notes + lay_floor(graph, np.concatenate(scene.triangles))
    graph.replace(Node(ROOT, "world", attributes={"notes": [*notes]}))
    return graph


@dataclass(frozen=True, slots=True, eq=False)
class _Shape:
    """A mesh's triangles in glTF's frame.

    Attributes:
        vertices: (V, 3) about `centre`.
        faces: (F, 3).
        colours: (F, 3) sRGB.
        centre: (3,) zero unless the mesh lies so far from its origin that float32 would blur it.
    """

    vertices: NDArray[np.float64]
    faces: NDArray[np.int64]
    colours: NDArray[np.uint8]
    centre: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))


@dataclass(slots=True)
class _Scene:
    """Adds a file's nodes to a graph."""

    file: GltfFile
    graph: SceneGraph
    triangles: list[NDArray[np.float64]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _shapes: dict[int, _Shape | None] = field(default_factory=dict)
    _stored: dict[tuple[int, bytes], str] = field(default_factory=dict)
    _seen: set[int] = field(default_factory=set)
    _drawn: int = 0

    def add_roots(self, frame: NDArray[np.float64]) -> None:
        """Adds all nodes of the default scene, moved near the origin if they lie far from it."""
        found = [entry for entry in _IGNORED if self.file.entries(entry)]
        self.notes += [f"{entry} are not read" for entry in found]
        base = frame @ _Z_UP
        for index in self._root_indices():
            self._add(index, base, None, np.eye(4), 0)
        self._recentre()

    def _root_indices(self) -> list[int]:
        scenes = self.file.entries("scenes")
        if not scenes:
            owned = {child for node in self.file.entries("nodes") for child in _list(node, "children")}
            return [n for n in range(len(self.file.entries("nodes"))) if n not in owned]
        return _list(self.file.entry("scenes", self.file.document.get("scene", 0)), "nodes")

    def _add(
        self, index: Any, above: NDArray[np.float64], parent: str | None, frame: NDArray[np.float64], depth: int
    ) -> None:
        """Adds a node and everything below it.

        Args:
            index: Of the node.
            above: World matrix of its parent in the file.
            parent: Name of its parent in the graph.
            frame: World matrix of that parent's pose.
            depth: How deep it lies.
        """
        entry = self.file.entry("nodes", index)
        if index in self._seen or depth > _DEEPEST:
            raise ImportFailed(f"{self.file.name}: node {index} is inside itself, has two parents or lies too deep")
        self._seen.add(index)
        world = above @ _matrix(entry, self.file.name, index)
        single = _INSTANCING not in _extensions(entry)
        drawn = world @ _shift(self._centre(entry)) if single else world
        pose, placed = _decomposed(np.linalg.inv(frame) @ drawn @ np.linalg.inv(_Z_UP))
        here = frame @ placed
        name = self._name(entry, index)
        attributes = self._look(entry, here, drawn) if single else {}
        self._node(Node(name, "mesh" if attributes else "room", pose, attributes=attributes), parent)
        for n, matrix in enumerate(self._instances(entry, index)):
            self._instance(entry, f"{name} #{n}", world @ matrix, name, here)
        for child in _list(entry, "children"):
            self._add(child, world, name, here, depth + 1)

    def _instance(
        self, entry: Json, name: str, world: NDArray[np.float64], parent: str, frame: NDArray[np.float64]
    ) -> None:
        world = world @ _shift(self._centre(entry))
        pose, placed = _decomposed(np.linalg.inv(frame) @ world @ np.linalg.inv(_Z_UP))
        attributes = self._look(entry, frame @ placed, world)
        self._node(Node(self._free(name), "mesh", pose, attributes=attributes), parent)

    def _node(self, node: Node, parent: str | None) -> None:
        if len(self.graph) >= MAX_NODES:
            raise TooLarge(f"{self.file.name} has more than {MAX_NODES} nodes, copies counted")
        self.graph.add(node, parent)

    def _look(self, entry: Json, frame: NDArray[np.float64], world: NDArray[np.float64]) -> dict[str, Any]:
        """Returns the attributes of a node that shows a mesh, empty for one that doesn't."""
        if "mesh" not in entry:
            return {}
        shape = self._shape(entry["mesh"])
        if shape is None:
            return {}
        local = np.linalg.inv(frame) @ world
        key = self._store(entry["mesh"], shape, local)
        points = _applied(world, shape.vertices)
        if not np.isfinite(points).all() or np.abs(points).max() > _FARTHEST_M:
            raise ImportFailed(f"{self.file.name}: {str(entry.get('name', 'a node'))[:60]!r} is too far away to place")
        self._drawn += len(shape.faces)
        if self._drawn > MAX_TRIANGLES:
            raise TooLarge(f"{self.file.name} shows more than {MAX_TRIANGLES} triangles, copies counted")
        self.triangles.append(points[shape.faces])
        return {"mesh": key}

    def _store(self, mesh: int, shape: _Shape, local: NDArray[np.float64]) -> str:
        """Stores a mesh once for each stretch that a pose can't say; returns its key."""
        stretch = np.round(local, 5)
        known = self._stored.get((mesh, stretch.tobytes()))
        if known is not None:
            return known
        key = f"mesh{len(self._stored)}"
        flipped = np.linalg.det(local[:3, :3]) < 0
        faces = shape.faces[:, ::-1] if flipped else shape.faces
        self.graph.arrays[f"{key}/vertices"] = _applied(local, shape.vertices).astype(np.float32)
        self.graph.arrays[f"{key}/faces"] = np.ascontiguousarray(faces, np.int32)
        self.graph.arrays[f"{key}/colours"] = shape.colours
        self._stored[(mesh, stretch.tobytes())] = key
        return key

    def _centre(self, entry: Json) -> NDArray[np.float64]:
        shape = self._shape(entry["mesh"]) if "mesh" in entry else None
        return np.zeros(3) if shape is None else shape.centre

    def _shape(self, index: Any) -> _Shape | None:
        """Returns a mesh's triangles, None if it has none."""
        entry = self.file.entry("meshes", index)
        if index not in self._shapes:
            parts = [part for part in map(self._primitive, _objects(entry, "primitives")) if part is not None]
            self._shapes[index] = _joined(parts) if parts else None
        return self._shapes[index]

    def _primitive(self, entry: Json) -> _Shape | None:
        """Returns one primitive's triangles; points and lines have none."""
        mode = entry.get("mode", _TRIANGLES)
        attributes = entry.get("attributes")
        if mode not in {_TRIANGLES, _STRIP, _FAN} or not isinstance(attributes, dict) or "POSITION" not in attributes:
            return None
        vertices = np.asarray(self.file.accessor(attributes["POSITION"], "VEC3"), np.float64)
        order = np.arange(len(vertices))
        if "indices" in entry:
            order = np.asarray(self.file.accessor(entry["indices"], "SCALAR"), np.int64).reshape(-1)
        if len(order) and (order.min() < 0 or order.max() >= len(vertices)):
            raise ImportFailed(f"{self.file.name}: an index points outside of {len(vertices)} vertices")
        faces = _faces(order, mode)
        return _Shape(vertices, faces, self._colours(entry, attributes, faces)) if len(faces) else None

    def _colours(self, entry: Json, attributes: Json, faces: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Returns a colour for each face: its material's, times its corners'."""
        colour = np.ones((len(faces), 3)) * self._base_colour(entry)
        if "COLOR_0" in attributes:
            shape = self.file.entry("accessors", attributes["COLOR_0"]).get("type")
            rows = np.asarray(self.file.accessor(attributes["COLOR_0"], "VEC4" if shape == "VEC4" else "VEC3"))
            if len(rows) <= int(faces.max()):
                raise ImportFailed(f"{self.file.name}: a mesh has fewer colours than vertices")
            colour = colour * rows[faces][:, :, :3].astype(np.float64).mean(1)
        return _srgb(colour)

    def _base_colour(self, entry: Json) -> NDArray[np.float64]:
        if "material" not in entry:
            return np.full(3, 0.8)
        pbr = self.file.entry("materials", entry["material"]).get("pbrMetallicRoughness", {})
        factor = pbr.get("baseColorFactor", [1, 1, 1, 1]) if isinstance(pbr, dict) else [1, 1, 1, 1]
        return np.clip(_numbers(factor, 4, f"{self.file.name}: a base colour")[:3], 0, 1)

    def _instances(self, entry: Json, index: Any) -> Iterator[NDArray[np.float64]]:
        """Yields the matrices of a node's copies (EXT_mesh_gpu_instancing)."""
        extension = _extensions(entry).get(_INSTANCING)
        if extension is None:
            return
        columns = extension.get("attributes") if isinstance(extension, dict) else None
        if not isinstance(columns, dict):
            raise ImportFailed(f"{self.file.name}: node {index} has copies without attributes")
        shapes = {"TRANSLATION": "VEC3", "ROTATION": "VEC4", "SCALE": "VEC3"}
        found = {key: np.asarray(self.file.accessor(columns[key], s)) for key, s in shapes.items() if key in columns}
        count = {len(rows) for rows in found.values()}
        if len(count) != 1:
            raise ImportFailed(f"{self.file.name}: node {index} has copies of unequal counts {sorted(count)}")
        if len(self.graph) + max(count) > MAX_NODES:
            raise TooLarge(f"{self.file.name} has more than {MAX_NODES} nodes, copies counted")
        for n in range(count.pop()):
            yield _matrix({key.lower(): rows[n].tolist() for key, rows in found.items()}, self.file.name, index)

    def _recentre(self) -> None:
        """Moves everything near the origin if its middle lies far from it."""
        if not self.triangles:
            return
        every = np.concatenate([part.reshape(-1, 3) for part in self.triangles])
        middle = (every.min(0) + every.max(0)) / 2
        if np.abs(every - middle).max() > 1e5:
            raise ImportFailed(f"{self.file.name} is wider than 100 km; give a scale below 1 if its unit is no metre")
        if np.abs(middle).max() <= _FAR_M:
            return
        middle = np.where(np.abs(middle) > _FAR_M, middle, 0.0)
        self.notes.append(f"moved by {np.round(-middle, 2).tolist()} m towards the origin")
        for child in self.graph.children(ROOT):
            pose = self.graph.node(child).pose
            x, y, z = (np.array(pose.position) - middle).tolist()
            self.graph.move(child, Pose((x, y, z), pose.rotation, pose.scale))
        self.triangles[:] = [part - middle for part in self.triangles]

    def _name(self, entry: Json, index: Any) -> str:
        given = entry.get("name")
        plain = "".join(c for c in given if c.isprintable()).strip()[:100] if isinstance(given, str) else ""
        return self._free(plain or f"node {index}")

    def _free(self, stem: str) -> str:
        name, n = stem, 1
        while name in self.graph:
            n += 1
            name = f"{stem} {n}"
        return name


def _decomposed(matrix: NDArray[np.float64]) -> tuple[Pose, NDArray[np.float64]]:
    """Returns the pose nearest to an affine matrix and that pose's matrix; what is left is baked into the mesh."""
    linear = matrix[:3, :3]
    u, s, vt = np.linalg.svd(linear)
    rotation = u @ np.diag([1.0, 1.0, float(np.sign(np.linalg.det(u @ vt)))]) @ vt
    scale = float(np.cbrt(max(s.prod(), 0.0)))
    scale = scale if 1e-3 < scale < 1e3 else 1.0
    x, y, z = matrix[:3, 3].tolist()
    pose = Pose((x, y, z), _quaternion(rotation), scale)
    return pose, pose.matrix()


def _quaternion(r: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Returns the unit quaternion wxyz of a rotation matrix.

    Source: Shepperd, "Quaternion from rotation matrix", 1978: the largest of four candidates is stable.
    """
    squares = np.array([1 + np.trace(r), *(1 + 2 * r[i, i] - np.trace(r) for i in range(3))])
    best = int(np.argmax(squares))
    w = r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1]
    off = r + r.T
    rows = {
        0: (squares[0], *w),
        1: (w[0], squares[1], off[0, 1], off[0, 2]),
        2: (w[1], off[0, 1], squares[2], off[1, 2]),
        3: (w[2], off[0, 2], off[1, 2], squares[3]),
    }
    q = np.array(rows[best])
    a, b, c, d = (q / np.linalg.norm(q)).tolist()
    return a, b, c, d


def _matrix(entry: Json, name: str, index: Any) -> NDArray[np.float64]:
    """Returns a node's (4, 4) matrix, in glTF's frame."""
    what = f"{name}: node {index}"
    if "matrix" in entry:
        matrix = _numbers(entry["matrix"], 16, what).reshape(4, 4).T
    else:
        x, y, z, w = _numbers(entry.get("rotation", [0, 0, 0, 1]), 4, what)
        length = float(np.sqrt(x * x + y * y + z * z + w * w))
        if not 0.5 < length < 2.0:
            raise ImportFailed(f"{what} has a rotation of length {length:.3g}; 1 is needed")
        pose = Pose(rotation=(w / length, x / length, y / length, z / length))
        matrix = pose.matrix() @ np.diag([*_numbers(entry.get("scale", [1, 1, 1]), 3, what), 1.0])
        matrix[:3, 3] = _numbers(entry.get("translation", [0, 0, 0]), 3, what)
    size = np.abs(np.linalg.det(matrix[:3, :3]))
    if np.abs(matrix).max() > 1e7 or not 1e-12 < size < 1e12:
        raise ImportFailed(f"{what} is placed by a matrix that flattens it or blows it up")
    return matrix


def _faces(order: NDArray[np.int64], mode: int) -> NDArray[np.int64]:
    """Returns triangles (F, 3) of a list, a strip or a fan; ones with two equal corners vanish."""
    if mode == _TRIANGLES:
        faces = order[: len(order) // 3 * 3].reshape(-1, 3)
    elif len(order) < 3:
        faces = np.zeros((0, 3), np.int64)
    elif mode == _STRIP:
        faces = np.stack([order[:-2], order[1:-1], order[2:]], 1)
        faces[1::2] = faces[1::2, [1, 0, 2]]
    else:
        faces = np.stack([np.full(len(order) - 2, order[0]), order[1:-1], order[2:]], 1)
    distinct = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 0] != faces[:, 2])
    return np.asarray(faces[distinct])


def _joined(parts: list[_Shape]) -> _Shape:
    starts = np.cumsum([0] + [len(part.vertices) for part in parts[:-1]])
    vertices = np.concatenate([part.vertices for part in parts])
    middle = (vertices.min(0) + vertices.max(0)) / 2
    centre = middle if np.abs(middle).max() > _FAR_M else np.zeros(3)
    faces = np.concatenate([part.faces + start for part, start in zip(parts, starts, strict=True)])
    return _Shape(vertices - centre, faces, np.concatenate([part.colours for part in parts]), centre)


def _shift(by: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the (4, 4) matrix that moves by (3,)."""
    matrix = np.eye(4)
    matrix[:3, 3] = by
    return matrix


def _applied(matrix: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(points @ matrix[:3, :3].T + matrix[:3, 3])


def _srgb(linear: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Returns linear light 0..1 as sRGB bytes.

    Source: IEC 61966-2-1.
    """
    c = np.clip(linear, 0, 1)
    return np.asarray(np.round(np.where(c <= 0.0031308, c * 12.92, 1.055 * c ** (1 / 2.4) - 0.055) * 255), np.uint8)


def _numbers(values: Any, count: int, what: str) -> NDArray[np.float64]:
    if (
        not isinstance(values, list)
        or len(values) != count
        or not all(isinstance(v, int | float) and not isinstance(v, bool) and abs(v) < 1e30 for v in values)
    ):
        raise ImportFailed(f"{what} has {str(values)[:60]} where {count} numbers are needed")
    return np.array(values, np.float64)


def _list(entry: Json, key: str) -> list[Any]:
    found = entry.get(key, [])
    if not isinstance(found, list):
        raise ImportFailed(f"{key} of a glTF object is not a list")
    return [value for value in found if isinstance(value, int)]


def _objects(entry: Json, key: str) -> list[Json]:
    found = entry.get(key, [])
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise ImportFailed(f"{key} of a glTF object is not a list of objects")
    return found


def _extensions(entry: Json) -> Json:
    found = entry.get("extensions", {})
    return found if isinstance(found, dict) else {}
