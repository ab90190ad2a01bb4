"""Digits as other hands write them: a 7 with a bar, a 1 with a flag and a foot, a scan of few pixels.

MNIST's writers were American census staff and pupils; these forms are common elsewhere and rare or missing in it. Drawn into
copies of training digits, so that a network meets them. Plain NumPy and SciPy: knows nothing of networks.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tenfold.data.digits import SIDE, Digits

_INK = 100  # of 255: what belongs to a stroke
_Y, _X = np.mgrid[:SIDE, :SIDE].astype(np.float32)


def added(digits: Digits, share: float, seed: int) -> Digits:
    """The digits, and after them so many of their sevens, ones and others in the form of strangers.

    Args:
        digits: labelled digits.
        share: of the sevens that come once more with a bar, of the ones with a flag or a foot, and, halved, of all that come
            once more in a low resolution.
        seed: decides which, and how they are drawn.
    """
    random = np.random.default_rng([seed, 7])
    labels = digits.known_labels
    made, of = [], []
    for chosen, draw in ((labels == 7, crossed), (labels == 1, serifed), (np.ones(len(labels), bool), coarse)):
        candidates = np.flatnonzero(chosen)
        few = round(len(candidates) * share * (0.5 if draw is coarse else 1))
        picked = np.sort(random.choice(candidates, few, replace=False))
        made += [draw(digits.images[i], random) for i in picked]
        of.append(labels[picked])
    images = np.concatenate([digits.images, np.array(made, np.uint8).reshape(-1, SIDE, SIDE)])
    return Digits(images, np.concatenate([labels, *of]), digits.name)


def crossed(seven: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """A 7, uint8 (28, 28), with a short bar across its stem."""
    rows = np.flatnonzero((seven > _INK).any(axis=1))
    if not len(rows):
        return seven
    y = rows[0] + (rows[-1] - rows[0]) * random.uniform(0.4, 0.62)
    x = _middle_of_row(seven, round(y))
    half, tilt = random.uniform(2.8, 7.5), random.uniform(-0.35, 0.15)
    return with_line(seven, (x - half, y - tilt * half), (x + half, y + tilt * half), random)


def serifed(one: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """A 1, uint8 (28, 28), with a flag at its head, a foot, or both."""
    rows = np.flatnonzero((one > _INK).any(axis=1))
    if not len(rows):
        return one
    flagged = random.random() < 0.85
    if flagged:
        x, y = _middle_of_row(one, rows[0]), float(rows[0])
        across = random.uniform(3, 9)
        down = random.uniform(0.5, 1.5) * across
        one = with_line(one, (x, y), (x - across, y + down), random)
    if not flagged or random.random() < 0.35:
        x, y = _middle_of_row(one, rows[-1]), float(rows[-1])
        half = random.uniform(2.5, 5)
        one = with_line(one, (x - half, y), (x + half, y), random)
    return one


def coarse(image: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """An image, uint8 (28, 28), as if its 20-pixel box had been scanned with 8 to 14 pixels."""
    factor = random.uniform(8, 14) / 20
    small = ndimage.zoom(ndimage.gaussian_filter(image.astype(np.float32), 0.4 / factor), factor, order=1)
    zoomed = ndimage.zoom(small, SIDE / np.array(small.shape), order=1)
    return np.asarray(np.clip(zoomed * (255 / max(zoomed.max(), 1)), 0, 255), np.uint8)


def _middle_of_row(image: NDArray[np.uint8], row: int) -> float:
    """The middle column of the rightmost stroke in a row."""
    columns = np.flatnonzero(image[row] > _INK)
    if not len(columns):
        return SIDE / 2
    last_run = np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1)[-1]
    return float(last_run.mean())


def with_line(
    image: NDArray[np.uint8], start: tuple[float, float], end: tuple[float, float], random: np.random.Generator
) -> NDArray[np.uint8]:
    """The image with a line from (x, y) to (x, y), about as wide as its strokes."""
    (x, y), (across, down) = start, np.subtract(end, start)
    along = np.clip(((_X - x) * across + (_Y - y) * down) / max(across**2 + down**2, 1e-6), 0, 1)
    distance = np.hypot(_X - x - along * across, _Y - y - along * down)
    ink = image > _INK
    width = ink.sum() / max(_skeleton_length(ink), 1)
    half = np.clip(width / 2, 0.7, 2) * random.uniform(0.8, 1.1)
    line = np.clip(half + 0.5 - distance, 0, 1) * 255
    return np.asarray(np.maximum(image, line), np.uint8)


def _skeleton_length(ink: NDArray[np.bool_]) -> float:
    """About the length of a stroke: what is left of its rim, halved."""
    return float((ink & ~ndimage.binary_erosion(ink, np.ones((3, 3)))).sum()) / 2
