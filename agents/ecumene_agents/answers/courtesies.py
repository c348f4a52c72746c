"""Answers that manners ask for."""

from __future__ import annotations

from typing import Final

from ecumene_agents.aims import feeling
from ecumene_agents.chance import pick
from ecumene_agents.moment import Moment, Reply
from ecumene_agents.naming import first_name, has_met
from ecumene_agents.smalltalk import salutation
from ecumene_world.state import Emote


def greeting(moment: Moment) -> Reply:
    """Says hello, by name to whom the NPC has met."""
    again = "" if moment.visitor is None or not has_met(moment) else f", {first_name(moment.visitor.title)}"
    return Reply(f"{salutation(moment.clock, moment.tick)}{again}! I'm {moment.persona.first_name}.", Emote.WAVE)


def farewell(moment: Moment) -> Reply:
    """Says goodbye."""
    night = "Good night" if moment.clock.hour(moment.tick) >= 20 else "Goodbye"
    return Reply(f"{night}! {pick(_PARTINGS, moment.world.seed, moment.npc.key)}", Emote.WAVE)


_PARTINGS: Final = ("Come again.", "Take care.", "It was nice to talk.", "See you around.")


def thanks(moment: Moment) -> Reply:
    """Takes thanks."""
    return Reply(pick(("You're welcome.", "My pleasure.", "Any time."), moment.world.seed, moment.npc.key), Emote.NOD)


def agreement(moment: Moment) -> Reply:
    """Nods."""
    del moment
    return Reply("All right.", Emote.NOD)


def advice(moment: Moment) -> Reply:
    """Tells what one can ask for."""
    del moment
    return Reply(
        "Ask me who I am, what I'm doing and why, what I see, hear or feel, what time it is, who is near, or where "
        "something is. I can also follow you, wait, or take you somewhere."
    )


def wellbeing(moment: Moment) -> Reply:
    """Tells how the NPC feels, which its needs decide."""
    mood = feeling(moment.needs)
    return Reply("I'm fine, thank you." if mood == "fine" else f"I'm {mood}, but well otherwise, thank you.")


def gesture(moment: Moment) -> Reply:
    """Makes the gesture that was asked for."""
    wanted = next(emote for emote in Emote if emote.name.lower() in moment.words)
    return Reply("Like this?", wanted)


def lost(moment: Moment) -> Reply:
    """Says that the NPC doesn't know."""
    if not moment.words:
        return Reply("I'm sorry, I didn't understand that.")
    return Reply("I don't know about that. You could ask me where something is, what I see, or what I'm doing.")
