"""Views: a digit in the middle in one size, whatever its size, place, paper and light; and the reviewer that ships."""

import numpy as np
import pytest
from PIL import Image

import tenfold
from tenfold.read.reviewer import MEAN, SIDE, Reviewer, views

PAPER, INK = 220, 40


def page(
    digit: int, left: int, top: int, height: int, shape: tuple[int, int] = (200, 300)
) -> tuple[np.ndarray, np.ndarray, int]:
    """A digit of MNIST on paper, float32 (H, W), its box (1, 4), and its label."""
    digits = tenfold.load("mnist", "test")
    image = digits.images[digit]
    rows, columns = np.flatnonzero(image.max(axis=1) > 60), np.flatnonzero(image.max(axis=0) > 60)
    own = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    width = max(1, round(own.shape[1] * height / own.shape[0]))
    large = np.asarray(Image.fromarray(own).resize((width, height), Image.Resampling.BICUBIC), np.float32)
    grey = np.full(shape, PAPER, np.float32)
    y, x = max(0, -top), max(0, -left)
    part = large[y : y + shape[0] - max(0, top), x : x + shape[1] - max(0, left)]
    grey[top + y : top + y + part.shape[0], left + x : left + x + part.shape[1]] -= part / 255 * (PAPER - INK)
    return grey, np.array([[left, top, width, height]], float), int(digits.known_labels[digit])


@pytest.mark.parametrize(("which", "share"), [(0, 24), (1, 12)])
@pytest.mark.parametrize("height", [12, 24, 60, 150])
def test_a_digit_fills_half_of_its_view_and_a_quarter_of_the_one_from_afar(height: int, which: int, share: int) -> None:
    seen = views(*page(0, 60, 20, height)[:2])[0, which]
    inked = seen > (int(seen.max()) + MEAN) / 2
    rows = np.flatnonzero(inked.any(axis=1))
    assert rows[-1] - rows[0] == pytest.approx(share - 1, abs=2)
    assert (rows[0] + rows[-1]) / 2 == pytest.approx(SIDE / 2, abs=1.5)


def test_paper_and_light_do_not_matter() -> None:
    grey, boxes, _ = page(3, 100, 60, 40)
    other = 30 + grey * 0.4
    assert np.abs(views(grey, boxes).astype(int) - views(other, boxes)).max() <= 3


@pytest.mark.parametrize(("left", "top"), [(-8, 60), (280, 60), (100, -10), (100, 185)])
def test_beyond_the_rim_the_paper_goes_on(left: int, top: int) -> None:
    grey, boxes, _ = page(1, left, top, 40)
    seen = views(grey, boxes)[0, 0]
    outside = seen[[0, -1]] if 0 <= left < 260 else seen[:, [0, -1]]
    assert seen.max() > MEAN + 40
    assert np.abs(outside.astype(int) - np.median(seen)).mean() < 30


def test_boxes_outside_blank_paper_and_none_at_all() -> None:
    blank = np.full((50, 60), 200, np.float32)
    assert (views(blank, np.array([[10.0, 10, 20, 20]])) == MEAN).all()
    assert views(blank, np.array([[500.0, 500, 20, 20], [-90, 0, 10, 10], [5, 5, 0, 0]])).shape == (3, 2, SIDE, SIDE)
    assert views(blank, np.zeros((0, 4))).shape == (0, 2, SIDE, SIDE)
    assert Reviewer.bundled(1).review(blank, np.zeros((0, 4))).shape == (0, 11)


def test_a_large_digit_in_a_large_picture_costs_no_large_copy() -> None:
    """What is beyond the rim is made in the view, not around the picture."""
    import tracemalloc

    grey = np.full((1200, 1200), 200, np.float32)
    tracemalloc.start()
    views(grey, np.array([[10.0, 10, 1180, 1180]]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * grey.nbytes


def test_the_one_that_ships_knows_digits_among_their_neighbours() -> None:
    reviewer, right = Reviewer.bundled(1), []
    for k in range(40):
        grey, boxes, label = page(k, 120, 50, 36)
        grey[48:90, 106:110] = INK  # a stroke close by
        chances = reviewer.review(grey, boxes)[0]
        assert chances.sum() == pytest.approx(1, abs=1e-4)
        right.append(chances.argmax() == label)
    assert np.mean(right) > 0.9


def test_the_one_that_ships_knows_what_is_none() -> None:
    reviewer = Reviewer.bundled(1)
    random = np.random.default_rng(0)
    noise = np.asarray(random.normal(150, 20, (100, 100)), np.float32)
    rule = np.full((100, 100), PAPER, np.float32)
    rule[48:52] = INK
    for grey in (noise, rule):
        assert reviewer.review(grey, np.array([[40.0, 40, 20, 24]]))[0, 10] > 0.5


def test_a_review_is_the_mean_over_three_sizes() -> None:
    grey, boxes, _ = page(4, 120, 50, 36)
    x, y, width, height = boxes[0]
    reviewer, logs = Reviewer.bundled(1), []
    for zoom in (0.92, 1.0, 1.08):
        zoomed = [x + width * (1 - zoom) / 2, y + height * (1 - zoom) / 2, width * zoom, height * zoom]
        logs.append(np.log(reviewer.probabilities(views(grey, np.array([zoomed])))[0]))
    expected = np.exp(np.mean(logs, axis=0))
    assert reviewer.review(grey, boxes)[0] == pytest.approx(expected / expected.sum(), abs=1e-4)
