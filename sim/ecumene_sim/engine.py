"""The engine: senses, then the step, for B worlds at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ecumene_sim import contact, hauling, motion, things
from ecumene_sim.asking import Outcomes
from ecumene_sim.events import events_of
from ecumene_sim.frame import Actions, Frame, Senses
from ecumene_sim.interaction import interact
from ecumene_sim.needs import NeedsTable, run_needs
from ecumene_sim.neighbours import touching
from ecumene_sim.senses.sensorium import ALL, Sensorium
from ecumene_sim.sound import Signatures, make_sounds
from ecumene_sim.terrain import Terrain
from ecumene_sim.things import ThingTable
from ecumene_sim.walls import Blocked, block, unit
from ecumene_world.ahead import Ahead
from ecumene_world.layout import Layout
from ecumene_world.state import DT, State
from ecumene_world.world import World

Probe = Callable[[str], None]
"""Told the name of each phase when it ends; a profiler may look at its clock then."""


def _nothing(phase: str) -> None:
    """Ignores the end of a phase."""
    del phase


@dataclass(frozen=True, slots=True)
class Tables:
    """What the step and the senses look things up in, made of one layout."""

    terrain: Terrain
    things: ThingTable
    needs: NeedsTable
    sensorium: Sensorium

    @classmethod
    def of(cls, layout: Layout) -> Tables:
        """Makes the tables; takes a tenth of a second in a large town."""
        terrain, items = Terrain(layout), ThingTable(layout)
        return cls(terrain, items, NeedsTable(layout), Sensorium(terrain, items, Signatures.make(layout.device)))


class Engine:
    """Steps a world and says what its avatars sense.

    Same state and actions give the same next state, bit by bit, with any number of threads; and a world of a batch
    goes exactly as it would alone.

    Attributes:
        world: What is stepped; its state is changed in place.
        eventful: Whether frames carry events. That reads results back from the device, so it is off by default for
            more than one world.
        tick: Ticks that world 0 has lived; `resync` reads it anew after the state was replaced.
    """

    def __init__(self, world: World, *, eventful: bool | None = None, timings: Probe | None = None) -> None:
        self.world = world
        self.eventful = world.state.worlds == 1 if eventful is None else eventful
        self._done = timings or _nothing
        self._signatures = Signatures.make(world.state.device)
        self.tables = Ahead(Tables.of)
        """Tables by layout; prepare those of a layout to come on another thread, and its swap takes no time."""
        self._refresh()
        self.resync()

    def resync(self) -> None:
        """Reads the tick from the state: call it after a snapshot was put in place."""
        self.tick = int(self.world.state.tick[0])

    def sense(self, slots: Tensor | None = None, modalities: frozenset[str] = ALL) -> Senses:
        """Returns what avatars sense now.

        Args:
            slots: (A,) i64 which slots of every world; all when None.
            modalities: Which of "vision", "hearing", "touch" to compute; the others are blank.
        """
        self._refresh()
        state = self.world.state
        if slots is None:
            slots = torch.arange(state.slots, device=state.device)
        senses = self._sensorium.sense(state, slots, modalities)
        self._done("sense")
        return senses

    def apply(self, actions: Actions) -> None:
        """Writes what avatars decided into the state's wishes, which hold until changed."""
        motion.intend(self.world.state, actions)

    @torch.no_grad()
    def step(self, actions: Actions) -> Frame:
        """Advances all worlds by one tick and returns what came of it."""
        self._refresh()
        state, terrain, done = self.world.state, self._terrain, self._done
        self.apply(actions)
        on_feet = motion.standing(state)
        hauling.face(state, self._things)
        motion.turn(state, on_feet)
        motion.accelerate(state, on_feet)
        hauling.couple(state, self._things)
        done("intend")
        start, velocity = in_plan(state.position), in_plan(state.velocity)
        want = torch.add(start, velocity, alpha=DT)
        pairs = touching(want, state.radius, state.alive, terrain.layout.bounds)
        done("neighbours")
        touched = contact.contacts(state, pairs, want, on_feet)
        done("contact")
        blocked = block(terrain, state, start, want + touched.push)
        done("walls")
        feel(state, touched, blocked, velocity, on_feet)
        motion.climb(state, terrain, blocked.at, on_feet)
        done("climb")
        outcomes = interact(state, terrain, self._things)
        rested = things.run_timers(state, self._things, terrain)
        things.carry(state, self._things)
        dropped = hauling.hold(state, terrain, self._things)
        things.keep_sounding(state, self._things)
        done("interact")
        make_sounds(state, self._signatures, on_feet)
        run_needs(state, self._needs, touched.count > 0)
        advance(state)
        self.tick += 1
        done("advance")
        return self._frame(state, touched.count, replace(outcomes, rested=rested, dropped=dropped))

    def _frame(self, state: State, collisions: Tensor, outcomes: Outcomes) -> Frame:
        """Returns the tick's outcome with nothing scored yet."""
        device, (worlds, slots) = state.device, state.alive.shape
        return Frame(
            tick=self.tick,
            state=state,
            collisions=collisions,
            outcome=outcomes.code,
            outcome_thing=outcomes.thing,
            outcome_other=outcomes.other,
            reward=torch.zeros((worlds, slots), device=device),
            done=torch.zeros(worlds, dtype=torch.bool, device=device),
            left=torch.zeros((worlds, slots), dtype=torch.bool, device=device),
            events=events_of(self.world, self.tick, outcomes) if self.eventful else (),
        )

    def _refresh(self) -> None:
        """Takes up the tables of the layout that the world is in now."""
        tables = self.tables.of(self.world.layout)
        self._terrain, self._things, self._needs = tables.terrain, tables.things, tables.needs
        self._sensorium = tables.sensorium


def in_plan(vectors: Tensor) -> Tensor:
    """Returns (2, B·C) x and y of (B, C, 3) vectors, a copy."""
    return vectors.view(-1, 3)[:, :2].t().contiguous()


def feel(state: State, touched: contact.Contacts, blocked: Blocked, velocity: Tensor, on_feet: Tensor) -> None:
    """Writes what presses on bodies, and takes from their velocities (2, B·C) what goes against it."""
    pressed = contact.press(state, blocked.normal, blocked.depth * on_feet.view(-1))
    torch.add(touched.force, pressed, out=state.contact)
    state.contact.clamp_(max=contact.MAX_FORCE)
    contact.stop(velocity, unit(touched.push)[0])
    contact.stop(velocity, blocked.normal)
    state.velocity.view(-1, 3)[:, :2].copy_(velocity.t())


def advance(state: State) -> None:
    """Lets emotes run out and the clock tick."""
    state.emote_left.sub_(DT).mul_(state.emote_left > 0.5 * DT)
    state.emote.mul_(state.emote_left > 0)
    state.tick.add_(1)
