"""Districts made by another process, which is there for one of them at a time and can be ended at any moment."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final, cast

from ecumene_server import compilework, growwork, layoutfile
from ecumene_server.errors import FailedError
from ecumene_server.growwork import Made, Refusal, Reply, Task, Told
from ecumene_server.kept import Kept
from ecumene_world import Layout, SceneGraph
from ecumene_world.errors import RequestError
from ecumene_world.extend.district import District

PROGRAM: Final = "ecumene_server.growwork"


class Grower:
    """Makes districts of one world. Blocks, but for `close`, which may be called on any thread.

    Args:
        kept: Where layout and scene are kept.
    """

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._process: subprocess.Popen[bytes] | None = None
        self._changing = threading.Lock()

    def make(
        self, graph: SceneGraph, cell_m: float | None, wish: District, tell: Callable[[str, float], None]
    ) -> tuple[Made, Layout]:
        """Returns a district that fits into a world, and the layout of the whole; then `finish` waits for the scene.

        Args:
            graph: The world.
            cell_m: As `compile_layout` takes it.
            wish: What is asked for.
            tell: Called with what is being done and how much is done.

        Raises:
            RequestError: There can't be such a district; the message says why.
            FailedError: The process ended.
        """
        task = Task(
            folder=str(self._kept.folder),
            name=self._kept.name,
            spare=tempfile.gettempdir(),
            cell_m=cell_m,
            graph=graph.to_json(),
            kind=wish.kind,
            seed=wish.seed,
            tags=wish.tags,
            size_m=wish.size_m,
            at=wish.at,
        )
        process = self._begun()
        with contextlib.suppress(OSError):  # the process is gone, as the reply will tell
            compilework.put(cast("BinaryIO", process.stdin), task)
        while isinstance(answer := self._reply(process), Told):
            tell(answer.doing, answer.share)
        if isinstance(answer, Refusal):
            raise RequestError(answer.sentence)
        assert isinstance(answer, Made), "a district comes before its scene"
        layout = layoutfile.read(Path(answer.file))
        if layout is None or layout.hash != answer.hash:
            raise FailedError(f"the layout in {answer.file!r} is damaged")
        return answer, layout

    def finish(self) -> None:
        """Waits until the scene of the whole is drawn, as far as that can be, then ends the process."""
        if self._process is not None:
            growwork.reply(cast("BinaryIO", self._process.stdout))
        self.close()

    def close(self) -> None:
        """Ends the process; whoever waits for it is told."""
        with self._changing:
            process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):  # what could not be written any more
                    cast("BinaryIO", stream).close()

    def _begun(self) -> subprocess.Popen[bytes]:
        self.close()
        command = [sys.executable, "-m", PROGRAM]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 - our own
        with self._changing:
            self._process = process
        return process

    def _reply(self, process: subprocess.Popen[bytes]) -> Reply:
        try:
            answer = growwork.reply(cast("BinaryIO", process.stdout))
        except ValueError:  # closed meanwhile
            answer = None
        if answer is None:
            self.close()
            raise FailedError("the process that makes districts has ended")
        return answer
