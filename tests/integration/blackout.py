"""A disk that can lose power: SQLite's files as they would be found after a power cut.

`Disk` is an apsw VFS over real files. Beside each file it keeps an image of what is certainly on the platter: the
bytes as of the file's last sync. `cut` returns those images, so everything written since is lost, whole files that
were never synced included. A deleted file is gone for good. Data written *before* a sync is never lost, and no lie of
real disks (torn sectors, write caches that ignore a flush) is simulated.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import aiosqlite
import apsw
from sqlalchemy import StaticPool
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from ecumene_server.database import make_durable


class Disk(apsw.VFS):  # type: ignore[misc]
    """A VFS that remembers what was synced."""

    def __init__(self, name: str) -> None:
        self.vfs_name = name
        self.lock = threading.Lock()
        self.certain: dict[str, bytearray] = {}
        self.syncs = 0
        super().__init__(name, base="")

    def xOpen(self, name: Any, flags: list[int]) -> _File:
        return _File(self, name, flags)

    def xDelete(self, name: str, sync_directory: bool) -> None:
        with self.lock:
            super().xDelete(name, sync_directory)
            self.certain.pop(name, None)

    def cut(self, folder: Path) -> None:
        """Writes the files as a power cut in this moment would leave them."""
        with self.lock:
            for name, image in self.certain.items():
                (folder / Path(name).name).write_bytes(image)


class _File(apsw.VFSFile):  # type: ignore[misc]
    def __init__(self, disk: Disk, name: Any, flags: list[int]) -> None:
        self._disk = disk
        self._name = name.filename() if isinstance(name, apsw.URIFilename) else name
        self._written: list[tuple[int, bytes | None]] = []
        super().__init__("", name, flags)
        if self._name is not None and Path(self._name).exists() and self._name not in disk.certain:
            size = Path(self._name).stat().st_size
            if size:
                disk.certain[self._name] = bytearray(Path(self._name).read_bytes())

    def xWrite(self, data: bytes, offset: int) -> None:
        with self._disk.lock:
            super().xWrite(data, offset)
            self._written.append((offset, bytes(data)))

    def xTruncate(self, size: int) -> None:
        with self._disk.lock:
            super().xTruncate(size)
            self._written.append((size, None))

    def xSync(self, flags: int) -> None:
        with self._disk.lock:
            super().xSync(flags)
            self._disk.syncs += 1
            if self._name is not None:
                image = self._disk.certain.setdefault(self._name, bytearray())
                for offset, data in self._written:
                    _apply(image, offset, data)
            self._written.clear()


def _apply(image: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:
        del image[offset:]
        return
    if len(image) < offset:
        image.extend(bytes(offset - len(image)))
    image[offset : offset + len(data)] = data


def engine_on(disk: Disk, file: Path, synchronous: str) -> AsyncEngine:
    """Returns an engine like the server's whose one connection writes to the disk that can lose power."""

    async def connect() -> aiosqlite.Connection:
        return await aiosqlite.Connection(lambda: _Connection(disk, file), iter_chunk_size=64)  # type: ignore[arg-type, return-value]

    engine = create_async_engine(f"sqlite+aiosqlite:///{file}", async_creator=connect, poolclass=StaticPool)
    make_durable(engine, synchronous)
    return engine


class _Connection:
    """The part of `sqlite3.Connection` that SQLAlchemy uses, over apsw."""

    isolation_level: str | None = ""

    def __init__(self, disk: Disk, file: Path) -> None:
        self.raw = apsw.Connection(str(file), vfs=disk.vfs_name)
        self.raw.execute("PRAGMA locking_mode=EXCLUSIVE")  # shared memory is beyond a Python VFS

    @property
    def in_transaction(self) -> bool:
        return bool(self.raw.in_transaction)

    def cursor(self, *_: object) -> _Cursor:
        return _Cursor(self)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> _Cursor:
        return self.cursor().execute(sql, parameters)

    def create_function(self, *_: object, **__: object) -> None:
        """Regular expressions are not needed here."""

    def commit(self) -> None:
        if self.raw.in_transaction:
            self.raw.execute("COMMIT")

    def rollback(self) -> None:
        if self.raw.in_transaction:
            self.raw.execute("ROLLBACK")

    def close(self) -> None:
        self.raw.close()


class _Cursor:
    arraysize = 1
    row_factory = None

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection
        self._rows: list[tuple[Any, ...]] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> _Cursor:
        raw = self._connection.raw
        if sql.lstrip()[:6].upper() in ("INSERT", "UPDATE", "DELETE") and not raw.in_transaction:
            raw.execute("BEGIN")
        try:
            cursor = raw.cursor()
            cursor.execute(sql, tuple(parameters))
            self.description = [(d[0], *[None] * 6) for d in cursor.get_description()] if cursor.description else None
        except apsw.ExecutionCompleteError:
            self.description = None
        except apsw.Error as error:
            raise sqlite3.OperationalError(str(error)) from error
        self._rows = list(cursor) if self.description else []
        self.rowcount, self.lastrowid = raw.changes(), raw.last_insert_rowid()
        return self

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> _Cursor:
        for row in rows:
            self.execute(sql, row)
        return self

    def fetchall(self) -> list[tuple[Any, ...]]:
        rows, self._rows = self._rows, []
        return rows

    def fetchmany(self, size: int | None = None) -> list[tuple[Any, ...]]:
        size = len(self._rows) if size is None else size
        rows, self._rows = self._rows[:size], self._rows[size:]
        return rows

    def fetchone(self) -> tuple[Any, ...] | None:
        return self._rows.pop(0) if self._rows else None

    def close(self) -> None:
        self._rows = []
