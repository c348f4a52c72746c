"""What visitors are told of things that two carry."""

import math

import pytest
import torch

from ecumene_scenarios.packs.arena import ground
from ecumene_server import codec, looking, wire
from ecumene_server.watch import Watch
from ecumene_sim import Engine
from ecumene_sim.frame import Actions, Frame
from ecumene_world.command import Interact, Spawn
from ecumene_world.graph import Node
from ecumene_world.pose import Pose
from ecumene_world.world import World


@pytest.fixture
def world() -> World:
    graph = ground(12.0, 1, "square")
    graph.add(Node("stretcher", "stretcher", Pose.at(0, 0, yaw=0.5)))
    made = World(graph, slots=4, seed=1)
    x, y = 1.3 * math.cos(0.5), 1.3 * math.sin(0.5)
    made.apply([Spawn("a", position=(-x, -y, 0), yaw=0.5), Spawn("b", "visitor", (x, y, 0), 0.5 - math.pi)])
    return made


def told(world: World, watch: Watch, frame: Frame) -> list[tuple[int, int, float | None]]:
    """Returns holder, partner and heading of each change."""
    return [(each.holder, each.partner, each.yaw) for each in watch.news(frame, ()).things]


def test_both_ends_are_told_and_how_it_lies_when_it_falls(world: World) -> None:
    watch, engine = Watch(world, 7), Engine(world)
    one, other = (world.avatars[key].entity & 0xFFFFFFFF for key in "ab")
    world.apply([Interact("a")])
    assert told(world, watch, engine.step(Actions.none())) == [(one, -1, None)]
    world.apply([Interact("b")])
    assert told(world, watch, engine.step(Actions.none())) == [(one, other, None)]
    (thing,) = watch.place().things
    assert (thing.holder, thing.partner) == (one, other)
    assert thing.yaw == pytest.approx(0.5, abs=1e-3)
    assert told(world, watch, engine.step(Actions.none())) == [], "who carries it tells where it is"
    world.state.desired_velocity[0, 0] = torch.tensor([0.5, -0.8])
    for _ in range(5):
        assert told(world, watch, engine.step(Actions.none())) == []
    world.apply([Interact("b")])
    frame = engine.step(Actions.none())
    ((holder, partner, yaw),) = told(world, watch, frame)
    assert (holder, partner) == (-1, -1)
    assert yaw == pytest.approx(float(world.state.thing_yaw[0, 0]))
    assert yaw != pytest.approx(0.5, abs=0.01)
    assert [event.name for event in frame.events] == ["put_down", "dropped"]


def test_who_looks_at_it_learns_who_holds_which_end(world: World) -> None:
    engine = Engine(world)
    for key in "ab":
        world.apply([Interact(key)])
        engine.step(Actions.none())
    facts = looking.look(engine, None, wire.Inspect(3, node="stretcher")).facts
    assert (facts["Held by"], facts["Other end held by"]) == ("a", "b")
    assert (Watch(world, 7)._entities().flags & codec.HOLDING).all()
