"""Answers about oneself: who one is, what one is about, and whom one has met."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ecumene_agents.mind import Aim, Mind, Stage
from ecumene_agents.moment import Moment, Reply
from ecumene_agents.naming import key_of, lower, person_title, place_title, title_of_place
from ecumene_agents.persona import DUTIES
from ecumene_agents.schedule import Activity, part_of_day
from ecumene_agents.words import listed, with_article
from ecumene_world.state import Verb


def identity(moment: Moment) -> Reply:
    """Tells name and role."""
    who = moment.persona
    work = f" and I am {with_article(who.role)} here" if who.role else " and I live here"
    return Reply(f"I'm {who.name}{work}.")


def nature(moment: Moment) -> Reply:
    """Tells that the NPC is simulated, and how."""
    return Reply(
        f"I'm {moment.persona.first_name}, a simulated person. A small controller moves me by what I see, hear and "
        "feel, and I answer from what this world knows."
    )


def work(moment: Moment) -> Reply:
    """Tells what the NPC works as, and where."""
    who = moment.persona
    if not who.role:
        return Reply("I have no work; I just live here.")
    duty = DUTIES.get(who.role, f"I am {with_article(who.role)}")
    where = f" at {place_title(moment, who.work)}" if who.work >= 0 else ""
    return Reply(f"{duty}{where}.")


def live(moment: Moment) -> Reply:
    """Tells where the NPC lives."""
    home = moment.persona.home
    return Reply(f"I live at {place_title(moment, home)}." if home >= 0 else "I have no home of my own in this world.")


def friends(moment: Moment) -> Reply:
    """Names friends."""
    titles = [who.title for key in moment.persona.friends if (who := moment.world.avatars.get(key)) is not None]
    return Reply(f"My friends are {listed(titles)}." if titles else "I have no friends here yet.")


def likes(moment: Moment) -> Reply:
    """Names places that the NPC likes."""
    liked = [place_title(moment, place) for place in moment.persona.likes[:3]]
    return Reply(f"I like to go to {listed(liked)}." if liked else "There isn't much to like here yet.")


def doing(moment: Moment) -> Reply:
    """Tells what the NPC is about, and why."""
    mind = moment.mind
    if mind is None or (mind.aim is None and mind.favour is None):
        return Reply("Nothing in particular; I have only just arrived.")
    if mind.favour is not None:
        return Reply(f"I'm doing {person_title(moment, mind.favour.who)} a favour: {_FAVOURS[mind.favour.verb]}.")
    assert mind.aim is not None, "checked above"
    return Reply(f"{_under_way(moment, mind.aim)}, because {lower(mind.aim.reason)}.")


_FAVOURS: Final[Mapping[Verb, str]] = {
    Verb.FOLLOW: "I walk along",
    Verb.COME: "I'm coming over",
    Verb.WAIT: "I wait here",
    Verb.GO: "I show the way",
}


def _under_way(moment: Moment, aim: Aim) -> str:
    if aim.place < 0:
        return "I'm standing about"
    place = place_title(moment, aim.place)
    if aim.stage is Stage.TRAVEL:
        return f"I'm on my way to {place}"
    deed = {Verb.SIT: "sitting", Verb.WORK: "working"}.get(aim.verb, "spending some time")
    return f"I'm {deed} at {place}"


def destination(moment: Moment) -> Reply:
    """Tells where the NPC goes, and why."""
    aim = moment.mind.aim if moment.mind else None
    if aim is None or aim.place < 0:
        return Reply("Nowhere in particular.")
    if aim.stage is not Stage.TRAVEL:
        return Reply(f"Nowhere just now: I'm at {place_title(moment, aim.place)}, because {lower(aim.reason)}.")
    return Reply(f"To {place_title(moment, aim.place)}, because {lower(aim.reason)}.")


_DEEDS: Final[Mapping[Activity, str]] = {
    Activity.HOME: "go home",
    Activity.WORK: "work",
    Activity.MEAL: "eat something",
    Activity.STROLL: "take a walk",
    Activity.REST: "sit down somewhere",
    Activity.ERRAND: "run an errand",
    Activity.SOCIAL: "meet people",
}


def plan(moment: Moment) -> Reply:
    """Tells what is left of the day's plan."""
    mind, hour = moment.mind, moment.clock.hour(moment.tick)
    later = [entry for entry in mind.plan if entry.hour > hour] if mind else []
    if not later:
        return Reply("Nothing more today.")
    deeds = [f"{_DEEDS[entry.activity]} {part_of_day(entry.hour)}" for entry in later[:2]]
    return Reply(f"Next I mean to {', then '.join(deeds)}.")


def memory(moment: Moment) -> Reply:
    """Tells whom the NPC has met or where it has been."""
    mind = moment.mind
    if mind is None:
        return Reply("I don't remember anything yet.")
    if {"me", "we", "my", "i"} & set(moment.words):
        return _acquaintance(moment, mind)
    if {"been", "go", "were", "done", "today"} & set(moment.words):
        visited = [place for title in reversed(mind.memory.places) if (place := title_of_place(moment, title))]
        return Reply(f"I have been at {listed(visited[:3])}." if visited else "Nowhere yet; my day has just begun.")
    met = [known.name for key, known in reversed(mind.memory.people.items()) if key != key_of(moment.visitor)]
    return Reply(f"I have met {listed(met[:4])}." if met else "I have met nobody yet.")


def _acquaintance(moment: Moment, mind: Mind) -> Reply:
    known = None if moment.visitor is None else mind.memory.people.get(moment.visitor.key)
    if moment.visitor is None or known is None:
        return Reply("I don't think that we have met before.")
    times = "once" if known.times == 1 else "twice" if known.times == 2 else f"{known.times} times"
    return Reply(f"Yes, you are {moment.visitor.title}. We have met {times}.")
