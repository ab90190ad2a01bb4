"""Pixels to contrast: how much darker each place is than its surroundings, whatever the paper and the light."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

REACH = 33  # pixels a side of the surroundings: about the height of a digit as the finder sees it
_SEEN = 2.0  # of 255: fainter contrast is not made larger
_OF_ALL = 0.3  # share of the whole picture's contrast that counts everywhere, so that blank paper stays calm
_MOST = 6.0


def contrast(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each pixel's distance below the mean of its surroundings, over their standard deviation: about -6 to 6, ink positive.

    Args:
        grey: float32 (H, W), 0-255, dark ink on lighter paper.
    """
    from scipy import ndimage

    below = ndimage.uniform_filter(grey, REACH, mode="nearest") - grey
    squared = below * below
    around = ndimage.uniform_filter(squared, REACH, mode="nearest")
    spread = np.sqrt(np.maximum(around, 0) + np.float32(_OF_ALL**2) * squared.mean() + np.float32(_SEEN**2))
    return np.asarray(np.clip(below / spread, -_MOST, _MOST), np.float32)
