"""The gate: what every generated world must keep to before anybody enters it, and the repair of what doesn't."""

from ecumene_world.gate.repair import Gated, gated, inspect
from ecumene_world.gate.report import Check, Report

__all__ = ["Check", "Gated", "Report", "gated", "inspect"]
