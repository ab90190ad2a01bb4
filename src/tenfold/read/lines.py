"""Found digits to rows in reading order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_SLOPES = np.linspace(-0.35, 0.35, 71)
_ROW_APART = 0.55  # of the height of digits: further apart, down the page, is another row
# What a slope costs: each row but the first, and a level page is likelier than a sloped one.
_A_ROW, _A_SLOPE = 0.4, 0.5


def rows(boxes: NDArray[np.float64]) -> list[list[int]]:
    """The rows of a page from top to bottom, each the indices of its boxes from left to right.

    Rows are straight and share a slope: the one under which few rows hold all digits closely.

    Args:
        boxes: float64 (n, 4), x, y, width, height.
    """
    if not len(boxes):
        return []
    middles = (boxes[:, :2] + boxes[:, 2:] / 2) / np.median(boxes[:, 3])
    slope = min(_SLOPES, key=lambda slope: _cost(middles, slope))
    levels = middles[:, 1] - slope * middles[:, 0]
    order = np.argsort(levels, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(levels[order]) > _ROW_APART) + 1)
    return [[int(i) for i in row[np.argsort(middles[row, 0], kind="stable")]] for row in parts]


def _cost(middles: NDArray[np.float64], slope: float) -> float:
    """How badly places, (n, 2) in heights of digits, fall into rows of this slope."""
    levels = np.sort(middles[:, 1] - slope * middles[:, 0])
    breaks = np.flatnonzero(np.diff(levels) > _ROW_APART) + 1
    spread = sum(float(((row - row.mean()) ** 2).sum()) for row in np.split(levels, breaks))
    return spread + _A_ROW * len(breaks) + _A_SLOPE * abs(slope)
