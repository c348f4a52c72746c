from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from ecumene_server import journal as module
from ecumene_server.errors import StoreError
from ecumene_server.journal import Journal
from ecumene_server.news import ChatLine


class Disk:
    """A store that is slow, or broken, on demand."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.chat: list[ChatLine] = []
        self.broken: str | None = None
        self.slow_s = 0.0

    async def append(self, epoch: int, records: Sequence[tuple[int, bytes]], chat: Sequence[ChatLine] = ()) -> None:
        await asyncio.sleep(self.slow_s)
        if self.broken is not None:
            raise StoreError(f"the database 'secret.db' can't be used: {self.broken}", self.broken)
        self.groups.append([tick for tick, _ in records])
        self.chat += chat


class Told:
    def __init__(self) -> None:
        self.committed: list[int] = []
        self.unsaved: list[str] = []


@asynccontextmanager
async def writing(disk: Disk) -> AsyncIterator[tuple[Journal, Told]]:
    told = Told()
    journal = Journal(disk, 1, told.committed.append, told.unsaved.append)
    yield journal, told
    await journal.close()


async def test_a_durable_record_is_written_at_once_with_all_before_it() -> None:
    disk = Disk()
    async with writing(disk) as (journal, told):
        journal.put(1, b"a", durable=False)
        journal.put(2, b"b", durable=False)
        journal.put(3, b"c", durable=True)
        await asyncio.sleep(0.05)
        assert disk.groups == [[1, 2, 3]]
        assert told.committed == [3]


async def test_records_that_nobody_waits_for_are_written_in_company(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDLE_S", 0.15)
    disk = Disk()
    async with writing(disk) as (journal, _):
        for tick in range(1, 6):
            journal.put(tick, b"x", durable=False)
            await asyncio.sleep(0.01)
        assert disk.groups == []
        await asyncio.sleep(0.3)
        assert disk.groups == [[1, 2, 3, 4, 5]]


async def test_while_one_group_is_written_the_next_gathers() -> None:
    disk = Disk()
    disk.slow_s = 0.05
    async with writing(disk) as (journal, told):
        for tick in range(1, 30):
            journal.put(tick, b"x", durable=True)
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.2)
        assert [tick for group in disk.groups for tick in group] == list(range(1, 30))
        assert 2 <= len(disk.groups) <= 8
        assert told.committed[-1] == 29


async def test_a_failed_write_is_told_then_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_S", 0.02)
    disk = Disk()
    disk.broken = "the disk is full"
    async with writing(disk) as (journal, told):
        journal.put(1, b"x", durable=True)
        await asyncio.sleep(0.03)
        assert told.unsaved[0] == "It happened but is not saved: the disk is full."
        assert journal.failing == "the disk is full"
        disk.broken = None
        journal.put(2, b"y", durable=True)
        await asyncio.sleep(0.1)
        assert (disk.groups, told.committed) == ([[1, 2]], [2])
        assert journal.failing is None


async def test_closing_writes_what_is_left() -> None:
    disk = Disk()
    async with writing(disk) as (journal, _):
        journal.put(1, b"x", durable=False)
        journal.keep_chat(ChatLine(1, "a1", "hello"))
    assert disk.groups == [[1]]
    assert [line.text for line in disk.chat] == ["hello"]


async def test_closing_does_not_wait_for_a_broken_disk() -> None:
    disk = Disk()
    disk.broken = "the disk is gone"
    async with asyncio.timeout(5):
        async with writing(disk) as (journal, _):
            journal.put(1, b"x", durable=True)


async def test_a_gap_is_never_written_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Records that had to be given up may not be followed by others, or a recovery would stop at the gap."""
    for name, value in (("RETRY_S", 0.01), ("IDLE_S", 0.01), ("MAX_WAITING", 5)):
        monkeypatch.setattr(module, name, value)
    disk = Disk()
    disk.broken = "the disk is full"
    async with writing(disk) as (journal, told):
        for tick in range(1, 9):
            journal.put(tick, b"x", durable=True)
            await asyncio.sleep(0.005)
        assert journal.torn
        assert journal.counters.dropped == 3
        disk.broken = None
        await asyncio.sleep(0.05)
        assert (disk.groups, told.committed, journal.failing) == ([], [], module.TORN)
        journal.bridge(2)
        await asyncio.sleep(0.05)
        assert disk.groups == [], "tick 3 is missing still"
        journal.bridge(6)
        await asyncio.sleep(0.05)
        assert (disk.groups, told.committed, journal.failing) == ([[7, 8]], [8], None)
        assert journal.written_tick == 8


async def test_what_is_no_error_of_the_database_ends_the_journal() -> None:
    class Broken:
        async def append(self, epoch: int, records: object, chat: object = ()) -> None:
            raise ZeroDivisionError

    journal = Journal(Broken(), 1, lambda _: None, lambda _: None)
    journal.put(1, b"x", durable=True)
    await asyncio.wait([journal.task], timeout=5)
    assert isinstance(journal.task.exception(), ZeroDivisionError)
    await journal.close()
