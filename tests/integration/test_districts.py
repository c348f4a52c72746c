"""A district put into a running world: seen, walked, learnt, kept, replayed, and refused where it can't be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.integration.servers import Program, program, serving
from tests.integration.visitors import Visitor

from ecumene_scenarios.replay import verify
from ecumene_server import wire
from ecumene_server.app import App
from ecumene_server.grower import Grower
from ecumene_world.command import MoveNode
from ecumene_world.pose import Pose

pytestmark = pytest.mark.timeout(600)
LONG_S = 400.0
NODES = 26
"""Of the test square."""


def secret(folder: Path) -> str:
    (file,) = (folder / "worlds").glob("*.admin")
    return file.read_text().strip()


@asynccontextmanager
async def admin(server: App | Program, folder: Path) -> AsyncIterator[Visitor]:
    async with Visitor(server.url, "Ada", token=secret(folder)) as ada:
        assert (await ada.join()).role == 2
        yield ada


async def built(ada: Visitor, *wish: Any) -> wire.Done:
    return await ada.ask(lambda i: wire.Build(i, *wish), LONG_S)


async def test_a_district_appears_around_who_is_inside(tmp_path: Path) -> None:
    async with (
        serving(tmp_path, npcs=2, minds="scripted", record=str(tmp_path / "out.rec")) as app,
        admin(app, tmp_path) as ada,
        Visitor(app.url, "Max") as max_,
    ):
        welcome = await max_.join()
        before = app.session.world.layout
        await max_.steer(0.3, yaw=0.0)
        done = await built(ada, "cafe", 3)
        assert done.ok, done.error
        scene = await max_.first(wire.Scene, LONG_S, lambda m: m.url != welcome.scene)
        world = app.session.world
        assert world.layout is not before
        assert "Cafe 3" in world.layout.place_index
        assert "notice board" in {thing.name for thing in scene.things}
        assert len(scene.things) > len(welcome.things) + 30
        await nobody_was_moved(max_, welcome)
        stands = await ada.first(wire.Building, LONG_S, lambda m: m.at is not None)
        told = ada.of(wire.Building)
        assert [each.share for each in told] == sorted(each.share for each in told)
        assert stands.at is not None
        entrance = (*stands.at, 0.12)
        assert await app.host.wonder(lambda: world.standable(entrance))
        assert not max_.of(wire.Building), "nobody else is told how far it is"
        await it_is_known(app, welcome)
        hashes = world.graph.hash(), world.layout.hash
    assert verify(tmp_path / "out.rec").complete
    async with serving(tmp_path) as app, admin(app, tmp_path) as ada:
        world = app.session.world
        assert (world.graph.hash(), world.layout.hash) == hashes
        assert (await ada.ask(lambda i: wire.Edit(i, {"command": "remove_node", "node": "Cafe 3"}))).ok
        assert len(world.graph) == NODES


async def nobody_was_moved(max_: Visitor, welcome: wire.Welcome) -> None:
    """Max walked on all the time, connected and on one straight line."""
    assert max_.closed is None
    track = [
        (frame.tick, *frame.entities.position[row].tolist())
        for frame in max_.frames
        for row in (frame.entities.id == welcome.entity).nonzero()[0].tolist()
    ]
    ticks, x, y, _ = zip(*track, strict=True)
    assert len(track) > 20
    steps = [(b - a) / (after - t) for t, after, a, b in zip(ticks, ticks[1:], x, x[1:], strict=False) if after > t]
    assert -0.1 < min(steps) <= max(steps) < 0.15, "metres a tick: no jump"
    assert max(y) - min(y) < 2.0


async def it_is_known(app: App, welcome: wire.Welcome) -> None:
    """Whoever lives there can say where it is."""
    npc = next(person for person in welcome.people if person.kind == 200)
    minds, visitor = app.thinker, next(person.key for person in welcome.people if person.title == "Max")
    assert minds is not None
    reply = await app.host.wonder(lambda: minds.reply(npc.key, visitor, "Where is Cafe 3?"))
    assert "Cafe 3" in reply.text


async def test_what_can_not_be_is_refused_and_the_world_is_as_it_was(tmp_path: Path) -> None:
    async with serving(tmp_path) as app, admin(app, tmp_path) as ada, Visitor(app.url, "Max") as max_:
        await max_.join()
        before = app.session.world.graph.hash()
        refusals = [
            (max_, ("cafe",), "by admins only; your role is visitor"),
            (ada, ("caffe",), "did you mean 'cafe'?"),
            (ada, ("cafe", 1, ["cosy"]), "did you mean 'cozy'?"),
            (ada, ("cafe", 1, [], 500.0), "500 m is not within"),
            (ada, ("cafe", 4, [], None, (0.0, -28.0)), "it would overlap 'bell-"),
        ]
        for who, wish, sentence in refusals:
            done = await built(who, *wish)
            assert (done.ok, sentence in str(done.error)) == (False, True), done.error
            await asyncio.sleep(1.0)
        assert "no district is being built" in str((await ada.ask(wire.Abandon)).error)
        assert app.session.world.graph.hash() == before
        assert app.session.world.edits == 0


async def test_one_at_a_time_and_it_can_be_given_up(tmp_path: Path) -> None:
    async with serving(tmp_path) as app, admin(app, tmp_path) as ada:
        first = asyncio.create_task(built(ada, "plaza", 1))
        await ada.first(wire.Building, LONG_S)
        second = await built(ada, "cafe", 3)
        assert "one district is built at a time, and plaza 1 for Ada" in str(second.error)
        assert (await ada.ask(wire.Abandon)).ok
        assert (await first).error == "plaza 1 was given up by Ada"
        assert app.session.world.edits == 0
        assert (await built(ada, "cafe", 3)).ok, "the next one is built"


async def test_a_process_that_dies_is_told_of(tmp_path: Path) -> None:
    async with serving(tmp_path) as app, admin(app, tmp_path) as ada:
        first = asyncio.create_task(built(ada, "plaza", 1))
        await ada.first(wire.Building, LONG_S)
        grower = app.growth._grower
        assert isinstance(grower, Grower)
        assert grower._process is not None
        grower._process.kill()
        assert "the process that makes districts has ended" in str((await first).error)
        assert app.session.world.edits == 0


async def test_it_comes_though_who_asked_is_gone_and_others_edit(tmp_path: Path) -> None:
    async with serving(tmp_path) as app, Visitor(app.url, "Max") as max_:
        await max_.join()
        async with admin(app, tmp_path) as ada:
            await ada.send(wire.Build(1, "cafe", 3))
            await ada.first(wire.Building, LONG_S)
            app.host.submit(MoveNode("bench", Pose.at(6, 7)))
        await max_.first(wire.Scene, LONG_S, lambda m: any(thing.name == "notice board" for thing in m.things))
        bench = app.session.world.graph.node("bench")
        assert bench.pose.position[1] == 7.0, "the edit that overtook it is there, too"


@pytest.mark.parametrize("moment", ["made", "done"])
async def test_a_killed_server_has_all_of_it_or_nothing(tmp_path: Path, moment: str) -> None:
    with program(tmp_path) as server:
        async with admin(server, tmp_path) as ada:
            asking = asyncio.create_task(built(ada, "cafe", 3))
            await ada.first(wire.Building, LONG_S, lambda m: (moment == "made" and m.share >= 0.9) or m.share >= 0.95)
            done = None if moment == "made" else await asking
            server.kill()
            asking.cancel()
    assert done is None or done.ok
    async with serving(tmp_path) as app:
        graph = app.session.world.graph
        assert done is None or "Cafe 3" in graph
        there = {*graph.children("Cafe 3")} if "Cafe 3" in graph else set()
        assert {"way", "way 2"} <= there or len(graph) == NODES, "all of it or nothing"
