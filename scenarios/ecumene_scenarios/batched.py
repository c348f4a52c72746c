"""The tensor API: B worlds step together, finished worlds start over by themselves.

A step is one decision: it lasts `STRIDE` ticks, as decisions of served minds do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from ecumene_scenarios.errors import TrainingError
from ecumene_scenarios.registry import load_scenario
from ecumene_scenarios.scenario import Scenario
from ecumene_scenarios.session import Session
from ecumene_sim.errors import ActionsError
from ecumene_sim.frame import Actions, Senses
from ecumene_world import compile_layout
from ecumene_world.command import Command
from ecumene_world.world import World

STRIDE: Final = 4
"""Ticks a decision lasts: 5 decisions a second."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a step led to; B worlds, C slots.

    Attributes:
        senses: What each slot perceives now, (B, C, ...); rows of empty slots mean nothing.
        alive: (B, C) bool, who decides next.
        serial: (B, C) i64, which avatar of its slot that is.
        reward: (B, C) f32, what the agents that have just acted got.
        terminated: (B, C) bool, which of these reached an end.
        truncated: (B, C) bool, which of these ran out of time.
        done: (B,) bool, which worlds have just started over.
        metrics: name → (B,) f32, totals since each world's reset, before it started over.
    """

    senses: Senses
    alive: Tensor
    serial: Tensor
    reward: Tensor
    terminated: Tensor
    truncated: Tensor
    done: Tensor
    metrics: Mapping[str, Tensor]


def batched_env(
    scenario: str | Scenario, *, seed: int = 0, worlds: int = 8, device: torch.device | str = "cpu"
) -> BatchedEnv:
    """Makes B worlds of one scenario that step together; call `reset` first.

    Args:
        scenario: Name, YAML file or a fresh scenario.
        seed: Of the layout that all worlds share.
        worlds: B.
        device: Where all tensors are.
    """
    return BatchedEnv(scenario, seed=seed, worlds=worlds, device=device)


class BatchedEnv:
    """B worlds of one scenario under one layout.

    Attributes:
        session: The worlds and their engine.
        slots: C, avatar slots of a world.
    """

    def __init__(
        self,
        scenario: str | Scenario,
        *,
        seed: int = 0,
        worlds: int = 8,
        restart: bool = True,
        device: torch.device | str = "cpu",
    ) -> None:
        if worlds < 1:
            raise TrainingError(f"{worlds} worlds are nothing to step; 1 or more would do")
        self.scenario = scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
        self._graph = self.scenario.graph(seed)
        self._layout = self.scenario.layout() or compile_layout(self._graph, device=device)
        self._worlds, self._restart, self._device = worlds, restart, device
        self.slots = self.scenario.slots()
        self.session: Session
        self._opened: Sequence[Command] | None = None

    def reset(self, seed: int = 0) -> Step:
        """Starts all worlds over; the same seed gives the same people and the same luck."""
        world = World(
            self._graph.copy(),
            worlds=self._worlds,
            slots=self.slots,
            seed=seed,
            layout=self._layout,
            device=self._device,
        )
        everywhere = torch.ones(self._worlds, dtype=torch.bool, device=self._device)
        self.scenario.memory = {}
        self.scenario.reset(world, everywhere, world.generators["scenario"])
        self.session = Session(self.scenario, seed=seed, world=world, device=self._device)
        self.session.routes.prepare()
        self._slots = torch.arange(self.slots, device=self._device)
        self._opened = self.session.begin()
        nothing = torch.zeros_like(world.state.alive)
        return self._step(torch.zeros(nothing.shape, device=self._device), nothing, nothing, ~everywhere, {})

    def step(self, actions: Actions) -> Step:
        """Lets all agents act for `STRIDE` ticks; slots without an action go on as before.

        Raises:
            ActionsError: They are for another number of worlds, or for slots that there aren't.
        """
        self._check(actions)
        session, scenario = self.session, self.scenario
        assert self._opened is not None, "reset comes before step"
        frame = session.end(self._opened, actions)
        reward, left, done = frame.reward, frame.left, frame.done
        nobody = Actions.none(self._device, worlds=self._worlds)
        for _ in range(STRIDE - 1):
            frame = session.end(session.begin(), nobody)
            reward, left, done = reward + frame.reward, left | frame.left, done | frame.done
        alive, expired = frame.state.alive, scenario.expired(session.world)
        truncated = (left & expired) | (done[:, None] & alive & ~left)
        if self._restart and bool(done.any()):
            scenario.reset(session.world, done, session.world.generators["scenario"])
        self._opened = session.begin()
        return self._step(reward, left & ~expired, truncated, done, frame.metrics)

    def _check(self, actions: Actions) -> None:
        """Refuses actions that fit no slots; which slots they name is only looked at where that costs no waiting."""
        if actions.raw.shape[0] != self._worlds:
            raise ActionsError(f"actions for {actions.raw.shape[0]} worlds don't fit the {self._worlds} that there are")
        slots = actions.slots
        if slots.device.type == "cpu" and len(slots) and not 0 <= int(slots.min()) <= int(slots.max()) < self.slots:
            raise ActionsError(f"slots {int(slots.min())} to {int(slots.max())} are not within 0 and {self.slots - 1}")

    def restart(self, which: Tensor) -> Step:
        """Starts the worlds `which` (B,) bool over by hand, for drivers made with `restart=False`; the others go on."""
        assert self._opened is not None, "reset comes before restart"
        session = self.session
        self.scenario.reset(session.world, which, session.world.generators["scenario"])
        nothing = torch.zeros_like(session.world.state.alive)
        return self._step(
            torch.zeros(nothing.shape, device=self._device), nothing, nothing, torch.zeros_like(which), {}
        )

    def _step(
        self, reward: Tensor, terminated: Tensor, truncated: Tensor, done: Tensor, metrics: Mapping[str, Tensor]
    ) -> Step:
        state = self.session.world.state
        self.session.routes.update(self._slots)
        senses = self.session.engine.sense(self._slots)
        return Step(senses, state.alive.clone(), state.serial.clone(), reward, terminated, truncated, done, metrics)
