"""What one tick means for those who watch: plain values, made on the tick thread, read on the event loop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ecumene_server import wire
from ecumene_server.codec import Cell

Point: TypeAlias = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Ticket:
    """Whose request a command is.

    Attributes:
        key: Avatar key of the sender.
        request: The id the client chose; None for the spawn that belongs to its hello.
    """

    key: str
    request: int | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request.

    Attributes:
        ticket: Whose.
        error: None when it happened, else one sentence.
        text: What reading a thing showed.
        durable: Whether it may be told only once its tick's record is on disk.
    """

    ticket: Ticket
    error: str | None = None
    text: str | None = None
    durable: bool = False


@dataclass(frozen=True, slots=True)
class Speech:
    """A line of chat and the keys of the visitors who hear it, the speaker's own included."""

    entity: int
    title: str
    text: str
    hearers: frozenset[str]


@dataclass(frozen=True, slots=True)
class ChatLine:
    """A line of chat to keep: said in the tick by the account."""

    tick: int
    account: str
    text: str


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a visitor's avatar is: metres and radians."""

    position: Point
    yaw: float


@dataclass(frozen=True, slots=True)
class Place:
    """What never changes while a layout holds.

    Attributes:
        world: Title of the world.
        bounds: Least x, y, greatest x, y, metres.
        things: Everything usable, as it is now.
        attribution: Lines that must be shown.
    """

    world: str
    bounds: tuple[float, float, float, float]
    things: tuple[wire.Thing, ...]
    attribution: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class News:
    """One tick, told.

    Attributes:
        tick: The tick that was stepped.
        frames: Cell frames of all occupied cells.
        visitors: Visitor key to where its avatar is.
        cells: Visitor key to the cell it stands in.
        joined: Avatars that appeared.
        left: Entity ids that are gone.
        things: Things whose state, holder or place changed; `seq` is 0.
        speech: What was said.
        happened: (name, subject, object, data) of other events.
        deeds: The same of what avatars did with their bodies and with things.
        answers: What became of requests.
        record: The tick's log record, or empty when nothing is logged.
        durable: Whether an answer waits for that record.
        place: The new place when the layout was swapped, else None.
    """

    tick: int
    frames: Mapping[Cell, bytes]
    visitors: Mapping[str, Stand]
    cells: Mapping[str, Cell]
    joined: tuple[wire.Person, ...] = ()
    left: tuple[int, ...] = ()
    things: tuple[wire.ThingChanged, ...] = ()
    speech: tuple[Speech, ...] = ()
    happened: tuple[tuple[str, str, str, Mapping[str, Any]], ...] = ()
    deeds: tuple[tuple[str, str, str, Mapping[str, Any]], ...] = ()
    answers: tuple[Answer, ...] = ()
    record: bytes = b""
    durable: bool = field(default=False)
    place: Place | None = None
