from collections.abc import Callable

import pytest
import torch
from tests.unit.agents.grounds import settle, world_of

from ecumene_agents.roster import HOLD_TICKS, RESTING_TURNS, STRIDE, Driver, Roster
from ecumene_sim.frame import Actions
from ecumene_world.command import Despawn, Steer
from ecumene_world.state import Posture, Sound, State, Verb
from ecumene_world.world import World


def everyone(world: World) -> Actions:
    slots = torch.arange(world.state.slots)
    return Actions.from_floats(slots, torch.ones(1, len(slots), 2))


def test_every_npc_decides_once_in_a_stride_and_visitors_never() -> None:
    world = world_of("open")
    npcs = [settle(world, f"npc:{n}", n, 0) for n in range(6)]
    settle(world, "visitor:ada", 0, 5, kind="visitor")
    world.state.verb[0, npcs] = int(Verb.GO)
    roster = Roster(world)
    shares = [roster.deciding(tick).tolist() for tick in range(8)]
    assert sorted(slot for share in shares[:4] for slot in share) == npcs
    assert shares[:4] == shares[4:]
    assert all(slot % 4 == tick % 4 for tick, share in enumerate(shares) for slot in share)


def turns(world: World, slot: int) -> int:
    """Counts the turns of a slot in as many ticks as one that rests has one turn in."""
    roster = Roster(world)
    return sum(slot in roster.deciding(tick).tolist() for tick in range(STRIDE * RESTING_TURNS))


def at_rest(verb: Verb = Verb.WAIT) -> tuple[World, int, int]:
    """Returns a world with an NPC that rests and another beside it, and their slots."""
    world = world_of("open", slots=8)
    slot, other = settle(world, "npc:1", 0, 0), settle(world, "npc:2", 2, 0)
    world.state.verb[0, slot] = int(verb)
    world.state.posture[0, slot] = int(Posture.SIT if verb is Verb.SIT else Posture.STAND)
    return world, slot, other


@pytest.mark.parametrize("verb", [Verb.WAIT, Verb.SIT])
def test_who_rests_takes_one_turn_in_four(verb: Verb) -> None:
    world, slot, _ = at_rest(verb)
    assert turns(world, slot) == 1


def test_those_who_rest_do_not_take_their_turns_all_at_once() -> None:
    world = world_of("open", slots=64)
    for n in range(64):
        settle(world, f"npc:{n}", n % 8 - 4, n // 8 - 4)
    shares = [len(Roster(world).deciding(tick)) for tick in range(STRIDE * RESTING_TURNS)]
    assert shares == [64 // (STRIDE * RESTING_TURNS)] * len(shares)


@pytest.mark.parametrize(
    "wake",
    [
        lambda state, slot, _: state.verb[0, slot].fill_(int(Verb.GO)),
        lambda state, slot, _: state.velocity[0, slot, 0].fill_(0.2),
        lambda state, slot, _: state.desired_velocity[0, slot, 0].fill_(0.3),
        lambda state, slot, _: state.yaw_rate[0, slot].fill_(0.5),
        lambda state, slot, _: state.contact[0, slot, 3].fill_(20.0),
        lambda state, slot, _: state.touch_hand[0, slot].fill_(30.0),
        lambda state, _, other: state.sound[0, other].fill_(int(Sound.SPEECH)),
    ],
    ids=["intent", "motion", "wish", "turn", "push", "pull", "speech"],
)
def test_what_happens_wakes_who_rests(wake: Callable[[State, int, int], object]) -> None:
    world, slot, other = at_rest()
    wake(world.state, slot, other)
    assert turns(world, slot) == RESTING_TURNS


def test_somebody_who_speaks_out_of_earshot_wakes_nobody() -> None:
    world, slot, other = at_rest()
    world.state.position[0, other, 0] = 6.0
    world.state.sound[0, other] = int(Sound.SPEECH)
    assert turns(world, slot) == 1


def test_ones_own_words_wake_nobody() -> None:
    world, slot, _ = at_rest()
    world.state.sound[0, slot] = int(Sound.SPEECH)
    assert turns(world, slot) == 1


def test_a_push_does_not_wake_who_sits_but_a_hand_does() -> None:
    world, slot, _ = at_rest(Verb.SIT)
    world.state.contact[0, slot, 0] = 20.0
    assert turns(world, slot) == 1
    world.state.touch_hand[0, slot] = 30.0
    assert turns(world, slot) == RESTING_TURNS


def test_who_wants_to_sit_and_still_stands_does_not_rest() -> None:
    world, slot, _ = at_rest(Verb.SIT)
    world.state.posture[0, slot] = int(Posture.STAND)
    assert turns(world, slot) == RESTING_TURNS


@pytest.mark.parametrize(("x", "target", "wanted"), [(3.0, False, 4), (9.0, False, 1), (9.0, True, 4)])
def test_visitors_wake_who_rests_near_or_waits_for_them(x: float, target: bool, wanted: int) -> None:
    world, slot, _ = at_rest()
    visitor = settle(world, "visitor:ada", x, 0, kind="visitor")
    if target:
        world.state.target[0, slot] = visitor
    assert turns(world, slot) == wanted


def test_drivers_follow_kind() -> None:
    world = world_of("open")
    settle(world, "npc:1", 0, 0)
    settle(world, "visitor:ada", 0, 5, kind="visitor")
    roster = Roster(world)
    assert [roster.driver(key) for key in ("npc:1", "visitor:ada", "npc:9")] == [
        Driver.MINDS,
        Driver.PERSON,
        Driver.NONE,
    ]


def test_people_win_over_minds() -> None:
    world = world_of("open", slots=4)
    npc, visitor = settle(world, "npc:1", 0, 0), settle(world, "visitor:ada", 0, 5, kind="visitor")
    kept = Roster(world).override(everyone(world), ()).slots.tolist()
    assert npc in kept
    assert visitor not in kept


def test_who_steers_an_npc_holds_it_for_a_while() -> None:
    world = world_of("open", slots=4)
    slot = settle(world, "npc:1", 0, 0)
    roster = Roster(world)
    assert slot not in roster.override(everyone(world), [Steer("npc:1", (1.0, 0.0), 0.0)]).slots.tolist()
    assert roster.driver("npc:1") is Driver.PERSON
    assert all(slot not in roster.deciding(tick).tolist() for tick in range(4))
    world.state.tick += HOLD_TICKS + 1
    assert slot in roster.override(everyone(world), ()).slots.tolist()
    assert roster.driver("npc:1") is Driver.MINDS


def test_a_held_npc_that_leaves_frees_its_slot_for_minds() -> None:
    world = world_of("open", slots=4)
    settle(world, "npc:1", 0, 0)
    roster = Roster(world)
    roster.override(everyone(world), [Steer("npc:1", (1.0, 0.0), 0.0)])
    world.apply([Despawn("npc:1")])
    slot = settle(world, "npc:2", 0, 0)
    assert slot in roster.override(everyone(world), ()).slots.tolist()


def test_an_idle_avatar_is_nobodys() -> None:
    world = world_of("open", slots=4)
    slot = settle(world, "npc:1", 0, 0)
    roster = Roster(world)
    roster.idle("npc:1")
    assert roster.driver("npc:1") is Driver.NONE
    assert slot not in [each for tick in range(16) for each in roster.deciding(tick).tolist()]
    assert slot not in roster.override(everyone(world), ()).slots.tolist()
    roster.idle("npc:1", idle=False)
    assert slot in [each for tick in range(16) for each in roster.deciding(tick).tolist()]


def test_the_rest_of_the_actions_stays_as_decided() -> None:
    world = world_of("open", slots=4)
    settle(world, "visitor:ada", 0, 5, kind="visitor")
    actions = everyone(world)
    actions.raw[0, :, 2] = torch.arange(4, dtype=torch.int8)
    kept = Roster(world).override(actions, ())
    assert kept.raw[0, :, 2].tolist() == kept.slots.tolist() == [1, 2, 3]


def test_an_alarm_wakes_everybody() -> None:
    world = world_of("village")
    slot = settle(world, "npc:1", 10, 10)
    assert turns(world, slot) == 1
    world.state.thing_sound[0, 0] = int(Sound.ALARM)
    assert turns(world, slot) == RESTING_TURNS
