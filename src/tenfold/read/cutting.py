"""A found digit cut out of its picture: its glyph, and the box its ink fills."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tenfold.picture import Ink, glyph
from tenfold.picture.glyph import box as box_of
from tenfold.picture.ink import otsu
from tenfold.read.boxes import over_union

_AROUND = 0.35  # of the digit's height: how much paper around it is looked at
_OWN = 0.1  # of its height: how far beyond its box its strokes may reach
_ALIKE = 0.4  # shared area over the area of both: less, and the ink is not the digit's alone
_AS_HIGH = 0.8  # a share of the found box's height
_TWICE = 0.6  # shared area over the area of both: more, and two cuts are the same ink
_WORKING_SIDE = 96
_PAPER, _INKED = 0.75, 0.05  # quantiles of brightness in and around a digit's box that are paper, and in it that are ink
_FLOOR, _FULL = 0.25, 0.85  # of the way from paper to ink: what still counts as paper, and what as full ink


class Cut(NamedTuple):
    """A digit cut out.

    Attributes:
        glyph: uint8 (28, 28).
        box: float64 (4,), x, y, width, height of its ink in pixels of the picture; where it was found, if that is much else.
        ink: float64 (4,), of the ink in any case.
    """

    glyph: NDArray[np.uint8]
    box: NDArray[np.float64]
    ink: NDArray[np.float64]


def cut_out(grey: NDArray[np.float32], box: NDArray[np.floating]) -> Cut:
    """Cut out the digit in a box (x, y, width, height); strokes of its neighbours are left out.

    Args:
        grey: float32 (H, W), 0-255, dark ink on lighter paper.
        box: about where the digit is, in pixels.
    """
    found = np.asarray(box, np.float64)
    x, y, width, height = (float(v) for v in box)
    size = max(width, height)
    left, top = max(0, int(x - _AROUND * size)), max(0, int(y - _AROUND * size))
    part = grey[top : int(np.ceil(y + height + _AROUND * size)), left : int(np.ceil(x + width + _AROUND * size))]
    if part.size < 2:
        return Cut(np.zeros((28, 28), np.uint8), found, found)
    shrink = min(1.0, _WORKING_SIDE / max(part.shape))
    if shrink < 1:
        reduced = (max(1, round(part.shape[1] * shrink)), max(1, round(part.shape[0] * shrink)))
        part = np.asarray(Image.fromarray(part).resize(reduced, Image.Resampling.BOX), np.float32)
    x, y, width, height, size = (v * shrink for v in (x - left, y - top, width, height, size))
    margin = _OWN * size
    kept = _own(_strength(part), (x, y, x + width, y + height), margin)
    rows = slice(max(0, int(y - margin)), int(np.ceil(y + height + margin)))
    columns = slice(max(0, int(x - margin)), int(np.ceil(x + width + margin)))
    own = np.ascontiguousarray(kept[rows, columns])
    inked = box_of(own)
    if inked is None:
        return Cut(glyph(Ink(own, 1)), found, found)
    offset = np.array([left + columns.start / shrink, top + rows.start / shrink, 0, 0])
    tight = np.array(inked) / shrink + offset
    # A stroke as high as the box that it stands in or just beside is the digit, however much paper is there besides.
    is_in = tight[3] > _AS_HIGH * found[3]
    fits = is_in or over_union(tight, found) > _ALIKE
    return Cut(glyph(Ink(own, 1)), tight if fits else found, tight)


def distinct(cuts: list[Cut]) -> list[int]:
    """Which cuts, the surest first, are of ink of their own: a thin digit may have been found twice, side by side."""
    inks, kept = np.array([cut.ink for cut in cuts]).reshape(-1, 4), np.zeros(len(cuts), bool)
    for i, ink in enumerate(inks):
        kept[i] = not (over_union(ink, inks[kept]) > _TWICE).any()
    return [int(i) for i in np.flatnonzero(kept)]


def contrasts(grey: NDArray[np.float32], boxes: NDArray[np.floating]) -> NDArray[np.float64]:
    """How far the ink in boxes, (n, 4), stands out from the paper there: float64 (n,), 0 not at all, 1 black on white.

    Args:
        grey: float32 (H, W), 0-255, dark ink on lighter paper.
        boxes: x, y, width, height in pixels.
    """
    return np.array([_contrast(grey, box) for box in boxes], np.float64)


def _contrast(grey: NDArray[np.float32], box: NDArray[np.floating]) -> float:
    x, y, width, height = (float(v) for v in box)
    around = 0.5 * _AROUND * max(width, height)
    inside = _part(grey, x, y, x + width, y + height)
    if not inside.size:
        return 0.0
    paper = float(np.quantile(_part(grey, x - around, y - around, x + width + around, y + height + around), _PAPER))
    # Thin strokes fill less of their box than that: of those, half of what is dark at all is ink for sure.
    inked = min(_INKED, float((inside < otsu(inside)).mean()) / 2)
    return max(0.0, (paper - float(np.quantile(inside, inked))) / max(paper, 1.0))


def _part(grey: NDArray[np.float32], left: float, top: float, right: float, bottom: float) -> NDArray[np.float32]:
    return grey[max(0, int(top)) : max(0, int(np.ceil(bottom))), max(0, int(left)) : max(0, int(np.ceil(right)))]


def _strength(part: NDArray[np.float32]) -> NDArray[np.float32]:
    """0 paper to 1 ink, float32 (h, w), between the two levels that Otsu's threshold parts."""
    dark = part < otsu(part)
    if not dark.any() or dark.all():
        return np.zeros_like(part)
    paper, ink = float(np.median(part[~dark])), float(np.median(part[dark]))
    share = (paper - part) / max(paper - ink, 1.0)
    return np.asarray(np.clip((share - _FLOOR) / (_FULL - _FLOOR), 0, 1), np.float32)


def _own(strength: NDArray[np.float32], edges: tuple[float, float, float, float], margin: float) -> NDArray[np.float32]:
    """The strokes that lie inside the box for the most part."""
    from scipy import ndimage

    pieces, n_pieces = ndimage.label(strength > 0.4, structure=np.ones((3, 3)))
    if n_pieces == 0:
        return strength
    left, top, right, bottom = edges
    y, x = np.ogrid[: strength.shape[0], : strength.shape[1]]
    inside = (x >= left - margin) & (x < right + margin) & (y >= top - margin) & (y < bottom + margin)
    areas = np.bincount(pieces.ravel(), minlength=n_pieces + 1)
    shares = np.bincount(pieces.ravel(), weights=inside.ravel(), minlength=n_pieces + 1) / np.maximum(areas, 1)
    shares[0] = 0
    own = shares > 0.5
    if not own.any():  # all it has belongs to something larger: a digit that touches its neighbours
        own = shares > 0
    near = ndimage.maximum_filter(own[pieces], 3)
    return np.where(near, strength, 0).astype(np.float32)
