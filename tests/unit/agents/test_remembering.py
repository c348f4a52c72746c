"""Slots remember from decision to decision, forget with their avatar, and go on from a snapshot."""

import pytest
import torch
from tests.unit.agents.grounds import engine_of, settle, world_of
from tests.unit.models.sense_rows import random_senses

from ecumene_agents.errors import MindMemoryError
from ecumene_agents.minds import Minds
from ecumene_agents.remembering import Remembering
from ecumene_models.recurrent import RecurrentConfig, RecurrentPolicy
from ecumene_world.command import Despawn
from ecumene_world.world import World

WIDTH = 8


def remembering(width: int = WIDTH) -> Remembering:
    policy = RecurrentPolicy(RecurrentConfig(memory=width), torch.Generator().manual_seed(1)).eval()
    draw = torch.Generator().manual_seed(2)
    with torch.no_grad():
        policy.recall.residual.weight.copy_(torch.randn(policy.recall.residual.weight.shape, generator=draw))
    return Remembering(policy)


def decided(memory: Remembering, slots: list[int], seed: int, *, serial: int = 1, worlds: int = 2) -> torch.Tensor:
    """The actions of these slots when all perceive what `seed` draws."""
    whose = torch.full((worlds, len(slots)), serial)
    with torch.inference_mode():
        return memory.decide(random_senses(worlds * len(slots), seed), torch.tensor(slots), whose).vector


def test_a_decision_depends_on_the_one_before() -> None:
    one, other = remembering(), remembering()
    decided(one, [0, 1], 3)
    decided(other, [0, 1], 4)
    assert not torch.allclose(decided(one, [0, 1], 5), decided(other, [0, 1], 5))


def test_slots_that_decide_in_turns_keep_to_themselves() -> None:
    turns, alone = remembering(), remembering()
    for seed in (3, 4, 5):
        decided(turns, [7], 10 * seed)
        assert torch.equal(decided(turns, [2], seed), decided(alone, [2], seed))


def test_who_takes_a_slot_over_remembers_nothing() -> None:
    used, unused = remembering(), remembering()
    decided(used, [0, 1], 3, serial=1)
    assert torch.equal(decided(used, [0, 1], 4, serial=2), decided(unused, [0, 1], 4, serial=2))


def test_what_was_remembered_before_the_last_decision_explains_it() -> None:
    memory = remembering()
    assert memory.row(4, 0).tolist() == [[0.0] * WIDTH]
    decided(memory, [1, 4], 3)
    held = memory.held[1, 4].clone()
    decided(memory, [1, 4], 4)
    assert torch.equal(memory.row(4, 1)[0], held)


def test_a_snapshot_takes_it_along() -> None:
    memory, restored = remembering(), remembering()
    for seed in (3, 4):
        decided(memory, [0, 5], seed)
    restored.unpack(memory.pack())
    assert torch.equal(decided(memory, [0, 5], 6), decided(restored, [0, 5], 6))


def test_damaged_bytes_and_those_of_another_width_are_refused() -> None:
    memory = remembering()
    decided(memory, [0], 3)
    data = memory.pack()
    with pytest.raises(MindMemoryError, match="is damaged"):
        memory.unpack(data[:20])
    with pytest.raises(MindMemoryError, match="has shapes"):
        remembering(width=4).unpack(data)


def recurrent() -> RecurrentPolicy:
    """A policy whose memory counts."""
    return remembering()._policy


def scene() -> World:
    world = world_of("village")
    settle(world, "npc:1", -2, -5)
    settle(world, "npc:2", 2, -5)
    return world


def test_a_served_mind_remembers_slot_by_slot_and_forgets_with_the_avatar() -> None:
    world = scene()
    engine, minds, fresh = engine_of(world), Minds(world, recurrent()), Minds(world, recurrent())
    slots = torch.tensor([world.slot_of("npc:1")])
    minds.decide(engine.sense(slots))
    now = engine.sense(slots)
    assert not torch.equal(minds.decide(now).raw, fresh.decide(now).raw)
    world.apply([Despawn("npc:1")])
    settle(world, "npc:3", -2, -5)
    assert world.slot_of("npc:3") == int(slots[0])
    late = Minds(world, recurrent())
    senses = engine.sense(slots)
    assert torch.equal(minds.decide(senses).raw, late.decide(senses).raw)


def test_an_explanation_takes_what_was_remembered_into_account() -> None:
    world = scene()
    engine, minds = engine_of(world), Minds(world, recurrent())
    slots = torch.tensor([world.slot_of("npc:1")])
    for _ in range(3):
        raw = minds.decide(engine.sense(slots)).raw[0, 0]
    told = minds.explain(int(slots[0]))
    assert told.turn == pytest.approx(float(raw[2]) / 127, abs=0.005)
    assert minds.fast.memory is not None
    minds.fast.memory.before = torch.zeros_like(minds.fast.memory.before)
    assert minds.explain(int(slots[0])).turn != pytest.approx(told.turn, abs=1e-4)
