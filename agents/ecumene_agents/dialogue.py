"""Dialogue: an NPC answers from what is really so in its world, and says so when it does not know.

The same question in the same situation gets the same answer; nothing that a visitor types is ever repeated or obeyed
as markup or code.
"""

from __future__ import annotations

from dataclasses import dataclass

from ecumene_agents.answers import answered
from ecumene_agents.errors import NobodyThereError
from ecumene_agents.gazetteer import Gazetteer, people_of
from ecumene_agents.moment import VISITOR, Inner, Moment, Reply
from ecumene_agents.persona import persona_of
from ecumene_agents.schedule import Clock
from ecumene_agents.topics import FUNCTION_WORDS, VOCABULARY
from ecumene_agents.words import Speller, corrected, foreign, inert, tokens
from ecumene_world.ahead import Ahead
from ecumene_world.avatar import Avatar
from ecumene_world.graph import SceneGraph
from ecumene_world.layout import Layout
from ecumene_world.world import World

__all__ = ["Dialogue", "Reply", "answer"]


@dataclass(frozen=True, slots=True)
class Lore:
    """What is called what in a layout: its names, and the words that a slip of the finger may have meant."""

    gazetteer: Gazetteer
    terms: Speller

    @classmethod
    def of(cls, layout: Layout, graph: SceneGraph) -> Lore:
        """Reads the names of a layout, and titles of the graph it was compiled from."""
        gazetteer = Gazetteer(layout, graph)
        return cls(gazetteer, Speller(VOCABULARY | gazetteer.words))


class Dialogue:
    """Answers for all NPCs of a world.

    Args:
        world: Where.
        minds: Their minds; without them NPCs know who they are and what is around, but not what they are about.
    """

    def __init__(self, world: World, minds: Inner | None = None) -> None:
        self._world, self._minds = world, minds
        self._names = Speller(())
        self.lore = Ahead(lambda layout: Lore.of(layout, world.graph))
        """What is called what, by layout."""

    def reply(self, npc_key: str, visitor_key: str, text: str) -> Reply:
        """Returns what an NPC answers.

        Args:
            npc_key: Who is asked.
            visitor_key: Who asks; need not be in the world.
            text: What they typed; anything at all.

        Raises:
            NobodyThereError: No such NPC is in the world.
        """
        npc = self._world.avatars.get(npc_key)
        if npc is None or npc.kind == VISITOR:
            raise NobodyThereError(f"{npc_key!r} is not an NPC of this world")
        if foreign(text):
            return Reply("I'm sorry, I only understand English.")
        moment = self._moment(npc, visitor_key, text)
        reply = answered(moment)
        return Reply(inert(reply.text), reply.emote, reply.verb, reply.place)

    def _moment(self, npc: Avatar, visitor_key: str, text: str) -> Moment:
        world, minds = self._world, self._minds
        lore = self.lore.of(world.layout)
        people = people_of(world, npc.world, npc.key)
        names = frozenset(word for entry in people for word in entry.words) | _reading_words(world)
        if names != self._names.words:
            self._names = Speller(names)
        mind = None if minds is None else minds.mind(npc.key)
        keys = sorted(key for key, who in world.avatars.items() if who.kind != VISITOR)
        return Moment(
            world=world,
            npc=npc,
            visitor=world.avatars.get(visitor_key),
            persona=mind.persona if mind else persona_of(npc, world.layout, world.seed, keys),
            mind=mind,
            senses=None if minds is None else minds.senses_of(npc.key),
            clock=Clock() if minds is None else minds.clock,
            routes=None if minds is None else minds.routes,
            gazetteer=lore.gazetteer,
            people=people,
            words=corrected(tokens(text), (lore.terms, self._names)),
        )


def answer(world: World, npc_key: str, visitor_key: str, text: str, minds: Inner | None = None) -> str:
    """Returns what an NPC answers; see `Dialogue.reply`, which does not look up all names anew each time."""
    return Dialogue(world, minds).reply(npc_key, visitor_key, text).text


def _reading_words(world: World) -> frozenset[str]:
    fields = {field for fields in world.readings.values() for field in fields}
    return frozenset(word for field in fields for word in tokens(field)) - FUNCTION_WORDS
