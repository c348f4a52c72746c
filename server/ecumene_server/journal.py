"""The log's writer: ticks' records reach the disk in groups, durable ones at once.

While one group is being written the next gathers, so that a commit costs many records no more than one. Records that
nobody waits for may wait `IDLE_S` for company: after a crash the world then is that much younger, but nothing that was
acknowledged is lost.
"""

from __future__ import annotations

import asyncio
import logging
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
        """Why the last write failed, None while writing works."""
        self._store = store
        self._epoch = epoch
        self._committed = committed
        self._unsaved = unsaved
        self._waiting: list[tuple[int, bytes]] = []
        self._chat: list[ChatLine] = []
        self._urgent = asyncio.Event()
        self._closing = False
        self._task = asyncio.get_running_loop().create_task(self._run(), name="journal")

    def put(self, tick: int, record: bytes, *, durable: bool) -> None:
        """Queues one tick's record; a durable one is written at once, with all before it."""
        if len(self._waiting) < MAX_WAITING:
            self._waiting.append((tick, record))
        if durable:
            self._urgent.set()

    def keep_chat(self, line: ChatLine) -> None:
        """Queues a line that is written together with the records of its tick."""
        self._chat.append(line)

    async def close(self) -> None:
        """Writes what is queued, then ends; what can't be written is given up after one try."""
        self._closing = True
        self._urgent.set()
        await self._task

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
        records, chat = list(self._waiting), list(self._chat)
        try:
            await self._store.append(self._epoch, records, chat)
        except StoreError as error:
            self._fail(str(error))
            return False
        del self._waiting[: len(records)], self._chat[: len(chat)]
        self.failing = None
        self.counters.commits += 1
        self.counters.records += len(records)
        self.counters.bytes += sum(len(payload) for _, payload in records)
        self._committed(records[-1][0])
        return True

    def _fail(self, sentence: str) -> None:
        if self.failing is None:
            _LOG.error("what happens now is not saved: %s", sentence)
        self.failing = sentence
        self.counters.failures += 1
        self._unsaved(f"It happened but is not saved: {sentence}.")
