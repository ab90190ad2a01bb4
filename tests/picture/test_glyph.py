import numpy as np
import pytest
from PIL import Image

import tenfold
from tenfold import Digits
from tenfold.picture import glyph, ink, is_glyph
from tenfold.picture.glyph import box
from tenfold.picture.ink import Ink


@pytest.fixture(scope="module")
def digits() -> Digits:
    return tenfold.load("mnist", "test")[:100]


def bar(height: int, width: int, size: int = 100) -> Ink:
    strength = np.zeros((size, size), np.float32)
    strength[10 : 10 + height, 20 : 20 + width] = 1
    return Ink(strength, 1)


@pytest.mark.parametrize(("height", "width"), [(80, 12), (12, 70), (60, 60), (3, 3), (85, 40)])
def test_the_longer_side_becomes_20_pixels_and_the_middle_is_in_the_middle(height: int, width: int) -> None:
    found = glyph(bar(height, width))
    assert found.shape == (28, 28)
    assert found.dtype == np.uint8
    assert found.max() == 255
    x, y, w, h = box(found.astype(np.float32) / np.float32(255))
    assert max(w, h) in (20, 21)
    assert abs(w / h - width / height) < 0.2 * max(1, width / height)
    assert abs(x + w / 2 - 14.5) <= 1
    assert abs(y + h / 2 - 14.5) <= 1


def test_without_ink_a_glyph_is_black() -> None:
    assert not glyph(Ink(np.zeros((9, 9), np.float32), 1)).any()
    assert box(np.zeros((9, 9), np.float32)) is None


def test_nearly_all_digits_of_mnist_are_glyphs_already(digits: Digits) -> None:
    assert np.mean([is_glyph(image) for image in digits.images]) > 0.95
    assert not is_glyph(255 - digits.images[0])
    assert not is_glyph(np.zeros((28, 28), np.uint8))
    assert not is_glyph(np.zeros((20, 20), np.uint8))


@pytest.mark.parametrize("times", [3, 8, 15])
def test_an_enlarged_digit_comes_back_as_it_was(digits: Digits, times: int) -> None:
    """Mean absolute difference of a pixel, of 255; two different digits differ by 25 to 40."""
    differences = []
    for image in digits.images[:30]:
        large = np.asarray(Image.fromarray(image).resize((28 * times, 28 * times), Image.Resampling.BICUBIC))
        differences.append(np.abs(glyph(ink(255 - large)).astype(int) - image).mean())
    assert np.mean(differences) < 8


def test_a_hairline_does_not_fade() -> None:
    thin = np.zeros((400, 400), np.float32)
    thin[50:350, 200] = 1
    assert glyph(Ink(thin, 1)).max() > 200
    assert (glyph(Ink(thin, 1)) > 100).sum() >= 20


def test_where_a_digit_stands_does_not_matter(digits: Digits) -> None:
    page = np.zeros((90, 90), np.float32)
    page[5:33, 7:35] = digits.images[0] / 255
    moved = np.roll(page, (40, 33), axis=(0, 1))
    assert (glyph(Ink(page, 1)) == glyph(Ink(moved, 1))).all()
