"""One connection's conversation, without I/O: bytes come in, calls on a `Room` go out.

States::

    NEW ──hello──▸ JOINING ──welcome──▸ HERE ──bye, lost──▸ GONE
     └──────────────── any broken rule ───────────────────▸ GONE

A broken rule raises `RefusedError`; whoever drives the guest then tells the peer and closes it.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import Any, Final, Generic, Protocol, TypeVar

import msgspec

from ecumene_server import limits, wire
from ecumene_server.errors import RefusedError
from ecumene_server.limits import Bucket

HELLO_S: Final = 10.0
"""A connection that has not said hello by then is refused."""
MESSAGES: Final = (60.0, 120.0)
"""Messages of any sort, a second and at once; more is a flood."""
BYTES: Final = (131_072.0, 4.0 * wire.MAX_MESSAGE_BYTES)
STEERS: Final = (25.0, 40.0)
"""Steering beyond this is skipped: only the newest counts anyway."""
REQUEST_RATES: Final[dict[type, tuple[float, float]]] = {
    wire.Say: (1.0, 6.0),
    wire.Use: (4.0, 8.0),
    wire.Gesture: (4.0, 8.0),
    wire.Edit: (20.0, 40.0),
    wire.Build: (0.5, 4.0),
    wire.Abandon: (0.5, 4.0),
    wire.Inspect: (6.0, 12.0),
}
"""Requests a second and at once; one that comes too soon is answered with an error."""


class State(Enum):
    """Where a conversation is."""

    NEW = auto()
    JOINING = auto()
    HERE = auto()
    GONE = auto()


Asking = wire.Say | wire.Use | wire.Gesture | wire.Edit | wire.Build | wire.Abandon | wire.Inspect
V = TypeVar("V")
V_contra = TypeVar("V_contra", contravariant=True)


class Room(Protocol[V_contra]):
    """What a guest can do once its bytes are understood; `V` is the visitor that `Guest.admit` was given."""

    def hello(self, guest: Guest[Any], message: wire.Hello) -> None:
        """Wants to join; later answered by `Guest.admit`."""

    def steer(self, visitor: V_contra, message: wire.Steer) -> None:
        """Wants to move; checked and clipped."""

    def request(self, visitor: V_contra, message: wire.Say | wire.Use | wire.Gesture | wire.Edit) -> None:
        """Wants something done and an answer to its id."""

    def build(self, visitor: V_contra, message: wire.Build | wire.Abandon) -> None:
        """Wants a district, or no longer."""

    def inspect(self, visitor: V_contra, message: wire.Inspect) -> None:
        """Wants to see a mind or a node."""

    def too_soon(self, visitor: V_contra, request_id: int, sentence: str) -> None:
        """A request came faster than its rate and was not done."""

    def acknowledge(self, visitor: V_contra, seq: int) -> None:
        """Has everything up to `seq`."""

    def ping(self, visitor: V_contra, sent: float) -> None:
        """Wants a pong."""

    def bye(self, visitor: V_contra) -> None:
        """Leaves for good."""


class Guest(Generic[V]):
    """The conversation of one connection.

    Args:
        room: Where understood messages go.
        clock: Monotonic seconds.
    """

    def __init__(self, room: Room[V], clock: Callable[[], float]) -> None:
        self._room = room
        self._clock = clock
        self.state = State.NEW
        self.visitor: V | None = None
        now = clock()
        self.since = now
        self._messages = Bucket.full(*MESSAGES, now)
        self._bytes = Bucket.full(*BYTES, now)
        self._steers = Bucket.full(*STEERS, now)
        self._requests = {kind: Bucket.full(rate, burst, now) for kind, (rate, burst) in REQUEST_RATES.items()}
        self._steered = -1

    def admit(self, visitor: V) -> None:
        """Lets the guest in after its hello; from now on other messages are understood."""
        assert self.state is State.JOINING, f"a guest that is {self.state.name} can't be admitted"
        self.state = State.HERE
        self.visitor = visitor

    def leave(self) -> None:
        """Ends the conversation: whatever arrives later is ignored."""
        self.state = State.GONE

    def receive(self, data: bytes) -> None:
        """Understands one WebSocket message and acts on it.

        Raises:
            RefusedError: It breaks a rule of the protocol; the connection must be closed.
        """
        if self.state is State.GONE:
            return
        self._weigh(data)
        message = _decoded(data)
        if isinstance(message, wire.Hello):
            self._hello(message)
        elif self.state is not State.HERE or self.visitor is None:
            raise RefusedError(f"The first message must be 'hello', and its answer awaited; {_tag(message)!r} came.")
        else:
            self._act(self.visitor, message)

    def check_patience(self) -> None:
        """Refuses a connection that does not say hello in time.

        Raises:
            RefusedError: It waited longer than `HELLO_S`.
        """
        if self.state is State.NEW and self._clock() - self.since > HELLO_S:
            raise RefusedError(f"No 'hello' came within {HELLO_S:g} seconds.")

    def _weigh(self, data: bytes) -> None:
        now = self._clock()
        if len(data) > wire.MAX_MESSAGE_BYTES:
            most = wire.MAX_MESSAGE_BYTES
            raise RefusedError(f"A message of {len(data)} bytes is too long; at most {most} are taken.")
        if not self._messages.take(now):
            raise RefusedError(f"Too many messages; at most {MESSAGES[0]:g} a second are taken.")
        if not self._bytes.take(now, len(data)):
            raise RefusedError(f"Too much data; at most {BYTES[0] / 1024:g} KiB a second are taken.")

    def _hello(self, message: wire.Hello) -> None:
        if self.state is not State.NEW:
            raise RefusedError("'hello' may come only once.")
        if message.protocol != wire.PROTOCOL:
            raise RefusedError(f"Protocol {message.protocol} is not spoken here, {wire.PROTOCOL} is; reload the page.")
        limits.name_of(message.name)
        self.state = State.JOINING
        self._room.hello(self, message)

    def _act(self, visitor: V, message: wire.ClientMessage) -> None:
        match message:
            case wire.Steer():
                self._steer(visitor, message)
            case wire.Ack(seq=seq):
                self._room.acknowledge(visitor, seq)
            case wire.Ping(sent=sent):
                self._room.ping(visitor, sent)
            case wire.Bye():
                self._room.bye(visitor)
            case (
                wire.Say() | wire.Use() | wire.Gesture() | wire.Edit() | wire.Inspect() | wire.Build() | wire.Abandon()
            ):
                self._request(visitor, message)
            case wire.Hello():
                raise AssertionError("hello is handled before")

    def _steer(self, visitor: V, message: wire.Steer) -> None:
        limits.check_steer(message)
        if message.n > self._steered and self._steers.take(self._clock()):
            self._steered = message.n
            move, yaw = limits.clip_move(message.move), limits.turned(message.yaw)
            self._room.steer(visitor, msgspec.structs.replace(message, move=move, yaw=yaw))

    def _request(self, visitor: V, message: Asking) -> None:
        if not self._requests[type(message)].take(self._clock()):
            rate = REQUEST_RATES[type(message)][0]
            self._room.too_soon(visitor, message.id, f"Too many of these; about {rate:g} a second are taken.")
        elif isinstance(message, wire.Inspect):
            self._room.inspect(visitor, message)
        elif isinstance(message, wire.Build | wire.Abandon):
            self._room.build(visitor, message)
        else:
            self._room.request(visitor, message)


def _decoded(data: bytes) -> wire.ClientMessage:
    try:
        return wire.decode_client(data)
    except (ValueError, RecursionError, OverflowError) as error:
        raise RefusedError(f"That is no message of protocol {wire.PROTOCOL}: {error}") from None


def _tag(message: wire.ClientMessage) -> str:
    return str(type(message).__struct_config__.tag)
