"""The networks that ship: loaded when first needed, shared between readers, asked about whatever may be a digit."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageOps

import tenfold
from tenfold.learn import clutter, weighing
from tenfold.learn.composing import Composer
from tenfold.read import finder
from tenfold.read.model import Model
from tenfold.read.reader import Reader
from tenfold.read.shipped import Shipped


def page() -> np.ndarray:
    """Three digits of MNIST side by side, dark on light, uint8 (60, 120)."""
    sheet = np.full((60, 120), 230, np.uint8)
    for i, glyph in enumerate(tenfold.load("mnist", "test").images[:3]):
        sheet[16:44, 10 + 34 * i : 38 + 34 * i] = 230 - (glyph * 0.8).astype(np.uint8)
    return sheet


def test_candidates_say_of_each_place_what_every_network_says() -> None:
    networks = Shipped(1)
    sight = networks.sight(page())
    seen = networks.candidates(sight.grey)
    n = len(seen.found)
    assert n >= 3
    assert (seen.found.shape, seen.boxes.shape, seen.glyphs.shape) == ((n, 4), (n, 4), (n, 28, 28))
    assert [len(answers) for answers in seen.said] == [n] * 7
    assert (sight.scale, sight.is_blank) == (1, False)


def test_a_blank_picture_has_no_candidates() -> None:
    networks = Shipped(1)
    sight = networks.sight(np.full((40, 50), 200, np.uint8))
    assert sight.is_blank
    seen = networks.candidates(sight.grey)
    assert (seen.found.shape, seen.boxes.shape, seen.glyphs.shape) == ((0, 4), (0, 4), (0, 28, 28))
    assert [len(answers) for answers in seen.said] == [0] * 7


def test_nothing_is_loaded_before_it_is_needed() -> None:
    networks = Shipped(1)
    assert vars(networks) == {"threads": 1}
    assert networks.judge is networks.judge


def test_readers_share_them_and_going_back_loads_nothing_anew(make_model: Callable[..., bytes]) -> None:
    reader = Reader(threads=1)
    other = reader.with_model(Model(make_model(), "own"))
    back = other.with_model(None)
    assert other.model is not reader.model
    assert back.model is reader.model
    assert back.read(page()).text == reader.read(page()).text == "721"


def test_faint_digits_on_paper_with_dark_edges_are_not_taken_for_light_ones() -> None:
    digits = tenfold.load("mnist", "train")[-5000:]
    page = weighing.picture(Composer(digits, clutter.packaged_fonts()), np.random.default_rng([9, 390]))
    for pixels in (page.picture, 255 - page.picture):
        text = Reader(threads=1).read(pixels).text
        assert sum(a == b for a, b in zip(text, page.text, strict=False)) >= 4, (text, page.text)


def test_the_unlikelier_way_round_is_looked_at_in_no_more_views(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing shows, every view would be tried."""
    thick = Image.fromarray(255 - tenfold.load("mnist", "test").images[0]).resize((280, 280), Image.Resampling.BICUBIC)
    views: list[int] = []
    look = finder.Finder.look

    def noting(
        self: finder.Finder, grey: np.ndarray, most: int | None = None, least: float = finder.LIKELY, closely: bool = False
    ) -> tuple[list[finder.Found], int]:
        found, n_views = look(self, grey, most, least, closely)
        views.append(n_views)
        return found, n_views

    monkeypatch.setattr(finder.Finder, "look", noting)
    for picture in (thick, ImageOps.invert(thick)):
        views.clear()
        assert Reader(threads=1).read(picture).text == "7"
        likelier, other, _ = views
        assert other <= likelier


def test_small_digits_on_a_large_shadowed_sheet_upon_a_dark_desk_are_dark_ink() -> None:
    digits = tenfold.load("mnist", "test")
    photo = np.full((1500, 2000), 30, np.float32)
    photo[110:1390, 200:1850] = 245
    for line in range(4):
        for i in range(7):
            glyph = Image.fromarray(digits.images[7 * line + i]).resize((64, 64), Image.Resampling.BICUBIC)
            photo[300 + 190 * line : 364 + 190 * line, 680 + 48 * i : 744 + 48 * i] -= 0.85 * np.asarray(glyph, np.float32)
    photo[:, 840:] *= 0.5
    photo = np.clip(photo + np.random.default_rng(0).normal(0, 2, photo.shape), 0, 255).astype(np.uint8)
    sight = Shipped(1).sight(photo)
    assert sight.grey[0, 0] < 100  # the desk is as dark as it was
