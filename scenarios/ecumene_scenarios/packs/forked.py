"""Scenarios that begin at a saved moment: rewarded for what NPCs were about to do, or lived on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

import torch
from torch import Tensor

from ecumene_agents.vectors import length
from ecumene_scenarios import tally
from ecumene_scenarios.errors import DocumentError
from ecumene_scenarios.fork import MEMORY, TASK, Moment
from ecumene_scenarios.packs.authored import MAX_TICKS, MINDS
from ecumene_scenarios.packs.living import Living
from ecumene_scenarios.packs.task import Part, Task, number_between, whole
from ecumene_scenarios.scenario import Scenario
from ecumene_scenarios.yamlfile import known_keys, one_of, text_of
from ecumene_world import SceneGraph
from ecumene_world.layout import Layout
from ecumene_world.state import TICK_HZ, State, Verb
from ecumene_world.world import World

KEYS: Final = ("fork", "title", "describe", "task", "minds", "ticks")
WAY_M: Final = (4.0, 40.0)
"""How far newcomers go, metres as the crow flies, where there is a place so far away."""


@dataclass(frozen=True, slots=True)
class ForkFile:
    """A checked fork file."""

    path: Path
    title: str
    describe: str
    task: str
    minds: str
    ticks: int


class _Saved(Scenario):
    """What both kinds of forks share: the saved place, and what their file says."""

    def _begin_at(self, file: ForkFile, moment: Moment) -> None:
        self.moment, self._about = moment, file.describe
        self.name = file.title  # type: ignore[misc]
        self.minds, self.ticks = file.minds, file.ticks

    def graph(self, seed: int) -> SceneGraph:
        """The saved place, whatever the seed."""
        del seed
        return self.moment.world.graph.copy()

    def layout(self) -> Layout:
        """The saved place, compiled."""
        return self.moment.layout

    def slots(self) -> int:
        """As many as there are NPCs."""
        return self.moment.world.state.slots

    def describe(self) -> str:
        """The file's own sentence."""
        return self._about


class Lived(_Saved, Living):
    """A saved moment whose NPCs go on with their day, with what they remembered."""

    def __init__(self, file: ForkFile, moment: Moment) -> None:
        super().__init__(moment.people)
        self._begin_at(file, moment)

    def reset(self, world: World, which: Tensor, generator: torch.Generator) -> None:
        """Goes back to the moment."""
        del generator
        self.moment.enter(world, which, renamed=False, clock=True)
        if MEMORY in self.moment.world.extra:
            world.extra[MEMORY] = self.moment.world.extra[MEMORY]
        tally.started(self.memory, world.state, which)


class Rewarded(_Saved, Task):
    """A saved moment whose NPCs are rewarded for reaching the places they were on the way to.

    Whoever was at its place already, or about something else, gets no reward and leaves after a while; newcomers head
    for places nearby, so that there always are as many people as at that moment.
    """

    limit_ticks: ClassVar[int] = 60 * TICK_HZ

    def __init__(self, file: ForkFile, moment: Moment) -> None:
        super().__init__(least=moment.people, most=moment.people)
        self._begin_at(file, moment)

    def reset(self, world: World, which: Tensor, generator: torch.Generator) -> None:
        """Goes back to the moment."""
        del generator
        state = world.state
        self._prepare(state, which)
        self.moment.enter(world, which, renamed=True, clock=False)
        self.memory["wanted"][which] = self.moment.people
        self.memory["joined"][which] = self.moment.people
        self._welcome(state)
        there = state.alive & (self._way_left(state) < self.memory["reach"][state.verb])
        settled = self.memory.setdefault("settled", torch.full_like(state.serial, -1))
        settled[which] = torch.where(there, state.serial, -1)[which]

    def part(self, world: World, index: int, generator: torch.Generator) -> Part | None:
        """From a place to another one that can be reached in time."""
        del index
        layout = world.layout
        places = layout.place_position
        if len(places) < 2:
            return None
        start = whole(generator, 0, len(places) - 1)
        x, y, z = places[start].tolist()
        at = (x + number_between(generator, -1.2, 1.2), y + number_between(generator, -1.2, 1.2), z)
        away = length((places - places[start])[:, :2])
        near = ((away > WAY_M[0]) & (away < WAY_M[1])).nonzero().flatten()
        if not len(near) or not world.standable(at):
            return None
        end = int(near[whole(generator, 0, len(near) - 1)])
        yaw = number_between(generator, -torch.pi, torch.pi)
        return Part(at, yaw, Verb.GO, layout.names[int(layout.place_row[end])])

    def arrived(self, state: State) -> Tensor:
        """Those who came to their place since the moment."""
        return super().arrived(state) & ~self._settled(state)

    def judged(self, state: State) -> Tensor:
        """Those who were on the way to a place, and newcomers."""
        return super().judged(state) & ~self._settled(state)

    def taught(self, state: State) -> Tensor:
        """Those about something else, and those who were at their place already."""
        return super().taught(state) | self._settled(state)

    def _settled(self, state: State) -> Tensor:
        return state.serial == self.memory["settled"]

    @staticmethod
    def _way_left(state: State) -> Tensor:
        return length((state.goal - state.position)[..., :2])


def made(data: Mapping[str, Any], path: Path) -> Scenario:
    """Makes the scenario of a fork file.

    Raises:
        DocumentError: A key or value breaks a rule.
        ForkError: The moment beside it can't be read.
        SnapshotError: That is damaged or of another version.
    """
    file = checked(data, path)
    moment = Moment(file.path)
    return Rewarded(file, moment) if file.task else Lived(file, moment)


def checked(data: Mapping[str, Any], path: Path) -> ForkFile:
    """Checks every key and value of a fork file."""
    name = path.name
    known_keys(data, KEYS, name)
    moment = text_of(data["fork"], f"{name}: fork")
    if Path(moment).is_absolute() or ".." in Path(moment).parts:
        raise DocumentError(f"{name}: fork is {moment!r}; it must lie beside or below the scenario file")
    title = text_of(data.get("title", path.stem), f"{name}: title")
    ticks = data.get("ticks", 1200)
    if not isinstance(ticks, int) or isinstance(ticks, bool) or not 1 <= ticks <= MAX_TICKS:
        raise DocumentError(f"{name}: ticks is {ticks!r}; a whole number from 1 to {MAX_TICKS} would do")
    return ForkFile(
        path=path.parent / moment,
        title=title,
        describe=text_of(data.get("describe", title), f"{name}: describe"),
        task=one_of(data["task"], (TASK,), f"{name}: task") if "task" in data else "",
        minds=one_of(data.get("minds", "fusion"), MINDS, f"{name}: minds"),
        ticks=ticks,
    )
