"""Sitting, opening, pressing, reading, taking, putting down and handing over."""

import math

import pytest
import torch
from tests.unit.sim.rooms import Box, Plan, Thing, busy_plan, put, use, walk, world_of

from ecumene_sim import Actions, Engine, Frame, Outcome, compaction
from ecumene_sim.hands import PULL_S
from ecumene_sim.interaction import HOLD_N, LOOKED_S, PULL_N
from ecumene_sim.things import DOOR_CLOSES_S
from ecumene_world.kinds import Category
from ecumene_world.state import DT, Posture, Sound
from ecumene_world.world import World

DOOR, BENCH, BALL, CUP, ALARM, BOARD, BELL = range(7)


@pytest.fixture(params=[True, False], ids=["gathered", "all rows"], autouse=True)
def _gathers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "_gathers", lambda device: request.param)


@pytest.fixture
def world() -> World:
    return world_of(busy_plan())


def wish(world: World, *wishes: tuple[int, int]) -> Frame:
    """Steps once with wishes (slot, 1 for the nearest or 2 + thing)."""
    for slot, what in wishes:
        world.state.interact[0, slot] = what
    return Engine(world).step(Actions.none())


def test_one_sits_on_the_nearest_free_seat_and_faces_its_way(world: World) -> None:
    put(world, 0, 9.6, 2.6, yaw=math.pi)
    frame = wish(world, (0, 1))
    state = world.state
    assert frame.outcome[0, 0] == Outcome.SAT
    assert frame.outcome_thing[0, 0] == BENCH
    assert state.posture[0, 0] == Posture.SIT
    assert state.seat[0, 0] == 0
    assert state.position[0, 0].tolist() == pytest.approx([9.0, 2.5, 0.45])
    assert state.yaw[0, 0] == 0
    assert state.interact[0, 0] == 0


def test_the_next_one_gets_the_other_seat_and_the_third_none(world: World) -> None:
    for slot in range(3):
        put(world, slot, 9.6, 2.6 + 0.3 * slot)
        wish(world, (slot, 1))
    assert world.state.seat[0, :3].tolist() == [0, 1, -1]
    assert world.state.posture[0, 2] == Posture.STAND


def test_of_two_who_want_the_same_seat_the_lower_slot_gets_it(world: World) -> None:
    put(world, 5, 9.6, 2.6)
    put(world, 2, 9.7, 2.6)
    frame = wish(world, (5, 1), (2, 1))
    assert world.state.seat[0, 2] == 0
    assert world.state.seat[0, 5] == -1
    assert frame.outcome[0, 5] == Outcome.NOTHING_THERE
    wish(world, (5, 1))
    assert world.state.seat[0, 5] == 1, "it sits beside when it tries again"


def test_a_seat_out_of_reach_is_not_sat_on(world: World) -> None:
    put(world, 0, 10.4, 3.0)
    assert wish(world, (0, 1)).outcome[0, 0] == Outcome.NOTHING_THERE


def test_who_stands_where_one_comes_to_a_seat_can_sit_down(world: World) -> None:
    approach = world.layout.seat_approach
    approach[0, :2] = world.layout.seat_position[0, :2] + torch.tensor([1.1, 0.0])
    x, y = approach[0, :2].tolist()
    put(world, 0, x + 0.55, y, yaw=math.pi)
    assert wish(world, (0, 1)).outcome[0, 0] == Outcome.SAT
    assert world.state.seat[0, 0] == 0
    put(world, 1, x + 0.65, y, yaw=math.pi)
    assert wish(world, (1, 1)).outcome[0, 1] == Outcome.NOTHING_THERE


def test_who_wants_to_move_stands_up_before_the_seat(world: World) -> None:
    put(world, 0, 9.6, 2.6)
    wish(world, (0, 1))
    engine = Engine(world)
    assert engine.step(walk(0, forward=0.1)).outcome[0, 0] == Outcome.NONE, "fidgeting is not asking"
    frame = engine.step(walk(0))
    assert frame.outcome[0, 0] == Outcome.STOOD_UP
    assert frame.outcome_thing[0, 0] == BENCH
    assert world.state.position[0, 0].tolist() == pytest.approx([9.6, 2.5, 0.0])
    assert world.state.seat[0, 0] == -1


def test_who_sits_and_interacts_stands_up(world: World) -> None:
    put(world, 0, 9.6, 2.6)
    wish(world, (0, 1))
    assert wish(world, (0, 1)).outcome[0, 0] == Outcome.STOOD_UP
    assert world.state.posture[0, 0] == Posture.STAND


def test_a_bed_is_lain_on() -> None:
    world = world_of(Plan(things=(Thing("bed", 10, 10, seats=((0, 0),)),)))
    put(world, 0, 11.3, 10)
    assert wish(world, (0, 1)).outcome[0, 0] == Outcome.LAY_DOWN
    assert world.state.posture[0, 0] == Posture.LIE


def test_a_door_opens_and_closes_with_a_creak(world: World) -> None:
    put(world, 0, 5.2, 5.0)
    assert wish(world, (0, 1)).outcome[0, 0] == Outcome.OPENED
    assert world.state.thing_state[0, DOOR] == 1
    assert world.state.thing_sound[0, DOOR] == Sound.DOOR
    assert world.state.thing_timer[0, DOOR] == pytest.approx(DOOR_CLOSES_S, abs=0.06)
    assert wish(world, (0, 1)).outcome[0, 0] == Outcome.CLOSED
    assert world.state.thing_state[0, DOOR] == 0


def test_a_door_opens_though_its_cell_is_crowded(world: World) -> None:
    layout = world.layout
    layout.thing_of_cell[layout.thing_of_cell == DOOR] = -1
    put(world, 0, 5.2, 5.0)
    assert wish(world, (0, 1)).outcome[0, 0] == Outcome.OPENED


def test_a_door_goes_before_what_hangs_beside_it() -> None:
    door = Thing("door", 6.0, 5.0, leaf=(6.0, 4.5, 6.0, 5.5))
    world = world_of(Plan(things=(door, Thing("painting", 5.9, 5.8, z=1.5))))
    put(world, 0, 5.1, 5.2)
    assert wish(world, (0, 1)).outcome[0, 0] == Outcome.OPENED
    put(world, 0, 5.1, 6.5)
    assert wish(world, (0, 1)).outcome[0, 0] == Outcome.READ


def test_a_door_in_which_somebody_stands_stays_open(world: World) -> None:
    put(world, 0, 5.2, 5.0)
    put(world, 1, 6.0, 5.0)
    world.state.thing_state[0, DOOR] = 1
    assert wish(world, (0, 1)).outcome[0, 0] == Outcome.NOTHING_THERE
    assert world.state.thing_state[0, DOOR] == 1


def test_two_hands_on_one_door_open_it_once(world: World) -> None:
    put(world, 0, 5.2, 4.8)
    put(world, 1, 5.2, 5.3)
    frame = wish(world, (0, 1), (1, 1))
    assert world.state.thing_state[0, DOOR] == 1
    assert frame.outcome[0, :2].tolist() == [Outcome.OPENED, Outcome.NOTHING_THERE]


def test_pressing_turns_on_and_off(world: World) -> None:
    put(world, 0, 11.0, 8.3, yaw=math.pi / 2)
    assert wish(world, (0, 1)).outcome[0, 0] == Outcome.TURNED_ON
    assert world.state.thing_sound[0, ALARM] == Sound.ALARM
    assert world.state.touch_hand[0, 0] == pytest.approx(15)
    assert wish(world, (0, 1)).outcome[0, 0] == Outcome.TURNED_OFF
    assert world.state.thing_sound[0, ALARM] == Sound.SILENCE


def test_reading_takes_no_turns(world: World) -> None:
    put(world, 0, 1.0, 8.0, yaw=math.pi / 2)
    put(world, 1, 1.6, 8.0, yaw=math.pi / 2)
    frame = wish(world, (0, 1), (1, 1))
    assert frame.outcome[0, :2].tolist() == [Outcome.READ, Outcome.READ]
    assert frame.outcome_thing[0, :2].tolist() == [BOARD, BOARD]


def test_a_taken_thing_goes_where_its_holder_goes_and_stays_where_it_is_put(world: World) -> None:
    put(world, 0, 2.5, 3.0)
    assert wish(world, (0, 1)).outcome[0, 0] == Outcome.PICKED_UP
    assert world.state.held[0, 0] == BALL
    assert world.state.thing_holder[0, BALL] == 0
    engine = Engine(world)
    for _ in range(20):
        engine.step(walk(0))
    hand = world.state.thing_position[0, BALL] - world.state.position[0, 0]
    assert hand.tolist() == pytest.approx([0.35, 0.0, 1.72 * 0.6], abs=1e-3)
    engine.step(walk(0, forward=0.0))
    x = float(world.state.position[0, 0, 0])
    assert wish(world, (0, 1)).outcome[0, 0] == Outcome.PUT_DOWN
    assert world.state.thing_position[0, BALL].tolist() == pytest.approx([x + 0.45, 3.0, 0.0], abs=0.2)
    assert world.state.held[0, 0] == world.state.thing_holder[0, BALL] == -1


def test_of_two_who_reach_for_a_thing_the_lower_slot_gets_it(world: World) -> None:
    put(world, 4, 2.5, 3.0)
    put(world, 1, 3.5, 3.0, yaw=math.pi)
    frame = wish(world, (4, 1), (1, 1))
    assert world.state.held[0].tolist() == [-1, BALL, -1, -1, -1, -1, -1, -1]
    assert frame.outcome[0, 4] == Outcome.NOTHING_THERE


def test_full_hands_take_nothing_more(world: World) -> None:
    world.state.thing_position[0, CUP] = torch.tensor([3.0, 3.4, 0.0])
    put(world, 0, 2.5, 3.0)
    wish(world, (0, 2 + BALL))
    assert wish(world, (0, 2 + CUP)).outcome[0, 0] == Outcome.NOTHING_THERE
    assert world.state.held[0, 0] == BALL


def test_full_hands_can_still_open_a_door(world: World) -> None:
    world.state.thing_position[0, BALL] = torch.tensor([5.0, 5.0, 0.0])
    put(world, 0, 5.3, 5.0)
    wish(world, (0, 2 + BALL))
    assert wish(world, (0, 1)).outcome[0, 0] == Outcome.OPENED
    assert world.state.held[0, 0] == BALL


@pytest.mark.parametrize("waits", [0, 4, 8])
def test_who_meant_to_open_a_door_with_full_hands_keeps_them_full(world: World, waits: int) -> None:
    """Somebody else opens it between their look and their wish, which then means another thing."""
    world.state.thing_position[0, BALL] = torch.tensor([5.0, 4.8, 0.0])
    put(world, 0, 5.3, 4.8)
    wish(world, (0, 2 + BALL))
    put(world, 1, 5.2, 5.3)
    assert wish(world, (1, 1)).outcome[0, 1] == Outcome.OPENED
    for _ in range(waits):
        wish(world)
    assert wish(world, (0, 1)).outcome[0, 0] == Outcome.NOTHING_THERE
    assert world.state.held[0, 0] == BALL
    assert world.state.thing_state[0, DOOR] == 1, "nor is it shut"


def test_full_hands_can_be_emptied_beside_an_open_door(world: World) -> None:
    world.state.thing_position[0, BALL] = torch.tensor([5.0, 4.8, 0.0])
    put(world, 0, 5.3, 4.8)
    wish(world, (0, 2 + BALL))
    put(world, 1, 5.2, 5.3)
    wish(world, (1, 1))
    for _ in range(round(LOOKED_S / DT)):
        wish(world)
    assert wish(world, (0, 1)).outcome[0, 0] == Outcome.PUT_DOWN


def test_what_is_to_be_put_down_is_put_down_beside_a_door_that_has_just_opened(world: World) -> None:
    world.state.thing_position[0, BALL] = torch.tensor([5.0, 4.8, 0.0])
    put(world, 0, 5.3, 4.8)
    wish(world, (0, 2 + BALL))
    put(world, 1, 5.2, 5.3)
    wish(world, (1, 1))
    assert wish(world, (0, 2 + BALL)).outcome[0, 0] == Outcome.PUT_DOWN


def test_a_thing_is_handed_to_the_empty_handed_avatar_ahead(world: World) -> None:
    put(world, 0, 2.5, 3.0)
    put(world, 1, 3.3, 3.1, yaw=math.pi)
    put(world, 2, 1.8, 3.0)
    wish(world, (0, 2 + BALL))
    frame = wish(world, (0, 1))
    assert frame.outcome[0, 0] == Outcome.HANDED_OVER
    assert frame.outcome_other[0, 0] == 1
    assert world.state.held[0, :3].tolist() == [-1, BALL, -1]
    assert world.state.thing_holder[0, BALL] == 1


@pytest.mark.parametrize("asks", [1, 2 + BALL])
def test_who_holds_a_thing_feels_another_pull_at_it_for_a_while(world: World, asks: int) -> None:
    put(world, 0, 2.5, 3.0)
    put(world, 1, 3.3, 3.1, yaw=math.pi)
    wish(world, (0, 2 + BALL))
    wish(world)
    assert world.state.touch_hand[0, :2].tolist() == pytest.approx([HOLD_N, 0.0])
    frame = wish(world, (1, asks))
    assert frame.outcome[0, 1] == Outcome.PULLED
    assert frame.outcome_thing[0, 1] == BALL
    assert frame.outcome_other[0, 1] == 0
    assert world.state.held[0, :2].tolist() == [BALL, -1], "pulling does not take it away"
    felt = [float(world.state.touch_hand[0, 0])]
    for _ in range(round(PULL_S / DT)):
        wish(world)
        felt.append(float(world.state.touch_hand[0, 0]))
    assert felt[-2:] == pytest.approx([HOLD_N + PULL_N, HOLD_N])


@pytest.mark.parametrize(("x", "yaw"), [(4.0, math.pi), (3.3, 0.0)])
def test_nobody_pulls_from_afar_or_behind_the_back(world: World, x: float, yaw: float) -> None:
    put(world, 0, 2.5, 3.0)
    put(world, 1, x, 3.1, yaw=yaw)
    wish(world, (0, 2 + BALL))
    assert wish(world, (1, 2 + BALL)).outcome[0, 1] == Outcome.NOTHING_THERE
    wish(world)
    assert world.state.touch_hand[0, 0] == pytest.approx(HOLD_N)


def test_a_pull_ends_when_the_thing_is_handed_over(world: World) -> None:
    put(world, 0, 2.5, 3.0)
    put(world, 1, 3.3, 3.1, yaw=math.pi)
    wish(world, (0, 2 + BALL))
    wish(world, (1, 1))
    assert wish(world, (0, 1)).outcome[0, 0] == Outcome.HANDED_OVER
    wish(world)
    assert world.state.touch_hand[0, :2].tolist() == pytest.approx([0.0, HOLD_N])


def test_of_two_givers_to_one_pair_of_hands_the_lower_slot_gives(world: World) -> None:
    world.state.thing_position[0, CUP] = torch.tensor([4.2, 3.0, 0.0])
    put(world, 0, 2.6, 3.0)
    put(world, 1, 3.3, 3.0)
    put(world, 2, 4.1, 3.0, yaw=math.pi)
    wish(world, (0, 2 + BALL), (2, 2 + CUP))
    frame = wish(world, (0, 1), (2, 1))
    assert world.state.held[0, :3].tolist() == [-1, BALL, -1]
    assert frame.outcome[0, 0] == Outcome.HANDED_OVER
    assert frame.outcome[0, 2] == Outcome.PUT_DOWN
    assert world.state.thing_holder[0].tolist()[CUP] == -1


def test_what_was_asked_for_is_used_even_if_another_thing_is_nearer(world: World) -> None:
    world.state.thing_position[0, BALL] = torch.tensor([11.0, 8.0, 0.0])
    put(world, 0, 11.0, 8.0, yaw=math.pi / 2)
    assert wish(world, (0, 2 + ALARM)).outcome[0, 0] == Outcome.TURNED_ON


def test_what_is_out_of_reach_is_not_used(world: World) -> None:
    put(world, 0, 2.5, 3.0)
    frame = wish(world, (0, 2 + ALARM))
    assert frame.outcome[0, 0] == Outcome.NOTHING_THERE
    assert not world.state.thing_state.any()


def test_things_ahead_come_before_things_behind() -> None:
    plan = Plan(things=(Thing("radio", 10.8, 10), Thing("alarm_button", 9.3, 10)))
    world = world_of(plan)
    put(world, 0, 10, 10)
    assert wish(world, (0, 1)).outcome_thing[0, 0] == 0


def test_a_world_without_things_refuses_politely() -> None:
    world = world_of(Plan(boxes=(Box(5, 5, 6, 6, 1.0, Category.TABLE),)))
    put(world, 0, 10, 10)
    assert Engine(world).step(use(0)).outcome[0, 0] == Outcome.NOTHING_THERE


def test_a_wish_of_an_empty_slot_is_no_wish(world: World) -> None:
    world.state.position[0, 0] = torch.tensor([9.6, 2.6, 0.0])
    frame = wish(world, (0, 1))
    assert not frame.outcome.any()
    assert world.state.seat[0, 0] == -1
