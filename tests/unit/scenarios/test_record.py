"""What a recorder writes, and that digests notice every field that matters."""

from pathlib import Path

import pytest
import torch

from ecumene_scenarios.packs.arena import ground
from ecumene_scenarios.record import BLOCK_TICKS, KEYFRAME_TICKS, UNDIGESTED, Recorder, check_of, digest_of
from ecumene_scenarios.recording import Recording
from ecumene_sim.frame import Actions
from ecumene_world import snapshot
from ecumene_world.command import Say, Spawn
from ecumene_world.graph import Node
from ecumene_world.world import World


@pytest.fixture
def world() -> World:
    made = World(ground(12.0, 1, "square"), slots=4, seed=1)
    made.apply([Spawn("npc:0"), Spawn("npc:1")])
    return made


def test_every_field_but_the_minds_own_is_digested(world: World) -> None:
    before = digest_of(world.state)
    for name, tensor in world.state.fields().items():
        if tensor.numel() == 0:
            continue
        kept = tensor.clone()
        tensor.view(-1)[0] = ~tensor.view(-1)[0] if tensor.dtype == torch.bool else tensor.view(-1)[0] + 1
        assert (digest_of(world.state) == before) == (name in UNDIGESTED), name
        tensor.copy_(kept)
    assert digest_of(world.state) == before


def test_how_two_carry_is_digested_once_two_have() -> None:
    graph = ground(12.0, 1, "square")
    graph.add(Node("stretcher", "stretcher"))
    state = World(graph, slots=4, seed=1).state
    before = digest_of(state)
    state.thing_yaw[0, 0] += 1
    assert digest_of(state) == before, "as a digest of before two could carry anything"
    state.thing_span[0, 0] = 2.5
    found = {digest_of(state)}
    state.thing_partner[0, 0] = 3
    found.add(digest_of(state))
    state.thing_yaw[0, 0] += 1
    assert len(found | {digest_of(state), before}) == 4


def test_the_small_check_follows_bodies(world: World) -> None:
    before = check_of(world.state)
    world.state.position[0, 1, 0] += 1e-6
    assert check_of(world.state) != before


def recorded(world: World, path: Path, ticks: int) -> Recording:
    with Recorder(path) as recorder:
        recorder.start({"worlds": 1}, snapshot.save(world), 7)
        for tick in range(7, 7 + ticks):
            raw = torch.full((1, 2, 8), tick % 100, dtype=torch.int8)
            recorder.write(tick, [Say("npc:0", "hush")], Actions(torch.tensor([0, 1]), raw), world.state)
            if recorder.wants_keyframe:
                recorder.keyframe(snapshot.save(world), tick + 1)
        recorder.close(world.state)
    return Recording.read(path)


def test_what_is_written_is_read(world: World, tmp_path: Path) -> None:
    ticks = 2 * BLOCK_TICKS + 11
    found = recorded(world, tmp_path / "a.rec", ticks)
    assert [tick.tick for tick in found.ticks] == list(range(7, 7 + ticks))
    assert found.actions(found.ticks[5]).slots.tolist() == [0, 1]
    assert set(found.actions(found.ticks[5]).raw.flatten().tolist()) == {12}
    assert [bool(tick.digest) for tick in found.ticks[:40]] == [(i + 1) % 20 == 0 for i in range(40)]
    assert found.digest == digest_of(world.state)
    assert found.header == {"worlds": 1}


def test_keyframes_come_every_half_minute(world: World, tmp_path: Path) -> None:
    found = recorded(world, tmp_path / "a.rec", 2 * KEYFRAME_TICKS + 1)
    assert [frame.tick for frame in found.keyframes] == [7, 7 + KEYFRAME_TICKS, 7 + 2 * KEYFRAME_TICKS]
    assert snapshot.load(found.keyframes[1].snapshot).avatars.keys() == {"npc:0", "npc:1"}


def test_a_recording_is_small(world: World, tmp_path: Path) -> None:
    recorded(world, tmp_path / "a.rec", 400)
    assert (tmp_path / "a.rec").stat().st_size < 40_000
