"""Scene graphs compiled by another process, which is there from an edit until none has come for a while."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import BinaryIO, Final, cast

from ecumene_server import compilework, layoutfile
from ecumene_server.compilework import Compiled, Drawn, Refusal, Reply, Task
from ecumene_server.errors import FailedError
from ecumene_server.kept import Kept
from ecumene_world import Layout, SceneGraph
from ecumene_world.errors import GraphError

PROGRAM: Final = "ecumene_server.compilework"
IDLE_S: Final = 60.0
"""How long the process waits for another edit: the next one is compiled sooner, but it takes memory."""


class Compiler:
    """Compiles for one world. Blocks; to be used on one thread at a time, none of them the tick's.

    Args:
        kept: Where layout and scene are kept.
    """

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._process: subprocess.Popen[bytes] | None = None
        self._used_at = 0.0
        self._closing = threading.Lock()

    def compile(self, graph: SceneGraph, cell_m: float | None) -> Layout:
        """Returns the layout of a graph, mapped from `Kept.next_file`; then `finish` waits for the scene.

        Raises:
            GraphError: The graph can't be compiled.
            FailedError: The process ended, or could not write the layout anywhere.
        """
        task = Task(str(self._kept.folder), self._kept.name, tempfile.gettempdir(), cell_m, graph.to_json())
        process = self._running()
        with contextlib.suppress(OSError):  # the process is gone, as the reply will tell
            compilework.put(cast("BinaryIO", process.stdin), task)
        answer = self._reply(process)
        assert isinstance(answer, Compiled), "a layout comes before its scene"
        layout = layoutfile.read(Path(answer.file))
        if layout is None or layout.hash != answer.hash:
            raise FailedError(f"the layout in {answer.file!r} is damaged")
        return layout

    def finish(self) -> None:
        """Waits until the scene of the graph compiled last is drawn.

        Raises:
            FailedError: The process ended.
        """
        assert self._process is not None, "something was compiled"
        assert isinstance(self._reply(self._process), Drawn), "a scene comes after its layout"
        self._used_at = time.monotonic()

    def rest(self) -> None:
        """Ends a process that has had nothing to do for `IDLE_S`."""
        if self._process is not None and time.monotonic() - self._used_at > IDLE_S:
            self.close()

    def close(self) -> None:
        """Ends the process; whoever waits for it is told."""
        with self._closing:
            process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):  # what could not be written any more
                    cast("BinaryIO", stream).close()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.close()
            command = [sys.executable, "-m", PROGRAM]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 - our own
        self._used_at = time.monotonic()
        return self._process

    def _reply(self, process: subprocess.Popen[bytes]) -> Reply:
        answer = compilework.reply(cast("BinaryIO", process.stdout))
        if answer is None:
            self.close()
            raise FailedError("the process that compiles edits has ended")
        if isinstance(answer, Refusal):
            raise (GraphError if answer.broken else FailedError)(answer.sentence)
        return answer
