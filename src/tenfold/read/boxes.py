"""How far boxes overlap: x, y, width, height, one (4,) against one or several (..., 4)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def crossing(box: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """The area that a box shares with each of the others, float64 (...)."""
    low = np.maximum(box[:2], others[..., :2])
    high = np.minimum(box[:2] + box[2:], others[..., :2] + others[..., 2:])
    return np.asarray(np.maximum(high - low, 0).prod(axis=-1))


def over_union(box: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """The area that a box shares with each of the others, over the area of both together, 0-1, float64 (...)."""
    shared = crossing(box, others)
    return np.asarray(shared / (box[2:].prod() + others[..., 2:].prod(axis=-1) - shared))
