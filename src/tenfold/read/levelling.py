"""Pictures whose rows are sloped, as of a page held askew: turned until the rows are level, if they are read surer so."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tenfold.read import lines
from tenfold.read.deciding import Decided

_SLOPED = 0.06  # a lesser slope is left as it is: hands write so, and digits stand upright all the same
_MOST_TURNS = 3  # a slope that is too steep to be seen whole takes a second one, or a third
_FEW, _DOUBTFUL = 4, 0.8  # of so few digits that were read, and with so little confidence, the rest may be held too askew
_LEFT = 0.9  # the share of the digits, by their probability, that a turned picture has to show: an empty text is a sure one


def level(grey: NDArray[np.float32], decide: Callable[[NDArray[np.float32]], Decided]) -> Decided:
    """What is decided on a picture, float32 (H, W), as it is; or turned until its rows are level, if that is surer.

    The boxes are those in the picture as it is.
    """
    best, angle, shape = decide(grey), 0.0, grey.shape
    for _ in range(_MOST_TURNS):
        slope = lines.slope(_standing(best))
        if abs(slope) < _SLOPED:
            break
        straight = turned(grey, angle + math.atan(slope))
        again = decide(straight)
        if again.confidence <= best.confidence or evidence(again) < _LEFT * evidence(best):
            break
        best, angle, shape = again, angle + math.atan(slope), straight.shape
    return best._replace(boxes=turned_back(best.boxes, angle, shape, grey.shape)) if angle else best


def _standing(read: Decided) -> NDArray[np.float64]:
    """The boxes, (n, 4), that tell a slope: of what was read; where that is little and doubtful, of all that was looked at."""
    some = read.labels >= 0
    return read.boxes if 0 < some.sum() < _FEW and read.confidence < _DOUBTFUL else read.boxes[some]


def evidence(read: Decided) -> float:
    """How many digits were read, by their probability."""
    some = read.labels >= 0
    return float((read.scores[some] * read.chances[some].max(axis=1, initial=0)).sum())


def turned(grey: NDArray[np.float32], angle: float) -> NDArray[np.float32]:
    """A picture turned counterclockwise by an angle in radians, whole, what is new around it like its rim."""
    rim = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    return np.asarray(
        Image.fromarray(grey).rotate(
            math.degrees(angle), Image.Resampling.BICUBIC, expand=True, fillcolor=float(np.median(rim))
        ),
        np.float32,
    )


def turned_back(
    boxes: NDArray[np.float64], angle: float, shape: tuple[int, ...], original: tuple[int, ...]
) -> NDArray[np.float64]:
    """Boxes, (n, 4), in a turned picture of a shape (h, w), as those that hold them in the original, (H, W)."""
    cos, sin = math.cos(angle), math.sin(angle)
    x, y = (boxes[:, :2] + boxes[:, 2:] / 2 - np.array(shape[1::-1]) / 2).T
    width, height = boxes[:, 2:].T
    wide, high = width * cos + height * abs(sin), width * abs(sin) + height * cos
    middles = np.stack([cos * x - sin * y, sin * x + cos * y]) + np.array(original[1::-1])[:, None] / 2
    return np.stack([middles[0] - wide / 2, middles[1] - high / 2, wide, high], axis=1)
