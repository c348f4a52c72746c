"""What exists: scene graphs, layouts compiled from them, state tensors, commands and snapshots."""

from ecumene_world.errors import CommandError, GraphError, SnapshotError, WorldError
from ecumene_world.event import Event
from ecumene_world.graph import Node, SceneGraph
from ecumene_world.layout import Layout, compile_layout
from ecumene_world.pose import Pose
from ecumene_world.state import DT, TICK_HZ, State
from ecumene_world.world import World

__all__ = [
    "DT",
    "TICK_HZ",
    "CommandError",
    "Event",
    "GraphError",
    "Layout",
    "Node",
    "Pose",
    "SceneGraph",
    "SnapshotError",
    "State",
    "World",
    "WorldError",
    "compile_layout",
]
