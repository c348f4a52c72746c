"""The PettingZoo API: agents by name, who join and leave while the others go on.

An agent is called `npc_<slot>_<serial>`: whoever takes a slot after it is somebody else, with a fresh name. A step is
one decision and lasts `batched.STRIDE` ticks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

import gymnasium
import numpy as np
import torch
from numpy.typing import NDArray
from pettingzoo import ParallelEnv
from torch import Tensor

from ecumene_scenarios import picture, spaces
from ecumene_scenarios.batched import BatchedEnv, Step
from ecumene_scenarios.registry import load_scenario
from ecumene_scenarios.scenario import Scenario

FOREVER: Final = 1 << 60
LIVES: Final = 1000
"""Most agents that may have a slot one after another within an episode."""


def parallel_env(
    scenario: str | Path | Scenario = "plaza",
    *,
    seed: int = 0,
    render_mode: str | None = None,
    flat: bool = True,
    max_cycles: int | None = None,
) -> CrowdEnv:
    """Makes a PettingZoo environment of a scenario.

    Args:
        scenario: Name, YAML file, or a fresh scenario.
        seed: Of the world and of the first episode.
        render_mode: None, or "rgb_array" for pictures from above.
        flat: One row of numbers an agent; False for a dictionary of named senses.
        max_cycles: Steps after which an episode is cut short for everybody; None lets it go on, people come and go.
    """
    made = scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
    return CrowdEnv(made, seed=seed, render_mode=render_mode, flat=flat, max_cycles=max_cycles)


class Names(Sequence[str]):
    """Every name that can occur: S slots times `LIVES`, made when asked for."""

    def __init__(self, slots: int) -> None:
        self._slots = slots

    def __len__(self) -> int:
        return self._slots * LIVES

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        life, slot = divmod(index % len(self), self._slots)
        return f"npc_{slot}_{life + 1}"

    def __contains__(self, name: object) -> bool:
        parts = str(name).split("_")
        fits = len(parts) == 3 and parts[0] == "npc" and parts[1].isdecimal() and parts[2].isdecimal()
        return fits and int(parts[1]) < self._slots and 1 <= int(parts[2]) <= LIVES

    def __iter__(self) -> Iterator[str]:
        return (self[index] for index in range(len(self)))


class CrowdEnv(ParallelEnv[str, Any, Any]):
    """One world of a scenario for PettingZoo; use `parallel_env` to make one."""

    metadata: ClassVar[dict[str, Any]] = {
        "render_modes": ["rgb_array"],
        "name": "ecumene_v0",
        "is_parallelizable": True,
    }

    def __init__(
        self, scenario: Scenario, *, seed: int, render_mode: str | None, flat: bool, max_cycles: int | None
    ) -> None:
        if render_mode not in {None, *self.metadata["render_modes"]}:
            raise ValueError(f"render_mode is {render_mode!r}; None or 'rgb_array' would do")
        self.render_mode = render_mode
        self._limit = max_cycles or FOREVER
        scenario.ticks = FOREVER
        self._core = BatchedEnv(scenario, seed=seed, worlds=1, restart=False)
        self._flat = flat
        self._seed = seed
        self._cycle = 0
        self._step: Step | None = None
        self._observation_space = spaces.observation_space(flat=flat)
        self._spaces: dict[str, gymnasium.spaces.Box] = {}
        self._last: dict[str, Any] = {}
        self.possible_agents: Sequence[str] = Names(self._core.slots)  # type: ignore[assignment]
        self.agents: list[str] = []

    def observation_space(self, agent: str) -> gymnasium.Space[Any]:
        """What an agent perceives; one space shared by all."""
        del agent
        return self._observation_space

    def action_space(self, agent: str) -> gymnasium.Space[Any]:
        """What an agent decides; each agent has a space of its own, so that each can be seeded."""
        return self._spaces.setdefault(agent, spaces.action_space())

    def reset(
        self, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """Starts an episode in the same world; the same seed gives the same episode. Options are not used."""
        del options
        self._seed = self._seed + 1 if seed is None else seed
        self._cycle = 0
        self._spaces.clear()
        self._step = self._core.reset(self._seed)
        self.agents = self._names(self._step, self._step.alive[0])
        self._last = self._observations(self._step, self.agents)
        return dict(self._last), {agent: {} for agent in self.agents}

    def step(
        self, actions: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        """Lets all agents act for one decision; agents without an action go on as before.

        Returns:
            Observations, rewards, terminations, truncations and infos of those who were there and of newcomers. The
            observation of one who has left is what it perceived when it acted last.
        """
        assert self._step is not None, "reset comes before step"
        before = self.agents
        acting = [agent for agent in before if actions.get(agent) is not None]
        step = self._core.step(spaces.actions([_slot(agent) for agent in acting], [actions[agent] for agent in acting]))
        self._cycle += 1
        over = bool(step.done[0]) or self._cycle >= self._limit
        reward, ended, expired = step.reward[0].tolist(), step.terminated[0].tolist(), step.truncated[0].tolist()
        terminated = {agent: ended[_slot(agent)] for agent in before}
        truncated = {agent: not terminated[agent] and (over or expired[_slot(agent)]) for agent in before}
        rewards = {agent: reward[_slot(agent)] for agent in before}
        gone = [agent for agent in before if terminated[agent] or truncated[agent]]
        self.agents = [] if over else self._names(step, step.alive[0])
        for agent in self.agents:
            if agent not in rewards:
                rewards[agent], terminated[agent], truncated[agent] = 0.0, False, False
        for agent in gone:
            self._spaces.pop(agent, None)
        left = {agent: self._last[agent] for agent in gone}
        self._step, self._last = step, self._observations(step, self.agents)
        return left | self._last, rewards, terminated, truncated, {agent: {} for agent in rewards}

    def render(self) -> NDArray[np.uint8] | None:
        """A picture of the world from above, (H, W, 3) u8; None without a render mode."""
        if self.render_mode is None:
            return None
        world = self._core.session.world
        return picture.draw(world.layout, world.state, goals=True)

    def close(self) -> None:
        """Nothing is left open."""

    def _names(self, step: Step, who: Tensor) -> list[str]:
        serial = step.serial[0].tolist()
        return [f"npc_{slot}_{serial[slot]}" for slot in torch.nonzero(who).flatten().tolist()]

    def _observations(self, step: Step, agents: list[str]) -> dict[str, Any]:
        found = spaces.columns(step.senses)
        return {agent: spaces.observation(found, _slot(agent), flat=self._flat) for agent in agents}


def _slot(agent: str) -> int:
    return int(agent.split("_")[1])
