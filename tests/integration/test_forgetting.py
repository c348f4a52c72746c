"""An erased visitor is gone from accounts, chat, the world, its history and every memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.integration.servers import serving
from tests.integration.squares import square
from tests.integration.visitors import Visitor

from ecumene_scenarios.fork import MEMORY
from ecumene_server import cli, wire
from ecumene_server.commands.account import kept_of
from ecumene_server.forgetting import forget
from ecumene_server.openworld import Inhabited
from ecumene_server.store import Store, open_store
from ecumene_world import snapshot

NAME = "Wilhelmina"
LINE = "the password is swordfish"


def account(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """Runs `ecumene account` on the test square; returns what it printed as JSON."""
    assert cli.run(["account", *arguments, "--world", "square.json", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


async def visited(folder: Path) -> None:
    """Two visitors talk to each other and to NPCs, then the server stops while they are still there."""
    async with (
        serving(folder, npcs=3, minds="scripted", keep_chat=True) as app,
        Visitor(app.url, NAME) as willa,
        Visitor(app.url, "Max") as max_,
    ):
        await willa.join()
        await max_.join()
        assert (await willa.ask(lambda i: wire.Say(i, LINE))).ok
        assert (await max_.ask(lambda i: wire.Say(i, "I will not tell"))).ok


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    await visited(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def remembered(store: Store) -> Any:
    """Returns what NPCs remember in the newest snapshot, and who is in it."""
    world = snapshot.load(await store.snapshot_body((await store.snapshots())[0]), "cpu")
    return world.extra[MEMORY], list(world.avatars)


def stored(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted((folder / "worlds").glob("square.db*")))


def test_an_erased_visitor_leaves_no_trace(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = account(capsys, "export", NAME)
    assert [line["text"] for line in kept["chat"]] == [LINE]
    assert "token" not in str(kept)
    assert NAME.encode() in stored(place)
    assert account(capsys, "erase", NAME) == {"erased": kept["id"], "lines": 1}
    left = stored(place)
    assert all(trace.encode() not in left for trace in (NAME, LINE, kept["id"]))
    assert [each["name"] for each in account(capsys, "list")] == ["Max"]
    assert cli.run(["account", "erase", NAME, "--world", "square.json"]) == 1
    assert capsys.readouterr().err == f"ecumene: no account is named {NAME!r}\n"


async def test_the_world_goes_on_without_the_erased(place: Path) -> None:
    async with open_store(f"sqlite:///{place / 'worlds' / 'square.db'}", "square") as store:
        gone = await kept_of(store, NAME)
        key = f"visitor:{gone['id']}"
        assert key in str(await remembered(store)), "an NPC must have something to forget"
        await forget(store, gone["id"], lambda: Inhabited(square, 3), pytest.fail)
        assert key not in str(await remembered(store))
    async with serving(place, npcs=3, minds="scripted") as app:
        assert key not in app.session.world.avatars
        assert sum(avatar.kind == 200 for avatar in app.session.world.avatars.values()) == 3


def test_a_role_is_granted_to_one_account(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert account(capsys, "grant", NAME, "builder")["role"] == "builder"
    assert {each["name"]: each["role"] for each in account(capsys, "list")} == {NAME: "builder", "Max": "visitor"}
    assert cli.run(["account", "grant", NAME, "king", "--world", "square.json"]) == 2
    assert "invalid choice: 'king'" in capsys.readouterr().err
