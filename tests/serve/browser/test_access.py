"""For everybody: axe-core finds nothing, in light and dark, on a phone and a desktop, whatever is shown."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 800}
EVERYTHING = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def found(page) -> str:
    return "\n".join(
        f"{rule['id']}: {node['html'][:200]} {node.get('failureSummary')}"
        for rule in Axe().run(page.page, options=EVERYTHING).response["violations"]
        for node in rule["nodes"]
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_axe_finds_nothing(visit, scheme: str, size: dict[str, int]) -> None:
    page = visit(viewport=size, color_scheme=scheme, has_touch=size is PHONE)
    assert found(page) == ""
    page.write(7, 0.05, 0.2, 0.45)
    page.write(3, 0.45, 0.2, 0.45)
    expect(page.page.locator("#layers figure")).not_to_have_count(0)
    page.draw(page.strokes(7, 0.84, 0.5, 0.3)[0][:3])  # a dash
    page.sees("7", "3", "?")
    page.page.check("#consent")
    page.page.click("#bars button >> nth=3")
    expect(page.page.locator("#samples li")).to_have_count(1)
    page.page.click("summary")
    assert found(page) == ""
    page.page.click("#forget")
    assert found(page) == ""
    page.page.click("#sure [value=yes]")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_axe_finds_nothing_in_the_reference(visit, scheme: str, size: dict[str, int]) -> None:
    page = visit(viewport=size, color_scheme=scheme)
    page.page.goto(f"{page.origin}/docs")
    assert found(page) == ""
    page.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert found(page) == ""


def test_the_focus_goes_to_the_pad_from_what_can_no_longer_have_it(visit) -> None:
    page = visit()
    at, pad = page.page.locator, page.page.locator("#pad")
    page.write(7, 0.7)
    page.sees("7")
    at("#clear").press("Enter")
    expect(pad).to_be_focused()
    at("#undo").press("Enter")  # the 7 is there again
    page.sees("7")
    for key in ("#bars button >> nth=7", "#digits .tile"):
        at(key).focus()
        page.page.keyboard.press("Control+z")
        expect(pad).to_be_focused()
        page.write(7, 0.7)
        page.sees("7")
    at("#undo").press("Enter")
    expect(at("#undo")).to_be_disabled()
    expect(pad).to_be_focused()
    page.page.set_input_files("#file", "docs/images/seven.png")
    page.sees("7")
    at("#turn").press("Enter")
    expect(at("#turn")).to_have_attribute("aria-disabled", "false")
    expect(at("#turn")).to_be_focused()
    at("#turn").evaluate("(turn) => { turn.focus(); clear.click(); }")
    expect(pad).to_be_focused()


@pytest.mark.parametrize("width", [320, 390, 640, 900, 1280, 1920])
def test_nothing_is_wider_than_the_window(visit, width: int) -> None:
    page = visit(viewport={"width": width, "height": 800})
    page.page.set_input_files("#file", "docs/images/note.png")
    expect(page.page.locator("#digits b").nth(10)).to_be_visible()
    assert page.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [320, 375, 393])
def test_on_a_phone_the_buttons_stand_in_full_rows(visit, width: int) -> None:
    page = visit(viewport={"width": width, "height": 844}, has_touch=True, is_mobile=True)
    page.page.check("#consent")
    page.write(7, 0.3)
    page.sees("7")
    page.page.click("#bars button >> nth=7")
    expect(page.page.locator("#samples li")).to_have_count(1)
    assert rows(page, ".tools button") == [5]  # Undo, Clear, Example, Picture, Camera
    assert rows(page, ".kept > .row :is(a, button)") == [2]
    page.page.set_input_files("#file", "docs/images/seven.png")
    expect(page.page.locator("#turn")).to_be_visible()
    assert rows(page, ".tools button") in ([6], [3, 3])


def rows(page, buttons: str) -> list[int]:
    """How many of the buttons that are shown stand in each row; none is narrower than what it holds."""
    shown = page.page.locator(buttons).filter(visible=True)
    assert shown.evaluate_all("(all) => all.every((one) => one.scrollWidth <= one.clientWidth)")
    tops = [round(box["y"]) for box in shown.evaluate_all("(all) => all.map((one) => one.getBoundingClientRect().toJSON())")]
    return [tops.count(top) for top in sorted(set(tops))]


def test_without_scripts_the_page_says_so_before_anything_else(visit) -> None:
    page = visit(java_script_enabled=False)
    told, pad = page.page.locator(".noscript"), page.page.locator("#paper")
    expect(told).to_be_visible()
    assert told.bounding_box()["y"] + told.bounding_box()["height"] <= pad.bounding_box()["y"]
