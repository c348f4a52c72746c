"""An edit in a running world: whatever takes time is made on no thread that ticks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.integration.servers import serving
from tests.integration.visitors import Visitor

from ecumene_agents.dialogue import Lore
from ecumene_server import renewal, wire
from ecumene_server import watch as watch_module
from ecumene_server.app import App
from ecumene_server.errors import FailedError
from ecumene_world import Layout, SceneGraph, compile_layout
from ecumene_world.ahead import Ahead
from ecumene_world.command import AddNode, MoveNode
from ecumene_world.errors import GraphError
from ecumene_world.pose import Pose

POST: dict[str, Any] = {"name": "post", "kind": "bell_post", "position": [3, 3, 0]}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Lists what was made of layouts and graphs, and on which thread."""
    found: list[tuple[str, str]] = []

    def noted(name: str, make: Callable[..., Any]) -> Callable[..., Any]:
        def note(*args: Any, **options: Any) -> Any:
            found.append((name, threading.current_thread().name))
            return make(*args, **options)

        return note

    def init(self: Ahead[Any], make: Callable[[Layout], Any]) -> None:
        original(self, noted(getattr(make, "__qualname__", repr(make)), make))

    original = Ahead.__init__
    monkeypatch.setattr(Ahead, "__init__", init)
    monkeypatch.setattr(Lore, "of", noted("Lore", Lore.of))
    monkeypatch.setattr(watch_module, "at_rest", noted("at_rest", watch_module.at_rest))
    monkeypatch.setattr("ecumene_world.world.compile_layout", noted("compile", compile_layout))
    monkeypatch.setattr(SceneGraph, "hash", noted("hash", SceneGraph.hash))
    return found


async def test_the_tick_thread_makes_nothing_of_a_new_layout(tmp_path: Path, made: list[tuple[str, str]]) -> None:
    async with serving(tmp_path, npcs=2, minds="scripted", open_as="builder") as app, Visitor(app.url) as zoe:
        welcome = await zoe.join()
        before = app.session.world.layout
        made.clear()
        await zoe.ask(lambda i: wire.Edit(i, {"command": "add_node", "node": POST}))
        await zoe.first(wire.Scene, 60, lambda m: m.url != welcome.scene)
        assert app.session.world.layout is not before
        npc = next(person for person in welcome.people if person.kind == 200)
        await zoe.ask(lambda i: wire.Say(i, f"@{npc.title.split(' ')[0]} where is the post?"))
        await app.host.wonder(lambda: app.session.routes.distance(0, 0, 0))
    assert {name for name, _ in made} >= {"Tables.of", "Blank.of", "Spots", "Lore", "at_rest"}
    assert [name for name, thread in made if thread == "tick"] == []


@pytest.mark.timeout(400)
async def test_the_tick_thread_makes_nothing_of_a_district(tmp_path: Path, made: list[tuple[str, str]]) -> None:
    async with serving(tmp_path, npcs=2, minds="scripted") as app:
        token = (tmp_path / "worlds" / f"{app.name}.admin").read_text().strip()
        async with Visitor(app.url, "Ada", token=token) as ada:
            await ada.join()
            made.clear()
            done = await ada.ask(lambda i: wire.Build(i, "cafe", 3), 300)
            assert done.ok, done.error
            await ada.first(wire.Building, 60, lambda m: m.at is not None)
            await app.save()
    assert {name for name, _ in made} >= {"Tables.of", "Blank.of", "Spots", "Lore", "at_rest"}
    assert [name for name, thread in made if thread == "tick"] == []


class SlowCompiler:
    """Compiles here, and only when it is told to."""

    def __init__(self) -> None:
        self.go = threading.Semaphore(0)
        self.asked = threading.Semaphore(0)
        self.error: Exception | None = None
        self.finished = 0

    def compile(self, graph: SceneGraph, cell_m: float | None) -> Layout:
        self.asked.release()
        assert self.go.acquire(timeout=20)
        if self.error is not None:
            raise self.error
        return compile_layout(graph, cell_m=cell_m)

    def finish(self) -> None:
        self.finished += 1

    def rest(self) -> None:
        """There is nothing to free."""

    def close(self) -> None:
        for _ in range(10):
            self.go.release()


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> SlowCompiler:
    compiler = SlowCompiler()
    monkeypatch.setattr("ecumene_server.app.Compiler", lambda _: compiler)
    return compiler


async def asked(compiler: SlowCompiler) -> None:
    assert await asyncio.to_thread(compiler.asked.acquire, timeout=20)


async def swapped(app: App, before: Layout) -> None:
    async with asyncio.timeout(20):
        while app.session.world.layout is before:
            await asyncio.sleep(0.02)


async def move(app: App, x: float) -> int:
    """Moves the post; returns the edits that have been applied a few ticks later."""
    app.host.submit(MoveNode("post", Pose.at(x, 3)))
    await asyncio.sleep(0.2)
    return await app.host.wonder(lambda: app.session.world.edits)


async def test_edits_that_keep_coming_wait_for_the_swap_in_the_end(tmp_path: Path, slow: SlowCompiler) -> None:
    async with serving(tmp_path) as app:
        before = app.session.world.layout
        app.host.submit(AddNode(POST))
        for tries in range(1, renewal.TRIES + 1):
            await asked(slow)
            assert await move(app, tries) == 1 + tries, "the edit is applied and overtakes the compile"
            slow.go.release()
        await asked(slow)
        assert await move(app, 7.0) == 1 + renewal.TRIES, "this one waits"
        assert app.session.world.layout is before
        slow.go.release()
        await swapped(app, before)
        row = app.session.world.layout.row["post"]
        assert app.session.world.layout.world_position[row, 0].item() == float(renewal.TRIES)
        await asked(slow)
        assert await app.host.wonder(lambda: app.session.world.graph.node("post").pose.position[0]) == 7.0


async def test_a_graph_that_does_not_compile_is_left_until_the_next_edit(tmp_path: Path, slow: SlowCompiler) -> None:
    async with serving(tmp_path) as app:
        before, slow.error = app.session.world.layout, GraphError("nobody can stand there")
        app.host.submit(AddNode(POST))
        await asked(slow)
        slow.go.release()
        assert not await asyncio.to_thread(slow.asked.acquire, timeout=1.0)
        assert app.session.world.layout is before
        slow.error = None
        await move(app, 1.0)
        slow.go.release()
        await swapped(app, before)


async def test_a_compiler_that_fails_is_tried_again(
    tmp_path: Path, slow: SlowCompiler, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(renewal, "RETRY_S", 0.1)
    async with serving(tmp_path) as app:
        before, slow.error = app.session.world.layout, FailedError("the process that compiles edits has ended")
        app.host.submit(AddNode(POST))
        await asked(slow)
        slow.go.release()
        await asked(slow)
        slow.error = None
        slow.go.release()
        await swapped(app, before)
    assert "an edit is not taken up yet: the process that compiles edits has ended" in caplog.text
