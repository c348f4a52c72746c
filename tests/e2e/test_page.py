"""The page before anybody walks in, and on a phone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import CDPSession, Page, expect
from tests.e2e.serving import until
from tests.e2e.walking import distance, place, soon

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

OpenPage = Callable[..., Page]


def test_an_empty_name_is_answered_in_plain_words(open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_label("What shall we call you?").fill("   ")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("Please type a name first.")


def test_a_phone_walks_with_the_thumb(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page(viewport={"width": 390, "height": 700}, has_touch=True, is_mobile=True)
    page.get_by_label("What shall we call you?").fill("Thumb")
    page.get_by_role("button", name="Walk in").tap()
    until(page, "ecumene.status === 'open' && ecumene.serverPosition")
    start = place(page)
    thumb = page.context.new_cdp_session(page)
    for _ in range(6):
        touch(thumb, "touchStart", 520)
        touch(thumb, "touchMove", 470)
        moved = soon(page, lambda: distance(start, place(page)) > 0.5)
        touch(thumb, "touchEnd")
        if moved:
            break
        page.evaluate("ecumene.camera.turn(1.1, 0)")
    assert moved
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    picture = page.screenshot(path=tmp_path / "mobile.png")
    assert len(picture) > 40_000, "the picture is all but empty"


def touch(thumb: CDPSession, kind: str, y: float | None = None) -> None:
    """Moves the left thumb: a real touch, unlike an event made by a script."""
    points = [] if y is None else [{"x": 90.0, "y": y}]
    thumb.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def test_reduced_motion_keeps_the_first_view_still(open_page: OpenPage) -> None:
    page = open_page(reduced_motion="reduce")
    eye = page.evaluate("ecumene.eye")
    page.wait_for_timeout(1500)
    assert page.evaluate("ecumene.eye") == eye


def test_the_first_view_circles_over_the_world(open_page: OpenPage) -> None:
    page = open_page()
    until(page, "eye => ecumene.eye.some((each, i) => each !== eye[i])", page.evaluate("ecumene.eye"))
