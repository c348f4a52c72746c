"""A real server process for browser tests."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, expect

PATIENCE_S: Final = 60.0
"""A software renderer on two slow cores needs seconds for what a person waits milliseconds for."""
ROOT: Final = Path(__file__).parents[2]


def until(page: Page, expression: str, argument: object = None) -> None:
    """Waits until a JavaScript expression, or function of the argument, is true in the page.

    Playwright's own waiting evaluates strings in the page, which the page's content security policy forbids.
    """
    deadline = time.monotonic() + PATIENCE_S
    while not page.evaluate(expression, argument):
        assert time.monotonic() < deadline, f"{expression} did not become true within {PATIENCE_S:g} s"
        page.wait_for_timeout(100)


def join(page: Page, name: str) -> None:
    """Walks in under a name, by keyboard, and waits until the server shows us to ourselves."""
    expect(page.get_by_label("What shall we call you?")).to_be_focused()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type(name)
    page.keyboard.press("Enter")
    until(page, "ecumene.status === 'open' && ecumene.serverPosition")


class Server:
    """One `ecumene serve` that can be killed and started again on the same port and database.

    Args:
        folder: Where its database and output go.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._starts = 0
        self.url = ""
        self._port = 0

    def start(self) -> None:
        """Starts it and waits until it says that it is open."""
        packages = ("models", "world", "sim", "agents", "scenarios", "server")
        env = os.environ | {"PYTHONPATH": ":".join(str(ROOT / each) for each in packages), "OMP_NUM_THREADS": "1"}
        start = "from ecumene_server.cli import main; main()"
        command = [sys.executable, "-c", start, "serve", "plaza", "--seed", "3", "--npcs", "12"]
        command += ["--minds", "scripted", "--no-browser", "--port", str(self._port)]
        command += ["--db", f"sqlite:///{self._folder / 'world.db'}"]
        self._starts += 1
        output = self._folder / f"server-{self._starts}.log"
        with output.open("wb") as file:
            self._process = subprocess.Popen(command, env=env, cwd=self._folder, stdout=file, stderr=subprocess.STDOUT)
        self.url = self._wait(output)
        self._port = int(self.url.rsplit(":", 1)[1].strip("/"))

    def kill(self) -> None:
        """Ends it as a power cut would."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)
        self._process = None

    def stop(self) -> None:
        """Ends it in order, if it runs."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        self._process = None

    def _wait(self, output: Path) -> str:
        assert self._process is not None
        for _ in range(900):
            text = output.read_text(errors="replace")
            found = re.search(r"Ecumene is open at (http://\S+)", text)
            if found:
                return found[1]
            assert self._process.poll() is None, f"the server ended with {self._process.returncode}: {text}"
            time.sleep(0.1)
        raise AssertionError(f"the server did not open within 90 s: {output.read_text(errors='replace')}")
