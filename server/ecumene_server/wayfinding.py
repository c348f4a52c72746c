"""Route fields for a live world: computed in a process of their own, taken in between two ticks."""

from __future__ import annotations

import math
import queue
import subprocess
import sys
import threading
import zlib
from collections import deque
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecumene_agents.routes import Routes
from ecumene_server import fieldwork
from ecumene_world.layout import Layout

LARGE_NODES: Final = 100_000
"""Grids with more nodes than this are left to another process; smaller ones take milliseconds here."""
AHEAD: Final = 2
"""Goals that are with the process at a time."""
LATER_LOOKS: Final = 40
"""Looks between two fields that nobody waits for, a few tenths of a second of work each."""


class Wayfinder:
    """Keeps a session's routes supplied. All methods but `close` belong to the tick thread.

    Args:
        routes: What is supplied.
        tell: Called with the goal, the reach and the directions of each field that comes from the other process.
    """

    def __init__(self, routes: Routes, tell: Callable[[int, float, NDArray[np.int8]], None] | None = None) -> None:
        self._routes = routes
        self._tell = tell
        self._own = routes.per_tick
        self._crew: _Crew | None = None
        self._looks = 0

    def look_after(self, layout: Layout) -> None:
        """Takes what was computed since the last tick, and hands out what is wanted now."""
        if layout.clearance.numel() <= LARGE_NODES:
            self._routes.per_tick, self._routes.hasty = self._own, False
            return
        if self._crew is None or self._crew.layout is not layout or not self._crew.is_alive():
            self.close()
            self._crew = _Crew(layout)
        self._routes.per_tick, self._routes.hasty = 0, True
        for goal, reach, directions in self._crew.finished():
            self._routes.put(goal, reach, directions)
            if self._tell is not None:
                self._tell(goal, reach, directions)
        while self._crew.busy < AHEAD and (wanted := self._routes.take_wanted()) is not None:
            self._crew.ask(*wanted)
        self._looks += 1
        if self._looks % LATER_LOOKS == 0 and not self._crew.busy and (place := self._routes.take_later()) is not None:
            self._crew.ask(place, math.inf)

    def close(self) -> None:
        """Ends the process."""
        if self._crew is not None:
            self._crew.close()
            self._crew = None


class _Crew:
    """The process, and the thread that talks to it."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.busy = 0
        self._asked: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._done: deque[tuple[int, float, NDArray[np.int8]]] = deque()
        self._under_way: set[int] = set()
        command = [sys.executable, "-m", "ecumene_server.fieldwork"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 - our own
        self._asked.put(fieldwork.described(layout))
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._write, self._read)]
        for thread in self._threads:
            thread.start()

    def is_alive(self) -> bool:
        """Returns whether the process still runs."""
        return self._process.poll() is None

    def ask(self, goal: int, reach: float) -> None:
        """Wants a field unless it is under way."""
        if goal not in self._under_way:
            self._under_way.add(goal)
            self.busy += 1
            self._asked.put(fieldwork.GOAL.pack(goal, reach))

    def finished(self) -> list[tuple[int, float, NDArray[np.int8]]]:
        """Returns the fields that are ready."""
        ready = []
        while self._done:
            found = self._done.popleft()
            self._under_way.discard(found[0])
            self.busy -= 1
            ready.append(found)
        return ready

    def close(self) -> None:
        """Ends the process and waits for it."""
        self._asked.put(None)
        self._process.kill()
        self._process.wait()
        for thread in self._threads:
            thread.join()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def _write(self) -> None:
        assert self._process.stdin is not None
        while (data := self._asked.get()) is not None:
            try:
                self._process.stdin.write(data)
                self._process.stdin.flush()
            except OSError:  # the process is gone; `is_alive` tells
                return

    def _read(self) -> None:
        assert self._process.stdout is not None
        stream = self._process.stdout
        while (head := fieldwork.read(stream, fieldwork.FIELD.size)) is not None:  # type: ignore[arg-type]
            goal, reach, size = fieldwork.FIELD.unpack(head)
            packed = fieldwork.read(stream, size)  # type: ignore[arg-type]
            if packed is None:
                return
            self._done.append((goal, reach, np.frombuffer(bytearray(zlib.decompress(packed)), np.int8)))
