"""Sockets: one `Connection` per TCP connection, HTTP and WebSocket, over the protocol core of `websockets`.

The core (`websockets.server.ServerProtocol`) parses and does no I/O; this file feeds it and writes what it wants
written. Hot frames bypass it: they are built once and written to many transports.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from http import HTTPStatus
from typing import Final, Protocol, cast

from websockets.frames import BINARY, CONT, TEXT, CloseCode, Frame
from websockets.http11 import Request
from websockets.protocol import CONNECTING, OPEN
from websockets.server import ServerProtocol

from ecumene_server import http, wire
from ecumene_server.errors import RefusedError
from ecumene_server.link import Link, refuse

HANDSHAKE_S: Final = 10.0
"""A request must be complete after this time."""
PING_S: Final = 20.0
"""Silence after which the peer is asked whether it is still there."""
SILENCE_S: Final = 45.0
"""Silence after which a WebSocket peer counts as gone."""
GOODBYE_S: Final = 3.0
"""A peer that was told to close has this long to agree."""
STALLED_S: Final = 60.0
"""A download that makes no progress for this long is cut."""
MAX_CONNECTIONS: Final = 4096
"""TCP connections at a time; one more is dropped at once."""
HARD_LIMIT: Final = 4 * wire.MAX_MESSAGE_BYTES
"""A message beyond this size is not even read (close code 1009); below, `Guest` refuses it with a sentence."""

_QUIET: Final = logging.getLogger("ecumene.websockets")
_QUIET.setLevel(logging.CRITICAL)


class Listener(Protocol):
    """Who is told what arrives; implemented by `hub.Hub`."""

    def opened(self, link: Link) -> None:
        """A WebSocket handshake is complete."""

    def received(self, link: Link, data: bytes) -> None:
        """One whole binary message arrived."""

    def closed(self, link: Link) -> None:
        """An opened WebSocket is gone; nothing can be written any more."""


def frame_of(data: bytes) -> bytes:
    """Returns one unmasked binary WebSocket frame around the message (RFC 6455 section 5.2)."""
    return bytes(Frame(BINARY, data).serialize(mask=False))


class Connection(asyncio.Protocol):
    """One TCP connection: answers one HTTP request, or becomes a WebSocket."""

    def __init__(
        self, site: http.Site, listener: Listener, everyone: set[Connection], clock: Callable[[], float]
    ) -> None:
        self._site = site
        self._listener = listener
        self._everyone = everyone
        self._clock = clock
        self._core = ServerProtocol(max_size=HARD_LIMIT, logger=_QUIET)
        self._fragments: list[bytes] = []
        self._requested = False
        self._pinged = False
        self._heard = clock()
        self._closing_at: float | None = None
        self._unsent = 0
        self.transport: asyncio.Transport

    @property
    def is_open(self) -> bool:
        """Whether WebSocket messages can be written."""
        return self._core.state is OPEN

    @property
    def backlog(self) -> int:
        """Bytes that wait for a slow peer."""
        return self.transport.get_write_buffer_size()

    @property
    def peer(self) -> str:
        """The peer's address as text."""
        name = self.transport.get_extra_info("peername")
        return str(name[0]) if name else "unknown"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Turns Nagle's algorithm off: a frame must not wait for the last one's acknowledgement."""
        self.transport = cast("asyncio.Transport", transport)
        sock = transport.get_extra_info("socket")
        if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._everyone.add(self)
        if len(self._everyone) > MAX_CONNECTIONS:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tells the listener about a lost WebSocket."""
        del exc
        was_websocket = self._requested and self._core.state is not CONNECTING
        self._core.receive_eof()
        self._everyone.discard(self)
        if was_websocket:
            self._listener.closed(self)

    def data_received(self, data: bytes) -> None:
        """Feeds the core and acts on what it understood."""
        self._heard = self._clock()
        self._pinged = False
        self._core.receive_data(data)
        for event in self._core.events_received():
            if isinstance(event, Request):
                self._request(event)
            elif isinstance(event, Frame):
                self._frame(event)
        if not self._requested and self._core.handshake_exc is not None:
            self._finish(http.refusal(HTTPStatus.BAD_REQUEST, "That is no HTTP request that is served here."))
        self._flush()

    def eof_received(self) -> None:
        """Lets the core notice that the peer will send no more."""
        self._core.receive_eof()
        self._flush()

    def send(self, message: bytes) -> None:
        """Writes one binary message if the connection is open."""
        if self.is_open:
            self.transport.write(frame_of(message))

    def send_frame(self, frame: bytes) -> None:
        """Writes bytes of `frame_of`, built once for many connections, if the connection is open."""
        if self.is_open:
            self.transport.write(frame)

    def close(self, code: CloseCode, reason: str) -> None:
        """Begins the closing handshake; `tick` cuts the connection if the peer does not answer."""
        if self.is_open:
            self._core.send_close(code, reason.encode()[:120].decode(errors="ignore"))
            self._closing_at = self._clock()
            self._flush()

    def tick(self, now: float) -> None:
        """Cuts what takes too long and asks silent peers for a sign of life; called about once a second."""
        silent = now - self._heard
        if self._core.state is CONNECTING and not self._requested:
            if silent > HANDSHAKE_S:
                self.transport.abort()
        elif self._core.state is OPEN:
            self._tick_open(silent)
        elif self._closing_at is not None and now - self._closing_at > GOODBYE_S:
            self.transport.abort()
        else:
            self._tick_download(now, silent)

    def _tick_open(self, silent: float) -> None:
        if silent > SILENCE_S:
            self.transport.abort()
        elif silent > PING_S and not self._pinged:
            self._pinged = True
            self._core.send_ping(b"")
            self._flush()

    def _tick_download(self, now: float, silent: float) -> None:
        if self.backlog != self._unsent:
            self._unsent, self._heard = self.backlog, now
        elif silent > STALLED_S:
            self.transport.abort()

    def _request(self, request: Request) -> None:
        self._requested = True
        if request.path.split("?")[0] == "/ws" and request.headers.get("Upgrade", "").lower() == "websocket":
            response = self._core.accept(request)
            self._core.send_response(response)
            self._flush()
            if self.is_open:
                self._listener.opened(self)
            return
        self._finish(self._site.answer(request.method, request.path, request.headers))

    def _finish(self, parts: list[bytes]) -> None:
        self._requested = True
        self.transport.writelines(parts)
        self.transport.close()

    def _frame(self, frame: Frame) -> None:
        if frame.opcode is TEXT:
            refuse(self, RefusedError("Messages must be binary, not text."))
        elif frame.opcode in (BINARY, CONT) and self.is_open:
            self._fragments.append(bytes(frame.data))
            if frame.fin:
                message, self._fragments = b"".join(self._fragments), []
                self._listener.received(self, message)

    def _flush(self) -> None:
        for data in self._core.data_to_send():
            if self.transport.is_closing():
                return
            if data:
                self.transport.write(data)
            else:
                self.transport.close()
