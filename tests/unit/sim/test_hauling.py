"""Two who carry a heavy thing: taking its ends, going together, feeling each other, dropping it."""

import math

import pytest
import torch
from tests.unit.sim.rooms import Box, Plan, Thing, put, use, walk, world_of

from ecumene_sim import Actions, Engine, Frame, Outcome, compaction
from ecumene_sim.choice import GRASP_M
from ecumene_sim.hauling import EFFORT, LOADED_SPEED, SLACK_M
from ecumene_sim.interaction import HOLD_N
from ecumene_world import snapshot
from ecumene_world.command import Despawn, Spawn
from ecumene_world.kinds import BY_NAME
from ecumene_world.state import Posture
from ecumene_world.world import World

STRETCHER, BALL, CHAIR = range(3)
LENGTH_M = BY_NAME["stretcher"].length_m


@pytest.fixture(params=[True, False], ids=["gathered", "all rows"], autouse=True)
def _gathers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "_gathers", lambda device: request.param)


def room(worlds: int = 1) -> World:
    """Returns a room with a stretcher along x in the middle, two people at its ends and a third beside it."""
    things = (
        Thing("stretcher", 10, 10, name="stretcher"),
        Thing("ball", 3, 3, name="ball"),
        Thing("chair", 3, 16, seats=((0, 0),), name="chair"),
    )
    world = world_of(Plan(things=things, boxes=(Box(15, 5, 16, 15),)), worlds=worlds)
    for index in range(worlds):
        put(world, 0, 8.7, 10, index=index)
        put(world, 1, 11.3, 10, yaw=math.pi, index=index)
        put(world, 2, 10, 10.9, yaw=-math.pi / 2, index=index)
    return world


@pytest.fixture
def world() -> World:
    return room()


@pytest.fixture
def carried(world: World) -> Engine:
    """The stretcher between slots 0 and 1."""
    engine = Engine(world)
    engine.step(use(0))
    engine.step(use(1))
    assert ends(world) == (0, 1)
    return engine


def ends(world: World) -> tuple[int, int]:
    state = world.state
    return int(state.thing_holder[0, STRETCHER]), int(state.thing_partner[0, STRETCHER])


def wants(first: tuple[float, float], second: tuple[float, float]) -> Actions:
    """Returns what slots 0 and 1 want, each in its own frame; in that of the fixture both have the other ahead."""
    return Actions.from_floats(torch.tensor([0, 1]), torch.tensor([[first, second]]))


def go(engine: Engine, first: tuple[float, float], second: tuple[float, float], ticks: int = 20) -> Frame:
    for _ in range(ticks - 1):
        engine.step(wants(first, second))
    return engine.step(wants(first, second))


def test_the_first_takes_one_end_and_the_second_the_other(world: World) -> None:
    engine = Engine(world)
    frame = engine.step(use(0))
    assert frame.outcome[0, 0] == Outcome.PICKED_UP
    assert ends(world) == (0, -1)
    frame = engine.step(use(1))
    assert frame.outcome[0, 1] == Outcome.PICKED_UP
    assert frame.outcome_other[0, 1] == 0
    assert ends(world) == (0, 1)
    assert world.state.held[0, :3].tolist() == [STRETCHER, STRETCHER, -1]
    assert world.state.thing_span[0, STRETCHER] == pytest.approx(2.6)


def test_of_two_who_want_it_at_once_the_lower_slot_is_first_and_the_other_next(world: World) -> None:
    engine = Engine(world)
    assert engine.step(use(0, 1)).outcome[0, :2].tolist() == [Outcome.PICKED_UP, Outcome.NOTHING_THERE]
    engine.step(use(1))
    assert ends(world) == (0, 1)


def test_one_alone_does_not_move_it_and_lets_go_when_it_strays(world: World) -> None:
    engine = Engine(world)
    engine.step(use(0))
    place = world.state.thing_position[0, STRETCHER].clone()
    for _ in range(3):
        engine.step(walk(0, forward=-1.0))
    assert ends(world) == (0, -1)
    assert torch.equal(world.state.thing_position[0, STRETCHER], place)
    for _ in range(20):
        engine.step(walk(0, forward=-1.0))
    assert ends(world) == (-1, -1)
    assert world.state.held[0, 0] == -1
    assert torch.equal(world.state.thing_position[0, STRETCHER], place)


def test_nobody_takes_the_end_that_is_taken_or_stands_on_the_thing(world: World) -> None:
    engine = Engine(world)
    engine.step(use(0))
    put(world, 2, 8.8, 10.6, yaw=-1.0)
    assert engine.step(use(2)).outcome[0, 2] == Outcome.NOTHING_THERE, "the other end is out of reach"
    put(world, 2, 10.3, 10.2, yaw=0.0)
    assert engine.step(use(2)).outcome[0, 2] == Outcome.NOTHING_THERE, "the other end is in reach, but not the length"
    assert ends(world) == (0, -1)


def test_an_end_out_of_reach_is_not_taken(world: World) -> None:
    put(world, 0, 10 - LENGTH_M / 2 - GRASP_M - 0.05, 10)
    assert Engine(world).step(use(0)).outcome[0, 0] == Outcome.NOTHING_THERE


def test_a_third_neither_takes_nor_pulls(world: World, carried: Engine) -> None:
    assert carried.step(use(2)).outcome[0, 2] == Outcome.NOTHING_THERE
    put(world, 2, 8.0, 10.0)
    world.state.interact[0, 2] = 2 + STRETCHER
    assert carried.step(Actions.none()).outcome[0, 2] == Outcome.NOTHING_THERE
    assert ends(world) == (0, 1)
    assert world.state.touch_hand[0, :2].tolist() == pytest.approx([HOLD_N, HOLD_N], abs=0.1)


def test_it_hangs_between_the_two_who_face_each_other(world: World, carried: Engine) -> None:
    world.state.yaw[0, :2] = world.state.target_yaw[0, :2] = 1.0
    for _ in range(20):
        carried.step(Actions.none())
    assert world.state.yaw[0, :2].cos().tolist() == pytest.approx([1.0, -1.0], abs=0.01)
    assert world.state.thing_position[0, STRETCHER].tolist() == pytest.approx([10.0, 10.0, 0.774], abs=0.01)
    assert world.state.thing_yaw[0, STRETCHER] == pytest.approx(0.0, abs=0.01)


def test_both_go_as_the_slower_wants_and_nobody_is_pulled_when_they_agree(world: World, carried: Engine) -> None:
    go(carried, (-0.5, 0.0), (0.5, 0.0))
    assert world.state.velocity[0, :2, 0].tolist() == pytest.approx([-0.7, -0.7], abs=0.01)
    assert world.state.touch_hand[0, :2].tolist() == pytest.approx([HOLD_N, HOLD_N], abs=0.5)
    go(carried, (-0.5, 0.0), (0.3, 0.0), ticks=5)
    assert world.state.velocity[0, 0, 0] == pytest.approx(-0.42, abs=0.05)


def test_no_faster_than_the_loaded_speed(world: World, carried: Engine) -> None:
    go(carried, (-1.0, 0.0), (1.0, 0.0))
    assert world.state.velocity[0, :2, 0].tolist() == pytest.approx([-LOADED_SPEED, -LOADED_SPEED], abs=0.01)


@pytest.mark.parametrize("ahead", [-0.2, 0.2])
def test_nobody_moves_it_alone_and_both_hands_feel_who_tries(world: World, carried: Engine, ahead: float) -> None:
    go(carried, (ahead, 0.0), (0.0, 0.0), ticks=4)
    assert world.state.thing_position[0, STRETCHER, 0] == pytest.approx(10.0, abs=0.02)
    pull = -ahead * 1.4 * EFFORT
    assert world.state.touch_hand[0, 0] == world.state.touch_hand[0, 1]
    assert (float(world.state.touch_hand[0, 0]) - HOLD_N) / pull == pytest.approx(1.0, abs=0.25)


def test_across_it_each_is_free_and_it_turns(world: World, carried: Engine) -> None:
    go(carried, (0.0, 0.5), (0.0, 0.0), ticks=10)
    assert ends(world) == (0, 1)
    assert world.state.position[0, 0, 1] > 10.2
    assert world.state.thing_yaw[0, STRETCHER] < -0.05


@pytest.mark.parametrize(("ahead", "name"), [(-1.0, "apart"), (1.0, "together")])
def test_who_goes_against_the_other_drops_it(world: World, carried: Engine, ahead: float, name: str) -> None:
    del name
    events = []
    for _ in range(20):
        events += [(event.name, event.subject) for event in carried.step(wants((ahead, 0.0), (ahead, 0.0))).events]
    assert events == [("dropped", "stretcher")]
    assert ends(world) == (-1, -1)
    assert world.state.held[0, :2].tolist() == [-1, -1]
    assert world.state.thing_position[0, STRETCHER].tolist() == pytest.approx([10.0, 10.0, 0.0], abs=0.02)
    assert not world.state.touch_hand[0, :2].any()


def test_who_strays_further_than_the_slack_drops_it(world: World, carried: Engine) -> None:
    world.state.position[0, 0, 0] -= SLACK_M - 0.02
    carried.step(Actions.none())
    assert ends(world) == (0, 1)
    assert world.state.touch_hand[0, 1] > HOLD_N + 30
    world.state.position[0, 0, 0] -= 0.04
    carried.step(Actions.none())
    assert ends(world) == (-1, -1)


@pytest.mark.parametrize("slot", [0, 1])
def test_it_falls_when_either_lets_go(world: World, carried: Engine, slot: int) -> None:
    frame = carried.step(use(slot))
    assert frame.outcome[0, slot] == Outcome.PUT_DOWN
    assert [(event.name, event.subject) for event in frame.events][-1] == ("dropped", "stretcher")
    assert ends(world) == (-1, -1)
    assert world.state.held[0, :2].tolist() == [-1, -1]
    assert world.state.thing_position[0, STRETCHER, 2] == 0


def test_it_is_not_handed_to_who_stands_ahead(world: World, carried: Engine) -> None:
    put(world, 2, 9.4, 10.0)
    assert carried.step(use(0)).outcome[0, 0] == Outcome.PUT_DOWN
    assert world.state.held[0, 2] == -1


@pytest.mark.parametrize("slot", [0, 1])
def test_it_falls_when_either_leaves_and_the_next_in_the_slot_holds_nothing(slot: int) -> None:
    world = room()
    world.state.alive[:] = False
    world.apply([Spawn("a", position=(8.7, 10, 0), yaw=0.0), Spawn("b", position=(11.3, 10, 0), yaw=math.pi)])
    engine = Engine(world)
    engine.step(use(0))
    taken = engine.step(use(1)).events
    assert [(event.name, event.subject, event.object) for event in taken] == [("picked_up", "b", "a")]
    assert ends(world) == (0, 1)
    world.apply([Despawn("ab"[slot]), Spawn("c", position=(3, 5, 0))])
    frame = engine.step(Actions.none())
    assert [event.name for event in frame.events] == ["dropped"]
    assert ends(world) == (-1, -1)
    assert not (world.state.held >= 0).any()
    assert world.state.thing_position[0, STRETCHER].tolist() == pytest.approx([10.0, 10.0, 0.0], abs=0.01)


def test_it_falls_when_one_sits_down(world: World, carried: Engine) -> None:
    world.state.posture[0, 0], world.state.seat[0, 0] = int(Posture.SIT), 0
    carried.step(Actions.none())
    assert ends(world) == (-1, -1)


def test_a_ball_is_still_carried_by_one_beside_it(world: World, carried: Engine) -> None:
    put(world, 3, 3.3, 3.0, yaw=math.pi)
    carried.step(use(3))
    assert world.state.held[0, 3] == BALL
    carried.step(use(3))
    assert world.state.thing_holder[0, BALL] == -1
    assert ends(world) == (0, 1)


def test_a_world_of_a_batch_goes_as_it_would_alone() -> None:
    generator = torch.Generator().manual_seed(1)
    moves = [torch.rand(3, 3, 2, generator=generator) - 0.5 for _ in range(30)]
    batch, slots = room(3), torch.arange(3)
    alone = [room() for _ in range(3)]
    engine, others = Engine(batch), [Engine(each) for each in alone]
    for step, move in enumerate(moves):
        hands = torch.zeros(3, 3)
        hands[:, step % 2] = step < 2
        engine.step(Actions.from_floats(slots, move * (step > 1), interact=hands))
        for index, other in enumerate(others):
            other.step(Actions.from_floats(slots, move[index : index + 1] * (step > 1), interact=hands[:1]))
    assert (batch.state.thing_span[:, STRETCHER] > 0).all()
    for index, each in enumerate(alone):
        for name, column in each.state.fields().items():
            assert torch.equal(column[0], getattr(batch.state, name)[index]), name


def test_who_carries_on_after_a_restart_goes_on_bit_by_bit(world: World, carried: Engine) -> None:
    go(carried, (-0.5, 0.1), (0.4, 0.0), ticks=5)
    world.state.alive[0, 2] = False
    back = snapshot.load(snapshot.save(world), layout=world.layout)
    again = Engine(back)
    for _ in range(10):
        carried.step(wants((-0.5, 0.1), (0.4, 0.0)))
        again.step(wants((-0.5, 0.1), (0.4, 0.0)))
    assert ends(back) == (0, 1)
    for name, column in world.state.fields().items():
        assert torch.equal(column, getattr(back.state, name)), name
