r"""Writes recordings: a run's commands and decisions, from which any machine can show it again.

A recording needs no mind and no luck to replay, because a tick's record holds the commands *and* the decisions
that were applied. What people typed is left out unless `keep_chat` says otherwise.

File layout, little endian::

    magic "ECREC\0\0\1"  u32 length  u32 crc32  header (JSON)
    block*: u8 kind  u32 first tick  u32 raw length  u32 stored length  u32 crc32 of stored  stored (zlib)

Block kinds: 1 ticks (a msgpack array of `Tick`), 2 keyframe (a world snapshot), 3 end (a msgpack `End`).
A file without its end block was cut off. If its header says `"open_end": true`, as a server's does, which may be killed
at any time, it is good up to its last whole block.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

import msgspec
import torch

from ecumene_sim.frame import Actions
from ecumene_world.command import Command, Say, from_record, to_record
from ecumene_world.errors import CommandError
from ecumene_world.state import OF_PAIRS, State

MAGIC: Final = b"ECREC\0\0\1"
BLOCK: Final = struct.Struct("<BIIII")
PREFIX: Final = struct.Struct("<II")
TICKS, KEYFRAME, END = 1, 2, 3
BLOCK_TICKS: Final = 100
KEYFRAME_TICKS: Final = 600
DIGEST_TICKS: Final = 20

UNDIGESTED: Final = frozenset({"waypoint", "goal", "goal_level"})
"""State fields that the minds' routes write and no law of motion reads, so a replay without minds lacks them."""


class Tick(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """One tick's record.

    Attributes:
        tick: The tick that was stepped, counted from the world's birth.
        commands: Commands applied before it, as `to_record` writes them.
        slots: Deciding slots, (A,) i32 little endian.
        raw: The applied decisions, (B, A, 8) i8.
        check: CRC-32 of where everybody is after the tick.
        digest: BLAKE2b of the whole state after the tick, every `DIGEST_TICKS`; else empty.
    """

    tick: int
    commands: list[dict[str, Any]]
    slots: bytes
    raw: bytes
    check: int
    digest: bytes


class End(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """What closes a recording: how many ticks it has and the digest of the final state."""

    ticks: int
    digest: bytes


def digest_of(state: State) -> bytes:
    """BLAKE2b-128 of every state field but `UNDIGESTED`, in field order; `OF_PAIRS` once two have carried something."""
    total = hashlib.blake2b(digest_size=16)
    left_out = UNDIGESTED if bool((state.thing_span > 0).any()) else UNDIGESTED | OF_PAIRS
    for name, tensor in state.fields().items():
        if name not in left_out:
            total.update(name.encode())
            total.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
    return total.digest()


def check_of(state: State) -> int:
    """CRC-32 of positions, velocities, headings and thing states: cheap enough for every tick."""
    total = 0
    for tensor in (state.position, state.velocity, state.yaw, state.alive, state.thing_state):
        total = zlib.crc32(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes(), total)
    return total


class Recorder:
    """Writes one recording; a context manager that closes the file properly.

    Args:
        path: The file to write, replaced if it exists.
        keep_chat: Whether the text of what people say is kept; without it, as many dots are.
        block_ticks: Ticks that are written together.

    Attributes:
        path: The file.
    """

    def __init__(self, path: Path, *, keep_chat: bool = False, block_ticks: int = BLOCK_TICKS) -> None:
        self.path = path
        self._file: BinaryIO = path.open("wb")
        self._keep_chat = keep_chat
        self._block_ticks = block_ticks
        self._pending: list[Tick] = []
        self._first = self._ticks = 0

    def start(self, header: Mapping[str, Any], snapshot: bytes, tick: int) -> None:
        """Writes the header and the first keyframe; `tick` is the next tick to be stepped."""
        self._first = tick
        text = json.dumps(dict(header), sort_keys=True).encode()
        self._file.write(MAGIC + PREFIX.pack(len(text), zlib.crc32(text)) + text)
        self._block(KEYFRAME, tick, snapshot)

    def write(self, tick: int, commands: Sequence[Command], actions: Actions, state: State) -> None:
        """Adds the record of `tick`, which has just led to `state`."""
        self.take(self.told(tick, commands, actions, state))

    def told(self, tick: int, commands: Sequence[Command], actions: Actions, state: State) -> Tick:
        """Returns the record of `tick`, which has just led to `state`; writes nothing."""
        digest = digest_of(state) if (tick - self._first + 1) % DIGEST_TICKS == 0 else b""
        slots = actions.slots.to(device="cpu", dtype=torch.int32).numpy().tobytes()
        raw = actions.raw.to(device="cpu").contiguous().numpy().tobytes()
        records = [record for command in commands if (record := self._record(command))]
        return Tick(tick, records, slots, raw, check_of(state), digest)

    def take(self, record: Tick) -> None:
        """Adds the record of the next tick."""
        self._ticks += 1
        self._pending.append(record)
        if len(self._pending) >= self._block_ticks:
            self.flush()

    @property
    def wants_keyframe(self) -> bool:
        """Whether `KEYFRAME_TICKS` have passed since the last keyframe."""
        return self._ticks > 0 and self._ticks % KEYFRAME_TICKS == 0

    def keyframe(self, snapshot: bytes, tick: int) -> None:
        """Adds a snapshot taken before `tick` is stepped, from which showing may start."""
        self.flush()
        self._block(KEYFRAME, tick, snapshot)

    def flush(self) -> None:
        """Writes the ticks gathered so far to the operating system."""
        if self._pending:
            self._block(TICKS, self._pending[0].tick, msgspec.msgpack.encode(self._pending))
            self._pending.clear()
            self._file.flush()

    def close(self, state: State) -> None:
        """Writes the end block with the digest of the final state and closes the file."""
        self.flush()
        self._block(END, 0, msgspec.msgpack.encode(End(self._ticks, digest_of(state))))
        self._file.close()

    def abandon(self) -> None:
        """Closes the file without an end block; a reader will say that it was cut off."""
        self.flush()
        self._file.close()

    def _record(self, command: Command) -> dict[str, Any] | None:
        """Returns a command's record; None for a malformed one, which the world has refused."""
        record = to_record(command)
        try:
            from_record(record)
        except CommandError:
            return None
        if isinstance(command, Say) and not self._keep_chat:
            record["text"] = "·" * len(command.text)
        return record

    def _block(self, kind: int, tick: int, payload: bytes) -> None:
        stored = zlib.compress(payload, 6)
        self._file.write(BLOCK.pack(kind, tick, len(payload), len(stored), zlib.crc32(stored)) + stored)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._file.closed:
            self.abandon()
