"""What every store must keep, on SQLite and, where it is installed, on PostgreSQL."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.integration import postgres
from tests.lacking import lacking

from ecumene_server import auth, database
from ecumene_server.errors import DamagedError, FailedError, StoreError
from ecumene_server.news import ChatLine, Stand
from ecumene_server.store import ADMIN_ID, KEPT_SNAPSHOTS, Store, open_store
from ecumene_world.command import Role

ADMIN = "the-admin-token"
_worlds = itertools.count()


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    if not postgres.installed():
        lacking("PostgreSQL is not installed here")
    with postgres.server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'world.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def world() -> str:
    return f"world-{next(_worlds)}"


@pytest.fixture
async def store(url: str, world: str) -> AsyncIterator[Store]:
    async with open_store(url, world, admin_token=ADMIN) as opened:
        yield opened


async def ticks(store: Store, after: int = 0) -> list[int]:
    return [row.tick async for row in store.log_after(after)]


async def test_records_come_back_in_order_and_unchanged(store: Store) -> None:
    epoch = await store.begin_epoch(0)
    await store.append(epoch, [(1, b"one"), (2, b"\x00\xff")])
    await store.append(epoch, [(3, b"three")])
    rows = [row async for row in store.log_after(1)]
    assert [(row.tick, row.epoch, row.payload) for row in rows] == [(2, epoch, b"\x00\xff"), (3, epoch, b"three")]


async def test_a_record_may_be_written_again(store: Store) -> None:
    """A commit whose answer got lost may have happened; the journal then tries the same records once more."""
    epoch = await store.begin_epoch(0)
    await store.append(epoch, [(1, b"one"), (2, b"two")])
    await store.append(epoch, [(2, b"two again"), (3, b"three")])
    assert [row.payload async for row in store.log_after(0)] == [b"one", b"two again", b"three"]


async def test_long_logs_come_in_pages(store: Store) -> None:
    epoch = await store.begin_epoch(0)
    await store.append(epoch, [(tick, b"x") for tick in range(1, 4502)])
    assert await ticks(store, 3) == list(range(4, 4502))


async def test_epochs_only_grow(url: str, world: str) -> None:
    epochs = []
    for _ in range(3):
        async with open_store(url, world) as store:
            epochs.append(await store.begin_epoch(0))
    assert epochs == sorted(set(epochs))


async def test_only_the_last_snapshots_and_the_log_since_are_kept(store: Store) -> None:
    epoch = await store.begin_epoch(0)
    for tick in range(10, 60, 10):
        await store.append(epoch, [(n, b"x") for n in range(tick - 9, tick + 1)])
        await store.put_snapshot(epoch, tick, b"world at %d" % tick)
    kept = await store.snapshots()
    assert [info.tick for info in kept] == [50, 40, 30]
    assert len(kept) == KEPT_SNAPSHOTS
    assert await store.snapshot_body(kept[1]) == b"world at 40"
    assert await ticks(store) == list(range(31, 51))


async def test_a_damaged_snapshot_is_noticed(store: Store, url: str, world: str) -> None:
    epoch = await store.begin_epoch(0)
    await store.put_snapshot(epoch, 7, b"some world")
    async with store._engine.begin() as connection:
        await connection.execute(text("UPDATE snapshots SET body = :body WHERE tick = 7"), {"body": b"some w0rld"})
    with pytest.raises(DamagedError, match="tick 7 is damaged"):
        await store.snapshot_body((await store.snapshots())[0])


async def test_unusable_records_can_be_dropped(store: Store) -> None:
    epoch = await store.begin_epoch(0)
    await store.append(epoch, [(tick, b"x") for tick in range(1, 11)])
    assert await store.drop_log_after(6) == 4
    assert await ticks(store) == [1, 2, 3, 4, 5, 6]


async def test_a_purge_leaves_the_newest_snapshot_alone(store: Store) -> None:
    epoch = await store.begin_epoch(0)
    await store.put_snapshot(epoch, 1, b"one")
    await store.put_snapshot(epoch, 2, b"two")
    await store.append(epoch, [(3, b"x")])
    await store.purge_history()
    assert [info.tick for info in await store.snapshots()] == [2]
    assert await ticks(store) == []


async def test_a_token_finds_its_account_and_only_its_hash_is_stored(store: Store) -> None:
    first = await store.admit(None, "Zoe")
    again = await store.admit(first.token, "Zoe B.")
    other = await store.admit("made-up", "Max")
    assert (again.id, again.look, again.name) == (first.id, first.look, "Zoe B.")
    assert other.id != first.id
    assert other.token not in ("made-up", first.token)
    async with store._engine.connect() as connection:
        rows = (await connection.execute(text("SELECT * FROM accounts"))).all()
    assert first.token not in str(rows)
    assert auth.digest(first.token) in str(rows)


async def test_an_absurd_token_is_no_account(store: Store) -> None:
    assert (await store.admit("x" * 10_000, "Zoe")).token != "x" * 10_000


async def test_the_admin_token_is_the_admin(store: Store) -> None:
    account = await store.admit(ADMIN, "Root")
    assert (account.id, account.role, account.token) == (ADMIN_ID, Role.ADMIN, ADMIN)
    assert (await store.admit(ADMIN, "Root")).id == ADMIN_ID


async def test_where_an_avatar_stood_is_kept(store: Store) -> None:
    account = await store.admit(None, "Zoe")
    assert account.stand is None
    await store.put_stand(account.id, Stand((1.5, -2.25, 0.5), 3.0))
    assert (await store.admit(account.token, "Zoe")).stand == Stand((1.5, -2.25, 0.5), 3.0)


async def test_roles_are_granted_by_name(store: Store) -> None:
    account = await store.admit(None, "Unique Zoe")
    found = await store.account_named("Unique Zoe")
    assert (found["id"], found["role"]) == (account.id, "visitor")
    await store.set_role(account.id, Role.BUILDER)
    assert (await store.admit(account.token, "Unique Zoe")).role is Role.BUILDER
    with pytest.raises(FailedError, match="no account is named 'Nobody at all'"):
        await store.account_named("Nobody at all")
    await store.admit(None, "Twin")
    await store.admit(None, "Twin")
    with pytest.raises(FailedError, match="2 accounts are named 'Twin'; give one of their ids"):
        await store.account_named("Twin")


async def test_an_account_can_be_erased_with_all_it_said(store: Store) -> None:
    account, other = await store.admit(None, "Zoe"), await store.admit(None, "Max")
    epoch = await store.begin_epoch(0)
    await store.append(epoch, [(1, b"x")], [ChatLine(1, account.id, "hello"), ChatLine(1, other.id, "hi")])
    assert [line["text"] for line in await store.chat_of(account.id)] == ["hello"]
    assert await store.erase(account.id) == 1
    assert await store.chat_of(account.id) == []
    assert [line["text"] for line in await store.chat_of(other.id)] == ["hi"]
    assert account.id not in {each["id"] for each in await store.accounts()}
    assert (await store.admit(account.token, "Zoe")).id != account.id


async def test_a_world_is_held_by_one_server(store: Store, url: str, world: str) -> None:
    with pytest.raises(StoreError, match="in use by another server"):
        async with open_store(url, world):
            pass


async def test_worlds_of_one_database_do_not_mix(postgres_url: str) -> None:
    async with open_store(postgres_url, "left") as left, open_store(postgres_url, "right") as right:
        await left.append(await left.begin_epoch(0), [(1, b"left")])
        await right.append(await right.begin_epoch(0), [(1, b"right"), (2, b"right")])
        assert (await ticks(left), await ticks(right)) == ([1], [1, 2])


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("nonsense", "no database URL"),
        ("mysql://here/there", "is not supported; sqlite and postgresql are"),
        ("sqlite:////nowhere/at/all.db", "can't be opened: no such file or directory"),
        ("postgresql://127.0.0.1:1/nothing", "can't be used"),
    ],
)
async def test_a_database_that_can_not_be_had_is_one_sentence(url: str, sentence: str) -> None:
    with pytest.raises(StoreError, match=sentence) as caught:
        async with open_store(url, "world"):
            pass
    assert "\n" not in str(caught.value)


async def test_a_file_that_is_no_database_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "world.db"
    file.write_bytes(b"not a database " * 100)
    with pytest.raises(StoreError, match="the file is no SQLite database"):
        async with open_store(f"sqlite:///{file}", "world"):
            pass


async def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'world.db'}"
    async with open_store(url, "world"):
        pass
    with sqlite3.connect(tmp_path / "world.db") as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()
    with pytest.raises(StoreError, match="was written by a newer Ecumene"):
        async with open_store(url, "world"):
            pass


async def test_sqlite_writes_ahead_and_waits_for_the_disk(tmp_path: Path) -> None:
    engine = database.engine_for(database.parsed_url(f"sqlite:///{tmp_path / 'world.db'}"))
    async with engine.connect() as connection:
        found = [
            (await connection.execute(text(f"PRAGMA {name}"))).scalar() for name in ("journal_mode", "synchronous")
        ]
    await engine.dispose()
    assert found == ["wal", 2]


async def test_the_migrations_make_exactly_the_tables_that_the_code_uses(url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from ecumene_server.tables import metadata

    engine = database.engine_for(database.parsed_url(url))
    await database.upgrade(engine)
    async with engine.connect() as connection:
        found = await connection.run_sync(lambda sync: compare_metadata(MigrationContext.configure(sync), metadata))
    await engine.dispose()
    assert found == []
