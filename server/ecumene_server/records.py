"""Log records: one tick's commands and decisions as compressed bytes, in the form that recordings use too."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import torch

from ecumene_scenarios.record import Tick, check_of
from ecumene_server.errors import DamagedError
from ecumene_sim.frame import ACTION_WIDTH, Actions
from ecumene_world.command import Command, Say, from_record, to_record
from ecumene_world.errors import CommandError
from ecumene_world.state import State

_decoder = msgspec.msgpack.Decoder(Tick)


class TickLog:
    """Takes what a session applied in a tick (`Keeping`) and returns its record once."""

    def __init__(self) -> None:
        self._record = b""

    def write(self, tick: int, commands: Sequence[Command], actions: Actions, state: State) -> None:
        """Notes `tick`, which has just led to `state`."""
        self._record = packed(tick, commands, actions, state)

    def record(self) -> bytes:
        """Returns the record of the last tick and forgets it."""
        record, self._record = self._record, b""
        return record


def packed(tick: int, commands: Sequence[Command], actions: Actions, state: State) -> bytes:
    """Returns a tick's record. What people say is replaced by as many dots: a replay does not need it."""
    slots = actions.slots.to(device="cpu", dtype=torch.int32).numpy().tobytes()
    raw = actions.raw.to(device="cpu").contiguous().numpy().tobytes()
    record = Tick(tick, [_without_words(command) for command in commands], slots, raw, check_of(state), b"")
    return zlib.compress(msgspec.msgpack.encode(record), 1)


def unpacked(payload: bytes) -> Tick:
    """Returns what a record says.

    Raises:
        DamagedError: The bytes are no record.
    """
    try:
        return _decoder.decode(zlib.decompress(payload))
    except (zlib.error, msgspec.MsgspecError) as error:
        raise DamagedError(f"a record of the log is damaged: {error}") from error


def commands_of(record: Tick) -> list[Command]:
    """Returns the commands of a record.

    Raises:
        DamagedError: One of them is unknown to this version.
    """
    try:
        return [from_record(each) for each in record.commands]
    except CommandError as error:
        raise DamagedError(f"a record of the log can't be read: {error}") from error


def actions_of(record: Tick) -> Actions:
    """Returns the decisions of a record, on the CPU."""
    slots = np.frombuffer(record.slots, "<i4").astype(np.int64)
    raw = np.frombuffer(record.raw, np.int8).reshape(1, len(slots), ACTION_WIDTH)
    return Actions(torch.from_numpy(slots), torch.from_numpy(raw.copy()))


def _without_words(command: Command) -> dict[str, Any]:
    record: dict[str, Any] = to_record(command)
    if isinstance(command, Say):
        record["text"] = "·" * len(command.text)
    return record
