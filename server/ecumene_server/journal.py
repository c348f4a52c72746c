"""The log's writer: ticks' records reach the disk in groups, durable ones at once.

While one group is being written the next gathers, so that a commit costs many records no more than one. Records that
nobody waits for may wait `IDLE_S` for company: after a crash the world then is that much younger, but nothing that was
acknowledged is lost.

While the database can't be written, records wait and are tried again each `RETRY_S`. If it takes longer than
`MAX_WAITING` ticks the oldest are given up; the log then is torn, and nothing is written or acknowledged until a
snapshot has bridged the gap.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from ecumene_server.errors import StoreError
from ecumene_server.news import ChatLine

IDLE_S: Final = 1.0
"""Longest time that records wait to be written when nobody waits for them."""
RETRY_S: Final = 1.0
"""Pause after a failed write."""
MAX_WAITING: Final = 12_000
"""Records kept while the database can't be written: ten minutes."""
TORN: Final = "the disk took nothing for too long; the next snapshot makes up for it"

_LOG: Final = logging.getLogger("ecumene.store")


class Appending(Protocol):
    """The store, as the journal sees it."""

    async def append(self, epoch: int, records: Sequence[tuple[int, bytes]], chat: Sequence[ChatLine] = ()) -> None:
        """Writes records in one transaction; returns once they are on disk."""


@dataclass(slots=True)
class JournalCounters:
    """What the journal counts for `/metrics`."""

    records: int = 0
    commits: int = 0
    failures: int = 0
    bytes: int = 0
    dropped: int = 0


class Journal:
    """Writes records in order; a background task that runs until `close`.

    Args:
        store: Where to.
        epoch: Of this server.
        committed: Called with the last tick that is on disk now.
        unsaved: Called with a sentence when a write failed; the records stay queued.
    """

    def __init__(
        self, store: Appending, epoch: int, committed: Callable[[int], None], unsaved: Callable[[str], None]
    ) -> None:
        self.counters = JournalCounters()
        self.failing: str | None = None
        """Why the last write failed, fit for visitors; None while writing works."""
        self.written_tick = -1
        """The last tick on disk, -1 before the first."""
        self.torn = False
        """Whether records were given up, so that those after them are of no use before the next snapshot."""
        self._store = store
        self._epoch = epoch
        self._committed = committed
        self._unsaved = unsaved
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._chat: list[ChatLine] = []
        self._urgent = asyncio.Event()
        self._closing = False
        self.task = asyncio.get_running_loop().create_task(self._run(), name="journal")
        """Ends with `close`, or with an error that is none of the database's."""

    def put(self, tick: int, record: bytes, *, durable: bool) -> None:
        """Queues one tick's record; a durable one is written at once, with all before it."""
        if len(self._waiting) >= MAX_WAITING:
            self._waiting.popleft()
            self.counters.dropped += 1
            self.torn = True
        self._waiting.append((tick, record))
        if durable:
            self._urgent.set()

    def keep_chat(self, line: ChatLine) -> None:
        """Queues a line that is written together with the records of its tick."""
        self._chat.append(line)

    def bridge(self, tick: int) -> None:
        """Mends a torn log: a snapshot on disk holds everything up to the tick."""
        if self.torn:
            self._drop_until(tick)
            self.torn = bool(self._waiting) and self._waiting[0][0] != tick + 1

    async def close(self) -> None:
        """Writes what is queued, then ends; what can't be written is given up after one try."""
        self._closing = True
        self._urgent.set()
        await asyncio.wait([self.task])

    async def _run(self) -> None:
        while not self._closing or self._waiting:
            await self._gather()
            if not self._waiting:
                continue
            written = await self._write()
            if not written and self._closing:
                return
            if not written:
                await asyncio.sleep(RETRY_S)

    async def _gather(self) -> None:
        """Waits until somebody waits for a record, or for `IDLE_S`."""
        try:
            async with asyncio.timeout(IDLE_S):
                await self._urgent.wait()
        except TimeoutError:
            pass
        self._urgent.clear()

    async def _write(self) -> bool:
        if self.torn:
            self._fail(TORN, TORN)
            return False
        records, chat = list(self._waiting), list(self._chat)
        try:
            await self._store.append(self._epoch, records, chat)
        except StoreError as error:
            self._fail(str(error), error.reason)
            return False
        self._drop_until(records[-1][0])
        del self._chat[: len(chat)]
        if self.failing is not None:
            _LOG.warning("what happens is saved again")
        self.failing = None
        self.counters.commits += 1
        self.counters.records += len(records)
        self.counters.bytes += sum(len(payload) for _, payload in records)
        self.written_tick = records[-1][0]
        self._committed(self.written_tick)
        return True

    def _drop_until(self, tick: int) -> None:
        while self._waiting and self._waiting[0][0] <= tick:
            self._waiting.popleft()

    def _fail(self, sentence: str, reason: str) -> None:
        if self.failing is None:
            _LOG.error("what happens now is not saved: %s", sentence)
        self.failing = reason
        self.counters.failures += 1
        self._unsaved(f"It happened but is not saved: {reason}.")
