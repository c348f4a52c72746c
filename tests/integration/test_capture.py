"""Nothing in a tick reads numbers back from the device or sends it some, so that the tick can be captured as a graph.

On torch's meta device tensors have shapes and no numbers: whatever depends on numbers raises there, as it would hold up
an accelerator.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from ecumene_agents.fast import FastMind
from ecumene_models import FusionPolicy
from ecumene_sim import Actions, Engine
from ecumene_world import Node, Pose, SceneGraph, World


def house() -> SceneGraph:
    """Returns ground with walls, a door, seats and loose things."""
    graph = SceneGraph("house")
    graph.add(Node("ground", "ground", attributes={"polygon": [[-6, -6], [6, -6], [6, 6], [-6, 6]]}))
    graph.add(Node("wall", "wall", Pose.at(0, 0), attributes={"size": [6, 0.2, 2.6]}))
    for index, kind in enumerate(("bench", "ball", "radio", "notice_board", "cup")):
        graph.add(Node(kind, kind, Pose.at(index - 2.0, 3.0)))
    graph.add(Node("door", "door", Pose.at(1.0, -3.0)))
    return graph


def numberless(thing: Any, seen: set[int] | None = None) -> None:
    """Moves every tensor of an object, and of ours within it, to the meta device."""
    seen = set() if seen is None else seen
    if id(thing) in seen:
        return
    seen.add(id(thing))
    names = {*getattr(thing, "__dict__", {}), *(n for c in type(thing).__mro__ for n in getattr(c, "__slots__", ()))}
    for name in names:
        value = getattr(thing, name, None)
        if isinstance(value, Tensor):
            object.__setattr__(thing, name, value.to("meta"))
        elif isinstance(value, tuple | list) and value and isinstance(value[0], Tensor):
            object.__setattr__(thing, name, type(value)(each.to("meta") for each in value))
        elif type(value).__module__.startswith("ecumene_"):
            numberless(value, seen)


@pytest.fixture
def engine() -> Engine:
    """Returns an engine of two worlds of 80 that has stepped once and then lost its numbers."""
    world = World(house(), worlds=2, slots=80)
    world.state.alive.fill_(True)
    engine = Engine(world)
    engine.sense(torch.arange(80))
    engine.step(Actions.none(worlds=2))
    numberless(engine)
    return engine


@pytest.fixture
def no_constants(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets it fail to make a tensor of Python's numbers, which an accelerator would have to be sent."""
    index = Tensor.__getitem__

    def refused(*given: object, **named: object) -> None:
        raise AssertionError("a constant is sent to the device in the tick")

    def plain(self: Tensor, at: Any) -> Tensor:
        parts = at if isinstance(at, tuple) else (at,)
        assert not any(isinstance(part, list) for part in parts), "a list of indices is sent to the device in the tick"
        return index(self, at)

    for owner, name in ((torch, "tensor"), (torch, "as_tensor"), (Tensor, "new_tensor")):
        monkeypatch.setattr(owner, name, refused)
    monkeypatch.setattr(Tensor, "__getitem__", plain)


def decided(engine: Engine) -> Actions:
    """Returns what a quarter of all decides with the trained policy."""
    mind = FastMind(FusionPolicy(), "meta")
    return mind.decide(engine.sense(torch.arange(0, 80, 4, device="meta")))


def test_senses_decisions_and_step_leave_the_host_alone(engine: Engine, request: pytest.FixtureRequest) -> None:
    mind = FastMind(FusionPolicy(), "meta")
    slots = torch.arange(0, 80, 4, device="meta")
    with torch.no_grad():
        engine.step(mind.decide(engine.sense(slots)))  # constants that are made once and kept
    request.getfixturevalue("no_constants")
    with torch.no_grad():
        actions = mind.decide(engine.sense(slots))
        frame = engine.step(actions)
    assert frame.state.position.shape == (2, 80, 3)


def test_events_do_not(engine: Engine) -> None:
    engine.eventful = True
    with torch.no_grad(), pytest.raises((NotImplementedError, RuntimeError)):
        engine.step(decided(engine))


@pytest.mark.usefixtures("no_constants")
def test_constants_are_noticed() -> None:
    with pytest.raises(AssertionError, match="list of indices"):
        torch.zeros(3)[[0, 1]]
    with pytest.raises(AssertionError, match="constant"):
        torch.zeros(3).new_tensor((1.0, 2.0))
