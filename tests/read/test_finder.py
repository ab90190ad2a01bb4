"""The pyramid, and what cells agree on; the network itself is tested through the reader."""

import numpy as np
import pytest
from PIL import Image

from tenfold.data.sources import load
from tenfold.read import finder


@pytest.mark.parametrize("shape", [(16, 100), (28, 28), (60, 400), (500, 500), (1200, 900)])
def test_a_digit_of_any_size_is_seen_in_a_size_that_the_finder_knows(shape: tuple[int, int]) -> None:
    scales = list(finder.scales(shape))
    for height in np.geomspace(12 if shape[0] < 40 else 17, min(shape), 20):
        assert any(finder.LEAST <= height * scale <= finder.LARGEST for scale in scales), height
    assert scales == sorted(scales, reverse=True)


def cells(*answers: tuple[tuple[float, ...], int, float]) -> tuple[np.ndarray, np.ndarray]:
    boxes = np.array([box for box, _, _ in answers], float)
    chances = np.zeros((len(answers), 11))
    for row, (_, label, score) in zip(chances, answers, strict=True):
        row[label], row[10] = score, 1 - score
    return boxes, chances


def test_cells_of_one_digit_are_one() -> None:
    found = finder._agreed(*cells(((10, 10, 20, 30), 4, 0.9), ((11, 9, 20, 31), 4, 0.8), ((12, 10, 19, 30), 9, 0.3)))
    assert len(found) == 1
    assert found[0].probabilities.argmax() == 4
    assert found[0].box == pytest.approx([10.5, 9.6, 20, 30.5], abs=0.6)
    assert found[0].support == pytest.approx(2.0)


def test_digits_that_touch_stay_two_and_a_loop_of_an_eight_is_none() -> None:
    two = finder._agreed(*cells(((10, 10, 20, 30), 4, 0.9), ((29, 10, 20, 30), 5, 0.9)))
    assert [f.probabilities.argmax() for f in two] == [4, 5]
    eight = finder._agreed(*cells(((10, 10, 20, 40), 8, 0.9), ((11, 11, 18, 18), 0, 0.5), ((11, 30, 18, 19), 0, 0.5)))
    assert [f.probabilities.argmax() for f in eight] == [8]


def test_rows_close_above_each_other_stay_two() -> None:
    found = finder._agreed(*cells(((10, 10, 20, 30), 4, 0.9), ((11, 42, 20, 30), 5, 0.9)))
    assert len(found) == 2


@pytest.mark.parametrize(("height", "looks_closer"), [(200, False), (20, True)])
def test_a_picture_is_looked_at_larger_than_it_is_only_for_small_digits(
    monkeypatch: pytest.MonkeyPatch, height: int, looks_closer: bool
) -> None:
    seven = Image.fromarray(255 - load("mnist", "test").images[0]).resize((height * 28 // 20, height * 28 // 20))
    page = Image.new("L", (300, 300), 255)
    page.paste(seven, (8, 8))
    looked_at: list[float] = []
    at = finder.Finder._at

    def noting(self: finder.Finder, grey: np.ndarray, scale: float, least: float) -> tuple[np.ndarray, np.ndarray]:
        looked_at.append(scale)
        return at(self, grey, scale, least)

    monkeypatch.setattr(finder.Finder, "_at", noting)
    found = finder.Finder.bundled(1).find(np.asarray(page, np.float32))
    assert found[0].probabilities.argmax() == 7
    assert (2.0 in looked_at) == looks_closer
