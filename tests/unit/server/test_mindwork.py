from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.integration.squares import square

from ecumene_agents.fast import FastMind
from ecumene_agents.routes import Routes
from ecumene_models.checkpoint import load_policy
from ecumene_models.senses import SenseBatch
from ecumene_scenarios.cast import WEIGHTS
from ecumene_server import layoutfile, mindwork
from ecumene_server.errors import FailedError
from ecumene_server.mirror import Mirror
from ecumene_sim import Engine
from ecumene_world import Node, compile_layout
from ecumene_world.command import SetIntent, Spawn
from ecumene_world.state import Verb
from ecumene_world.world import World


def inhabited() -> World:
    world = World(square(), slots=4)
    world.apply([Spawn(f"npc:{number}", position=(20.0 * number, -20.0, 0.0)) for number in range(3)])
    world.apply([SetIntent(f"npc:{number}", Verb.GO, place="square") for number in range(3)])
    return world


def setup(world: World, folder: Path) -> bytes:
    layoutfile.write(world.layout, folder / "square.layout")
    file = str(folder / "square.layout")
    said = {"layout": file, "hash": world.layout.hash, "slots": world.state.slots, "weights": None}
    text = json.dumps(said).encode()
    return mindwork.HEAD.pack(mindwork.SETUP, 7, len(text)) + text


def question(world: World, number: int, slots: torch.Tensor) -> bytes:
    mirror = Mirror.empty(world.state.slots, world.layout)
    mirror.state.copy_(world.state)
    head = mindwork.HEAD.pack(mindwork.ASK, number, len(slots))
    return head + slots.numpy().tobytes() + bytes(mirror.data)


def test_it_decides_as_minds_here_would(tmp_path: Path) -> None:
    world, slots, sink = inhabited(), torch.tensor([0, 2]), io.BytesIO()
    mindwork.serve(io.BytesIO(setup(world, tmp_path) + question(world, 9, slots)), sink)
    Routes(world).update(slots)
    expected = FastMind(None).decide(Engine(world).sense(slots))
    sink.seek(0)
    assert mindwork.HEAD.unpack(sink.read(mindwork.HEAD.size)) == (mindwork.READY, 7, 0)
    assert mindwork.HEAD.unpack(sink.read(mindwork.HEAD.size)) == (mindwork.ANSWER, 9, 2)
    assert mindwork.SECONDS.unpack(sink.read(mindwork.SECONDS.size))[0] > 0
    rows = [np.frombuffer(sink.read(np.dtype(kind).itemsize * 2 * width), kind) for kind, width in mindwork.COLUMNS]
    level, waypoint, goal, raw = rows
    assert level.tolist() == world.state.goal_level[0, slots].tolist()
    assert waypoint.tolist() == world.state.waypoint[0, slots].flatten().tolist()
    assert goal.tolist() == world.state.goal[0, slots].flatten().tolist()
    assert raw.tolist() == expected.raw[0].flatten().tolist()
    assert any(raw.tolist()), "nobody moves"


def test_a_server_that_dies_in_the_middle_of_a_question_just_ends_the_program(tmp_path: Path) -> None:
    world = inhabited()
    said, asked = setup(world, tmp_path), question(world, 1, torch.tensor([0]))
    for size in (5, mindwork.HEAD.size + 3, len(said), len(said) + 5, len(said) + len(asked) - 1):
        sink = io.BytesIO()
        mindwork.serve(io.BytesIO((said + asked)[:size]), sink)
        ready = mindwork.HEAD.pack(mindwork.READY, 7, 0)
        assert sink.getvalue() == (ready if size >= len(said) else b"")


def test_a_layout_file_that_holds_another_layout_is_refused(tmp_path: Path) -> None:
    """Were its tensors of another size, the state that follows would be cut into the wrong columns."""
    said = setup(inhabited(), tmp_path)
    graph = square()
    graph.add(Node("another bench", "bench"))
    layoutfile.write(compile_layout(graph), tmp_path / "square.layout")
    with pytest.raises(FailedError, match=r"holds .*, not "):
        mindwork.serve(io.BytesIO(said), io.BytesIO())


def test_a_large_crowd_is_decided_for_in_few_passes() -> None:
    policy, small = mindwork._policy(WEIGHTS), load_policy(WEIGHTS)
    assert (policy.config.chunk, small.config.chunk) == (mindwork.ROWS, 256)
    assert replace(policy.config, chunk=256) == small.config
    rows = SenseBatch.zeros(300)
    rows.goal.normal_(generator=torch.Generator().manual_seed(0))
    one, two = policy.eval()(rows), small.eval()(rows)
    torch.testing.assert_close(one.vector, two.vector, rtol=1e-4, atol=1e-5)
