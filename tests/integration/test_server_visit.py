"""Visitors come through real sockets, walk, talk, use things, get lost and come back."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path

import pytest
from tests.integration.servers import serving
from tests.integration.visitors import Visitor

from ecumene_server import wire
from ecumene_server.app import App
from ecumene_world.command import Despawn, Role


async def settle(visitor: Visitor, entity: int) -> tuple[float, float, float]:
    return await visitor.until(lambda: visitor.where(entity))


async def place_at(app: App, visitor: Visitor, welcome: wire.Welcome, x: float, y: float) -> None:
    """Puts an avatar somewhere else, between two ticks."""

    def put() -> None:
        world = app.session.world
        slot = welcome.entity & 0xFFFF
        world.state.position[0, slot, :2] = world.state.position.new_tensor((x, y))

    await app.host.wonder(put)
    await visitor.until(lambda: ((p := visitor.where(welcome.entity)) and math.dist(p[:2], (x, y)) < 0.5) or None)


async def test_two_visitors_see_each_other_walk(tmp_path: Path) -> None:
    async with serving(tmp_path) as app, Visitor(app.url, "Zoe") as zoe, Visitor(app.url, "Max") as max_:
        mine, _ = await zoe.join(), await max_.join()
        start = await settle(max_, mine.entity)
        await zoe.steer(1.0, yaw=0.0)
        await max_.until(lambda: ((p := max_.where(mine.entity)) and p[0] - start[0] > 1.0) or None)
        await zoe.steer(0.0)
        assert mine.world == "Test square"
        assert {thing.name for thing in mine.things} >= {"bench", "sign", "bell-0"}
        assert mine.attribution == ["© nobody"]
        frames = [frame for frame in max_.frames if mine.entity in frame.entities.id]
        assert max(float(f.entities.speed[f.entities.id == mine.entity][0]) for f in frames) <= 1.45


async def test_walking_speed_is_the_servers_not_the_clients(tmp_path: Path) -> None:
    async with serving(tmp_path) as app, Visitor(app.url) as zoe:
        welcome = await zoe.join()
        start, tick = await settle(zoe, welcome.entity), zoe.frames[-1].tick
        for _ in range(40):
            await zoe.steer(1.0, 1.0, yaw=0.0, run=True)
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.3)
        now = zoe.where(welcome.entity)
        assert now is not None
        seconds = (zoe.frames[-1].tick - tick) / 20
        assert 0.5 < math.dist(start, now) <= 3.0 * seconds + 0.3


async def test_chat_is_heard_nearby_only(tmp_path: Path) -> None:
    async with (
        serving(tmp_path) as app,
        Visitor(app.url, "Zoe") as zoe,
        Visitor(app.url, "Near") as near,
        Visitor(app.url, "Far") as far,
    ):
        await zoe.join()
        await near.join()
        away = await far.join()
        await place_at(app, far, away, 120.0, 0.0)
        placed = far.frames[-1].tick
        done = await zoe.ask(lambda i: wire.Say(i, "hello <b>you</b>"))
        said = await near.first(wire.Said)
        assert done.ok
        assert (said.title, said.text) == ("Zoe", "hello <b>you</b>")
        assert (await zoe.first(wire.Said)).text == said.text
        await asyncio.sleep(0.2)
        assert far.of(wire.Said) == []
        later = [frame.cell for frame in far.frames if frame.tick > placed]
        assert set(later) == {(3, 0)}, "120 m away is out of sight"


async def test_a_sign_is_read_and_a_far_bell_is_not_reached(tmp_path: Path) -> None:
    async with serving(tmp_path) as app, Visitor(app.url) as zoe:
        welcome = await zoe.join()
        assert not (await zoe.ask(lambda i: wire.Use(i, "bell-0"))).ok
        assert "not a thing" in ((await zoe.ask(lambda i: wire.Use(i, "nothing"))).error or "")
        await place_at(app, zoe, welcome, 7.4, -6.0)
        done = await zoe.ask(lambda i: wire.Use(i, "sign"))
        assert done.text == "Sign\nMarket on Saturday."


async def test_an_edit_by_a_builder_changes_the_world_for_all(tmp_path: Path) -> None:
    async with serving(tmp_path, open_as="builder") as app, Visitor(app.url) as zoe, Visitor(app.url) as max_:
        await zoe.join()
        welcome = await max_.join()
        done = await zoe.ask(lambda i: wire.Edit(i, {"command": "thing", "thing": "bell-3", "state": 1}))
        changed = await max_.first(wire.ThingChanged)
        assert (done.ok, changed.state) == (True, 1)
        node = {"name": "post", "kind": "bell_post", "position": [3, 3, 0]}
        done = await zoe.ask(lambda i: wire.Edit(i, {"command": "add_node", "node": node}))
        assert done.ok, done.error
        scene = await max_.first(wire.Scene, 20, lambda m: any(thing.name == "post" for thing in m.things))
        assert len(scene.things) == len(app.session.world.layout.thing_row)
        await max_.first(wire.Scene, 20, lambda m: m.url != welcome.scene)


async def test_an_inspected_npc_shows_its_mind(tmp_path: Path) -> None:
    async with serving(tmp_path, npcs=2, minds="scripted") as app, Visitor(app.url) as zoe:
        welcome = await zoe.join()
        npc = next(person for person in welcome.people if person.kind == 200)
        await zoe.send(wire.Inspect(1, entity=npc.id))
        seen = await zoe.first(wire.Inspected)
        assert seen.mind is not None
        assert seen.mind.vision is not None
        assert len(seen.mind.vision.depth) == seen.mind.vision.rows * seen.mind.vision.columns
        assert 0 < seen.mind.needs["rest"] <= 1
        await zoe.send(wire.Inspect(2, node="sign"))
        sign = await zoe.first(wire.Inspected, where=lambda m: m.id == 2)
        assert sign.facts["Text"] == "Market on Saturday."
        await zoe.send(wire.Inspect(3, entity=12345))
        assert (await zoe.first(wire.Inspected, where=lambda m: m.id == 3)).error == "Nobody has the id 12345."


async def test_a_lost_visitor_resumes_without_a_gap(tmp_path: Path) -> None:
    async with serving(tmp_path) as app, Visitor(app.url, "Max") as max_:
        await max_.join()
        async with Visitor(app.url, "Zoe") as zoe:
            welcome = await zoe.join()
            seq = max((m.seq for m in zoe.messages if hasattr(m, "seq")), default=0)
            zoe.socket.transport.abort()
        await max_.ask(lambda i: wire.Say(i, "where are you?"))
        async with Visitor(app.url, "Zoe", token=welcome.token, resume=wire.Resume(welcome.session, seq)) as zoe:
            again = await zoe.join()
            assert (again.resumed, again.entity) == (True, welcome.entity)
            assert (await zoe.first(wire.Said)).text == "where are you?"


async def test_a_returning_visitor_stands_where_it_stood(tmp_path: Path) -> None:
    async with serving(tmp_path) as app:
        async with Visitor(app.url, "Zoe") as zoe:
            welcome = await zoe.join()
            await place_at(app, zoe, welcome, 30.0, 12.0)
            await zoe.send(wire.Bye())
            await asyncio.sleep(0.3)
        async with Visitor(app.url, "Zoe", token=welcome.token) as zoe:
            again = await zoe.join()
            assert again.entity != welcome.entity
            assert again.position == pytest.approx((30.0, 12.0, 0.0), abs=0.3)
            assert again.token == welcome.token


async def test_the_admin_token_makes_an_admin(tmp_path: Path) -> None:
    async with serving(tmp_path) as app:
        secret = tmp_path / "worlds" / f"{app.name}.admin"
        assert secret.stat().st_mode & 0o777 == 0o600
        async with Visitor(app.url, "Root", token=secret.read_text().strip()) as root:
            assert (await root.join()).role == Role.ADMIN
            done = await root.ask(
                lambda i: wire.Edit(i, {"command": "reading", "node": "bench", "field": "t", "value": 1.5})
            )
            assert done.ok
            happened = await root.first(wire.Happened)
            assert (happened.subject, happened.data["value"]) == ("bench", 1.5)


async def test_commands_of_the_server_itself_reach_visitors(tmp_path: Path) -> None:
    async with serving(tmp_path) as app, Visitor(app.url, "Zoe") as zoe, Visitor(app.url, "Max") as max_:
        mine = await zoe.join()
        await max_.join()
        app.host.submit(Despawn(f"visitor:{next(p.key for p in mine.people if p.id == mine.entity).split(':')[1]}"))
        assert (await max_.first(wire.Left)).id == mine.entity
