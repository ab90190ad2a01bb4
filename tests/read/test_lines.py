"""Rows in reading order: level, sloped, tight, with wide gaps."""

from __future__ import annotations

import numpy as np
import pytest

from tenfold.read import lines


def grid(n_rows: int, n: int, slope: float = 0.0, spacing: float = 1.6, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    boxes = []
    for r in range(n_rows):
        for i in range(n):
            x, y = 30.0 * i, 40.0 * spacing * r
            boxes.append((x, y + slope * x + random.normal(0, 2), 20, 40 + random.normal(0, 3)))
    return np.array(boxes)


@pytest.mark.parametrize("slope", [-0.15, 0, 0.1, 0.2])
@pytest.mark.parametrize("n_rows", [1, 2, 5])
@pytest.mark.parametrize("n", [1, 4, 9])
def test_rows_come_from_the_top_and_digits_from_the_left(slope: float, n_rows: int, n: int) -> None:
    boxes = grid(n_rows, n, slope)
    order = np.random.default_rng(1).permutation(len(boxes))
    found = [[int(order[i]) for i in row] for row in lines.rows(boxes[order])]
    assert found == [list(range(r * n, (r + 1) * n)) for r in range(n_rows)]


def test_a_wide_gap_does_not_part_a_row() -> None:
    boxes = np.array([(0, 0, 20, 40), (25, 2, 20, 40), (600, -3, 20, 40), (630, 1, 20, 38)], float)
    assert lines.rows(boxes) == [[0, 1, 2, 3]]


def test_a_small_zero_stays_in_its_row() -> None:
    boxes = np.array([(0, 0, 20, 40), (25, 22, 15, 18), (45, 20, 15, 20), (0, 70, 20, 40)], float)
    assert lines.rows(boxes) == [[0, 1, 2], [3]]


def test_no_boxes_no_rows() -> None:
    assert lines.rows(np.zeros((0, 4))) == []


def test_a_row_is_known_by_the_middles_of_its_digits() -> None:
    """A tall bar among small digits neither starts nor ends where they do."""
    boxes = np.array([(0, 100, 20, 40), (30, 20, 20, 200), (60, 100, 20, 40), (90, 100, 20, 40)], float)
    assert lines.rows(boxes) == [[0, 1, 2, 3]]


def test_digits_are_ordered_by_their_middles_too() -> None:
    """A narrow, tall digit under the roof of a wide one."""
    boxes = np.array([(0, 10, 60, 40), (20, 0, 8, 60)], float)
    assert lines.rows(boxes) == [[1, 0]]


def test_a_level_row_is_one_however_wide_the_page() -> None:
    """Being level must be among the slopes that are tried."""
    assert lines.rows(np.array([(0, 0, 20, 40), (8000, 0, 20, 40)], float)) == [[0, 1]]


def test_a_page_may_slope_by_a_quarter_and_no_more() -> None:
    """A digit at the lower right belongs to the row, or under it."""
    for down, sloped in ((1.1, [[0, 1]]), (2.4, [[0], [1]])):
        assert lines.rows(np.array([(0, 0, 20, 40), (160, 40 * down, 20, 40)], float)) == sloped
        assert lines.rows(np.array([(160, 0, 20, 40), (0, 40 * down, 20, 40)], float)) == [[*reversed(row)] for row in sloped]


def test_of_two_slopes_the_more_level_one_is_right() -> None:
    """The third digit could end the first row or the second."""
    boxes = np.array([(0, 0, 20, 40), (0, 48, 20, 40), (240, 16, 20, 40)], float)
    assert lines.rows(boxes) == [[0, 2], [1]]


def test_what_stands_one_above_the_other_is_two_rows() -> None:
    """Also where a digit far away lies between them in height and would chain them to one."""
    boxes = np.array([(0, 0, 20, 40), (400, 16, 20, 40), (0, 40, 20, 40)], float)
    assert lines.rows(boxes) == [[0, 1], [2]]


def test_what_is_hardly_a_digit_decides_nothing_and_joins_the_row_it_is_near() -> None:
    """Specks between two rows would make one of them."""
    specks = [(10, 30, 6, 6), (40, 38, 6, 6), (70, 25, 6, 6), (130, 66, 10, 30), (0, 250, 10, 20), (0, -150, 10, 20)]
    boxes = np.vstack([grid(2, 4), specks])
    sure = np.arange(len(boxes)) < 8
    assert lines.rows(boxes)[0] != [0, 1, 2, 3], "they do without being told"
    found = lines.rows(boxes, sure)
    assert [[i for i in row if sure[i]] for row in found if any(sure[i] for i in row)] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert sorted(i for row in found for i in row) == list(range(14)), "each is in one row"
    assert (found[0], found[-1]) == ([13], [12]), "far from all rows is a row of its own, above or below them"
    assert 11 in found[2], "in the row that it is near"
    assert lines.rows(boxes, np.zeros(len(boxes), bool)) == lines.rows(boxes), "if none is sure, all count"


def test_fields_side_by_side_at_different_heights_are_rows_of_their_own() -> None:
    """A date and an amount are no single number, though a sloped line would go through both."""
    x = np.array([0, 36, 72, 360, 396, 432])
    boxes = np.stack([x, np.where(x < 300, 0, 70), np.full(6, 24), np.full(6, 40)], axis=1).astype(float)
    assert lines.rows(boxes) == [[0, 1, 2], [3, 4, 5]]


def test_many_digits_tell_a_steep_slope_and_few_none() -> None:
    for slope in (-0.8, -0.5, 0.6, 0.9):
        x = 30.0 * np.arange(6)
        boxes = np.stack([x, 300 + slope * x, np.full(6, 20.0), np.full(6, 40.0)], axis=1)
        assert abs(lines.slope(boxes) - slope) < 0.06
        assert abs(lines.slope(boxes[:3])) <= 0.351
