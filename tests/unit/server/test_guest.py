from __future__ import annotations

import contextlib
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.server.doubles import Clock

from ecumene_server import wire
from ecumene_server.errors import RefusedError
from ecumene_server.guest import Guest, State


class Book:
    """A room that notes what guests want."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []

    def hello(self, guest: Guest[str], message: wire.Hello) -> None:
        self.calls.append(("hello", message))
        guest.admit("zoe")

    def steer(self, visitor: str, message: wire.Steer) -> None:
        self.calls.append(("steer", message))

    def request(self, visitor: str, message: wire.Say | wire.Use | wire.Gesture | wire.Edit) -> None:
        self.calls.append(("request", message))

    def build(self, visitor: str, message: wire.Build | wire.Abandon) -> None:
        self.calls.append(("build", message))

    def inspect(self, visitor: str, message: wire.Inspect) -> None:
        self.calls.append(("inspect", message))

    def too_soon(self, visitor: str, request_id: int, sentence: str) -> None:
        self.calls.append(("too_soon", request_id))

    def acknowledge(self, visitor: str, seq: int) -> None:
        self.calls.append(("acknowledge", seq))

    def ping(self, visitor: str, sent: float) -> None:
        self.calls.append(("ping", sent))

    def bye(self, visitor: str) -> None:
        self.calls.append(("bye", visitor))


def opened() -> tuple[Guest[str], Book, Clock]:
    book, clock = Book(), Clock()
    guest: Guest[str] = Guest(book, clock)
    guest.receive(wire.encode(wire.Hello(wire.PROTOCOL, "Zoe")))
    book.calls.clear()
    return guest, book, clock


def test_each_message_reaches_its_method() -> None:
    guest, book, _ = opened()
    for message in (
        wire.Say(1, "a"),
        wire.Build(2, "cafe"),
        wire.Abandon(3),
        wire.Inspect(4, entity=5),
        wire.Ack(3),
        wire.Ping(4.0),
        wire.Bye(),
    ):
        guest.receive(wire.encode(message))
    assert [name for name, _ in book.calls] == ["request", "build", "build", "inspect", "acknowledge", "ping", "bye"]


def test_only_the_newest_steering_counts() -> None:
    guest, book, _ = opened()
    for number in (5, 4, 5, 6):
        guest.receive(wire.encode(wire.Steer(number, (0.0, 0.0), 0.0)))
    assert [message.n for _, message in book.calls] == [5, 6]


def test_a_diagonal_is_not_faster() -> None:
    guest, book, _ = opened()
    guest.receive(wire.encode(wire.Steer(1, (1.0, 1.0), 7.0)))
    move = book.calls[0][1].move
    assert move == pytest.approx((0.70710678, 0.70710678))
    assert book.calls[0][1].yaw == pytest.approx(7.0 - 6.283185307)


def test_steering_beyond_its_rate_is_skipped_not_refused() -> None:
    guest, book, clock = opened()
    for number in range(100):
        guest.receive(wire.encode(wire.Steer(number, (0.0, 0.0), 0.0)))
        clock.now += 0.02
    assert 50 <= len(book.calls) < 100


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01",
        b"\x02",
        b"\x02\xc1",
        b"hello",
        b"\x02" + msgspec.msgpack.encode({"t": "steer", "n": 1}),
        b"\x02" + msgspec.msgpack.encode({"t": "fly", "n": 1}),
        b"\x02" + msgspec.msgpack.encode({"t": "ack", "seq": 1, "extra": 1}),
        b"\x02" + msgspec.msgpack.encode({"t": "ack", "seq": "one"}),
        b"\x02" + msgspec.msgpack.encode([1, 2]),
        b"\x02" + wire.encode(wire.Pong(1.0, 1, 1.0))[1:],
        b"\x02" + b"\x91" * 10_000,
        bytes([wire.RARE]) * (wire.MAX_MESSAGE_BYTES + 1),
    ],
    ids=range(13),
)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    guest, book, _ = opened()
    with pytest.raises(RefusedError):
        guest.receive(data)
    assert book.calls == []


@given(st.lists(st.binary(max_size=64).map(lambda data: b"\x02" + data), max_size=8))
@settings(max_examples=100)
def test_any_bytes_are_understood_or_refused(messages: list[bytes]) -> None:
    guest, _, _ = opened()
    for data in messages:
        with contextlib.suppress(RefusedError):
            guest.receive(data)


@given(
    st.dictionaries(
        st.sampled_from(["t", "n", "move", "yaw", "id", "text", "command", "seq", "thing", "emote", "entity"]),
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers(-(2**63), 2**64 - 1)
            | st.floats()
            | st.text(max_size=5)
            | st.sampled_from(["steer", "say", "use", "edit", "ack"]),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
            max_leaves=6,
        ),
    )
)
@settings(max_examples=100)
def test_any_map_is_understood_or_refused(value: dict[str, Any]) -> None:
    guest, _, _ = opened()
    try:
        guest.receive(b"\x02" + msgspec.msgpack.encode(value))
    except RefusedError:
        return
    assert value["t"] in {"steer", "say", "use", "edit", "ack"}


def test_a_second_hello_is_refused() -> None:
    guest, _, _ = opened()
    with pytest.raises(RefusedError, match="only once"):
        guest.receive(wire.encode(wire.Hello(wire.PROTOCOL, "Zoe")))


def test_too_much_data_is_refused() -> None:
    guest, _, _ = opened()
    big = wire.encode(wire.Edit(1, {"command": "x" * 60_000}))
    for _ in range(4):
        guest.receive(big)
    with pytest.raises(RefusedError, match="Too much data"):
        guest.receive(big)


def test_whoever_is_gone_is_not_listened_to() -> None:
    guest, book, _ = opened()
    guest.leave()
    guest.receive(b"rubbish")
    assert (book.calls, guest.state) == ([], State.GONE)
