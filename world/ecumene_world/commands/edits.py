"""Edits of the scene graph; they show once the graph is compiled again."""
# ruff: noqa: D102 - `Command` says what limits, possible and apply do.

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ecumene_world.branch import unpacked
from ecumene_world.commands.base import Command, Role, command, require
from ecumene_world.errors import CommandError, GraphError
from ecumene_world.event import Event
from ecumene_world.graph import MAX_NODES, RELATIONS, ROOT, Node
from ecumene_world.graph_json import node_decoded
from ecumene_world.mesh_of import mesh_of
from ecumene_world.plain import JSON, Packed, shown
from ecumene_world.pose import Pose
from ecumene_world.validate import check_arrays, check_node, check_pose

if TYPE_CHECKING:
    from ecumene_world.world import World

MAX_CORNERS: Final = 500
"""Most corners of a polygon added while a world runs, since it is drawn at once."""


@command("add_node", Role.BUILDER, durable=True)
@dataclass(frozen=True, slots=True)
class AddNode(Command):
    """A node is added.

    Attributes:
        node: As in a graph's JSON, without "parent".
        parent: Name of the parent.
    """

    node: Mapping[str, JSON]
    parent: str = ROOT

    def limits(self) -> None:
        try:
            require("parent" not in self.node, "the parent of a new node stands beside it, not inside")
            check_node(self.decoded())
            corners = self.decoded().attributes.get("polygon")
            require(
                not isinstance(corners, list) or len(corners) <= MAX_CORNERS,
                f"a polygon of more than {MAX_CORNERS} corners can't be added to a running world",
            )
        except GraphError as error:
            raise CommandError(str(error)) from error

    def possible(self, world: World) -> None:
        node = self.decoded()
        require(node.name not in world.graph, f"a node named {node.name!r} exists already; names are unique")
        require(self.parent in world.graph, f"parent {shown(self.parent)} does not exist")
        require(len(world.graph) < MAX_NODES, f"the graph is full: it holds at most {MAX_NODES} nodes")
        try:
            check_arrays(node, world.graph.arrays)
            mesh_of(world.graph, node)
        except GraphError as error:
            raise CommandError(str(error)) from error

    def apply(self, world: World) -> list[Event]:
        world.editing()
        node = world.graph.add(self.decoded(), self.parent)
        return [_edited(self, world, node.name, "added")]

    def decoded(self) -> Node:
        """Returns the node itself."""
        return node_decoded(self.node)


@command("add_branch", Role.ADMIN, durable=True)
@dataclass(frozen=True, slots=True)
class AddBranch(Command):
    """A node is added with all below it, such as a district, or nothing is.

    To add it at no cost to the tick: copy the graph and note `World.edits` between ticks, graft the branch onto the
    copy elsewhere and hand that in with `World.offer_graph`. The outcome is the same.

    Attributes:
        node: Name of the branch's root.
        branch: As `branch.packed` writes it.
        parent: Name of the parent.
    """

    node: str
    branch: Packed
    parent: str = ROOT

    def limits(self) -> None:
        try:
            root = unpacked(self.branch).root
        except GraphError as error:
            raise CommandError(str(error)) from error
        require(root == self.node, f"the root of the branch is {root!r}, not {shown(self.node)}")

    def possible(self, world: World) -> None:
        nodes = unpacked(self.branch).nodes
        require(self.parent in world.graph, f"parent {shown(self.parent)} does not exist")
        left = MAX_NODES - len(world.graph)
        require(len(nodes) <= left, f"{len(nodes)} nodes do not fit; the graph has room for {left} more")
        taken = next((node.name for node, _ in nodes if node.name in world.graph), None)
        require(taken is None, f"a node named {taken!r} exists already; names are unique")

    def apply(self, world: World) -> list[Event]:
        if not world.take_graph(self.branch):
            world.editing()
            unpacked(self.branch).graft(world.graph, self.parent)
        return [_edited(self, world, self.node, "added")]


@command("remove_node", Role.BUILDER, durable=True)
@dataclass(frozen=True, slots=True)
class RemoveNode(Command):
    """A node goes, with all below it."""

    node: str

    def possible(self, world: World) -> None:
        _there(world, self.node)
        require(self.node != ROOT, f"the root node {ROOT!r} can't be removed")

    def apply(self, world: World) -> list[Event]:
        world.editing()
        for gone in world.graph.remove(self.node):
            world.readings.pop(gone.name, None)
        return [_edited(self, world, self.node, "removed")]


@command("move_node", Role.BUILDER, durable=True)
@dataclass(frozen=True, slots=True)
class MoveNode(Command):
    """A node gets another pose in its parent's frame."""

    node: str
    pose: Pose

    def limits(self) -> None:
        try:
            check_pose(self.node, self.pose)
        except GraphError as error:
            raise CommandError(str(error)) from error

    def possible(self, world: World) -> None:
        _there(world, self.node)
        require(self.node != ROOT, f"the root node {ROOT!r} can't be moved")

    def apply(self, world: World) -> list[Event]:
        world.editing()
        world.graph.move(self.node, self.pose)
        return [_edited(self, world, self.node, "moved")]


@command("relate", Role.BUILDER, durable=True)
@dataclass(frozen=True, slots=True)
class Relate(Command):
    """Two nodes get related: `a` stands in the relation to `b`, such as cup on table."""

    a: str
    relation: str
    b: str

    def limits(self) -> None:
        known = ", ".join(RELATIONS)
        require(self.relation in RELATIONS, f"{shown(self.relation)} is not a relation; known are {known}")

    def possible(self, world: World) -> None:
        _there(world, self.a)
        _there(world, self.b)

    def apply(self, world: World) -> list[Event]:
        world.editing()
        world.graph.relate(self.a, self.relation, self.b)
        return [_edited(self, world, self.a, "related", self.b)]


@command("recompile", Role.SYSTEM, durable=True)
@dataclass(frozen=True, slots=True)
class Recompile(Command):
    """The graph as it stands becomes the layout.

    A layout compiled elsewhere meanwhile (`World.offer`) is taken if it is of exactly this graph; otherwise the graph
    is compiled on the spot. Either way the outcome is the same, so a replay needs no threads.
    """

    def possible(self, world: World) -> None:
        try:
            world.prepare()
        except GraphError as error:
            raise CommandError(str(error)) from error

    def apply(self, world: World) -> list[Event]:
        world.recompile()
        return [_edited(self, world, ROOT, "compiled")]


def _there(world: World, name: str) -> None:
    require(name in world.graph, f"node {shown(name)} does not exist")


def _edited(edit: Command, world: World, node: str, what: str, other: str = "") -> Event:
    return world.event("edited", node, other, data={"edit": what}, at=edit)
