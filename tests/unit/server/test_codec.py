from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tests.unit.server.crowds import crowd, standing

from ecumene_server import codec
from ecumene_server.codec import CELL_M, HEADER, Entities, decode_frames, encode_cells
from ecumene_server.errors import FrameError


def column(n: int, low: float, high: float) -> st.SearchStrategy[Any]:
    return hnp.arrays(np.float32, n, elements=st.floats(low, high, width=32))


@st.composite
def entities(draw: st.DrawFn) -> Entities:
    n = draw(st.integers(0, 40))

    def byte(high: int) -> Any:
        return draw(hnp.arrays(np.uint8, n, elements=st.integers(0, high)))

    position = np.stack([draw(column(n, -2000, 2000)), draw(column(n, -2000, 2000)), draw(column(n, -300, 300))], 1)
    return Entities(
        id=draw(hnp.arrays(np.uint32, n, unique=True)),
        position=position,
        yaw=draw(column(n, -50, 50)),
        speed=draw(column(n, 0, 12)),
        posture=byte(3),
        emote=byte(63),
        flags=byte(7),
        level=byte(255),
    )


def joined(data: dict[codec.Cell, bytes]) -> dict[int, tuple[Any, ...]]:
    rows = {}
    for frame in decode_frames(b"".join(data.values())):
        e = frame.entities
        for i in range(len(e)):
            rows[int(e.id[i])] = (e.position[i], e.yaw[i], e.speed[i], e.posture[i], e.emote[i], e.flags[i], e.level[i])
    return rows


@given(entities())
@settings(max_examples=60)
def test_everybody_comes_back_within_the_quantisation_error(sent: Entities) -> None:
    rows = joined(encode_cells(sent, epoch=1, tick=2))
    assert rows.keys() == set(sent.id.tolist())
    for i, entity in enumerate(sent.id.tolist()):
        position, yaw, speed, posture, emote, flags, level = rows[entity]
        assert np.abs(position[:2] - sent.position[i, :2]).max() <= CELL_M / 65_536 + 1e-6
        assert abs(position[2] - sent.position[i, 2]) <= 0.005 + 1e-4
        assert abs(math.remainder(yaw - float(sent.yaw[i]), math.tau)) <= math.tau / 65_536
        assert abs(speed - sent.speed[i]) <= 0.025 + 1e-6
        assert (posture, emote) == (sent.posture[i], sent.emote[i])
        assert (flags, level) == (sent.flags[i], sent.level[i])


@given(entities())
@settings(max_examples=30)
def test_every_cell_holds_only_its_own(sent: Entities) -> None:
    for frame in decode_frames(b"".join(encode_cells(sent, epoch=1, tick=2).values())):
        low = np.array(frame.cell) * CELL_M
        assert (frame.entities.position[:, :2] >= low - 1e-6).all()
        assert (frame.entities.position[:, :2] <= low + CELL_M + 1e-6).all()


@given(st.binary(max_size=200))
def test_any_bytes_decode_or_are_refused(data: bytes) -> None:
    try:
        frames = decode_frames(data)
    except FrameError:
        return
    assert data == b"" or frames


@given(st.integers(1, 500))
def test_a_cut_frame_is_refused(cut: int) -> None:
    whole = encode_cells(crowd({(0, 0): 20}), epoch=1, tick=2)[0, 0]
    with pytest.raises(FrameError):
        decode_frames(whole[: -min(cut, len(whole) - 1)])


def test_a_frame_of_another_version_is_refused() -> None:
    frame = bytearray(encode_cells(crowd({(0, 0): 1}), epoch=1, tick=2)[0, 0])
    frame[1] = 2
    with pytest.raises(FrameError, match="version 2"):
        decode_frames(bytes(frame))


def test_nobody_makes_no_frame() -> None:
    assert encode_cells(crowd({}), epoch=1, tick=1) == {}


def test_header_and_size_are_as_documented() -> None:
    frame = encode_cells(crowd({(-1, 2): 3}), epoch=5, tick=1 << 33)[-1, 2]
    assert HEADER.unpack_from(frame) == (1, 1, 3, 5, 0, -1, 2, 0, 0, len(frame))
    assert len(frame) == 24 + 3 * 16


def test_extremes_are_clamped_not_wrapped() -> None:
    high = standing(np.array([[0, 0, 9999], [0, 0, -9999]], dtype=np.float32))
    frame = decode_frames(encode_cells(high, epoch=1, tick=1)[0, 0])[0]
    assert frame.entities.position[:, 2].tolist() == [327.67, -327.68]


def test_flags_can_be_set_afterwards() -> None:
    frame = encode_cells(crowd({(0, 0): 2}), epoch=1, tick=1)[0, 0]
    assert decode_frames(codec.with_flags(frame, 1))[0].flags == 1


def test_of_a_cell_too_full_for_its_header_the_first_rows_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "_MAX_N", 3)
    frames = encode_cells(crowd({(0, 0): 5, (-1, 2): 2, (4, 4): 3}), epoch=1, tick=2)
    told = {cell: decode_frames(frame)[0] for cell, frame in frames.items()}
    assert {cell: frame.entities.id.tolist() for cell, frame in told.items()} == {
        (0, 0): [0, 1, 2],
        (-1, 2): [5, 6],
        (4, 4): [7, 8, 9],
    }
    assert all(frame.cell == cell for cell, frame in told.items())
