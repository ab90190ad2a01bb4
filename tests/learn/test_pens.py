import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy import ndimage

import tenfold
from tenfold.learn import pens

pytestmark = pytest.mark.one_backend

WHOLE = np.ones((3, 3), int)  # neighbours at corners belong together


@pytest.fixture(scope="module")
def digits() -> list[Image.Image]:
    images = tenfold.load("mnist", "train").images[:60]
    return [Image.fromarray(image).resize((112, 112), Image.Resampling.BICUBIC) for image in images]


def pieces(inked: np.ndarray) -> int:
    return int(ndimage.label(inked, WHOLE)[1])


def holes(inked: np.ndarray) -> int:
    return int(ndimage.label(np.pad(~inked, 1))[1])


def test_a_skeleton_is_thin_and_hangs_together_as_what_it_is_of(digits: list[Image.Image]) -> None:
    for digit in digits:
        inked = np.asarray(digit) > 128
        middle = pens.skeleton(inked)
        assert not (middle & ~inked).any()
        assert (pieces(middle), holes(middle)) == (pieces(inked), holes(inked))
        assert middle.sum() < inked.sum() / 4
        assert (pens.skeleton(middle) == middle).all()


def test_the_skeleton_of_a_bar_is_its_middle() -> None:
    bar = np.zeros((31, 81), bool)
    bar[10:21, 10:71] = True
    middle = pens.skeleton(bar)
    assert set(np.flatnonzero(middle[:, 20:60].any(axis=1))) <= {14, 15, 16}
    assert middle.any(axis=0)[18:62].all()
    assert not pens.skeleton(np.zeros((5, 5), bool)).any()


@pytest.mark.parametrize("pen", [2.0, 3.0, 5.0, 8.0])
def test_a_thin_pen_breaks_no_stroke_and_leaves_it_full_of_ink(digits: list[Image.Image], pen: float) -> None:
    for digit in digits:
        before, after = (np.asarray(image) > 128 for image in (digit, pens.drawn_with(digit, pen)))
        assert pieces(after) <= pieces(before)
        if pens.stroke_width(before) > pen + 3:
            middle = pens.skeleton(before)
            assert np.asarray(pens.drawn_with(digit, pen))[middle].min() == 255
            assert after.sum() < before.sum()


def test_strokes_become_about_as_wide_as_the_pen() -> None:
    image = Image.new("L", (200, 100))
    ImageDraw.Draw(image).line([(20, 50), (180, 50)], 255, 12)
    assert pens.stroke_width(np.asarray(image) > 128) == pytest.approx(12, rel=0.1)
    for pen in (4, 8, 16):
        assert pens.stroke_width(np.asarray(pens.drawn_with(image, pen)) > 128) == pytest.approx(pen, abs=1.5)
    assert pens.drawn_with(image, 12) is image
