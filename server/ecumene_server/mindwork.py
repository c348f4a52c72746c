"""A program that senses and decides for NPCs: `python -m ecumene_server.mindwork`, states in, decisions out.

Routes, senses and the policy are two thirds of a tick's work. In a process of their own they take another core, and
never hold the interpreter that sockets and the step need. Everything on the pipes is little endian::

    in   u8 1  i64 number  u32 length  JSON {"layout": file, "hash": of the layout, "slots": C, "weights": file or null}
         u8 2  i64 number  u32 n       i64 slots[n], the state as `Mirror` lays it out
    out  u8 1  i64 number  u32 n       f32 seconds, i64 goal storeys[n], f32 waypoints[n * 3], f32 goals[n * 3],
                                       i8 decisions[n * 8]
         u8 2  i64 goal    u32 length  the field of a place: (L*H*W) i8 directions in zlib
         u8 3  i64 number  u32 0       the setup of that number is done; what follows belongs to it
"""

from __future__ import annotations

import json
import math
import struct
import time
import zlib
from dataclasses import dataclass, replace
from io import BufferedIOBase
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ecumene_agents.fast import FastMind
from ecumene_agents.routes import Routes
from ecumene_models.checkpoint import load_policy
from ecumene_models.fusion import FusionPolicy
from ecumene_server import helper, layoutfile
from ecumene_server.errors import FailedError
from ecumene_server.fieldwork import read
from ecumene_server.mirror import Mirror
from ecumene_server.wayfinding import Wayfinder
from ecumene_sim.frame import ACTION_WIDTH, Actions
from ecumene_sim.senses.sensorium import ALL, Sensorium
from ecumene_sim.sound import Signatures
from ecumene_sim.terrain import Terrain
from ecumene_sim.things import ThingTable
from ecumene_world.layout import Layout
from ecumene_world.state import State

SETUP, ASK = 1, 2
ANSWER, FIELD, READY = 1, 2, 3
HEAD: Final = struct.Struct("<BqI")
SECONDS: Final = struct.Struct("<f")
COLUMNS: Final = (("<i8", 1), ("<f4", 3), ("<f4", 3), ("i1", ACTION_WIDTH))
"""Of an answer: type and how many of it for each slot."""
ANSWER_BYTES: Final = sum(np.dtype(dtype).itemsize * width for dtype, width in COLUMNS)
"""Of each slot."""
NICENESS: Final = 4
"""The tick goes first where there are too few cores."""
ROWS: Final = 1024
"""NPCs in one pass of the policy: more than while learning, since each pass costs 2 ms, whatever its size."""


@dataclass(slots=True)
class Place:
    """Where the minds are: what `Routes` and senses need of a world."""

    layout: Layout
    state: State


class Workshop:
    """Everything that depends on the layout.

    Args:
        setup: What the parent said.
        mind: Who decides.
    """

    def __init__(self, setup: dict[str, Any], mind: FastMind) -> None:
        layout = layoutfile.read(Path(setup["layout"]))
        if layout is None:
            raise FailedError(f"the layout file {setup['layout']!r} can't be read; delete it and start again")
        if layout.hash != setup["hash"]:
            raise FailedError(f"the layout file {setup['layout']!r} holds {layout.hash}, not {setup['hash']}")
        self._mirror = Mirror.empty(setup["slots"], layout)
        self._place = Place(layout, self._mirror.state)
        self._mind = mind
        self._routes = Routes(self._place)
        self._way = Wayfinder(self._routes, self._note)
        self._sensorium = Sensorium(Terrain(layout), ThingTable(layout), Signatures.make(layout.device))
        self._fresh: list[bytes] = []

    def close(self) -> None:
        """Ends the process that computes fields."""
        self._way.close()

    def answer(self, source: BinaryIO, sink: BinaryIO, number: int, count: int) -> bool:
        """Reads one question, decides, writes the answer and the fields of places that have come in.

        Returns:
            False if the question was cut short, because the parent is gone.
        """
        rows = read(source, 8 * count)
        if rows is None or cast("BufferedIOBase", source).readinto(self._mirror.data) < len(self._mirror.data):
            return False
        slots = torch.from_numpy(np.frombuffer(rows, "<i8").astype(np.int64))
        began = time.perf_counter()
        self._way.look_after(self._place.layout)
        actions = self._decide(slots)
        seconds = time.perf_counter() - began
        sink.write(HEAD.pack(ANSWER, number, count) + SECONDS.pack(seconds) + self._packed(actions, slots))
        sink.writelines(self._fresh)
        self._fresh.clear()
        sink.flush()
        return True

    @torch.inference_mode()
    def _decide(self, slots: Tensor) -> Actions:
        self._routes.update(slots)
        return self._mind.decide(self._sensorium.sense(self._mirror.state, slots, ALL))

    def _packed(self, actions: Actions, slots: Tensor) -> bytes:
        state = self._mirror.state
        rows = (state.goal_level[0, slots], state.waypoint[0, slots], state.goal[0, slots], actions.raw[0])
        return b"".join(each.contiguous().numpy().tobytes() for each in rows)

    def _note(self, goal: int, reach: float, directions: NDArray[np.int8]) -> None:
        if reach == math.inf:
            packed = zlib.compress(directions.tobytes(), 1)
            self._fresh.append(HEAD.pack(FIELD, goal, len(packed)) + packed)


def _policy(weights: Path) -> FusionPolicy:
    """Returns a trained policy that takes up to `ROWS` at a time."""
    policy = load_policy(weights)
    policy.config = replace(policy.config, chunk=ROWS)
    return policy


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Sets up and answers until the source ends, as it does when the server is gone."""
    workshop: Workshop | None = None
    mind: FastMind | None = None
    try:
        while (head := read(source, HEAD.size)) is not None:
            kind, number, count = HEAD.unpack(head)
            if kind == ASK:
                assert workshop is not None, "a setup comes first"
                if not workshop.answer(source, sink, number, count):
                    return
                continue
            text = read(source, count)
            if text is None:
                return
            setup = json.loads(text)
            mind = mind or FastMind(None if setup["weights"] is None else _policy(Path(setup["weights"])))
            if workshop is not None:
                workshop.close()
            workshop = Workshop(setup, mind)
            sink.write(HEAD.pack(READY, number, 0))
            sink.flush()
    finally:
        if workshop is not None:
            workshop.close()


if __name__ == "__main__":
    helper.run(serve, NICENESS)
