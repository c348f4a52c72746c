"""A moment without its visitors: what they held lies where they stood, nobody aims at them, slots close up."""

from pathlib import Path

import pytest
import torch
from tests.integration.squares import square

from ecumene_agents.remembering import RECALLED
from ecumene_scenarios import Session
from ecumene_scenarios.errors import ForkError
from ecumene_scenarios.fork import Moment, Reached, without_visitors, write
from ecumene_scenarios.packs.forked import Rewarded
from ecumene_scenarios.packs.living import Living
from ecumene_scenarios.registry import load_scenario
from ecumene_scenarios.session import new_world
from ecumene_world import SceneGraph
from ecumene_world.command import SetIntent, Spawn
from ecumene_world.state import Verb
from ecumene_world.world import World


class Square(Living):
    """The test square."""

    name = "square"

    def graph(self, seed: int) -> SceneGraph:
        del seed
        return square()


@pytest.fixture
def world() -> World:
    """Two residents, a visitor between them whom one follows, and a cup in the visitor's hand."""
    world = new_world(Square(2), 4)
    named = [("npc:0", "npc"), ("visitor:ada", "visitor"), ("npc:1", "npc")]
    world.apply([Spawn(key, kind) for key, kind in named])  # type: ignore[arg-type]
    world.apply(
        [SetIntent("npc:0", Verb.FOLLOW, target="visitor:ada"), SetIntent("npc:1", Verb.FOLLOW, target="npc:0")]
    )
    held = int(torch.arange(world.state.thing_holder.shape[1])[0])
    world.state.thing_holder[0, held] = 1
    world.state.held[0, 1] = held
    return world


def test_nobody_refers_to_a_visitor_any_more(world: World) -> None:
    place = world.state.position[0, 1].clone()
    rest = world.state.position[0, 2].clone()
    left = without_visitors(world)
    assert [avatar.key for avatar in left.avatars.values()] == ["npc:0", "npc:1"]
    assert left.state.target.tolist() == [[-1, 0]]
    assert left.state.thing_holder.tolist()[0][0] == -1
    assert torch.equal(left.state.thing_position[0, 0], place)
    assert torch.equal(left.state.position[0, 1], rest)


def test_slots_that_are_referred_to_get_their_new_numbers(world: World) -> None:
    world.state.thing_holder[0, 0], world.state.thing_partner[0, 0] = 2, 1
    world.state.target[0, 0] = 2
    left = without_visitors(world)
    assert int(left.state.thing_partner[0, 0]) == -1, "the visitor at the other end is gone"
    assert int(left.state.thing_holder[0, 0]) == 1
    assert int(left.state.target[0, 0]) == 1


def test_what_fast_minds_remembered_is_left_behind(world: World) -> None:
    """Its numbers may be about visitors, and nobody can take those out."""
    world.extra[RECALLED] = b"numbers"
    assert RECALLED not in without_visitors(world).extra


def test_a_place_without_npcs_cannot_be_forked(tmp_path: Path) -> None:
    world = new_world(Square(0), 4)
    world.apply([Spawn("visitor:ada", "visitor")])
    with pytest.raises(ForkError, match="has no NPCs at tick 0"):
        write(Reached("plaza", world, 0, 0), tmp_path / "empty.yaml")


@pytest.fixture
def moment(tmp_path: Path) -> Path:
    """Eight residents after a second: some on their way, some there."""
    session = Session(Square(8), seed=4)
    world = session.world
    world.apply([SetIntent(f"npc:{number}", Verb.GO, place="square") for number in range(6)])
    world.state.position[0, 0] = world.state.goal[0, 0] - torch.tensor([0.45, 0.0, 0.0])
    path = tmp_path / "plaza.yaml"
    write(Reached("plaza", world, 0, 0), path)
    return path


def test_who_was_there_already_is_not_rewarded(moment: Path) -> None:
    scenario = load_scenario(moment)
    assert isinstance(scenario, Rewarded)
    session = Session(scenario, seed=1)
    state = session.world.state
    assert scenario.judged(state).tolist() == [[False, True, True, True, True, True, False, False]]
    assert scenario.taught(state).tolist() == [[True, False, False, False, False, False, True, True]]
    frame = session.tick()
    assert not frame.left.any()
    assert float(frame.reward[0, 0]) == 0.0


def test_who_arrives_is_rewarded_and_followed_by_a_newcomer(moment: Path) -> None:
    session = Session(load_scenario(moment), seed=1)
    state = session.world.state
    state.position[0, 3] = state.goal[0, 3] + torch.tensor([0.45, 0.0, 0.0])
    frame = session.tick()
    assert frame.left.tolist()[0] == [False, False, False, True, False, False, False, False]
    assert float(frame.reward[0, 3]) > 0.9
    for _ in range(40):
        session.tick()
    assert int(state.alive.sum()) == 8
    assert "npc:0.8" in session.world.avatars


def test_worlds_that_start_over_do_so_at_the_moment(moment: Path) -> None:
    scenario = load_scenario(moment)
    session = Session(scenario, seed=1, worlds=2)
    world, saved = session.world, Moment(moment.with_suffix(".moment")).world.state
    for _ in range(8):
        session.tick()
    serial = world.state.serial.clone()
    scenario.reset(world, torch.tensor([True, False]), world.generators["scenario"])
    assert torch.equal(world.state.position[0], saved.position[0])
    assert (world.state.serial[0] == serial[0] + 1).all(), "whoever starts over is somebody else"
    assert torch.equal(world.state.serial[1], serial[1])
