"""Dialogue: an NPC answers from what is really so in its world, and says so when it does not know.

Answers are templates over the scene graph, the state, the NPC's own mind and its present senses. The same question in
the same situation gets the same answer; nothing that a visitor types is ever repeated or obeyed as markup or code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import dist
from typing import Final, Protocol

from ecumene_agents import perception
from ecumene_agents.aims import feeling
from ecumene_agents.chance import pick
from ecumene_agents.errors import NobodyThereError
from ecumene_agents.gazetteer import Entry, Gazetteer, direction, people_of, place_name, rounded_m
from ecumene_agents.mind import Aim, Mind, Stage
from ecumene_agents.persona import DUTIES, Persona, persona_of
from ecumene_agents.routes import Routes
from ecumene_agents.schedule import Activity, Clock, part_of_day
from ecumene_agents.smalltalk import salutation
from ecumene_agents.topics import FUNCTION_WORDS, VOCABULARY, Topic, topic_of
from ecumene_agents.words import Speller, corrected, foreign, inert, listed, tokens, with_article
from ecumene_models.senses import SenseBatch
from ecumene_world.avatar import Avatar
from ecumene_world.kinds import BY_NAME
from ecumene_world.state import Emote, Verb
from ecumene_world.world import World

WALK_SPEED: Final = 1.3
"""m/s assumed when an NPC says how long a walk takes."""
NEAR_M: Final = 12.0
"""People within this are "near"."""

_VISITOR: Final = BY_NAME["visitor"].code


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


class Dialogue:
    """Answers for all NPCs of a world.

    Args:
        world: Where.
        minds: Their minds; without them NPCs know who they are and what is around, but not what they are about.
    """

    def __init__(self, world: World, minds: Inner | None = None) -> None:
        self._world, self._minds = world, minds
        self._names = Speller(())
        self._read_up()

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
        if npc is None or npc.kind == _VISITOR:
            raise NobodyThereError(f"{npc_key!r} is not an NPC of this world")
        if foreign(text):
            return Reply("I'm sorry, I only understand English.")
        moment = self._moment(npc, visitor_key, text)
        reply = _answered(moment)
        return Reply(inert(reply.text), reply.emote, reply.verb, reply.place)

    def _read_up(self) -> None:
        """Learns the names of the present layout."""
        self._gazetteer = Gazetteer(self._world)
        self._terms = Speller(VOCABULARY | self._gazetteer.words)

    def _moment(self, npc: Avatar, visitor_key: str, text: str) -> Moment:
        world, minds = self._world, self._minds
        if world.layout is not self._gazetteer.layout:
            self._read_up()
        people = people_of(world, npc.world, npc.key)
        names = frozenset(word for entry in people for word in entry.words) | _reading_words(world)
        if names != self._names.words:
            self._names = Speller(names)
        mind = None if minds is None else minds.mind(npc.key)
        keys = sorted(key for key, who in world.avatars.items() if who.kind != _VISITOR)
        return Moment(
            world=world,
            npc=npc,
            visitor=world.avatars.get(visitor_key),
            persona=mind.persona if mind else persona_of(npc, world.layout, world.seed, keys),
            mind=mind,
            senses=None if minds is None else minds.senses_of(npc.key),
            clock=Clock() if minds is None else minds.clock,
            routes=None if minds is None else minds.routes,
            gazetteer=self._gazetteer,
            people=people,
            words=corrected(tokens(text), (self._terms, self._names)),
        )


def answer(world: World, npc_key: str, visitor_key: str, text: str, minds: Inner | None = None) -> str:
    """Returns what an NPC answers; see `Dialogue.reply`, which does not look up all names anew each time."""
    return Dialogue(world, minds).reply(npc_key, visitor_key, text).text


def _answered(moment: Moment) -> Reply:
    topic = topic_of(moment.words)
    if topic is None:
        return _about(moment) if moment.words and moment.asked else _lost(moment)
    return _ANSWERS[topic](moment)


def _greeting(moment: Moment) -> Reply:
    again = "" if moment.visitor is None or not _known(moment) else f", {_first(moment.visitor.title)}"
    return Reply(f"{salutation(moment.clock, moment.tick)}{again}! I'm {moment.persona.first_name}.", Emote.WAVE)


def _farewell(moment: Moment) -> Reply:
    night = "Good night" if moment.clock.hour(moment.tick) >= 20 else "Goodbye"
    return Reply(f"{night}! {pick(_PARTINGS, moment.world.seed, moment.npc.key)}", Emote.WAVE)


_PARTINGS: Final = ("Come again.", "Take care.", "It was nice to talk.", "See you around.")


def _thanks(moment: Moment) -> Reply:
    return Reply(pick(("You're welcome.", "My pleasure.", "Any time."), moment.world.seed, moment.npc.key), Emote.NOD)


def _agreement(moment: Moment) -> Reply:
    del moment
    return Reply("All right.", Emote.NOD)


def _help(moment: Moment) -> Reply:
    del moment
    return Reply(
        "Ask me who I am, what I'm doing and why, what I see, hear or feel, what time it is, who is near, or where "
        "something is. I can also follow you, wait, or take you somewhere."
    )


def _identity(moment: Moment) -> Reply:
    who = moment.persona
    work = f" and I am {with_article(who.role)} here" if who.role else " and I live here"
    return Reply(f"I'm {who.name}{work}.")


def _nature(moment: Moment) -> Reply:
    return Reply(
        f"I'm {moment.persona.first_name}, a simulated person. A small controller moves me by what I see, hear and "
        "feel, and I answer from what this world knows."
    )


def _work(moment: Moment) -> Reply:
    who = moment.persona
    if not who.role:
        return Reply("I have no work; I just live here.")
    duty = DUTIES.get(who.role, f"I am {with_article(who.role)}")
    where = f" at {_place(moment, who.work)}" if who.work >= 0 else ""
    return Reply(f"{duty}{where}.")


def _live(moment: Moment) -> Reply:
    home = moment.persona.home
    return Reply(f"I live at {_place(moment, home)}." if home >= 0 else "I have no home of my own in this world.")


def _friends(moment: Moment) -> Reply:
    titles = [who.title for key in moment.persona.friends if (who := moment.world.avatars.get(key)) is not None]
    return Reply(f"My friends are {listed(titles)}." if titles else "I have no friends here yet.")


def _likes(moment: Moment) -> Reply:
    liked = [_place(moment, place) for place in moment.persona.likes[:3]]
    return Reply(f"I like to go to {listed(liked)}." if liked else "There isn't much to like here yet.")


def _time(moment: Moment) -> Reply:
    return Reply(f"It is {moment.clock.spoken(moment.tick)}, on day {moment.clock.day(moment.tick) + 1}.")


def _here(moment: Moment) -> Reply:
    title = moment.world.graph.name
    near = _nearest_place(moment)
    where = f" We are at {near}." if near else ""
    return Reply(f"This is {title}.{where}")


def _near(moment: Moment) -> Reply:
    near = sorted((dist(entry.position, moment.here), entry) for entry in moment.people if _close(moment, entry))
    others = [entry for _, entry in near if moment.visitor is None or entry.key != moment.visitor.key]
    everyone = f"There are {len(moment.people) + 1} of us in all."
    if not others:
        return Reply(f"Nobody but {'you and me' if moment.visitor else 'me'}. {everyone}")
    named = [f"{entry.name}, {rounded_m(dist(entry.position, moment.here))} away" for entry in others[:4]]
    more = f" and {len(others) - 4} more" if len(others) > 4 else ""
    return Reply(f"Near us: {'; '.join(named)}{more}. {everyone}")


def _see(moment: Moment) -> Reply:
    asked = [entry for entry in moment.people if entry.words & set(moment.words)]
    if asked and not _close(moment, asked[0]):
        return Reply(f"No, {asked[0].name} is too far away for that.")
    return _perceived(moment, perception.sight)


def _hear(moment: Moment) -> Reply:
    return _perceived(moment, perception.sound)


def _feel(moment: Moment) -> Reply:
    return _perceived(moment, perception.touch)


def _perceived(moment: Moment, sense: perception.Teller) -> Reply:
    if moment.senses is None:
        return Reply("I can't tell just now; ask me again in a moment.")
    return Reply(sense(moment.senses))


def _doing(moment: Moment) -> Reply:
    mind = moment.mind
    if mind is None or (mind.aim is None and mind.favour is None):
        return Reply("Nothing in particular; I have only just arrived.")
    if mind.favour is not None:
        return Reply(f"I'm doing {_name_of(moment, mind.favour.who)} a favour: {_FAVOURS[mind.favour.verb]}.")
    assert mind.aim is not None, "checked above"
    return Reply(f"{_under_way(moment, mind.aim)}, because {_lower(mind.aim.reason)}.")


_FAVOURS: Final[Mapping[Verb, str]] = {
    Verb.FOLLOW: "I walk along",
    Verb.COME: "I'm coming over",
    Verb.WAIT: "I wait here",
    Verb.GO: "I show the way",
}


def _under_way(moment: Moment, aim: Aim) -> str:
    if aim.place < 0:
        return "I'm standing about"
    place = _place(moment, aim.place)
    if aim.stage is Stage.TRAVEL:
        return f"I'm on my way to {place}"
    deed = {Verb.SIT: "sitting", Verb.WORK: "working"}.get(aim.verb, "spending some time")
    return f"I'm {deed} at {place}"


def _destination(moment: Moment) -> Reply:
    aim = moment.mind.aim if moment.mind else None
    if aim is None or aim.place < 0:
        return Reply("Nowhere in particular.")
    if aim.stage is not Stage.TRAVEL:
        return Reply(f"Nowhere just now: I'm at {_place(moment, aim.place)}, because {_lower(aim.reason)}.")
    return Reply(f"To {_place(moment, aim.place)}, because {_lower(aim.reason)}.")


_DEEDS: Final[Mapping[Activity, str]] = {
    Activity.HOME: "go home",
    Activity.WORK: "work",
    Activity.MEAL: "eat something",
    Activity.STROLL: "take a walk",
    Activity.REST: "sit down somewhere",
    Activity.ERRAND: "run an errand",
    Activity.SOCIAL: "meet people",
}


def _plan(moment: Moment) -> Reply:
    mind, hour = moment.mind, moment.clock.hour(moment.tick)
    later = [entry for entry in mind.plan if entry.hour > hour] if mind else []
    if not later:
        return Reply("Nothing more today.")
    deeds = [f"{_DEEDS[entry.activity]} {part_of_day(entry.hour)}" for entry in later[:2]]
    return Reply(f"Next I mean to {', then '.join(deeds)}.")


def _wellbeing(moment: Moment) -> Reply:
    mood = feeling(moment.needs)
    return Reply("I'm fine, thank you." if mood == "fine" else f"I'm {mood}, but well otherwise, thank you.")


def _memory(moment: Moment) -> Reply:
    mind = moment.mind
    if mind is None:
        return Reply("I don't remember anything yet.")
    if {"me", "we", "my", "i"} & set(moment.words):
        return _acquaintance(moment, mind)
    if {"been", "go", "were", "done", "today"} & set(moment.words):
        visited = [place for title in reversed(mind.memory.places) if (place := _titled(moment, title))]
        return Reply(f"I have been at {listed(visited[:3])}." if visited else "Nowhere yet; my day has just begun.")
    met = [known.name for key, known in reversed(mind.memory.people.items()) if key != _key(moment.visitor)]
    return Reply(f"I have met {listed(met[:4])}." if met else "I have met nobody yet.")


def _acquaintance(moment: Moment, mind: Mind) -> Reply:
    known = None if moment.visitor is None else mind.memory.people.get(moment.visitor.key)
    if moment.visitor is None or known is None:
        return Reply("I don't think that we have met before.")
    times = "once" if known.times == 1 else "twice" if known.times == 2 else f"{known.times} times"
    return Reply(f"Yes, you are {moment.visitor.title}. We have met {times}.")


def _where(moment: Moment) -> Reply:
    entry = moment.asked
    if entry is None:
        return Reply("I don't know where that is. There is nothing here that I know by that name.")
    gap = dist(entry.position, moment.here)
    if gap < 2.0:
        return Reply(f"{_capital(_named(moment, entry))} is right here.", Emote.POINT)
    storey = _storey(moment, entry)
    way = direction(moment.here, entry.position)
    return Reply(f"{_capital(_named(moment, entry))} is {rounded_m(gap)} to the {way} of us{storey}.", Emote.POINT)


def _far(moment: Moment) -> Reply:
    entry = moment.asked
    if entry is None:
        return Reply("I don't know how far that is. There is nothing here that I know by that name.")
    walk = None
    if moment.routes is not None and entry.sort == "place":
        walk = moment.routes.distance(moment.npc.world, moment.npc.slot, entry.index)
    metres = dist(entry.position, moment.here) if walk is None else walk
    how = "in a straight line" if walk is None else f"on foot, {_minutes(metres)}"
    return Reply(f"{_capital(_named(moment, entry))} is about {rounded_m(metres)} away {how}.")


def _about(moment: Moment) -> Reply:
    entry = moment.asked
    if entry is None:
        return _lost(moment)
    if entry.sort == "person":
        who = moment.world.avatars[entry.key]
        kind = "a visitor" if who.kind == _VISITOR else with_article(who.role) if who.role else "someone who lives here"
        where = f"{rounded_m(dist(entry.position, moment.here))} to the {direction(moment.here, entry.position)}"
        return Reply(f"{entry.name} is {kind}, {where} of us.")
    node = moment.world.graph.node(entry.key)
    written = node.attributes.get("text")
    says = f" It says: {written}" if isinstance(written, str) and written else ""
    sort = next(iter(sorted(entry.classes)), "place").replace("_", " ")
    called = f", {with_article(sort)}," if entry.proper else ""
    way = f"{rounded_m(dist(entry.position, moment.here))} to the {direction(moment.here, entry.position)} of us"
    return Reply(f"{_capital(_named(moment, entry))}{called} is {way}.{says}")


def _reading(moment: Moment) -> Reply:
    world, asked = moment.world, set(moment.words)
    named = moment.asked
    found = [
        (node, field, value, unit)
        for node, fields in world.readings.items()
        for field, (value, unit) in fields.items()
        if asked & set(tokens(field)) or (named is not None and node == named.key)
    ]
    if not found:
        return Reply("I don't know; nothing here measures that.")
    here = [each for each in found if named is not None and each[0] == named.key] or found
    node, field, value, unit = here[0]
    shown = f"{value:g}" if isinstance(value, float) else str(value)
    return Reply(f"The {field} of {_node_name(moment, node)} is {shown}{' ' + unit if unit else ''}.")


def _stop(moment: Moment) -> Reply:
    stays = {"wait", "stay"} & set(moment.words)
    said = "All right, I'll wait here." if stays else "All right. I'll go on with my day."
    return Reply(said, Emote.NOD, Verb.WAIT if stays else Verb.LEAVE)


def _follow(moment: Moment) -> Reply:
    return _favour(moment, Verb.FOLLOW, "Gladly. Lead the way.")


def _come(moment: Moment) -> Reply:
    return _favour(moment, Verb.COME, "I'm coming.")


def _lead(moment: Moment) -> Reply:
    entry = moment.asked
    if entry is None:
        return Reply("I don't know where that is, so I can't take you there.")
    if entry.sort != "place":
        return _where(moment)
    return _favour(moment, Verb.GO, f"Come along, {_named(moment, entry)} is this way.", entry.index)


def _favour(moment: Moment, verb: Verb, text: str, place: int = -1) -> Reply:
    if moment.visitor is None or moment.visitor.world != moment.npc.world:
        return Reply("I can't see you here, so I'd rather stay where I am.")
    return Reply(text, Emote.NOD, verb, place)


def _gesture(moment: Moment) -> Reply:
    wanted = next(emote for emote in Emote if emote.name.lower() in moment.words)
    return Reply("Like this?", wanted)


def _lost(moment: Moment) -> Reply:
    if not moment.words:
        return Reply("I'm sorry, I didn't understand that.")
    return Reply("I don't know about that. You could ask me where something is, what I see, or what I'm doing.")


_ANSWERS: Final[Mapping[Topic, Callable[[Moment], Reply]]] = {
    Topic.STOP: _stop,
    Topic.LEAD: _lead,
    Topic.FOLLOW: _follow,
    Topic.COME: _come,
    Topic.GESTURE: _gesture,
    Topic.FAR: _far,
    Topic.NATURE: _nature,
    Topic.MEMORY: _memory,
    Topic.FRIENDS: _friends,
    Topic.LIKES: _likes,
    Topic.LIVE: _live,
    Topic.TIME: _time,
    Topic.HERE: _here,
    Topic.SEE: _see,
    Topic.HEAR: _hear,
    Topic.FEEL: _feel,
    Topic.DESTINATION: _destination,
    Topic.DOING: _doing,
    Topic.WORK: _work,
    Topic.PLAN: _plan,
    Topic.IDENTITY: _identity,
    Topic.NEAR: _near,
    Topic.WELLBEING: _wellbeing,
    Topic.READING: _reading,
    Topic.WHERE: _where,
    Topic.WHAT_IS: _about,
    Topic.HELP: _help,
    Topic.THANKS: _thanks,
    Topic.FAREWELL: _farewell,
    Topic.GREETING: _greeting,
    Topic.AGREEMENT: _agreement,
}


def _reading_words(world: World) -> frozenset[str]:
    fields = {field for fields in world.readings.values() for field in fields}
    return frozenset(word for field in fields for word in tokens(field)) - FUNCTION_WORDS


def _known(moment: Moment) -> bool:
    return moment.mind is not None and _key(moment.visitor) in moment.mind.memory.people


def _key(who: Avatar | None) -> str:
    return "" if who is None else who.key


def _name_of(moment: Moment, key: str) -> str:
    who = moment.world.avatars.get(key)
    return "you" if who is not None and who == moment.visitor else who.title if who is not None else "somebody"


def _close(moment: Moment, entry: Entry) -> bool:
    return dist(entry.position, moment.here) < NEAR_M


def _place(moment: Moment, place: int) -> str:
    return place_name(moment.world.layout, moment.world, place)


def _titled(moment: Moment, name: str) -> str | None:
    """Returns what people call a place by its node name, None if it is gone."""
    place = moment.world.layout.place_index.get(name)
    return None if place is None else _place(moment, place)


def _nearest_place(moment: Moment) -> str | None:
    """Returns the place that the NPC is at, or near."""
    layout = moment.world.layout
    if not layout.place_role:
        return None
    position = layout.place_position
    gaps = (position - position.new_tensor(moment.here)).norm(dim=1)
    return _place(moment, int(gaps.argmin()))


def _node_name(moment: Moment, node: str) -> str:
    title = moment.world.graph.node(node).attributes.get("title") if node in moment.world.graph else None
    return title if isinstance(title, str) and title else node


def _named(moment: Moment, entry: Entry) -> str:
    if entry.proper:
        return entry.name
    return f"the {'nearest ' if moment.gazetteer.many(entry) else ''}{entry.name}"


def _storey(moment: Moment, entry: Entry) -> str:
    own = int(moment.world.state.level[moment.npc.world, moment.npc.slot])
    return "" if entry.level == own else ", upstairs" if entry.level > own else ", downstairs"


def _minutes(metres: float) -> str:
    minutes = metres / WALK_SPEED / 60
    return (
        "less than a minute" if minutes < 0.75 else f"about {max(1, round(minutes))} minute{'s'[: round(minutes) > 1]}"
    )


def _first(title: str) -> str:
    return title.split(" ", 1)[0]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lower(reason: str) -> str:
    return reason if reason.startswith("I ") else reason[:1].lower() + reason[1:]
