"""Found digits to rows in reading order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_SLOPES = np.linspace(-0.35, 0.35, 71)
_STEEP = np.concatenate([np.linspace(-1, -0.38, 22), _SLOPES, np.linspace(0.38, 1, 22)])
_MANY = 4  # digits; fewer say nothing of a steep slope, since any two lie in a row of some slope
_ROW_APART = 0.55  # of the height of digits: further apart, down the page, is another row
# What a slope costs: each row but the first, and a level page is likelier than a sloped one. Were a row dearer, two fields side
# by side at different heights would be taken for a single sloped one.
_A_ROW, _A_SLOPE = 0.15, 0.5
_A_ROW_MORE = 0.4  # the same where a picture may be turned by the slope, which has to prove itself then


def rows(boxes: NDArray[np.float64], sure: NDArray[np.bool_] | None = None) -> list[list[int]]:
    """The rows of a page from top to bottom, each the indices of its boxes from left to right.

    Rows are straight and share a slope: the one under which few rows hold all digits closely. What is not surely a digit
    decides nothing: it joins the nearest row, or where none is near, makes one with its like.

    Args:
        boxes: float64 (n, 4), x, y, width, height.
        sure: which are surely digits, bool (n,); all by default.
    """
    if not len(boxes):
        return []
    if sure is None or not sure.any():
        sure = np.ones(len(boxes), bool)
    middles = (boxes[:, :2] + boxes[:, 2:] / 2) / np.median(boxes[sure, 3])
    slope = _likeliest_slope(middles[sure], _SLOPES, _A_ROW)
    levels = middles[:, 1] - slope * middles[:, 0]
    found = [list(row) for row in _parted(levels, np.flatnonzero(sure))]
    means = np.array([levels[row].mean() for row in found])
    others = np.flatnonzero(~sure)
    apart = np.abs(levels[others, None] - means)
    for i, distances in zip(others, apart, strict=True):
        if distances.min() <= _ROW_APART:
            found[int(distances.argmin())].append(i)
    found += [list(row) for row in _parted(levels, others[apart.min(axis=1) > _ROW_APART])]
    found.sort(key=lambda row: float(levels[row].mean()))
    return [sorted(map(int, row), key=lambda i: float(middles[i, 0])) for row in found]


def slope(boxes: NDArray[np.float64]) -> float:
    """How far the rows of a page fall for each pixel to the right, from -1 to 1, of few digits to 0.35; 0 without a box.

    Args:
        boxes: float64 (n, 4), x, y, width, height, of digits.
    """
    if not len(boxes):
        return 0.0
    middles = (boxes[:, :2] + boxes[:, 2:] / 2) / np.median(boxes[:, 3])
    return _likeliest_slope(middles, _SLOPES if len(boxes) < _MANY else _STEEP, _A_ROW_MORE)


def _likeliest_slope(middles: NDArray[np.float64], slopes: NDArray[np.float64], a_row: float) -> float:
    return float(min(slopes, key=lambda slope: _cost(middles, slope, a_row)))


def _parted(levels: NDArray[np.float64], some: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Some places, by their levels, parted where the next is far below."""
    order = some[np.argsort(levels[some], kind="stable")]
    return np.split(order, np.flatnonzero(np.diff(levels[order]) > _ROW_APART) + 1) if len(order) else []


def _cost(middles: NDArray[np.float64], slope: float, a_row: float) -> float:
    """How badly places, (n, 2) in heights of digits, fall into rows of this slope."""
    levels = np.sort(middles[:, 1] - slope * middles[:, 0])
    breaks = np.flatnonzero(np.diff(levels) > _ROW_APART) + 1
    spread = sum(float(((row - row.mean()) ** 2).sum()) for row in np.split(levels, breaks))
    return spread + a_row * len(breaks) + _A_SLOPE * abs(slope)
