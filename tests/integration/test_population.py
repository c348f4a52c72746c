"""A stored world opens with whatever number of NPCs and visitors its server is told, and keeps everything else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.integration.servers import serving
from tests.integration.visitors import Visitor

from ecumene_server import wire
from ecumene_server.app import App


def npcs(app: App) -> set[str]:
    return {who.key for who in app.session.world.avatars.values() if who.key.startswith("npc:")}


@pytest.mark.parametrize("minds", ["scripted", "fusion"])
async def test_a_world_opens_with_another_number_of_npcs(tmp_path: Path, minds: str) -> None:
    async with serving(tmp_path, npcs=4, visitors=2, minds=minds, open_as="builder") as app, Visitor(app.url) as zoe:
        mine = await zoe.join()
        assert (await zoe.ask(lambda i: wire.Edit(i, {"command": "thing", "thing": "bell-3", "state": 1}))).ok
        tick = app.hub.tick_now
    for wanted, room in ((9, 3), (2, 1), (-1, 2), (0, 2), (5, 2)):
        async with serving(tmp_path, npcs=wanted, visitors=room, minds=minds) as app:
            async with Visitor(app.url, token=mine.token) as zoe:
                again = await zoe.join()
                assert again.tick >= tick
                assert next(thing.state for thing in again.things if thing.name == "bell-3") == 1
                assert len(npcs(app)) == app.hub.npcs == (2 if wanted < 0 else wanted)
                assert len({person.id for person in again.people}) == len(again.people)
                before = app.hub.tick_now
                await zoe.until(lambda start=before: app.hub.tick_now > start + 8 or None)  # type: ignore[misc]
            tick = app.hub.tick_now


async def test_there_is_room_for_the_visitors_that_were_asked_for(tmp_path: Path) -> None:
    async with serving(tmp_path, npcs=1, visitors=1):
        pass
    async with serving(tmp_path, npcs=3, visitors=2) as app, Visitor(app.url, "Zoe") as zoe, Visitor(app.url) as max_:
        await zoe.join()
        await max_.join()
        async with Visitor(app.url, "Eve") as eve:
            assert (await eve.first(wire.Refused)).reason.startswith("You can't appear: ")


async def test_what_was_added_outlives_a_crash(tmp_path: Path) -> None:
    """The newcomers are in no log record, so the first snapshot must hold them."""
    async with serving(tmp_path, npcs=2, minds="scripted"):
        pass
    crashed = tmp_path / "crashed"
    async with serving(tmp_path, npcs=6, minds="scripted"):
        shutil.copytree(tmp_path / "worlds", crashed / "worlds")
    async with serving(crashed, npcs=-1, minds="scripted") as app:
        assert npcs(app) == {f"npc:{number}" for number in range(6)}
