import base64
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from tenfold.learn import report

pytestmark = pytest.mark.one_backend

PNG = b"\x89PNG\r\n\x1a\n and the rest of a picture"
NETWORK = [
    ("scale", "(None, 28, 28)", 0),
    ("flatten", "(None, 784)", 0),
    ("dense_1", "(None, 128)", 100_480),
    ("dense_2", "(None, 64)", 8_256),
    ("probabilities", "(None, 10)", 650),
]
METRICS = {
    "data": "digit-recognizer",
    "parameters": 109_386,
    "epochs": 3,
    "n_train": 33_600,
    "n_validation": 8_400,
    "n_test": 28_000,
    "val_accuracy": 0.9751,
    "test_accuracy": 0.9742,
    "test_interval": [0.9723, 0.976],
    "ece": 0.0121,
    "ece_calibrated": 0.0034,
    "temperature": 1.5,
    "threshold": 0.5,
    "seconds": 18.774,
    "seed": 7,
    "backend": "tensorflow",
    "versions": {"tenfold": "0.1.0", "keras": "3.15.1"},
    "commit": "d847a1b43fd370e87b91c128252724a7fce0d9e6",
    "data_sha256": "fc7abbdc60ed06e5",
}
RECIPE = {
    "name": "classic",
    "why": "The classic experiment.",
    "network": {"kind": "dense", "units": [128, 64]},
    "optimizer": {"name": "adam", "learning_rate": 1e-3},
}
HISTORY = {
    "epoch": [1, 2, 3],
    "loss": [0.5, 0.2, 0.1],
    "accuracy": [0.85, 0.94, 0.99],
    "val_loss": [0.3, 0.2, 0.25],
    "val_accuracy": [0.90, 0.96, 0.9751],
}
FIGURES = dict.fromkeys(("curves", "confusion_matrix", "mistakes", "calibration"), PNG)


def render(**changes: Any) -> str:
    given = {
        "name": "mine",
        "folder": "runs/mine",
        "recipe": RECIPE,
        "metrics": METRICS,
        "history": HISTORY,
        "network": NETWORK,
        "figures": FIGURES,
    }
    return report.render(**(given | changes))


class Page(HTMLParser):
    """The tags of a page, each closed in order, and its text with single spaces."""

    VOID = ("meta", "img", "br", "link")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()
        self.text = " ".join(" ".join(self.words).split())
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_the_page_needs_nothing_from_elsewhere() -> None:
    html = render()
    assert not re.search(r"https?://|//\w|@import|url\(", html)
    page = Page(html)
    assert not {"script", "link", "iframe", "object", "a"} & {tag for tag, _ in page.tags}
    sources = [image["src"] for image in page.named("img")]
    assert sources == [f"data:image/png;base64,{base64.b64encode(PNG).decode()}"] * 4
    assert all(image["alt"] for image in page.named("img"))


def test_the_page_is_well_formed_and_has_one_title_and_a_heading_a_section() -> None:
    html = render()
    page = Page(html)
    assert html.startswith("<!doctype html>")
    assert len(page.named("h1")) == 1
    assert len(page.named("h2")) == len(page.named("section")) == 6
    assert page.named("html") == [{"lang": "en"}]


def test_names_are_text_and_safe_in_a_shell() -> None:
    evil = "<img onerror=alert(1) src=x> $(rm)"
    html = render(name=evil, folder=f"runs/{evil}", figures={}, recipe=RECIPE | {"why": evil}, metrics=METRICS | {"data": evil})
    page = Page(html)
    assert not page.named("img")
    assert evil in page.text
    assert f"tenfold evaluate 'runs/{evil}'" in page.text


def test_names_in_bytes_that_are_not_utf8_are_escaped() -> None:
    text = Page(render(name="r\udce9", folder="runs/r\udce9")).text
    assert r"tenfold evaluate $'runs/r\xe9'" in text
    assert text.encode()


def test_the_result_comes_first_with_its_interval_in_words() -> None:
    text = Page(render()).text
    assert "This network reads 97.42 % of 28,000 test digits right; with 95 % confidence its true rate is between" in text
    assert "between 97.23 % and 97.60 % ." in text or "between 97.23 % and 97.60 %." in text
    assert "About one digit in 39 is read wrongly." in text


def test_without_test_digits_the_validation_digits_speak_and_get_their_interval() -> None:
    metrics = METRICS | {"test_accuracy": None, "test_interval": None, "n_test": 0}
    result = report.headline(metrics)
    assert result is not None
    assert (result.kind, result.n) == ("validation", 8400)
    assert result.interval == pytest.approx((0.97155, 0.97822), abs=1e-4)
    text = Page(render(metrics=metrics)).text
    assert "of 8,400 validation digits right" in text
    assert "flatters the figure a little" in text
    assert "tenfold evaluate runs/mine --data FILE" in text


def test_a_run_that_held_nothing_out_claims_nothing() -> None:
    nothing = HISTORY | {"val_loss": [None] * 3, "val_accuracy": [None] * 3}
    text = Page(render(metrics=dict.fromkeys(METRICS), history=nothing, figures={"curves": PNG})).text
    assert "How well this network reads new digits is not known" in text
    assert "they cannot show overfitting" in text
    assert "None" not in text
    assert "Can its confidence be trusted?" not in text


def test_parameters_are_counted_by_hand() -> None:
    sums = {layer.name: layer.arithmetic for layer in report.count_by_hand(NETWORK)}
    assert sums == {
        "scale": "",
        "flatten": "",
        "dense_1": "784 × 128 + 128",
        "dense_2": "128 × 64 + 64",
        "probabilities": "64 × 10 + 10",
    }
    assert "784 × 128 + 128 100,480" in Page(render()).text
    assert "109,386" in Page(render()).text


def test_other_layers_are_counted_where_their_shapes_explain_it() -> None:
    layers = [
        ("images", "(None, 28, 28, 1)", 0),
        ("conv", "(None, 26, 26, 32)", 3 * 3 * 1 * 32 + 32),
        ("conv_without_bias", "(None, 24, 24, 64)", 5 * 5 * 32 * 64),
        ("norm", "(None, 24, 24, 64)", 4 * 64),
        ("odd", "(None, 24, 24, 64)", 77),
        ("pool", "(None, 64)", 0),
        ("dense_without_bias", "(None, 10)", 640),
    ]
    sums = [layer.arithmetic for layer in report.count_by_hand(layers)]
    assert sums == ["", "3 × 3 × 1 × 32 + 32", "5 × 5 × 32 × 64", "4 × 64", "", "", "64 × 10"]
    for (_, _, n), arithmetic in zip(layers, sums, strict=True):
        assert not arithmetic or eval(arithmetic.replace("×", "*")) == n
    assert report.count_by_hand(layers)[1].shape == "26 × 26 × 32"


def test_overfitting_is_named_only_where_it_shows() -> None:
    assert "has risen to 0.2500 since" in Page(render()).text
    assert "This is overfitting" in Page(render()).text
    still_falling = HISTORY | {"val_loss": [0.3, 0.2, 0.19]}
    assert "more epochs could help" in Page(render(history=still_falling)).text
    level = HISTORY | {"val_loss": [0.3, 0.2, 0.205]}
    text = Page(render(history=level)).text
    assert "This is overfitting" not in text
    assert "lowest in epoch 2 (0.2000) and ended at 0.2050" in text


def test_the_gap_is_that_of_the_shares_as_they_are_shown() -> None:
    near = HISTORY | {"accuracy": [0.85, 0.94, 0.993644], "val_accuracy": [0.90, 0.96, 0.974762]}
    assert (
        "read 99.36 % of the training digits right and 97.48 % of the validation digits, a gap of 1.88"
        in Page(render(history=near)).text
    )
    level = HISTORY | {"accuracy": [0.85, 0.94, 0.97512]}
    assert "97.51 % of the validation digits, no gap at all." in Page(render(history=level)).text


def test_a_diverged_run_has_a_page_too() -> None:
    nan = float("nan")
    text = Page(render(history=HISTORY | {"loss": [0.5, nan, nan], "val_loss": [0.4, float("inf"), nan]})).text
    assert "overfitting:" not in text


def test_every_epoch_is_in_the_table_and_a_long_one_is_folded() -> None:
    page = Page(render())
    assert "2 0.2000 94.00 % lowest: 0.2000 96.00 %" in page.text
    assert "open" in page.named("details")[0]
    long = {key: values * 10 for key, values in HISTORY.items()}
    assert "open" not in Page(render(history=long)).named("details")[0]


def test_the_run_can_be_repeated_from_what_the_page_says() -> None:
    text = Page(render()).text
    for fact in (
        "tenfold train --recipe runs/mine/recipe.json",
        "seed 7",
        "keras 3.15.1",
        METRICS["commit"],
        METRICS["data_sha256"],
    ):
        assert str(fact) in text
    assert "KERAS_BACKEND" not in text
    assert "KERAS_BACKEND=jax tenfold train" in Page(render(metrics=METRICS | {"backend": "jax"})).text


def test_next_steps_start_from_the_recipe_of_the_run() -> None:
    assert "tenfold train --set optimizer.learning_rate=3e-4" in Page(render()).text
    own = Page(render(recipe={"name": "own"})).text
    assert "tenfold train --recipe runs/mine/recipe.json --set optimizer.learning_rate=3e-4" in own
    assert "network.units" not in own


def test_absent_figures_leave_no_gap() -> None:
    page = Page(render(figures={}))
    assert not page.named("figure")
    assert "Where it errs" not in page.text


def test_the_same_run_gives_the_same_page() -> None:
    assert render() == render()
