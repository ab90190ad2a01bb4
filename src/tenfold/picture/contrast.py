"""Pixels to contrast: how much darker each place is than its surroundings, whatever the paper and the light."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

REACH = 33  # pixels a side of the surroundings: about the height of a digit as the finder sees it
_SEEN = 2.0  # of 255: fainter contrast is not made larger
_OF_ALL = 0.3  # share of the whole picture's contrast that counts everywhere, so that blank paper stays calm
_MOST = 6.0
_STROKE = 0.2  # of the shorter side of a picture of one digit: strokes are narrower
_LEAST_SIDE = 40  # pixels; in less a stroke is hardly narrower than that
_SHADE = 0.15  # by how much of its brightness paper has to be darker somewhere
_DEEP, _PAPER = 2, 80  # pixels of the rim that are looked at; which percentile of them is paper, ink being rarer


def surrounded(grey: NDArray[np.float32], margins: Sequence[tuple[int, int]]) -> NDArray[np.float32]:
    """A picture with paper around it, as bright as the paper along the rim is: ink that touches the rim ends there.

    Args:
        grey: float32 (H, W), 0-255, dark ink on lighter paper.
        margins: pixels above and below, left and right.
    """
    from scipy import ndimage

    made = np.pad(grey, margins, mode="edge")
    for axis in (0, 1):
        (before, after), turned = margins[axis], np.moveaxis(made, axis, 0)
        for n, place, rim in (
            (before, np.s_[:before], np.s_[before : before + _DEEP]),
            (after, np.s_[-after:], np.s_[-after - _DEEP : -after]),
        ):
            if n:
                turned[place] = ndimage.percentile_filter(turned[rim], _PAPER, (2 * _DEEP + 1, REACH), mode="nearest")[0]
    return made


def evenly_lit(grey: NDArray[np.float32]) -> NDArray[np.uint8] | None:
    """A picture of one digit as it would look without the shadows on it, uint8 (H, W); None without any, or if it is tiny.

    The paper is what a grey closing leaves (Serra, Image Analysis and Mathematical Morphology, 1982): dark strokes that are
    narrower than a fifth of the picture go, the edge of a shadow stays. Each pixel is then a share of its paper.

    Args:
        grey: float32 (H, W), 0-255, dark ink on lighter paper.
    """
    from scipy import ndimage

    if min(grey.shape) < _LEAST_SIDE:
        return None
    paper = ndimage.grey_closing(grey, round(_STROKE * min(grey.shape)))
    dark, light = np.percentile(paper, (5, 95))
    if light - dark < _SHADE * light:
        return None
    return np.asarray(np.clip(240 * grey / np.maximum(paper, 1), 0, 255), np.uint8)


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
