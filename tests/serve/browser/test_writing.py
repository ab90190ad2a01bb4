"""Writing on the pad, by mouse, pen, finger and keys."""

import math

import pytest
from playwright.sync_api import expect


@pytest.mark.parametrize("digit", range(10))
def test_a_written_digit_is_read(visit, digit: int) -> None:
    page = visit()
    page.write(digit, 0.7)
    page.sees(str(digit))
    expect(page.page.locator("#digit-title")).to_contain_text(f" {digit}, ")


def test_it_is_read_while_one_still_writes_the_next(visit) -> None:
    page = visit()
    page.write(7, 0.2)
    page.sees("7")
    page.write(3, 0.9)
    page.sees("7", "3")
    assert page.page.locator("#boxes .box").count() == 2


def test_two_rows_are_read_from_top_to_bottom(visit) -> None:
    page = visit()
    for digit, x, y in ((2, 0.3, 0.05), (5, 0.8, 0.05), (4, 0.3, 0.55), (1, 0.8, 0.55)):
        page.write(digit, x, y, 0.35)
    page.sees("2", "5", "4", "1")
    expect(page.page.locator("#digits .line")).to_have_count(2)


def test_boxes_stand_where_the_digits_were_written(visit) -> None:
    page = visit()
    page.write(3, 0.9)
    page.sees("3")
    box, strokes = page.page.locator("#boxes .box").bounding_box(), page.strokes(3, 0.9)
    left, right = (pick(x for stroke in strokes for x, _ in stroke) for pick in (min, max))
    assert abs(box["x"] - left) < 25
    assert abs(box["x"] + box["width"] - right) < 25


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)], ids=["desktop", "phone"])
@pytest.mark.parametrize("x", [0.6, 0.7, 0.8])
def test_a_plain_1_beside_a_digit_has_its_box_around_the_ink(visit, size: tuple[int, int], x: float) -> None:
    page = visit(viewport=dict(zip(("width", "height"), size, strict=True)))
    page.draw([page.at(0.2, 0.2), page.at(0.45, 0.2), page.at(0.3, 0.8)])
    page.draw([page.at(x, 0.2), page.at(x, 0.8)])
    page.sees("7", "1")
    box, ink = page.page.locator("#boxes .box").last.bounding_box(), page.at(x, 0.2)[0]
    assert box["x"] < ink < box["x"] + box["width"]
    assert box["width"] < 50


def test_undo_takes_the_last_stroke_and_clear_everything_back(visit) -> None:
    page = visit()
    assert page.page.locator("#undo").is_disabled()
    page.write(7, 0.2)
    page.write(3, 0.9)
    page.sees("7", "3")
    page.page.keyboard.press("Control+z")
    page.sees("7")
    page.page.click("#clear")
    page.sees()
    expect(page.page.locator("#digit-title")).to_have_text("Nothing read yet")
    page.page.click("#undo")
    page.sees("7")


def test_a_scribble_is_not_a_digit(visit) -> None:
    page = visit()
    box = page.page.locator("#pad").bounding_box()
    middle, reach = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2), 0.4 * box["height"]
    angles = [0.25 * k for k in range(120)]
    points = [
        (middle[0] + reach * math.cos(1.7 * a) * (0.6 + 0.4 * math.sin(0.37 * a)), middle[1] + reach * math.sin(1.3 * a) * 0.9)
        for a in angles
    ]
    page.draw(points)
    page.sees("?")
    expect(page.page.locator("#digit-title")).to_have_text("Not a digit")
    expect(page.page.locator("#summary")).to_have_text("One piece is not a digit.")
    expect(page.page.locator("#spoken")).to_contain_text("not a digit")


def test_a_dash_beside_a_digit_is_not_one(visit) -> None:
    page = visit()
    page.write(7, 0.2)
    x, y = page.strokes(7, 1.1)[0][0]
    page.draw([(x, y + 100), (x + 160, y + 100)])
    page.sees("7", "?")


def test_an_answer_that_was_overtaken_is_dropped(visit) -> None:
    """While the first request is held back a second digit is written: one more request, and the first answer is never shown."""
    page = visit()
    held = []
    page.page.route("**/read?glyphs=1", lambda route: held.append(route))
    with page.page.expect_request("**/read?glyphs=1"):
        page.write(7, 0.2)
    page.write(3, 0.9)
    page.page.wait_for_timeout(400)
    assert sum("/read?" in url for url in page.asked) == 1  # one in flight
    with page.page.expect_request("**/read?glyphs=1"):
        held[0].continue_()
    assert page.labels == []
    held[1].continue_()
    page.sees("7", "3")


def test_a_finger_writes_and_does_not_scroll(visit) -> None:
    page = visit(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    touch = page.page.context.new_cdp_session(page.page)
    for stroke in page.strokes(3, 0.3):
        for kind, points in (("touchStart", stroke[:1]), *(("touchMove", [point]) for point in stroke[1:]), ("touchEnd", [])):
            send = [{"x": x, "y": y} for x, y in points]
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": send})
    page.sees("3")
    assert page.page.evaluate("scrollY") == 0
    assert page.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def devices(page):
    """A pen, told what happens where, and a palm, told what happens and where it lies."""
    session = page.page.context.new_cdp_session(page.page)

    def pen(kind: str, x: float, y: float) -> None:
        event = {"type": kind, "x": x, "y": y, "button": "left", "buttons": 1, "pointerType": "pen", "clickCount": 1}
        session.send("Input.dispatchMouseEvent", event)

    def palm(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y} for x, y in places]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    return pen, palm


def test_a_pen_writes_and_the_palm_beside_it_does_not(visit) -> None:
    page = visit(has_touch=True)
    pen, palm = devices(page)
    first, *others = page.strokes(7, 0.5)[0]
    pen("mousePressed", *first)
    palm("touchStart", (first[0] + 200, first[1] + 200))
    for point in others:
        pen("mouseMoved", *point)
    palm("touchEnd")
    pen("mouseReleased", *others[-1])
    page.sees("7")


def test_a_palm_that_comes_before_the_pen_does_not_write(visit) -> None:
    page = visit(has_touch=True)
    pen, palm = devices(page)
    first, *others = page.strokes(7, 0.5)[0]
    palm("touchStart", (first[0] + 200, first[1] + 200))
    pen("mousePressed", *first)
    for point in others:
        pen("mouseMoved", *point)
    pen("mouseReleased", *others[-1])
    palm("touchEnd")
    page.sees("7")


def test_a_digit_is_read_while_the_pen_rests_on_the_pad(visit) -> None:
    page = visit()
    first, *others = page.strokes(7, 0.7)[0]
    page.page.mouse.move(*first)
    page.page.mouse.down()
    for point in others:
        page.page.mouse.move(*point, steps=4)
    page.sees("7")
    page.page.mouse.up()
    page.sees("7")


def test_clear_and_undo_take_the_stroke_under_way(visit) -> None:
    page = visit()
    keys, mouse = page.page.keyboard, page.page.mouse
    page.write(7, 0.2)
    page.sees("7")
    first, *others = page.strokes(3, 0.9)[0]
    for press, left in ((lambda: keys.press("Control+z"), ["7"]), (lambda: page.page.evaluate("clear.click()"), [])):
        mouse.move(*first)
        mouse.down()
        mouse.move(*others[0], steps=4)
        press()
        for point in others[1:]:
            mouse.move(*point, steps=4)
        mouse.up()
        page.sees(*left)
        page.page.wait_for_timeout(400)  # it would have been read
        page.sees(*left)
    keys.press("Control+z")
    page.sees("7")


def test_delete_takes_the_stroke_that_keys_draw(visit) -> None:
    page = visit()
    keys = page.page.keyboard
    page.page.locator("#pad").focus()
    for _ in range(10):
        keys.press("ArrowUp")
    keys.press("Space")
    for _ in range(20):
        keys.press("ArrowDown")
    page.sees("1")
    keys.press("Delete")
    page.sees()
    expect(page.page.locator("#clear")).to_be_disabled()
    keys.press("Space")  # sets the pen down anew
    expect(page.page.locator("#spoken")).to_have_text("Pen down")


def test_clear_ends_the_example(visit) -> None:
    page = visit(reduced_motion="no-preference")
    page.page.click("#example")
    expect(page.page.locator("#clear")).to_be_enabled()
    page.page.click("#clear")
    page.page.wait_for_timeout(3000)  # it would have been written
    expect(page.page.locator("#clear")).to_be_disabled()
    page.sees()


def test_a_dot_is_seen(visit) -> None:
    page = visit()
    box = page.page.locator("#pad").bounding_box()
    page.page.mouse.click(box["x"] + 50, box["y"] + 50)
    page.page.wait_for_timeout(100)  # until it is painted
    inked = """() => {
        const { data } = pad.getContext("2d").getImageData(0, 0, pad.width, pad.height);
        return data.filter((value, i) => i % 4 === 3 && value > 0).length;
    }"""
    assert page.page.evaluate(inked) > 20


def test_whoever_comes_by_keys_sees_the_pen_and_what_moves_it(visit) -> None:
    page = visit()
    assert page.page.locator("#pad-keys").bounding_box()["width"] <= 1
    page.page.keyboard.press("Tab")
    page.page.keyboard.press("Enter")
    page.page.keyboard.press("Tab")
    page.page.keyboard.press("Shift+Tab")
    expect(page.page.locator("#pad")).to_be_focused()
    assert page.page.locator("#pad-keys").bounding_box()["width"] > 100


def test_keys_write_and_choose(visit) -> None:
    page = visit()
    keys = page.page.keyboard
    page.page.keyboard.press("Tab")
    page.page.keyboard.press("Enter")  # skip to the pad
    page.page.locator("#pad").focus()
    for _ in range(10):
        keys.press("ArrowUp")
    keys.press("Space")
    expect(page.page.locator("#spoken")).to_have_text("Pen down")
    for _ in range(20):
        keys.press("ArrowDown")
    keys.press("Space")
    page.sees("1")
    expect(page.page.locator("#spoken")).to_contain_text("Read: 1")
    page.write(7, 1.5)
    page.sees("1", "7")
    page.page.locator("#digits [aria-checked=true]").focus()
    keys.press("ArrowLeft")
    expect(page.page.locator("#digits [aria-checked=true] b")).to_have_text("1")
    expect(page.page.locator("#digits [aria-checked=true]")).to_be_focused()
    page.page.locator("#pad").focus()
    keys.press("Delete")
    page.sees()


def test_the_drawing_survives_a_turn_of_the_phone(visit) -> None:
    page = visit(viewport={"width": 390, "height": 844})
    page.write(7, 0.2)
    page.sees("7")
    page.page.set_viewport_size({"width": 844, "height": 390})
    page.write(3, 2.5)
    page.sees("7", "3")


def test_the_example_writes_itself(visit) -> None:
    page = visit(reduced_motion="no-preference")
    page.page.click("#example")
    page.sees("7", "3")


def test_whoever_turns_from_keys_to_the_mouse_meets_what_they_click(visit) -> None:
    """How the keys work is said below the pad; it must not move the buttons between press and release."""
    page = visit()
    at, keys = page.page.locator, page.page.keyboard
    help_height = at("#pad-keys").evaluate("(one) => one.offsetHeight")
    while not at("#pad").evaluate("(pad) => pad === document.activeElement"):
        keys.press("Tab")
    assert at("#pad-keys").evaluate("(one) => one.offsetHeight") > help_height
    for button in ("clear", "undo"):
        at("#pad").focus()
        keys.press("Space")
        for _ in range(10):
            keys.press("ArrowDown")
        keys.press("Space")
        expect(at(f"#{button}")).to_be_enabled()
        before = at(f"#{button}").bounding_box()
        at(f"#{button}").click()
        expect(at("#clear")).to_be_disabled()
        assert at(f"#{button}").bounding_box() == before
