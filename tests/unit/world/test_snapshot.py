import hashlib
import json
import struct
from collections.abc import Callable
from typing import Any

import pytest
import torch
from tests.unit.world.scenes import field, house, world

from ecumene_world import SnapshotError, World
from ecumene_world.command import Gesture, Reading, Recompile, RemoveNode, Say, SetThing, Spawn
from ecumene_world.snapshot import load, save
from ecumene_world.state import OF_PAIRS, Emote


def lived_in() -> World:
    w = world()
    w.apply(
        [
            Spawn("npc:1", title="Ada", role="baker"),
            Spawn("visitor:b", "visitor", position=(2.0, 2.0, 0.0)),
            Say("npc:1", "Hello"),
            Gesture("visitor:b", Emote.CHEER),
            SetThing("bell", 1),
            Reading("bench", "temperature", 21.5, "°C"),
            Reading("bench", "wet", value=True),
        ]
    )
    w.state.position += torch.rand(w.state.position.shape, generator=w.generators["engine"])
    w.extra["memory"] = bytes(range(256))
    return w


def assert_same(a: World, b: World) -> None:
    assert a.graph == b.graph
    assert a.layout.hash == b.layout.hash
    for name, tensor in a.state.fields().items():
        assert torch.equal(tensor, getattr(b.state, name)), name
    assert (a.avatars, a.readings, a.extra, a.seed, a.stale) == (b.avatars, b.readings, b.extra, b.seed, b.stale)
    assert a.generators.keys() == b.generators.keys()


def test_a_world_survives_bit_for_bit() -> None:
    w = lived_in()
    twin = load(save(w))
    assert_same(w, twin)
    assert save(twin) == save(w)


def test_generators_go_on_where_they_were() -> None:
    w = lived_in()
    twin = load(save(w))
    for name in w.generators:
        assert torch.equal(torch.rand(5, generator=w.generators[name]), torch.rand(5, generator=twin.generators[name]))


def test_both_worlds_live_on_alike() -> None:
    w = lived_in()
    twin = load(save(w))
    later = [Spawn("npc:9"), Say("npc:9", "I am new"), RemoveNode("ball"), Recompile(), Spawn("npc:10")]
    assert w.apply(later) == twin.apply(later)
    assert_same(w, twin)


def test_an_edited_world_keeps_the_layout_it_had() -> None:
    w = lived_in()
    w.apply([RemoveNode("ball")])
    twin = load(save(w))
    assert twin.stale
    assert_same(w, twin)
    assert "ball" in twin.layout.row
    twin.apply([Recompile()])
    assert "ball" not in twin.layout.row


def test_side_by_side_worlds_survive() -> None:
    w = world(worlds=3, slots=2)
    w.apply([Spawn("a", world=2)])
    assert_same(w, load(save(w)))


def test_a_layout_at_hand_is_used_if_it_is_the_right_one() -> None:
    w = lived_in()
    assert load(save(w), layout=w.layout).layout.clearance is w.layout.clearance
    other = world(house()).layout
    assert load(save(w), layout=other).layout.hash == w.layout.hash


def test_a_world_without_things_survives() -> None:
    w = world(field())
    assert_same(w, load(save(w)))


@pytest.mark.parametrize("data", [b"", b"ECUM", b"PK\x03\x04" + bytes(100), bytes(1000), b"ECU"])
def test_foreign_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(SnapshotError):
        load(data)


def test_a_newer_version_is_named() -> None:
    data = bytearray(save(lived_in()))
    data[4] = 9
    with pytest.raises(SnapshotError, match="of version 9; this program reads version 1"):
        load(bytes(data))


@pytest.mark.parametrize("cut", [1, 100, 5000])
def test_a_snapshot_cut_short_or_grown_is_damaged(cut: int) -> None:
    data = save(lived_in())
    for damaged in (data[:-cut], data + bytes(cut)):
        with pytest.raises(SnapshotError, match="damaged"):
            load(damaged)


def resealed(change: Callable[[dict[str, Any]], None]) -> bytes:
    """Returns a snapshot with another header and the right checksum, as a stranger could make one."""
    data = save(lived_in())
    (length,) = struct.unpack_from("<I", data, 38)
    header = json.loads(data[42 : 42 + length])
    change(header)
    text = json.dumps(header).encode()
    body = struct.pack("<I", len(text)) + text + data[42 + length :]
    return data[:6] + hashlib.sha256(body).digest() + body


def test_a_snapshot_from_before_two_could_carry_something_is_read() -> None:
    def before(header: dict[str, Any]) -> None:
        header["state"] = {name: column for name, column in header["state"].items() if name not in OF_PAIRS}

    old = load(resealed(before))
    assert_same(old, lived_in())
    assert old.state.thing_partner.tolist() == [[-1, -1, -1]]


def test_resealing_alone_changes_nothing() -> None:
    assert_same(load(resealed(lambda header: None)), lived_in())


@pytest.mark.parametrize(
    "change",
    [
        lambda h: h.pop("graph"),
        lambda h: h.update(graph=7),
        lambda h: h["graph"].update(start=-5),
        lambda h: h["graph"].update(size=1 << 60),
        lambda h: h["graph"].update(size=10),
        lambda h: h["state"].pop("yaw"),
        lambda h: h["state"]["yaw"].update(dtype="|O"),
        lambda h: h["state"]["yaw"].update(shape=[1, 1]),
        lambda h: h["state"].update(yaw=h["state"]["position"]),
        lambda h: h["state"]["alive"].update(dtype="|u1"),
        lambda h: h.update(layout="0" * 64),
        lambda h: h.update(avatars=[{"key": "a"}]),
        lambda h: h.update(avatars=3),
        lambda h: h.update(readings=[1]),
        lambda h: h["generators"].update(engine=h["state"]["yaw"]),
        lambda h: h.update(cell_m="wide"),
        lambda h: h.update(extra=None),
    ],
)
def test_sealed_nonsense_is_refused(change: Callable[[dict[str, Any]], None]) -> None:
    with pytest.raises(SnapshotError):
        load(resealed(change))
