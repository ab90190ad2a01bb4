"""A digit cut out of its surroundings."""

import numpy as np
import pytest

from tenfold.read.cutting import contrasts, cut_out, distinct


def page() -> np.ndarray:
    """An upright stroke between two neighbours, on uneven paper."""
    grey = np.full((120, 200), 210, np.float32) + np.linspace(-10, 10, 200, dtype=np.float32)
    grey[30:90, 96:104] = 40
    grey[30:90, 60:68] = 40
    grey[30:90, 132:140] = 40
    return grey


def test_only_the_digit_itself_is_in_the_glyph() -> None:
    cut = cut_out(page(), np.array([92, 28, 16, 64]))
    columns = np.flatnonzero(cut.glyph.max(axis=0) > 100)
    assert cut.glyph.shape == (28, 28)
    assert np.ptp(columns) <= 4, "one stroke and not three"
    assert np.ptp(np.flatnonzero(cut.glyph.max(axis=1) > 100)) == pytest.approx(19, abs=1)


def test_the_box_is_drawn_tight_around_its_ink() -> None:
    cut = cut_out(page(), np.array([93, 26, 13, 70]))
    assert cut.box == pytest.approx([96, 30, 8, 60], abs=1.5)
    large = np.kron(page(), np.ones((6, 6), np.float32))
    assert cut_out(large, 6 * np.array([93, 26, 13, 70])).box == pytest.approx([576, 180, 48, 360], abs=9)


@pytest.mark.parametrize("box", [(0, 0, 1, 1), (190, 110, 30, 30), (-5, -5, 20, 20), (10, 10, 8, 12)])
def test_blank_paper_and_the_rim_are_no_trouble(box: tuple[int, ...]) -> None:
    cut = cut_out(page(), np.array(box, float))
    assert cut.glyph.shape == (28, 28)
    assert cut.glyph.dtype == np.uint8
    assert np.isfinite(cut.box).all()


def test_the_same_ink_found_twice_is_one() -> None:
    cuts = [cut_out(page(), np.array(box, float)) for box in ((93, 28, 13, 64), (95, 27, 12, 66), (56, 28, 14, 64))]
    assert distinct(cuts) == [0, 2]
    assert distinct([]) == []


def test_paper_beside_a_stroke_is_left_out_of_its_box() -> None:
    assert cut_out(page(), np.array([78, 28, 26, 62])).box == pytest.approx([96, 30, 8, 60], abs=1.5)
    assert cut_out(page(), np.array([78, 10, 26, 90])).box == pytest.approx([78, 10, 26, 90]), "not as high"
    assert cut_out(page(), np.array([75, 28, 26, 62])).box == pytest.approx([96, 30, 8, 60], abs=1.5), "the ink partly outside"


def test_ink_found_once_more_beside_it_is_one() -> None:
    tight, beside, neighbour = (
        cut_out(page(), np.array(box, float)) for box in ((93, 28, 13, 64), (101, 28, 26, 62), (129, 28, 13, 64))
    )
    assert beside.box == pytest.approx(tight.box, abs=1.5)
    assert beside.ink == pytest.approx(tight.ink, abs=1.5)
    assert distinct([tight, beside, neighbour]) == [0, 2]


def test_contrast_is_that_of_ink_and_paper_whatever_the_light() -> None:
    grey = np.full((60, 200), 240, np.float32)
    for i, ink in enumerate((0, 120, 216, 240)):
        grey[10:50, 20 + 50 * i : 26 + 50 * i] = ink
    boxes = np.array([[15 + 50 * i, 10, 16, 40] for i in range(4)], float)
    assert contrasts(grey, boxes) == pytest.approx([1, 0.5, 0.1, 0])
    assert contrasts(grey / 3, boxes) == pytest.approx([1, 0.5, 0.1, 0])
    assert contrasts(grey, np.array([[-30, -30, 20, 20], [300, 10, 5, 5]], float)).tolist() == [0, 0], "outside the picture"
    assert contrasts(grey, np.zeros((0, 4))).shape == (0,)
