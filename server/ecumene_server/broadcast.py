"""Positions for everybody: each gets those around, unless the connection can't take them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from ecumene_server.codec import Cell
from ecumene_server.connection import frame_of
from ecumene_server.counters import Counters
from ecumene_server.errors import RefusedError
from ecumene_server.interest import Interest
from ecumene_server.link import Link
from ecumene_server.news import News
from ecumene_server.visitor import Visitor

SLOW_BYTES: Final = 262_144
"""A client with more bytes waiting than this gets no hot frames until they have drained."""
STUCK_BYTES: Final = 8_388_608
"""A client with more than this is closed: it does not even take rare messages."""


class Broadcast:
    """Sends hot frames.

    Args:
        budget_bytes: Most bytes a frame message has.
        counters: Where they are counted.
        refuse: Closes the connection of a client that is too slow.
    """

    def __init__(self, budget_bytes: int, counters: Counters, refuse: Callable[[Link, RefusedError], None]) -> None:
        self._interest = Interest(budget_bytes)
        self._counters = counters
        self._refuse = refuse

    def show(self, news: News, visitors: Iterable[Visitor]) -> None:
        """Sends each visitor who is here what is around its avatar."""
        self._interest.begin(news.frames, news.tick)
        frames: dict[Cell, bytes] = {}
        for visitor in visitors:
            cell = news.cells.get(visitor.key)
            if cell is None or visitor.link is None or visitor.entity is None:
                continue
            if cell not in frames:
                message = self._interest.message(cell)
                frames[cell] = frame_of(message) if message else b""
            self._send(visitor, visitor.link, frames[cell])

    def _send(self, visitor: Visitor, link: Link, frame: bytes) -> None:
        backlog = link.backlog
        if backlog > STUCK_BYTES:
            self._refuse(link, RefusedError("The connection is too slow: 8 MiB wait to be sent."))
        elif backlog > SLOW_BYTES:
            visitor.skipped += 1
            self._counters.skipped += 1
        elif frame:
            link.send_frame(frame)
            self._counters.hot_out += 1
            self._counters.hot_bytes_out += len(frame)
