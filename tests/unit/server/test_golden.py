"""The golden files say what both decoders must read."""

from __future__ import annotations

import json
import struct
from pathlib import Path

from tests.golden import regenerate

from ecumene_server import typescript, wire

ROOT = Path(__file__).parents[3]


def test_the_cells_encode_to_the_golden_bytes() -> None:
    assert regenerate.hot_message() == (regenerate.FOLDER / "cells.bin").read_bytes()


def test_the_golden_cells_decode_to_the_golden_values() -> None:
    data = (regenerate.FOLDER / "cells.bin").read_bytes()
    assert regenerate.hot_values(data) == json.loads((regenerate.FOLDER / "cells.json").read_text("utf-8"))


def test_the_messages_encode_to_the_golden_bytes() -> None:
    assert regenerate.packed_messages() == (regenerate.FOLDER / "messages.bin").read_bytes()


def test_the_golden_messages_hold_the_golden_values() -> None:
    expected = json.loads((regenerate.FOLDER / "messages.json").read_text("utf-8"))
    assert regenerate.message_values() == expected


def test_every_golden_message_decodes_to_itself() -> None:
    data, offset = (regenerate.FOLDER / "messages.bin").read_bytes(), 0
    read: list[wire.ClientMessage | wire.ServerMessage] = []
    while offset < len(data):
        (size,) = struct.unpack_from("<I", data, offset)
        body = data[offset + 4 : offset + 4 + size]
        offset += 4 + size
        read.append(wire.decode_client(body) if len(read) < 13 else wire.decode_server(body))
    assert read == regenerate.messages()


def test_every_message_type_has_a_golden_message() -> None:
    named = {type(each) for each in regenerate.messages()}
    assert named == set(wire.ClientMessage.__args__) | set(wire.ServerMessage.__args__)


def test_the_generated_typescript_is_up_to_date() -> None:
    assert (ROOT / typescript.DEFAULT_FILE).read_text("utf-8") == typescript.generate()
