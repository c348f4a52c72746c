"""Starts servers for tests: in this process for speed, or as a program of its own to be killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.integration.squares import saved

from ecumene_server.app import App, running
from ecumene_server.settings import Settings

ROOT = Path(__file__).parents[2]
PACKAGES = ("models", "world", "sim", "agents", "scenarios", "server")


@asynccontextmanager
async def serving(folder: Path, **changes: Any) -> AsyncIterator[App]:
    """Serves the test square inside this process; nobody lives there unless `npcs` says so."""
    values: dict[str, Any] = {
        "world": str(saved(folder)),
        "port": 0,
        "npcs": 0,
        "minds": "none",
        "folder": str(folder / "worlds"),
        "browser": False,
        **changes,
    }
    async with running(Settings(**values), lambda _: None) as app:
        try:
            yield app
        finally:
            if app.failure is not None:
                raise app.failure


@dataclass(slots=True)
class Program:
    """A server in a process of its own.

    Attributes:
        process: It.
        url: Where it is open.
        lines: What it has printed, errors included.
        reader: Fills `lines` until the process ends.
    """

    process: subprocess.Popen[str]
    url: str
    lines: list[str]
    reader: threading.Thread

    def kill(self) -> None:
        """Ends it as a power failure of the process would: SIGKILL, no goodbye."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def terminate(self) -> int:
        """Asks it to end; returns its exit status."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=30)
        self.reader.join(timeout=10)
        return status


def environment() -> dict[str, str]:
    """Returns an environment in which the packages are found and torch takes one thread."""
    path = os.environ.get("PYTHONPATH", "")
    sources = os.pathsep.join([*(str(ROOT / name) for name in PACKAGES), str(ROOT)])
    kept = {k: v for k, v in os.environ.items() if not k.startswith("ECUMENE_")}
    return {**kept, "PYTHONPATH": os.pathsep.join(filter(None, [path, sources])), "OMP_NUM_THREADS": "1"}


@contextmanager
def program(folder: Path, *arguments: str) -> Iterator[Program]:
    """Runs `ecumene serve` on the test square until the context ends."""
    world = folder / "square.json"
    command = [sys.executable, "-m", "ecumene_server", "serve", str(world if world.exists() else saved(folder))]
    command += ["--port", "0", "--npcs", "0", "--minds", "none", "--no-browser", *arguments]
    process = subprocess.Popen(
        command, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield _opened(process)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _opened(process: subprocess.Popen[str]) -> Program:
    """Reads the output until the server is open."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("Ecumene is open at "):
            reader = threading.Thread(target=_drain, args=(process, lines), daemon=True)
            reader.start()
            return Program(process, line.split()[-1], lines, reader)
    raise AssertionError("the server did not open:\n" + "".join(lines))


def _drain(process: subprocess.Popen[str], lines: list[str]) -> None:
    with contextlib.suppress(ValueError):
        for line in process.stdout or ():
            lines.append(line)  # noqa: PERF402 - seen by others while the program runs


def fetch(url: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Returns status, headers and body of a GET request."""
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, dict(response.headers), response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()
