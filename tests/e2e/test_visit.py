"""One visit in a real browser to a real server: walking, meeting, talking, looking into a mind, coming back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from tests.e2e.serving import Server, join, until
from tests.e2e.walking import approach, distance, place, walk

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

OpenPage = Callable[..., Page]


def test_typing_a_name_and_enter_joins_a_living_world(visit: Page) -> None:
    page = visit
    expect(page.locator("#join-facts")).to_contain_text("12 souls live here")
    expect(page.get_by_role("heading", name="Plaza 3")).to_be_visible()
    expect(page.locator("#status-text")).to_have_text("13 here")
    until(page, "ecumene.entities().filter(e => !e.visitor).length > 0")
    until(page, "ecumene.drawCalls > 3")
    assert page.evaluate("ecumene.drawCalls") < 200
    assert page.evaluate("ecumene.triangles") < 900_000


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
