"""The width of strokes: measured, and changed to that of another pen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFilter

_SOLID = 128  # of 255: half ink
_THINNEST = 0.4  # of the strokes' own width: what is thinned further falls into pieces and blots
_MOST_STEPS = 4  # that strokes are widened by, in pixels on either side


def drawn_with(image: Image.Image, pen: float) -> Image.Image:
    """Writing, white on black ("L"), with strokes about as wide as the pen, in pixels, but not much thinner than they were."""
    width = stroke_width(np.asarray(image) > _SOLID)
    pen = max(pen, _THINNEST * width)
    steps = round((width - pen) / 2)
    if steps > 0:
        return _thinned(image, steps, pen)
    return image.filter(ImageFilter.MaxFilter(1 - 2 * max(steps, -_MOST_STEPS))) if steps < 0 else image


def stroke_width(inked: NDArray[np.bool_]) -> float:
    """The mean width of strokes: twice their area over the length of their edges."""
    inside = inked[1:-1, 1:-1] & inked[:-2, 1:-1] & inked[2:, 1:-1] & inked[1:-1, :-2] & inked[1:-1, 2:]
    return 2 * float(inked.sum()) / max(1, int(inked.sum()) - int(inside.sum()))


def _thinned(image: Image.Image, steps: int, pen: float) -> Image.Image:
    """Eroded, but where that would leave nothing the ridge stays (Lantuéjoul's skeleton), as wide as the pen at most."""
    kept = Image.new("L", image.size)
    for k in range(steps):
        eroded = image.filter(ImageFilter.MinFilter(3))
        ridge = ImageChops.subtract(image, eroded.filter(ImageFilter.MaxFilter(3)))
        reach = min(k, round(pen / 2 - 0.5))
        kept = ImageChops.lighter(kept, ridge.filter(ImageFilter.MaxFilter(2 * reach + 1)) if reach > 0 else ridge)
        image = eroded
    return ImageChops.lighter(image, kept)
