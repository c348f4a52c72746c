"""Errors of the scenarios.

ScenarioError
├── UnknownScenarioError  no scenario has that name
├── DocumentError         a YAML scenario breaks a rule; the message names the key and its line
├── ContractError         a Scenario class does not keep the contract
├── RecordingError        a file is no recording of ours, or a damaged one
├── DivergedError         a replay differs from its recording; names the tick
├── UnknownMomentError    nothing is stored of that tick
├── AbsentError           somebody was not there then
├── ForkError             a moment can't be forked, or a fork not be read
└── TrainingError         a training or evaluation can't be done as asked
    └── NoTaskError       nobody is rewarded in that scenario
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ScenarioError(Exception):
    """Base of all errors raised by `ecumene_scenarios`; its text is a sentence fit for users."""


class UnknownScenarioError(ScenarioError):
    """A scenario name that is neither shipped nor a file."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        super().__init__(
            f"{name!r} is neither a scenario nor a YAML file{nearest(name, names)}; there are {', '.join(names)}"
        )


class DocumentError(ScenarioError):
    """A YAML scenario breaks a rule; the message names the key and what would be accepted."""


class ContractError(ScenarioError):
    """A Scenario class does not keep the contract; the message says which clause."""


class RecordingError(ScenarioError):
    """A file is no recording of this version, or is damaged or cut off."""


class DivergedError(ScenarioError):
    """A replay differs from its recording.

    Attributes:
        tick: The first tick known to differ.
    """

    def __init__(self, tick: int, why: str) -> None:
        super().__init__(f"the replay differs from the recording at tick {tick}: {why}")
        self.tick = tick


class ForkError(ScenarioError):
    """A moment can't be turned into a scenario, or such a scenario's snapshot can't be read."""


class UnknownMomentError(ScenarioError):
    """A tick of which nothing is stored."""

    def __init__(self, name: str, tick: int, first: int, last: int) -> None:
        super().__init__(f"{name} can't be brought back to tick {tick}; any tick from {first} to {last} would do")


class AbsentError(ScenarioError):
    """An avatar that was not there at some moment."""

    def __init__(self, key: str, tick: int, known: Iterable[str]) -> None:
        keys = list(known)
        shown = ", ".join(keys[:8]) + (", …" if len(keys) > 8 else "") if keys else "nobody"
        super().__init__(f"{key!r} is not there at tick {tick}{nearest(key, keys)}; there are {shown}")


class TrainingError(ScenarioError):
    """A training or evaluation can't be done as asked."""


class NoTaskError(TrainingError):
    """A scenario in which nobody is rewarded, where a task was asked for."""

    def __init__(self, name: str, tasks: Iterable[str]) -> None:
        super().__init__(
            f"{name!r} is no task, since nobody is rewarded in it; tasks are {', '.join(tasks)}, and files of "
            "`ecumene fork` with the line 'task: goto'"
        )


def nearest(name: str, known: Iterable[str]) -> str:
    """The words `; did you mean 'x'?` for the closest known name, or nothing."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""
