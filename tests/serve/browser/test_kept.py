"""The list of kept corrections, the server's answers played: its pages, and what becomes of it while one deletes."""

import base64
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

GLYPH = base64.b64encode(bytes(784)).decode()


class Kept:
    """So many corrections, the newest first; keeps what the page asked, and can hold answers back."""

    def __init__(self, page, n: int) -> None:
        self.ids = list(range(n, 0, -1))
        self.asked: list[str] = []
        self.holds, self.held = False, []
        page.page.route(re.compile(r"/samples\?"), self.listed)
        for path in ("samples", "samples/*"):
            page.page.route(f"**/{path}", self.deleted)
        page.page.reload()

    def listed(self, route) -> None:
        asked = {name: int(value) for name, (value,) in parse_qs(urlsplit(route.request.url).query).items()}
        some = self.ids[asked["offset"] :][: asked["limit"]]
        samples = [{"id": one, "label": one % 10, "read_as": one % 10, "glyph": GLYPH} for one in some]
        answer = {"enabled": True, "stored": True, "n": len(self.ids), "samples": samples}
        self.asked.append(urlsplit(route.request.url).query)
        if self.holds:
            self.held.append(lambda: route.fulfill(json=answer))
        else:
            route.fulfill(json=answer)

    def deleted(self, route) -> None:
        one = route.request.url.rpartition("/")[2]
        self.ids = [] if one == "samples" else [each for each in self.ids if each != int(one)]
        self.asked.append(route.request.method)
        route.fulfill(status=204)


@pytest.fixture
def page(visit):
    return visit()


def cards(page):
    return page.page.locator("#samples li")


def ids(page) -> list[int]:
    return page.page.evaluate("[...document.querySelectorAll('#samples li')].map((card) => Number(card.dataset.id))")


def test_more_pressed_twice_shows_one_page_more(page) -> None:
    kept = Kept(page, 200)
    expect(cards(page)).to_have_count(60)
    kept.asked.clear()
    page.page.locator("#more").dblclick()
    expect(cards(page)).to_have_count(120)
    assert kept.asked == ["limit=60&offset=60"]
    assert ids(page) == kept.ids[:120]


def test_the_list_stays_as_long_while_one_deletes(page) -> None:
    kept = Kept(page, 130)
    page.page.click("#more")
    expect(cards(page)).to_have_count(120)
    away = cards(page).nth(70).locator("button")
    away.focus()
    after = kept.ids[71]
    away.press("Enter")
    expect(page.page.locator("#kept-title")).to_have_text("129 kept corrections")
    assert ids(page) == kept.ids[:120]
    expect(page.page.locator(f"#samples li[data-id='{after}'] button")).to_be_focused()


def test_an_answer_that_was_overtaken_does_not_come_into_the_list(page) -> None:
    kept = Kept(page, 130)
    expect(cards(page)).to_have_count(60)
    kept.holds = True
    with page.page.expect_request(re.compile(r"/samples\?")):
        page.page.click("#more")
    cards(page).first.locator("button").click()
    page.page.wait_for_timeout(400)  # both are asked for
    more, reload = kept.held
    reload()
    expect(cards(page)).to_have_count(120)  # more was wanted, and came
    more()
    page.page.wait_for_timeout(400)
    assert ids(page) == kept.ids[:120]


def test_a_double_click_deletes_one(page) -> None:
    kept = Kept(page, 5)
    expect(cards(page)).to_have_count(5)
    away = cards(page).first.locator("button")
    away.scroll_into_view_if_needed()
    box = away.bounding_box()
    mouse = page.page.mouse
    mouse.move(box["x"] + 5, box["y"] + 5)
    for clicks, left in ((1, 4), (2, 4)):
        mouse.down(click_count=clicks)
        mouse.up(click_count=clicks)
        expect(cards(page)).to_have_count(left)  # the next one has moved up
    page.page.wait_for_timeout(400)
    assert kept.asked.count("DELETE") == 1
    away.dblclick()
    expect(cards(page)).to_have_count(3)
    assert kept.asked.count("DELETE") == 2


def test_whoever_goes_through_the_list_by_keys_does_not_lose_their_place(page) -> None:
    kept, at = Kept(page, 150), page.page.locator
    at("#more").press("Enter")
    expect(cards(page)).to_have_count(120)
    expect(at("#more")).to_be_focused()
    at("#more").press("Enter")
    expect(cards(page).nth(120).locator("select")).to_be_focused()  # there is no more
    cards(page).last.locator("button").press("Enter")
    expect(cards(page).nth(148).locator("button")).to_be_focused()
    at("#forget").press("Enter")
    at("#sure [value=yes]").press("Enter")
    expect(at("#kept")).to_be_hidden()
    expect(at("#hand")).to_be_focused()
    assert kept.ids == []


def test_what_deletes_one_covers_nothing_of_its_glyph(page) -> None:
    Kept(page, 3)
    expect(cards(page)).to_have_count(3)
    glyph, away = (cards(page).first.locator(name).bounding_box() for name in ("canvas", ".icon"))
    assert away["y"] >= glyph["y"] + glyph["height"]
