"""Snapshots are exact, and no damaged byte goes unnoticed."""

import functools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.world.scenes import compiled, field

from ecumene_world import SnapshotError, World
from ecumene_world.command import Reading, Say, Spawn
from ecumene_world.snapshot import load, save

LAYOUT = compiled(field())


@functools.cache
def snapshot() -> bytes:
    w = World(field(), slots=2, layout=LAYOUT)
    w.apply([Spawn("a", title="Ada"), Say("a", "Hello"), Reading("ground", "wet", value=False)])
    w.extra["memory"] = b"tea"
    return save(w)


@given(st.integers(min_value=0), st.integers(1, 255))
@settings(max_examples=500)
def test_flipping_any_byte_is_found(where: int, change: int) -> None:
    data = bytearray(snapshot())
    data[where % len(data)] ^= change
    with pytest.raises(SnapshotError):
        load(bytes(data))


@given(st.integers(min_value=0))
def test_cutting_anywhere_is_found(where: int) -> None:
    data = snapshot()
    with pytest.raises(SnapshotError):
        load(data[: where % len(data)])


@given(st.binary(max_size=300))
def test_random_bytes_are_refused(data: bytes) -> None:
    for junk in (data, b"ECUM" + data, snapshot()[:38] + data):
        with pytest.raises(SnapshotError):
            load(junk)


@given(
    st.integers(0, 2**31),
    st.integers(1, 3),
    st.integers(0, 3),
    st.dictionaries(st.text(max_size=5), st.binary(max_size=50), max_size=3),
)
@settings(max_examples=25, deadline=None)
def test_any_state_survives_bit_for_bit(seed: int, worlds: int, avatars: int, extra: dict[str, bytes]) -> None:
    w = World(field(), worlds=worlds, slots=4, seed=seed, layout=LAYOUT)
    w.apply([Spawn(f"npc:{index}", world=index % worlds) for index in range(avatars)])
    noise = torch.Generator().manual_seed(seed)
    for name, tensor in w.state.fields().items():
        if tensor.is_floating_point():
            tensor.copy_(torch.randn(tensor.shape, generator=noise) * 1e3)
        elif tensor.dtype == torch.int64 and name != "serial":
            tensor.copy_(torch.randint(-(2**62), 2**62, tensor.shape, generator=noise))
    w.state.yaw.fill_(float("nan"))
    w.state.yaw_rate.fill_(-0.0)
    w.extra = dict(extra)
    data = save(w)
    twin = load(data, layout=LAYOUT)
    for name, tensor in w.state.fields().items():
        bits, twin_bits = (column.numpy().tobytes() for column in (tensor, getattr(twin.state, name)))
        assert bits == twin_bits, name
    assert (twin.avatars, twin.extra, twin.seed) == (w.avatars, w.extra, seed)
    for name in w.generators:
        assert torch.equal(w.generators[name].get_state(), twin.generators[name].get_state())
    assert save(twin) == data
