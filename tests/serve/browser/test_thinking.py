"""What the page shows of the chosen digit."""

import base64

from playwright.sync_api import expect

# How many pixels of a canvas are bright.
BRIGHT = """(id) => {
    const canvas = document.querySelector(id), copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, i) => i % 4 === 0 && value > 128).length;
}"""


def test_the_28_by_28_pixels_and_ten_bars(visit) -> None:
    page = visit()
    assert page.page.evaluate(BRIGHT, "#glyph") == 0
    page.write(7, 0.7)
    page.sees("7")
    assert page.page.evaluate("[glyph.width, glyph.height]") == [28, 28]
    assert 30 < page.page.evaluate(BRIGHT, "#glyph") < 200
    heights = page.page.evaluate("[...document.querySelectorAll('#bars i')].map((bar) => parseFloat(bar.style.height))")
    assert len(heights) == 10
    assert max(heights) == heights[7] > 50
    assert abs(sum(heights) - 100) < 0.1


def test_the_layers_and_the_evidence(visit) -> None:
    page = visit()
    page.write(3, 0.7)
    expect(page.page.locator("#layers figure h3").last).to_have_text("Why a 3?")
    titles = page.page.locator("#layers h3").all_text_contents()
    assert titles[0] == "784 pixels"
    assert titles[1].startswith("Layer 1: ")
    assert titles[-2] == "Ten answers"
    for n in range(1, len(titles) - 2):
        assert page.page.evaluate(BRIGHT, f"#layers figure:nth-child({n + 1}) canvas") > 0, titles[n]
    expect(page.page.locator(".votes .top")).to_have_text("3")


def test_the_layers_follow_the_chosen_digit(visit) -> None:
    page = visit()
    page.write(7, 0.2)
    page.write(3, 0.9)
    page.sees("7", "3")
    page.page.locator("#digits .tile").first.click()
    expect(page.page.locator("#layers figure h3").last).to_have_text("Why a 7?")
    page.page.click("#clear")
    expect(page.page.locator("#layers")).to_contain_text("Write a digit")


def test_before_anything_is_written_it_says_what_will_come(visit) -> None:
    expect(visit().page.locator("#layers")).to_contain_text("Write a digit")


def test_an_answer_of_all_networks_is_told_from_that_of_one(visit) -> None:
    page = visit()

    def other(route) -> None:
        asked, answer = route.request.post_data_json, route.fetch()
        assert asked["label"] == 3
        route.fulfill(response=answer, json=answer.json() | {"label": 8})

    page.page.route("**/explain", other)
    page.write(3, 0.7)
    expect(page.page.locator("#layers figure h3").last).to_have_text("Why a 3?")
    expect(page.page.locator("#layers")).to_contain_text(
        "This network alone says 8. The answer at the top, 3, also weighs others"
    )


def test_five_steps_of_a_small_network_stand_in_one_row(visit) -> None:
    page = visit(viewport={"width": 910, "height": 700})

    def with_two_layers(route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"layers": answer.json()["layers"][:2]})

    page.page.route("**/explain", with_two_layers)
    page.write(3, 0.2)
    expect(page.page.locator("#layers figure")).to_have_count(5)
    assert len(set(page.page.evaluate("[...document.querySelectorAll('#layers figure')].map((one) => one.offsetTop)"))) == 1


def test_on_a_phone_all_of_it_is_one_screen_and_the_steps_slide_by(visit) -> None:
    page = visit(viewport={"width": 390, "height": 844})
    page.write(7, 0.2)
    page.write(3, 0.9)
    expect(page.page.locator("#layers figure h3").last).to_have_text("Why a 3?")
    assert page.page.evaluate("thinking.offsetHeight") < 844
    assert len(set(page.page.evaluate("[...document.querySelectorAll('#layers figure')].map((one) => one.offsetTop)"))) == 1
    assert page.page.evaluate("document.documentElement.scrollWidth") == 390
    page.page.evaluate("thinking.scrollIntoView({ behavior: 'instant' })")
    layers = page.page.locator("#layers")
    expect(layers).to_have_attribute("tabindex", "0")
    layers.focus()
    for _ in range(200):  # a busy browser makes one way of several presses
        page.page.keyboard.press("ArrowRight")
        if page.page.evaluate("layers.scrollLeft >= layers.scrollWidth - layers.clientWidth - 1"):
            break
    expect(page.page.locator("#layers figure h3").last).to_be_in_viewport()
    # The same step of another digit: what is looked at stays.
    page.page.evaluate("layers.scrollTo({ left: 492, behavior: 'instant' })")
    along = page.page.evaluate("layers.scrollLeft")
    page.page.locator("#digits .tile").first.click()
    expect(page.page.locator("#layers figure h3").last).to_have_text("Why a 7?")
    assert page.page.evaluate("layers.scrollLeft") == along > 0


def test_where_all_steps_are_seen_there_is_nothing_to_slide(visit) -> None:
    page = visit(viewport={"width": 1280, "height": 800})
    page.write(3, 0.7)
    expect(page.page.locator("#layers figure h3").last).to_have_text("Why a 3?")
    assert page.page.locator("#layers").get_attribute("tabindex") is None
    page.page.set_viewport_size({"width": 390, "height": 844})
    expect(page.page.locator("#layers")).to_have_attribute("tabindex", "0")


def test_a_model_that_shows_no_layers_is_said_to(visit) -> None:
    page = visit()

    def without(route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"layers": []})

    page.page.route("**/explain", without)
    page.write(3, 0.7)
    expect(page.page.locator("#layers-none")).to_be_visible()
    expect(page.page.locator("#layers figure h3").last).to_have_text("Why a 3?")
    page.page.click("#clear")
    expect(page.page.locator("#layers")).to_contain_text("Write a digit")
    expect(page.page.locator("#layers-none")).to_be_hidden()


def test_layers_that_are_refused_for_good_are_said_to(visit) -> None:
    page = visit()
    page.allowed.append("422")
    refusal = {"error": {"code": "no_layers", "message": "this model shows nothing"}}
    page.page.route("**/explain", lambda route: route.fulfill(status=422, json=refusal))
    page.write(3, 0.7)
    expect(page.page.locator("#layers")).to_have_text("This model shows nothing.")


def test_the_units_of_a_plain_network(visit) -> None:
    page = visit()
    units = {"name": "activation_1", "kind": "units", "shape": [128], "values": base64.b64encode(bytes(range(128))).decode()}

    def plain(route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"layers": [units]})

    page.page.route("**/explain", plain)
    page.write(3, 0.7)
    expect(page.page.locator("#layers h3").nth(1)).to_have_text("Layer 1: 128 units")
    assert page.page.locator("#layers canvas").nth(1).evaluate("(canvas) => [canvas.width, canvas.height]") == [23, 21]


def test_layers_that_did_not_come_are_asked_for_again(visit) -> None:
    page = visit()
    turns = page.refuse_once("**/explain")
    page.write(3, 0.7)
    expect(page.page.locator("#layers figure h3").last).to_have_text("Why a 3?")
    assert len(turns) == 2


def test_of_what_is_refused_nothing_asks_why_it_is_a_digit(visit) -> None:
    page = visit()
    page.draw([page.at(0.4, 0.5), page.at(0.8, 0.5)])
    page.sees("?")
    expect(page.page.locator("#layers figure h3").last).to_contain_text("looks like")
