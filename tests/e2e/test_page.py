"""The page before anybody walks in, and on a phone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import CDPSession, Page, expect
from tests.e2e.serving import join, until
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


def test_a_phone_has_room_for_fingers(open_page: OpenPage) -> None:
    page = open_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.get_by_label("What shall we call you?").fill("Finger")
    page.get_by_role("button", name="Walk in").tap()
    until(page, "ecumene.status === 'open' && ecumene.serverPosition")
    page.locator("#people-button").tap()
    small = """[...document.querySelectorAll("button, input")].filter(e => e.getClientRects().length)
        .map(e => [e.ariaLabel || e.textContent || e.id, e.getBoundingClientRect()])
        .filter(([, box]) => box.width < 44 || box.height < 44).map(([name]) => name)"""
    assert page.evaluate(small) == []
    row = page.get_by_role("button", name="Open the mind of").first
    page.evaluate("window.row = document.querySelector('.people button')")
    page.wait_for_timeout(1500)
    assert page.evaluate("row.isConnected"), "the list puts new buttons under the finger"
    row.tap()
    expect(page.locator("#drawer").get_by_role("heading", name="Now")).to_be_visible()


def test_who_is_sent_out_takes_no_names_along(open_page: OpenPage) -> None:
    first = open_page()
    join(first, "Twin")
    until(first, "ecumene.entities().length > 1")
    second = first.context.new_page()
    second.goto(first.url, wait_until="commit")
    join(second, "Twin")
    expect(first.get_by_role("alert")).to_contain_text("opened in another window")
    assert first.locator(".tag").count() == 0


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
