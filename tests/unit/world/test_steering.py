"""Steering many bodies at once comes to the same as steering them one after the other, bit by bit."""

from __future__ import annotations

import random

import torch

from ecumene_world import Node, SceneGraph, World
from ecumene_world.command import Command, Despawn, Spawn, Steer


def crowd() -> World:
    graph = SceneGraph("field")
    graph.add(Node("ground", "ground", attributes={"polygon": [[-9, -9], [9, -9], [9, 9], [-9, 9]]}))
    world = World(graph, slots=12)
    world.apply([Spawn(f"npc:{index}", max_speed=1.0 + 0.1 * index) for index in range(6)])
    world.apply([Spawn(f"visitor:{index}", "visitor") for index in range(6)])
    return world


def steering(seed: int) -> list[Command]:
    draw = random.Random(seed)
    keys = [f"{kind}:{index}" for kind in ("npc", "visitor") for index in range(6)]

    def angle() -> float:
        return draw.uniform(-3, 3)

    def stick() -> tuple[float, float]:
        return draw.uniform(-1, 1), draw.uniform(-1, 1)

    return [Steer(draw.choice(keys), stick(), angle(), (angle(), angle()), draw.random() < 0.5) for _ in range(30)]


def test_together_as_one_by_one() -> None:
    together, single = crowd(), crowd()
    for seed in range(5):
        commands = steering(seed)
        assert together.apply(commands) == []
        for command in commands:
            single.apply([command])
        for name, column in together.state.fields().items():
            assert torch.equal(column, single.state.fields()[name]), name


def test_who_is_steered_and_leaves_in_the_same_tick_was_steered_before() -> None:
    world = crowd()
    (event,) = world.apply([Steer("npc:0", (1.0, 0.0), 1.0), Despawn("npc:0"), Steer("npc:1", (0.0, 0.0), 2.0)])
    assert event.name == "despawned"
    assert float(world.state.target_yaw[0, 1]) == 2.0


def test_who_is_not_here_is_refused_and_the_others_are_steered() -> None:
    world = crowd()
    (event,) = world.apply([Steer("npc:9", (1.0, 0.0), 1.0), Steer("npc:1", (1.0, 0.0), 1.5)])
    assert event.name == "rejected"
    assert float(world.state.target_yaw[0, 1]) == 1.5
