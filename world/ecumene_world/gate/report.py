"""What the gate says of a world: measures against limits, and who is to blame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ecumene_world.plain import JSON


@dataclass(frozen=True, slots=True)
class Check:
    """One measure of a world.

    Attributes:
        value: What was measured: a share 0..1, a number of things, or metres; `what` says which.
        limit: What it may be.
        at_least: Whether the limit is a floor, otherwise a ceiling.
        what: What the value is, in words.
        culprits: Names of nodes that make it worse, the worst first.
    """

    value: float
    limit: float
    at_least: bool
    what: str
    culprits: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Tells whether the limit is kept."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit


@dataclass(frozen=True, slots=True)
class Report:
    """All measures of a world by name."""

    checks: Mapping[str, Check]

    def __post_init__(self) -> None:
        object.__setattr__(self, "checks", MappingProxyType(dict(self.checks)))

    @property
    def ok(self) -> bool:
        """Tells whether every limit is kept."""
        return all(check.ok for check in self.checks.values())

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of the checks whose limit is not kept."""
        return tuple(name for name, check in self.checks.items() if not check.ok)

    def to_json(self) -> dict[str, JSON]:
        """Returns value, limit and ok of every check."""
        return {
            name: {"value": round(check.value, 4), "limit": check.limit, "ok": check.ok}
            for name, check in self.checks.items()
        }
