"""Pixels to ink: which way round the picture is, how the light falls, where the pen went."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_WORKING_SIDE = 1024  # larger pictures are reduced first: a digit needs no more
_LEAST_CONTRAST = 16.0  # of 255; under it a picture is blank paper
_CONTRAST_OVER_NOISE = 4.0


class Ink(NamedTuple):
    """What was written.

    Attributes:
        strength: float32 (h, w), 0 paper to 1 full ink; all 0 where nothing was found.
        scale: how many pixels of the picture one pixel of `strength` stands for.
    """

    strength: NDArray[np.float32]
    scale: int


def ink(pixels: NDArray[np.uint8]) -> Ink:
    """Find the ink of a picture of either polarity under uneven light.

    The paper is a quadratic surface fitted to what Otsu's threshold (IEEE Trans. SMC 9, 1979) calls paper; ink is what
    differs from it by more than the paper's own noise. Specks are dropped.

    Args:
        pixels: uint8 (H, W) or (H, W, 3), 0-255.
    """
    grey, scale = _reduced_grey(pixels)
    if float(np.ptp(grey)) < _LEAST_CONTRAST:
        return Ink(np.zeros_like(grey), scale)
    above_paper, on_paper = _flattened(grey)
    noise = 1.4826 * float(np.median(np.abs(above_paper[on_paper] - np.median(above_paper[on_paper])))) if on_paper.any() else 0.0
    full = float(np.median(above_paper[~on_paper])) if not on_paper.all() else 0.0
    if full < max(_LEAST_CONTRAST, _CONTRAST_OVER_NOISE * noise):
        return Ink(np.zeros_like(grey), scale)
    floor = 2.5 * noise
    strength = np.clip((above_paper - floor) / (0.95 * full - floor), 0, 1)
    return Ink(_without_specks(strength.astype(np.float32)), scale)


def has_dark_rim(pixels: NDArray[np.uint8]) -> bool:
    """Whether the outermost pixels are mostly dark, as those of a glyph are."""
    return float(np.median(_rim(pixels, 1))) < 64


def otsu(values: NDArray[np.float32]) -> float:
    """The threshold that best parts values into two classes (Otsu 1979), from a histogram of 256 bins."""
    counts, edges = np.histogram(values, bins=256)
    centres = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)
    above = below[-1] - below
    sum_below = np.cumsum(counts * centres)
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = sum_below / below - (sum_below[-1] - sum_below) / above
        between = np.where((below > 0) & (above > 0), below * above * distance**2, -1.0)
    # Between two clean levels every threshold is as good: take the middle of the plateau.
    best = np.flatnonzero(between >= between.max() * (1 - 1e-9))
    return float((edges[best[0] + 1] + edges[best[-1] + 1]) / 2)


def _reduced_grey(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float32], int]:
    """Grey float32 (h, w), 0-255, reduced by a whole factor with block means."""
    scale = -(-max(pixels.shape[:2]) // _WORKING_SIDE)
    if scale > 1:
        from PIL import Image

        pixels = np.asarray(Image.fromarray(pixels).reduce(scale))
    if pixels.ndim == 2:
        return pixels.astype(np.float32), scale
    weights = np.array([0.299, 0.587, 0.114], np.float32)  # luma of ITU-R BT.601
    return pixels.astype(np.float32) @ weights, scale


def _rim(image: NDArray[np.generic], width: int) -> NDArray[np.generic]:
    """The values of the outermost pixels, 1-D."""
    inner = image[width:-width, width:-width]
    if inner.size == 0:
        return image.reshape(-1)
    mask = np.ones(image.shape[:2], bool)
    mask[width:-width, width:-width] = False
    return image[mask].reshape(-1)


def _flattened(grey: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """How much each pixel differs from the paper, ink positive, and which pixels are paper."""
    basis = _quadratic(grey.shape)
    difference = grey - _surface(basis, grey, np.ones_like(grey, bool))
    dark = difference < otsu(difference)
    rim = max(1, min(grey.shape) // 20)
    # The paper reaches the rim more than the ink does.
    ink_is_dark = float(np.mean(_rim(dark, rim))) <= 0.5
    on_paper = ~dark if ink_is_dark else dark
    sign = -1.0 if ink_is_dark else 1.0
    for _ in range(3):
        if int(on_paper.sum()) < 12:
            break
        difference = sign * (grey - _surface(basis, grey, on_paper))
        on_paper = difference < otsu(difference)
    return difference if difference is not None else grey, on_paper


def _quadratic(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """The terms 1, x, y, xx, xy, yy over a picture, float32 (h, w, 6), x and y from -1 to 1."""
    y, x = np.meshgrid(*(np.linspace(-1, 1, n, dtype=np.float32) for n in shape), indexing="ij")
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)


def _surface(basis: NDArray[np.float32], grey: NDArray[np.float32], where: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The quadratic surface nearest to `grey` (least squares) over the pixels in `where`, at most 20,000 of them."""
    points = np.flatnonzero(where)
    points = points[:: max(1, len(points) // 20_000)]
    terms = basis.reshape(-1, basis.shape[-1])
    coefficients = np.linalg.lstsq(terms[points], grey.reshape(-1)[points], rcond=None)[0]
    return basis @ coefficients.astype(np.float32)


def _without_specks(strength: NDArray[np.float32]) -> NDArray[np.float32]:
    """Drop connected pieces that are tiny beside the largest, and the haze that belongs to no piece."""
    from scipy import ndimage

    pieces, n_pieces = ndimage.label(strength > 0.4, structure=np.ones((3, 3)))
    if n_pieces == 0:
        return np.zeros_like(strength)
    areas = np.bincount(pieces.ravel())
    areas[0] = 0
    kept = (areas >= 0.02 * areas.max())[pieces]
    reach = max(1, round(0.01 * max(strength.shape)))
    near = ndimage.binary_dilation(kept, structure=np.ones((3, 3)), iterations=reach)
    return np.where(near, strength, 0).astype(np.float32)
