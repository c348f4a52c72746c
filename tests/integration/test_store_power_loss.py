"""A power cut loses nothing that was acknowledged at the level we use, and does at lower ones."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

import pytest
from tests.integration.blackout import Disk, engine_on

from ecumene_server.errors import StoreError
from ecumene_server.journal import Journal
from ecumene_server.store import Store, open_store, opened

RECORD = bytes(range(256)) * 4
_names = itertools.count()


async def acknowledged_until_the_cut(folder: Path, after: Path, synchronous: str, ticks: int) -> int:
    """Writes ticks through a journal, takes the power away in the middle; returns the last tick acknowledged before."""
    disk = Disk(f"blackout-{next(_names)}")
    acknowledged = 0

    def committed(tick: int) -> None:
        nonlocal acknowledged
        acknowledged = tick

    async with opened(engine_on(disk, folder / "world.db", synchronous), "plaza") as store:
        epoch = await store.begin_epoch(0)
        await store.put_snapshot(epoch, 0, b"the world at the beginning")
        journal = Journal(store, epoch, committed, pytest.fail)
        for tick in range(1, ticks):
            journal.put(tick, RECORD, durable=True)
            await asyncio.sleep(0.001)
        before = acknowledged
        disk.cut(after)
        await journal.close()
    return before


async def survivors(folder: Path) -> list[int]:
    """Returns the ticks that a fresh server finds in the log."""
    async with open_store(f"sqlite:///{folder / 'world.db'}", "plaza") as store:
        return await ticks_of(store)


async def ticks_of(store: Store) -> list[int]:
    return [row.tick async for row in store.log_after(0) if row.payload == RECORD]


@pytest.mark.parametrize("ticks", [40, 150])
async def test_nothing_acknowledged_is_lost_when_the_power_goes(tmp_path: Path, ticks: int) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    after.mkdir()
    acknowledged = await acknowledged_until_the_cut(before, after, "FULL", ticks)
    found = await survivors(after)
    assert acknowledged > 5, "the test must have acknowledged something to be able to lose it"
    assert found[:acknowledged] == list(range(1, acknowledged + 1))
    assert found == list(range(1, len(found) + 1)), "what survives has no holes"


@pytest.mark.parametrize("level", ["NORMAL", "OFF"])
async def test_at_a_lower_level_the_same_cut_loses_acknowledged_records(tmp_path: Path, level: str) -> None:
    """So the test above can fail."""
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    after.mkdir()
    acknowledged = await acknowledged_until_the_cut(before, after, level, 150)
    try:
        found = await survivors(after)
    except StoreError:
        found = []
    assert acknowledged > 5
    assert len(found) < acknowledged
