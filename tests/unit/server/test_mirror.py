from __future__ import annotations

import torch
from tests.integration.squares import square

from ecumene_server.mirror import Mirror
from ecumene_world import World
from ecumene_world.command import Spawn
from ecumene_world.state import State


def world() -> World:
    made = World(square(), slots=5)
    made.apply([Spawn(f"npc:{number}", position=(number, 2.0, 0.0)) for number in range(3)])
    return made


def test_an_empty_mirror_is_an_empty_state() -> None:
    layout = world().layout
    expected = State.empty(1, 5, layout).fields()
    for name, tensor in Mirror.empty(5, layout).state.fields().items():
        assert tensor.dtype == expected[name].dtype
        assert torch.equal(tensor, expected[name]), name


def test_the_bytes_are_the_state() -> None:
    here = world()
    near, far = Mirror.empty(5, here.layout), Mirror.empty(5, here.layout)
    near.state.copy_(here.state)
    far.data[:] = near.data
    for name, tensor in far.state.fields().items():
        assert torch.equal(tensor, getattr(here.state, name)), name


def test_fields_do_not_overlap() -> None:
    mirror = Mirror.empty(5, world().layout)
    for number, tensor in enumerate(mirror.state.fields().values()):
        tensor.view(torch.uint8).fill_(number)
    for number, tensor in enumerate(mirror.state.fields().values()):
        assert bool((tensor.view(torch.uint8) == number).all())
