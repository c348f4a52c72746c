"""Who an NPC is: name, home, likes, temper follow from the world's seed and the avatar itself; work is what is free."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ecumene_agents.chance import number, pick, some
from ecumene_world.avatar import Avatar
from ecumene_world.layout import Layout

FIRST_NAMES: Final = (
    *("Ada", "Amir", "Anouk", "Aurel", "Bela", "Bruno", "Carla", "Cem", "Clara", "Dario", "Dina", "Edda", "Elif"),
    *("Emil", "Enzo", "Esther", "Farid", "Femke", "Finn", "Greta", "Hana", "Henrik", "Ida", "Ilya", "Imani", "Ines"),
    *("Ivo", "Jana", "Jonas", "Jun", "Kaja", "Karim", "Kofi", "Lena", "Leo", "Lin", "Lotte", "Luca", "Mara", "Mats"),
    *("Mina", "Mirko", "Nadia", "Nils", "Noor", "Odile", "Olek", "Oona", "Paolo", "Petra", "Priya", "Rafa", "Rosa"),
    *("Ruben", "Samir", "Sanna", "Selma", "Signe", "Silas", "Sofia", "Tariq", "Tess", "Theo", "Tilda", "Uma", "Vera"),
    *("Viktor", "Wanda", "Yara", "Yusuf", "Zoe"),
)
LAST_NAMES: Final = (
    *("Alder", "Ashby", "Baker", "Birk", "Brook", "Castell", "Dahl", "Ember", "Farrow", "Fenn", "Garrick", "Hale"),
    *("Hartwig", "Holm", "Ivers", "Jansen", "Keller", "Kovac", "Lark", "Linden", "Marlow", "Meret", "Moreau", "Nord"),
    *("Okoro", "Orchard", "Pell", "Quist", "Reyes", "Rowan", "Sato", "Sorrel", "Stone", "Tamm", "Thorne", "Vale"),
    *("Verne", "Weaver", "Winter", "Yilmaz"),
)
TEMPERS: Final = ("cheerful", "calm", "curious", "brisk", "shy", "dry")

WORKPLACES: Final[Mapping[str, tuple[str, ...]]] = {
    "shopkeeper": ("shop", "market", "square"),
    "gardener": ("park", "garden", "square"),
    "musician": ("square", "park", "cafe"),
    "teacher": ("school", "museum", "office"),
    "student": ("school", "museum", "cafe"),
    "courier": ("office", "shop", "street"),
    "doctor": ("clinic", "office"),
    "nurse": ("clinic", "office"),
    "clerk": ("office", "museum", "shop"),
    "cook": ("cafe", "restaurant", "kitchen"),
    "waiter": ("cafe", "restaurant"),
    "guide": ("museum", "square"),
    "guard": ("museum", "office", "square"),
    "cleaner": ("office", "school", "museum"),
}
"""Roles of the places where each role works, the best one first."""
DUTIES: Final[Mapping[str, str]] = {
    "shopkeeper": "I keep a shop",
    "gardener": "I look after the plants",
    "musician": "I play music",
    "teacher": "I teach",
    "student": "I study",
    "courier": "I carry parcels about",
    "doctor": "I look after the sick",
    "nurse": "I look after the sick",
    "clerk": "I do the paperwork",
    "cook": "I cook",
    "waiter": "I wait at tables",
    "guide": "I show people around",
    "guard": "I keep an eye on things",
    "cleaner": "I keep things clean",
}
FRIENDS: Final = 3
"""How many others an NPC knows from the start, if there are so many."""
LEISURE: Final = ("park", "square", "cafe", "museum", "shop", "market", "playground", "garden", "restaurant")
"""Roles of places that people go to because they like to."""
HOMES: Final = ("home", "bedroom", "living", "house", "room")


@dataclass(frozen=True, slots=True)
class Persona:
    """Who an NPC is; places are indices of the layout, -1 where the world has none.

    Attributes:
        key: Avatar key.
        name: First and last name.
        role: What it does for a living, "" for nothing.
        temper: One of `TEMPERS`; colours what it says.
        home: Where it lives.
        work: Where it works.
        likes: Places it likes to go to, dearest first.
        friends: Keys of others that it knows.
        rising: Hour at which its day begins.
    """

    key: str
    name: str
    role: str
    temper: str
    home: int
    work: int
    likes: tuple[int, ...]
    friends: tuple[str, ...]
    rising: float

    @property
    def first_name(self) -> str:
        """The part of the name that friends use."""
        return self.name.split(" ", 1)[0]


def full_name(look: int) -> str:
    """Returns a first and last name that suits a seed; fit for `Spawn.title`."""
    return f"{pick(FIRST_NAMES, look, 'first')} {pick(LAST_NAMES, look, 'last')}"


def persona_of(avatar: Avatar, layout: Layout, seed: int, keys: Sequence[str], work: int = -1) -> Persona:
    """Returns who an avatar is.

    Args:
        avatar: Whose.
        layout: Where it lives.
        seed: The world's.
        keys: Keys of all NPCs of its world, among which its friends are.
        work: Where it works, as `Staff` has it; -1 for nowhere.
    """
    key = avatar.key
    named = avatar.title if avatar.title and avatar.title != key else full_name(avatar.look)
    known = some(keys, FRIENDS + 1, seed, key, "friends")
    likes = [index for index, role in enumerate(layout.place_role) if role in LEISURE]
    return Persona(
        key=key,
        name=named,
        role=avatar.role,
        temper=pick(TEMPERS, seed, key, "temper"),
        home=_one_of(layout, HOMES, seed, key, "home"),
        work=work,
        likes=tuple(some(likes, 4, seed, key, "likes")),
        friends=tuple([other for other in known if other != key][:FRIENDS]),
        rising=6.5 + 1.5 * number(seed, key, "rising"),
    )


def _one_of(layout: Layout, roles: Sequence[str], seed: int, *words: object) -> int:
    """Returns one of the places of some roles, -1 if there is none."""
    places = [index for index, role in enumerate(layout.place_role) if role in roles]
    return pick(places, seed, *words) if places else -1
