"""Sloped pictures are turned until they are level, if they are read surer so, and boxes found back in them as they are."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tenfold import Reader
from tenfold.read import levelling
from tenfold.read.deciding import Decided

FIELD = Path(__file__).parents[2] / "docs" / "images" / "field.png"
READER = Reader(threads=1)


@pytest.mark.parametrize("degrees", [-18, -9, 9, 18])
def test_a_picture_held_askew_is_read_and_its_boxes_hold_the_digits(degrees: int) -> None:
    straight = Image.open(FIELD).convert("L")
    askew = straight.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=straight.getpixel((2, 2)))
    level, read = READER.read(straight), READER.read(askew)
    assert read.text == level.text == "482107"
    both = ([digit for digit in reading.digits if digit.accepted] for reading in (level, read))
    for there, here in zip(*both, strict=True):
        middle = middle_of(there.box) - np.array(straight.size) / 2
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        expected = np.array([[cos, sin], [-sin, cos]]) @ middle + np.array(askew.size) / 2
        assert np.abs(middle_of(here.box) - expected).max() < 4


def middle_of(box: tuple[int, int, int, int]) -> np.ndarray:
    return np.array(box[:2]) + np.array(box[2:]) / 2


def decided(slope: float, confidence: float) -> Decided:
    """Six digits in a row of a slope."""
    x = 40.0 * np.arange(6)
    boxes = np.stack([x, 50 + slope * x, np.full(6, 20.0), np.full(6, 40.0)], axis=1)
    none = np.zeros((6, 28, 28), np.uint8)
    made = (np.ones(6), np.full((6, 10), 0.1), np.arange(6), np.zeros(6, bool))
    return Decided(none, boxes, np.zeros(6, np.int64), *made, confidence)


def asked(*answers: Decided) -> tuple[Callable[[np.ndarray], Decided], list[tuple[int, ...]]]:
    """Something that decides so, one after the other; and the shapes of the pictures that it was asked about."""
    shapes: list[tuple[int, ...]] = []

    def decide(grey: np.ndarray) -> Decided:
        shapes.append(grey.shape)
        return answers[len(shapes) - 1]

    return decide, shapes


PAPER = np.full((100, 300), 240, np.float32)


def test_a_level_row_is_looked_at_once() -> None:
    decide, shapes = asked(decided(0.02, 0.5))
    assert levelling.level(PAPER, decide).confidence == 0.5
    assert shapes == [(100, 300)]


def test_what_is_read_less_surely_when_turned_stays_as_it_was() -> None:
    as_it_is = decided(0.2, 0.5)
    decide, shapes = asked(as_it_is, decided(0, 0.5))
    assert levelling.level(PAPER, decide) is as_it_is
    assert len(shapes) == 2


def test_what_is_read_more_surely_when_turned_is_taken_and_turned_on_at_most_twice_more() -> None:
    decide, shapes = asked(decided(0.3, 0.1), decided(0.2, 0.4), decided(0.1, 0.9), decided(0.1, 0.95))
    read = levelling.level(PAPER, decide)
    assert read.confidence == 0.95
    assert len(shapes) == 4
    assert shapes[2][0] > shapes[1][0] > 100, "each time from the picture as it is"


def test_a_turned_picture_that_shows_fewer_digits_is_not_taken_however_sure_it_is() -> None:
    """Of a picture without any digit it is quite sure that there is none."""
    few = decided(0.0, 0.99)
    few.labels[2:] = -1
    decide, _ = asked(decided(0.3, 0.9), few)
    assert levelling.level(PAPER, decide).confidence == 0.9


def test_where_little_is_read_and_doubtful_all_that_may_be_digits_tells_the_slope() -> None:
    little, level = decided(0.3, 0.3), decided(0.0, 0.9)
    little.labels[:-1] = -1
    decide, shapes = asked(little, level)
    assert levelling.level(PAPER, decide).confidence == 0.9
    assert len(shapes) == 2
    sure, shapes = asked(little._replace(confidence=0.9))
    assert levelling.level(PAPER, sure).confidence == 0.9
    assert len(shapes) == 1


def test_boxes_turned_back_hold_what_they_held() -> None:
    grey = np.full((80, 120), 200, np.float32)
    grey[30:40, 70:90] = 10
    for angle in (-0.3, -0.1, 0.1, 0.3):
        straight = levelling.turned(grey, angle)
        assert abs(float(np.median(straight[[0, -1]])) - 200) < 1, "what is new is like the rim"
        rows, columns = np.nonzero(straight < 100)
        box = np.array([[columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1]], float)
        x, y, width, height = levelling.turned_back(box, angle, straight.shape, grey.shape)[0]
        assert x < 71
        assert y < 31
        assert x + width > 89
        assert y + height > 39
        assert abs(x + width / 2 - 80) < 1.5
        assert abs(y + height / 2 - 35) < 1.5
