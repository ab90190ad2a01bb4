"""Ink to a glyph: 28x28 the way MNIST was made.

NIST's digits were scaled to fit a box of 20x20 pixels with their aspect kept, antialiased, and laid into 28x28 with their
centre of mass in the middle (http://yann.lecun.com/exdb/mnist).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tenfold.picture.ink import Ink, has_dark_rim

SIDE = 28
BOX = 20
# Where MNIST has the centre of mass, in pixels counted from 0: all of its 70,000 digits lie within 13.5 to 14.5.
MIDDLE = 14
# Thinner strokes than this (in pixels of the glyph) fade when reduced; MNIST's have 2 to 4. Skeletons of 300 test digits,
# drawn one pixel wide at 20 times the size: 94 % are read without widening, 98 % with it at 1.8 to 2.2.
_THINNEST_STROKE = 2.0
_WORKING_SIDE = 5 * BOX  # strokes are measured and widened at this size
_FAINT = 0.1
_INK = 0.25  # strength from which a pixel counts to the box of the digit


def glyph(ink: Ink) -> NDArray[np.uint8]:
    """Normalise ink to a glyph, uint8 (28, 28), white (255) on black (0); all 0 if there is no ink."""
    found = box(ink.strength)
    if found is None:
        return np.zeros((SIDE, SIDE), np.uint8)
    x, y, width, height = found
    strength = _resized(ink.strength[y : y + height, x : x + width], min(_WORKING_SIDE, max(width, height)))
    return _centred(_resized(_thickened(strength), BOX))


def box(strength: NDArray[np.floating]) -> tuple[int, int, int, int] | None:
    """The box (x, y, width, height) around all ink, or None without ink."""
    rows = np.flatnonzero((strength > _INK).any(axis=1))
    columns = np.flatnonzero((strength > _INK).any(axis=0))
    if not len(rows):
        return None
    x, y = int(columns[0]), int(rows[0])
    return x, y, int(columns[-1]) - x + 1, int(rows[-1]) - y + 1


def is_glyph(pixels: NDArray[np.uint8]) -> bool:
    """Whether a picture is a glyph already: 28x28 grey, a dark rim, 20 pixels long, its centre of mass in the middle."""
    if pixels.shape != (SIDE, SIDE):
        return False
    found = box(pixels / 255)
    if found is None or not has_dark_rim(pixels):
        return False
    return abs(max(found[2:]) - BOX) <= 1 and all(abs(c - MIDDLE) <= 1 for c in _centre_of_mass(pixels))


def _centre_of_mass(image: NDArray[np.generic]) -> tuple[float, float]:
    """(y, x) with the middle of the first pixel at 0."""
    weights = image.astype(np.float64)
    total = weights.sum()
    y = (weights.sum(axis=1) @ np.arange(image.shape[0])) / total
    x = (weights.sum(axis=0) @ np.arange(image.shape[1])) / total
    return float(y), float(x)


def _centred(small: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Lay an image of at most 20x20 into 28x28 by whole pixels, its centre of mass as near to the middle as fits."""
    height, width = small.shape
    y, x = _centre_of_mass(small)
    top = min(max(round(MIDDLE - y), 0), SIDE - height)
    left = min(max(round(MIDDLE - x), 0), SIDE - width)
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    canvas[top : top + height, left : left + width] = np.rint(small * 255)
    return canvas


def _resized(strength: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """The same ink, its longer side as long as given; what has faded on the way is made full again."""
    height, width = strength.shape
    factor = side / max(width, height)
    if factor == 1:
        return strength
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    # A box filter is the area mean when it shrinks; it would leave blocks when it enlarges.
    method = Image.Resampling.BOX if factor < 1 else Image.Resampling.BICUBIC
    resized = np.asarray(Image.fromarray(strength).resize(size, method))
    visible = resized[resized > _FAINT]
    peak = float(np.percentile(visible, 90, method="nearest")) if visible.size else 1.0
    return np.clip(resized / peak, 0, 1)


def _thickened(strength: NDArray[np.float32]) -> NDArray[np.float32]:
    """Widen strokes that would fade when the digit is reduced to its box."""
    from scipy import ndimage

    shrink = BOX / max(strength.shape)
    inside = strength > 0.5
    if not inside.any():
        return strength
    # Over a bar the mean distance to its edge is a quarter of its width.
    depth = ndimage.distance_transform_edt(np.pad(inside, 1))
    stroke = 4 * float(depth[depth > 0].mean()) - 2
    missing = round((_THINNEST_STROKE / shrink - stroke) / 2)
    if missing < 1:
        return strength
    reach = np.hypot(*np.ogrid[-missing : missing + 1, -missing : missing + 1]) <= missing + 0.5
    return np.asarray(ndimage.grey_dilation(np.pad(strength, missing), footprint=reach), np.float32)
