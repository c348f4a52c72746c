"""Moments: who asks whom what, and everything that the answer may rest on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from ecumene_agents.gazetteer import Entry, Gazetteer
from ecumene_agents.mind import Mind
from ecumene_agents.persona import Persona
from ecumene_agents.routes import Routes
from ecumene_agents.schedule import Clock
from ecumene_models.senses import SenseBatch
from ecumene_world.avatar import Avatar
from ecumene_world.kinds import BY_NAME
from ecumene_world.state import Emote, Verb
from ecumene_world.world import World

VISITOR: Final = BY_NAME["visitor"].code
"""Kind of the avatars that people move."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What an NPC says, and does with it.

    Attributes:
        text: At most 500 characters of inert text.
        emote: Gesture that goes with it.
        verb: Favour that it agrees to do, None for none; WAIT ends one under way or stays put.
        place: Where that favour leads, -1 for nowhere.
    """

    text: str
    emote: Emote = Emote.NONE
    verb: Verb | None = None
    place: int = -1


class Inner(Protocol):
    """What dialogue may know of the minds; `Minds` is one."""

    routes: Routes

    @property
    def clock(self) -> Clock:
        """World time."""

    def mind(self, key: str) -> Mind:
        """Returns the slow mind of an NPC."""

    def senses_of(self, key: str) -> SenseBatch | None:
        """Returns one row of what an NPC last perceived."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Who asks whom what, and all that the answer may rest on.

    Attributes:
        world: Where.
        npc: Who is asked.
        visitor: Who asks, None if they are not in the world.
        persona: Who the NPC is.
        mind: Its slow mind, None if it has none.
        senses: One row of what it perceives, None if unknown.
        clock: World time.
        routes: For walking distances, None if there are none.
        gazetteer: Names.
        people: Everybody else.
        words: The corrected words of the question.
    """

    world: World
    npc: Avatar
    visitor: Avatar | None
    persona: Persona
    mind: Mind | None
    senses: SenseBatch | None
    clock: Clock
    routes: Routes | None
    gazetteer: Gazetteer
    people: list[Entry]
    words: list[str]

    @property
    def here(self) -> tuple[float, float, float]:
        """Where the NPC is, m."""
        x, y, z = self.world.state.position[self.npc.world, self.npc.slot].tolist()
        return (x, y, z)

    @property
    def tick(self) -> int:
        """Now."""
        return int(self.world.state.tick[self.npc.world])

    @property
    def needs(self) -> list[float]:
        """Rest, food, company, fun of the NPC, 0..1."""
        return [float(level) for level in self.world.state.needs[self.npc.world, self.npc.slot].tolist()]

    @property
    def asked(self) -> Entry | None:
        """What the words name, None if nothing that exists."""
        return self.gazetteer.find(self.words, self.people, self.here)
