"""The engine: senses, then the step, for B worlds at once."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ecumene_sim import contact, motion, things
from ecumene_sim.events import events_of
from ecumene_sim.frame import Actions, Frame, Senses
from ecumene_sim.interaction import Outcomes, interact
from ecumene_sim.needs import NeedsTable, run_needs
from ecumene_sim.neighbours import pairs
from ecumene_sim.senses.sensorium import ALL, Sensorium
from ecumene_sim.sound import Signatures, make_sounds
from ecumene_sim.terrain import Terrain
from ecumene_sim.things import ThingTable
from ecumene_sim.walls import Push, block
from ecumene_world.layout import Layout
from ecumene_world.state import DT, State
from ecumene_world.world import World

Probe = Callable[[str], None]
"""Told the name of each phase when it ends; a profiler may look at its clock then."""


def _nothing(phase: str) -> None:
    """Ignores the end of a phase."""
    del phase


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
        self._layout: Layout | None = None
        self._signatures = Signatures.make(world.state.device)
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
        motion.turn(state, on_feet)
        motion.accelerate(state, on_feet)
        done("intend")
        x = state.position[..., 0] + state.velocity[..., 0] * DT
        y = state.position[..., 1] + state.velocity[..., 1] * DT
        near = pairs(x, y, state.alive, terrain.layout.bounds)
        done("neighbours")
        touching = contact.contacts(state, near, x, y, on_feet)
        done("contact")
        walls = block(terrain, state, x + touching.push_x, y + touching.push_y)
        done("walls")
        feel(state, touching, walls, on_feet)
        motion.climb(state, terrain, walls.x, walls.y, on_feet)
        done("climb")
        outcomes = interact(state, terrain, self._things, near)
        outcomes.rested = things.run_timers(state, self._things, terrain)
        things.carry(state)
        things.keep_sounding(state, self._things)
        done("interact")
        make_sounds(state, self._signatures, on_feet)
        run_needs(state, self._needs, touching.count > 0)
        advance(state)
        self.tick += 1
        done("advance")
        return self._frame(state, touching.count, outcomes)

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
        """Makes the tables anew when the world has swapped its layout."""
        layout = self.world.layout
        if layout is self._layout:
            return
        self._layout = layout
        self._terrain = Terrain(layout)
        self._things = ThingTable(layout)
        self._needs = NeedsTable(layout)
        self._sensorium = Sensorium(self._terrain, self._things, self._signatures)


def feel(state: State, touching: contact.Contacts, walls: Push, on_feet: Tensor) -> None:
    """Writes what presses on bodies, and takes from their velocities what goes against it."""
    pressed = contact.press(state, walls.normal_x, walls.normal_y, walls.depth) * on_feet.unsqueeze(-1)
    torch.add(touching.force, pressed, out=state.contact)
    state.contact.clamp_(max=contact.MAX_FORCE).mul_(state.alive.unsqueeze(-1))
    contact.stop(state.velocity, *contact.unit(touching.push_x, touching.push_y))
    contact.stop(state.velocity, walls.normal_x, walls.normal_y)


def advance(state: State) -> None:
    """Lets emotes run out and the clock tick."""
    state.emote_left.sub_(DT).clamp_(min=0.0)
    state.emote.mul_(state.emote_left > 0)
    state.tick.add_(1)
