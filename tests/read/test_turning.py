"""Which way round a picture is read better."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tenfold import Reader, picture
from tenfold.picture import Source
from tenfold.read import turning
from tenfold.read.reading import Digit, Reading

FIELD = Path(__file__).parents[2] / "docs" / "images" / "field.png"


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_turned_picture_is_said_to_be(quarters: int) -> None:
    reader = Reader()
    lying = np.ascontiguousarray(np.rot90(picture.decode(FIELD), quarters))  # counterclockwise
    found = turning.better(reader.read, reader.read(lying))
    assert found is not None
    assert (found.degrees, found.reading.text) == (90 * quarters, "482107")


def test_an_upright_picture_is_read_once() -> None:
    reader = Reader()

    def never(source: Source) -> Reading:
        raise AssertionError

    assert turning.better(never, reader.read(FIELD)) is None


def reading_of(confidence: float, n_digits: int, accepted: bool = True) -> Reading:
    digit = Digit(2, 1.0, (0, 0, 1, 1), 0, (0.0,) * 10, accepted)
    return Reading(None, (digit,) * n_digits, confidence, _source=np.full((10, 20), 255, np.uint8))


@pytest.mark.parametrize(
    ("confidence", "n_digits", "is_better"),
    [(0.95, 4, True), (0.85, 4, False), (0.95, 3, False), (0.95, 2, False)],
)
def test_only_a_surer_text_of_more_digits_is_better(confidence: float, n_digits: int, is_better: bool) -> None:
    """200 is 002 upside down."""
    found = turning.better(lambda _: reading_of(confidence, n_digits), reading_of(0.3, 3))
    assert (found is not None) == is_better


def test_a_sure_text_is_doubted_where_most_of_what_stands_there_is_refused() -> None:
    two, refused = reading_of(0.9, 2), reading_of(0.9, 1, accepted=False).digits
    assert turning.better(lambda _: reading_of(0.95, 6), two) is None
    mostly = replace(two, digits=two.digits + refused * 3)
    assert turning.better(lambda _: reading_of(0.95, 9), mostly) is None, "refused ones may be digits too"
    assert turning.better(lambda _: reading_of(0.95, 10), mostly) is not None


def test_digits_of_a_refused_text_count_too() -> None:
    assert turning.better(lambda _: reading_of(0.95, 1), reading_of(0.3, 3, accepted=False)) is None
    assert turning.better(lambda _: reading_of(0.95, 4), reading_of(0.3, 3, accepted=False)) is not None
