"""The scenario contract as a check that any Scenario, ours or yours, must pass: `check(make)`."""

from __future__ import annotations

from collections.abc import Callable

import torch

from ecumene_scenarios import memory
from ecumene_scenarios.errors import ContractError
from ecumene_scenarios.record import digest_of
from ecumene_scenarios.scenario import Scenario
from ecumene_scenarios.session import new_world
from ecumene_sim import Engine
from ecumene_sim.frame import Actions, Frame
from ecumene_world.world import World


def check(make: Callable[[], Scenario], *, seed: int = 3, worlds: int = 2, ticks: int = 24) -> None:
    """Runs a scenario and raises on the first clause of the contract that it breaks.

    Args:
        make: Makes a fresh scenario.
        seed: Of its world.
        worlds: Copies that must keep out of each other's way.
        ticks: How long to run it.

    Raises:
        ContractError: One sentence that says which clause.
    """
    _builds_the_same_world_twice(make, seed)
    _resets_chosen_worlds_only(make, seed, worlds)
    first, frame = _run(make(), seed, worlds, ticks)
    _scores_in_shape(frame, first)
    if digest_of(first.state) != digest_of(_run(make(), seed, worlds, ticks)[0].state):
        raise ContractError("two runs of the same seed ended in different states; draw only from the given generator")


def _builds_the_same_world_twice(make: Callable[[], Scenario], seed: int) -> None:
    scenario = make()
    if scenario.graph(seed).hash() != make().graph(seed).hash():
        raise ContractError(f"graph({seed}) was another graph the second time")
    if not 0 <= scenario.population() <= scenario.slots():
        raise ContractError(f"population() is {scenario.population()}, which does not fit in {scenario.slots()} slots")
    if not scenario.name:
        raise ContractError("a scenario needs a name")
    if not scenario.describe().strip():
        raise ContractError("describe() is empty")


def _resets_chosen_worlds_only(make: Callable[[], Scenario], seed: int, worlds: int) -> None:
    scenario, world = _started(make(), seed, worlds)
    before = {name: tensor[1:].clone() for name, tensor in world.state.fields().items()}
    which = torch.zeros(worlds, dtype=torch.bool, device=world.state.device)
    which[0] = True
    scenario.reset(world, which, world.generators["scenario"])
    for name, tensor in world.state.fields().items():
        if not torch.equal(tensor[1:], before[name]):
            raise ContractError(f"reset of world 0 changed {name!r} of another world")
    if int(world.state.alive[0].sum()) > scenario.population():
        raise ContractError(f"reset let in more than population(), which is {scenario.population()}")


def _scores_in_shape(frame: Frame, world: World) -> None:
    state = world.state
    shapes = {"reward": (state.worlds, state.slots), "left": (state.worlds, state.slots), "done": (state.worlds,)}
    for name, shape in shapes.items():
        found = tuple(getattr(frame, name).shape)
        if found != shape:
            raise ContractError(f"score gives {name} of shape {found}; {shape} is right")
    if not bool(torch.isfinite(frame.reward).all()):
        raise ContractError("score gives a reward that is not finite")
    for name, value in frame.metrics.items():
        if tuple(value.shape) != (state.worlds,):
            raise ContractError(f"metric {name!r} has shape {tuple(value.shape)}; ({state.worlds},) is right")


def _started(scenario: Scenario, seed: int, worlds: int) -> tuple[Scenario, World]:
    world = new_world(scenario, seed, worlds=worlds)
    scenario.reset(world, torch.ones(worlds, dtype=torch.bool), world.generators["scenario"])
    return scenario, world


def _run(scenario: Scenario, seed: int, worlds: int, ticks: int) -> tuple[World, Frame]:
    """Runs with everybody walking ahead."""
    _, world = _started(scenario, seed, worlds)
    engine = Engine(world)
    slots = torch.arange(world.state.slots)
    ahead = torch.zeros(worlds, len(slots), 2)
    ahead[..., 0] = 0.5
    walk = Actions.from_floats(slots, ahead)
    for tick in range(ticks):
        rejected = [event for event in world.apply(scenario.commands(tick, world)) if event.name == "rejected"]
        if rejected:
            raise ContractError(f"commands() asked for the impossible: {rejected[0].data.get('reason')}")
        frame = engine.step(walk)
        before = digest_of(world.state)
        frame = scenario.score(frame, world)
        if digest_of(world.state) != before:
            raise ContractError("score changed the state; only commands may")
    for name, tensor in memory.unpacked(memory.packed(scenario.memory)).items():
        if not torch.equal(tensor, scenario.memory[name].cpu()):
            raise ContractError(f"the memory {name!r} does not survive a snapshot")
    return world, frame
