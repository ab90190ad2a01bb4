"""The width of strokes: measured, and changed to that of another pen."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFilter
from scipy import ndimage

_SOLID = 128  # of 255: half ink
_AROUND = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))
_MOST_STEPS = 4  # that strokes are widened by, in pixels on either side


def drawn_with(image: Image.Image, pen: float) -> Image.Image:
    """Writing, white on black ("L"), with strokes about as wide as the pen, in pixels."""
    width = stroke_width(np.asarray(image) > _SOLID)
    steps = round((width - pen) / 2)
    if steps > 0:
        return _thinned(image, steps, pen)
    return image.filter(ImageFilter.MaxFilter(1 - 2 * max(steps, -_MOST_STEPS))) if steps < 0 else image


def stroke_width(inked: NDArray[np.bool_]) -> float:
    """The mean width of strokes: twice their area over the length of their edges."""
    inside = inked[1:-1, 1:-1] & inked[:-2, 1:-1] & inked[2:, 1:-1] & inked[1:-1, :-2] & inked[1:-1, 2:]
    return 2 * float(inked.sum()) / max(1, int(inked.sum()) - int(inside.sum()))


def skeleton(inked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The middle of strokes, a pixel wide and connected as they are (Guo and Hall, 1989): bool (H, W), of the same."""
    kept = np.pad(inked, 1).astype(np.uint8)
    gone = True
    while gone:
        gone = False
        for goes in _goes():
            rim = goes[_neighbours(kept)] & kept[1:-1, 1:-1].astype(bool)
            gone |= bool(rim.any())
            kept[1:-1, 1:-1][rim] = 0
    return kept[1:-1, 1:-1].astype(bool)


def _neighbours(kept: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """For each pixel within the rim, which of its eight neighbours are set: bit 0 above, then clockwise."""
    height, width = kept.shape
    code = np.zeros((height - 2, width - 2), np.uint8)
    for bit, (down, right) in enumerate(_AROUND):
        code |= kept[1 + down : height - 1 + down, 1 + right : width - 1 + right] << bit
    return code


@cache
def _goes() -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """For each code of neighbours, bool (256,), whether a pixel is taken away in the first and in the second half of a step."""
    n, ne, e, se, s, sw, w, nw = ((np.arange(256) >> bit & 1).astype(bool) for bit in range(8))
    pairs = ((~n & (ne | e)), (~e & (se | s)), (~s & (sw | w)), (~w & (nw | n)))
    one_side = sum(pair.astype(int) for pair in pairs) == 1
    corner_first, side_first = ((nw, n), (ne, e), (se, s), (sw, w)), ((n, ne), (e, se), (s, sw), (w, nw))
    inner = np.minimum(*(sum((a | b).astype(int) for a, b in around) for around in (corner_first, side_first)))
    common = one_side & (inner >= 2) & (inner <= 3)
    return common & ~((s | sw | ~nw) & w), common & ~((n | ne | ~se) & e)


def _thinned(image: Image.Image, steps: int, pen: float) -> Image.Image:
    """Eroded, but the middle of each stroke stays, as wide as the pen: nothing breaks, and what is broad stays broader."""
    middle = skeleton(np.asarray(image) > _SOLID)
    distance = ndimage.distance_transform_edt(~middle)
    line = Image.fromarray((np.clip(pen / 2 + 0.5 - distance, 0, 1) * 255).astype(np.uint8))
    for _ in range(steps):
        image = image.filter(ImageFilter.MinFilter(3))
    return ImageChops.lighter(image, line)
