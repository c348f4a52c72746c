"""What the hub needs of a connection, so that it can be tested without sockets."""

from __future__ import annotations

import logging
from typing import Final, Protocol

from websockets.frames import CloseCode

from ecumene_server import wire
from ecumene_server.errors import RefusedError

_LOG: Final = logging.getLogger("ecumene.wire")


class Link(Protocol):
    """A way to one client; `connection.Connection` implements it."""

    @property
    def backlog(self) -> int:
        """Bytes that wait for a slow peer."""

    @property
    def peer(self) -> str:
        """The peer's address as text."""

    def send(self, message: bytes) -> None:
        """Writes one message."""

    def send_frame(self, frame: bytes) -> None:
        """Writes one prebuilt WebSocket frame."""

    def close(self, code: CloseCode, reason: str) -> None:
        """Begins to close."""


def refuse(link: Link, error: RefusedError) -> None:
    """Tells the peer why, then closes with 1008 (policy violation)."""
    _LOG.info("%s refused: %s", link.peer, error)
    link.send(wire.encode(wire.Refused(str(error))))
    link.close(CloseCode.POLICY_VIOLATION, str(error))
