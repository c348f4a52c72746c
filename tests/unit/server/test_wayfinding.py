from __future__ import annotations

import io
import math
import time
import zlib

import numpy as np
import pytest
import torch
from tests.integration.squares import square

from ecumene_agents.fields import RouteMap
from ecumene_agents.routes import Routes
from ecumene_server import fieldwork, wayfinding
from ecumene_server.wayfinding import Wayfinder
from ecumene_world.command import SetIntent, Spawn
from ecumene_world.state import Verb
from ecumene_world.world import World


def test_the_program_answers_with_the_fields_that_a_map_has() -> None:
    world = World(square(), slots=2)
    routes = RouteMap(world.layout)
    goals = np.flatnonzero(routes.free)[[0, -1]].tolist()
    asked = b"".join(fieldwork.GOAL.pack(goal, np.inf) for goal in goals)
    sink = io.BytesIO()
    fieldwork.serve(io.BytesIO(fieldwork.described(world.layout) + asked), sink)
    sink.seek(0)
    for goal in goals:
        found, reach, size = fieldwork.FIELD.unpack(sink.read(fieldwork.FIELD.size))
        assert (found, reach) == (goal, np.inf)
        field = np.frombuffer(zlib.decompress(sink.read(size)), np.int8)
        assert (field == routes.field(goal)).all()
    assert sink.read() == b""


def test_a_server_that_dies_in_the_middle_of_a_layout_just_ends_the_program() -> None:
    described = fieldwork.described(World(square(), slots=2).layout)
    for size in (0, 10, fieldwork.HEADER.size, len(described) // 2, len(described) - 1):
        sink = io.BytesIO()
        fieldwork.serve(io.BytesIO(described[:size]), sink)
        assert sink.getvalue() == b""


def test_small_worlds_compute_their_own() -> None:
    world = World(square(), slots=2)
    routes = Routes(world, per_tick=7)
    Wayfinder(routes).look_after(world.layout)
    assert routes.per_tick == (7 if world.layout.clearance.numel() <= wayfinding.LARGE_NODES else 0)


def test_large_worlds_get_theirs_from_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wayfinding, "LARGE_NODES", 0)
    monkeypatch.setattr(wayfinding, "LATER_LOOKS", 3)
    world = World(square(), slots=2)
    world.apply([Spawn("npc:1", position=(100.0, 30.0, 0.0)), SetIntent("npc:1", Verb.GO, place="square")])
    told: list[float] = []
    routes = Routes(world, per_tick=7)
    finder = Wayfinder(routes, lambda goal, reach, directions: told.append(reach))
    slots, state = world.slots_alive(), world.state
    try:
        until = time.monotonic() + 60
        finder.look_after(world.layout)
        routes.update(slots)
        assert torch.equal(state.waypoint[0, 0], state.position[0, 0]), "nobody knows the way yet"
        while len(told) < 2 and time.monotonic() < until:
            finder.look_after(world.layout)
            time.sleep(0.05)
            routes.update(slots)
        assert routes.per_tick == 0
        assert 0 < told[0] < told[1] == math.inf, "far enough first, everywhere later"
        for place in (state.goal, state.position):
            assert float((state.waypoint[0, 0] - place[0, 0]).norm()) > 1, "no field came"
    finally:
        finder.close()
