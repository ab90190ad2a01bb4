"""What stands beside digits on real pages and is none: words, circles, scribbles, specks; for signs see `marks`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from tenfold.learn import doodles, letters
from tenfold.learn.sheets import INK

# Letters and signs; O, I, l, S, Z, B and their small ones, which nobody can tell from digits, are left out. They stand in words
# only, among at least as many others.
LETTERS = "ACDEFGHJKLMNPQRTUVWXYabcdefghijkmnpqrtuvwxyäöüéèçñ&@#%$€?"

_SMALL, _SMALL_ALIKE = "eeeeaaattiinnrrhhdduuccmmffpygwvbkjxq", "ooosssllz"  # about as often as in English
_CAPITALS, _CAPITALS_ALIKE = "EEEEAAATTNNRRHHDDUUCCMMFFPYGWVKJXQ", "OOOSSSIIIZB"
_ODD = 0.3  # the share of printed words of letters and signs in any order
_WRITTEN = 0.5  # the share of words that are written by hand
_DOODLED = 0.2  # the share of pages with doodles
_HIDDEN = 0.2  # the share of a digit's box that something may cover and leave it readable


def text(
    ink: NDArray[np.uint8],
    fonts: Sequence[Path],
    base: float,
    size: float,
    pen: float,
    random: np.random.Generator,
    x: float | None = None,
    written: bool | None = None,
) -> float:
    """Write or print a word or two; the column after them.

    Args:
        ink: uint8 (H, W), drawn into.
        fonts: files of fonts, for what is printed.
        base: the row that they stand on.
        size: of capitals, about, in pixels.
        pen: the width of strokes, for what is written.
        random: decides the words, and how they are written.
        x: the column where they begin; somewhere without.
        written: whether they are written by hand; either without.
    """
    place = float(random.uniform(-0.2, 0.8) * ink.shape[1]) if x is None else x
    if random.random() < _WRITTEN if written is None else written:
        for _ in range(random.integers(1, 3)):
            strokes, width = letters.word(random, int(random.integers(1, 8)), alike=True)
            doodles.draw(ink, strokes, (place, base - size), (size, size), pen)
            place += (width + random.uniform(0.2, 0.6)) * size
        return place
    words = _words(random)
    return printed(ink, fonts[int(random.integers(len(fonts)))], words, base, size, place, random)


def printed(
    ink: NDArray[np.uint8], file: Path, characters: str, base: float, size: float, x: float, random: np.random.Generator
) -> float:
    """Print characters at column x in a font, dark or pale; the column after them."""
    face, image = font(str(file), max(6, round(size * 1.3))), Image.fromarray(ink)
    ImageDraw.Draw(image).text((x, base), characters, fill=int(random.integers(120, 256)), font=face, anchor="ls")
    np.maximum(ink, np.asarray(image), out=ink)
    return x + float(face.getlength(characters))


def _words(random: np.random.Generator) -> str:
    """What is printed: one to three words in small letters, capitals or both; or letters and signs in any order."""
    if random.random() < _ODD:
        return "".join(str(c) for c in random.choice(list(LETTERS + "   "), int(random.integers(1, 9))))
    made = []
    for _ in range(random.integers(1, 4)):
        n, in_capitals, first = int(random.integers(1, 11)), random.random() < 0.25, random.random() < 0.3
        like_digits = letters.alike_among(random, n)
        tables = [
            (_CAPITALS, _CAPITALS_ALIKE) if in_capitals or (first and not i) else (_SMALL, _SMALL_ALIKE) for i in range(n)
        ]
        made.append("".join(str(random.choice(list(table[i in like_digits]))) for i, table in enumerate(tables)))
    return " ".join(made) + str(random.choice(["", "", ":", ".", ","]))


@lru_cache(maxsize=512)
def font(file: str, size: int) -> ImageFont.FreeTypeFont:
    """A font from a file, its letters so many pixels large."""
    return ImageFont.truetype(file, size)


def drawn_over(
    strokes: NDArray[np.float32], boxes: NDArray[np.float32], height: float, pen: float, random: np.random.Generator
) -> NDArray[np.float32]:
    """Strokes, float32 (H, W) of 0-1, with now and then a doodle, a circle around digits, a scribble, specks."""
    inked = np.asarray(strokes * 255, np.uint8)
    _doodled(inked, boxes, height, pen, random)
    image, width = Image.fromarray(inked), max(1, round(pen))
    h, w = strokes.shape
    if random.random() < 0.08 and len(boxes):
        x, y, bw, bh = boxes[random.integers(len(boxes))]
        wide = bw * random.uniform(1, 4)
        outline = (x - 0.5 * bh, y - 0.35 * bh, x + wide + 0.5 * bh, y + 1.35 * bh)
        draw = ImageDraw.Draw(image)
        (draw.ellipse if random.random() < 0.6 else draw.rectangle)(outline, outline=230, width=width)
    if random.random() < 0.15:
        points = scribble(random, (random.uniform(0, w), random.uniform(0, h)), height * random.uniform(0.5, 3))
        image = _with_line(image, boxes, points, width)
    if random.random() < 0.06:  # something many times larger than digits
        points = scribble(random, (random.uniform(0, w), random.uniform(0, h)), height * random.uniform(3, 8))
        image = _with_line(image, boxes, points, int(width * random.uniform(1, 4)))
    if random.random() < 0.3:
        largest = max(0.4, height * random.choice([0.06, 0.3], p=[0.8, 0.2]))
        specked = image.copy()
        for _ in range(random.integers(1, 12)):
            x, y, radius = random.uniform(0, w), random.uniform(0, h), random.uniform(0.3, largest)
            spot = (x - radius, y - radius, x + radius, y + radius)
            ImageDraw.Draw(specked).ellipse(spot, fill=int(random.integers(60, 256)))
        image = _unless_hidden(image, specked, boxes)
    return np.asarray(np.asarray(image) / np.float32(255), np.float32)


def _with_line(image: Image.Image, boxes: NDArray[np.float32], points: list[tuple[float, float]], width: int) -> Image.Image:
    drawn = image.copy()
    ImageDraw.Draw(drawn).line(points, 255, width, "curve")
    return _unless_hidden(image, drawn, boxes)


def _unless_hidden(before: Image.Image, after: Image.Image, boxes: NDArray[np.float32]) -> Image.Image:
    """The picture with something drawn, or the one without where that would hide a digit, so that nobody could read it."""
    new = np.asarray(after).astype(np.int16) - np.asarray(before) > INK
    hidden = (new[y : y + height, x : x + width].mean() for x, y, width, height in boxes.astype(int))
    return before if any(share > _HIDDEN for share in hidden) else after


def _doodled(
    ink: NDArray[np.uint8], boxes: NDArray[np.float32], height: float, pen: float, random: np.random.Generator
) -> None:
    """Now and then some doodles of about the size of digits, where no digit stands."""
    if random.random() > _DOODLED:
        return
    h, w = ink.shape
    for _ in range(random.integers(1, 5)):
        tall = height * random.uniform(0.6, 1.8)
        size = np.array([tall * random.uniform(0.6, 1.2), tall])
        corner = random.uniform(-0.3, 1, 2) * (w, h)
        apart = (boxes[:, :2] > corner + size) | (boxes[:, :2] + boxes[:, 2:] < corner)
        if apart.any(axis=1).all():
            doodles.draw(ink, doodles.doodle(random), (corner[0], corner[1]), (size[0], size[1]), pen)


def scribble(random: np.random.Generator, middle: tuple[float, float], size: float) -> list[tuple[float, float]]:
    """A smooth random curve around a place: its points, (x, y) in pixels."""
    n = int(random.integers(3, 9))
    corners = random.normal(0, size / 3, (n, 2))
    t = np.linspace(0, n - 1, 12 * n)
    near = np.exp(-((t[:, None] - np.arange(n)) ** 2) * 1.5)
    curve = near @ corners / near.sum(axis=1, keepdims=True) + middle
    return [(float(x), float(y)) for x, y in curve]


def packaged_fonts() -> list[Path]:
    """The fonts with letters that come with Matplotlib: DejaVu, STIX and Computer Modern."""
    import matplotlib

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    left_out = ("Siz", "NonUni", "Display", "ex10", "sy10", "LastResort")
    return [file for file in sorted(folder.glob("*.ttf")) if not any(part in file.name for part in left_out)]
