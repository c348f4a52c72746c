"""Bad input, one row each: the sender reads one sentence, everybody else goes on, and nothing ever looks like a crash.

The first table throws messages at one server that stays up for all of them; a witness stays connected throughout and
the server's whole output is read at the end. The tests after it are about time: who is silent, who is slow.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from tests.integration.servers import Program, program, serving
from tests.integration.visitors import Visitor
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from ecumene_server import broadcast, connection, guest, hub, wire
from ecumene_server.app import App

HELLO = wire.encode(wire.Hello(wire.PROTOCOL, "Eve"))
NAN, INFINITY = float("nan"), float("inf")
HUGE: bytes | str = wire.encode(wire.Say(1, "x" * 60_000))
FLOOD: list[bytes | str] = [wire.encode(wire.Ping(1.0))] * 400
EDIT = {"command": "move_node", "node": "bench", "pose": {"position": [NAN, 0, 0]}}


def steer(move: tuple[float, float] = (0.0, 0.0), yaw: float = 0.0, gaze: tuple[float, float] = (0.0, 0.0)) -> bytes:
    return wire.encode(wire.Steer(1, move, yaw, gaze))


CLOSED: dict[str, tuple[list[bytes | str], str]] = {
    "noise": ([b"\xff\xfe"], "That is no message of protocol 1"),
    "empty": ([b""], "That is no message of protocol 1"),
    "text": (["hello"], "Messages must be binary, not text."),
    "cut off": ([HELLO[:-3]], "That is no message of protocol 1"),
    "unknown message": ([b"\x02\x81\xa1t\xa3fly"], "That is no message of protocol 1"),
    "unknown field": ([b"\x02\x82\xa1t\xa3bye\xa1x\x01"], "That is no message of protocol 1"),
    "nested too deep": ([b"\x02" + b"\x91" * 60_000], "That is no message of protocol 1"),
    "oversized": ([b"\x02" * 70_000], "A message of 70000 bytes is too long; at most 65536 are taken."),
    "protocol of tomorrow": (
        [wire.encode(wire.Hello(99, "Eve"))],
        "Protocol 99 is not spoken here, 1 is; reload the page.",
    ),
    "long name with markup": (
        [wire.encode(wire.Hello(1, "<b onclick='x()'>" * 12))],
        "A name of 204 characters is too long; at most 40 are taken.",
    ),
    "name of nothing": ([wire.encode(wire.Hello(1, "\u200b\u202e"))], "The name '' has no letter or digit"),
    "impatience": (
        [wire.encode(wire.Ping(1.0))],
        "The first message must be 'hello', and its answer awaited; 'ping' came.",
    ),
    "two hellos": ([HELLO, HELLO], "'hello' may come only once."),
    "speed hack": (["join", steer((8.0, 0.0))], "A move of (8.0, 0.0) is too fast; each part must be within -1 and 1."),
    "NaN move": (["join", steer((NAN, 0.0))], "Steering needs finite numbers"),
    "endless heading": (["join", steer(yaw=INFINITY)], "Steering needs finite numbers"),
    "neck of rubber": (["join", steer(gaze=(9.0, 0.0))], "A heading of 0.0 with a gaze of (9.0, 0.0) is out of range."),
    "flood": (["join", *FLOOD], "Too many messages; at most 60 a second are taken."),
    "flood of bytes": (["join", *[HUGE] * 8], "Too much data; at most 128 KiB a second are taken."),
}
"""What is sent, and how the sentence begins with which that connection is closed."""

ANSWERED: dict[str, tuple[Callable[[int], wire.ClientMessage], str]] = {
    "NaN position": (lambda i: wire.Edit(i, EDIT), "must be a finite number, not nan"),
    "unknown command": (lambda i: wire.Edit(i, {"command": "teleport"}), "'teleport' is not a command"),
    "unknown key": (lambda i: wire.Edit(i, {"command": "thing", "thing": "bench", "states": 1}), "'states'"),
    "nothing there": (lambda i: wire.Use(i, "no such thing"), "'no such thing' is not a thing"),
    "emote of no body": (lambda i: wire.Gesture(i, 99), "99"),
    "empty line": (lambda i: wire.Say(i, "\u200b "), "The message is empty."),
    "long line": (lambda i: wire.Say(i, "x" * 501), "A message of 501 characters is too long; at most 500 are taken."),
    "rights": (
        lambda i: wire.Edit(i, {"command": "reading", "node": "bench", "field": "t", "value": 1}),
        "the role admin",
    ),
    "somebody else": (lambda i: wire.Edit(i, {"command": "despawn", "key": "visitor:x"}), "needs the role system"),
}
"""Requests that break no rule of the protocol but can't be done, and what their answer says."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with program(tmp_path_factory.mktemp("bad"), "--open-as", "builder") as running:
        yield running
        assert running.terminate() == 0
        assert not [line for line in running.lines if "Traceback" in line or "Error" in line or "unexpected" in line]


@contextlib.asynccontextmanager
async def witnessed(server: Program) -> AsyncIterator[None]:
    """Somebody else is there meanwhile, is told positions all the time, and can speak afterwards."""
    async with Visitor(server.url, "Witness") as witness:
        welcome = await witness.join()
        await witness.until(lambda: witness.where(welcome.entity))
        ticks = len(witness.frames)
        yield
        await witness.until(lambda: len(witness.frames) > ticks + 5 or None)
        assert (await witness.ask(lambda i: wire.Say(i, "still here"))).ok
        await witness.send(wire.Bye())


async def refusal(eve: ClientConnection) -> str:
    """Returns the reason that was given before the close."""
    reasons = []
    with contextlib.suppress(ConnectionClosed):
        async with asyncio.timeout(10):
            while True:
                data = await eve.recv()
                assert isinstance(data, bytes)
                message = wire.decode_server(data) if data[0] == wire.RARE else None
                reasons += [message.reason] if isinstance(message, wire.Refused) else []
    assert (eve.close_code, bool(eve.close_reason)) == (1008, True)
    assert len(reasons) == 1
    return str(reasons[0])


async def joined(eve: ClientConnection) -> None:
    await eve.send(HELLO)
    while True:
        data = await eve.recv()
        assert isinstance(data, bytes)
        if data[0] == wire.RARE and isinstance(wire.decode_server(data), wire.Welcome):
            return


@pytest.mark.parametrize("row", CLOSED)
async def test_who_breaks_a_rule_is_told_and_closed(server: Program, row: str) -> None:
    messages, sentence = CLOSED[row]
    async with witnessed(server), connect(ws(server.url), compression=None, ping_interval=None) as eve:
        with contextlib.suppress(ConnectionClosed):
            for message in messages:
                await (joined(eve) if message == "join" else eve.send(message))
        reason = await refusal(eve)
    assert reason.startswith(sentence)
    assert "\n" not in reason


@pytest.mark.parametrize("row", ANSWERED)
async def test_who_asks_the_impossible_gets_an_answer_and_stays(server: Program, row: str) -> None:
    ask, sentence = ANSWERED[row]
    async with witnessed(server), Visitor(server.url, "Eve") as eve:
        await eve.join()
        done = await eve.ask(ask)
        assert (done.ok, sentence in (done.error or "")) == (False, True), done.error
        assert "\n" not in (done.error or "")
        assert (await eve.ask(lambda i: wire.Gesture(i, 1))).ok
        await eve.send(wire.Bye())


async def test_a_stale_token_is_told_and_let_in_as_somebody_new(server: Program) -> None:
    async with Visitor(server.url, "Zoe", token="of a world that is gone") as zoe:
        welcome = await zoe.join()
        notice = await zoe.first(wire.Done)
        assert (notice.id, notice.ok, notice.text) == (wire.HELLO_ID, True, hub.STALE)
        assert welcome.token != "of a world that is gone"
        await zoe.send(wire.Bye())
    async with Visitor(server.url, "Zoe", token=welcome.token) as zoe:
        assert (await zoe.join()).token == welcome.token
        await asyncio.sleep(0.2)
        assert zoe.of(wire.Done) == []
        await zoe.send(wire.Bye())


async def test_markup_in_a_name_stays_text(server: Program) -> None:
    async with Visitor(server.url, "<b>Eve</b>\u202e\n") as eve:
        welcome = await eve.join()
        assert next(each.title for each in welcome.people if each.id == welcome.entity) == "<b>Eve</b>"
        await eve.send(wire.Bye())


async def test_steering_ten_times_as_often_moves_nobody_faster(server: Program) -> None:
    async with Visitor(server.url, "Eve") as eve:
        welcome = await eve.join()
        start = await eve.until(lambda: eve.where(welcome.entity))
        tick = eve.frames[-1].tick
        for _ in range(200):
            await eve.steer(1.0, 1.0, run=True)
            await asyncio.sleep(0.02)
        where = eve.where(welcome.entity)
        assert where is not None
        assert eve.of(wire.Refused) == []
        assert 1.0 < math.dist(start, where) <= 3.0 * (eve.frames[-1].tick - tick + 2) / 20
        await eve.send(wire.Bye())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GET /ws HT",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\0" * 100_000,
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 9000,
    ],
    ids=["nothing", "half a request", "TLS", "zeros", "endless headers"],
)
async def test_what_is_no_request_closes_that_connection(server: Program, data: bytes) -> None:
    async with witnessed(server):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rsplit(":", 1)[1]))
        with contextlib.suppress(ConnectionError):
            writer.write(data)
            writer.write_eof()
            async with asyncio.timeout(10):
                answer = await reader.read()
            assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
        writer.close()


# About time: these patch the server's patience, so they run one inside this process.


def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in ((connection, "PING_S"), (connection, "HANDSHAKE_S"), (guest, "HELLO_S")):
        monkeypatch.setattr(module, name, 0.3)
    monkeypatch.setattr(connection, "SILENCE_S", 2.0)
    monkeypatch.setattr(hub, "LINGER_S", 1.0)


async def opened(app: App, data: bytes = b"") -> socket.socket:
    """Opens a connection that then says nothing by itself; data is sent once."""
    end = socket.create_connection(("127.0.0.1", int(app.url.rsplit(":", 1)[1])))
    end.setblocking(False)
    await asyncio.get_running_loop().sock_sendall(end, data)
    return end


UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def masked(payload: bytes) -> bytes:
    length = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack(">H", len(payload))
    return b"\x82" + length + b"\0\0\0\0" + payload


@pytest.mark.parametrize(
    "data",
    [b"", b"GET / HT", UPGRADE, UPGRADE + masked(HELLO), UPGRADE + masked(HELLO) + b"\x82\xfe\xff"],
    ids=["connected", "half a request", "no hello", "joined", "half a frame"],
)
async def test_half_open_sockets_are_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    """The peer is gone without a word, as after a power cut: nothing comes, not even answers to pings."""
    patient(monkeypatch)
    async with serving(tmp_path) as app:
        end = await opened(app, data)
        async with asyncio.timeout(20):
            while not app.connections:
                await asyncio.sleep(0.02)
            while app.connections or app.session.world.avatars:
                await asyncio.sleep(0.1)
        assert app.hub.clients == 0
        end.close()


async def test_a_slow_reader_misses_positions_and_is_right_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcast, "SLOW_BYTES", 10_000)
    async with serving(tmp_path) as app, Visitor(app.url, "Max") as max_:
        mine = await max_.join()
        slow = await opened(app, UPGRADE + masked(HELLO))
        async with asyncio.timeout(10):
            while app.hub.clients < 2:
                await asyncio.sleep(0.02)
        end = next(each for each in app.connections if each.transport.get_extra_info("peername") == slow.getsockname())
        end.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        async with asyncio.timeout(30):
            while not app.hub.counters.skipped:
                await max_.send(wire.Inspect(1, node="sign"))
                end.send(bytes(2_000))  # stands for news that the slow one has to get, soon more than the sockets hold
                await asyncio.sleep(0.02)
        backlog = end.backlog
        await asyncio.sleep(1.0)
        assert end.backlog <= backlog + 4_000, "positions do not pile up"
        assert await max_.until(lambda: max_.where(mine.entity))
        received = await drained(slow)
        assert received
        sent, skipped = app.hub.counters.hot_out, app.hub.counters.skipped
        async with asyncio.timeout(10):
            while end.backlog or app.hub.counters.hot_out < sent + 20:
                await drained(slow)
        assert app.hub.counters.skipped - skipped < 20, "once it reads again it is told again"
        slow.close()


async def drained(end: socket.socket) -> int:
    """Reads what has come; returns how many bytes that were."""
    total = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.3):
            while data := await asyncio.get_running_loop().sock_recv(end, 65_536):
                total += len(data)
    return total


def ws(url: str) -> str:
    return url.replace("http", "ws", 1) + "/ws"
