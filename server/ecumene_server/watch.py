"""Turns ticks into news: what changed since the last one, for people far away.

Runs on the tick thread, right after the step. It only reads the world.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
import numpy as np
from torch import Tensor

from ecumene_server import codec, wire
from ecumene_server.news import Answer, News, Place, Speech, Stand
from ecumene_sim.events import NAMES
from ecumene_sim.frame import Frame
from ecumene_world import kinds
from ecumene_world.ahead import Ahead
from ecumene_world.event import Event
from ecumene_world.graph import SceneGraph
from ecumene_world.layout import Layout
from ecumene_world.state import TICK_HZ, Sound
from ecumene_world.world import World

SPEAKING_TICKS: Final = 2 * TICK_HZ
"""How long after the beginning of speech an avatar is shown as speaking."""
MOVED_M: Final = 0.01
"""A thing that lies elsewhere by more than this has moved."""
MAX_READINGS: Final = 50
"""Most readings told in one tick, only the newest of each field."""

_VISITOR: Final = kinds.kind_named("visitor").code
_DEEDS: Final = frozenset({"gesture", *NAMES.values()}) - {"nothing_there"}
"""What avatars do with bodies and things: seen by who is near, told to other programs."""
_QUIET: Final = frozenset(
    {"spawned", "despawned", "said", "thing", "rejected", "rested", "dropped", "nothing_there", *_DEEDS}
)
"""Events that visitors are told in other ways, or nobody at all."""


class Watch:
    """Remembers the last tick of world 0 and tells what is new.

    Args:
        world: The world that is watched.
        epoch: Written into cell frames.
    """

    def __init__(self, world: World, epoch: int) -> None:
        self._world = world
        self._epoch = epoch
        self._layout = world.layout
        self._at_rest = Ahead(lambda layout: at_rest(layout, world.graph))
        self._here = self._present()
        self._tenants = self._entity_ids()
        self._things = self._thing_columns()

    def prepare(self, layout: Layout, graph: SceneGraph) -> None:
        """Makes what a layout to come needs, compiled from that graph; on any thread. Its swap then takes no time."""
        self._at_rest.put(layout, at_rest(layout, graph))

    def tidy(self) -> None:
        """Lets go of what was made of layouts that are not in use."""
        self._at_rest.tidy()

    def people(self) -> tuple[wire.Person, ...]:
        """Returns everybody alive."""
        avatars = (each for each in self._world.avatars.values() if each.world == 0)
        return tuple(wire.Person(_u32(a.entity), a.key, a.title, a.kind, a.look) for a in avatars)

    def place(self) -> Place:
        """Returns title, bounds and things of the layout as it is now."""
        layout, graph = self._world.layout, self._world.graph
        return Place(graph.name, layout.bounds, tuple(self._things_now()), graph.attribution)

    def news(self, frame: Frame, answers: tuple[Answer, ...], record: bytes = b"") -> News:
        """Returns what the tick means for those who watch."""
        joined, left = self._turnover()
        visitors = self._visitors()
        place = self._swapped()
        return News(
            tick=frame.tick,
            frames=codec.encode_cells(self._entities(), epoch=self._epoch, tick=frame.tick),
            visitors=visitors,
            cells={key: codec.cell_of(*stand.position[:2]) for key, stand in visitors.items()},
            joined=joined,
            left=left,
            things=() if place is not None else tuple(self._changes()),
            speech=tuple(self._speeches(frame.events, visitors)),
            happened=tuple(_happened(frame.events)),
            deeds=tuple(_told(event) for event in frame.events if event.name in _DEEDS and event.world == 0),
            answers=answers,
            record=record,
            place=place,
        )

    def _entities(self) -> codec.Entities:
        state = self._world.state
        alive = np.flatnonzero(_column(state.alive))
        velocity = _column(state.velocity)[alive]
        speaking = (_column(state.sound) == int(Sound.SPEECH)) & (_column(state.sound_age) < SPEAKING_TICKS)
        flags = (
            (_column(state.kind) == _VISITOR) * codec.VISITOR
            + speaking * codec.SPEAKING
            + (_column(state.held) >= 0) * codec.HOLDING
        )
        return codec.Entities(
            id=self._tenants[alive],
            position=_column(state.position)[alive],
            yaw=_column(state.yaw)[alive],
            speed=np.hypot(velocity[:, 0], velocity[:, 1]),
            posture=_column(state.posture)[alive],
            emote=_column(state.emote)[alive],
            flags=flags[alive],
            level=_column(state.level)[alive],
        )

    def _entity_ids(self) -> np.ndarray[Any, Any]:
        """The (C,) u32 entity ids of all slots, 0 where nobody is."""
        state = self._world.state
        ids = (_column(state.serial) << 16 | np.arange(state.slots)) & 0xFFFFFFFF
        return np.where(_column(state.alive), ids, 0).astype(np.uint32)

    def _visitors(self) -> dict[str, Stand]:
        state = self._world.state
        here = {
            each.key: each.slot for each in self._world.avatars.values() if each.kind == _VISITOR and each.world == 0
        }
        slots = list(here.values())
        rows = zip(here, _column(state.position)[slots].tolist(), _column(state.yaw)[slots].tolist(), strict=True)
        return {key: Stand((x, y, z), yaw) for key, (x, y, z), yaw in rows}

    def _present(self) -> dict[int, str]:
        """Entity id to key of everybody alive."""
        return {_u32(a.entity): a.key for a in self._world.avatars.values() if a.world == 0}

    def _turnover(self) -> tuple[tuple[wire.Person, ...], tuple[int, ...]]:
        """Who appeared and who is gone since the last tick."""
        tenants = self._entity_ids()
        if np.array_equal(tenants, self._tenants):
            return (), ()
        self._tenants = tenants
        before, self._here = self._here, self._present()
        joined = (self._world.avatars[key] for entity, key in self._here.items() if entity not in before)
        people = tuple(wire.Person(_u32(a.entity), a.key, a.title, a.kind, a.look) for a in joined)
        return people, tuple(entity for entity in before if entity not in self._here)

    def _swapped(self) -> Place | None:
        if self._world.layout is self._layout:
            return None
        self._layout = self._world.layout
        self._things = self._thing_columns()
        return self.place()

    def _thing_columns(self) -> tuple[np.ndarray[Any, Any], ...]:
        state = self._world.state
        columns = (state.thing_state, state.thing_holder, state.thing_position, state.thing_partner, state.thing_yaw)
        return tuple(_column(each).copy() for each in columns)

    def _changes(self) -> Iterable[wire.ThingChanged]:
        old_state, old_holder, old_position, old_partner, old_yaw = self._things
        self._things = state, holder, position, partner, yaw = self._thing_columns()
        moved = (np.abs(position - old_position) > MOVED_M).any(axis=1) & (holder < 0)
        changed = np.flatnonzero((state != old_state) | (holder != old_holder) | (partner != old_partner) | moved)
        position[holder >= 0], yaw[holder >= 0] = old_position[holder >= 0], old_yaw[holder >= 0]
        for i in changed.tolist():
            where = tuple(float(each) for each in position[i])
            hands = self._holder(int(holder[i])), self._holder(int(partner[i]))
            heading = float(yaw[i]) if yaw[i] != old_yaw[i] else None
            yield wire.ThingChanged(0, i, int(state[i]), hands[0], where, hands[1], heading)  # type: ignore[arg-type]

    def _holder(self, slot: int) -> int:
        return -1 if slot < 0 else _u32(self._world.state.entity_id(0, slot))

    def _things_now(self) -> Iterable[wire.Thing]:
        state = self._world.state
        now, place, yaw = (
            _column(each).tolist() for each in (state.thing_state, state.thing_position, state.thing_yaw)
        )
        hands = ([self._holder(slot) for slot in _column(each)] for each in (state.thing_holder, state.thing_partner))
        rows = zip(self._at_rest.of(self._world.layout), now, place, yaw, *hands, strict=True)
        for thing, is_now, (x, y, z), heading, holder, partner in rows:
            yield msgspec.structs.replace(
                thing, state=is_now, position=(x, y, z), yaw=heading, holder=holder, partner=partner
            )

    def _speeches(self, events: Iterable[Event], visitors: Mapping[str, Stand]) -> Iterable[Speech]:
        for event in events:
            if event.name != "said" or event.position is None or event.world != 0:
                continue
            speaker = self._world.avatars.get(event.subject)
            if speaker is None:
                continue
            near = {k for k, stand in visitors.items() if math.dist(stand.position, event.position) <= wire.HEARING_M}
            yield Speech(_u32(speaker.entity), speaker.title, str(event.data.get("text", "")), frozenset(near))


def at_rest(layout: Layout, graph: SceneGraph) -> tuple[wire.Thing, ...]:
    """Returns the things of a layout as they are before anybody uses them."""
    names = [layout.names[row] for row in layout.thing_row.tolist()]
    columns = (layout.thing_kind, layout.thing_state0, layout.thing_position, layout.thing_yaw, layout.thing_level)
    rows = zip(names, *(each.tolist() for each in (*columns, layout.thing_interaction)), strict=True)
    return tuple(
        wire.Thing(i, name, _title(graph, name, kind), kind, state, (x, y, z), yaw, level, interaction, -1)
        for i, (name, kind, state, (x, y, z), yaw, level, interaction) in enumerate(rows)
    )


def _title(graph: SceneGraph, name: str, kind: int) -> str:
    title = str(graph.node(name).attributes.get("title", "")) if name in graph else ""
    return title or kinds.BY_CODE[kind].name.replace("_", " ")


def _happened(events: Iterable[Event]) -> Iterable[tuple[str, str, str, Mapping[str, Any]]]:
    others, readings = [], {}
    for event in events:
        if event.name == "reading" and event.world == 0:
            readings[event.subject, event.data.get("field")] = _told(event)
        elif event.name not in _QUIET and event.world == 0:
            others.append(_told(event))
    return [*others, *list(readings.values())[-MAX_READINGS:]]


def _told(event: Event) -> tuple[str, str, str, Mapping[str, Any]]:
    return event.name, event.subject, event.object, event.data


def _column(tensor: Tensor) -> np.ndarray[Any, Any]:
    """World 0's part of a state tensor, as a view where the state is on the CPU."""
    return tensor[0].detach().cpu().numpy()


def _u32(entity: int) -> int:
    return entity & 0xFFFFFFFF
