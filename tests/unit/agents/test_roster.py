import torch
from tests.unit.agents.grounds import settle, world_of

from ecumene_agents.roster import HOLD_TICKS, Driver, Roster
from ecumene_sim.frame import Actions
from ecumene_world.command import Despawn, Steer
from ecumene_world.world import World


def everyone(world: World) -> Actions:
    slots = torch.arange(world.state.slots)
    return Actions.from_floats(slots, torch.ones(1, len(slots), 2))


def test_every_npc_decides_once_in_a_stride_and_visitors_never() -> None:
    world = world_of("open")
    npcs = [settle(world, f"npc:{n}", n, 0) for n in range(6)]
    settle(world, "visitor:ada", 0, 5, kind="visitor")
    roster = Roster(world)
    shares = [roster.deciding(tick).tolist() for tick in range(8)]
    assert sorted(slot for share in shares[:4] for slot in share) == npcs
    assert shares[:4] == shares[4:]
    assert all(slot % 4 == tick % 4 for tick, share in enumerate(shares) for slot in share)


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
    assert slot not in roster.deciding(slot % 4).tolist()
    assert slot not in roster.override(everyone(world), ()).slots.tolist()
    roster.idle("npc:1", idle=False)
    assert slot in roster.deciding(slot % 4).tolist()


def test_the_rest_of_the_actions_stays_as_decided() -> None:
    world = world_of("open", slots=4)
    settle(world, "visitor:ada", 0, 5, kind="visitor")
    actions = everyone(world)
    actions.raw[0, :, 2] = torch.arange(4, dtype=torch.int8)
    kept = Roster(world).override(actions, ())
    assert kept.raw[0, :, 2].tolist() == kept.slots.tolist() == [1, 2, 3]
