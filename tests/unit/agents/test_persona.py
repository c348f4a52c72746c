from tests.unit.agents.grounds import settle, world_of

from ecumene_agents.chance import number, pick, some
from ecumene_agents.persona import FIRST_NAMES, full_name, persona_of


def test_chance_depends_on_seed_and_words_only() -> None:
    assert number(1, "a", 2) == number(1, "a", 2)
    assert len({number(1, "a", 2), number(2, "a", 2), number(1, "a2"), number(1, "a", 3)}) == 4
    assert sorted(some(range(9), 20, 3, "x")) == list(range(9))
    assert some(range(9), 4, 3, "x") == some(range(9), 20, 3, "x")[:4]
    assert some("", 3, 1) == []
    draws = [pick("ab", 0, n) for n in range(2000)]
    assert 900 < draws.count("a") < 1100


def test_names_are_many() -> None:
    names = {full_name(look) for look in range(300)}
    assert len(names) > 280
    assert all(name.split()[0] in FIRST_NAMES for name in names)


def test_who_somebody_is_follows_from_seed_and_avatar() -> None:
    world = world_of("village")
    for index in range(5):
        settle(world, f"npc:{index}", index, -5, role="shopkeeper")
    keys = sorted(world.avatars)
    who = world.avatars["npc:2"]
    persona = persona_of(who, world.layout, 7, keys)
    assert persona == persona_of(who, world.layout, 7, keys)
    assert persona != persona_of(who, world.layout, 8, keys)
    assert who.key not in persona.friends
    assert len(persona.friends) == 3


def test_home_and_likes_are_places_of_the_right_sort() -> None:
    world = world_of("village")
    settle(world, "npc:1", 0, -5, role="teacher", title="Edda Birk")
    persona = persona_of(world.avatars["npc:1"], world.layout, 7, ["npc:1"], work=3)
    roles = world.layout.place_role
    assert (persona.work, roles[persona.home]) == (3, "home")
    assert {roles[place] for place in persona.likes} <= {"square", "cafe", "museum", "shop", "park"}
    assert (persona.name, persona.first_name, persona.friends) == ("Edda Birk", "Edda", ())


def test_without_places_and_title_it_still_is_somebody() -> None:
    world = world_of("open")
    settle(world, "npc:1", 0, 0, role="juggler")
    persona = persona_of(world.avatars["npc:1"], world.layout, 7, ["npc:1"])
    assert (persona.home, persona.work, persona.likes) == (-1, -1, ())
    assert persona.name == full_name(world.avatars["npc:1"].look)
