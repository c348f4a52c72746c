"""Aims: from the time of day and from needs to something to do somewhere, and a reason for it."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Final

from ecumene_agents.chance import number, pick
from ecumene_agents.mind import Aim, Mind
from ecumene_agents.persona import LEISURE
from ecumene_agents.schedule import Activity
from ecumene_world.layout import Layout
from ecumene_world.state import TICK_HZ, Verb

NEEDS: Final = ("rest", "food", "company", "fun")
URGENT: Final = 0.25
"""A need below this breaks into the day plan."""
CONTENT: Final = 0.7
"""A need that broke in is followed until it is above this."""
FEELINGS: Final[Mapping[str, str]] = {
    "rest": "tired",
    "food": "hungry",
    "company": "lonely",
    "fun": "bored",
}

_ANSWER: Final = {"rest": Activity.REST, "food": Activity.MEAL, "company": Activity.SOCIAL, "fun": Activity.STROLL}
AT_HOME: Final = 0.5
"""Share of meals that those who have a home eat there."""

_EATERIES: Final = ("cafe", "restaurant", "market", "kitchen", "home")
_SHOPS: Final = ("shop", "market", "office", "museum", "school")
_MEETING: Final = ("square", "cafe", "park", "market", "playground", "restaurant")
_SEATED: Final = {Activity.REST, Activity.MEAL, Activity.HOME}
"""What is done sitting, where there is a free seat."""
_STAY_S: Final[Mapping[Activity, tuple[float, float]]] = {
    Activity.HOME: (40, 90),
    Activity.WORK: (20, 45),
    Activity.MEAL: (30, 60),
    Activity.STROLL: (6, 25),
    Activity.REST: (30, 90),
    Activity.ERRAND: (10, 20),
    Activity.SOCIAL: (12, 30),
}
"""Least and greatest time spent at one spot, seconds."""


def pressing(needs: Sequence[float], now: Activity | None) -> Activity | None:
    """Returns what the most pressing need calls for, None when none is pressing.

    Args:
        needs: Rest, food, company, fun; 0..1.
        now: The activity under way; if it answers a need, that need goes on pressing until it is content.
    """
    if min(needs) >= 2 * URGENT:
        return None
    asked = [
        (level, _ANSWER[name])
        for name, level in zip(NEEDS, needs, strict=True)
        if level < (CONTENT if _ANSWER[name] is now and level < 2 * URGENT else URGENT)
    ]
    return min(asked, key=lambda each: each[0])[1] if asked else None


def feeling(needs: Sequence[float]) -> str:
    """Returns how somebody with these needs feels, in a word or a few."""
    low = [FEELINGS[name] for name, level in zip(NEEDS, needs, strict=True) if level < URGENT]
    middling = [f"a little {FEELINGS[name]}" for name, level in zip(NEEDS, needs, strict=True) if URGENT <= level < 0.5]
    return " and ".join((low + middling)[:2]) if low or middling else "fine"


def aim_for(activity: Activity, mind: Mind, layout: Layout, seed: int, tick: int, *, urgent: bool) -> Aim:
    """Returns an aim for an activity; where the world has no place for it, a stroll.

    Args:
        activity: What for.
        mind: Whose.
        layout: Where.
        seed: The world's.
        tick: Now; the same NPC chooses differently at another time.
        urgent: Whether a need asked for it rather than the plan.
    """
    draw = (mind.persona.key, tick // TICK_HZ)
    low, high = _STAY_S[activity]
    stay = round((low + (high - low) * number(seed, *draw, "stay")) * TICK_HZ)
    place, reason = _where(activity, mind, layout, seed, draw, urgent=urgent)
    if place < 0:
        anywhere = _any_place(layout, seed, draw)
        return Aim(Activity.STROLL, Verb.GO, "I am just walking about", anywhere, stay_ticks=stay)
    verb = Verb.SIT if activity in _SEATED else Verb.WORK if activity is Activity.WORK else Verb.GO
    person = _friend(mind, seed, draw) if activity is Activity.SOCIAL else ""
    return Aim(activity, verb, reason, place, person, stay_ticks=stay)


def _where(
    activity: Activity, mind: Mind, layout: Layout, seed: int, draw: tuple[object, ...], *, urgent: bool
) -> tuple[int, str]:
    """Returns the place for an activity, -1 for none, and the reason to be there."""
    who = mind.persona
    if activity is Activity.HOME:
        return who.home, "I am at home at this time of day"
    if activity is Activity.WORK:
        return who.work, "it is where I work"
    if activity is Activity.MEAL:
        at_home = who.home >= 0 and number(seed, *draw, "meal") < AT_HOME
        place = who.home if at_home else _of_roles(layout, _EATERIES, seed, *draw)
        return place, "I am hungry" if urgent else "it is time to eat something"
    if activity is Activity.ERRAND:
        return _of_roles(layout, _SHOPS, seed, *draw), "I have an errand there"
    if activity is Activity.SOCIAL:
        reason = "I would like some company" if urgent else "I like to meet people there"
        return _of_roles(layout, _MEETING, seed, *draw), reason
    if activity is Activity.REST:
        reason = "I need to sit down" if urgent else "I want to sit for a while"
        return _of_roles(layout, ("park", "square", "home", "cafe"), seed, *draw), reason
    liked = pick(who.likes, seed, *draw, "liked") if who.likes else _of_roles(layout, LEISURE, seed, *draw)
    return liked, "I need a change" if urgent else "I like it there"


@functools.lru_cache(maxsize=64)
def _groups(known: tuple[str, ...], wanted: tuple[str, ...]) -> list[list[int]]:
    """Returns the places of each wanted role, without the roles that no place has."""
    groups = [[index for index, role in enumerate(known) if role == each] for each in wanted]
    return [places for places in groups if places]


def _of_roles(layout: Layout, roles: Sequence[str], seed: int, *draw: object) -> int:
    """Returns a place of some roles, those named first more often; -1 if there is none."""
    groups = _groups(layout.place_role, tuple(roles))
    if not groups:
        return -1
    share = number(seed, *draw, "role")
    group = groups[0] if share < 0.6 else groups[int((share - 0.6) / 0.4 * len(groups))]
    return pick(group, seed, *draw, "place")


def _any_place(layout: Layout, seed: int, draw: tuple[object, ...]) -> int:
    return pick(range(len(layout.place_role)), seed, *draw, "any") if layout.place_role else -1


def _friend(mind: Mind, seed: int, draw: tuple[object, ...]) -> str:
    """Returns a friend to look for, or "" to go without."""
    friends = mind.persona.friends
    return pick(friends, seed, *draw, "friend") if friends and number(seed, *draw, "alone") < 0.6 else ""
