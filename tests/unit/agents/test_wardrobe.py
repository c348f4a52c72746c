"""NPCs wear adapters by role or intent: in one batch, changed between decisions, and explained as they decide."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.unit.agents.grounds import all_slots, engine_of, settle, world_of

from ecumene_agents.minds import Minds
from ecumene_models import FusionPolicy, WeightsError
from ecumene_models.adapters import Adapter, blank, save_adapter
from ecumene_world.command import Despawn, SetIntent
from ecumene_world.state import Verb
from ecumene_world.world import World

SHOPKEEPER, GARDENER, NOBODY = 0, 1, 2


def base(seed: int = 4) -> FusionPolicy:
    return FusionPolicy(generator=torch.Generator().manual_seed(seed)).eval()


def adapter(policy: FusionPolicy, seed: int) -> Adapter:
    made, draw = blank(policy, torch.Generator().manual_seed(seed)), torch.Generator().manual_seed(seed)
    return replace(made, parts={n: (d, torch.randn(u.shape, generator=draw) * 0.3) for n, (d, u) in made.parts.items()})


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{seed}.safetensors" for seed in range(3)]
    for seed, path in enumerate(paths):
        save_adapter(adapter(base(5) if seed == 2 else base(), seed), path)
    return paths


def scene() -> World:
    world = world_of("village")
    settle(world, "npc:1", -2, -5, role="shopkeeper")
    settle(world, "npc:2", 2, -5, role="gardener")
    settle(world, "npc:3", 0, -3, role="doctor")
    return world


def decided(minds: Minds, world: World) -> torch.Tensor:
    return minds.decide(engine_of(world).sense(all_slots(world))).raw[0, :3]


def test_each_role_decides_with_its_adapter(files: list[Path]) -> None:
    world = scene()
    plain = decided(Minds(world, base()), world)
    minds = Minds(world, base(), adapters={"shopkeeper": files[0], "gardener": files[1]})
    both = decided(minds, world)
    assert torch.equal(both[NOBODY], plain[NOBODY])
    assert not torch.equal(both[SHOPKEEPER], plain[SHOPKEEPER])
    minds.wear({"gardener": files[0]})
    other = decided(minds, world)
    assert torch.equal(other[SHOPKEEPER], plain[SHOPKEEPER])
    assert not torch.equal(other[GARDENER], both[GARDENER]), "it wears another one now"
    minds.wear({})
    assert torch.equal(decided(minds, world), plain)


def test_who_intends_something_wears_what_goes_with_it(files: list[Path]) -> None:
    world = scene()
    plain = decided(Minds(world, base()), world)
    minds = Minds(world, base(), adapters={"shopkeeper": files[0], "while-queue": files[1]})
    world.apply([SetIntent(key, Verb.QUEUE, point=(0.0, 5.0, 0.0)) for key in ("npc:1", "npc:3")])
    queueing = decided(minds, world)
    assert torch.equal(queueing[GARDENER], plain[GARDENER]), "it does not queue"
    bare = decided(Minds(world, base()), world)
    assert not torch.equal(queueing[NOBODY], bare[NOBODY]), "whoever queues wears it"
    assert minds.explain(NOBODY).turn == pytest.approx(float(queueing[NOBODY, 2]) / 127, abs=0.005)
    by_role = decided(Minds(world, base(), adapters={"shopkeeper": files[0]}), world)
    assert torch.equal(queueing[SHOPKEEPER], by_role[SHOPKEEPER]), "that of its role comes first"
    world.apply([SetIntent("npc:3", Verb.WAIT)])
    assert torch.equal(decided(minds, world)[NOBODY], decided(Minds(world, base()), world)[NOBODY])


def test_who_comes_into_a_slot_wears_what_its_own_role_wears(files: list[Path]) -> None:
    world = scene()
    minds = Minds(world, base(), adapters={"shopkeeper": files[0]})
    decided(minds, world)
    world.apply([Despawn("npc:1")])
    settle(world, "npc:9", -2, -5, role="doctor")
    assert torch.equal(decided(minds, world), decided(Minds(world, base()), world))


def test_an_explanation_is_of_the_decision_made(files: list[Path]) -> None:
    world = scene()
    minds = Minds(world, base(), adapters={"shopkeeper": files[0]})
    plain = Minds(world, base())
    for each in (minds, plain):
        decided(each, world)
    raw = decided(minds, world)[SHOPKEEPER]
    assert minds.explain(SHOPKEEPER).turn == pytest.approx(float(raw[2]) / 127, abs=0.005)
    assert minds.explain(SHOPKEEPER).turn != plain.explain(SHOPKEEPER).turn
    assert minds.explain(NOBODY).turn == pytest.approx(plain.explain(NOBODY).turn, abs=1e-5)


def test_what_cannot_be_worn_changes_nothing(files: list[Path]) -> None:
    world = scene()
    minds = Minds(world, base(), adapters={"shopkeeper": files[0]})
    before = decided(minds, world)
    with pytest.raises(WeightsError, match="was made for the policy"):
        minds.wear({"shopkeeper": files[2]})
    with pytest.raises(WeightsError, match="there are no weights"):
        minds.wear({"shopkeeper": files[0].with_name("none.safetensors")})
    with pytest.raises(WeightsError, match="no NPC wears 'while-dancing': 'dancing' is no verb; there are wait, go, "):
        minds.wear({"while-dancing": files[0]})
    assert torch.equal(decided(minds, world), before)
    with pytest.raises(WeightsError, match="can't wear adapters"):
        Minds(world, base()).wear({})
    with pytest.raises(WeightsError, match="scripted controller can't"):
        Minds(world, adapters={})


def test_a_swap_while_others_decide_leaves_every_decision_whole(files: list[Path]) -> None:
    world = scene()
    minds = Minds(world, base(), adapters={"shopkeeper": files[0]})
    senses = engine_of(world).sense(all_slots(world))
    allowed = []
    for outfit in ({"shopkeeper": files[0]}, {"gardener": files[1]}):
        minds.wear(outfit)
        allowed.append(minds.decide(senses).raw)
    found: list[torch.Tensor] = []
    thread = threading.Thread(target=lambda: found.extend(minds.decide(senses).raw for _ in range(30)))
    thread.start()
    swaps = 0
    while thread.is_alive():
        minds.wear({"shopkeeper": files[0]} if swaps % 2 else {"gardener": files[1]})
        swaps += 1
    thread.join()
    assert len(found) == 30
    assert swaps > 1
    assert all(any(torch.equal(raw, each) for each in allowed) for raw in found)
