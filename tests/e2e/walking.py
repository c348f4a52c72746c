"""Walking in the page, as tests do it."""

from __future__ import annotations

import math
from collections.abc import Callable

from playwright.sync_api import Page


def place(page: Page) -> tuple[float, float]:
    """Returns where the server has us, metres."""
    x, y, _ = page.evaluate("ecumene.serverPosition")
    return x, y


def distance(a: tuple[float, float], b: tuple[float, float]) -> float:
    return math.hypot(a[0] - b[0], a[1] - b[1])


def walk(page: Page, least: float = 0.8) -> None:
    """Holds W until the server has moved us that far, turning where something is in the way."""
    start = place(page)
    for _ in range(6):
        page.keyboard.down("KeyW")
        arrived = soon(page, lambda: distance(start, place(page)) > least)
        page.keyboard.up("KeyW")
        if arrived:
            return
        page.evaluate("ecumene.camera.turn(1.1, 0)")
    raise AssertionError(f"W moved us {distance(start, place(page)):.2f} m; {least} m were expected")


def soon(page: Page, done: Callable[[], bool], tries: int = 25) -> bool:
    """Asks a few times a second for about five seconds."""
    for _ in range(tries):
        if done():
            return True
        page.wait_for_timeout(200)
    return False


def approach(page: Page, title: str, near_m: float = 7.0) -> None:
    """Walks towards somebody until they are near, and looks at them from behind ourselves."""
    look = """title => {
        const other = ecumene.entities().find(e => e.title === title);
        const [x, y] = ecumene.serverPosition;
        ecumene.camera.yaw = Math.atan2(other.y - y, other.x - x);
        ecumene.camera.distance = 4;
        return Math.hypot(other.x - x, other.y - y);
    }"""

    def arrived() -> bool:
        return bool(page.evaluate(look, title) < near_m)

    if not arrived():
        page.keyboard.down("KeyW")
        soon(page, arrived, tries=60)
        page.keyboard.up("KeyW")
    assert arrived(), f"{title} is still {page.evaluate(look, title):.1f} m away"
