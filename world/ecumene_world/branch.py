"""A branch: a node with all below it and how they are related, as text that fits into a command."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from ecumene_world.errors import GraphError
from ecumene_world.graph import MAX_NODES, RELATIONS, Node, Relation, SceneGraph
from ecumene_world.graph_json import node_decoded, node_encoded, parsed
from ecumene_world.mesh_of import mesh_of
from ecumene_world.plain import JSON, Packed, shown
from ecumene_world.validate import check_node

MAX_BYTES: Final = 1 << 27
"""Most bytes of JSON that a packed branch may unfold to."""


@dataclass(frozen=True, slots=True)
class Branch:
    """Nodes that belong together.

    Attributes:
        nodes: Each node and the name of its parent; the first is the root of all others, its parent is "".
        relations: Among them.
    """

    nodes: tuple[tuple[Node, str], ...]
    relations: tuple[Relation, ...]

    @property
    def root(self) -> str:
        """Name of the first node."""
        return self.nodes[0][0].name

    @classmethod
    def of(cls, graph: SceneGraph, root: str) -> Branch:
        """Returns a node of a graph with all below it, parents first."""
        nodes, queue = [(graph.node(root), "")], [root]
        for above in queue:
            nodes += [(graph.node(name), above) for name in graph.children(above)]
            queue += graph.children(above)
        inside = {node.name for node, _ in nodes}
        related = tuple(each for each in graph.relations() if each.subject in inside and each.object in inside)
        return cls(tuple(nodes), related)

    def graft(self, graph: SceneGraph, parent: str) -> None:
        """Adds the branch to a graph as the last child of a node.

        Raises:
            GraphError: A name is taken, the parent does not exist or the graph is full.
        """
        for node, above in self.nodes:
            graph.add(node, above or parent)
        for relation in self.relations:
            graph.relate(*relation)


def packed(branch: Branch) -> Packed:
    """Returns a branch as text of letters, digits and signs; `unpacked` restores it exactly."""
    nodes: list[JSON] = [node_encoded(node, above or None) for node, above in branch.nodes]
    relations: list[JSON] = [list(relation) for relation in branch.relations]
    text = json.dumps({"nodes": nodes, "relations": relations}, separators=(",", ":"), allow_nan=False)
    return Packed(base64.b64encode(zlib.compress(text.encode(), 9)).decode("ascii"))


@lru_cache(maxsize=4)
def unpacked(text: str) -> Branch:
    """Returns the branch in a text, checked; the last few are remembered, so that to ask again takes no time.

    Raises:
        GraphError: It holds no branch, or a node in it is not valid by itself.
    """
    data = parsed(_inflated(text), "a packed branch")
    if not isinstance(data, Mapping) or data.keys() != {"nodes", "relations"}:
        raise GraphError("a packed branch must be an object with 'nodes' and 'relations'")
    nodes = _nodes(data["nodes"])
    names = {node.name for node, _ in nodes}
    return Branch(nodes, _relations(data["relations"], names))


def _inflated(text: str) -> bytes:
    try:
        inflater = zlib.decompressobj()
        found = inflater.decompress(base64.b64decode(text, validate=True), MAX_BYTES)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise GraphError(f"a packed branch is damaged: {error}") from error
    if not inflater.eof:
        raise GraphError(f"a packed branch is cut off, or unfolds to more than {MAX_BYTES} bytes")
    return found


def _nodes(data: object) -> tuple[tuple[Node, str], ...]:
    if not isinstance(data, list) or not 1 <= len(data) <= MAX_NODES:
        raise GraphError(f"a packed branch must list 1..{MAX_NODES} nodes")
    found: dict[str, str] = {}
    nodes: list[tuple[Node, str]] = []
    for entry in data:
        node = node_decoded(entry)
        above = entry.get("parent", "")
        if node.name in found:
            raise GraphError(f"a packed branch names {shown(node.name)} twice; names are unique")
        if (above == "") if nodes else (above != ""):
            raise GraphError(f"the first node of a packed branch has no parent, all others have; {node.name!r} differs")
        if above and above not in found:
            raise GraphError(f"node {shown(node.name)} names parent {shown(above)}, which is not listed before it")
        _check(node)
        found[node.name] = above
        nodes.append((node, above))
    return tuple(nodes)


def _check(node: Node) -> None:
    check_node(node)
    if {"mesh", "heights"} & node.attributes.keys():
        raise GraphError(f"node {node.name!r} refers to an array, which no packed branch holds")
    mesh_of(_NOTHING, node)


_NOTHING: Final = SceneGraph("nothing")


def _relations(data: object, names: set[str]) -> tuple[Relation, ...]:
    if not isinstance(data, list):
        raise GraphError("the relations of a packed branch must be a list")
    found = []
    for entry in data:
        known = isinstance(entry, list) and len(entry) == 3 and all(isinstance(part, str) for part in entry)
        if not known or not {entry[0], entry[2]} <= names or entry[1] not in RELATIONS:
            raise GraphError(f"{shown(entry)} is no relation between two nodes of a packed branch")
        found.append(Relation(*entry))
    return tuple(found)
