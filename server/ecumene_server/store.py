"""The store: worlds, their log and snapshots, accounts and kept chat, in SQLite or PostgreSQL."""

from __future__ import annotations

import hashlib
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, CursorResult, Insert, Row, delete, func, insert, select, text, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ecumene_server import auth, database, tables
from ecumene_server.errors import DamagedError, FailedError
from ecumene_server.news import ChatLine, Stand
from ecumene_server.surroundings import Account
from ecumene_world.command import Role

KEPT_SNAPSHOTS: Final = 3
"""Older snapshots, and the log before the oldest kept one, are removed."""
ADMIN_ID: Final = "admin"
"""Account id of whoever has the admin token."""
LOG_PAGE: Final = 2_000


@dataclass(frozen=True, slots=True)
class LogRow:
    """One tick's stored record."""

    tick: int
    epoch: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class SnapshotInfo:
    """A stored snapshot without its body.

    Attributes:
        id: Row.
        epoch: During which it was taken.
        tick: The last tick it contains.
        taken: Seconds since 1970.
        size: Bytes of the body.
    """

    id: int
    epoch: int
    tick: int
    taken: float
    size: int


class Store:
    """One world's part of an open database; made by `open_store`.

    Every method raises StoreError when the database can't be read or written.
    """

    def __init__(
        self, engine: AsyncEngine, world: int, *, admin_token: str | None, clock: Callable[[], float] = time.time
    ) -> None:
        self._engine = engine
        self._world = world
        self._admin_token = admin_token
        self._clock = clock
        self._logging = _log_upsert(engine)

    # Epochs, log and snapshots.

    async def begin_epoch(self, first_tick: int) -> int:
        """Notes that the world is opened; returns the epoch, which no earlier opening had."""
        values = {"world": self._world, "started": self._clock(), "first_tick": first_tick}
        async with self._write() as connection:
            done = await connection.execute(insert(tables.epochs).values(values))
            return _inserted(done)

    async def append(self, epoch: int, records: Sequence[tuple[int, bytes]], chat: Sequence[ChatLine] = ()) -> None:
        """Writes ticks' records, and chat to keep, in one transaction; returns once they are on disk.

        A record that is already there is written again: whoever saw a commit fail can't know whether it did.
        """
        rows = [{"world": self._world, "tick": t, "epoch": epoch, "payload": payload} for t, payload in records]
        async with self._write() as connection:
            await connection.execute(self._logging, rows)
            if chat:
                await connection.execute(insert(tables.chat), [self._chat_row(line) for line in chat])

    async def log_after(self, tick: int) -> AsyncIterator[LogRow]:
        """Yields the records after `tick`, in order."""
        log = tables.log
        while True:
            query = (
                select(log.c.tick, log.c.epoch, log.c.payload)
                .where(log.c.world == self._world, log.c.tick > tick)
                .order_by(log.c.tick)
                .limit(LOG_PAGE)
            )
            async with self._read() as connection:
                rows = (await connection.execute(query)).all()
            for row in rows:
                yield LogRow(int(row[0]), int(row[1]), bytes(row[2]))
            if len(rows) < LOG_PAGE:
                return
            tick = int(rows[-1][0])

    async def last_tick(self) -> int:
        """Returns the tick of the last record of the log, -1 when it is empty."""
        log = tables.log
        async with self._read() as connection:
            found = await connection.execute(select(func.max(log.c.tick)).where(log.c.world == self._world))
        last = found.scalar()
        return -1 if last is None else int(last)

    async def drop_log_after(self, tick: int) -> int:
        """Removes records after `tick`, which a recovery could not use; returns how many there were."""
        log = tables.log
        async with self._write() as connection:
            done = await connection.execute(delete(log).where(log.c.world == self._world, log.c.tick > tick))
            return done.rowcount

    async def put_snapshot(self, epoch: int, tick: int, body: bytes) -> None:
        """Stores the world after `tick`, then removes what no recovery needs any more."""
        digest = hashlib.sha256(body).hexdigest()
        values = {"epoch": epoch, "tick": tick, "taken": self._clock(), "sha256": digest, "body": body}
        async with self._write() as connection:
            await connection.execute(insert(tables.snapshots).values(world=self._world, **values))
            await connection.run_sync(self._prune)

    async def snapshots(self) -> list[SnapshotInfo]:
        """Returns what is known of the stored snapshots, newest first."""
        each = tables.snapshots.c
        query = select(each.id, each.epoch, each.tick, each.taken, func.length(each.body)).where(
            each.world == self._world
        )
        async with self._read() as connection:
            rows = (await connection.execute(query.order_by(each.tick.desc(), each.id.desc()))).all()
        return [SnapshotInfo(*row) for row in rows]

    async def snapshot_body(self, info: SnapshotInfo) -> bytes:
        """Returns the bytes of a snapshot.

        Raises:
            DamagedError: They are not the bytes that were stored.
        """
        each = tables.snapshots.c
        async with self._read() as connection:
            row = (await connection.execute(select(each.body, each.sha256).where(each.id == info.id))).one()
        body = bytes(row[0])
        if hashlib.sha256(body).hexdigest() != row[1]:
            raise DamagedError(f"the snapshot of tick {info.tick} is damaged: its checksum differs")
        return body

    async def purge_history(self) -> None:
        """Removes every record and every snapshot but the newest: what an erasure must not leave behind."""
        async with self._write() as connection:
            await connection.execute(delete(tables.log).where(tables.log.c.world == self._world))
            await connection.run_sync(lambda sync: self._prune(sync, kept=1))

    # Accounts.

    async def admit(self, token: str | None, name: str) -> Account:
        """Returns the account of the token, or a new one; remembers the name."""
        known = token if token is not None and len(token) <= auth.MAX_TOKEN else None
        if known is not None and self._admin_token is not None and auth.is_same(known, self._admin_token):
            return await self._admin(known, name)
        async with self._write() as connection:
            row = await _by_token(connection, known) if known is not None else None
            if row is None or known is None:
                known = auth.new_token()
                row = await self._create(connection, auth.new_id(), auth.digest(known), name, Role.VISITOR)
            await _touch(connection, row.id, name, self._clock())
        return _account(row, known, name)

    async def put_stand(self, account: str, stand: Stand) -> None:
        """Remembers where the avatar stood."""
        await self.put_stands({account: stand})

    async def put_stands(self, stands: Mapping[str, Stand]) -> None:
        """Remembers where avatars stood, by account."""
        async with self._write() as connection:
            for account, stand in stands.items():
                x, y, z = stand.position
                change = update(tables.accounts).where(tables.accounts.c.id == account)
                await connection.execute(change.values(x=x, y=y, z=z, yaw=stand.yaw))

    async def accounts(self) -> list[dict[str, Any]]:
        """Returns every account without its secret, oldest first."""
        async with self._read() as connection:
            rows = (await connection.execute(select(tables.accounts).order_by(tables.accounts.c.created))).all()
        return [_public(row) for row in rows]

    async def account_named(self, name: str) -> dict[str, Any]:
        """Returns the account of that name or id.

        Raises:
            FailedError: None or several have that name; the message lists their ids.
        """
        found = [each for each in await self.accounts() if name in (each["id"], each["name"])]
        if not found:
            raise FailedError(f"no account is named {name!r}")
        if len(found) > 1:
            ids = ", ".join(each["id"] for each in found)
            raise FailedError(f"{len(found)} accounts are named {name!r}; give one of their ids: {ids}")
        return found[0]

    async def set_role(self, account: str, role: Role) -> None:
        """Changes what an account may do from its next connection on."""
        async with self._write() as connection:
            change = update(tables.accounts).where(tables.accounts.c.id == account)
            await connection.execute(change.values(role=int(role)))

    async def chat_of(self, account: str) -> list[dict[str, Any]]:
        """Returns the kept lines of an account, oldest first."""
        each = tables.chat.c
        async with self._read() as connection:
            query = select(each.at, each.tick, each.text).where(each.account == account).order_by(each.id)
            rows = (await connection.execute(query)).all()
        return [{"at": row[0], "tick": row[1], "text": row[2]} for row in rows]

    async def erase(self, account: str) -> int:
        """Removes an account and its kept chat; returns how many lines that were."""
        async with self._write() as connection:
            lines = await connection.execute(delete(tables.chat).where(tables.chat.c.account == account))
            await connection.execute(delete(tables.accounts).where(tables.accounts.c.id == account))
        return lines.rowcount

    async def compact(self) -> None:
        """Rewrites a SQLite file without the pages of removed rows, which would keep their bytes until reused."""
        if self._engine.url.get_backend_name() != "sqlite":
            return
        with database.explained(self._engine.url):
            async with self._engine.connect() as connection:
                alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
                await alone.execute(text("VACUUM"))
                await alone.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))

    # Inner parts.

    @asynccontextmanager
    async def _write(self) -> AsyncIterator[AsyncConnection]:
        with database.explained(self._engine.url):
            async with self._engine.begin() as connection:
                yield connection

    @asynccontextmanager
    async def _read(self) -> AsyncIterator[AsyncConnection]:
        with database.explained(self._engine.url):
            async with self._engine.connect() as connection:
                yield connection

    async def _admin(self, token: str, name: str) -> Account:
        async with self._write() as connection:
            query = select(tables.accounts).where(tables.accounts.c.id == ADMIN_ID)
            row = (await connection.execute(query)).one_or_none()
            if row is None:
                row = await self._create(connection, ADMIN_ID, auth.digest(auth.new_token()), name, Role.ADMIN)
            await _touch(connection, ADMIN_ID, name, self._clock())
        return _account(row, token, name)

    async def _create(self, connection: AsyncConnection, key: str, digest: str, name: str, role: Role) -> Row[Any]:
        look = int(hashlib.sha256(key.encode()).hexdigest()[:8], 16)
        values = {"id": key, "token_sha256": digest, "name": name, "role": int(role), "look": look}
        await connection.execute(insert(tables.accounts).values(created=self._clock(), seen=self._clock(), **values))
        return (await connection.execute(select(tables.accounts).where(tables.accounts.c.id == key))).one()

    def _chat_row(self, line: ChatLine) -> dict[str, Any]:
        values = {"tick": line.tick, "account": line.account, "text": line.text}
        return {"world": self._world, "at": self._clock(), **values}

    def _prune(self, connection: Connection, kept: int = KEPT_SNAPSHOTS) -> None:
        each, log = tables.snapshots.c, tables.log.c
        query = select(each.id, each.tick).where(each.world == self._world).order_by(each.tick.desc(), each.id.desc())
        rows = connection.execute(query.limit(kept)).all()
        ids = [row[0] for row in rows]
        connection.execute(delete(tables.snapshots).where(each.world == self._world, each.id.not_in(ids)))
        connection.execute(delete(tables.log).where(log.world == self._world, log.tick <= rows[-1][1]))


@asynccontextmanager
async def open_store(
    url: str, world: str, *, admin_token: str | None = None, synchronous: str = database.SYNCHRONOUS
) -> AsyncIterator[Store]:
    """Opens a database for one world, bringing its tables up to date.

    Args:
        url: `sqlite:///FILE` or `postgresql://…`.
        world: Name under which the world is kept.
        admin_token: Whoever sends it in a hello is the admin.
        synchronous: SQLite's level; anything below the default loses acknowledged records in a power cut.

    Raises:
        StoreError: It can't be opened, or another server holds the world.
    """
    engine = database.engine_for(database.parsed_url(url), synchronous=synchronous)
    async with opened(engine, world, admin_token=admin_token) as store:
        yield store


@asynccontextmanager
async def opened(engine: AsyncEngine, world: str, *, admin_token: str | None = None) -> AsyncIterator[Store]:
    """Does as `open_store` with an engine, which is disposed of at the end."""
    async with AsyncExitStack() as stack:
        stack.push_async_callback(engine.dispose)
        await stack.enter_async_context(database.exclusive(engine, world))
        await database.upgrade(engine)
        yield Store(engine, await _world_row(engine, world), admin_token=admin_token)


@asynccontextmanager
async def open_to_read(url: str, world: str) -> AsyncIterator[Store]:
    """Opens a database for reading, beside the server that holds the world if there is one.

    Nothing is written and nothing is held; only the reading methods of the store may be called.

    Raises:
        FailedError: Nothing is stored of that world.
        StoreError: It can't be opened, or is of another version.
    """
    parsed = database.parsed_url(url)
    file = database.sqlite_file(parsed)
    if file is not None and not file.is_file():
        raise FailedError(f"nothing is stored of the world {world!r}: there is no file {str(file)!r}")
    engine = database.engine_for(parsed)
    try:
        with database.explained(engine.url):
            async with engine.connect() as connection:
                query = select(tables.worlds.c.name, tables.worlds.c.id).order_by(tables.worlds.c.name)
                found = {str(name): int(row) for name, row in await connection.execute(query)}
        if world not in found:
            where = repr(str(file or parsed.database))
            held = f"which holds {', '.join(found)}" if found else "which holds no world"
            raise FailedError(f"nothing is stored of the world {world!r} in {where}, {held}")
        yield Store(engine, found[world], admin_token=None)
    finally:
        await engine.dispose()


def _log_upsert(engine: AsyncEngine) -> Insert:
    """Returns a statement that adds log records or puts them in the place of those of the same tick."""
    if engine.url.get_backend_name() == "sqlite":
        return insert(tables.log).prefix_with("OR REPLACE")
    adding = postgresql.insert(tables.log)
    new = {"epoch": adding.excluded.epoch, "payload": adding.excluded.payload}
    return adding.on_conflict_do_update(index_elements=["world", "tick"], set_=new)


async def _world_row(engine: AsyncEngine, name: str) -> int:
    with database.explained(engine.url):
        async with engine.begin() as connection:
            query = select(tables.worlds.c.id).where(tables.worlds.c.name == name)
            found = (await connection.execute(query)).scalar_one_or_none()
            if found is None:
                done = await connection.execute(insert(tables.worlds).values(name=name, created=time.time()))
                found = _inserted(done)
    return int(found)


def _inserted(done: CursorResult[Any]) -> int:
    assert done.inserted_primary_key is not None, "the table has a primary key"
    return int(done.inserted_primary_key[0])


async def _by_token(connection: AsyncConnection, token: str) -> Row[Any] | None:
    query = select(tables.accounts).where(tables.accounts.c.token_sha256 == auth.digest(token))
    return (await connection.execute(query)).one_or_none()


async def _touch(connection: AsyncConnection, account: str, name: str, now: float) -> None:
    change = update(tables.accounts).where(tables.accounts.c.id == account)
    await connection.execute(change.values(name=name, seen=now))


def _account(row: Row[Any], token: str, name: str) -> Account:
    stand = None if row.x is None else Stand((row.x, row.y, row.z), row.yaw)
    return Account(row.id, name, Role(row.role), int(row.look), token, stand)


def _public(row: Row[Any]) -> dict[str, Any]:
    hidden = {"token_sha256"}
    values = {key: value for key, value in row._mapping.items() if key not in hidden}  # noqa: SLF001 - its public name
    return {**values, "role": Role(row.role).name.lower()}
