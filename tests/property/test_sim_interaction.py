"""Whatever avatars wish for, seats and things have one holder each, and heavy things no more than one at each end."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.sim.rooms import Plan, Thing, busy_plan, world_of
from torch import Tensor

from ecumene_sim import Actions, Engine, Outcome
from ecumene_world.commands.body import Despawn, Spawn
from ecumene_world.state import Posture, State
from ecumene_world.world import World

SLOTS = 10


def plan() -> Plan:
    """Returns the busy room with more to fight over."""
    more = (
        Thing("chair", 2.0, 2.0, seats=((0, 0),)),
        Thing("bed", 4.0, 5.0, seats=((0, 0),)),
        Thing("box", 3.4, 3.2),
        Thing("cabinet", 4.6, 4.0),
        Thing("radio", 4.0, 2.6),
        Thing("stretcher", 3.2, 2.9),
    )
    return Plan(**{**busy_plan().__dict__, "things": (*busy_plan().things, *more)})


def ends(state: State) -> tuple[Tensor, Tensor]:
    return state.thing_holder, state.thing_partner


def check(state: State, seats: int) -> None:
    """Asserts what must hold after every tick."""
    alive, seat, held = state.alive[0], state.seat[0], state.held[0]
    sitting = seat[alive & (seat >= 0)].tolist()
    assert len(sitting) == len(set(sitting)), "one sitter a seat"
    assert all(0 <= each < seats for each in sitting)
    assert torch.equal((state.posture[0] != int(Posture.STAND))[alive], (seat >= 0)[alive])
    for slot in alive.nonzero().flatten().tolist():
        if held[slot] >= 0:
            assert slot in {int(state.thing_holder[0, held[slot]]), int(state.thing_partner[0, held[slot]])}
    for thing, (holder, partner) in enumerate(zip(*(column[0].tolist() for column in ends(state)), strict=True)):
        assert holder >= 0 or partner < 0
        assert holder < 0 or holder != partner
        for slot in (holder, partner):
            if slot >= 0:
                assert alive[slot]
                assert held[slot] == thing
    assert ((state.thing_state == 0) | (state.thing_state == 1)).all()
    assert not state.interact.any(), "wishes are over with the tick"
    assert (state.thing_timer >= 0).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_seats_and_things_have_one_holder_each(seed: int) -> None:
    world, generator = world_of(plan(), slots=SLOTS), torch.Generator().manual_seed(seed)
    world.apply(
        [Spawn(f"npc:{slot}", position=(2.4 + 0.35 * (slot % 5), 2.5 + 0.8 * (slot // 5), 0)) for slot in range(SLOTS)]
    )
    engine, things = Engine(world), world.state.thing_state.shape[1]
    for tick in range(60):
        wishes = torch.randint(0, things + 2, (1, SLOTS), generator=generator)
        keen = torch.rand(1, SLOTS, generator=generator) < 0.4
        world.state.interact.copy_(torch.where(keen, wishes, 0))
        turn = torch.rand(1, SLOTS, generator=generator) - 0.5
        move = torch.rand(1, SLOTS, 2, generator=generator) * 1.6 - 0.8
        frame = engine.step(Actions.from_floats(torch.arange(SLOTS), move * (tick % 3 == 0), turn))
        check(world.state, len(world.layout.seat_thing))
        assert int(frame.outcome.min()) >= 0
        assert int(frame.outcome.max()) <= max(Outcome)
        if tick % 10 == 9:
            come_and_go(world, tick, generator)


def come_and_go(world: World, tick: int, generator: torch.Generator) -> None:
    """Lets one avatar leave, whatever it holds or sits on, and another take its slot."""
    key = list(world.avatars)[int(torch.randint(len(world.avatars), (1,), generator=generator))]
    world.apply([Despawn(key), Spawn(f"late:{tick}", position=(3.0, 3.0, 0.0))])


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(6)), st.integers(0, 10**6))
def test_who_wins_does_not_depend_on_the_order_of_arrival(order: list[int], seed: int) -> None:
    world = world_of(plan(), slots=8)
    generator = torch.Generator().manual_seed(seed)
    places = torch.rand(6, 2, generator=generator) * 0.8 + torch.tensor([2.6, 2.6])
    for slot in order:
        world.state.alive[0, slot] = True
        world.state.position[0, slot, :2] = places[slot]
        world.state.interact[0, slot] = 2 + 2
    Engine(world).step(Actions.none())
    reach = (places - torch.tensor([3.0, 3.0])).norm(dim=1) < 1.15
    assert world.state.thing_holder[0, 2] == int(reach.nonzero()[0]), "the lowest slot of those in reach"
