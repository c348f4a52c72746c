"""What an NPC remembers: a bounded list of episodes, whom it knows and where it has been.

What people say is not kept unless the world says so; that they spoke is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

EPISODES: Final = 48
"""Most episodes remembered; the oldest is forgotten first."""
ACQUAINTANCES: Final = 64
"""Most people remembered; whom it met longest ago is forgotten first."""
PLACES: Final = 32


@dataclass(frozen=True, slots=True)
class Episode:
    """One thing that happened to an NPC.

    Attributes:
        tick: When.
        what: "met", "greeted", "heard", "arrived", "used" or "asked".
        who: Key of the other party, "" if none.
        where: Title of the place, "" if nowhere in particular.
        text: What was said, "" unless speech is kept.
    """

    tick: int
    what: str
    who: str = ""
    where: str = ""
    text: str = ""


@dataclass(slots=True)
class Acquaintance:
    """What an NPC knows of somebody.

    Attributes:
        name: By what name.
        times: How often they met.
        last: Tick of the last time.
    """

    name: str
    times: int
    last: int


@dataclass(slots=True)
class Memory:
    """The memory of one NPC.

    Attributes:
        keeps_speech: Whether what is said to it is kept word by word.
        episodes: Oldest first.
        people: By key, longest ago first.
        places: Tick of the last visit by title, longest ago first.
    """

    keeps_speech: bool = False
    episodes: deque[Episode] = field(default_factory=lambda: deque(maxlen=EPISODES))
    people: dict[str, Acquaintance] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)

    def note(self, episode: Episode) -> None:
        """Adds an episode, without its text unless speech is kept."""
        if episode.text and not self.keeps_speech:
            episode = Episode(episode.tick, episode.what, episode.who, episode.where)
        self.episodes.append(episode)

    def meet(self, key: str, name: str, tick: int) -> Acquaintance:
        """Notes that it met somebody; returns what it knew of them before, `times` 0 if nothing."""
        before = self.people.pop(key, Acquaintance(name, 0, -1))
        self.people[key] = Acquaintance(name, before.times + 1, tick)
        _trim(self.people, ACQUAINTANCES)
        return before

    def visit(self, title: str, tick: int) -> None:
        """Notes that it is at a place."""
        self.places.pop(title, None)
        self.places[title] = tick
        _trim(self.places, PLACES)

    def since_met(self, key: str, tick: int) -> int | None:
        """Returns the ticks since it last met somebody, None if it never did."""
        known = self.people.get(key)
        return None if known is None else tick - known.last

    def recent(self, *what: str) -> list[Episode]:
        """Returns episodes of some sorts, newest first."""
        return [episode for episode in reversed(self.episodes) if episode.what in what]

    def forget(self, key: str) -> None:
        """Forgets everything about somebody, as they may ask."""
        self.people.pop(key, None)
        kept = [episode for episode in self.episodes if episode.who != key]
        self.episodes.clear()
        self.episodes.extend(kept)

    def to_json(self) -> dict[str, Any]:
        """Returns the memory as JSON data."""
        people = {key: asdict(known) for key, known in self.people.items()}
        return {"episodes": [asdict(e) for e in self.episodes], "people": people, "places": dict(self.places)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any], *, keeps_speech: bool) -> Memory:
        """Returns the memory of `to_json`."""
        memory = cls(keeps_speech)
        for episode in data["episodes"]:
            memory.note(Episode(**episode))
        memory.people = {str(key): Acquaintance(**known) for key, known in data["people"].items()}
        memory.places = {str(title): int(tick) for title, tick in data["places"].items()}
        _trim(memory.people, ACQUAINTANCES)
        _trim(memory.places, PLACES)
        return memory


def _trim(table: dict[str, Any], most: int) -> None:
    for key in _oldest(table, len(table) - most):
        del table[key]


def _oldest(table: Iterable[str], count: int) -> list[str]:
    return list(table)[: max(count, 0)]
