"""Glyphs that are none: every kind is drawn, repeats, and looks like no mere noise of the drawing."""

import numpy as np
import pytest

import tenfold
from tenfold.learn import clutter
from tenfold.learn.nondigits import NonDigits

pytestmark = pytest.mark.one_backend


@pytest.fixture(scope="module")
def others() -> NonDigits:
    return NonDigits(tenfold.load("mnist", "train").images[:500], clutter.packaged_fonts())


@pytest.mark.parametrize("kind", NonDigits.kinds)
def test_every_kind_is_drawn_with_ink_and_again_the_same(others: NonDigits, kind: str) -> None:
    glyphs = others.drawn(20, 3, kind)
    assert glyphs.shape == (20, 28, 28)
    assert glyphs.dtype == np.uint8
    assert (glyphs.max(axis=(1, 2)) > 30).mean() > 0.9
    assert len(np.unique(glyphs.reshape(20, -1), axis=0)) > 15
    assert (glyphs == others.drawn(20, 3, kind)).all()


def test_letters_are_normalised_like_digits(others: NonDigits) -> None:
    glyphs = others.drawn(40, 1, "letters").astype(float)
    total = glyphs.sum(axis=(1, 2))
    for axis in (1, 2):
        middle = (glyphs.sum(axis=3 - axis) @ np.arange(28)) / total
        assert np.abs(middle - 14).max() < 3


def test_no_letter_is_one_that_looks_like_a_digit() -> None:
    assert not set("OoIlSsZzB0123456789") & set(clutter.LETTERS)
