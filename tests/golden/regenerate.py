"""Golden frames: the same bytes are read by the Python and the TypeScript decoders.

`python -m tests.golden.regenerate` writes them again after a wanted change of the wire. `cells.bin` is one hot
WebSocket message, `cells.json` what it holds; `messages.bin` is a sequence of (u32 little-endian length, WebSocket
message), `messages.json` the list of what they hold, bytes written as `{"$bytes": [..]}`.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from ecumene_server import codec, wire

FOLDER = Path(__file__).parent
EPOCH, TICK = 7, 123_456


def entities() -> codec.Entities:
    """Returns seven avatars in four cells, two of them at negative coordinates, one on a cell's edge."""
    position = [
        [0.0, 0.0, 0.0],
        [31.99, 31.99, 1.25],
        [-0.5, -33.0, -2.5],
        [32.0, 5.0, 0.0],
        [1.5, 2.25, 327.0],
        [40.125, 8.5, 3.0],
        [-20.0, -40.0, 0.07],
    ]
    return codec.Entities(
        id=np.array([65_536, 65_537, 131_074, 3, 4_294_967_295, 70_000, 99], dtype=np.uint32),
        position=np.array(position, dtype=np.float32),
        yaw=np.array([0.0, 1.5707964, -1.5707964, 3.1415927, 6.2831855, -0.001, 0.5], dtype=np.float32),
        speed=np.array([0.0, 1.4, 3.0, 12.75, 50.0, 0.02, 0.7], dtype=np.float32),
        posture=np.array([0, 1, 2, 0, 0, 0, 1], dtype=np.uint8),
        emote=np.array([0, 1, 0, 5, 3, 0, 2], dtype=np.uint8),
        flags=np.array([1, 0, 2, 4, 7, 0, 3], dtype=np.uint8),
        level=np.array([0, 1, 0, 2, 0, 255, 0], dtype=np.uint8),
    )


def hot_message() -> bytes:
    """Returns the cells in order of their keys, the last one marked as far."""
    cells = codec.encode_cells(entities(), epoch=EPOCH, tick=TICK)
    frames = [cells[key] for key in sorted(cells)]
    return b"".join([*frames[:-1], codec.with_flags(frames[-1], codec.FLAG_FAR)])


def hot_values(data: bytes) -> list[dict[str, Any]]:
    """Returns what the reference decoder reads, as plain JSON values."""
    return [
        {
            "epoch": frame.epoch,
            "tick": frame.tick,
            "cell": list(frame.cell),
            "flags": frame.flags,
            "id": frame.entities.id.tolist(),
            "x": frame.entities.position[:, 0].tolist(),
            "y": frame.entities.position[:, 1].tolist(),
            "z": frame.entities.position[:, 2].tolist(),
            "yaw": frame.entities.yaw.tolist(),
            "speed": frame.entities.speed.tolist(),
            "posture": frame.entities.posture.tolist(),
            "emote": frame.entities.emote.tolist(),
            "entity_flags": frame.entities.flags.tolist(),
            "level": frame.entities.level.tolist(),
        }
        for frame in codec.decode_frames(data)
    ]


def messages() -> list[wire.ClientMessage | wire.ServerMessage]:
    """Returns at least one message of every type, with every field away from its default."""
    thing = wire.Thing(2, "square/bench-1", "Bench", 50, 1, (1.5, -2.25, 0.0), 0.5, 0, 1, 65_537, 131_074)
    person = wire.Person(65_537, "npc:17", "Ada Ömer", 200, 4_000_000_000)
    mind = wire.Mind(
        driver="fusion",
        persona="Ada keeps the kiosk.",
        intent="Ada goes to the square.",
        reason="It is market time.",
        goal=(3.0, 4.0, 0.0),
        needs={"rest": 0.75, "food": 0.5},
        senses={"vision": True, "hearing": False, "touch": True},
        contribution={"vision": 0.5, "hearing": 0.0, "touch": 0.25},
        attention={"body": 0.25, "neighbours": 0.75},
        effects={"vision": 1.5, "hearing": 0.0},
        proposals={"self": (0.5, -0.5), "vision": (1.0, 0.0)},
        noticed=[wire.Noticed("vision", "Bench", 2.5, 0.25)],
        remembers=["A visitor waved."],
        action=[0.5, -0.25, 0.125],
        vision=wire.Picture(2, 3, bytes(range(6)), bytes([0, 1, 5, 7, 14, 15]), 30.0),
        hearing=bytes(range(8)),
        bands=4,
        touch=[0.0, 12.5],
    )
    welcome = wire.Welcome(
        session="s-1",
        token="secret",
        epoch=EPOCH,
        tick=TICK,
        tick_hz=20,
        server_ms=1234.5,
        world="Plaza",
        scene="/scene.glb?0f",
        entity=65_536,
        role=1,
        cell_m=32.0,
        bounds=(-64.0, -64.0, 64.0, 64.0),
        position=(1.0, 2.0, 0.0),
        yaw=0.25,
        palette={"50": "bench", "200": "npc"},
        attribution=["© somebody"],
        things=[thing],
        people=[person],
        seq=3,
        resumed=False,
    )
    return [
        wire.Hello(1, "Zoë", "secret", wire.Resume("s-1", 41)),
        wire.Steer(9, (1.0, -0.5), 3.0, (0.25, -0.125), run=True),
        wire.Say(1, "@Ada hello"),
        wire.Use(2, "square/bench-1"),
        wire.Gesture(3, 1),
        wire.Edit(4, {"command": "thing", "thing": "door-1", "state": 1}),
        wire.Build(4, "cafe", 3, ["cozy"], 14.0, (-12.5, 40.0)),
        wire.Abandon(4),
        wire.Inspect(5, entity=65_537),
        wire.Inspect(6, node="square/bench-1"),
        wire.Ack(41),
        wire.Ping(99.5),
        wire.Bye(),
        welcome,
        wire.Joined(4, 65_537, "npc:17", "Ada Ömer", 200, 7),
        wire.Left(5, 65_537),
        wire.Said(6, 65_537, "Ada Ömer", "<b>not markup</b>"),
        wire.ThingChanged(7, 2, 0, -1, (1.5, -2.25, 0.0), 131_074, -0.75),
        wire.Happened(8, "reading", "lamp", "", {"field": "lux", "value": 310.5, "unit": "lx"}),
        wire.Done(9, 4, ok=False, error="Only a builder may do that."),
        wire.Done(10, 2, ok=True, text="Market on Saturday."),
        wire.Building(10, 4, "cafe", 3, "it stands", 1.0, (-12.5, 30.0)),
        wire.Scene(11, "/scene.glb?1a", "1a", [thing]),
        wire.Inspected(5, TICK, "Ada Ömer", 200, 65_537, None, {"Role": "seller"}, mind),
        wire.Inspected(6, TICK, "Bench", 50, None, "square/bench-1", {"State": "free"}, None),
        wire.Inspected(7, TICK, error="Nobody has the id 12."),
        wire.Pong(99.5, TICK, 1234.5),
        wire.Refused("Too many messages: 200 in a second, at most 60 are taken."),
        wire.Closing("The server stops.", 2.0),
    ]


def plain(value: Any) -> Any:
    """Returns JSON values for anything that msgspec turns into builtins."""
    if isinstance(value, bytes):
        return {"$bytes": list(value)}
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value


def message_values() -> list[Any]:
    """Returns the messages as plain JSON values, tags included."""
    return [plain(msgspec.to_builtins(each, builtin_types=(bytes,))) for each in messages()]


def packed_messages() -> bytes:
    """Returns all messages, each behind its length."""
    return b"".join(struct.pack("<I", len(data)) + data for data in map(wire.encode, messages()))


def main() -> None:
    """Writes the four files."""
    hot = hot_message()
    (FOLDER / "cells.bin").write_bytes(hot)
    (FOLDER / "cells.json").write_text(json.dumps(hot_values(hot), indent=1) + "\n", encoding="utf-8")
    (FOLDER / "messages.bin").write_bytes(packed_messages())
    text = json.dumps(message_values(), indent=1, ensure_ascii=False)
    (FOLDER / "messages.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
