"""The reviewer: looks at each place that the finder proposes once more, closely and with what is around it.

The finder must answer for all places at once, and the classifier and the judge see a glyph that is cut out; the reviewer sees a
digit among its neighbours, rules and paper, as the second stage of a detector does (Girshick et al., R-CNN, 2014).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tenfold.picture.contrast import surrounded
from tenfold.read.model import Network, probabilities

KIND = "tenfold reviewer"
ANSWERS = 11  # ten digits, and none
SIDE = 48  # pixels of a view
# Pixels in a view of the longer side of a digit: seen closely, and from twice as far, among the words and rows that it is in.
_SIZES = (24.0, 12.0)
# A view is written as bytes: its mean as this, and one standard deviation as that.
MEAN, SPREAD = 96.0, 32.0
_SEEN = 2.0  # of 255: fainter contrast is not made larger
_ZOOMS = (0.92, 1.0, 1.08)  # each place is looked at in these sizes
_LEAST = 1e-9


class Reviewer(Network):
    """The reviewer network on ONNX Runtime."""

    FILE = "reviewer"

    def probabilities(self, seen: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Of ten digits and of none, float32 (N, 11), for views, uint8 (N, 2, 48, 48)."""
        return probabilities(self._session, "views", seen, ANSWERS)

    def review(self, grey: NDArray[np.float32], boxes: NDArray[np.floating]) -> NDArray[np.float64]:
        """Of ten digits and of none, float64 (N, 11), for places in a picture: the geometric mean over three sizes of each.

        Args:
            grey: float32 (H, W), 0-255, dark ink on lighter paper.
            boxes: (N, 4), x, y, width, height in pixels.
        """
        sized = [zoomed(boxes, zoom) for zoom in _ZOOMS]
        answered = self.probabilities(views(grey, np.concatenate(sized))).reshape(len(_ZOOMS), -1, ANSWERS)
        mean = np.exp(np.log(np.maximum(answered.astype(np.float64), _LEAST)).mean(axis=0))
        return np.asarray(mean / mean.sum(axis=1, keepdims=True))


def zoomed(boxes: NDArray[np.floating], zoom: float | NDArray[np.floating]) -> NDArray[np.floating]:
    """Boxes so many times larger around their middles; (N, 4), and one zoom or (N, 1)."""
    sides = boxes[:, 2:] * zoom
    return np.concatenate([boxes[:, :2] + (boxes[:, 2:] - sides) / 2, sides], axis=1)


def views(grey: NDArray[np.float32], boxes: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Boxes with as much again around them, and with three times as much: uint8 (N, 2, 48, 48), ink bright, whatever the light.

    Args:
        grey: float32 (H, W), 0-255, dark ink on lighter paper.
        boxes: (N, 4), x, y, width, height in pixels; beyond the picture its rim goes on.
    """
    image = Image.fromarray(grey)
    seen = [_view(image, box, size) for box in boxes for size in _SIZES]
    return np.array(seen, np.uint8).reshape(-1, len(_SIZES), SIDE, SIDE)


def _view(image: Image.Image, box: NDArray[np.floating], size_in_view: float) -> NDArray[np.uint8]:
    x, y, width, height = (float(v) for v in box)
    scale = max(width, height, 1.0) / size_in_view  # pixels of the picture for one of the view
    corner = np.array([x + width / 2, y + height / 2]) - SIDE / 2 * scale
    # The pixels of the view that lie in the picture as a whole; the others are like the nearest of them.
    first = np.clip(np.ceil(-corner / scale), 0, SIDE - 1).astype(int)
    last = np.clip(np.floor((np.array(image.size) - corner) / scale), first + 1, SIDE).astype(int)
    part = np.clip(np.concatenate([corner + first * scale, corner + last * scale]), 0, np.tile(image.size, 2))
    if (part[2:] <= part[:2]).any():
        return np.zeros((SIDE, SIDE), np.uint8)
    size = (int(last[0] - first[0]), int(last[1] - first[1]))
    pixels = np.asarray(image.resize(size, Image.Resampling.BILINEAR, box=tuple(part.tolist())), np.float32)
    pixels = surrounded(pixels, [(first[1], SIDE - last[1]), (first[0], SIDE - last[0])])
    below = (pixels.mean() - pixels) / np.sqrt(pixels.var() + np.float32(_SEEN**2))
    return np.asarray(np.clip(below * SPREAD + MEAN, 0, 255), np.uint8)
