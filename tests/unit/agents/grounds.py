"""Small worlds that the agents' tests share."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from ecumene_sim import Engine
from ecumene_world import Layout, Node, Pose, SceneGraph, World, compile_layout
from ecumene_world.command import SetIntent, Spawn
from ecumene_world.plain import JSON
from ecumene_world.state import Verb


def box(width: float, depth: float) -> list[JSON]:
    """Returns the corners of a rectangle about its own middle."""
    x, y = width / 2, depth / 2
    return [[-x, -y], [x, -y], [x, y], [-x, y]]


def block(graph: SceneGraph, name: str, x: float, y: float, width: float, depth: float) -> None:
    """Adds something solid."""
    graph.add(Node(name, "building", Pose.at(x, y), attributes={"polygon": box(width, depth), "height_m": 3.0}))


def place(graph: SceneGraph, name: str, x: float, y: float, role: str, title: str = "", radius_m: float = 2.0) -> None:
    """Adds somewhere to go."""
    attributes: dict[str, JSON] = {"role": role, "radius_m": radius_m}
    graph.add(Node(name, "place", Pose.at(x, y), attributes=attributes | ({"title": title} if title else {})))


def open_ground(half_m: float = 12.0) -> SceneGraph:
    """Returns a bare square about the origin."""
    graph = SceneGraph("Testing Ground", 3)
    graph.add(Node("floor", "square", attributes={"polygon": box(2 * half_m, 2 * half_m)}))
    return graph


def walled() -> SceneGraph:
    """Returns a square with a wall across it that has a gap at its north end, and a place on either side."""
    graph = open_ground(10.0)
    block(graph, "wall", 0.0, -2.0, 0.4, 16.0)
    place(graph, "west", -6.0, -4.0, "square", radius_m=1.0)
    place(graph, "east", 6.0, -4.0, "square", radius_m=1.0)
    return graph


def village() -> SceneGraph:
    """Returns a little place with all that NPCs talk about."""
    graph = open_ground(40.0)
    graph.add(Node("fountain", "fountain", Pose.at(0, 0), attributes={"title": "Heron Fountain"}))
    graph.add(Node("bench 1", "bench", Pose.at(6, 3)))
    graph.add(Node("bench 2", "bench", Pose.at(-6, 3)))
    sign: dict[str, JSON] = {"title": "Old Sign", "text": "Mind the ducks."}
    graph.add(Node("sign", "signpost", Pose.at(3, -6), attributes=sign))
    block(graph, "bakery", 20.0, 20.0, 6.0, 6.0)
    place(graph, "middle", 0, -4, "square", "Linden Square", 6.0)
    place(graph, "coffee", 15, 0, "cafe", "The Copper Kettle", 3.0)
    place(graph, "exhibits", -20, 10, "museum", "Museum of Maps", 3.0)
    place(graph, "goods", 10, -20, "shop", "Harbour Goods", 3.0)
    place(graph, "green", -15, -15, "park", "Heron Green", 5.0)
    place(graph, "lane", 30, 5, "home", "Three Lantern Row", 2.0)
    place(graph, "lessons", -30, 0, "school", "Orchard School", 3.0)
    return graph


@functools.cache
def _compiled(name: str) -> tuple[SceneGraph, Layout]:
    graph = {"walled": walled, "village": village, "open": open_ground}[name]()
    return graph, compile_layout(graph)


def world_of(name: str, *, slots: int = 16, worlds: int = 1, seed: int = 1) -> World:
    """Returns a fresh world of "walled", "village" or "open" ground."""
    graph, layout = _compiled(name)
    return World(graph.copy(), worlds=worlds, slots=slots, seed=seed, layout=layout)


def settle(world: World, key: str, x: float, y: float, yaw: float = 0.0, **more: str) -> int:
    """Puts an NPC, or with kind="visitor" a visitor, into world 0 and returns its slot."""
    kind: Literal["npc", "visitor"] = "visitor" if more.get("kind") == "visitor" else "npc"
    (event,) = world.apply([Spawn(key, kind, (x, y, 0.0), yaw, more.get("title", ""), role=more.get("role", ""))])
    assert event.name == "spawned", event.data
    slot = world.slot_of(key)
    assert slot is not None
    return slot


def send(world: World, key: str, verb: Verb, place: str | None = None, target: str | None = None) -> None:
    """Gives an intent."""
    events = world.apply([SetIntent(key, verb, place, target)])
    assert not events, events


def all_slots(world: World) -> torch.Tensor:
    """Returns every slot."""
    return torch.arange(world.state.slots)


def grid_layout(free: NDArray[np.bool_], next_level: NDArray[np.int8] | None = None, cell_m: float = 1.0) -> Layout:
    """Returns a layout whose walkable grid is (L, H, W) `free`; everything else is that of open ground."""
    levels = np.broadcast_to(np.arange(len(free), dtype=np.int8)[:, None, None], free.shape)
    fields: dict[str, Any] = {
        "clearance": torch.from_numpy(np.where(free, 1.0, -1.0).astype(np.float32)),
        "floor": torch.from_numpy(3.0 * levels.astype(np.float32)),
        "surface": torch.from_numpy(free.astype(np.uint8)),
        "next_level": torch.from_numpy((levels if next_level is None else next_level).copy()),
    }
    return replace(_compiled("open")[1], cell_m=cell_m, origin=(0.0, 0.0), **fields)


def engine_of(world: World) -> Engine:
    """Returns the engine of a world."""
    return Engine(world)
