"""Scene graphs as JSON: exact both ways, and strict about what strangers send."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import zlib
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from ecumene_world.errors import GraphError
from ecumene_world.graph import MAX_NODES, ROOT, Node, SceneGraph
from ecumene_world.plain import JSON, MAX_INTEGER, shown
from ecumene_world.pose import IDENTITY, Pose

FORMAT: Final = "ecumene-graph"
VERSION: Final = 1
MAX_FILE_BYTES: Final = 1 << 30
MAX_ARRAY_BYTES: Final = 1 << 29
"""Most bytes that all arrays of one graph may take when unpacked."""
MAX_RELATIONS: Final = 4 * MAX_NODES
DTYPES: Final = ("<f4", "<f8", "|u1", "|i1", "<u2", "<i2", "<u4", "<i4", "<u8", "<i8", "|b1")

_GRAPH_KEYS: Final = {"format", "version", "name", "seed", "attribution", "nodes", "relations", "arrays"}
_NODE_KEYS: Final = {"name", "kind", "parent", "position", "rotation", "scale", "seed", "params", "attributes"}


def encoded(graph: SceneGraph) -> dict[str, JSON]:
    """Returns a graph as plain data, its nodes parents first."""
    return {**_described(graph), "arrays": {key: _packed(graph.arrays[key]) for key in sorted(graph.arrays)}}


def decoded(data: object) -> SceneGraph:
    """Returns the graph that plain data describes, validated.

    Raises:
        GraphError: The data is no valid graph; the message says where.
    """
    fields = _object(data, "a graph", _GRAPH_KEYS)
    if fields.get("format") != FORMAT or fields.get("version") != VERSION:
        found = f"{shown(fields.get('format'))} version {shown(fields.get('version'))}"
        raise GraphError(f"a graph must be of format {FORMAT!r} version {VERSION}, not {found}")
    graph = SceneGraph(
        _text(fields.get("name"), "the graph's name"),
        _integer(fields.get("seed", 0), "the graph's seed"),
        [_text(line, "an attribution") for line in _list(fields.get("attribution", []), "attribution", 10_000)],
        _arrays(fields.get("arrays", {})),
    )
    _add_nodes(graph, _list(fields.get("nodes"), "nodes", MAX_NODES))
    for relation in _list(fields.get("relations", []), "relations", MAX_RELATIONS):
        subject, name, other = (_text(part, "part of a relation") for part in _numbered(relation, "a relation", 3))
        graph.relate(subject, name, other)
    graph.validate()
    return graph


def node_encoded(node: Node, parent: str | None = None) -> dict[str, JSON]:
    """Returns a node as plain data; what equals the default is left out."""
    data: dict[str, JSON] = {"name": node.name, "kind": node.kind}
    if parent is not None:
        data["parent"] = parent
    if node.pose.position != IDENTITY.position:
        data["position"] = list(node.pose.position)
    if node.pose.rotation != IDENTITY.rotation:
        data["rotation"] = list(node.pose.rotation)
    if node.pose.scale != IDENTITY.scale:
        data["scale"] = node.pose.scale
    if node.seed:
        data["seed"] = node.seed
    if node.params:
        data["params"] = dict(node.params)
    if node.attributes:
        data["attributes"] = dict(node.attributes)
    return data


def node_decoded(data: object) -> Node:
    """Returns the node that plain data describes; the kind and the attributes' meaning are not checked yet.

    Raises:
        GraphError: The data has unknown or missing fields, or fields of the wrong type.
    """
    fields = _object(data, "a node", _NODE_KEYS)
    name = _text(fields.get("name"), "a node's name")
    whose = f"of node {shown(name)}"
    x, y, z = _reals(fields.get("position", [0.0, 0.0, 0.0]), f"the position {whose}", 3)
    w, i, j, k = _reals(fields.get("rotation", [1.0, 0.0, 0.0, 0.0]), f"the rotation {whose}", 4)
    pose = Pose((x, y, z), (w, i, j, k), _real(fields.get("scale", 1.0), f"the scale {whose}"))
    kind = _text(fields.get("kind"), f"the kind {whose}")
    seed = _integer(fields.get("seed", 0), f"the seed {whose}")
    params: dict[str, Any] = _plain(fields, "params", whose)
    return Node(name, kind, pose, seed, params, _plain(fields, "attributes", whose))


def digest(graph: SceneGraph) -> str:
    """Returns 64 hex digits of the graph's content."""
    sha = hashlib.sha256(_dumped(_described(graph)).encode())
    for key in sorted(graph.arrays):
        array = _little(graph.arrays[key])
        sha.update(f"\n{json.dumps(key)} {array.dtype.str} {array.shape}\n".encode())
        sha.update(np.ascontiguousarray(array).data)
    return sha.hexdigest()


def write(graph: SceneGraph, path: Path) -> None:
    """Writes a graph as a JSON file."""
    path.write_text(_dumped(encoded(graph)), encoding="utf-8")


def read(path: Path) -> SceneGraph:
    """Reads a graph from a JSON file.

    Raises:
        GraphError: The file can't be read, is too large or holds no valid graph.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise GraphError(f"{path} is larger than {MAX_FILE_BYTES} bytes")
        text = path.read_bytes()
    except OSError as error:
        raise GraphError(f"{path} can't be read: {error.strerror or error}") from error
    return decoded(parsed(text, str(path)))


def parsed(text: bytes | str, where: str) -> object:
    """Returns JSON as Python objects; NaN and infinity, which JSON does not know, are refused.

    Raises:
        GraphError: The text is no JSON.
    """
    try:
        return json.loads(text, parse_constant=_not_json)
    except (ValueError, RecursionError) as error:
        reason = "it nests too deeply" if isinstance(error, RecursionError) else str(error)
        raise GraphError(f"{where} is no JSON: {reason}") from error


def _not_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")


def _described(graph: SceneGraph) -> dict[str, JSON]:
    nodes: list[JSON] = [node_encoded(node, graph.parent(node.name)) for node in graph.walk()]
    return {
        "format": FORMAT,
        "version": VERSION,
        "name": graph.name,
        "seed": graph.seed,
        "attribution": list(graph.attribution),
        "nodes": nodes,
        "relations": [list(relation) for relation in graph.relations()],
    }


def _dumped(data: Mapping[str, JSON]) -> str:
    return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _add_nodes(graph: SceneGraph, nodes: list[object]) -> None:
    if not nodes or not isinstance(nodes[0], Mapping) or nodes[0].get("name") != ROOT:
        raise GraphError(f"the first node must be the root, named {ROOT!r}")
    graph.replace(node_decoded(nodes[0]))
    if "parent" in nodes[0]:
        raise GraphError(f"the root {ROOT!r} can't have a parent")
    for entry in nodes[1:]:
        node = node_decoded(entry)
        assert isinstance(entry, Mapping), "node_decoded has checked this"
        parent = _text(entry.get("parent"), f"the parent of node {shown(node.name)}")
        if parent not in graph:
            raise GraphError(f"node {shown(node.name)} names parent {shown(parent)}, which is not listed before it")
        graph.add(node, parent)


def _little(array: NDArray[np.generic]) -> NDArray[np.generic]:
    return array.astype(array.dtype.newbyteorder("<"), copy=False)


def _packed(array: NDArray[np.generic]) -> dict[str, JSON]:
    plain = np.ascontiguousarray(_little(array))
    packed = base64.b64encode(zlib.compress(plain.tobytes(), 6)).decode("ascii")
    return {"dtype": plain.dtype.str, "shape": list(array.shape), "data": packed}


def _arrays(data: object) -> dict[str, NDArray[np.generic]]:
    if not isinstance(data, Mapping):
        raise GraphError(f"arrays must be an object, not {shown(data)}")
    arrays: dict[str, NDArray[np.generic]] = {}
    left = MAX_ARRAY_BYTES
    for key, entry in data.items():
        arrays[_text(key, "an array's key")] = array = _unpacked(entry, f"array {shown(key)}", left)
        left -= array.nbytes
    return arrays


def _unpacked(entry: object, what: str, left: int) -> NDArray[np.generic]:
    fields = _object(entry, what, {"dtype", "shape", "data"})
    if fields.get("dtype") not in DTYPES:
        raise GraphError(f"{what} has dtype {shown(fields.get('dtype'))}; known are {', '.join(DTYPES)}")
    dtype = np.dtype(str(fields["dtype"]))
    shape = [_integer(size, f"the shape of {what}") for size in _list(fields.get("shape"), f"the shape of {what}", 4)]
    if any(size < 0 for size in shape) or prod(shape) * dtype.itemsize > left:
        raise GraphError(f"{what} has shape {shown(shape)}; all arrays together may take {MAX_ARRAY_BYTES} bytes")
    raw = _inflated(_text(fields.get("data"), f"the data of {what}"), prod(shape) * dtype.itemsize, what)
    return np.frombuffer(raw, dtype).reshape(shape).copy()


def _inflated(text: str, size: int, what: str) -> bytes:
    """Returns exactly `size` bytes; never unpacks more than one byte beyond them."""
    try:
        unpack = zlib.decompressobj()
        raw = unpack.decompress(base64.b64decode(text, validate=True), size + 1)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise GraphError(f"the data of {what} is damaged: {error}") from error
    if len(raw) != size or not unpack.eof:
        raise GraphError(f"the data of {what} does not hold the {size} bytes that its shape asks for")
    return raw


def _plain(fields: Mapping[str, object], key: str, whose: str) -> dict[str, JSON]:
    value = fields.get(key, {})
    if not isinstance(value, Mapping):
        raise GraphError(f"the {key} {whose} must be an object, not {shown(value)}")
    return dict(value)


def _object(data: object, what: str, known: set[str]) -> Mapping[str, object]:
    if not isinstance(data, Mapping):
        raise GraphError(f"{what} must be an object, not {shown(data)}")
    unknown = sorted(str(key) for key in data.keys() - known)
    if unknown:
        raise GraphError(f"{what} has the unknown field {shown(unknown[0])}; known are {', '.join(sorted(known))}")
    return data


def _list(value: object, what: str, most: int) -> list[object]:
    if not isinstance(value, list):
        raise GraphError(f"{what} must be a list, not {shown(value)}")
    if len(value) > most:
        raise GraphError(f"{what} has {len(value)} entries; at most {most} are allowed")
    return value


def _numbered(value: object, what: str, count: int) -> list[object]:
    items = _list(value, what, count)
    if len(items) != count:
        raise GraphError(f"{what} must have {count} entries, not {len(items)}")
    return items


def _reals(value: object, what: str, count: int) -> list[float]:
    return [_real(number, what) for number in _numbered(value, what, count)]


def _real(value: object, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > MAX_INTEGER:
        raise GraphError(f"{what} must be made of finite numbers, not {shown(value)}")
    return float(value)


def _integer(value: object, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > MAX_INTEGER:
        raise GraphError(f"{what} must be a whole number, not {shown(value)}")
    return value


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise GraphError(f"{what} must be text, not {shown(value)}")
    return value
