"""Answers of NPCs, one function a topic: templates over the scene graph, the state, their own minds and senses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from ecumene_agents.answers import courtesies, favours, oneself, surroundings
from ecumene_agents.moment import Moment, Reply
from ecumene_agents.topics import Topic, topic_of

__all__ = ["answered"]


def answered(moment: Moment) -> Reply:
    """Returns the answer to what was asked, or says that it is not known."""
    topic = topic_of(moment.words)
    if topic is not None:
        return ANSWERS[topic](moment)
    return surroundings.about(moment) if moment.words and moment.asked else courtesies.lost(moment)


ANSWERS: Final[Mapping[Topic, Callable[[Moment], Reply]]] = {
    Topic.STOP: favours.stop,
    Topic.LEAD: favours.lead,
    Topic.FOLLOW: favours.follow,
    Topic.COME: favours.come,
    Topic.GESTURE: courtesies.gesture,
    Topic.FAR: surroundings.far,
    Topic.NATURE: oneself.nature,
    Topic.MEMORY: oneself.memory,
    Topic.FRIENDS: oneself.friends,
    Topic.LIKES: oneself.likes,
    Topic.LIVE: oneself.live,
    Topic.TIME: surroundings.time,
    Topic.HERE: surroundings.here,
    Topic.SEE: surroundings.see,
    Topic.HEAR: surroundings.hear,
    Topic.FEEL: surroundings.feel,
    Topic.DESTINATION: oneself.destination,
    Topic.DOING: oneself.doing,
    Topic.WORK: oneself.work,
    Topic.PLAN: oneself.plan,
    Topic.IDENTITY: oneself.identity,
    Topic.NEAR: surroundings.near,
    Topic.WELLBEING: courtesies.wellbeing,
    Topic.READING: surroundings.reading,
    Topic.WHERE: surroundings.where,
    Topic.WHAT_IS: surroundings.about,
    Topic.HELP: courtesies.advice,
    Topic.THANKS: courtesies.thanks,
    Topic.FAREWELL: courtesies.farewell,
    Topic.GREETING: courtesies.greeting,
    Topic.AGREEMENT: courtesies.agreement,
}
"""What answers each topic."""
