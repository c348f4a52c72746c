"""The gazetteer: names of places, things and people, found by the words that somebody uses for them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from math import atan2, hypot, pi
from typing import Final, Literal

from ecumene_agents.topics import FUNCTION_WORDS
from ecumene_agents.words import tokens
from ecumene_world.graph import SceneGraph
from ecumene_world.kinds import BY_CODE
from ecumene_world.layout import Layout
from ecumene_world.plain import JSON
from ecumene_world.world import World

Sort = Literal["place", "thing", "person"]

SYNONYMS: Final = {
    "seat": ("bench", "chair", "sofa", "armchair", "stool"),
    "sit": ("bench", "chair", "sofa", "armchair", "stool"),
    "rest": ("bench", "chair", "sofa", "park"),
    "hungry": ("cafe", "restaurant", "market"),
    "thirsty": ("cafe", "fountain"),
    "tired": ("bench", "chair", "sofa"),
    "eat": ("cafe", "restaurant", "market"),
    "food": ("cafe", "restaurant", "market"),
    "lunch": ("cafe", "restaurant"),
    "drink": ("cafe", "fountain"),
    "coffee": ("cafe",),
    "tea": ("cafe",),
    "doctor": ("clinic",),
    "hospital": ("clinic",),
    "buy": ("shop", "market"),
    "store": ("shop",),
    "groceries": ("shop", "market"),
    "library": ("library", "museum"),
    "tree": ("broadleaf_tree", "conifer_tree"),
    "water": ("fountain", "sink"),
    "toilet": ("toilet", "bathroom"),
    "entrance": ("door",),
    "exit": ("door",),
    "garden": ("garden", "park"),
    "plaza": ("square",),
    "entertainment": ("museum", "park"),
    "bus": ("bus_stop",),
    "sign": ("signpost",),
    "alarm": ("alarm_button",),
}
"""Everyday words and the kinds of things or roles of places they may mean."""

_FIRST_THING: Final = 30
"""Kinds with lower codes are structure."""
_COMPASS: Final = ("east", "north-east", "north", "north-west", "west", "south-west", "south", "south-east")


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that has a name and a place in the world.

    Attributes:
        sort: What it is.
        name: What people call it, without article.
        words: Tokens of its own name.
        classes: Words for its sort, such as "cafe" or "bench".
        index: Place index, thing index (-1 for what can't be used) or slot.
        key: Node name or avatar key.
        position: Where, metres.
        level: Storey.
        proper: Whether the name is its own rather than that of its sort.
    """

    sort: Sort
    name: str
    words: frozenset[str]
    classes: frozenset[str]
    index: int
    key: str
    position: tuple[float, float, float]
    level: int
    proper: bool


class Gazetteer:
    """Names of places and things of one layout; people are looked up as they are now.

    Attributes:
        layout: Whose names.
        words: All words that name something in it.
    """

    def __init__(self, layout: Layout, graph: SceneGraph) -> None:
        self.layout = layout
        self._by_word: dict[str, list[Entry]] = {}
        self._count: dict[tuple[Sort, str], int] = {}
        for entry in (*_places(layout, graph), *_things(layout, graph)):
            self._count[entry.sort, entry.name] = self._count.get((entry.sort, entry.name), 0) + 1
            for word in entry.words | entry.classes:
                self._by_word.setdefault(word, []).append(entry)
        self.words = frozenset(self._by_word.keys() | SYNONYMS.keys()) - FUNCTION_WORDS

    def find(self, asked: Collection[str], people: Iterable[Entry], here: tuple[float, float, float]) -> Entry | None:
        """Returns what the words name best, of equals the nearest; None when they name nothing that exists."""
        wanted = {word for word in asked if word not in FUNCTION_WORDS}
        wanted |= {word.removesuffix("s") for word in wanted if len(word) > 3}
        classes = wanted | {meant for word in wanted for meant in SYNONYMS.get(word, ())}
        named = (entry for word in sorted(classes) for entry in self._by_word.get(word, ()))
        ranked = [(_score(entry, wanted, classes), -_gap(entry, here), entry) for entry in (*named, *people)]
        score, _, entry = max(ranked, key=lambda each: each[:2], default=(0.0, 0.0, None))
        return entry if score > 0 else None

    def many(self, entry: Entry) -> bool:
        """Tells whether several things share a name."""
        return self._count.get((entry.sort, entry.name), 0) > 1


def people_of(world: World, index: int, without: str) -> list[Entry]:
    """Returns everybody in a world except one."""
    state = world.state
    position, level = state.position[index].tolist(), state.level[index].tolist()
    found = []
    for who in world.avatars.values():
        if who.world == index and who.key != without:
            x, y, z = position[who.slot]
            words = frozenset(tokens(who.title)) - FUNCTION_WORDS
            role = frozenset(tokens(who.role))
            entry = Entry("person", who.title, words, role, who.slot, who.key, (x, y, z), level[who.slot], proper=True)
            found.append(entry)
    return found


def direction(start: tuple[float, ...], end: tuple[float, ...]) -> str:
    """Returns the compass direction from one point to another; +y is north."""
    turn = atan2(end[1] - start[1], end[0] - start[0])
    return _COMPASS[round(turn / (pi / 4)) % 8]


def rounded_m(metres: float) -> str:
    """Returns a distance as people say it."""
    if metres < 1.5:
        return "a step"
    step = 1 if metres < 10 else 5 if metres < 100 else 10 if metres < 400 else 50
    return f"{round(metres / step) * step} metres"


def place_name(layout: Layout, world: World, place: int) -> str:
    """Returns what people call a place, with an article unless it has a name of its own."""
    title, proper = _title(world.graph, layout.names[int(layout.place_row[place])])
    return title if proper else f"the {layout.place_role[place].replace('_', ' ') or title}"


def _places(layout: Layout, graph: SceneGraph) -> Iterable[Entry]:
    spots, levels = layout.place_position.tolist(), layout.place_level.tolist()
    for index, row in enumerate(layout.place_row.tolist()):
        name = layout.names[row]
        role = layout.place_role[index]
        title, proper = _title(graph, name)
        x, y, z = spots[index]
        shown = title if proper else role.replace("_", " ") or title
        words = frozenset(tokens(title)) - FUNCTION_WORDS
        yield Entry("place", shown, words, frozenset({role}), index, name, (x, y, z), levels[index], proper)


def _things(layout: Layout, graph: SceneGraph) -> Iterable[Entry]:
    """Yields everything but structure and places: things that can be used, and what else stands about."""
    spots, kinds = layout.world_position.tolist(), layout.kind.tolist()
    for row, name in enumerate(layout.names):
        if kinds[row] < _FIRST_THING:
            continue
        kind = BY_CODE[kinds[row]].name
        title, proper = _title(graph, name)
        x, y, z = spots[row]
        shown = title if proper else kind.replace("_", " ")
        words = frozenset(tokens(title if proper else "")) - FUNCTION_WORDS
        classes = frozenset({kind, *kind.split("_")})
        index = layout.thing_index.get(name, -1)
        level = int(layout.thing_level[index]) if index >= 0 else 0
        yield Entry("thing", shown, words, classes, index, name, (x, y, z), level, proper)


def _title(graph: SceneGraph, node: str) -> tuple[str, bool]:
    """Returns a node's title and True, or its name and False when it has none."""
    title: JSON = graph.node(node).attributes.get("title") if node in graph else None
    return (title, True) if isinstance(title, str) and title.strip() else (node, False)


def _score(entry: Entry, wanted: set[str], classes: set[str]) -> float:
    """Returns how well words name an entry: its own name counts more than its sort."""
    own = len(entry.words & wanted) / len(entry.words) if entry.words else 0.0
    own = own if own >= 0.5 else 0.4 * own
    sort = 0.5 if entry.classes & classes else 0.0
    return 2 * own + sort if own or sort else 0.0


def _gap(entry: Entry, here: tuple[float, float, float]) -> float:
    x, y, z = entry.position
    return hypot(x - here[0], y - here[1]) + 10 * abs(z - here[2]) + (0.0 if entry.sort == "place" else 0.01)
