"""Corrections: kept with consent only; listed, relabelled, exported, deleted."""

import base64
import io
import json
from pathlib import Path

from PIL import Image
from playwright.sync_api import expect
from tests.serve.browser.conftest import serving


def samples(page) -> dict:
    return page.page.evaluate("fetch('samples').then((r) => r.json())")


def key(page, label: int):
    return page.page.locator("#bars button").nth(label)


def written_with_consent(visit):
    """Somebody who allows corrections to be kept and has written a 7."""
    page = visit()
    page.page.check("#consent")
    page.write(7, 0.7)
    page.sees("7")
    return page


def keep_a_7_and_a_3(page) -> None:
    page.page.check("#consent")
    for digit, x in ((7, 0.2), (3, 0.9)):
        page.write(digit, x)
        expect(page.page.locator("#digits [aria-checked=true] b")).to_have_text(str(digit))
        key(page, digit).click()
        expect(page.page.locator("#corrected")).to_have_text("Kept. Thank you.")


def test_without_consent_nothing_is_kept(visit) -> None:
    page = visit()
    assert not page.page.is_checked("#consent")
    assert key(page, 1).is_disabled()
    page.write(7, 0.7)
    page.sees("7")
    key(page, 1).click()
    page.sees("1")
    expect(page.page.locator("#digit-title")).to_have_text("You say: a 1")
    expect(page.page.locator("#digit-note")).to_contain_text("It reads a 7,")  # whose reading it is that follows
    expect(page.page.locator("#corrected")).to_contain_text("on this page only")
    asked = list(page.asked)  # before this test itself asks
    assert not any("samples" in url and "?" not in url for url in asked)
    assert samples(page)["n"] == 0


def test_a_correction_is_kept_with_what_was_written_and_shown(visit) -> None:
    page = written_with_consent(visit)
    with page.page.expect_request(lambda r: r.method == "POST" and r.url.endswith("/samples")) as sent:
        key(page, 1).click()
    expect(page.page.locator("#corrected")).to_have_text("Kept. Thank you.")
    told = json.loads(sent.value.post_data)
    assert told["consent"] is True
    assert (told["label"], told["read_as"]) == (1, 7)
    assert told["picture"].startswith("iVBOR")  # a PNG
    assert told["model_version"]
    kept = samples(page)
    assert (kept["n"], kept["samples"][0]["label"], kept["samples"][0]["read_as"]) == (1, 1, 7)
    assert kept["samples"][0]["glyph"] == told["glyph"]
    expect(page.page.locator("#samples li")).to_have_count(1)
    expect(page.page.locator("#learn-label")).to_have_text("Learn from my one correction")


def test_a_kept_one_is_shown_as_it_was_written(visit) -> None:
    page = written_with_consent(visit)
    key(page, 7).click()
    glyph = page.page.locator("#samples .what")
    expect(glyph).to_have_attribute("aria-pressed", "false")
    glyph.click()
    expect(glyph).to_have_attribute("aria-pressed", "true")
    expect(glyph.locator("canvas")).to_be_hidden()
    expect(glyph.locator("img")).to_have_js_property("complete", True)
    assert max(glyph.locator("img").evaluate("(img) => [img.naturalWidth, img.naturalHeight]")) == 160
    glyph.click()
    expect(glyph.locator("canvas")).to_be_visible()
    expect(glyph.locator("img")).to_be_hidden()


def test_a_second_thought_changes_the_kept_one(visit) -> None:
    page = written_with_consent(visit)
    for label in (1, 2):
        key(page, label).click()
        expect(page.page.locator("#samples select")).to_have_value(str(label))
    assert samples(page)["n"] == 1


def test_kept_ones_can_be_relabelled_and_deleted(visit) -> None:
    page = visit()
    keep_a_7_and_a_3(page)
    expect(page.page.locator("#samples li")).to_have_count(2)  # the newest first
    page.page.locator("#samples select").nth(1).select_option("1")
    expect(page.page.locator("#samples .icon").nth(1)).to_have_attribute("aria-label", "Delete this 1, read as 7")
    assert [one["label"] for one in samples(page)["samples"]] == [3, 1]
    page.page.locator("#samples .icon").first.click()
    expect(page.page.locator("#samples li")).to_have_count(1)
    deleted: list[str] = []
    page.page.on("request", lambda request: request.method == "DELETE" and deleted.append(request.url))
    page.page.click("#forget")
    page.page.click("#sure [value=no]")
    page.page.wait_for_function("!sure.open && sure.returnValue === 'no'")
    page.page.wait_for_timeout(400)  # it would have been asked
    assert deleted == []
    assert samples(page)["n"] == 1
    page.page.click("#forget")
    page.page.click("#sure [value=yes]")
    expect(page.page.locator("#kept")).to_be_hidden()
    assert samples(page)["n"] == 0


def test_a_double_click_keeps_it_once(visit) -> None:
    page = written_with_consent(visit)
    with page.page.expect_response(lambda response: response.request.method == "PATCH"):  # the second press, after the first
        key(page, 7).dblclick()
    expect(page.page.locator("#corrected")).to_have_text("Kept. Thank you.")
    assert samples(page)["n"] == 1


def held_back(page) -> list:
    """The first correction on its way to the server, until the test lets it through."""
    held: list = []

    def hold(route) -> None:
        first = route.request.method == "POST" and not held
        held.append(route) if first else route.continue_()

    page.page.route("**/samples", hold)
    return held


def test_a_second_thought_changes_the_kept_one_though_more_was_written_while_it_was_on_its_way(visit) -> None:
    page = visit()
    page.page.check("#consent")
    page.write(7, 0.2)
    page.sees("7")
    held = held_back(page)
    with page.page.expect_request("**/samples"):
        key(page, 1).click()
    page.write(3, 0.9)
    page.sees("1", "3")
    held[0].continue_()
    expect(page.page.locator("#samples li")).to_have_count(1)
    page.page.locator("#digits .tile").first.click()
    key(page, 2).click()
    page.sees("2", "3")
    expect(page.page.locator("#samples select").first).to_have_value("2")
    assert [one["label"] for one in samples(page)["samples"]] == [2]


def test_what_was_said_and_kept_survives_clear_and_undo(visit) -> None:
    page = written_with_consent(visit)
    key(page, 1).click()
    expect(page.page.locator("#samples li")).to_have_count(1)
    page.page.click("#clear")
    page.sees()
    page.page.click("#undo")
    page.sees("1")
    key(page, 2).click()
    expect(page.page.locator("#samples select").first).to_have_value("2")
    assert [one["label"] for one in samples(page)["samples"]] == [2]


def test_a_picture_is_kept_as_it_was_when_the_key_was_pressed(visit) -> None:
    page = visit()
    page.page.check("#consent")
    page.write(7, 0.2)
    page.write(3, 0.9)
    page.sees("7", "3")
    held = held_back(page)
    with page.page.expect_request("**/samples"):
        key(page, 3).click()
    page.page.locator("#digits .tile").first.click()
    key(page, 7).click()  # waits until the first is kept
    page.page.click("#clear")
    with page.page.expect_request(lambda request: request.method == "POST" and request.url.endswith("/samples")) as second:
        held[0].continue_()
    picture = Image.open(io.BytesIO(base64.b64decode(json.loads(second.value.post_data)["picture"])))
    assert picture.convert("L").getextrema()[0] < 50  # there is ink
    expect(page.page.locator("#samples li")).to_have_count(2)


def test_one_that_was_deleted_can_be_kept_again(visit) -> None:
    page = written_with_consent(visit)
    key(page, 7).click()
    expect(page.page.locator("#samples li")).to_have_count(1)
    page.allowed.append("404")
    page.page.locator("#samples .icon").first.click()
    expect(page.page.locator("#kept")).to_be_hidden()
    expect(page.page.locator("#corrected")).to_have_text("")
    key(page, 1).click()
    expect(page.page.locator("#corrected")).to_have_text("Kept. Thank you.")
    assert [one["label"] for one in samples(page)["samples"]] == [1]


def test_keys_relabel_and_delete_without_losing_their_place(visit) -> None:
    page = visit()
    keep_a_7_and_a_3(page)
    expect(page.page.locator("#samples li")).to_have_count(2)
    first = page.page.locator("#samples select").first
    first.focus()
    first.press("ArrowUp")
    expect(first).to_have_value("2")
    first.press("ArrowUp")
    expect(first).to_have_value("1")
    expect(first).to_be_focused()
    expect(first).to_have_attribute("aria-label", "What it is, read as 3")
    expect(page.page.locator("#samples .icon").first).to_have_attribute("aria-label", "Delete this 1, read as 3")
    assert [one["label"] for one in samples(page)["samples"]] == [1, 7]
    page.page.locator("#samples .icon").first.press("Enter")
    expect(page.page.locator("#samples li")).to_have_count(1)
    expect(page.page.locator("#samples .icon").first).to_be_focused()


def test_of_two_choices_the_later_one_holds_though_the_first_is_slow(visit) -> None:
    page = visit()
    keep_a_7_and_a_3(page)
    expect(page.page.locator("#samples li")).to_have_count(2)
    page.page.evaluate("""() => {
        const fetched = window.fetch;
        let asked = 0, changes = 0;
        window.fetch = async (url, options) => {
            if (options?.method !== "PATCH") return fetched(url, options);
            if (!asked++) await new Promise((done) => setTimeout(done, 400));
            const answer = await fetched(url, options);
            document.documentElement.dataset.changes = ++changes;
            return answer;
        };
    }""")
    first = page.page.locator("#samples select").first
    first.select_option("5")
    first.select_option("6")
    expect(page.page.locator("html")).to_have_attribute("data-changes", "2")
    expect(page.page.locator("#samples .icon").first).to_have_attribute("aria-label", "Delete this 6, read as 3")
    assert [one["label"] for one in samples(page)["samples"]] == [6, 7]


def test_kept_ones_can_be_exported(visit) -> None:
    page = written_with_consent(visit)
    key(page, 7).click()
    expect(page.page.locator("#digit-title")).to_have_text("Yes, a 7")
    with page.page.expect_download() as file:
        page.page.click("#export")
    assert file.value.path().stat().st_size > 784


def test_consent_is_remembered_and_can_be_taken_back(visit) -> None:
    page = visit()
    page.page.check("#consent")
    page.page.reload()
    assert page.page.is_checked("#consent")
    page.page.uncheck("#consent")
    page.page.reload()
    assert not page.page.is_checked("#consent")


def test_what_the_writer_said_stays_while_more_is_written(visit) -> None:
    page = visit()
    page.write(7, 0.2)
    page.sees("7")
    key(page, 1).click()
    page.write(3, 0.9)
    page.sees("1", "3")


def test_the_chosen_digit_stays_chosen_while_others_are_written(visit) -> None:
    page = visit()
    page.write(7, 0.05)
    page.write(3, 0.55)
    page.sees("7", "3")
    page.page.locator("#digits .tile").first.click()
    key(page, 1).click()
    expect(page.page.locator("#corrected")).to_contain_text("on this page only")
    page.write(2, 1.05)
    page.sees("1", "3", "2")
    expect(page.page.locator("#digits .tile").first).to_have_attribute("aria-checked", "true")
    expect(page.page.locator("#corrected")).to_contain_text("on this page only")
    page.draw([page.at(0.2, 0.5), page.at(0.4, 0.5)])  # a bar through the 7
    expect(page.page.locator("#digit-title")).not_to_contain_text("You say")
    expect(page.page.locator("#digits .tile").first).to_have_attribute("aria-checked", "true")
    page.page.locator("#digits .tile").last.click()
    expect(page.page.locator("#corrected")).to_have_text("")
    page.write(1, 1.5)
    expect(page.page.locator("#digits .tile")).to_have_count(4)
    expect(page.page.locator("#digits .tile").last).to_have_attribute("aria-checked", "true")


def test_a_correction_that_cannot_be_kept_is_said(visit) -> None:
    page = visit()
    page.allowed.append("507")
    page.page.check("#consent")
    refusal = '{"error": {"code": "full", "message": "the file for samples is full"}}'
    page.page.route("**/samples", lambda route: route.fulfill(status=507, content_type="application/json", body=refusal))
    page.write(7, 0.7)
    page.sees("7")
    key(page, 1).click()
    expect(page.page.locator("#corrected")).to_have_text("The file for samples is full.")


def test_a_service_that_keeps_no_corrections_asks_nobody_to_allow_it(visit, tmp_path: Path) -> None:
    with serving(tmp_path, "--no-samples") as origin:
        page = visit(origin)
        consent, told = page.page.locator("#consent"), page.page.locator("#corrected")
        page.page.evaluate("localStorage.setItem('tenfold.keep-corrections', 'yes')")  # as agreed to when it kept some
        page.page.reload()
        expect(consent).to_be_disabled()
        expect(consent).not_to_be_checked()
        page.write(7, 0.7)
        page.sees("7")
        key(page, 1).click()
        expect(told).to_contain_text("this service keeps no corrections")
        expect(told).not_to_contain_text("allow")
