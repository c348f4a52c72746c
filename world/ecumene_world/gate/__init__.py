"""The gate: what every generated world must keep to before anybody enters it, and the repair of what doesn't."""

from ecumene_world.gate.repair import inspect, repaired
from ecumene_world.gate.report import Check, Report

__all__ = ["Check", "Report", "inspect", "repaired"]
