"""Opening a stored world: the last good snapshot, then every record after it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Protocol

import torch

from ecumene_scenarios.errors import ScenarioError, UnknownMomentError
from ecumene_scenarios.record import check_of
from ecumene_scenarios.scenario import Scenario
from ecumene_scenarios.session import Session, restored
from ecumene_server import records
from ecumene_server.errors import DamagedError, FailedError
from ecumene_server.store import LogRow, SnapshotInfo
from ecumene_world.errors import SnapshotError
from ecumene_world.layout import Layout


class Past(Protocol):
    """The stored past of one world, to be read; `store.Store` implements it."""

    async def snapshots(self) -> list[SnapshotInfo]:
        """Returns the snapshots, newest first."""

    async def snapshot_body(self, info: SnapshotInfo) -> bytes:
        """Returns the bytes of one."""

    def log_after(self, tick: int) -> AsyncIterator[LogRow]:
        """Yields the records after a tick."""

    async def last_tick(self) -> int:
        """Returns the tick of the last record, -1 for none."""


class History(Past, Protocol):
    """The stored past of one world, to go on from; `store.Store` implements it."""

    async def drop_log_after(self, tick: int) -> int:
        """Removes the records after a tick."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """A world that goes on.

    Attributes:
        session: Stands after the last usable record.
        snapshot_tick: The snapshot it began from.
        replayed: Records applied since.
        dropped: Records that could not be used.
    """

    session: Session
    snapshot_tick: int
    replayed: int
    dropped: int


async def recover(
    history: History,
    scenario: Callable[[], Scenario],
    tell: Callable[[str], None],
    *,
    device: torch.device | str = "cpu",
    layout: Layout | None = None,
) -> Recovered | None:
    """Returns the stored world as it was when its last record was written, None when nothing is stored.

    A damaged snapshot is passed over for the one before; a damaged or missing record ends the replay. Both are told.

    Args:
        history: What is stored.
        scenario: Makes the scenario that the world is of.
        tell: Takes sentences for whoever started the server.
        device: Where tensors are to be.
        layout: A compiled layout at hand; it saves compiling if it is the snapshot's.

    Raises:
        FailedError: There are snapshots, but none of them can be read.
    """
    found = await history.snapshots()
    if not found:
        return None
    for info in found:
        try:
            session = restored(await history.snapshot_body(info), scenario(), device=device, layout=layout)
        except (DamagedError, SnapshotError, ScenarioError) as error:
            tell(f"The snapshot of tick {info.tick} can't be used, the one before is tried: {error}.")
            continue
        return await _replay(history, session, info.tick, tell)
    raise FailedError(f"none of the {len(found)} stored snapshots of this world can be read")


async def at_tick(
    history: Past,
    scenario: Callable[[], Scenario],
    tick: int | None,
    tell: Callable[[str], None],
    *,
    name: str,
    layout: Layout | None = None,
) -> Recovered:
    """Returns a stored world as it was when it had lived so many ticks, None for its last; nothing is written.

    Raises:
        FailedError: Nothing is stored, or no snapshot before that tick can be read.
        UnknownMomentError: The stored past does not hold that tick.
        DamagedError: The log is damaged or torn before it.
    """
    found = await history.snapshots()
    if not found:
        raise FailedError(f"nothing is stored of the world {name!r}")
    first, last = found[-1].tick, max(found[0].tick, await history.last_tick())
    wanted = last if tick is None else tick
    if not first <= wanted <= last:
        raise UnknownMomentError(name, wanted, first, last)
    for info in (each for each in found if each.tick <= wanted):
        try:
            session = restored(await history.snapshot_body(info), scenario(), layout=layout)
        except (DamagedError, SnapshotError, ScenarioError) as error:
            tell(f"The snapshot of tick {info.tick} can't be used, the one before is tried: {error}.")
            continue
        async for row in history.log_after(info.tick):
            if row.tick > wanted:
                break
            _repeat(session, row, session.now + 1)
        if session.now != wanted:
            raise DamagedError(f"the log of {name} ends at tick {session.now}, before tick {wanted}")
        return Recovered(session, info.tick, wanted - info.tick, 0)
    raise FailedError(f"no stored snapshot of {name} from before tick {wanted} can be read")


async def _replay(history: History, session: Session, start: int, tell: Callable[[str], None]) -> Recovered:
    tick = start
    try:
        async for row in history.log_after(start):
            _repeat(session, row, tick + 1)
            tick = row.tick
    except DamagedError as error:
        tell(f"The world goes on from tick {tick}, later ticks are lost: {error}.")
    dropped = await history.drop_log_after(tick)
    return Recovered(session, start, tick - start, dropped)


def _repeat(session: Session, row: LogRow, due: int) -> None:
    if row.tick != due:
        raise DamagedError(f"the log jumps to tick {row.tick} where {due} is due")
    record = records.unpacked(row.payload)
    commands, actions = records.commands_of(record), records.actions_of(record)
    session.repeat(commands, actions)
    if check_of(session.world.state) != record.check:
        raise DamagedError(f"the replay of tick {row.tick} does not lead where it led before")
