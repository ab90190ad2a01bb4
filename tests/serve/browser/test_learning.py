"""Learning from the page: what it shows of each state, the server's answers played; and once the whole of it for real."""

import json
import re
from pathlib import Path

from playwright.sync_api import expect
from tests.serve.browser.conftest import HAND, serving

FIGURES = {
    "before": {"accuracy": 0.5, "n": 8},
    "after": {"accuracy": 1.0, "n": 8},
    "mnist_before": 0.9971,
    "mnist_after": 0.9969,
}


class Played:
    """A learning whose state the test sets; keeps what the page asked."""

    def __init__(self, page) -> None:
        self.state = {"state": "idle", "progress": 0, "message": "", "can_undo": False, "active": "bundled"}
        self.asked: list[str] = []
        for path in ("learning", "learning/*"):
            page.page.route(f"{page.origin}/{path}", self.answer)
        page.page.route(
            re.compile(r"/samples\?"),
            lambda route: route.fulfill(json={"enabled": True, "stored": True, "n": 12, "samples": []}),
        )
        page.page.reload()

    def answer(self, route) -> None:
        asked = f"{route.request.method} {route.request.url.rpartition('/')[2]}"
        if not asked.startswith("GET"):
            self.asked.append(asked)
            self.state |= {
                "POST learning": {"state": "running", "progress": 0.25},
                "DELETE learning": {"state": "idle"},
                "POST accept": {"state": "idle", "message": "", "can_undo": True, "active": "adapted"},
                "POST undo": {"can_undo": False, "active": "bundled"},
            }[asked]
        route.fulfill(status=200, content_type="application/json", body=json.dumps(self.state))


def test_it_learns_shows_what_it_brought_and_goes_back(visit) -> None:
    page = visit()
    played, at = Played(page), page.page.locator
    page.write(7, 0.7)
    page.sees("7")
    at("#bars button").nth(7).click()
    expect(at("#corrected")).not_to_be_empty()
    expect(at("#learn-label")).to_have_text("Learn from my 12 corrections")
    page.page.click("#learn")
    expect(at("#progress")).to_be_visible()
    expect(at("#learn")).to_be_hidden()
    played.state |= {"state": "done", "progress": 1, "message": "Learned from 12 corrections."} | FIGURES
    expect(at("#result")).to_be_visible()
    assert at("#result td").all_text_contents() == ["4 of 8", "8 of 8", "99.71 %", "99.69 %"]
    expect(at("#layers figure h3").last).to_have_text("Why a 7?")

    def of_another_model(route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, headers=answer.headers | {"x-model-version": "learnt"})

    page.page.route("**/read?glyphs=1", of_another_model)
    with page.page.expect_request("**/explain"), page.page.expect_request("**/read?glyphs=1"):
        page.page.click("#accept")  # what is on the pad is read and explained anew
    expect(at("#back")).to_be_visible()
    expect(at("#accept")).to_be_hidden()
    expect(at("#corrected")).to_be_empty()
    expect(at("#learning-note")).to_have_text("What was learnt from you reads now.")
    page.page.click("#back")
    expect(at("#back")).to_be_hidden()
    assert played.asked == ["POST learning", "POST accept", "POST undo"]


def test_only_what_brought_something_is_recommended(visit) -> None:
    page = visit()
    played, accept = Played(page), page.page.locator("#accept")
    for after, recommended in ((1.0, True), (0.25, False)):
        played.state |= {"state": "done"} | FIGURES | {"after": {"accuracy": after, "n": 8}}
        page.page.reload()
        expect(accept).to_be_visible()
        assert accept.evaluate("(one) => one.classList.contains('primary')") == recommended


def test_a_running_learning_can_be_stopped(visit) -> None:
    page = visit()
    played = Played(page)
    page.page.click("#learn")
    page.page.click("#stop")
    expect(page.page.locator("#learn")).to_be_visible()
    assert played.asked == ["POST learning", "DELETE learning"]


def test_back_pressed_twice_goes_back_one_step(visit) -> None:
    page = visit()
    played, back = Played(page), page.page.locator("#back")
    played.state |= {"can_undo": True, "active": "adapted"}
    page.page.reload()
    held = []
    page.page.route("**/learning/undo", lambda route: held.append(route))
    with page.page.expect_request("**/learning/undo"):
        back.dblclick()
    expect(back).to_have_attribute("aria-disabled", "true")
    expect(back).to_be_focused()
    played.answer(held[0])
    expect(back).to_be_hidden()
    expect(back).to_have_attribute("aria-disabled", "false")
    assert len(held) == 1
    assert played.asked == ["POST undo"]


def test_whoever_learns_by_keys_does_not_lose_their_place(visit) -> None:
    page = visit()
    played, at = Played(page), page.page.locator
    at("#learn").press("Enter")
    expect(at("#stop")).to_be_focused()
    at("#stop").press("Enter")
    expect(at("#learn")).to_be_focused()
    played.state |= {"state": "done", "progress": 1}
    page.page.reload()
    at("#accept").press("Enter")
    expect(at("#back")).to_be_focused()
    at("#back").press("Enter")
    expect(at("#hand")).to_be_focused()


def test_a_server_that_cannot_learn_says_why(visit) -> None:
    page = visit()
    played = Played(page)
    played.state = {"state": "off", "message": "training is not installed: pip install '.[train]' in tenfold's folder"}
    page.page.reload()
    expect(page.page.locator("#learning-note")).to_contain_text("pip install")
    expect(page.page.locator("#learn")).to_be_hidden()


def test_a_hand_is_learnt_for_real(visit, tmp_path: Path) -> None:
    """Nothing is played here: ten corrections, a training in a process of its own, and what it learnt reads the pad."""
    with serving(tmp_path) as origin:
        page = visit(origin)
        at = page.page.locator
        page.page.check("#consent")
        for k in range(10):
            write_mirrored_6(page, k)
            expect(at("#digits b")).to_have_count(1)
            at("#bars button").nth(6).click()
            expect(at("#corrected")).to_have_text("Kept. Thank you.")
            page.page.click("#clear")
        page.page.click("#learn")
        expect(at("#progress")).to_be_visible()
        expect(at("#result")).to_be_visible(timeout=600_000)
        before, after, *_ = at("#result td").all_text_contents()
        assert before == "0 of 10"
        assert int(after.split()[0]) >= 8
        write_mirrored_6(page, 4)
        expect(at("#digits b")).to_have_count(1)
        assert page.labels != ["6"]
        page.page.click("#accept")
        page.sees("6")
        page.page.click("#back")
        expect(at("#digits b")).not_to_have_text("6")


def write_mirrored_6(page, k: int) -> None:
    """As children write it, now larger, now smaller: read as a 2."""
    (stroke,) = HAND[6]
    size = 0.5 + 0.02 * k
    page.draw([page.at(0.9 - size * u, 0.15 + size * v) for u, v in stroke])
