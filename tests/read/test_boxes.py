"""Boxes against boxes."""

import numpy as np
import pytest

from tenfold.read.boxes import crossing, over_union

BOX = np.array([0.0, 0, 4, 2])
OTHERS = np.array([[0.0, 0, 4, 2], [2, 1, 4, 2], [1, 0, 1, 1], [4, 0, 3, 2], [9, 9, 1, 1]])


def test_what_boxes_share() -> None:
    assert crossing(BOX, OTHERS).tolist() == [8, 2, 1, 0, 0]
    assert float(crossing(BOX, OTHERS[1])) == 2


def test_what_boxes_share_over_both() -> None:
    assert over_union(BOX, OTHERS) == pytest.approx([1, 2 / 14, 1 / 8, 0, 0])
    assert float(over_union(OTHERS[1], BOX)) == pytest.approx(2 / 14)
