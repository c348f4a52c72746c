"""The scene graph: what exists, what contains it and how it is related, before anything moves."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from ecumene_world.errors import GraphError
from ecumene_world.plain import JSON, plain_mapping
from ecumene_world.pose import IDENTITY, Pose

ROOT: Final = "world"
"""Name of the node that everything is inside of."""
RELATIONS: Final = ("on", "inside", "next_to", "facing", "under", "against_wall", "door_to", "part_of")
MAX_NODES: Final = 200_000


@dataclass(frozen=True, slots=True)
class Node:
    """One thing, place or group; plain data that never changes.

    Attributes:
        name: Unique in its graph, 1..120 printable characters.
        kind: Name of a kind, see `kinds`.
        pose: In the parent's frame.
        seed: Which variant of its kind it looks like.
        params: Sizes and colours for the asset library, see `assets.library.parameters`.
        attributes: Scalars and lists for the compiler and for people; the table in `validate` says which are known.
    """

    name: str
    kind: str
    pose: Pose = IDENTITY
    seed: int = 0
    params: Mapping[str, float | str] = field(default_factory=dict)
    attributes: Mapping[str, JSON] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "params", plain_mapping(self.params, f"parameters of node {self.name!r}"))
        object.__setattr__(self, "attributes", plain_mapping(self.attributes, f"attributes of node {self.name!r}"))


class Relation(NamedTuple):
    """`subject` stands in a relation to `object`, such as cup on table."""

    subject: str
    relation: str
    object: str


class SceneGraph:
    """A tree of nodes by containment, with named relations across it.

    Edits keep the tree a tree; `validate` checks what nodes say. Heavy authored arrays (imported meshes, height
    fields) live in `arrays`, and nodes refer to them by key.

    Attributes:
        name: Title of the world.
        seed: What it was generated from, 0 if authored.
        attribution: Whom to credit, one sentence each.
        arrays: Heavy arrays by key.
    """

    def __init__(
        self,
        name: str = "world",
        seed: int = 0,
        attribution: Iterable[str] = (),
        arrays: Mapping[str, NDArray[np.generic]] | None = None,
    ) -> None:
        self.name = name
        self.seed = seed
        self.attribution = tuple(attribution)
        self.arrays: dict[str, NDArray[np.generic]] = dict(arrays or {})
        self._tree: nx.DiGraph[str] = nx.DiGraph()
        self._related: nx.MultiDiGraph[str] = nx.MultiDiGraph()
        self._tree.add_node(ROOT, node=Node(ROOT, "world"))

    def __contains__(self, name: object) -> bool:
        return name in self._tree

    def __len__(self) -> int:
        return len(self._tree)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SceneGraph) and self.hash() == other.hash()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"SceneGraph({self.name!r}, {len(self)} nodes)"

    def add(self, node: Node, parent: str | None = None) -> Node:
        """Adds a node as the last child of `parent`, by default of the root; returns the node.

        Raises:
            GraphError: The name is taken, the parent does not exist or the graph is full.
        """
        if node.name in self._tree:
            raise GraphError(f"a node named {node.name!r} exists already; names are unique")
        if len(self._tree) >= MAX_NODES:
            raise GraphError(f"node {node.name!r} does not fit; a graph holds at most {MAX_NODES} nodes")
        above = ROOT if parent is None else self._known(parent, f"node {node.name!r} asks for parent")
        self._tree.add_node(node.name, node=node)
        self._tree.add_edge(above, node.name)
        return node

    def remove(self, name: str) -> tuple[Node, ...]:
        """Removes a node and all below it with their relations; returns them, parents first.

        Raises:
            GraphError: The node does not exist or is the root.
        """
        self._not_root(name, "removed")
        gone = tuple(self._below(name))
        names = [node.name for node in gone]
        self._tree.remove_nodes_from(names)
        self._related.remove_nodes_from(names)
        return gone

    def replace(self, node: Node) -> Node:
        """Puts a new node in the place of the one with its name; returns the old one.

        Raises:
            GraphError: No node has that name.
        """
        old = self.node(node.name)
        self._tree.nodes[node.name]["node"] = node
        return old

    def move(self, name: str, pose: Pose) -> None:
        """Gives a node another pose in its parent's frame.

        Raises:
            GraphError: The node does not exist.
        """
        self.replace(replace(self.node(name), pose=pose))

    def reparent(self, name: str, parent: str) -> None:
        """Makes a node the last child of another parent; its pose now counts from there.

        Raises:
            GraphError: One of them does not exist, or the parent is the node itself or below it.
        """
        self._not_root(name, "moved under another node")
        self._known(parent, f"node {name!r} asks for parent")
        if any(node.name == parent for node in self._below(name)):
            raise GraphError(f"node {name!r} can't be put under {parent!r}, which is inside it")
        self._tree.remove_edges_from([*self._tree.in_edges(name)])
        self._tree.add_edge(parent, name)

    def relate(self, subject: str, relation: str, other: str) -> None:
        """States a relation; stating it again changes nothing.

        Raises:
            GraphError: One of the nodes does not exist, or the relation is not one of `RELATIONS`.
        """
        if relation not in RELATIONS:
            raise GraphError(f"{relation!r} is not a relation; known are {', '.join(RELATIONS)}")
        for name in (subject, other):
            self._known(name, f"relation {relation!r} names")
        self._related.add_edge(subject, other, key=relation)

    def unrelate(self, subject: str, relation: str, other: str) -> None:
        """Takes a relation back.

        Raises:
            GraphError: It was never stated.
        """
        if not self._related.has_edge(subject, other, key=relation):
            raise GraphError(f"{subject!r} is not {relation!r} {other!r}")
        self._related.remove_edge(subject, other, key=relation)

    def node(self, name: str) -> Node:
        """Returns the node of that name.

        Raises:
            GraphError: No node has that name.
        """
        self._known(name, "the graph was asked for")
        found: Node = self._tree.nodes[name]["node"]
        return found

    def parent(self, name: str) -> str | None:
        """Returns the name of the parent, None for the root.

        Raises:
            GraphError: No node has that name.
        """
        self._known(name, "the graph was asked for")
        return next(iter(self._tree.predecessors(name)), None)

    def children(self, name: str) -> tuple[str, ...]:
        """Returns the names of the children in the order of their addition.

        Raises:
            GraphError: No node has that name.
        """
        self._known(name, "the graph was asked for")
        return tuple(self._tree.successors(name))

    def walk(self) -> Iterator[Node]:
        """Yields every node, parents first: depth by depth, siblings in the order of their addition."""
        return self._below(ROOT)

    def relations(self, name: str | None = None) -> tuple[Relation, ...]:
        """Returns the relations that a node is part of, or all of them, sorted."""
        edges = self._related.edges(keys=True)
        return tuple(sorted(Relation(a, key, b) for a, b, key in edges if name is None or name in (a, b)))

    def world_pose(self, name: str) -> Pose:
        """Returns where a node stands in the world frame, by composing poses up to the root.

        Raises:
            GraphError: No node has that name.
        """
        pose, above = self.node(name).pose, self.parent(name)
        while above is not None:
            pose, above = self.node(above).pose.compose(pose), self.parent(above)
        return pose

    def copy(self) -> SceneGraph:
        """Returns an independent graph; nodes and arrays are shared, since they never change."""
        twin = SceneGraph(self.name, self.seed, self.attribution, self.arrays)
        twin._tree = _copied(self._tree)
        twin._related = self._related.copy()
        return twin

    def validate(self) -> None:
        """Checks every node against the rules in `validate`.

        Raises:
            GraphError: A rule is broken; the message names the node.
        """
        from ecumene_world.validate import check_graph

        check_graph(self)

    def to_json(self) -> dict[str, JSON]:
        """Returns the whole graph as plain data; `from_json` restores it exactly."""
        from ecumene_world.graph_json import encoded

        return encoded(self)

    @classmethod
    def from_json(cls, data: object) -> SceneGraph:
        """Returns the graph that plain data describes.

        Raises:
            GraphError: The data is no valid graph; the message says where.
        """
        from ecumene_world.graph_json import decoded

        return decoded(data)

    def save(self, path: Path | str) -> None:
        """Writes the graph as a JSON file."""
        from ecumene_world.graph_json import write

        write(self, Path(path))

    @classmethod
    def load(cls, path: Path | str) -> SceneGraph:
        """Reads a graph from a JSON file.

        Raises:
            GraphError: The file does not exist or holds no valid graph.
        """
        from ecumene_world.graph_json import read

        return read(Path(path))

    def hash(self) -> str:
        """Returns 64 hex digits that are equal exactly for graphs of equal content."""
        from ecumene_world.graph_json import digest

        return digest(self)

    def _below(self, name: str) -> Iterator[Node]:
        nodes, adjacent = self._tree.nodes, self._tree.adj
        queue = deque([name])
        while queue:
            here = queue.popleft()
            queue.extend(adjacent[here])
            yield nodes[here]["node"]

    def _known(self, name: str, who: str) -> str:
        if name not in self._tree:
            raise GraphError(f"{who} {name!r}, which does not exist")
        return name

    def _not_root(self, name: str, done: str) -> None:
        self._known(name, "the graph was asked for")
        if name == ROOT:
            raise GraphError(f"the root node {ROOT!r} can't be {done}")


def _copied(tree: Any) -> nx.DiGraph[str]:
    """Returns a copy of a tree whose edges say nothing, in a third of the time that `nx.DiGraph.copy` takes."""
    twin: Any = nx.DiGraph()
    for part in ("_node", "_succ", "_pred"):
        getattr(twin, part).update((name, data.copy()) for name, data in getattr(tree, part).items())
    made: nx.DiGraph[str] = twin
    return made
