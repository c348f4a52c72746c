"""Yardsticks: tasks that the field knows, by their published rules, to compare speed and learners on.

They are not worlds of Ecumene: bodies are particles, and observations are vectors. `ecumene_scenarios.batched` has the
tasks in worlds.
"""

from ecumene_scenarios.yardsticks.navigation import Navigation
from ecumene_scenarios.yardsticks.spread import Spread
from ecumene_scenarios.yardsticks.yardstick import Outcome, Yardstick

__all__ = ["Navigation", "Outcome", "Spread", "Yardstick"]
