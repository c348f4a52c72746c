"""The tick: one function that every driver shares.

`run.py` drives it as fast as it can, the server in real time; `batched.py` and `env.py` bring decisions of their own.
The same (scenario, seed, commands) gives the same frames, bit for bit, on the same machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, Protocol

import torch
from torch import Tensor

from ecumene_agents.roster import Roster
from ecumene_agents.routes import Routes
from ecumene_scenarios import memory
from ecumene_scenarios.scenario import Scenario
from ecumene_sim import Engine
from ecumene_sim.engine import Probe
from ecumene_sim.frame import Actions, Frame, Senses
from ecumene_world import snapshot
from ecumene_world.command import Command
from ecumene_world.event import Event
from ecumene_world.layout import Layout
from ecumene_world.state import TICK_HZ, State
from ecumene_world.world import World

ENOUGH_FIELDS: Final = 1_000_000
"""Flow fields that may be computed in a tick: all that are wanted, so that the next ticks depend on the snapshot alone.

A live host sets `session.routes.per_tick` to few, and lets avatars head straight for their goal meanwhile.
"""
FORMAT: Final = 1
"""Of what a session puts into a recording's header."""


class DecidingMinds(Protocol):
    """Whatever decides: trained minds, the scripted baseline, or minds whose results come a tick late."""

    def decide(self, senses: Senses) -> Actions:
        """Decides for the sensed slots; the answer may belong to earlier senses."""


class Elsewhere(Protocol):
    """Minds in another process, which find routes and sense for themselves."""

    def decide(self, slots: Tensor) -> Actions:
        """Asks for decisions of these slots; returns those that have come, of earlier ticks."""


class Thinking(Protocol):
    """Minds that also choose intents, slowly, and talk."""

    def think(self, tick: int) -> Sequence[Command]:
        """Returns what NPCs intend from now on."""

    def hear(self, events: Sequence[Event]) -> Sequence[Command]:
        """Returns what NPCs answer to what happened in the last tick."""


class Keeping(Protocol):
    """Takes each tick's commands and decisions: a recorder, or a server's log."""

    def write(self, tick: int, commands: Sequence[Command], actions: Actions, state: State) -> None:
        """Notes `tick`, which has just led to `state`."""


def _nothing(phase: str) -> None:
    """Ignores the end of a phase."""
    del phase


class Session:
    """One running scenario: world, engine, minds and roster.

    Args:
        scenario: What is run. One that is given no `world` is reset for all worlds here.
        seed: Of the world, its people and every chance draw.
        worlds: B, how many copies run side by side.
        minds: Who decides for NPCs; None where the driver brings decisions, or nobody shall decide.
        thoughts: Who chooses intents; None for nobody.
        recorder: Told of each tick.
        world: A world to go on with, such as one out of a snapshot; it is not reset.
        device: Where all tensors are.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        seed: int = 0,
        worlds: int = 1,
        minds: DecidingMinds | None = None,
        thoughts: Thinking | None = None,
        recorder: Keeping | None = None,
        world: World | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        self.scenario, self.seed = scenario, seed
        self.minds, self.thoughts, self.recorder = minds, thoughts, recorder
        self.world = world or new_world(scenario, seed, worlds=worlds, device=device)
        self.elsewhere: Elsewhere | None = None
        """Who decides instead of `minds`, if anybody; set by a live host."""
        self.probe: Probe = _nothing
        """Told of each phase of a tick when it ends; a driver with a clock may set it."""
        self.engine = Engine(self.world, timings=self._ended)
        self.routes = Routes(self.world, per_tick=ENOUGH_FIELDS)
        self.roster = Roster(self.world)
        self._told: Sequence[Event] = ()
        self._heard: Sequence[Event] = ()
        if world is None:
            everywhere = torch.ones(worlds, dtype=torch.bool, device=device)
            scenario.reset(self.world, everywhere, self.world.generators["scenario"])
            self.engine.resync()

    @property
    def now(self) -> int:
        """The tick that `tick` steps next, counted from the world's birth."""
        return self.engine.tick

    def tick(self, commands: Sequence[Command] = ()) -> Frame:
        """Steps once: commands, senses, decisions, motion, score."""
        commands = self.begin(commands)
        slots = self.roster.deciding(self.now)
        actions = self._decided(slots) if self.elsewhere is None else self.elsewhere.decide(slots)
        actions = self.roster.override(actions, commands)
        self.probe("decide")
        return self.end(commands, actions)

    def _decided(self, slots: Tensor) -> Actions:
        self.routes.update(slots)
        self.probe("routes")
        senses = self.engine.sense(slots)
        return self.minds.decide(senses) if self.minds else Actions.none(senses.slots.device)

    def begin(self, commands: Sequence[Command] = ()) -> Sequence[Command]:
        """Applies the commands given, those of the scenario and those of slow minds; returns all of them."""
        thoughts = (*self.thoughts.hear(self._heard), *self.thoughts.think(self.now)) if self.thoughts else ()
        self.probe("think")
        due = (*commands, *self.scenario.commands(self.now, self.world), *thoughts)
        self._told = self.world.apply(due)
        self.probe("apply")
        return due

    def end(self, commands: Sequence[Command], actions: Actions) -> Frame:
        """Steps with decisions from anywhere, after `begin`; returns the scored frame with all events of the tick."""
        tick = self.now
        frame = self.engine.step(actions)
        frame = self.scenario.score(replace(frame, events=(*self._told, *frame.events)), self.world)
        self._heard = frame.events
        self.probe("score")
        if self.recorder:
            self.recorder.write(tick, commands, actions, self.world.state)
        return frame

    def repeat(self, commands: Sequence[Command], actions: Actions) -> Frame:
        """Steps with recorded commands and decisions only: neither the scenario nor anybody's mind is asked."""
        events = self.world.apply(commands)
        frame = self.engine.step(actions)
        return replace(frame, events=(*events, *frame.events))

    def _ended(self, phase: str) -> None:
        self.probe(phase)

    def header(self) -> dict[str, Any]:
        """What a recording has to say about this session."""
        return {
            "format": FORMAT,
            "scenario": self.scenario.name,
            "seed": self.seed,
            "worlds": self.world.state.worlds,
            "slots": self.world.state.slots,
            "tick_hz": TICK_HZ,
            "layout": self.world.layout.hash,
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
            "device": str(self.world.state.device),
        }

    def snapshot(self) -> bytes:
        """Everything that the next ticks depend on, but for what minds remember."""
        self.world.extra["scenario"] = memory.packed(self.scenario.memory)
        return snapshot.save(self.world)


def new_world(
    scenario: Scenario, seed: int, *, worlds: int = 1, layout: Layout | None = None, device: torch.device | str = "cpu"
) -> World:
    """Builds the world of a scenario, not yet reset."""
    layout = layout or scenario.layout()
    return World(scenario.graph(seed), worlds=worlds, slots=scenario.slots(), seed=seed, layout=layout, device=device)


def restored(
    data: bytes,
    scenario: Scenario,
    *,
    seed: int = 0,
    minds: DecidingMinds | None = None,
    thoughts: Thinking | None = None,
    recorder: Keeping | None = None,
    device: torch.device | str = "cpu",
    layout: Layout | None = None,
) -> Session:
    """Goes on from a snapshot of a session of the same scenario; a layout at hand saves compiling, if it is its.

    Raises:
        SnapshotError: The bytes are no snapshot of this version, or damaged.
        ScenarioError: They hold no memory of a scenario.
    """
    world = snapshot.load(data, device, layout=layout)
    kept = memory.unpacked(world.extra.get("scenario", b""))
    scenario.memory = {name: tensor.to(device) for name, tensor in kept.items()}
    return Session(scenario, seed=seed, minds=minds, thoughts=thoughts, recorder=recorder, world=world, device=device)
