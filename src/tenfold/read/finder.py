"""Where digits stand in a picture, of whatever size: the finder network over a pyramid of sizes, and what its cells agree on.

Knows nothing of rows or of how sure a digit is: see `lines` and `reader`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tenfold.picture.contrast import contrast
from tenfold.read.boxes import crossing, over_union
from tenfold.read.model import Network

KIND = "tenfold finder"
STRIDE = 4  # pixels of a cell
LEAST, LARGEST = 16.0, 40.0  # the longer side of the digits it answers for, in pixels
TYPICAL = 24.0  # boxes are answered in units of this
CHANNELS = 15
STEP = 2.0
_SLIMMEST = 6  # times as high as wide a digit may be: a 1
_MULTIPLE = 8  # of which the sides of what the network sees must be
_RIM = 8  # blank pixels around a picture, so that digits at its rim have cells around them
LIKELY, HARDLY = 0.15, 0.04  # the chance of a digit from which a cell counts, and where digits are known to be missing
_FEW_PIXELS = 350_000  # of a view: what is always affordable
_MOST_PIXELS = 2_400_000  # of a view larger than the picture: what never is
_SAME = 0.45  # boxes that overlap by more of the smaller one are one digit


@dataclass(frozen=True)
class Found:
    """A digit that was found.

    Attributes:
        box: float64 (4,), x, y, width, height in pixels of the picture.
        probabilities: float64 (11,), of ten digits and of none.
        support: how many cells agreed.
    """

    box: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    support: float

    @property
    def score(self) -> float:
        """The probability that there is a digit."""
        return float(1 - self.probabilities[10])


class Finder(Network):
    """The finder network on ONNX Runtime."""

    FILE = "finder"

    def find(self, grey: NDArray[np.float32], least: float = LIKELY, closely: bool = False) -> list[Found]:
        """All digits in a picture, float32 (H, W) of 0-255, dark ink on lighter paper; the surest first.

        From coarse to fine. A view with many pixels, or larger than the picture, is looked at only if there may be digits too
        small for the one before: if nothing was found yet, or if the smallest found ones were small there.

        Args:
            grey: the picture.
            least: the chance of a digit from which a cell counts.
            closely: look at it in its own size whatever was found: there may be small digits beside large ones.
        """
        return self.look(grey, least=least, closely=closely)[0]

    def look(
        self, grey: NDArray[np.float32], most: int | None = None, least: float = LIKELY, closely: bool = False
    ) -> tuple[list[Found], int]:
        """What `find` finds in `most` views, the coarsest, or in as many as it takes; and in how many that was."""
        boxes, chances, n_views = np.zeros((0, 4)), np.zeros((0, 11)), 0
        for scale in sorted(scales(grey.shape))[:most]:
            n_pixels = grey.size * scale**2
            if scale > 1 and n_pixels > _MOST_PIXELS:
                break
            costly = scale > 1 or (n_pixels > _FEW_PIXELS and not closely)
            if costly and not _may_be_smaller(boxes, chances, scale / 2):
                break
            some_boxes, some_chances = self._at(grey, scale, least)
            boxes, chances = np.concatenate([boxes, some_boxes]), np.concatenate([chances, some_chances])
            n_views += 1
        return _agreed(boxes, chances), n_views

    def _at(self, grey: NDArray[np.float32], scale: float, least: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What the cells of one size see: boxes (n, 4) in pixels of the picture, probabilities (n, 11)."""
        seen = contrast(resized(grey, scale))
        height, width = seen.shape
        pads = [(_RIM, _RIM + -side % _MULTIPLE) for side in (height, width)]
        cells = self._session.run(["cells"], {"contrast": np.pad(seen, pads)[None, None]})[0][0].astype(np.float64)
        logits = cells[:11] - cells[:11].max(axis=0)
        chances = np.exp(logits) / np.exp(logits).sum(axis=0)
        rows, columns = np.nonzero(1 - chances[10] > least)
        dx, dy, log_width, log_height = cells[11:, rows, columns]
        size = TYPICAL * np.exp(np.clip([log_width, log_height], -3, 2))
        middle = np.stack([columns, rows]) * STRIDE + STRIDE / 2 - _RIM + TYPICAL * np.stack([dx, dy])
        ratio = np.array([grey.shape[1] / width, grey.shape[0] / height])[:, None]
        boxes = np.concatenate([(middle - size / 2) * ratio, size * ratio]).T
        return boxes, chances[:, rows, columns].T


def _may_be_smaller(boxes: NDArray[np.float64], chances: NDArray[np.float64], scale: float) -> bool:
    """Whether there may be digits that the view at this scale, the finest so far, is too coarse for."""
    sure = chances[:, 10] < 0.5
    return not sure.any() or float(np.quantile(boxes[sure, 3], 0.1)) * scale < 1.4 * LEAST


def scales(shape: tuple[int, ...]) -> Iterator[float]:
    """The sizes to look at a picture of (H, W) in, each half of the one before, from the finest: twice its own, or its own."""
    least, tallest = min(shape[:2]), min(shape[0], _SLIMMEST * shape[1])
    scale = 2.0 if least < LARGEST or 4 * shape[0] * shape[1] <= _MOST_PIXELS else 1.0
    while True:
        yield scale
        if tallest * scale <= LARGEST:
            return
        scale /= STEP


def resized(grey: NDArray[np.float32], scale: float) -> NDArray[np.float32]:
    """A picture, float32 (H, W), at another size."""
    if scale == 1:
        return grey
    size = tuple(max(1, round(side * scale)) for side in grey.shape[::-1])
    return np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BILINEAR), np.float32)


def _agreed(boxes: NDArray[np.float64], chances: NDArray[np.float64]) -> list[Found]:
    """Cells that mean the same digit put together, the surest first."""
    scores = 1 - chances[:, 10]
    order = np.argsort(-scores, kind="stable")
    left = np.ones(len(order), bool)
    found = []
    for i in order:
        if not left[i]:
            continue
        same = left & ((_overlap(boxes[i], boxes) > _SAME) | _stacked(boxes[i], boxes))
        left &= ~same
        weights = scores[same] ** 2 * (over_union(boxes[i], boxes[same]) > 0.4)
        weights /= weights.sum()
        found.append(Found(weights @ boxes[same], weights @ chances[same], float(scores[same].sum())))
    return found


def _overlap(box: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """The shared area as a share of the smaller box."""
    return np.asarray(crossing(box, others) / np.minimum(box[2:].prod(), others[:, 2:].prod(axis=1)))


def _stacked(box: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which boxes share most of their width and some of their height with one: in a row, no digit stands on another."""
    low = np.maximum(box[:2], others[:, :2])
    high = np.minimum(box[:2] + box[2:], others[:, :2] + others[:, 2:])
    across, down = (np.maximum(high - low, 0) / np.minimum(box[2:], others[:, 2:])).T
    return np.asarray((across > 0.7) & (down > 0.3))
