"""The slow half of one mind: who it is, what it remembers, and what it is about just now."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ecumene_agents.memory import Memory
from ecumene_agents.persona import Persona
from ecumene_agents.schedule import Activity, Entry
from ecumene_agents.spots import Point
from ecumene_world.state import Verb


class Stage(Enum):
    """How far an aim has come."""

    TRAVEL = "travel"
    """On the way to the place."""
    SETTLE = "settle"
    """At the place, on the way to the very spot or seat."""
    DWELL = "dwell"
    """There."""


@dataclass(slots=True)
class Aim:
    """What an NPC is about.

    Attributes:
        activity: What for.
        verb: What it does once there.
        reason: Why, in the first person, "I want to ...".
        place: Place index, -1 for none.
        person: Key of whom it is about, "" for nobody.
        point: The very spot, None before it is chosen.
        seat: Seat it goes for, -1 for none.
        stage: How far it has come.
        since: Tick of that stage's beginning.
        stay_ticks: How long it dwells.
    """

    activity: Activity
    verb: Verb
    reason: str
    place: int = -1
    person: str = ""
    point: Point | None = None
    seat: int = -1
    stage: Stage = Stage.TRAVEL
    since: int = 0
    stay_ticks: int = 200

    def enter(self, stage: Stage, tick: int) -> None:
        """Goes on to a stage."""
        self.stage, self.since = stage, tick


@dataclass(slots=True)
class Favour:
    """What a visitor asked for and the NPC agreed to.

    Attributes:
        verb: FOLLOW, COME, WAIT, GO to lead somebody to a place, or HAND_OVER what it holds.
        who: Key of the visitor.
        until: Tick at which the NPC goes back to its own day.
        place: Where to lead to, -1 for nowhere.
        said: Tick at which it last told the visitor something about it, -1 never.
    """

    verb: Verb
    who: str
    until: int
    place: int = -1
    said: int = -1


@dataclass(slots=True)
class Talk:
    """A conversation.

    Attributes:
        partner: Key of the other.
        until: Tick at which it is over.
        turn: Lines said so far by this side.
        next_line: Tick of this side's next line; -1 when it has none, as with visitors, who are answered.
    """

    partner: str
    until: int
    turn: int = 0
    next_line: int = -1


@dataclass(slots=True)
class Mind:
    """The slow half of one NPC's mind.

    Attributes:
        persona: Who it is.
        memory: What it remembers.
        aim: What it is about, None before its first thought.
        favour: What it does for a visitor instead, None usually.
        talk: With whom it talks, None usually.
        plan: Today's plan.
        day: The day of that plan, -1 before the first.
        spoke: Tick at which it last said something by itself.
        best_m: Least distance to the goal so far on this way, metres.
        anchor: Where it was when it last made progress, m.
        progress: Tick at which that was.
        aside: Where it lets others pass just now, None usually.
        until: Tick at which it goes on from there.
        sent: The intent last sent, so that it is sent once.
    """

    persona: Persona
    memory: Memory
    aim: Aim | None = None
    favour: Favour | None = None
    talk: Talk | None = None
    plan: tuple[Entry, ...] = ()
    day: int = -1
    spoke: int = -10_000
    best_m: float = 1e9
    anchor: tuple[float, float] = (0.0, 0.0)
    progress: int = 0
    aside: Point | None = None
    until: int = 0
    sent: tuple[object, ...] = ()
