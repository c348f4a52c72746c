import pytest
from tests.unit.agents.grounds import settle, world_of

from ecumene_agents.aims import aim_for, feeling, pressing
from ecumene_agents.memory import Memory
from ecumene_agents.mind import Mind
from ecumene_agents.persona import persona_of
from ecumene_agents.schedule import Activity
from ecumene_agents.spots import Spots
from ecumene_agents.staff import Staff
from ecumene_world.state import Verb
from ecumene_world.world import World


def mind_of(world: World, role: str = "teacher") -> Mind:
    settle(world, "npc:1", 3, -5, role=role)
    work = Staff(Spots(world.layout)).hire("npc:1", role, 1)
    return Mind(persona_of(world.avatars["npc:1"], world.layout, 1, ["npc:1", "npc:2"], work), Memory())


@pytest.mark.parametrize(
    ("needs", "now", "wanted"),
    [
        ((1.0, 1.0, 1.0, 1.0), None, None),
        ((0.2, 1.0, 1.0, 1.0), None, Activity.REST),
        ((0.2, 0.1, 1.0, 1.0), None, Activity.MEAL),
        ((1.0, 1.0, 0.0, 0.1), None, Activity.SOCIAL),
        ((1.0, 1.0, 1.0, 0.2), None, Activity.STROLL),
        ((0.4, 1.0, 1.0, 1.0), Activity.WORK, None),
        ((0.4, 1.0, 1.0, 1.0), Activity.REST, Activity.REST),
        ((0.9, 1.0, 1.0, 1.0), Activity.REST, None),
    ],
)
def test_the_most_pressing_need_wins_and_is_followed_until_content(
    needs: tuple[float, ...], now: Activity | None, wanted: Activity | None
) -> None:
    assert pressing(needs, now) is wanted


def test_feelings_are_named() -> None:
    assert feeling((1, 1, 1, 1)) == "fine"
    assert feeling((0.1, 0.4, 0.1, 1)) == "tired and lonely"
    assert feeling((1, 0.4, 1, 1)) == "a little hungry"


@pytest.mark.parametrize(
    ("activity", "roles", "verb"),
    [
        (Activity.WORK, {"school"}, Verb.WORK),
        (Activity.HOME, {"home"}, Verb.SIT),
        (Activity.MEAL, {"cafe", "home"}, Verb.SIT),
        (Activity.ERRAND, {"shop", "museum", "school"}, Verb.GO),
        (Activity.SOCIAL, {"square", "cafe", "park"}, Verb.GO),
        (Activity.REST, {"park", "square", "home", "cafe"}, Verb.SIT),
    ],
)
def test_aims_lead_to_places_that_serve_them(activity: Activity, roles: set[str], verb: Verb) -> None:
    world = world_of("village")
    mind = mind_of(world)
    aims = [aim_for(activity, mind, world.layout, 1, 20 * n, urgent=False) for n in range(60)]
    assert {world.layout.place_role[aim.place] for aim in aims} <= roles
    assert {aim.verb for aim in aims} == {verb}
    assert all(aim.reason and 100 < aim.stay_ticks < 2000 for aim in aims)


def test_the_same_mind_at_the_same_time_aims_the_same() -> None:
    world = world_of("village")
    mind = mind_of(world)
    aims = [aim_for(Activity.STROLL, mind, world.layout, 1, 40, urgent=False) for _ in range(2)]
    assert aims[0] == aims[1]
    assert len({aim_for(Activity.STROLL, mind, world.layout, 1, 20 * n, urgent=False).place for n in range(40)}) > 1


def test_an_urgent_need_gives_its_own_reason() -> None:
    world = world_of("village")
    mind = mind_of(world)
    assert aim_for(Activity.MEAL, mind, world.layout, 1, 0, urgent=True).reason == "I am hungry"


def test_without_a_fitting_place_it_strolls_and_without_any_it_stays() -> None:
    world = world_of("walled")
    mind = mind_of(world)
    aim = aim_for(Activity.WORK, mind, world.layout, 1, 0, urgent=False)
    assert (aim.activity, world.layout.place_role[aim.place]) == (Activity.STROLL, "square")
    bare = world_of("open")
    assert aim_for(Activity.MEAL, mind_of(bare), bare.layout, 1, 0, urgent=False).place == -1
