"""For any picture: reading never raises, and what it finds lies inside."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

import tenfold
from tenfold import Reader
from tenfold.read import lines

SIDES = st.integers(1, 60)
LONG = st.tuples(st.integers(1, 2), st.integers(500, 3000))
PIXELS = st.tuples(SIDES, SIDES).flatmap(
    lambda shape: arrays(np.uint8, shape, elements=st.integers(0, 255), fill=st.sampled_from([0, 9, 255]))
)
BOXES = st.lists(st.tuples(*[st.floats(0, 1000)] * 2, *[st.floats(1, 200)] * 2), max_size=12)


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(threads=1)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    pixels=PIXELS | LONG.map(lambda shape: np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)),
    turned=st.booleans(),
)
def test_any_picture_is_read_and_boxes_lie_inside(reader: Reader, pixels: np.ndarray, turned: bool) -> None:
    pixels = pixels.T if turned else pixels
    reading = reader.read(pixels)
    assert 0 <= reading.confidence <= 1
    for digit in reading.digits:
        x, y, width, height = digit.box
        assert 0 <= x < x + width <= pixels.shape[1]
        assert 0 <= y < y + height <= pixels.shape[0]
        assert sum(digit.probabilities) == pytest.approx(1, abs=1e-4)
    classified = reader.classify([pixels])
    assert np.isfinite(classified.probabilities).all()
    assert 0 <= classified.digit_score[0] <= 1


@settings(max_examples=100, deadline=None, derandomize=True)
@given(boxes=BOXES, seed=st.integers(0, 9))
def test_every_box_is_in_one_row_from_left_to_right(boxes: list[tuple[float, ...]], seed: int) -> None:
    table = np.array(boxes, float).reshape(-1, 4)
    rows = lines.rows(table)
    assert sorted(i for row in rows for i in row) == list(range(len(table)))
    middles = table[:, 0] + table[:, 2] / 2
    assert all((np.diff(middles[row]) >= 0).all() for row in rows)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    which=st.integers(0, 19),
    side=st.integers(60, 300),
    low=st.integers(0, 80),
    high=st.integers(170, 255),
    turned=st.booleans(),
)
def test_15_size_contrast_polarity_and_place_do_not_change_the_digit(
    reader: Reader, which: int, side: int, low: int, high: int, turned: bool
) -> None:
    digits = tenfold.load("mnist", "test")
    strokes = np.asarray(Image.fromarray(digits.images[which]).resize((side, side), Image.Resampling.BICUBIC)) / 255
    page = np.pad(strokes, ((side // 2, side // 4), (side // 8, side)))
    levels = (low, high) if turned else (high, low)
    found = reader.classify([np.rint(np.interp(page, (0, 1), levels)).astype(np.uint8)])
    assert found.labels[0] == digits.known_labels[which]
