"""Finds scenarios by name or file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from ecumene_scenarios import yamlfile
from ecumene_scenarios.errors import NoTaskError, UnknownScenarioError
from ecumene_scenarios.packs import authored, forked
from ecumene_scenarios.packs.abroad import GotoApartment, GotoPlaza
from ecumene_scenarios.packs.alarm import Alarm
from ecumene_scenarios.packs.calling import Come
from ecumene_scenarios.packs.carrying import Carry
from ecumene_scenarios.packs.distance import Distance
from ecumene_scenarios.packs.finding import Find
from ecumene_scenarios.packs.following import Follow
from ecumene_scenarios.packs.handover import HandOver
from ecumene_scenarios.packs.line import Queue
from ecumene_scenarios.packs.living import Plaza, Town
from ecumene_scenarios.packs.recalling import Recall
from ecumene_scenarios.packs.ring import Gather
from ecumene_scenarios.packs.task import Task
from ecumene_scenarios.packs.training import Avoid, Goto, Wait
from ecumene_scenarios.scenario import Scenario

_TASKS: Final = (Goto, Avoid, Wait, Follow, Find, Come, Alarm, Queue, Distance, Gather, HandOver, Recall, Carry)
_MADE: Final = (Plaza, Town, *_TASKS)
_ABROAD: Final = (GotoPlaza, GotoApartment)
SCENARIOS: Final[Mapping[str, Callable[[], Scenario]]] = {made.name: made for made in (*_MADE, *_ABROAD)}
"""Scenarios written in Python; a new one is one class and one word here."""
LIBRARY: Final = Path(__file__).parent / "library"
BASICS: Final = ("goto", "avoid", "wait")
"""Tasks that are trained and measured unless others are asked for."""
TASKS: Final = tuple(made.name for made in _TASKS)
ABROAD: Final = tuple(made.name for made in _ABROAD)
"""Tasks in generated worlds."""


def names() -> tuple[str, ...]:
    """Every name that `load_scenario` knows, Python scenarios first."""
    return (*SCENARIOS, *sorted(path.stem for path in LIBRARY.glob("*.yaml")))


def load_scenario(name: str | Path) -> Scenario:
    """Returns a fresh scenario: by name, or from a YAML file.

    Raises:
        UnknownScenarioError: There is no such name or file.
        DocumentError: The file breaks a rule.
        ForkError: The moment of a fork can't be read.
    """
    text = str(name)
    if text in SCENARIOS:
        return SCENARIOS[text]()
    shipped = LIBRARY / f"{text}.yaml"
    if "/" not in text and shipped.is_file():
        return _from_file(shipped)
    if Path(text).suffix in {".yaml", ".yml"}:
        return _from_file(Path(text))
    raise UnknownScenarioError(text, names())


def load_task(name: str | Path) -> Task:
    """Returns a fresh scenario in which people are rewarded, by name or from the file of a fork.

    Raises:
        NoTaskError: Nobody is rewarded in it.
        UnknownScenarioError: There is no such name or file.
        DocumentError: The file breaks a rule.
        ForkError: The moment of a fork can't be read.
    """
    scenario = load_scenario(name)
    if not isinstance(scenario, Task):
        raise NoTaskError(str(name), (*TASKS, *ABROAD))
    return scenario


def _from_file(path: Path) -> Scenario:
    """Returns the scenario of a YAML file: a fork, or one written by hand."""
    data = yamlfile.read(path)
    with yamlfile.placed(path):
        if "fork" in data:
            return forked.made(data, path)
        return authored.Authored(authored.checked(data, path.name), path.parent)
