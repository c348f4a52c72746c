"""Whatever a client sends, it closes that client at most; whatever a browser asks, it gets an answer."""

from __future__ import annotations

import asyncio
import gzip
import json
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.integration.servers import fetch, serving
from tests.integration.visitors import Visitor
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from ecumene_server import wire
from ecumene_server.app import App

HELLO = wire.encode(wire.Hello(wire.PROTOCOL, "Eve"))


def ws(app: App) -> str:
    return app.url.replace("http", "ws") + "/ws"


async def test_a_huge_frame_is_not_even_read(tmp_path: Path) -> None:
    async with serving(tmp_path) as app, connect(ws(app), compression=None, max_size=None) as socket:
        await socket.send(b"\x02" * 300_000)
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009


async def test_messages_in_fragments_are_put_together(tmp_path: Path) -> None:
    async with serving(tmp_path) as app, connect(ws(app), compression=None) as socket:
        await socket.send([HELLO[:5], HELLO[5:9], HELLO[9:]])
        data = await socket.recv()
        assert isinstance(data, bytes)
        assert isinstance(wire.decode_server(data), wire.Welcome)


async def raw(app: App, data: bytes) -> bytes:
    """Sends bytes to the port and returns all that comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(app.url.rsplit(":", 1)[1]))
    writer.write(data)
    try:
        async with asyncio.timeout(10):
            return await reader.read()
    finally:
        writer.close()


async def upgraded(app: App, data: bytes) -> None:
    """Opens a WebSocket by hand, then sends bytes that may be no frames at all."""
    key = b"dGhlIHNhbXBsZSBub25jZQ=="
    head = b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", int(app.url.rsplit(":", 1)[1]))
    writer.write(head + b"Sec-WebSocket-Key: " + key + b"\r\nSec-WebSocket-Version: 13\r\n\r\n")
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
    writer.write(data)
    writer.write_eof()
    async with asyncio.timeout(10):
        await reader.read()
    writer.close()


def test_any_bytes_close_only_their_sender(tmp_path: Path) -> None:
    """Hypothesis throws bytes at the port, before and after the upgrade; a witness stays connected throughout."""

    async def main() -> None:
        async with serving(tmp_path) as app, Visitor(app.url, "Witness") as witness:
            welcome = await witness.join()
            loop = asyncio.get_running_loop()
            await asyncio.to_thread(throw, app, loop)
            await witness.until(lambda: witness.where(welcome.entity))
            assert (await witness.ask(lambda i: wire.Say(i, "still here"))).ok

    def throw(app: App, loop: asyncio.AbstractEventLoop) -> None:
        def wait(work: Callable[[App, bytes], Awaitable[object]], data: bytes) -> None:
            async def run() -> None:
                try:
                    await work(app, data)
                except (ConnectionError, asyncio.IncompleteReadError):
                    return

            asyncio.run_coroutine_threadsafe(run(), loop).result(30)

        frames = st.binary(max_size=80).map(masked)

        @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
        @given(st.lists(frames, max_size=4).map(b"".join) | st.binary(max_size=200))
        def in_a_websocket(data: bytes) -> None:
            wait(upgraded, data)

        @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
        @given(st.binary(max_size=200).map(lambda data: data + b"\r\n\r\n"))
        def as_a_request(data: bytes) -> None:
            wait(raw, data)

        in_a_websocket()
        as_a_request()

    asyncio.run(main())


def masked(payload: bytes) -> bytes:
    """Returns a binary frame as a client sends it, with a mask of zeros."""
    length = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack(">H", len(payload))
    return b"\x82" + length + b"\0\0\0\0" + payload


async def test_the_port_answers_browsers(tmp_path: Path) -> None:
    async with serving(tmp_path, npcs=2, minds="scripted") as app:

        async def get(path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
            return await asyncio.to_thread(fetch, app.url + path, **headers)

        status, headers, page = await get("/")
        assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert b"<html" in page.lower()
        status, headers, scene = await get("/scene.glb?x")
        assert (status, scene[:4], headers["Content-Type"]) == (200, b"glTF", "model/gltf-binary")
        status, headers, zipped = await get("/scene.glb", **{"Accept-Encoding": "gzip"})
        assert headers.get("Content-Encoding") == "gzip"
        assert gzip.decompress(zipped) == scene
        status, _, _ = await get("/scene.glb", **{"If-None-Match": headers["ETag"]})
        assert status == 304
        status, _, body = await get("/nothing/here")
        assert (status, json.loads(body)) == (404, {"error": "There is nothing at '/nothing/here'."})
        status, _, _ = await get("/../../etc/passwd")
        assert status == 404


async def test_health_and_metrics_tell_the_truth(tmp_path: Path) -> None:
    async with serving(tmp_path, npcs=2, minds="scripted") as app, Visitor(app.url) as zoe:
        await zoe.join()
        await asyncio.sleep(0.5)
        _, _, body = await asyncio.to_thread(fetch, app.url + "/healthz")
        health = json.loads(body)
        assert (health["status"], health["world"], health["npcs"], health["clients"]) == ("ok", "square", 2, 1)
        assert health["title"] == "Test square"
        assert {"epoch", "tick", "tick_hz", "tick_p99_ms"} <= health.keys()
        _, headers, body = await asyncio.to_thread(fetch, app.url + "/metrics")
        values = dict(line.rsplit(" ", 1) for line in body.decode().splitlines() if not line.startswith("#"))
        assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert float(values["ecumene_clients"]) == 1
        assert float(values["ecumene_ticks_total"]) > 0
        assert float(values["ecumene_messages_in_total"]) >= 1
        assert "process_resident_memory_bytes" in values


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", b"200 OK"),
        (b"DELETE / HTTP/1.1\r\nHost: x\r\n\r\n", b"405 Method Not Allowed"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", b"400 Bad Request"),
        (b"rubbish\r\n\r\n", b"400 Bad Request"),
        (b"GET /ws HTTP/1.1\r\nHost: x\r\n\r\n", b"404 Not Found"),
    ],
    ids=["head", "delete", "body", "rubbish", "ws"],
)
async def test_other_requests_get_an_answer_too(tmp_path: Path, request_: bytes, status: bytes) -> None:
    async with serving(tmp_path) as app:
        answer = await raw(app, request_)
        assert answer.startswith(b"HTTP/1.1 " + status)
        if request_.startswith(b"HEAD"):
            assert answer.endswith(b"\r\n\r\n")
