"""Relocation: minds that go on in another layout, where places and seats have other numbers and some are new."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from ecumene_agents.chance import number
from ecumene_agents.mind import Mind
from ecumene_agents.persona import LEISURE, Persona
from ecumene_agents.spots import Spots
from ecumene_agents.staff import Staff
from ecumene_world.layout import Layout

CURIOUS: Final = 0.25
"""Share of people who come to like a place that is new."""
MOST_LIKED: Final = 4


def relocate(minds: Mapping[str, Mind], old: Layout, spots: Spots, seed: int, fresh: Callable[[str], Persona]) -> None:
    """Lets minds of one world go on in a new layout: what was true of a place's name stays true of it.

    Posts that are new are taken by those who do that work and have no post of their own, and some come to like places
    that are new. Whose home is gone gets another, whose work is gone what jobs there are; whose aim is gone chooses
    anew.

    Args:
        minds: By avatar key.
        old: The layout before.
        spots: Of the layout now.
        seed: The world's.
        fresh: Returns who somebody would be who came only now.
    """
    new = spots.layout
    places = [new.place_index.get(old.names[row], -1) for row in old.place_row.tolist()]
    known = set(places)
    posts = [index for index in range(len(new.place_role)) if index not in known]
    jobless = []
    for key in sorted(minds):
        mind = minds[key]
        worked = mind.persona.work >= 0
        mind.persona = _employed(_at_home(mind.persona, places, fresh), posts, new)
        mind.persona = _fond(mind.persona, posts, new.place_role, seed)
        _aimed(mind, places, old, new)
        if worked and mind.persona.work < 0:
            jobless.append(mind)
    staff = Staff(spots, [mind.persona.work for mind in minds.values()])
    for mind in jobless:
        mind.persona = replace(mind.persona, work=staff.hire(mind.persona.key, mind.persona.role, seed))


def _at_home(persona: Persona, places: Sequence[int], fresh: Callable[[str], Persona]) -> Persona:
    """Returns a persona with the new numbers of its places; another home for one that is gone, no work for it."""
    home, work = (places[index] if index >= 0 else -1 for index in (persona.home, persona.work))
    return replace(
        persona,
        home=fresh(persona.key).home if home < 0 <= persona.home else home,
        work=work,
        likes=tuple(places[index] for index in persona.likes if places[index] >= 0),
    )


def _employed(persona: Persona, posts: list[int], layout: Layout) -> Persona:
    """Returns a persona with the first new post of its job, taken off the list, if it has none yet."""
    if not persona.role or (persona.work >= 0 and layout.place_role[persona.work] == persona.role):
        return persona
    post = next((index for index in posts if layout.place_role[index] == persona.role), None)
    if post is None:
        return persona
    posts.remove(post)
    return replace(persona, work=post)


def _fond(persona: Persona, added: Iterable[int], roles: Sequence[str], seed: int) -> Persona:
    """Returns a persona that may have come to like new places to go to."""
    drawn = (index for index in added if roles[index] in LEISURE)
    liked = tuple(index for index in drawn if number(seed, persona.key, index, "new") < CURIOUS)
    return replace(persona, likes=(*liked, *persona.likes)[:MOST_LIKED]) if liked else persona


def _aimed(mind: Mind, places: Sequence[int], old: Layout, new: Layout) -> None:
    """Gives an aim and a favour the new numbers of their place and seat, or drops them."""
    aim, favour = mind.aim, mind.favour
    if aim is not None and aim.place >= 0:
        aim.place = places[aim.place]
        aim.seat = seat_in(aim.seat, old, new)
        if aim.place < 0:
            mind.aim, mind.sent = None, ()
    if favour is not None and favour.place >= 0:
        favour.place = places[favour.place]
        if favour.place < 0:
            mind.favour, mind.sent = None, ()


def seat_in(seat: int, old: Layout, new: Layout) -> int:
    """Returns the number in a new layout of a seat of the old one: the same seat of the same thing, -1 if gone."""
    if seat < 0:
        return -1
    thing = int(old.seat_thing[seat])
    there = new.thing_index.get(old.names[int(old.thing_row[thing])])
    return -1 if there is None else int(new.thing_seat[there, old.thing_seat[thing].tolist().index(seat)])
