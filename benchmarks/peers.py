"""Environments of others that ours are measured beside, installed into a folder of their own by the benchmark.

What they need is there already (torch, numpy, gymnasium, pettingzoo), so each is installed without its dependencies and
nothing of the project's own environment changes.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import torch

FOLDER: Final = Path("runs/peers")
PACKAGES: Final = (
    "vmas==1.5.2",
    "gym==0.26.2",
    "gym-notices==0.0.8",
    "pyglet==1.5.27",
    "six==1.17.0",
    "mpe2==1.1.1",
    "pygame-ce==2.5.8",
    "magent2==0.3.4",
    "torchrl==0.14.1",
    "tensordict==0.14.3",
    "hoptorch==0.1.4",
    "pyvers==0.2.3",
    "cloudpickle==3.1.2",
)
Round = Callable[[], int]
"""Makes some steps with random actions and returns how many agent-steps they were."""


def install() -> None:
    """Installs the peers unless they are there, and lets them be imported."""
    if not (FOLDER / "torchrl").exists():
        print(f"• installing {', '.join(PACKAGES)} into {FOLDER}", file=sys.stderr)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(FOLDER), *PACKAGES]
        subprocess.run(pip, check=True)
    sys.path.append(str(FOLDER))


def vmas(name: str, worlds: int, agents: int) -> Any:
    """Returns an environment of VMAS with its default settings, reset."""
    env = importlib.import_module("vmas").make_env(
        name, num_envs=worlds, n_agents=agents, continuous_actions=True, seed=1
    )
    env.reset()
    return env


def vmas_round(name: str, worlds: int, agents: int) -> Round:
    """Steps VMAS."""
    env = vmas(name, worlds, agents)

    def go() -> int:
        env.step([torch.rand(worlds, 2) * 2 - 1 for _ in range(agents)])
        return worlds * agents

    return go


def mpe2_round(agents: int) -> Round:
    """Steps Farama's particle world, one world at a time, as it is made."""
    env: Any = importlib.import_module("mpe2.simple_spread_v3").parallel_env(
        N=agents, max_cycles=100, continuous_actions=True
    )
    return _parallel(env)


def battle_round() -> Round:
    """Steps MAgent2's battle, which is written in C++."""
    return _parallel(importlib.import_module("magent2.environments.battle_v4").parallel_env())


def _parallel(env: Any) -> Round:
    env.reset(seed=1)

    def go() -> int:
        if not env.agents:
            env.reset()
        agents = len(env.agents)
        env.step({agent: env.action_space(agent).sample() for agent in env.agents})
        return agents

    return go


def states(entities: Any) -> torch.Tensor:
    """Returns the (2, B, N) positions of entities of VMAS."""
    return torch.stack([entity.state.pos for entity in entities], dim=-1).permute(1, 0, 2)
