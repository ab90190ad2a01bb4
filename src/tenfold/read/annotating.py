"""A picture with what was read drawn over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from tenfold.read.reading import Reading

_ACCEPTED, _REFUSED = (0, 110, 200), (190, 90, 0)  # blue and orange, told apart by every eye and on every paper
_LEAST_SIDE = 240  # smaller pictures are enlarged, or their labels could not be read


def annotated(pixels: NDArray[np.uint8], reading: Reading) -> Image.Image:
    """A colour copy with a box around each digit, above it the label and its confidence in percent, rounded down.

    Refused digits have a thin box and no label. Small pictures are enlarged by a whole factor.
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
    for digit in reading.digits:
        x, y, width, height = (value * factor for value in digit.box)
        y += head
        colour = _ACCEPTED if digit.accepted else _REFUSED
        pen = max(1, round(min(canvas.size) / 250)) if digit.accepted else 1
        draw.rectangle((x - pen, y - pen, x + width + pen, y + height + pen), outline=colour, width=pen)
        if digit.accepted:
            _label(draw, f"{digit.label}", f"{int(100 * digit.confidence)}%", x, y - pen, max(width, height), colour)
    return canvas


def _head(reading: Reading, factor: int) -> int:
    """The room above the picture that labels of digits at its upper rim need."""
    needed = [0.55 * max(d.box[2:]) * factor + 14 - d.box[1] * factor for d in reading.digits if d.accepted]
    return max(0, round(max(needed, default=0)))


def _label(
    draw: ImageDraw.ImageDraw, label: str, sure: str, x: float, y: float, size: float, colour: tuple[int, int, int]
) -> None:
    large = ImageFont.load_default(max(11, round(0.42 * size)))
    small = ImageFont.load_default(max(9, round(0.2 * size)))
    left, top, right, _ = draw.textbbox((x, y), label, font=large, anchor="ls")
    wide = draw.textlength(sure, font=small)
    draw.rectangle((left - 1, top - 1, right + wide + 3, y), fill=(255, 255, 255))
    draw.text((x, y - 1), label, fill=colour, font=large, anchor="ls")
    draw.text((right + 2, y - 1), sure, fill=colour, font=small, anchor="ls")
