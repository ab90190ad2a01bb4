import numpy as np
import pytest

from tenfold.learn import clutter
from tenfold.learn.typeset import Type, lining

pytestmark = pytest.mark.one_backend

FONTS = clutter.packaged_fonts()


@pytest.mark.parametrize("label", range(10))
@pytest.mark.parametrize("height", [9, 40, 150])
def test_a_digit_is_as_high_as_asked_and_has_nothing_around_it(label: int, height: float) -> None:
    for font in FONTS:
        digit = Type(font, 255, 1.0).digit(label, height)
        assert digit.dtype == np.uint8
        assert len(digit) == height
        inked = digit > 60
        for axis in (0, 1):
            assert inked.any(axis=axis)[[0, -1]].all()
        assert inked.mean() > 0.05


def test_fonts_whose_digits_are_low_or_hang_are_left_out() -> None:
    kept = lining(FONTS)
    assert "cmmi10.ttf" not in {font.name for font in kept}
    assert {"DejaVuSans.ttf", "cmr10.ttf", "STIXGeneral.ttf"} <= {font.name for font in kept}
    assert [font for font in FONTS if font in kept] == list(kept)


def test_ten_digits_are_ten_pictures() -> None:
    digits = [Type(FONTS[0], 255, 1.0).digit(label, 40) for label in range(10)]
    small = [np.resize(digit[:, : digits[1].shape[1]], (40, 10)) for digit in digits]
    assert len({digit.tobytes() for digit in small}) == 10


def test_ink_and_width_are_as_asked() -> None:
    plain, pale, wide = (Type(FONTS[0], ink, aspect).digit(8, 60) for ink, aspect in ((255, 1), (150, 1), (255, 1.5)))
    assert pale.max() == 150
    assert plain.max() == 255
    assert abs(wide.shape[1] - 1.5 * plain.shape[1]) <= 1


def test_the_same_numbers_give_the_same_type_and_others_another() -> None:
    types = [Type.drawn(FONTS, np.random.default_rng(seed)) for seed in (1, 1, 2, 3, 4)]
    assert types[0] == types[1]
    assert len({drawn.font for drawn in types}) > 1
    assert all(140 <= drawn.ink <= 255 and 0.8 <= drawn.aspect <= 1.2 for drawn in types)
