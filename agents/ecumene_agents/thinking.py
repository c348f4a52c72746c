"""The slow minds: at most once a second an NPC looks at the day, its needs and its company, and may change its intent.

They act through commands only, so what they want is logged, replayed and permitted like anything else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from ecumene_agents.chance import number
from ecumene_agents.errands import Errands, intend
from ecumene_agents.memory import Episode, Memory
from ecumene_agents.mind import Aim, Favour, Mind, Stage, Talk
from ecumene_agents.persona import Persona, persona_of
from ecumene_agents.relocation import relocate
from ecumene_agents.scene import Scene
from ecumene_agents.schedule import Activity, Clock
from ecumene_agents.smalltalk import farewell, greeting, remark
from ecumene_agents.spots import Spots
from ecumene_agents.staff import Staff
from ecumene_world.ahead import Ahead
from ecumene_world.avatar import Avatar
from ecumene_world.command import Command, Gesture, Say
from ecumene_world.kinds import BY_NAME
from ecumene_world.state import TICK_HZ, Emote, Verb
from ecumene_world.world import World

THINK_TICKS: Final = TICK_HZ
"""Ticks between two thoughts of the same NPC; slots take turns."""
GREET_AGAIN_TICKS: Final = 300 * TICK_HZ
"""How long after a meeting the same person is greeted again."""
WELCOMERS: Final = 2
"""So many NPCs greet a visitor within `WELCOME_TICKS`; the others glance."""
WELCOME_TICKS: Final = 30 * TICK_HZ
GLANCE_TICKS: Final = 2 * TICK_HZ
TALKATIVE: Final = 0.9
"""Share of greetings that come with words."""
QUIET_TICKS: Final = 8 * TICK_HZ
"""Least time between two things that an NPC says by itself."""
CHAT_TICKS: Final = 10 * TICK_HZ
LINE_TICKS: Final = 3 * TICK_HZ

_VISITOR: Final = BY_NAME["visitor"].code


class Thinking:
    """The slow minds of all NPCs of a world.

    Attributes:
        clock: World time.
        minds: By avatar key; made when an NPC first thinks.
    """

    def __init__(self, world: World, *, clock: Clock | None = None, keeps_speech: bool = False) -> None:
        self.clock = clock or Clock()
        self.minds: dict[str, Mind] = {}
        self._world = world
        self._keeps_speech = keeps_speech
        self.spots = Ahead(Spots)
        """Spots by layout; see `Ahead`."""
        self._spots = self.spots.of(world.layout)
        self._serials: dict[str, int] = {}
        self._hired: dict[tuple[str, int], int] = {}
        self._errands = Errands(world, lambda: self._spots, self._aims)
        self._known: tuple[tuple[int, int], Sequence[str]] = (0, -1), ()

    def think(self, tick: int, slots: Sequence[int]) -> list[Command]:
        """Returns what the NPCs in those slots want to do about their lives.

        Args:
            tick: Now.
            slots: Who thinks; those without an NPC are passed over.
        """
        self._keep_up()
        commands: list[Command] = []
        for index in range(self._world.state.worlds):
            keys = [key for slot in slots if (key := self._world.key_of(index, slot)) is not None]
            thinkers = [who for key in keys if (who := self._world.avatars[key]).kind != _VISITOR]
            if thinkers:
                scene = Scene.of(self._world, index, [who.slot for who in thinkers if self._may_greet(who, tick)])
                for who in thinkers:
                    commands += self._thoughts(who, scene, tick)
        return commands

    def mind(self, key: str) -> Mind:
        """Returns the slow mind of an NPC, made on first sight; a newcomer under an old key starts afresh."""
        self._keep_up()
        who = self._world.avatars[key]
        if not self._knows(who):
            persona = persona_of(who, self._world.layout, self._world.seed, self._neighbours(), self._work(who))
            self.minds[key] = Mind(persona, Memory(self._keeps_speech))
        self._serials[key] = who.serial
        return self.minds[key]

    def _knows(self, who: Avatar) -> bool:
        """Tells whether the mind under an avatar's key is its own."""
        return who.key in self.minds and self._serials.get(who.key, who.serial) == who.serial

    def _work(self, who: Avatar) -> int:
        """Returns where a newcomer works; all who are new in its world are hired at once, who came first goes first."""
        if (who.key, who.serial) not in self._hired:
            others = self._npcs(who.world)
            staff = Staff(self._spots, [self.minds[each.key].persona.work for each in others if self._knows(each)])
            for each in others:
                if not self._knows(each):
                    self._hired[each.key, each.serial] = staff.hire(each.key, each.role, self._world.seed)
        return self._hired.pop((who.key, who.serial))

    def _keep_up(self) -> None:
        """Takes up the layout of now, if it is another one."""
        layout, before = self._world.layout, self._spots.layout
        if layout is before:
            return
        self._spots = self.spots.of(layout)
        self._hired.clear()
        for index in range(self._world.state.worlds):
            here = {who.key: self.minds[who.key] for who in self._npcs(index) if self._knows(who)}
            relocate(here, before, self._spots, self._world.seed, self._newcomer_like)

    def _newcomer_like(self, key: str) -> Persona:
        return persona_of(self._world.avatars[key], self._world.layout, self._world.seed, ())

    def _npcs(self, index: int) -> list[Avatar]:
        """Returns the NPCs of a world in the order in which they came."""
        return [who for who in self._world.avatars.values() if who.world == index and who.kind != _VISITOR]

    def _neighbours(self) -> Sequence[str]:
        """Returns the keys of all NPCs, sorted once a tick at most: a whole town may come to mind at once."""
        now = len(self._world.avatars), int(self._world.state.tick[0])
        if self._known[0] != now:
            keys = [who.key for who in self._world.avatars.values() if who.kind != _VISITOR]
            self._known = now, sorted(keys)
        return self._known[1]

    def _aims(self, index: int) -> list[Aim]:
        """Returns what the NPCs of a world are about."""
        avatars, minds = self._world.avatars, self.minds.items()
        known = [(avatars[key], mind.aim) for key, mind in minds if mind.aim is not None and key in avatars]
        return [aim for who, aim in known if who.world == index and self._knows(who)]

    def _may_greet(self, who: Avatar, tick: int) -> bool:
        mind = self.minds.get(who.key)
        return mind is None or tick - mind.spoke >= QUIET_TICKS

    def restore(self, minds: Mapping[str, Mind]) -> None:
        """Takes minds from a snapshot in place of all there are."""
        self.minds = dict(minds)
        self._serials = {key: self._world.avatars[key].serial for key in minds}
        self._hired.clear()

    def forget_gone(self) -> None:
        """Drops the minds of NPCs that are no longer here."""
        for key in self.minds.keys() - self._world.avatars.keys():
            del self.minds[key]
            self._serials.pop(key, None)

    def hold(self, key: str, partner: str, tick: int, ticks: int = 6 * TICK_HZ) -> list[Command]:
        """Lets an NPC stop and face somebody who talks to it."""
        mind = self.mind(key)
        mind.talk = Talk(partner, tick + ticks)
        return intend(mind, self._world.avatars[key], Verb.WAIT, target=partner)

    def agree(self, key: str, favour: Favour, tick: int) -> list[Command]:
        """Lets an NPC begin with a favour at once."""
        mind, who = self.mind(key), self._world.avatars[key]
        mind.favour, mind.talk, mind.sent = favour, None, ()
        return list(self._oblige(mind, who, Scene.of(self._world, who.world), tick))

    def release(self, key: str) -> None:
        """Ends a favour."""
        mind = self.mind(key)
        mind.favour, mind.talk, mind.sent = None, None, ()

    def _thoughts(self, who: Avatar, scene: Scene, tick: int) -> Iterator[Command]:
        mind = self.mind(who.key)
        if mind.talk is not None:
            yield from self._converse(mind, who, tick)
        elif mind.favour is not None:
            yield from self._oblige(mind, who, scene, tick)
        else:
            yield from self._errands.pursue(mind, who, scene, self.clock, tick)
        if mind.talk is None:
            yield from self._greet(mind, who, scene, tick)

    def _greet(self, mind: Mind, who: Avatar, scene: Scene, tick: int) -> Iterator[Command]:
        """Greets who comes near, or only looks up, and may begin a chat."""
        if tick - mind.spoke < QUIET_TICKS:
            return
        other = self._newcomer(mind, who, scene, tick)
        if other is None:
            return
        greets = self._greets(mind, who, other, float(scene.needs[who.slot, 2]), tick)
        known = mind.memory.meet(other.key, other.title, tick)
        mind.memory.note(Episode(tick, "met", other.key))
        if not greets:
            yield from self._glance(mind, who, other, tick)
            return
        mind.spoke = tick
        yield Gesture(who.key, Emote.WAVE, world=who.world)
        if number(self._world.seed, who.key, other.key, tick) >= TALKATIVE:
            return
        yield Say(who.key, greeting(mind, other, known, self.clock, tick), world=who.world)
        if other.kind != _VISITOR:
            yield from self._begin_chat(mind, who, other, tick)

    def _greets(self, mind: Mind, who: Avatar, other: Avatar, company: float, tick: int) -> bool:
        """Tells whether an NPC greets whom it meets: friends, whom it is lonely enough for, and a visitor in turn."""
        if other.kind == _VISITOR:
            known = (mind.memory.people.get(other.key) for mind in self.minds.values())
            return sum(tick - each.last <= WELCOME_TICKS for each in known if each) < WELCOMERS
        if other.key in mind.persona.friends:
            return True
        return number(self._world.seed, who.key, other.key, tick, "greets") < 1.1 - company

    def _glance(self, mind: Mind, who: Avatar, other: Avatar, tick: int) -> list[Command]:
        """Lets who stands about turn to somebody for a moment; who walks, sits or works goes on."""
        aim = mind.aim
        idle = mind.favour is None and aim is not None and aim.stage is Stage.DWELL and aim.verb is Verb.GO
        return self.hold(who.key, other.key, tick, GLANCE_TICKS) if idle else []

    def _newcomer(self, mind: Mind, who: Avatar, scene: Scene, tick: int) -> Avatar | None:
        """Returns the nearest avatar within reach of a greeting that it has not met lately."""
        for slot in scene.near.get(who.slot, ()):
            key = self._world.key_of(who.world, slot)
            since = None if key is None else mind.memory.since_met(key, tick)
            if key is not None and (since is None or since > GREET_AGAIN_TICKS):
                return self._world.avatars[key]
        return None

    def _begin_chat(self, mind: Mind, who: Avatar, other: Avatar, tick: int) -> Iterator[Command]:
        """Lets two NPCs stop and talk, if both have time."""
        theirs = self.mind(other.key)
        idle = {Activity.STROLL, Activity.SOCIAL, Activity.ERRAND}
        free = all(m.aim is not None and m.aim.activity in idle and m.favour is None for m in (mind, theirs))
        if not free or theirs.talk is not None:
            return
        until = tick + CHAT_TICKS
        mind.talk = Talk(other.key, until, turn=1, next_line=tick + 2 * LINE_TICKS)
        theirs.talk = Talk(who.key, until, next_line=tick + LINE_TICKS)
        theirs.memory.meet(who.key, mind.persona.name, tick)
        yield from intend(mind, who, Verb.WAIT, target=other.key)
        yield from intend(theirs, other, Verb.WAIT, target=who.key)

    def _converse(self, mind: Mind, who: Avatar, tick: int) -> Iterator[Command]:
        """Says the next line of a conversation, or ends it."""
        talk = mind.talk
        assert talk is not None, "called while talking"
        partner = self._world.avatars.get(talk.partner)
        if partner is None or tick >= talk.until:
            if partner is not None and talk.turn > 1:
                yield Gesture(who.key, Emote.NOD, world=who.world)
            mind.talk, mind.sent, mind.progress = None, (), tick
        elif 0 <= talk.next_line <= tick:
            talk.turn += 1
            talk.next_line = tick + 2 * LINE_TICKS
            mind.spoke = tick
            last = talk.next_line > talk.until
            line = farewell(mind, partner) if last else remark(mind, partner, talk.turn, self._world, self.clock, tick)
            yield Say(who.key, line, world=who.world)

    def _oblige(self, mind: Mind, who: Avatar, scene: Scene, tick: int) -> Iterator[Command]:
        """Carries on with what a visitor asked for, until time is up or the visitor is gone."""
        favour = mind.favour
        assert favour is not None, "called during a favour"
        visitor = self._world.avatars.get(favour.who)
        if visitor is None or visitor.world != who.world or tick >= favour.until:
            mind.favour, mind.sent, mind.progress = None, (), tick
            return
        gap = scene.gap(who.slot, scene.position(visitor.slot))
        if favour.verb is Verb.GO:
            yield from self._lead(mind, who, favour, scene, gap, tick)
        elif favour.verb is Verb.WAIT or (favour.verb is Verb.COME and gap < 1.6):
            yield from intend(mind, who, Verb.WAIT, target=favour.who)
        else:
            yield from intend(mind, who, favour.verb, target=favour.who)

    def _lead(self, mind: Mind, who: Avatar, favour: Favour, scene: Scene, gap: float, tick: int) -> Iterator[Command]:
        """Walks ahead to a place, and waits for who falls behind."""
        spots = self._spots
        if scene.gap(who.slot, spots.place_point[favour.place]) < max(2.0, spots.place_radius[favour.place]):
            mind.favour, mind.sent = None, ()
            yield Say(who.key, "Here we are.", world=who.world)
            yield from self.hold(who.key, favour.who, tick)
        elif gap > 9.0:
            if tick - favour.said > QUIET_TICKS:
                favour.said = tick
                yield Say(who.key, "This way, please. I'll wait for you.", world=who.world)
            yield from intend(mind, who, Verb.WAIT, target=favour.who)
        elif gap < 5.0 or mind.sent[:1] != (Verb.WAIT,):
            yield from intend(mind, who, Verb.GO, place=spots.place_name[favour.place])
