"""Reads recordings; every damage is one sentence that names the file."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import numpy as np
import torch

from ecumene_scenarios.errors import RecordingError
from ecumene_scenarios.record import BLOCK, END, KEYFRAME, MAGIC, PREFIX, TICKS, End, Tick
from ecumene_sim.frame import Actions

MAX_HEADER: Final = 1 << 20
MAX_BLOCK: Final = 1 << 30
ACTION_BYTES: Final = 8

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Keyframe:
    """A world snapshot taken before `tick` was stepped."""

    tick: int
    snapshot: bytes


@dataclass(frozen=True, slots=True)
class Recording:
    """A whole recording, read and checked.

    Attributes:
        header: What `Session.header` wrote: scenario, seed, worlds, threads, versions, layout hash.
        keyframes: At least one, in order; the first stands before the first tick.
        ticks: One record a tick, in order.
        digest: BLAKE2b of the final state; empty if whoever recorded was killed before it was written.
    """

    header: dict[str, Any]
    keyframes: tuple[Keyframe, ...]
    ticks: tuple[Tick, ...]
    digest: bytes

    @classmethod
    def read(cls, path: Path) -> Recording:
        """Reads a recording.

        Raises:
            RecordingError: It can't be read, is no recording, is damaged, or cut off and its header does not allow it.
        """
        try:
            data = path.read_bytes()
        except OSError as error:
            raise RecordingError(f"{path} can't be read: {error.strerror}") from error
        header, offset = _header(data, path.name)
        keyframes: list[Keyframe] = []
        ticks: list[Tick] = []
        for kind, tick, payload in _blocks(data, offset, path.name, open_end=bool(header.get("open_end"))):
            if kind == KEYFRAME:
                keyframes.append(Keyframe(tick, payload))
            elif kind == TICKS:
                ticks.extend(_decoded(payload, list[Tick], path.name))
            else:
                end = _decoded(payload, End, path.name)
                return cls(header, tuple(keyframes), _checked(ticks, keyframes, end, path.name), end.digest)
        if not header.get("open_end"):
            raise RecordingError(f"{path.name} is cut off after {len(ticks)} ticks")
        return cls(header, tuple(keyframes), _checked(ticks, keyframes, End(len(ticks), b""), path.name), b"")

    def actions(self, tick: Tick) -> Actions:
        """The decisions of a tick as tensors on the CPU."""
        slots = np.frombuffer(tick.slots, "<i4").astype(np.int64)
        raw = np.frombuffer(tick.raw, np.int8).reshape(self.header["worlds"], len(slots), ACTION_BYTES)
        return Actions(slots=torch.from_numpy(slots), raw=torch.from_numpy(raw.copy()))


def _header(data: bytes, name: str) -> tuple[dict[str, Any], int]:
    start = len(MAGIC) + PREFIX.size
    if data[: len(MAGIC) - 1] != MAGIC[:-1] or len(data) < start:
        raise RecordingError(f"{name} is not an Ecumene recording")
    if data[len(MAGIC) - 1] != MAGIC[-1]:
        raise RecordingError(f"{name} has recording format {data[len(MAGIC) - 1]}; this version reads {MAGIC[-1]}")
    length, crc = PREFIX.unpack_from(data, len(MAGIC))
    text = data[start : start + length]
    if length > MAX_HEADER or len(text) != length or zlib.crc32(text) != crc:
        raise RecordingError(f"{name} has a damaged header")
    header = json.loads(text)
    if not isinstance(header, dict) or not isinstance(header.get("worlds"), int):
        raise RecordingError(f"{name} has a header without the number of worlds")
    return header, start + length


def _blocks(data: bytes, offset: int, name: str, *, open_end: bool) -> Iterator[tuple[int, int, bytes]]:
    while offset < len(data):
        if offset + BLOCK.size > len(data):
            if open_end:
                return
            raise RecordingError(f"{name} is cut off at byte {offset}")
        kind, tick, length, stored_length, crc = BLOCK.unpack_from(data, offset)
        start = offset + BLOCK.size
        stored = data[start : start + stored_length]
        if kind not in {TICKS, KEYFRAME, END} or length > MAX_BLOCK:
            raise RecordingError(f"{name} is damaged at byte {offset}")
        if len(stored) != stored_length:
            if open_end:
                return
            raise RecordingError(f"{name} is cut off at byte {len(data)}")
        if zlib.crc32(stored) != crc:
            raise RecordingError(f"{name} is damaged between bytes {start} and {start + stored_length}")
        yield kind, tick, _inflated(stored, length, name, start)
        offset = start + stored_length


def _inflated(stored: bytes, length: int, name: str, start: int) -> bytes:
    inflater = zlib.decompressobj()
    try:
        payload = inflater.decompress(stored, length + 1)
    except zlib.error as error:
        raise RecordingError(f"{name} is damaged at byte {start}: {error}") from error
    if len(payload) != length:
        raise RecordingError(f"{name} is damaged at byte {start}: a block has the wrong length")
    return payload


def _decoded(payload: bytes, shape: type[_T], name: str) -> _T:
    try:
        return msgspec.msgpack.decode(payload, type=shape)
    except msgspec.MsgspecError as error:
        raise RecordingError(f"{name} holds a malformed block: {error}") from error


def _checked(ticks: list[Tick], keyframes: list[Keyframe], end: End, name: str) -> tuple[Tick, ...]:
    if not keyframes or (ticks and keyframes[0].tick != ticks[0].tick):
        raise RecordingError(f"{name} has no keyframe before its first tick")
    if end.ticks != len(ticks):
        raise RecordingError(f"{name} has {len(ticks)} ticks where its end says {end.ticks}")
    for expected, tick in enumerate(ticks, keyframes[0].tick):
        if tick.tick != expected:
            raise RecordingError(f"{name} jumps from tick {expected - 1} to tick {tick.tick}")
        if len(tick.slots) % 4 or len(tick.raw) % ACTION_BYTES:
            raise RecordingError(f"{name} holds malformed decisions at tick {tick.tick}")
    return tuple(ticks)
