"""A real server process and a real Chromium, shared by all browser tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright
from tests.e2e.serving import PATIENCE_S, ROOT, Server, join, until

PAGE: Final = ROOT / "server" / "ecumene_server" / "page" / "index.html"
CHROMIUM: Final = os.environ.get("ECUMENE_CHROMIUM", "/usr/bin/chromium")
FLAGS: Final = (
    "--headless=new",
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
)

OpenPage = Callable[..., Page]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An open plaza with a dozen scripted NPCs."""
    assert PAGE.is_file(), "the page is not built: run `make setup`, or `npm run build` in web/"
    one = Server(tmp_path_factory.mktemp("server"))
    one.start()
    yield one
    one.stop()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Playwright's driver."""
    with sync_playwright() as one:
        yield one


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """A headless Chromium that draws in software."""
    expect.set_options(timeout=1000 * PATIENCE_S)
    one = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
    yield one
    one.close()


@pytest.fixture
def open_page(browser: Browser, server: Server) -> Iterator[OpenPage]:
    """Opens the page as a new visitor with a small window; whatever it logs as an error fails the test."""
    with _opener(browser, server) as opened:
        yield opened


@pytest.fixture(scope="module")
def visit(browser: Browser, server: Server) -> Iterator[Page]:
    """A visitor called Marta who stays in the world for all tests that leave it as it was."""
    with _opener(browser, server) as opened:
        page = opened()
        join(page, "Marta")
        yield page


@contextmanager
def _opener(browser: Browser, server: Server) -> Iterator[OpenPage]:
    contexts = []
    problems: list[str] = []

    def opened(**options: Any) -> Page:
        context = browser.new_context(**({"viewport": {"width": 480, "height": 320}} | options))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(1000 * PATIENCE_S)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
        page.goto(server.url, wait_until="commit")
        until(page, "window.ecumene?.sceneLoaded")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not [each for each in problems if "WebSocket" not in each and "ERR_CONNECTION" not in each], problems
