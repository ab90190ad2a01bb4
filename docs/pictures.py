"""The example pictures of the README, composed from MNIST's test digits.

note.png is a page with rules, words and a shadow; field.png a form field of six digits; read.png what tenfold reads in the
first. Run it with: .venv/bin/python docs/pictures.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

import tenfold

IMAGES = Path(__file__).with_name("images")
_PAPER, _PEN = np.array([244, 240, 228.0]), np.array([38, 52, 110.0])


def main() -> None:
    """Compose and read them."""
    digits = tenfold.load("mnist", "test")
    random = np.random.default_rng(4)
    note = Image.new("L", (840, 410))
    for row, number in enumerate(("0171 2369845", "46 + 83 = 129", "508.20  7914")):
        written(note, number, 60, 120 + 110 * row, 62, digits, random)
    photographed(note, ["Tel.", "tax", "due"], random).save(IMAGES / "note.png", optimize=True)
    field = Image.new("L", (420, 90))
    written(field, "4821-07", 30, 68, 46, digits, random)
    photographed(field, [], random).save(IMAGES / "field.png", optimize=True)
    tenfold.Reader().read(IMAGES / "note.png").annotated().save(IMAGES / "read.png", optimize=True)


def written(
    ink: Image.Image, text: str, x: float, base: float, height: float, digits: tenfold.Digits, random: np.random.Generator
) -> None:
    """Write digits, and the marks + - = . between them, in place."""
    draw = ImageDraw.Draw(ink)
    pen = max(2, round(0.085 * height))
    for character in text:
        if character == " ":
            x += 0.45 * height
        elif character.isdigit():
            glyph = digits.images[random.choice(np.flatnonzero(digits.known_labels == int(character)))]
            rows, columns = np.flatnonzero(glyph.max(axis=1) > 60), np.flatnonzero(glyph.max(axis=0) > 60)
            cut = Image.fromarray(glyph[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
            size = (max(4, round(cut.width * height / cut.height)), round(height * random.uniform(0.92, 1.05)))
            ink.paste(255, (round(x), round(base - size[1])), cut.resize(size, Image.Resampling.BICUBIC))
            x += size[0] + 0.22 * height
        else:
            middle, wide = base - 0.45 * height, 0.45 * height
            if character == ".":
                draw.ellipse((x, base - 2 * pen, x + 2 * pen, base), fill=255)
                wide = 2 * pen
            for offset in {"=": (-0.12, 0.12), "-": (0,), "+": (0,)}.get(character, ()):
                draw.line((x, middle + offset * height, x + wide, middle + offset * height), fill=255, width=pen)
            if character == "+":
                draw.line((x + wide / 2, middle - wide / 2, x + wide / 2, middle + wide / 2), fill=255, width=pen)
            x += wide + 0.25 * height


def photographed(ink: Image.Image, words: list[str], random: np.random.Generator) -> Image.Image:
    """Blue ink on ruled paper with printed words, grain and the edge of a shadow."""
    strokes = ndimage.gaussian_filter(np.asarray(ink, np.float64) / 255, 0.8)[..., None]
    height, width = strokes.shape[:2]
    paper = Image.new("RGB", (width, height), tuple(int(v) for v in _PAPER))
    draw = ImageDraw.Draw(paper)
    for row in range(3 if words else 0):
        draw.line((0, 132 + 110 * row, width, 126 + 110 * row), fill=(150, 180, 210), width=2)
    for row, word in enumerate(words):
        draw.text((width - 110, 96 + 110 * row), word, fill=(120, 120, 120), font=ImageFont.load_default(30))
    if not words:
        draw.rectangle((12, 8, width - 12, height - 8), outline=(120, 120, 120), width=2)
    page = np.asarray(paper, np.float64) * (1 - strokes) + _PEN * strokes
    return Image.fromarray(np.clip(page * shade(height, width) + random.normal(0, 3, page.shape), 0, 255).astype(np.uint8))


def shade(height: int, width: int) -> NDArray[np.float64]:
    """How bright each place is, (H, W, 1): a soft shadow from the lower left."""
    y, x = np.mgrid[:height, :width]
    across = (x / width - y / height + 0.35) * 9
    return (0.72 + 0.28 / (1 + np.exp(-across)))[..., None]


if __name__ == "__main__":
    main()
