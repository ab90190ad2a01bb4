"""Pictures chosen, pasted and dropped; what the page says of those it cannot use."""

import base64
from pathlib import Path

from playwright.sync_api import expect

IMAGES = Path(__file__).parents[3] / "docs" / "images"
NOTE = ["0171", "2369845"]  # its first row


def a_picture_over_a_7(visit):
    """Somebody who has written a 7 and then handed in a picture."""
    page = visit()
    page.write(7, 0.7)
    page.sees("7")
    page.page.set_input_files("#file", IMAGES / "field.png")
    page.sees(*"482107")
    return page


def test_a_chosen_picture_is_read_and_shown_with_boxes(visit) -> None:
    page = visit()
    page.page.set_input_files("#file", IMAGES / "note.png")
    expect(page.page.locator("#digits b").nth(10)).to_be_visible()
    assert "".join(page.labels[:11]) == "".join(NOTE)
    expect(page.page.locator("#digits .line")).to_have_count(3)
    assert page.page.locator("#boxes .box").count() == len(page.labels)
    page.page.click("#clear")
    page.sees()


def test_a_box_of_a_picture_can_be_picked(visit) -> None:
    page = visit()
    page.page.set_input_files("#file", IMAGES / "note.png")
    box = page.page.locator("#boxes .box").nth(4).bounding_box()
    page.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.page.locator("#digits .tile").nth(4)).to_have_attribute("aria-checked", "true")
    expect(page.page.locator("#digit-title")).to_contain_text("A 2, ")


def test_a_picture_that_lies_on_its_side_is_said_to_and_can_be_turned(visit, tmp_path: Path) -> None:
    from PIL import Image

    Image.open(IMAGES / "field.png").rotate(90, expand=True).save(tmp_path / "lying.png")
    page = visit()
    expect(page.page.locator("#turn")).to_be_hidden()
    page.page.set_input_files("#file", tmp_path / "lying.png")
    expect(page.page.locator("#summary")).to_contain_text("Turned by 90 degrees clockwise it reads 482107, right with")
    page.page.click("#turn")
    page.sees(*"482107")
    expect(page.page.locator("#summary")).to_contain_text("All 6 together: 98")
    page.page.click("#clear")
    expect(page.page.locator("#turn")).to_be_hidden()


def test_a_pasted_picture_is_read(visit) -> None:
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    picture = base64.b64encode((IMAGES / "seven.png").read_bytes()).decode()
    page.page.evaluate(
        """async (text) => {
            const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
            await navigator.clipboard.write([new ClipboardItem({ "image/png": new Blob([bytes], { type: "image/png" }) })]);
        }""",
        picture,
    )
    page.page.keyboard.press("Control+v")
    page.sees("7")


def test_a_dropped_picture_is_read(visit) -> None:
    page = visit()
    dropped = page.page.evaluate_handle(
        """(text) => {
            const transfer = new DataTransfer();
            const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
            transfer.items.add(new File([bytes], "<img onerror=1>.png", { type: "image/png" }));
            return transfer;
        }""",
        base64.b64encode((IMAGES / "seven.png").read_bytes()).decode(),
    )
    page.page.dispatch_event("#pad", "dragover", {"dataTransfer": dropped})
    expect(page.page.locator("#drop")).to_be_visible()
    page.page.dispatch_event("#pad", "drop", {"dataTransfer": dropped})
    page.sees("7")


def test_a_large_picture_is_made_smaller_before_it_travels(visit, tmp_path: Path) -> None:
    from PIL import Image

    Image.open(IMAGES / "seven.png").resize((3600, 3000)).save(tmp_path / "large.png")
    page = visit()
    with page.page.expect_request("**/read?glyphs=1*") as sent:
        page.page.set_input_files("#file", tmp_path / "large.png")
    assert sent.value.headers["content-type"] == "image/jpeg"
    page.sees("7")


def test_a_file_that_is_no_picture_is_refused_in_one_line(visit, tmp_path: Path) -> None:
    (tmp_path / "no.png").write_bytes(b"no picture")
    page = visit()
    page.page.set_input_files("#file", tmp_path / "no.png")
    expect(page.page.locator("#problem")).to_have_text(
        "This file is not a picture that the browser can show. PNG and JPEG always work."
    )
    page.write(7, 0.7)
    page.sees("7")
    expect(page.page.locator("#problem")).to_be_hidden()


def test_what_the_server_refuses_is_one_plain_line(visit) -> None:
    page = visit()
    page.allowed.append("413")
    refusal = '{"error": {"code": "too_large", "message": "the body is larger than 1 byte"}}'
    page.page.route("**/read?glyphs=1*", lambda route: route.fulfill(status=413, content_type="application/json", body=refusal))
    page.write(7, 0.7)
    expect(page.page.locator("#problem")).to_have_text("The body is larger than 1 byte.")


def test_a_picture_that_could_not_be_read_has_nothing_of_the_one_before(visit, tmp_path: Path) -> None:
    page = visit()
    page.write(7, 0.7)
    page.sees("7")
    page.allowed.append("413")
    refusal = {"error": {"code": "body_too_large", "message": "the body has too many bytes"}}
    page.page.route("**/read?glyphs=1*", lambda route: route.fulfill(status=413, json=refusal))
    page.page.set_input_files("#file", IMAGES / "field.png")
    expect(page.page.locator("#problem")).to_be_visible()
    page.sees()
    expect(page.page.locator(".box")).to_have_count(0)


def test_of_a_drawing_nothing_stays_on_a_picture_that_is_still_being_read(visit) -> None:
    page = visit()
    page.write(7, 0.7)
    page.sees("7")
    page.page.route("**/read?glyphs=1*", lambda route: None)  # the answer never comes
    with page.page.expect_request("**/read?glyphs=1*"):
        page.page.set_input_files("#file", IMAGES / "field.png")
    page.sees()
    expect(page.page.locator("#bars button").first).to_be_disabled()


def test_of_a_picture_nothing_stays_on_the_drawing_under_it(visit) -> None:
    page = a_picture_over_a_7(visit)
    page.allowed.append("413")
    refusal = {"error": {"code": "body_too_large", "message": "the body has too many bytes"}}
    page.page.route("**/read?glyphs=1*", lambda route: route.fulfill(status=413, json=refusal))
    page.page.click("#undo")
    expect(page.page.locator("#problem")).to_be_visible()
    page.sees()
    expect(page.page.locator("#summary")).to_have_text("")


# Pictures are opened when the test says so: opening[k]().
SLOWLY = """() => {
    const opened = window.createImageBitmap;
    window.opening = [];
    window.createImageBitmap = async (file) => {
        await new Promise((go) => window.opening.push(go));
        return opened(file);
    };
}"""


def open_one(page, k: int) -> None:
    page.page.evaluate("(k) => opening[k]()", k)
    page.page.wait_for_timeout(400)  # it is open, and would have been asked about


def test_of_two_pictures_the_later_one_is_shown_though_the_first_opens_slowly(visit) -> None:
    page = visit()
    page.page.evaluate(SLOWLY)
    page.page.set_input_files("#file", IMAGES / "field.png")
    page.page.set_input_files("#file", IMAGES / "seven.png")
    page.page.wait_for_function("opening.length === 2")
    open_one(page, 1)
    page.sees("7")
    open_one(page, 0)
    page.sees("7")
    assert sum("/read?" in url for url in page.asked) == 1


def test_a_picture_that_opens_late_covers_nothing_begun_or_cleared_meanwhile(visit) -> None:
    page = visit()
    page.page.evaluate(SLOWLY)
    page.page.set_input_files("#file", IMAGES / "field.png")
    page.page.wait_for_function("opening.length === 1")
    page.write(7, 0.7)
    open_one(page, 0)
    expect(page.page.locator("#paper")).to_have_attribute("data-mode", "draw")
    page.sees("7")
    page.page.set_input_files("#file", IMAGES / "field.png")
    page.page.wait_for_function("opening.length === 2")
    page.page.click("#clear")
    open_one(page, 1)
    expect(page.page.locator("#paper")).to_have_attribute("data-mode", "draw")
    page.sees()


def test_turn_waits_until_the_turned_picture_is_shown(visit) -> None:
    page = visit()
    turn = page.page.locator("#turn")
    page.page.set_input_files("#file", IMAGES / "field.png")
    page.sees(*"482107")
    page.page.evaluate(SLOWLY)
    turn.dblclick()
    expect(turn).to_have_attribute("aria-disabled", "true")
    expect(turn).to_be_focused()
    assert page.page.evaluate("opening.length") == 1
    open_one(page, 0)
    expect(turn).to_have_attribute("aria-disabled", "false")
    turn.click()
    page.page.wait_for_function("opening.length === 2")
    open_one(page, 1)
    expect(turn).to_have_attribute("aria-disabled", "false")


def test_clear_clears_a_picture_and_the_drawing_under_it(visit) -> None:
    page = a_picture_over_a_7(visit)
    page.page.click("#clear")
    page.sees()
    page.page.click("#undo")
    page.sees("7")


def test_a_busy_server_is_asked_again(visit) -> None:
    page = visit()
    turns = page.refuse_once("**/read?glyphs=1*")
    page.write(7, 0.7)
    page.sees("7")
    assert len(turns) == 2


def test_a_server_that_is_gone_is_said_and_found_again(visit) -> None:
    page = visit()
    page.allowed.append("ERR_INTERNET_DISCONNECTED")
    page.page.context.set_offline(True)
    page.write(7, 0.7)
    expect(page.page.locator("#problem")).to_have_text("The server does not answer. Is tenfold serve still running?")
    page.page.context.set_offline(False)
    page.sees("7")
    expect(page.page.locator("#problem")).to_be_hidden()


def test_of_a_blank_picture_it_is_said_that_there_are_none_and_nothing_asks_to_correct_it(visit, tmp_path: Path) -> None:
    from PIL import Image

    Image.new("L", (300, 200), 255).save(tmp_path / "blank.png")
    page = visit()
    at = page.page.locator
    expect(at("#digit-title")).to_have_text("Nothing read yet")
    expect(at("#ask")).not_to_be_visible()
    page.page.set_input_files("#file", tmp_path / "blank.png")
    expect(at("#digit-title")).to_have_text("No digits found")
    expect(at("#summary")).to_have_text("No digits found.")
    expect(at("#ask")).not_to_be_visible()
    page.page.set_input_files("#file", IMAGES / "seven.png")
    page.sees("7")
    expect(at("#ask")).to_be_visible()


def test_beside_a_file_that_is_no_picture_it_is_said_what_the_pad_still_shows(visit, tmp_path: Path) -> None:
    (tmp_path / "no.png").write_bytes(b"no picture")
    page = a_picture_over_a_7(visit)
    problem = page.page.locator("#problem")
    page.page.set_input_files("#file", tmp_path / "no.png")
    expect(problem).to_contain_text("The pad still shows the picture before.")
    page.sees(*"482107")
    page.page.click("#undo")
    page.sees("7")
    page.page.set_input_files("#file", tmp_path / "no.png")
    expect(problem).to_contain_text("The pad still shows your drawing.")


def test_a_phone_can_shoot_what_is_read(visit) -> None:
    """And a desktop, which has no camera to point at paper, is not offered it."""
    expect(visit().page.locator("#shoot")).to_be_hidden()
    page = visit(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    shoot = page.page.locator("#shoot")
    expect(shoot).to_be_visible()
    with page.page.expect_file_chooser() as chooser:
        shoot.tap()
    assert chooser.value.element.get_attribute("capture") == "environment"
    assert chooser.value.element.get_attribute("accept") == "image/*"
    chooser.value.set_files(IMAGES / "seven.png")
    page.sees("7")
