import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tenfold import Digits
from tenfold.data import inspection
from tenfold.errors import DataError, MissingExtraError


def random_digits(n: int, seed: int = 0) -> Digits:
    """Few values a pixel, so that quantiles fall on ties and between values; the first pixels are always 0."""
    rng = np.random.default_rng(seed)
    images = rng.choice(np.array([0, 0, 1, 7, 128, 254, 255], np.uint8), (n, 28, 28))
    images[:, 0] = 0
    return Digits(images, rng.integers(0, 10, n).astype(np.uint8), "random")


def described(digits: Digits) -> pd.DataFrame:
    columns = [f"pixel{i}" for i in range(784)]
    return pd.DataFrame(digits.images.reshape(len(digits), -1), columns=columns).describe().T


@pytest.mark.parametrize("n", [1, 2, 3, 4, 50, 1025, 2049])
def test_pixels_are_what_pandas_describes(n: int) -> None:
    digits = random_digits(n, seed=n)
    pd.testing.assert_frame_equal(inspection.inspect(digits).pixels, described(digits), rtol=1e-13, atol=1e-13)


def test_written_pixels_read_back_as_the_same_numbers(tmp_path: Path) -> None:
    found = inspection.inspect(random_digits(20))
    inspection.write_pixels(found, tmp_path / "new")
    back = pd.read_csv(tmp_path / "new" / "pixels.csv", index_col="pixel")
    assert back.index.tolist() == [f"pixel{i}" for i in range(784)]
    np.testing.assert_allclose(back, found.pixels, rtol=1e-15)


def test_constant_pixels_are_counted_by_their_definition() -> None:
    images = np.tile(np.arange(2, dtype=np.uint8)[:, None, None], (1000, 28, 28))
    images[:, 0, 0] = 0
    images[:, 0, 1] = 9
    images[:2, 0, 2], images[2:, 0, 2] = 1, 0  # 1,998 of 2,000 the same: just near-constant
    images[:3, 0, 3], images[3:, 0, 3] = 1, 0  # one too few
    found = inspection.inspect(Digits(images, None, "few"))
    assert found.always_zero == 1 / 784
    assert found.near_constant == 3 / 784
    assert (found.lowest, found.highest) == (0, 9)


def test_duplicates_and_conflicts() -> None:
    digits = random_digits(4)
    images = digits.images[[0, 1, 0, 2, 0, 1, 3]]
    labels = np.array([5, 1, 5, 2, 6, 1, 3], np.uint8)
    found = inspection.inspect(Digits(images, labels, "repeated"))
    assert found.n_duplicates == 3
    assert found.n_conflicts == 3, "image 0 is there three times, once under another label"
    assert found.missing == (0, 4, 7, 8, 9)
    assert found.counts is not None
    assert found.counts.tolist() == [0, 2, 1, 1, 0, 2, 1, 0, 0, 0]


def test_unlabelled_digits_have_784_columns_and_no_classes() -> None:
    found = inspection.inspect(random_digits(5).unlabelled())
    assert (found.n_columns, found.counts, found.missing, found.n_conflicts) == (784, None, None, None)
    rows = dict(inspection.summary(found))
    assert rows["classes"] == "not known: the set has no labels"
    assert "conflicts" not in rows


def test_summary_says_it_in_words_with_thousands_separated() -> None:
    digits = random_digits(1500)
    rows = dict(inspection.summary(inspection.inspect(digits[digits.known_labels != 4])))
    assert re.fullmatch(r"1,\d\d\d", rows["digits"])
    assert rows["columns"] == "785 (the label and 784 pixels)"
    assert rows["classes"] == "9 of 10, none of 4"
    assert rows["  of class 4"] == "0 (0.0 %)"
    assert rows["pixels always 0"] == "28 of 784 (3.6 %)"


def test_excerpt_shows_a_corner_an_edge_the_centre_and_the_liveliest_pixel() -> None:
    images = np.zeros((4, 28, 28), np.uint8)
    images[::2, 2, 3] = 200
    lines = inspection.excerpt(inspection.inspect(Digits(images, None, "few"))).splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["pixel0", "pixel14", "pixel406", "pixel59"]
    assert "varies most" in lines[4]
    images[::2, 14, 14] = 255
    assert "pixel406 (centre, varies most)" in inspection.excerpt(inspection.inspect(Digits(images, None, "few")))


def test_no_digits_are_refused() -> None:
    with pytest.raises(DataError, match="no digits"):
        inspection.inspect(random_digits(3)[:0])


def test_without_pandas_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=r"pandas.*\.\[train\]"):
        inspection.inspect(random_digits(3))
