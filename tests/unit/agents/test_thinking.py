import math

import pytest
import torch
from tests.unit.agents.grounds import settle, world_of

from ecumene_agents.errands import ASIDE_TICKS, STUCK_TICKS, YIELD_TICKS
from ecumene_agents.mind import Aim, Favour, Stage
from ecumene_agents.schedule import Activity, Clock
from ecumene_agents.thinking import (
    CHAT_TICKS,
    GLANCE_TICKS,
    GREET_AGAIN_TICKS,
    WELCOMERS,
    Thinking,
)
from ecumene_world.command import Command, Despawn, Gesture, Interact, Say, SetIntent
from ecumene_world.state import Posture, Verb
from ecumene_world.world import World

EVERYONE = range(16)


def village(*people: tuple[str, float, float, str]) -> tuple[World, Thinking]:
    world = world_of("village")
    for key, x, y, role in people:
        kind = "visitor" if key.startswith("visitor") else "npc"
        settle(world, key, x, y, role=role, kind=kind, title=key.split(":")[1].title())
    return world, Thinking(world)


def lives(world: World, thinking: Thinking, ticks: range) -> list[Command]:
    """Thinks at each second and applies what comes of it; nobody moves."""
    done: list[Command] = []
    for tick in ticks:
        if tick % 20 == 0:
            commands = thinking.think(tick, EVERYONE)
            assert [event for event in world.apply(commands) if event.name == "rejected"] == []
            done += commands
    return done


def put(world: World, key: str, point: tuple[float, ...]) -> None:
    slot = world.slot_of(key)
    world.state.position[0, slot] = torch.tensor(point)


def test_the_first_thought_is_an_intent_to_go_where_the_plan_says() -> None:
    world, thinking = village(("npc:mara", 0, -5, "teacher"))
    (command,) = thinking.think(0, EVERYONE)
    assert isinstance(command, SetIntent)
    aim = thinking.mind("npc:mara").aim
    assert aim is not None
    assert command.verb is Verb.GO
    assert command.place == world.layout.names[int(world.layout.place_row[aim.place])]


def test_an_intent_is_sent_once() -> None:
    world, thinking = village(("npc:mara", 30, 30, "teacher"))
    world.apply(thinking.think(0, EVERYONE))
    assert thinking.think(20, EVERYONE) == []


def test_only_the_given_slots_think_and_visitors_never() -> None:
    _, thinking = village(("npc:mara", 0, -5, "teacher"), ("npc:ivo", 5, -5, ""), ("visitor:ada", 30, 30, ""))
    assert {command.key for command in thinking.think(0, [1, 2]) if isinstance(command, SetIntent)} == {"npc:ivo"}
    assert set(thinking.minds) == {"npc:ivo"}


def test_at_the_place_it_settles_on_a_spot_of_its_own_and_dwells() -> None:
    world, thinking = village(("npc:mara", 0, -5, "teacher"))
    thinking.clock = Clock(start_h=10.5)
    lives(world, thinking, range(1))
    aim = thinking.mind("npc:mara").aim
    assert aim is not None
    assert aim.activity is Activity.WORK
    put(world, "npc:mara", tuple(world.layout.place_position[aim.place].tolist()))
    (command,) = lives(world, thinking, range(20, 21))
    assert isinstance(command, SetIntent)
    assert command.verb is Verb.WORK
    assert command.point == aim.point
    put(world, "npc:mara", aim.point or ())
    lives(world, thinking, range(40, 41))
    assert thinking.mind("npc:mara").aim is aim
    assert aim.stage is Stage.DWELL
    assert thinking.mind("npc:mara").memory.recent("arrived")[0].where == "lessons"
    lives(world, thinking, range(60, 60 + aim.stay_ticks + 40))
    assert thinking.mind("npc:mara").aim is not aim


def test_who_wants_to_sit_takes_a_free_seat() -> None:
    world, thinking = village(("npc:mara", 0, -5, ""), ("npc:ivo", 1, -5, ""))
    for key in ("npc:mara", "npc:ivo"):
        world.state.needs[0, world.slot_of(key), 0] = 0.1
    lives(world, thinking, range(1))
    seats = []
    for key in ("npc:mara", "npc:ivo"):
        aim = thinking.mind(key).aim
        assert aim is not None
        assert aim.activity is Activity.REST
        aim.place = world.layout.place_index["middle"]
        put(world, key, (0.0, 2.0, 0.0))
        lives(world, thinking, range(20, 21))
        seats.append(aim.seat)
        put(world, key, aim.point or ())
    assert seats[0] != seats[1]
    assert min(seats) >= 0
    uses = [command for command in lives(world, thinking, range(40, 41)) if isinstance(command, Interact)]
    assert {use.thing for use in uses} <= {"bench 1", "bench 2"}
    assert len(uses) == 2
    world.state.posture[0, :2] = int(Posture.SIT)
    lives(world, thinking, range(60, 61))
    assert thinking.mind("npc:mara").aim.stage is Stage.DWELL  # type: ignore[union-attr]


def about_to_sit(*others: tuple[str, float, float, str]) -> tuple[World, Thinking, Aim]:
    """Returns a village in which Mara is on the way to a seat that she chose."""
    world, thinking = village(("npc:mara", 2, -3, ""), *others)
    world.state.needs[0, world.slot_of("npc:mara"), 0] = 0.1
    lives(world, thinking, range(1))
    aim = thinking.mind("npc:mara").aim
    assert aim is not None
    aim.place = world.layout.place_index["middle"]
    lives(world, thinking, range(20, 21))
    assert aim.seat >= 0
    return world, thinking, aim


def test_who_is_off_its_seat_before_its_time_sits_down_again() -> None:
    world, thinking, aim = about_to_sit()
    put(world, "npc:mara", aim.point or ())
    (use,) = [command for command in lives(world, thinking, range(40, 41)) if isinstance(command, Interact)]
    slot, seat = world.slot_of("npc:mara"), aim.seat
    world.state.posture[0, slot], world.state.seat[0, slot] = int(Posture.SIT), seat
    lives(world, thinking, range(60, 61))
    assert aim.stage is Stage.DWELL
    assert not [command for command in lives(world, thinking, range(80, 81)) if isinstance(command, Interact)]
    world.state.posture[0, slot], world.state.seat[0, slot] = int(Posture.STAND), -1
    again = [command for command in lives(world, thinking, range(100, 101)) if isinstance(command, Interact)]
    assert again == [use]
    assert thinking.mind("npc:mara").aim is aim
    world.state.posture[0, slot], world.state.seat[0, slot] = int(Posture.SIT), seat
    lives(world, thinking, range(120, 121))
    assert aim.stage is Stage.DWELL


def test_who_finds_its_seat_taken_takes_another() -> None:
    world, thinking, aim = about_to_sit(("visitor:ada", 1, -5, ""))
    first = aim.seat
    world.state.seat[0, world.slot_of("visitor:ada")] = first
    lives(world, thinking, range(40, 61))
    assert thinking.mind("npc:mara").aim is aim
    assert (aim.stage, aim.verb) == (Stage.SETTLE, Verb.SIT)
    assert aim.seat not in {first, -1}


def test_who_does_not_get_onto_a_seat_does_something_else() -> None:
    world, thinking, aim = about_to_sit()
    put(world, "npc:mara", aim.point or ())
    lives(world, thinking, range(40, 40 + STUCK_TICKS))
    then = thinking.mind("npc:mara").aim
    assert then is not None
    assert "could not sit" in then.reason


def test_who_is_held_up_steps_aside_for_a_while_and_then_goes_on() -> None:
    world, thinking = village(("npc:mara", 30, 30, "teacher"))
    (first,) = lives(world, thinking, range(1))
    held = lives(world, thinking, range(20, 2 * YIELD_TICKS + 60))
    assert len(held) == 1
    point = held[0].point if isinstance(held[0], SetIntent) else None
    assert point is not None
    assert 1.0 < math.hypot(point[0] - 30, point[1] - 30) < 4.0
    began = thinking.mind("npc:mara").until - ASIDE_TICKS
    assert YIELD_TICKS <= began <= 2 * YIELD_TICKS + 20
    assert lives(world, thinking, range(2 * YIELD_TICKS + 60, began + ASIDE_TICKS + 21)) == [first]


def test_who_gets_nowhere_gives_up() -> None:
    world, thinking = village(("npc:mara", 30, 30, "teacher"))
    lives(world, thinking, range(1))
    first = thinking.mind("npc:mara").aim
    lives(world, thinking, range(20, STUCK_TICKS + 60))
    then = thinking.mind("npc:mara").aim
    assert then is not None
    assert then is not first
    assert then.activity is Activity.STROLL
    assert "get through" in then.reason


def test_a_detour_is_progress() -> None:
    world, thinking = village(("npc:mara", 30, 30, "teacher"))
    lives(world, thinking, range(1))
    first = thinking.mind("npc:mara").aim
    for second in range(1, 60):
        put(world, "npc:mara", (30.0, 30.0 + 0.5 * min(second, 16) * (1 if second % 2 else -1) * (second > 8), 0.0))
        lives(world, thinking, range(20 * second, 20 * second + 1))
    assert thinking.mind("npc:mara").aim is first


def test_where_there_is_no_room_one_does_something_else() -> None:
    world, thinking = village(*((f"npc:{name}", 0, -5, "teacher") for name in ("mara", "ivo", "ada")))
    thinking.clock = Clock(start_h=10.5)
    school = world.layout.place_index["lessons"]
    only = tuple(world.layout.place_position[school].tolist())
    lives(world, thinking, range(1))
    thinking._spots._of_place[school] = [only]
    for name in ("mara", "ivo", "ada"):
        put(world, f"npc:{name}", only)
    lives(world, thinking, range(20, 21))
    aims = [thinking.mind(f"npc:{name}").aim for name in ("mara", "ivo", "ada")]
    assert [aim.activity for aim in aims if aim] == [Activity.WORK, Activity.STROLL, Activity.STROLL]
    assert "no room" in (aims[1].reason if aims[1] else "")


def test_newcomers_get_the_jobs_that_are_left_whoever_is_looked_at_first() -> None:
    people = tuple((f"npc:{name}", x, -5.0, "gardener") for x, name in enumerate(("mara", "ivo", "ada", "finn")))
    orders = (("mara", "ivo", "ada", "finn"), ("finn", "ada", "ivo", "mara"))
    works = []
    for order in orders:
        _, thinking = village(*people)
        found = {name: thinking.mind(f"npc:{name}").persona.work for name in order}
        works.append(sorted(found.items()))
    assert works[0] == works[1]
    world, thinking = village(*people)
    thinking.mind("npc:mara")
    settle(world, "npc:late", 3, 3, role="teacher", title="Late")
    assert world.layout.place_role[thinking.mind("npc:late").persona.work] == "school"


def test_a_pressing_need_breaks_into_the_plan() -> None:
    world, thinking = village(("npc:mara", 30, 30, "teacher"))
    thinking.clock = Clock(start_h=10.5)
    world.state.needs[0, 0, 1] = 0.05
    lives(world, thinking, range(1))
    aim = thinking.mind("npc:mara").aim
    assert aim is not None
    assert (aim.activity, aim.reason) == (Activity.MEAL, "I am hungry")


def test_a_visitor_who_comes_near_is_greeted_once() -> None:
    world, thinking = village(("npc:mara", 30, 30, ""), ("visitor:ada", 31, 30, ""))
    done = lives(world, thinking, range(1200))
    greetings = [command for command in done if isinstance(command, Gesture | Say)]
    assert len([command for command in greetings if isinstance(command, Gesture)]) == 1
    assert thinking.mind("npc:mara").memory.people["visitor:ada"].times == 1
    later = lives(world, thinking, range(GREET_AGAIN_TICKS, GREET_AGAIN_TICKS + 60))
    assert any(isinstance(command, Gesture) for command in later)


def test_one_or_two_of_a_crowd_greet_a_visitor_and_the_others_look_up() -> None:
    crowd = [(f"npc:{n}", 30 + n % 3 * 0.7, 29 + n // 3 * 0.7, "") for n in range(9)]
    world, thinking = village(*crowd, ("visitor:ada", 30.4, 30.4, ""))
    for key in (who for who, *_ in crowd):
        aim = thinking.mind(key).aim = Aim(Activity.STROLL, Verb.GO, "I like it there", place=0, stay_ticks=9999)
        aim.point, aim.stage = (30.0, 30.0, 0.0), Stage.DWELL
        for other, *_ in crowd:
            thinking.mind(key).memory.meet(other, other, 0)
    done = lives(world, thinking, range(1))
    assert sum(isinstance(command, Gesture) for command in done) == WELCOMERS
    glances = [c for c in done if isinstance(c, SetIntent) and (c.verb, c.target) == (Verb.WAIT, "visitor:ada")]
    assert len(glances) == len(crowd) - WELCOMERS
    back = lives(world, thinking, range(20, GLANCE_TICKS + 40))
    assert not any(isinstance(command, Gesture) for command in back)
    assert sum(isinstance(c, SetIntent) and c.verb is Verb.GO for c in back) >= len(glances)


def test_nobody_is_greeted_from_afar_or_through_the_ceiling() -> None:
    world, thinking = village(("npc:mara", 30, 30, ""), ("visitor:ada", 35, 30, ""), ("visitor:bo", 30.5, 30, ""))
    world.state.level[0, world.slot_of("visitor:bo")] = 1
    assert not any(isinstance(command, Gesture) for command in lives(world, thinking, range(200)))


def test_two_idlers_who_meet_stop_for_a_chat_and_part_again() -> None:
    world, thinking = village(("npc:mara", 30, 30, ""), ("npc:ivo", 36, 30, ""))
    lives(world, thinking, range(1))
    for key in ("npc:mara", "npc:ivo"):
        thinking.mind(key).aim = Aim(Activity.STROLL, Verb.GO, "I like it there", place=0, since=20)
    put(world, "npc:ivo", (31.0, 30.0, 0.0))
    done = lives(world, thinking, range(20, 21))
    talking = [key for key in ("npc:mara", "npc:ivo") if thinking.mind(key).talk]
    assert talking == ["npc:mara", "npc:ivo"]
    assert {c.target for c in done if isinstance(c, SetIntent) and c.verb is Verb.WAIT} == {"npc:mara", "npc:ivo"}
    rest = lives(world, thinking, range(40, CHAT_TICKS + 80))
    spoke = {command.key for command in rest if isinstance(command, Say)}
    assert spoke == {"npc:mara", "npc:ivo"}
    assert thinking.mind("npc:mara").talk is None
    assert any(isinstance(command, SetIntent) and command.verb is Verb.GO for command in rest)


def test_a_favour_goes_before_its_own_day_and_ends_in_time() -> None:
    world, thinking = village(("npc:mara", 0, -5, "teacher"), ("visitor:ada", 4, -5, ""))
    lives(world, thinking, range(1))
    (command,) = thinking.agree("npc:mara", Favour(Verb.FOLLOW, "visitor:ada", until=200), 20)
    assert isinstance(command, SetIntent)
    assert (command.verb, command.target) == (Verb.FOLLOW, "visitor:ada")
    world.apply([command])
    assert not [c for c in lives(world, thinking, range(20, 180)) if isinstance(c, SetIntent)]
    after = lives(world, thinking, range(200, 260))
    assert thinking.mind("npc:mara").favour is None
    assert any(isinstance(c, SetIntent) and c.verb is Verb.GO for c in after)


def test_a_favour_ends_when_the_visitor_leaves() -> None:
    world, thinking = village(("npc:mara", 0, -5, ""), ("visitor:ada", 4, -5, ""))
    world.apply(thinking.agree("npc:mara", Favour(Verb.FOLLOW, "visitor:ada", until=10_000), 0))
    world.apply([Despawn("visitor:ada")])
    lives(world, thinking, range(20, 60))
    assert thinking.mind("npc:mara").favour is None


def test_who_leads_waits_for_who_falls_behind_and_says_when_they_are_there() -> None:
    world, thinking = village(("npc:mara", 0, -5, ""), ("visitor:ada", 1, -5, ""))
    place = world.layout.place_index["coffee"]
    (go,) = thinking.agree("npc:mara", Favour(Verb.GO, "visitor:ada", 10_000, place), 0)
    assert isinstance(go, SetIntent)
    assert (go.verb, go.place) == (Verb.GO, "coffee")
    put(world, "npc:mara", (11.0, -4.0, 0.0))
    behind = lives(world, thinking, range(400, 401))
    assert [type(command) for command in behind] == [Say, SetIntent]
    assert isinstance(behind[1], SetIntent)
    assert behind[1].verb is Verb.WAIT
    put(world, "visitor:ada", (9.0, -4.0, 0.0))
    assert [c.verb for c in lives(world, thinking, range(420, 421)) if isinstance(c, SetIntent)] == [Verb.GO]
    put(world, "npc:mara", (14.5, 0.0, 0.0))
    there = lives(world, thinking, range(440, 441))
    assert any(isinstance(command, Say) and "Here we are" in command.text for command in there)
    assert thinking.mind("npc:mara").favour is None


def test_a_newcomer_under_an_old_key_starts_afresh() -> None:
    world, thinking = village(("npc:mara", 0, -5, ""))
    thinking.mind("npc:mara").memory.visit("coffee", 3)
    world.apply([Despawn("npc:mara")])
    thinking.forget_gone()
    assert thinking.minds == {}
    settle(world, "npc:mara", 0, -5)
    assert not thinking.mind("npc:mara").memory.places


@pytest.mark.parametrize("name", ["open", "walled"])
def test_worlds_with_little_in_them_are_lived_in_too(name: str) -> None:
    world = world_of(name)
    settle(world, "npc:mara", -3, 0)
    settle(world, "npc:ivo", 4, 3)
    thinking = Thinking(world)
    lives(world, thinking, range(600))
    assert set(thinking.minds) == {"npc:mara", "npc:ivo"}


def test_thinking_is_reproducible() -> None:
    runs = [lives(*village(("npc:mara", 0, -5, ""), ("npc:ivo", 1, -5, "cook")), range(900)) for _ in range(2)]
    assert runs[0] == runs[1]
    assert len(runs[0]) > 2
