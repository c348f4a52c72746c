"""The step as a whole: the same bits again, whatever shares the batch and however many threads work."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from tests.unit.sim.rooms import Plan, busy_plan, crowd, put, restless, use, walk, world_of

from ecumene_sim import Actions, Engine, Senses, compaction
from ecumene_sim.senses.sensorium import ALL
from ecumene_world.commands.body import Despawn, Interact, Spawn
from ecumene_world.state import State
from ecumene_world.world import World


def same(one: State, other: State) -> list[str]:
    """Returns the names of the columns that differ in any bit."""
    mine, yours = one.fields(), other.fields()
    return [name for name in mine if not torch.equal(mine[name], yours[name])]


def differing(one: Senses, other: Senses) -> list[str]:
    names = [name for name in Senses.__dataclass_fields__ if name != "slots"]
    return [name for name in names if not torch.equal(getattr(one, name), getattr(other, name))]


def lived(world: World, count: int, ticks: int, seed: int = 1, *, sensing: bool = True) -> list[Senses]:
    """Lets a crowd act at random; returns what was sensed every 50 ticks."""
    engine, generator = Engine(world), torch.Generator().manual_seed(seed)
    sensed = []
    for tick in range(ticks):
        engine.step(restless(world, count, generator))
        if sensing and tick % 50 == 49:
            sensed.append(engine.sense())
    return sensed


@pytest.fixture
def threads() -> Iterator[None]:
    """Puts the number of threads back."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.timeout(400)
@pytest.mark.parametrize(("slots", "ticks"), [(20, 500), (80, 100)])
def test_the_same_decisions_lead_to_the_same_bits(slots: int, ticks: int) -> None:
    worlds = [world_of(busy_plan(), slots=slots) for _ in range(2)]
    for world in worlds:
        crowd(world, slots)
    first, second = (lived(world, slots, ticks) for world in worlds)
    assert same(worlds[0].state, worlds[1].state) == []
    assert [differing(a, b) for a, b in zip(first, second, strict=True)] == [[]] * (ticks // 50)
    assert worlds[0].state.contact.max() > 0, "a crowd in a room touches"


@pytest.mark.timeout(400)
@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize(("worlds_each", "slots"), [(8, 16), (2, 80)])
def test_threads_do_not_change_a_bit(worlds_each: int, slots: int) -> None:
    worlds, sensed = [world_of(busy_plan(), worlds=worlds_each, slots=slots) for _ in range(2)], []
    for number, world in enumerate(worlds):
        torch.set_num_threads(number + 1)
        crowd(world, slots)
        sensed.append(lived(world, slots, 100))
    assert same(worlds[0].state, worlds[1].state) == []
    assert [differing(a, b) for a, b in zip(*sensed, strict=True)] == [[], []]


@pytest.mark.parametrize("slots", [7, 24, 70])
def test_a_world_of_a_batch_goes_as_it_would_alone(slots: int) -> None:
    many = world_of(busy_plan(), worlds=5, slots=slots)
    crowd(many, slots, seed=3)
    alone = world_of(busy_plan(), slots=slots)
    alone.state.copy_(of_world(many.state, 3))
    engines = Engine(many), Engine(alone)
    generator = torch.Generator().manual_seed(4)
    for tick in range(100):
        actions = restless(many, slots, generator)
        engines[0].step(actions)
        engines[1].step(Actions(actions.slots, actions.raw[3:4]))
        assert same(of_world(many.state, 3), alone.state) == [], f"tick {tick}"
    together, single = engines[0].sense(), engines[1].sense()
    names = [name for name in Senses.__dataclass_fields__ if name != "slots"]
    assert [name for name in names if not torch.equal(getattr(together, name)[3:4], getattr(single, name))] == []


def of_world(state: State, index: int) -> State:
    """Returns one world of a batch, a copy."""
    return State(**{name: tensor[index : index + 1].clone() for name, tensor in state.fields().items()})


def test_working_on_all_rows_gives_the_same_bits_as_on_the_few_that_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    worlds = [world_of(busy_plan(), worlds=2, slots=24) for _ in range(2)]
    for world in worlds:
        crowd(world, 24)
    lived(worlds[0], 24, 150)
    monkeypatch.setattr(compaction, "_gathers", lambda device: False)
    lived(worlds[1], 24, 150)
    assert same(worlds[0].state, worlds[1].state) == []


def test_an_avatar_senses_the_same_whoever_else_senses() -> None:
    world = world_of(busy_plan(), slots=24)
    crowd(world, 24)
    lived(world, 24, 30, sensing=False)
    engine = Engine(world)
    everyone, few = engine.sense(), engine.sense(torch.tensor([17, 3]))
    for name in Senses.__dataclass_fields__:
        if name != "slots":
            assert torch.equal(getattr(everyone, name)[:, [17, 3]], getattr(few, name)), name


def test_senses_that_were_not_asked_for_are_blank_and_marked_absent() -> None:
    world = world_of(busy_plan())
    put(world, 0, 3, 3)
    world.state.sense_present[0, 0, 1] = False
    engine = Engine(world)
    nothing = engine.sense(torch.tensor([0]), frozenset())
    assert nothing.present.tolist() == [[[False, False, False]]]
    assert (nothing.vision_depth == 30).all()
    assert not nothing.vision_kind.any()
    assert not nothing.hearing.any()
    assert not nothing.touch.any()
    assert engine.sense(torch.tensor([0]), ALL).present.tolist() == [[[True, False, True]]], "this one is deaf"


def test_a_blind_avatar_sees_nothing_and_the_others_do() -> None:
    world = world_of(busy_plan())
    put(world, 0, 3, 3)
    put(world, 1, 3, 3)
    world.state.sense_present[0, 0, 0] = False
    senses = Engine(world).sense(torch.tensor([0, 1]))
    assert (senses.vision_depth[0, 0] == 30).all()
    assert senses.vision_kind[0, 1].any()


def test_empty_slots_neither_move_nor_touch_nor_are_seen() -> None:
    world = world_of(busy_plan())
    put(world, 0, 3, 3)
    world.state.position[0, 1:] = torch.tensor([3.1, 3.0, 0.0])
    world.state.desired_velocity[0, 1:] = 1.0
    engine = Engine(world)
    frame = engine.step(Actions.none())
    assert not frame.collisions.any()
    assert not frame.state.contact.any()
    assert torch.equal(world.state.position[0, 1:], torch.tensor([3.1, 3.0, 0.0]).expand(7, 3))
    senses = engine.sense(torch.tensor([0]))
    assert (senses.neighbour_slot == -1).all()
    assert not (senses.vision_kind >= 14).any()


def test_the_tick_counts_in_every_world_and_in_the_frame() -> None:
    world = world_of(Plan(), worlds=3)
    engine = Engine(world)
    for expected in (1, 2, 3):
        assert engine.step(Actions.none(worlds=3)).tick == expected
    assert world.state.tick.tolist() == [3, 3, 3]
    world.state.tick.fill_(40)
    engine.resync()
    assert engine.step(Actions.none(worlds=3)).tick == 41


def test_a_new_layout_is_used_from_the_next_tick_on() -> None:
    world = world_of(Plan())
    put(world, 0, 5, 3)
    engine = Engine(world)
    for _ in range(10):
        engine.step(walk(0))
    walled = world_of(replace(Plan(), boxes=busy_plan().boxes[4:6])).layout
    world.layout = walled
    for _ in range(40):
        engine.step(walk(0))
    assert world.state.position[0, 0, 0] < 6 - 0.24, "the new wall stands at x = 6"


def test_frames_tell_what_happened_in_words() -> None:
    world = world_of(busy_plan())
    world.apply([Spawn("npc:1", position=(1.0, 7.5, 0.0), yaw=1.57)])
    engine = Engine(world)
    world.apply([Interact("npc:1", "board")])
    (event,) = engine.step(Actions.none()).events
    assert (event.name, event.subject, event.object) == ("read", "npc:1", "board")
    assert event.data == {"title": "A title", "text": "A text."}
    assert event.tick == 1
    assert engine.step(Actions.none()).events == ()


def test_a_batch_makes_no_events_unless_asked_to() -> None:
    world = world_of(busy_plan(), worlds=2)
    put(world, 0, 1.0, 7.5, 1.57, index=1)
    world.state.interact[1, 0] = 1
    assert Engine(world).step(Actions.none(worlds=2)).events == ()
    world.state.interact[1, 0] = 1
    (event,) = Engine(world, eventful=True).step(Actions.none(worlds=2)).events
    assert (event.world, event.subject, event.name) == (1, "slot:0", "read")


def test_a_profiler_hears_of_every_phase_in_order() -> None:
    phases: list[str] = []
    world = world_of(Plan())
    engine = Engine(world, timings=phases.append)
    engine.sense()
    engine.step(use(0))
    assert phases == ["sense", "intend", "neighbours", "contact", "walls", "climb", "interact", "advance"]


def test_who_leaves_drops_what_it_held_and_frees_its_seat() -> None:
    world = world_of(busy_plan())
    world.apply([Spawn("npc:1", position=(3.0, 3.5, 0.0)), Spawn("npc:2", position=(5.0, 8.0, 0.0))])
    engine = Engine(world)
    world.apply([Interact("npc:1", "ball")])
    engine.step(Actions.none())
    ball = world.thing("ball")
    assert world.state.thing_holder[0, ball] == 0
    world.apply([Despawn("npc:1")])
    engine.step(Actions.none())
    assert world.state.thing_holder[0, ball] == -1
    assert world.state.thing_position[0, ball, 2] == pytest.approx(0.0, abs=1e-6)
