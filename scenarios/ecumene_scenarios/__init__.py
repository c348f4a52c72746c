"""Why a world is run: scenarios, the tick, recordings, environments for learning and training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ecumene_scenarios.registry import load_scenario
from ecumene_scenarios.scenario import Scenario
from ecumene_scenarios.session import Session

if TYPE_CHECKING:
    from ecumene_scenarios.batched import batched_env
    from ecumene_scenarios.env import parallel_env

__all__ = ["Scenario", "Session", "batched_env", "load_scenario", "parallel_env"]


def __getattr__(name: str) -> Any:
    """Imports the environments when first asked for: only they need pettingzoo and gymnasium."""
    if name == "parallel_env":
        from ecumene_scenarios.env import parallel_env

        return parallel_env
    if name == "batched_env":
        from ecumene_scenarios.batched import batched_env

        return batched_env
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
