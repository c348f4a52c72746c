"""The world as visitors know it: what a welcome tells at once and news keep up to date."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec

from ecumene_server import wire
from ecumene_server.codec import CELL_M
from ecumene_server.news import News, Place, Stand
from ecumene_server.surroundings import Opening
from ecumene_server.visitor import Visitor
from ecumene_world import kinds
from ecumene_world.state import TICK_HZ

NOWHERE: Final = Stand((0.0, 0.0, 0.0), 0.0)

Message = Callable[[int], wire.Reliable]
"""Makes a message of its number in a visitor's stream."""


class Picture:
    """People, things and place as of the last news.

    Attributes:
        tick: The last tick that was told.
        people: Everybody alive, by entity.
        ids: Entity of each key.
        stands: Where visitors' avatars are, by key.
    """

    def __init__(self, opening: Opening) -> None:
        self.tick = opening.tick
        self.people = {person.id: person for person in opening.people}
        self.ids = {person.key: person.id for person in self.people.values()}
        self.stands: Mapping[str, Stand] = {}
        self._place = opening.place
        self._things = {thing.i: thing for thing in opening.place.things}
        self._epoch = opening.epoch
        self._scene = opening.scene
        self._palette = {str(code): kind.name for code, kind in kinds.BY_CODE.items()}

    @property
    def title(self) -> str:
        """What the world is called."""
        return self._place.world

    def move_into(self, place: Place) -> Message:
        """Takes over a new layout; returns what tells of it."""
        self._place = place
        self._things = {thing.i: thing for thing in place.things}
        return self._seen()

    def redrawn(self, url: str) -> Message:
        """Notes where a new scene file is; returns what tells of it."""
        self._scene = url
        return self._seen()

    def joined(self, person: wire.Person) -> Message:
        """Notes who appeared; returns what tells of it."""
        self.people[person.id] = person
        self.ids[person.key] = person.id
        return lambda seq: wire.Joined(seq, person.id, person.key, person.title, person.kind, person.look)

    def left(self, entity: int) -> Message:
        """Notes who is gone; returns what tells of it."""
        person = self.people.pop(entity, None)
        if person is not None and self.ids.get(person.key) == entity:
            del self.ids[person.key]
        return lambda seq: wire.Left(seq, entity)

    def changes(self, news: News) -> Iterator[Message]:
        """Notes what became of things; yields what tells of it, and of what else happened."""
        for change in news.things:
            yield self._changed(change)
        for name, subject, other, data in news.happened:
            yield _happened(name, subject, other, data)

    def welcome(self, visitor: Visitor, entity: int, server_ms: float, *, resumed: bool) -> wire.Welcome:
        """Returns all that a visitor needs to know; one who resumes knows people and things already."""
        stand = self.stands.get(visitor.key, NOWHERE)
        return wire.Welcome(
            session=visitor.session,
            token=visitor.token,
            epoch=self._epoch,
            tick=self.tick,
            tick_hz=TICK_HZ,
            server_ms=server_ms,
            world=self._place.world,
            scene=self._scene,
            entity=entity,
            role=int(visitor.role),
            cell_m=CELL_M,
            bounds=self._place.bounds,
            position=stand.position,
            yaw=stand.yaw,
            palette=self._palette,
            attribution=list(self._place.attribution),
            things=[] if resumed else list(self._things.values()),
            people=[] if resumed else list(self.people.values()),
            seq=visitor.stream.seq,
            resumed=resumed,
        )

    def _seen(self) -> Message:
        scene, things = self._scene, list(self._things.values())
        return lambda seq: wire.Scene(seq, scene, scene.partition("?")[2], things)

    def _changed(self, change: wire.ThingChanged) -> Message:
        before = self._things[change.i]
        self._things[change.i] = msgspec.structs.replace(
            before,
            state=change.state,
            position=change.position,
            yaw=before.yaw if change.yaw is None else change.yaw,
            holder=change.holder,
            partner=change.partner,
        )
        return lambda seq: msgspec.structs.replace(change, seq=seq)


def _happened(name: str, subject: str, other: str, data: Mapping[str, object]) -> Message:
    return lambda seq: wire.Happened(seq, name, subject, other, dict(data))
