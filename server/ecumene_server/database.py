"""Opens the database: SQLite in WAL mode with full synchronisation, or PostgreSQL; one server at a time."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.util import CommandError as MigrationError
from sqlalchemy import Connection, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from ecumene_server.errors import StoreError

SYNCHRONOUS: Final = "FULL"
"""SQLite's level: a commit returns after its record has reached the disk (https://sqlite.org/pragma.html)."""
BUSY_MS: Final = 5000


def parsed_url(raw: str) -> URL:
    """Returns the URL with the asynchronous driver filled in.

    Raises:
        StoreError: It names no database that is supported.
    """
    try:
        url = make_url(raw)
    except ArgumentError:
        raise StoreError(f"{raw!r} is no database URL; sqlite:///FILE and postgresql://… are") from None
    match url.get_backend_name():
        case "sqlite":
            return url.set(drivername="sqlite+aiosqlite")
        case "postgresql":
            return url.set(drivername="postgresql+asyncpg")
    raise StoreError(f"{url.drivername!r} is not supported; sqlite and postgresql are")


def sqlite_file(url: URL) -> Path | None:
    """Returns the file of a SQLite database, None for another kind or one in memory."""
    is_file = url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")
    return Path(str(url.database)) if is_file else None


@contextmanager
def explained(url: URL) -> Iterator[None]:
    """Turns what the driver raises into one sentence.

    Raises:
        StoreError: Something went wrong inside.
    """
    try:
        yield
    except MigrationError as error:
        raise StoreError(f"the database {_shown(url)} was written by a newer Ecumene ({error})") from error
    except DBAPIError as error:
        raise _unusable(url, error.orig) from error
    except (SQLAlchemyError, OSError) as error:
        raise _unusable(url, error) from error


def engine_for(url: URL, *, synchronous: str = SYNCHRONOUS) -> AsyncEngine:
    """Returns an engine whose SQLite connections are durable; nothing is opened yet."""
    if url.get_backend_name() != "sqlite":
        return create_async_engine(url, pool_size=4, pool_pre_ping=True)
    engine = create_async_engine(url, pool_size=2, connect_args={"timeout": BUSY_MS / 1000})
    make_durable(engine, synchronous)
    return engine


def make_durable(engine: AsyncEngine, synchronous: str = SYNCHRONOUS) -> None:
    """Lets every connection of a SQLite engine write ahead and reach the disk at each commit."""

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute(f"PRAGMA synchronous={synchronous}")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
        cursor.close()


async def upgrade(engine: AsyncEngine) -> None:
    """Brings the tables to this version's form.

    Raises:
        StoreError: The database can't be opened or is of a newer version.
    """
    with explained(engine.url):
        async with engine.begin() as connection:
            await connection.run_sync(_upgrade)


@asynccontextmanager
async def exclusive(engine: AsyncEngine, world: str) -> AsyncIterator[None]:
    """Holds the world for this process; another server is turned away. A SQLite file is held as a whole.

    Raises:
        StoreError: Another server holds it, or its folder can't be written.
    """
    file = sqlite_file(engine.url)
    if file is not None:
        with _file_lock(file):
            yield
    elif engine.url.get_backend_name() == "postgresql":
        async with _advisory_lock(engine, world):
            yield
    else:
        yield


@contextmanager
def _file_lock(file: Path) -> Iterator[None]:
    path = file.with_name(file.name + ".lock")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreError(f"the database {str(file)!r} can't be opened: {_reason(error)}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreError(f"the database {str(file)!r} is in use by another server") from None
        yield
    finally:
        os.close(descriptor)


@asynccontextmanager
async def _advisory_lock(engine: AsyncEngine, world: str) -> AsyncIterator[None]:
    key = int.from_bytes(hashlib.sha256(f"ecumene {world}".encode()).digest()[:8], "big", signed=True)
    with explained(engine.url):
        connection = await engine.connect()
    try:
        if not await _locked(connection, key):
            raise StoreError(f"the world {world!r} in {_shown(engine.url)} is in use by another server")
        yield
    finally:
        await connection.close()


async def _locked(connection: AsyncConnection, key: int) -> bool:
    found = await connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": key})
    locked = bool(found.scalar())
    await connection.commit()
    return locked


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _unusable(url: URL, error: BaseException | None) -> StoreError:
    reason = _reason(error)
    return StoreError(f"the database {_shown(url)} can't be used: {reason}", reason)


def _shown(url: URL) -> str:
    file = sqlite_file(url)
    return repr(str(file)) if file is not None else repr(url.render_as_string(hide_password=True))


def _reason(error: BaseException | None) -> str:
    known = {
        "unable to open database file": "the file can't be opened or created",
        "attempt to write a readonly database": "it is read-only",
        "database or disk is full": "the disk is full",
        "file is not a database": "the file is no SQLite database",
        "database is locked": "another program has it locked",
        "disk I/O error": "the disk reported an input/output error",
        "database disk image is malformed": "the file is damaged",
    }
    raw = str(error).splitlines()[0] if str(error) else type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        raw = error.strerror.lower()
    return next((sentence for words, sentence in known.items() if words in raw), raw)
