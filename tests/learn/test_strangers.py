import numpy as np
import pytest

import tenfold
from tenfold import Digits
from tenfold.learn import strangers

pytestmark = pytest.mark.one_backend


@pytest.fixture(scope="module")
def digits() -> Digits:
    return tenfold.load("mnist", "train")[:2000]


def test_the_digits_come_first_and_each_stranger_has_its_label(digits: Digits) -> None:
    more = strangers.added(digits, 0.2, seed=0)
    assert (more.images[:2000] == digits.images).all()
    counts = digits.counts
    n_sevens, n_ones, n_coarse = round(0.2 * counts[7]), round(0.2 * counts[1]), round(0.1 * 2000)
    expected = [7] * n_sevens + [1] * n_ones
    assert more.known_labels[2000 : 2000 + len(expected)].tolist() == expected
    assert len(more) == 2000 + n_sevens + n_ones + n_coarse
    again, other = strangers.added(digits, 0.2, seed=0), strangers.added(digits, 0.2, seed=1)
    assert more.sha256 == again.sha256 != other.sha256


def test_a_bar_adds_ink_to_the_middle_of_a_seven(digits: Digits) -> None:
    random = np.random.default_rng(0)
    for seven in digits.images[digits.known_labels == 7][:40]:
        added = strangers.crossed(seven, random).astype(int) - seven
        rows = np.flatnonzero((added > 100).any(axis=1))
        inked = np.flatnonzero((seven > 100).any(axis=1))
        assert added.min() >= 0
        assert len(rows)
        assert inked[0] < rows.mean() < inked[-1]
        assert len(rows) <= 9


def test_a_flag_or_a_foot_adds_ink_at_an_end_of_a_one(digits: Digits) -> None:
    random = np.random.default_rng(0)
    for one in digits.images[digits.known_labels == 1][:40]:
        added = strangers.serifed(one, random).astype(int) - one
        rows = np.flatnonzero((added > 100).any(axis=1))
        inked = np.flatnonzero((one > 100).any(axis=1))
        assert len(rows)
        assert rows[0] <= inked[0] + 6 or rows[-1] >= inked[-1] - 3


def test_a_coarse_scan_keeps_the_digit_and_loses_detail(digits: Digits) -> None:
    random = np.random.default_rng(0)
    for image in digits.images[:40]:
        made = strangers.coarse(image, random)
        assert made.shape == (28, 28)
        assert np.corrcoef(made.ravel(), image.ravel())[0, 1] > 0.7
        assert np.abs(np.diff(made.astype(int), axis=1)).max() < np.abs(np.diff(image.astype(int), axis=1)).max()


@pytest.mark.parametrize("draw", [strangers.crossed, strangers.serifed, strangers.coarse])
def test_an_empty_image_stays_empty(draw) -> None:
    assert not draw(np.zeros((28, 28), np.uint8), np.random.default_rng(0)).any()
