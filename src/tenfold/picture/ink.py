"""Pixels to ink: which way round the picture is, how the light falls, where the pen went."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_WORKING_SIDE = 1024  # larger pictures are reduced first: a digit needs no more
_LEAST_CONTRAST = 16.0  # of 255; under it a picture is blank paper
_AMPLE_CONTRAST = 64.0  # over it there is ink however the paper looks
_CONTRAST_OVER_NOISE = 4.0
_NOISY = 3.0  # of 255; a standard deviation from which a picture is smoothed first, or Otsu's threshold parts mere noise
_CLEARLY_LESS = 0.35  # if one way round has so much less ink than the other, it is the right one
_OF_ONE_BRIGHTNESS, _COLOURED = 32.0, 64.0  # of 255: so little brightness, and so much colour, tell by colour
_INK = 0.4  # strength from which a pixel belongs to a piece
_EVEN_LIGHT = 0.8  # share of the variance that two levels, paper and ink, explain


class Ink(NamedTuple):
    """What was written.

    Attributes:
        strength: float32 (h, w), 0 paper to 1 full ink; all 0 where nothing was found.
        scale: how many pixels of the picture one pixel of `strength` stands for.
    """

    strength: NDArray[np.float32]
    scale: int


def grey(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Brightness, float32 (H, W), 0-255, of a picture uint8 (H, W) or (H, W, 3).

    Where everything is about as bright and only colours differ, such as red on green, it is the colour that differs most.
    """
    seen = pixels.astype(np.float32)
    if seen.ndim == 2:
        return seen
    brightness = seen @ np.array([0.299, 0.587, 0.114], np.float32)  # luma of ITU-R BT.601
    if _differs(brightness) or all(np.ptp(seen[..., k] - brightness) < _COLOURED for k in (0, 2)):
        return brightness
    colours = seen.reshape(-1, 3)
    direction = np.linalg.eigh(np.cov(colours[:: max(1, len(colours) // 100_000)].T))[1][:, -1]
    colour = seen @ (direction * np.sign(direction[np.abs(direction).argmax()])).astype(np.float32)
    return np.asarray((colour - colour.min()) * np.float32(255 / max(255.0, float(np.ptp(colour)))))


def _differs(brightness: NDArray[np.float32]) -> bool:
    """Whether a stroke of a pixel's width, or anything larger, is of another brightness: the means of 3x3 pixels tell."""
    height, width = (side // 3 * 3 for side in brightness.shape)
    if height and width:  # most often those side by side do, at a tenth of the price
        some = sum(brightness[i:height:3, j:width:3] for i in range(3) for j in range(3)) / np.float32(9)
        if float(np.ptp(some)) >= _OF_ONE_BRIGHTNESS:
            return True
    from scipy import ndimage

    return float(np.ptp(ndimage.uniform_filter(brightness, 3))) >= _OF_ONE_BRIGHTNESS


def ink(pixels: NDArray[np.uint8]) -> Ink:
    """Find the ink of a picture of either polarity under uneven light.

    The paper is a quadratic surface fitted to what Otsu's threshold (IEEE Trans. SMC 9, 1979) calls paper; ink is what
    differs from it by more than the paper's own noise. Specks are dropped.

    Args:
        pixels: uint8 (H, W) or (H, W, 3), 0-255.
    """
    return inks(pixels)[0]


def inks(pixels: NDArray[np.uint8]) -> list[Ink]:
    """The ink of a picture as in `ink`; where both ways round are possible, the likelier first and then the other."""
    seen, scale = _reduced_grey(pixels)
    if float(np.ptp(seen)) < _LEAST_CONTRAST:
        return [Ink(np.zeros_like(seen), scale)]
    calmed = _calmed(seen)
    ways = [(-calmed, _parted(-calmed)), (calmed, _parted(calmed))]
    ways.sort(key=lambda way: _spread(way[1]))
    unsure = _spread(ways[0][1]) > _CLEARLY_LESS * _spread(ways[1][1])
    return [Ink(_strength(*way), scale) for way in (ways if unsure else ways[:1])]


def main_part(ink: Ink) -> Ink:
    """The ink without what the rim cuts off: strokes of neighbours, the edge of a box. What stands in the middle stays."""
    from scipy import ndimage

    pieces, n_pieces = ndimage.label(ink.strength > _INK, structure=np.ones((3, 3)))
    if n_pieces < 2:
        return ink
    height, width = pieces.shape
    areas = np.bincount(pieces.ravel()).astype(float)
    areas[0] = 0
    y, x = (np.abs(np.arange(n) - (n - 1) / 2) / n for n in (height, width))
    away = np.maximum(y[:, None], x[None, :])  # 0 in the middle to half at the rim
    distance = ndimage.mean(away, pieces, np.arange(n_pieces + 1))
    main = int(np.argmax(areas * (1 - 1.6 * distance)))
    rim = np.unique(pieces[_rim(pieces.shape, 1)])
    if main in rim:
        return ink
    dropped = np.zeros(n_pieces + 1, bool)
    dropped[rim] = True
    dropped[0] = False
    near = ndimage.maximum_filter(dropped[pieces], 3)
    return Ink(np.where(near, 0, ink.strength).astype(np.float32), ink.scale)


def _strength(grey: NDArray[np.float32], ink: NDArray[np.bool_]) -> NDArray[np.float32]:
    """0 paper to 1 full ink; all 0 where nothing stands out."""
    blank = np.zeros_like(grey)
    above_paper, on_paper = _flattened(grey, ~ink)
    if on_paper.all():
        return blank
    paper = above_paper[on_paper]
    noise = 1.4826 * float(np.median(np.abs(paper - np.median(paper))))
    full = float(np.median(above_paper[~on_paper]))
    if full < _LEAST_CONTRAST or full < min(_CONTRAST_OVER_NOISE * noise, _AMPLE_CONTRAST):
        return blank
    floor = min(2.5 * noise, 0.4 * full)
    strength = np.clip((above_paper - floor) / (0.95 * full - floor), 0, 1)
    return _without_specks(strength.astype(np.float32))


def has_dark_rim(pixels: NDArray[np.uint8]) -> bool:
    """Whether the outermost pixels are mostly dark, as those of a glyph are."""
    return float(np.median(pixels[_rim(pixels.shape, 1)])) < 64


def otsu(values: NDArray[np.float32]) -> float:
    """The threshold that best parts values into two classes (Otsu 1979), from a histogram of 256 bins."""
    low, high = float(values.min()), float(values.max())
    if high - low < 1e-3:  # of 255, so nothing that could be seen
        return high + 1
    edges = np.linspace(low, high, 257)
    bins = ((values - low) * (255.999 / (high - low))).astype(np.uint8)
    counts = np.bincount(bins.ravel(), minlength=256)
    below = np.cumsum(counts)[:-1]
    above = values.size - below
    sums = np.cumsum(counts * np.arange(256))  # in bins: a scale does not matter
    distance = sums[:-1] / below - (sums[-1] - sums[:-1]) / above
    between = below * above * distance**2
    # Between two clean levels every threshold is as good: take the middle of the plateau.
    best = np.flatnonzero(between >= between.max() * (1 - 1e-9))
    return float((edges[best[0] + 1] + edges[best[-1] + 1]) / 2)


def _reduced_grey(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float32], int]:
    """Grey float32 (h, w), 0-255, reduced by a whole factor with block means."""
    scale = -(-max(pixels.shape[:2]) // _WORKING_SIDE)
    if scale > 1:
        from PIL import Image

        pixels = np.asarray(Image.fromarray(pixels).reduce(scale))
    return grey(pixels), scale


def _calmed(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Smooth a noisy picture a little; the noise is measured between neighbours, where strokes hardly count."""
    from scipy import ndimage

    if min(grey.shape) < 3:
        return grey
    noise = 1.4826 * float(np.median(np.abs(np.diff(grey, axis=1)))) / np.sqrt(2)
    return ndimage.gaussian_filter(grey, 1) if noise > _NOISY else grey


def _rim(shape: tuple[int, ...], width: int) -> NDArray[np.bool_]:
    """Which pixels are among the outermost, bool (h, w)."""
    mask = np.ones(shape[:2], bool)
    mask[width:-width, width:-width] = False
    return mask


def _flattened(grey: NDArray[np.float32], on_paper: NDArray[np.bool_]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """How much each pixel differs from the paper, ink positive, and which pixels are paper."""
    difference = grey
    for _ in range(3):
        difference = grey - _surface(grey, on_paper)
        on_paper = difference < otsu(difference)
    return difference, on_paper


def _parted(grey: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which pixels are ink if ink has high values: under even light those above a threshold, else above a surface."""
    ink = grey >= otsu(grey)
    explained = ink.mean() * (1 - ink.mean()) * (grey[ink].mean() - grey[~ink].mean()) ** 2 / grey.var()
    if explained > _EVEN_LIGHT:
        return ink
    difference = grey - _surface(grey, np.ones_like(grey, bool))
    return difference >= otsu(difference)


def _spread(ink: NDArray[np.bool_]) -> float:
    """How much ink there is on the whole and at the rim, 0 to 2; of two readings of a picture the lesser one is right."""
    rim = _rim(ink.shape, max(1, min(ink.shape) // 20))
    return float(ink.mean() + ink[rim].mean())


def _surface(grey: NDArray[np.float32], where: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The quadratic surface nearest to `grey` (least squares) over the pixels in `where`, or over about 10,000 of them."""
    y, x = (np.linspace(-1, 1, n, dtype=np.float32) for n in grey.shape)
    step = 1 + int(np.sqrt(grey.size / 10_000))
    rows, columns = np.nonzero(where[::step, ::step])
    if len(rows) < 12:
        step = 1
        rows, columns = np.nonzero(where)
    v, u = y[::step][rows], x[::step][columns]
    terms = np.stack([np.ones_like(u), u, v, u * u, u * v, v * v], axis=-1)
    c = np.linalg.lstsq(terms, grey[::step, ::step][rows, columns], rcond=None)[0]
    across, down = c[1] * x + c[3] * x * x, c[0] + c[2] * y + c[5] * y * y
    return np.asarray(across + down[:, None] + c[4] * np.outer(y, x), np.float32)


def _without_specks(strength: NDArray[np.float32]) -> NDArray[np.float32]:
    """Drop connected pieces that are tiny beside the largest, and the haze that belongs to no piece."""
    from scipy import ndimage

    pieces, n_pieces = ndimage.label(strength > _INK, structure=np.ones((3, 3)))
    if n_pieces == 0:
        return np.zeros_like(strength)
    areas = np.bincount(pieces.ravel())
    areas[0] = 0
    kept = (areas >= 0.02 * areas.max())[pieces]
    reach = max(1, round(0.01 * max(strength.shape)))
    near = ndimage.maximum_filter(kept, 2 * reach + 1)
    return np.where(near, strength, 0).astype(np.float32)
