"""A picture with what was read drawn over it."""

from __future__ import annotations

from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

if TYPE_CHECKING:
    from tenfold.read.reading import Digit, Reading

_ACCEPTED, _REFUSED = (0, 110, 200), (190, 90, 0)  # blue and orange, told apart by every eye and on every paper
_MARK = ("tenfold", "annotated")
_LEAST_SIDE = 240  # smaller pictures are enlarged, or their labels could not be read
_DIGIT = 0.6  # width of a digit, in sizes of its font


def mark() -> PngImagePlugin.PngInfo:
    """A text chunk by which a PNG is known as such a copy."""
    made = PngImagePlugin.PngInfo()
    made.add_text(*_MARK)
    return made


def is_annotated(path: Path) -> bool:
    """Whether a file is such a copy, which another one may replace."""
    try:
        with Image.open(path, formats=("PNG",)) as image:
            return image.info.get(_MARK[0]) == _MARK[1]
    except (OSError, ValueError, SyntaxError):
        return False


def annotated(pixels: NDArray[np.uint8], reading: Reading) -> Image.Image:
    """A colour copy with a box around each digit, above it the label and its confidence in percent, rounded down.

    A percentage without room beside the next label is left out, a label without room is smaller. Refused digits have a thin
    box and no label. Small pictures are enlarged by a whole factor.
    """
    image = Image.fromarray(pixels).convert("RGB")
    factor = max(1, -(-_LEAST_SIDE // max(1, min(image.size))))
    if factor > 1 and max(image.size) * factor <= 4096:
        image = image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    else:
        factor = 1
    head = _head(reading, factor)
    canvas = Image.new("RGB", (image.width, image.height + head), "white")
    canvas.paste(image, (0, head))
    draw = ImageDraw.Draw(canvas)
    heights = [d.box[3] * factor for d in reading.digits if d.accepted]
    frame = max(1, round(min(min(canvas.size) / 250, float(np.median(heights)) / 12 if heights else inf)))
    for digit in reading.digits:
        x, y, width, height = (value * factor for value in digit.box)
        y += head
        colour = _ACCEPTED if digit.accepted else _REFUSED
        pen = frame if digit.accepted else 1
        draw.rectangle((x - pen, y - pen, x + width + pen, y + height + pen), outline=colour, width=pen)
        if digit.accepted:
            sure = f"{int(100 * digit.confidence)}%"
            _label(draw, f"{digit.label}", sure, (x, y - pen - 1), max(width, height), colour, _next(digit, reading) * factor)
    return canvas


def _next(digit: Digit, reading: Reading) -> float:
    """The column where the next label of the row begins."""
    return min(
        (d.box[0] for d in reading.digits if d.accepted and d.line == digit.line and d.box[0] > digit.box[0]), default=inf
    )


def _head(reading: Reading, factor: int) -> int:
    """The room above the picture that labels of digits at its upper rim need."""
    needed = [0.55 * max(d.box[2:]) * factor + 14 - d.box[1] * factor for d in reading.digits if d.accepted]
    return max(0, round(max(needed, default=0)))


def _label(
    draw: ImageDraw.ImageDraw,
    label: str,
    sure: str,
    at: tuple[float, float],
    size: float,
    colour: tuple[int, int, int],
    end: float,
) -> None:
    """A label that ends before the column `end`, with how sure it is, where there is room for that."""
    x, y = at
    large = ImageFont.load_default(max(11, round(min(0.42 * size, (end - x - 3) / _DIGIT))))
    small = ImageFont.load_default(max(9, round(0.2 * size)))
    left, top, right, _ = draw.textbbox((x, y), label, font=large, anchor="ls")
    wide = draw.textlength(sure, font=small)
    if right + wide + 3 > end:
        sure, wide = "", 0
    draw.rectangle((left - 1, top - 1, right + wide + 3, y), fill=(255, 255, 255))
    draw.text((x, y - 1), label, fill=colour, font=large, anchor="ls")
    draw.text((right + 2, y - 1), sure, fill=colour, font=small, anchor="ls")
