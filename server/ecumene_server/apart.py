"""Minds in a process of their own, as the tick sees them: asked in one tick, answered by the next.

The tick never waits for them, and they never wait for a tick: one question may lie ready over there while another is
thought about. While they are busy beyond that, the shares of NPCs whose turn came wait in line, the one that waited
longest first, small ones together: minds that are too slow for their crowd decide less often, for all alike. A process
that dies is started again.
"""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
import time
import zlib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ecumene_agents.roster import STRIDE
from ecumene_server import mindwork
from ecumene_server.errors import FailedError
from ecumene_server.fieldwork import read
from ecumene_server.kept import Kept
from ecumene_server.late import joined
from ecumene_server.lateness import Lateness
from ecumene_server.mirror import Mirror
from ecumene_sim.frame import Actions
from ecumene_world.layout import Layout
from ecumene_world.state import DT
from ecumene_world.world import World

BATCH: Final = 1024
"""Shares that wait are asked for together up to so many slots: 10 ms of each batch are the same for one or many."""
UNDER_WAY: Final = 2
"""Questions that may be with the process at once: one that it thinks about, and the next."""
HASTE: Final = 0.8
"""A question is expected to take this share of the time of the one before: the next had better lie ready too early."""
FIXED: Final = 110
"""Slots that would take as long as what is the same for every question."""
PROGRAM: Final = "ecumene_server.mindwork"
MAX_STARTS: Final = 3
"""Processes in a row that may die before they have decided anything."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came back.

    Attributes:
        number: Of the question.
        came: When, s of a clock that only runs forward.
        seconds: How long it took there.
        goal_level: (A,) i64 storeys of the goals.
        waypoint: (A, 3) m.
        goal: (A, 3) m.
        raw: (A, 8) i8 decisions.
    """

    number: int
    came: float
    seconds: float
    goal_level: Tensor
    waypoint: Tensor
    goal: Tensor
    raw: Tensor

    @classmethod
    def of(cls, number: int, count: int, data: bytearray) -> _Answer:
        """Reads the answer to a question about `count` slots."""
        (seconds,) = mindwork.SECONDS.unpack_from(data)
        columns, start = [], mindwork.SECONDS.size
        for dtype, width in mindwork.COLUMNS:
            column = np.frombuffer(data, dtype, count * width, start)
            columns.append(torch.from_numpy(column).view(count, width))
            start += column.nbytes
        level, *rest = columns
        return cls(number, time.perf_counter(), seconds, level[:, 0], *rest)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A share of slots under way, their serials, postures and whom their intents were about, and when it was asked."""

    number: int
    slots: Tensor
    serial: Tensor
    posture: Tensor
    target: Tensor
    tick: int


class ApartMinds:
    """Decides for the NPCs of a world elsewhere. All methods but `close` belong to the tick thread.

    Args:
        world: Whose NPCs.
        weights: Of the policy; None for the scripted controller.
        kept: Where the compiled layout is kept for the process to map.
    """

    def __init__(self, world: World, weights: Path | None, kept: Kept) -> None:
        self.lateness = Lateness(world.state.slots, soonest=1)
        self.seconds = 0.0
        """How long the last batch took, there."""
        self._world = world
        self._weights = weights
        self._kept = kept
        self._due: dict[int, Tensor] = {}
        self._asked: deque[_Asked] = deque()
        self._begun = 0.0
        self._count = 0
        self._starts = 0
        self._fields: dict[int, bytes] = {}
        self._begin()

    def decide(self, slots: Tensor) -> Actions:
        """Returns the decisions that have come since the last tick, and asks for those of `slots` or of who waits."""
        self.lateness.begin()
        if not self._crew.is_alive():
            self._restart()
        if self._world.layout is not self._layout:
            self._load()
        decided = self._collect()
        self._queue(slots)
        if self._due and self._may_ask():
            self._ask(self._next())
        return decided

    def field(self, goal: int) -> NDArray[np.int8] | None:
        """Returns the flow field of a place by its node, None while it is not known here."""
        packed = self._fields.get(goal)
        return None if packed is None else np.frombuffer(zlib.decompress(packed), np.int8)

    def settle(self) -> None:
        """Does nothing: what these minds remember is not over there."""

    def close(self) -> None:
        """Ends the process."""
        self._crew.close()

    def _begin(self) -> None:
        self._starts += 1
        self._crew = Crew()
        self._load()

    def _load(self) -> None:
        """Tells the process which layout it is in; answers that are under way will be passed over."""
        self._layout = self._world.layout
        self._mirrors = [Mirror.empty(self._world.state.slots, self._layout) for _ in range(UNDER_WAY)]
        self._crew.set_up(self._layout, self._kept, self._world.state.slots, self._weights)
        self._asked.clear()
        self._fields.clear()

    def _restart(self) -> None:
        status = self._crew.close()
        if self._starts >= MAX_STARTS:
            raise FailedError(f"the minds' process ended with status {status}, {self._starts} times in a row")
        self._begin()

    def _queue(self, slots: Tensor) -> None:
        self.lateness.turned(slots)
        if len(slots):
            share = int(slots[0]) % STRIDE
            self.lateness.dropped += share in self._due
            self._due[share] = slots

    def _next(self) -> Tensor:
        """Takes the share that has waited longest, and as many more as are decided in hardly more time."""
        taken: list[Tensor] = []
        count = 0
        for share, slots in list(self._due.items()):
            if taken and count + len(slots) > BATCH:
                break
            taken.append(self._due.pop(share))
            count += len(slots)
        return taken[0] if len(taken) == 1 else torch.cat(taken).sort().values

    def _may_ask(self) -> bool:
        """Tells whether the process is idle or will be before the next tick: later questions are about newer states."""
        if not self._asked:
            return True
        share = (len(self._asked[0].slots) + FIXED) / (self._count + FIXED)
        ends = self._begun + HASTE * self.seconds * share
        return len(self._asked) < UNDER_WAY and ends < time.perf_counter() + DT

    def _ask(self, slots: Tensor) -> None:
        state, mirror = self._world.state, self._mirrors[0]
        mirror.state.copy_(state)
        if not self._asked:
            self._begun = time.perf_counter()
        number = self._crew.ask(slots, mirror.data)
        self._mirrors.append(self._mirrors.pop(0))  # the other one's question is answered by the time it is free to ask
        serial, posture, target = (field[0, slots] for field in (state.serial, state.posture, state.target))
        self._asked.append(_Asked(number, slots, serial, posture, target, self.lateness.tick))

    def _collect(self) -> Actions:
        """Returns what has been decided since the last tick; of who was decided for twice, the later."""
        decided = Actions.none(self._world.state.device)
        while self._asked and (answer := self._crew.answer(self._asked[0].number)) is not None:
            decided = joined(decided, self._taken(self._asked.popleft(), answer))
        self._fields.update(self._crew.fields())
        return decided

    def _taken(self, asked: _Asked, answer: _Answer) -> Actions:
        """Returns the decisions of who is still there, and lets them know their way unless they want elsewhere now.

        Who has sat down or stood up meanwhile would undo that by a wish of before, so its decision is passed over.
        """
        state = self._world.state
        self._starts, self.seconds, self._begun = 0, answer.seconds, answer.came
        self._count = len(asked.slots)
        self.lateness.came(asked.tick, asked.slots)
        keep = (state.serial[0, asked.slots] == asked.serial) & state.alive[0, asked.slots]
        known = keep & self._wants_still(asked, answer)
        slots = asked.slots[known]
        state.waypoint[0, slots] = answer.waypoint[known]
        state.goal[0, slots] = answer.goal[known]
        state.goal_level[0, slots] = answer.goal_level[known]
        holds = keep & (state.posture[0, asked.slots] == asked.posture)
        return Actions(asked.slots[holds], answer.raw[holds].unsqueeze(0))

    def _wants_still(self, asked: _Asked, answer: _Answer) -> Tensor:
        """Returns (A,) bool whose goal is the one that it was asked about: whom it goes after, or the same point."""
        state, slots = self._world.state, asked.slots
        target = state.target[0, slots]
        there = (state.goal[0, slots] == answer.goal).all(dim=1) & (state.goal_level[0, slots] == answer.goal_level)
        return (target == asked.target) & ((target >= 0) | there)


class Crew:
    """The process, and the threads that talk to it."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", PROGRAM]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 - our own
        self._number = self._setups = self._ready = 0
        self._done = threading.Event()
        self._tasks: queue.SimpleQueue[Callable[[], Sequence[bytes | memoryview]] | None] = queue.SimpleQueue()
        self._answers: deque[_Answer] = deque()
        self._fields: deque[tuple[int, bytes]] = deque()
        self._trouble: OSError | None = None
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._write, self._read)]
        for thread in self._threads:
            thread.start()

    def is_alive(self) -> bool:
        """Returns whether the process still runs.

        Raises:
            FailedError: The layout could not be written for it.
        """
        if self._trouble is not None:
            raise FailedError(f"the layout can't be kept for the minds: {self._trouble}")
        return self._process.poll() is None

    def set_up(self, layout: Layout, kept: Kept, slots: int, weights: Path | None) -> None:
        """Has a layout written and loaded there; questions asked from now on belong to it."""
        setup = {
            "layout": str(kept.layout_file),
            "hash": layout.hash,
            "slots": slots,
            "weights": None if weights is None else str(weights),
        }
        text = json.dumps(setup).encode()
        self._setups += 1
        number = self._setups

        def task() -> Sequence[bytes]:
            self._await(number - 1)
            kept.keep(layout)
            return mindwork.HEAD.pack(mindwork.SETUP, number, len(text)), text

        self._tasks.put(task)

    def ask(self, slots: Tensor, state: memoryview) -> int:
        """Asks for decisions; the state's memory must stay as it is until the answer. Returns the question's number."""
        self._number += 1
        head = mindwork.HEAD.pack(mindwork.ASK, self._number, len(slots))
        rows = slots.numpy().tobytes()
        self._tasks.put(lambda: (head, rows, state))
        return self._number

    def answer(self, number: int) -> _Answer | None:
        """Returns the answer to a question if it is there; drops those to earlier ones."""
        while self._answers:
            found = self._answers.popleft()
            if found.number == number:
                return found
        return None

    def fields(self) -> dict[int, bytes]:
        """Returns the compressed fields of places that have come."""
        found = {}
        while self._fields:
            goal, packed = self._fields.popleft()
            found[goal] = packed
        return found

    def close(self) -> int:
        """Ends the process and waits for it; returns its exit status."""
        self._tasks.put(None)
        self._process.kill()
        status = self._process.wait()
        for thread in self._threads:
            thread.join()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):  # what could not be written any more
                    stream.close()
        return status

    def _await(self, number: int) -> None:
        """Waits until a setup is done: until then its layout must stay in the file."""
        while self._ready < number and self._process.poll() is None:
            self._done.wait(0.1)
            self._done.clear()

    def _write(self) -> None:
        sink = self._process.stdin
        assert sink is not None
        while (task := self._tasks.get()) is not None:
            try:
                parts = task()
            except OSError as error:
                self._trouble = error
                return
            try:
                for part in parts:
                    sink.write(part)
                sink.flush()
            except OSError:  # the process is gone; `is_alive` tells
                return

    def _read(self) -> None:
        source = cast("BinaryIO", self._process.stdout)
        while (head := read(source, mindwork.HEAD.size)) is not None:
            kind, number, count = mindwork.HEAD.unpack(head)
            if kind == mindwork.READY:
                self._ready = number
                self._done.set()
                continue
            if kind == mindwork.FIELD:
                packed = source.read(count)
                if self._ready == self._setups:
                    self._fields.append((number, packed))
                continue
            rows = source.read(mindwork.ANSWER_BYTES * count + mindwork.SECONDS.size)
            if len(rows) == mindwork.ANSWER_BYTES * count + mindwork.SECONDS.size:
                self._answers.append(_Answer.of(number, count, bytearray(rows)))
