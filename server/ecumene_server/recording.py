"""A live world recorded: the tick thread tells what happened, another one writes it.

The file is what `ecumene run --record` writes, so `ecumene replay` makes the same ticks happen again, bit for bit: each
record holds the commands of visitors, sensors and slow minds as they were applied, and the decisions in the tick in
which they were, late or not. A second's ticks are written together; a server that is killed leaves all whole seconds.
What people say is replaced by as many dots unless it is to be kept, and minds' memories are left out.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Final

from ecumene_scenarios.record import Recorder
from ecumene_scenarios.session import Keeping, Session
from ecumene_server.errors import FailedError
from ecumene_server.freeze import Freezer, Frozen
from ecumene_server.host import Host
from ecumene_sim.frame import Actions
from ecumene_world.command import Command
from ecumene_world.state import TICK_HZ, State

BLOCK_TICKS: Final = TICK_HZ
"""Ticks written together: at most so many are lost when the server is killed."""
MAX_WAITING: Final = 60 * TICK_HZ
"""Ticks that may wait for a slow disk; with more the recording ends."""
KEYFRAME_S: Final = 300.0
"""Pause between two keyframes, from which showing may start."""

_LOG: Final = logging.getLogger("ecumene.store")


class LiveRecording:
    """Writes one recording beside the ticks.

    Args:
        path: Where to; if there is a file already, the name gets a number.
        keep_chat: Whether the text of what people say is kept.

    Attributes:
        path: Of the file.
        ended: Why it ended before the server did, None while it goes on.

    Raises:
        FailedError: It can't be written there.
    """

    def __init__(self, path: Path, *, keep_chat: bool) -> None:
        self.path = _free(path)
        self.ended: str | None = None
        try:
            self._recorder = Recorder(self.path, keep_chat=keep_chat, block_ticks=BLOCK_TICKS)
        except OSError as error:
            raise FailedError(f"the recording {str(path)!r} can't be written: {error.strerror}") from error
        self._tasks: queue.Queue[Callable[[], None] | None] = queue.Queue(MAX_WAITING)
        self._thread = threading.Thread(target=self._run, name="recording", daemon=True)

    def begin(self, session: Session, frozen: Frozen) -> None:
        """Writes where everything starts, then waits for ticks.

        Raises:
            FailedError: It can't be written.
        """
        try:
            self._recorder.start({**session.header(), "open_end": True}, _snapshot(frozen), frozen.tick)
        except OSError as error:
            raise FailedError(f"the recording {str(self.path)!r} can't be written: {error.strerror}") from error
        self._thread.start()

    def write(self, tick: int, commands: Sequence[Command], actions: Actions, state: State) -> None:
        """Notes `tick`, which has just led to `state`; on the tick thread."""
        if self.ended is None:
            record = self._recorder.told(tick, commands, actions, state)
            self._put(lambda: self._recorder.take(record))

    async def keyframes(self, host: Host, freezer: Freezer) -> None:
        """Adds a keyframe each `KEYFRAME_S` until it is cancelled."""
        while self.ended is None:
            await asyncio.sleep(KEYFRAME_S)
            frozen = await host.wonder(freezer.freeze)
            snapshot = await asyncio.to_thread(_snapshot, frozen)
            self._put(lambda: self._recorder.keyframe(snapshot, frozen.tick))  # noqa: B023 - done before the next

    def close(self, state: State | None) -> None:
        """Writes what waits and the end; without a state, a recording that says that it was cut off."""
        if self._thread.is_alive():
            self._tasks.put(None)
            self._thread.join()
        try:
            if state is None or self.ended is not None:
                self._recorder.abandon()
            else:
                self._recorder.close(state)
        except OSError as error:
            self._end(f"{error.strerror}")

    def _put(self, task: Callable[[], None]) -> None:
        if self.ended is not None:
            return
        try:
            self._tasks.put_nowait(task)
        except queue.Full:
            self._end("the disk is too slow")

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None:
            if self.ended is None:
                try:
                    task()
                except OSError as error:
                    self._end(f"{error.strerror}")

    def _end(self, why: str) -> None:
        if self.ended is None:
            self.ended = why
            _LOG.error("the recording %s ends here: %s", self.path.name, why)


class Both:
    """Tells two keepers of each tick.

    Args:
        first: Told first.
        second: Told then.
    """

    def __init__(self, first: Keeping, second: Keeping) -> None:
        self._keepers = (first, second)

    def write(self, tick: int, commands: Sequence[Command], actions: Actions, state: State) -> None:
        """Notes `tick`, which has just led to `state`."""
        for keeper in self._keepers:
            keeper.write(tick, commands, actions, state)


def _free(path: Path) -> Path:
    """Returns the path, or the next one with a number that is not taken: recordings are not written over."""
    names = (path if number == 1 else path.with_stem(f"{path.stem}-{number}") for number in count(1))
    return next(each for each in names if not each.exists())


def _snapshot(frozen: Frozen) -> bytes:
    return frozen.without_minds().packed()
