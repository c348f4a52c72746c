"""The page in a real browser against a real server: joining, walking, meeting, talking, coming back."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import CDPSession, Page, expect
from tests.e2e.serving import Server, join, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

OpenPage = Callable[..., Page]


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


def test_typing_a_name_and_enter_joins_a_living_world(visit: Page) -> None:
    page = visit
    expect(page.locator("#join-facts")).to_contain_text("12 souls live here")
    expect(page.get_by_role("heading", name="Plaza 3")).to_be_visible()
    expect(page.locator("#status-text")).to_have_text("13 here")
    until(page, "ecumene.entities().filter(e => !e.visitor).length > 0")
    until(page, "ecumene.drawCalls > 3")
    assert page.evaluate("ecumene.drawCalls") < 200
    assert page.evaluate("ecumene.triangles") < 900_000


def test_an_empty_name_is_answered_in_plain_words(open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_label("What shall we call you?").fill("   ")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("Please type a name first.")


def test_walking_moves_us_on_the_server_and_prediction_agrees(visit: Page) -> None:
    page = visit
    walk(page)
    near = (
        "Math.hypot(ecumene.position[0] - ecumene.serverPosition[0], ecumene.position[1] - ecumene.serverPosition[1])"
    )
    until(page, f"{near} < 0.1")


def test_npcs_move(visit: Page) -> None:
    page = visit
    until(page, "ecumene.entities().some(e => !e.visitor)")
    page.evaluate("window.before = new Map(ecumene.entities().map(e => [e.id, e]))")
    until(
        page,
        "ecumene.entities().some(e => !e.visitor && before.has(e.id) && "
        "Math.hypot(e.x - before.get(e.id).x, e.y - before.get(e.id).y) > 0.5)",
    )


def test_two_visitors_meet_talk_and_wave(visit: Page, open_page: OpenPage) -> None:
    markup = "<b>Ben</b>"
    ada, ben = visit, open_page()
    join(ben, markup)
    until(ada, "name => ecumene.entities().some(e => e.title === name)", markup)
    approach(ada, markup)
    tag = ada.locator(".tag.visitor", has_text="Ben")
    expect(tag).to_be_visible()
    assert tag.locator("span").text_content() == markup
    assert ada.locator(".tag b").count() == 0, "a name became markup"

    ben.keyboard.press("Enter")
    ben.keyboard.type("Is <i>anybody</i> here?")
    ben.keyboard.press("Enter")
    line = ada.get_by_role("log").get_by_text("Is <i>anybody</i> here?")
    expect(line).to_be_visible()
    assert ada.locator("#chat-log i").count() == 0, "chat became markup"

    ben.keyboard.press("1")
    until(ada, "name => ecumene.entities().find(e => e.title === name)?.emote === 1", markup)


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


def test_everything_works_by_keyboard_and_in_words(visit: Page) -> None:
    page = visit
    expect(page.locator("#view")).to_be_focused()
    page.keyboard.press("p")
    expect(page.get_by_role("heading", name="Who is here")).to_be_focused()
    expect(page.get_by_role("button", name="Open the mind of")).to_have_count(12)
    page.keyboard.press("Escape")
    expect(page.locator("#drawer")).to_be_hidden()
    expect(page.locator("#view")).to_be_focused()
    page.keyboard.press("t")
    expect(page.locator("#toast")).to_contain_text("You are in Plaza 3, facing")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Say something")).to_be_focused()
    page.keyboard.type("wasd 12345")
    expect(page.get_by_label("Say something")).to_have_value("wasd 12345")
    page.keyboard.press("Escape")
    expect(page.locator("#view")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "BUTTON"
    unnamed = "[...document.querySelectorAll('button')].filter(b => !b.textContent.trim() && !b.ariaLabel).length"
    assert page.evaluate(unnamed) == 0
    page.locator("#view").focus()


def test_screen_readers_find_names_roles_and_live_regions(visit: Page) -> None:
    page = visit
    log = page.get_by_role("log")
    expect(log).to_have_count(1)
    expect(page.get_by_role("region", name="Chat")).to_be_visible()
    for name in ("Gestures", "Panels"):
        expect(page.get_by_role("toolbar", name=name)).to_be_visible()
    expect(log).to_have_attribute("aria-live", "polite")
    expect(page.locator("#announcer")).to_have_attribute("aria-live", "polite")
    expect(page.get_by_role("heading", level=2, name="Plaza 3")).to_be_visible()
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids)), "two elements share an id"
    assert page.locator("[tabindex]:not([tabindex='0']):not([tabindex='-1'])").count() == 0


def test_a_mind_can_be_opened(visit: Page) -> None:
    page = visit
    page.locator("#view").focus()
    until(page, "ecumene.entities().some(e => !e.visitor)")
    page.keyboard.press("i")
    drawer = page.locator("#drawer")
    for section in ("Now", "Needs", "Sees"):
        expect(drawer.get_by_role("heading", name=section)).to_be_visible()
    picture = drawer.get_by_role("img", name="Its view holds")
    assert picture.evaluate("c => [c.width, c.height]") == [24, 8]
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()


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
    still, moving = open_page(reduced_motion="reduce"), open_page()
    read: Callable[[Page], list[float]] = lambda page: page.evaluate("ecumene.eye")  # noqa: E731
    first, other = read(still), read(moving)
    still.wait_for_timeout(1500)
    assert read(still) == first
    assert read(moving) != other


def test_a_killed_server_finds_us_again_where_we_stood(visit: Page, server: Server) -> None:
    page = visit
    page.locator("#view").focus()
    page.wait_for_timeout(1500)
    before, epoch = place(page), page.evaluate("ecumene.epoch")
    server.kill()
    expect(page.locator("#status-text")).to_have_text("Reconnecting…")
    server.start()
    until(page, "epoch => ecumene.epoch > epoch && ecumene.serverPosition", epoch)
    expect(page.locator("#status-text")).to_contain_text("here")
    assert distance(before, place(page)) < 1.0
    walk(page, 0.4)
