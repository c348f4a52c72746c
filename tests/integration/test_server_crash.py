"""A killed server loses nothing that it acknowledged, and goes on where it was."""

from __future__ import annotations

import os
import random
import sqlite3
from pathlib import Path

import pytest
from tests.integration import crowding
from tests.integration.servers import program, serving
from tests.integration.squares import saved
from tests.integration.visitors import Visitor

from ecumene_server import wire
from ecumene_server.app import running
from ecumene_server.settings import Settings
from ecumene_world.command import from_record

CLIENTS = 20
KILLS = int(os.environ.get("KILLS", "2"))


@pytest.mark.parametrize("attempt", range(KILLS))
async def test_kill_nine_loses_nothing_acknowledged(tmp_path: Path, attempt: int) -> None:
    seconds = random.Random(attempt).uniform(1.0, 2.5)
    with program(tmp_path, "--open-as", "builder") as server:
        promises = await crowding.crowd(server.url, CLIENTS, seconds, server.kill)
    assert sum(each.edits for each in promises) > CLIENTS, "the test must have been promised something"
    states, lines = await crowding.written(tmp_path / "worlds" / "square.db", "square")
    for each in promises:
        assert states.get(each.bell, 0) >= each.edits
        assert lines.get(each.key, 0) >= each.said
    with program(tmp_path) as server:
        async with Visitor(server.url) as visitor:
            welcome = await visitor.join()
            found = {thing.name: thing.state for thing in welcome.things}
            assert all(found[each.bell] >= each.edits for each in promises)
            assert {each.key for each in promises} <= {person.key for person in welcome.people}
            assert server.terminate() == 0


async def test_a_stopped_server_goes_on_without_a_replay(tmp_path: Path) -> None:
    async with serving(tmp_path, open_as="builder", npcs=3, minds="scripted") as app, Visitor(app.url) as zoe:
        mine = await zoe.join()
        await zoe.ask(lambda i: wire.Edit(i, {"command": "thing", "thing": "bell-1", "state": 1}))
        tick, epoch = app.hub.tick_now, app.epoch
    told: list[str] = []
    settings = Settings(world=str(saved(tmp_path)), port=0, npcs=3, minds="scripted", folder=str(tmp_path / "worlds"))
    async with running(settings, told.append) as app, Visitor(app.url, token=mine.token) as zoe:
        again = await zoe.join()
        assert again.epoch == app.epoch > epoch
        assert again.tick >= tick
        assert next(thing.state for thing in again.things if thing.name == "bell-1") == 1
        assert again.entity == mine.entity, "the avatar waited where it was"
        assert sum(person.kind == 200 for person in again.people) == 3
    assert "0 of them replayed" in told[0]


async def test_a_node_that_was_added_just_before_a_crash_can_be_used_after_it(tmp_path: Path) -> None:
    """The layout had not been compiled with it; nobody edits again."""
    with program(tmp_path, "--open-as", "builder") as server:
        async with Visitor(server.url, "Zoe") as zoe:
            await zoe.join()
            node = {"name": "post", "kind": "bell_post", "position": [3, 3, 0]}
            assert (await zoe.ask(lambda i: wire.Edit(i, {"command": "add_node", "node": node}))).ok
            server.kill()
    with program(tmp_path) as server:
        async with Visitor(server.url, "Max") as max_:
            welcome = await max_.join()
            if not any(thing.name == "post" for thing in welcome.things):
                await max_.first(wire.Scene, 20, lambda m: any(thing.name == "post" for thing in m.things))


async def test_a_snapshot_right_after_an_edit_holds_it(tmp_path: Path) -> None:
    """The tick thread copies the world before the event loop has heard of the edit."""
    async with serving(tmp_path) as app:

        def edited_then_frozen() -> tuple[int, int, bool]:
            app.freezer.freeze()
            app.session.world.apply([from_record({"command": "remove_node", "node": "bench"})])
            frozen = app.freezer.freeze()
            return len(frozen.world.graph), len(app.session.world.graph), "bench" in frozen.world.graph

        kept, there, bench = await app.host.wonder(edited_then_frozen)
        assert (kept, bench) == (there, False)


async def test_a_damaged_snapshot_is_told_and_the_one_before_is_used(tmp_path: Path) -> None:
    async with serving(tmp_path, open_as="builder") as app, Visitor(app.url) as zoe:
        await zoe.join()
        await app.save()
        await zoe.ask(lambda i: wire.Edit(i, {"command": "thing", "thing": "bell-2", "state": 1}))
    with sqlite3.connect(tmp_path / "worlds" / "square.db") as raw:
        newest = raw.execute("SELECT max(id) FROM snapshots").fetchone()[0]
        raw.execute("UPDATE snapshots SET body = substr(body, 1, 1000) WHERE id = ?", (newest,))
    raw.close()
    told: list[str] = []
    settings = Settings(world=str(saved(tmp_path)), port=0, npcs=0, minds="none", folder=str(tmp_path / "worlds"))
    async with running(settings, told.append) as app, Visitor(app.url) as zoe:
        welcome = await zoe.join()
        assert next(thing.state for thing in welcome.things if thing.name == "bell-2") == 1
    assert "can't be used, the one before is tried" in told[0]
    assert "0 of them replayed" not in told[1]
