"""What a server records happens again without it, bit for bit, whoever decided and however the server ended."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from pathlib import Path
from typing import Any

import pytest
from tests.integration.servers import program, serving
from tests.integration.visitors import Visitor

from ecumene_scenarios.fork import MEMORY
from ecumene_scenarios.record import BLOCK, Recorder
from ecumene_scenarios.recording import Recording
from ecumene_scenarios.replay import verify
from ecumene_server import cli, wire
from ecumene_server import recording as live
from ecumene_server.apart import ApartMinds
from ecumene_server.errors import FailedError
from ecumene_world import snapshot

POST: dict[str, Any] = {"name": "post", "kind": "bell_post", "position": [3, 3, 0]}


def said(recording: Recording) -> list[str]:
    records = (record for tick in recording.ticks for record in tick.commands)
    return [record["text"] for record in records if record["command"] == "say" and record["key"].startswith("visitor")]


async def visit(url: str, name: str = "Zoe") -> None:
    """Somebody comes, walks, talks, builds, waits for the new layout, and uses it."""
    async with Visitor(url, name) as zoe:
        welcome = await zoe.join()
        await zoe.steer(1.0, yaw=0.7, run=True)
        await zoe.ask(lambda i: wire.Say(i, "nobody else may read this"))
        assert (await zoe.ask(lambda i: wire.Edit(i, {"command": "add_node", "node": POST}))).ok
        await zoe.steer(0.4, 0.3, yaw=-1.0)
        await zoe.first(wire.Scene, 60, lambda m: m.url != welcome.scene)
        assert (await zoe.ask(lambda i: wire.Edit(i, {"command": "thing", "thing": "post", "state": 1}))).ok
        await zoe.ask(lambda i: wire.Gesture(i, 1))
        await zoe.send(wire.Bye())


@pytest.mark.parametrize("npcs", [6, 60])
async def test_a_visit_is_replayed_bit_for_bit(tmp_path: Path, npcs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty NPCs have minds in another process, which answer a tick late."""
    monkeypatch.setattr(live, "KEYFRAME_S", 1.0)
    path = tmp_path / "out.rec"
    async with serving(tmp_path, npcs=npcs, minds="scripted", open_as="builder", record=str(path)) as app:
        assert isinstance(app.minds, ApartMinds) == (npcs == 60)
        await visit(app.url)
        await asyncio.sleep(2.0)
        ticks = app.session.now
    found = verify(path)
    assert found.complete
    assert found.ticks >= ticks > 60
    assert found.decisions > found.ticks
    recording = Recording.read(path)
    assert said(recording) == ["·" * 25]
    assert len(recording.keyframes) > 1
    worlds = [snapshot.load(keyframe.snapshot) for keyframe in recording.keyframes]
    assert all(MEMORY not in world.extra for world in worlds)
    assert "post" in worlds[-1].layout.row


async def test_chat_is_recorded_when_it_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "out.rec"
    async with serving(tmp_path, keep_chat=True, record=str(path)) as app, Visitor(app.url) as zoe:
        await zoe.join()
        await zoe.ask(lambda i: wire.Say(i, "hello"))
    assert said(Recording.read(path)) == ["hello"]


async def test_a_killed_server_leaves_a_recording_of_all_whole_seconds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with program(tmp_path, "--record", "out.rec", "--open-as", "builder") as server:
        await visit(server.url)
        await asyncio.sleep(1.5)
        server.kill()
    path = tmp_path / "out.rec"
    found = verify(path)
    assert not found.complete
    assert found.ticks >= 2 * live.BLOCK_TICKS
    whole = path.read_bytes()
    path.write_bytes(whole[: -BLOCK.size])
    assert found.ticks - verify(path).ticks == live.BLOCK_TICKS, "half a second's block is passed over"
    assert cli.run(["replay", str(path), "--verify"]) == 0
    assert "stopped before the end" in capsys.readouterr().out
    assert cli.run(["replay", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["complete"] is False


async def test_a_recording_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "out.rec"
    for _ in range(2):
        async with serving(tmp_path, record=str(path)):
            pass
    assert verify(path).complete
    assert verify(tmp_path / "out-2.rec").complete


async def test_a_recording_that_can_not_be_begun_is_told(tmp_path: Path) -> None:
    with pytest.raises(FailedError, match="can't be written: No such file or directory"):
        async with serving(tmp_path, record=str(tmp_path / "gone" / "out.rec")):
            pass


@pytest.mark.parametrize(("most", "why"), [(1, "the disk is too slow"), (live.MAX_WAITING, "No space left")])
async def test_a_recording_ends_before_the_world_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, most: int, why: str
) -> None:
    def full(self: Any, record: Any) -> None:
        time.sleep(0.3)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(live, "MAX_WAITING", most)
    path = tmp_path / "out.rec"
    async with serving(tmp_path, record=str(path)) as app:
        monkeypatch.setattr(Recorder, "take", full)
        await asyncio.sleep(1.0)
        before = app.session.now
        await asyncio.sleep(0.3)
        assert app.session.now > before
        with caplog.at_level(logging.ERROR, "ecumene.store"):
            assert app.recording is not None
            assert why in (app.recording.ended or "")
    assert f"the recording out.rec ends here: {why}" in caplog.text
    assert not verify(path).complete
