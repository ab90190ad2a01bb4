"""Small drawings that are no digit: each kind leaves ink where it should, the same for the same numbers."""

import numpy as np
import pytest

from tenfold.learn import doodles

pytestmark = pytest.mark.one_backend


def drawn(seed: int, pen: float = 4.0) -> np.ndarray:
    ink = np.zeros((120, 120), np.uint8)
    doodles.draw(ink, doodles.doodle(np.random.default_rng(seed)), (30, 20), (60, 60), pen)
    return ink


def test_a_doodle_lies_where_it_should_and_comes_again() -> None:
    for seed in range(60):
        ink = drawn(seed)
        rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
        assert 4 <= rows[0] < rows[-1] <= 110, "tails of letters hang below"
        assert 14 <= columns[0] < columns[-1] <= 108
        assert max(np.ptp(rows), np.ptp(columns)) > 25
        assert (ink == drawn(seed)).all()


def test_there_are_many_kinds() -> None:
    shapes = {tuple(len(stroke) for stroke in doodles.doodle(np.random.default_rng(seed))) for seed in range(200)}
    assert len(shapes) > 25


def test_a_wider_pen_leaves_more_ink_and_what_was_there_stays() -> None:
    thin, wide = (np.count_nonzero(drawn(3, pen)) for pen in (2.0, 8.0))
    assert wide > 2 * thin
    ink = np.full((50, 50), 7, np.uint8)
    doodles.draw(ink, [[(0.5, 0.5)]], (0, 0), (50, 50), 6.0)
    assert ink[25, 25] == 255, "a stroke of one point is a dot"
    assert ink[0, 0] == 7
