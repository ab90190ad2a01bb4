"""Lines of handwriting composed from single digits, with what real pictures have besides: marks, rules, paper, light, blur.

For networks that read whole lines, and for measuring reading. Each line has a hand of its own: size, slant, width, spacing, how
it writes each digit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

from tenfold.data.digits import CLASSES, Digits

HEIGHT = 32
_INK = 60  # of 255: what belongs to a stroke
_LENGTHS = np.array([3, 8, 8, 12, 14, 14, 12, 9, 7, 5, 3, 3, 2]) / 100  # how often a line has 0, 1, 2, … digits


class Line(NamedTuple):
    """A composed line.

    Attributes:
        picture: uint8 (32, W), dark ink on lighter paper.
        labels: the digits from left to right; marks count for nothing.
        centres: the middle column of each digit.
    """

    picture: NDArray[np.uint8]
    labels: tuple[int, ...]
    centres: tuple[float, ...]


@dataclass(frozen=True)
class _Hand:
    """How a line is written; lengths in pixels."""

    height: float
    aspect: float
    slant: float
    turn: float
    gap: float
    slope: float
    base: float
    stroke: float
    of_digit: NDArray[np.float64]  # (10,): the height of each digit as a share

    @classmethod
    def drawn(cls, random: np.random.Generator) -> _Hand:
        height = random.uniform(12, 27)
        touching, near, wide = random.uniform(-1.5, 1.5), random.uniform(0, 5), random.uniform(3, 14)
        return cls(
            height=height,
            aspect=random.uniform(0.75, 1.25),
            slant=random.normal(0.05, 0.18),
            turn=random.normal(0, 0.04),
            gap=random.choice([touching, near, wide], p=[0.3, 0.5, 0.2]),
            slope=random.normal(0, 0.02),
            base=HEIGHT - random.uniform(1, max(1.5, HEIGHT - height - 1)),
            stroke=max(1.0, height / random.uniform(7, 14)),
            of_digit=np.clip(random.normal(1, 0.08, CLASSES), 0.75, 1.25),
        )


class Composer:
    """Composes lines from a set of digits."""

    def __init__(self, digits: Digits) -> None:
        """Take labelled digits of all ten classes."""
        self._of_class = [digits.images[digits.known_labels == k] for k in range(CLASSES)]

    def line(self, random: np.random.Generator, n_digits: int | None = None) -> Line:
        """A line of so many digits, by default 0 to 12; the same generator state gives the same line."""
        ink, labels, centres, hand = self._written(random, n_digits)
        strokes = np.asarray(ink / np.float32(255), np.float32)
        if random.random() < 0.3:
            strokes = self._with_neighbour(strokes, random)
        strokes = _thicker_or_thinner(strokes, random)
        picture = _photographed(strokes, _rules(strokes.shape[1], centres, hand, random), random)
        return Line(picture, tuple(labels), tuple(centres))

    def _written(
        self, random: np.random.Generator, n_digits: int | None
    ) -> tuple[NDArray[np.uint8], list[int], list[float], _Hand]:
        """The ink alone, uint8 (32, W), 0-255."""
        hand = _Hand.drawn(random)
        n = int(random.choice(len(_LENGTHS), p=_LENGTHS)) if n_digits is None else n_digits
        thousands, small_zeros = random.random() < 0.5, random.random() < 0.25
        canvas = np.zeros((HEIGHT, 160 + int(n * (2 * hand.height + max(hand.gap, 0) + 6))), np.uint8)
        x, labels, centres = random.uniform(1, 14), [], []
        for left in range(n - 1, -1, -1):
            label = int(random.integers(CLASSES)) if random.random() < 0.85 else 0
            height = hand.height * (random.uniform(0.5, 0.8) if small_zeros and label == 0 else 1)
            digit = self._digit(label, height, hand, random)
            y = round(hand.base + hand.slope * x - len(digit) + random.normal(0, 0.04 * hand.height))
            if small_zeros and label == 0 and random.random() < 0.3:
                y -= int((hand.height - height) / 2)
            first, last = _laid_in(canvas, digit, max(0, round(x)), y)
            labels.append(label)
            centres.append((first + last) / 2)
            x = last + 1 + random.normal(hand.gap, 1)
            if left and ((thousands and left % 3 == 0) or random.random() < 0.03):
                mark = random.choice([".", ",", "-", "/", " ", ":"], p=[0.45, 0.2, 0.1, 0.05, 0.15, 0.05])
                x = _marked(canvas, x, hand, str(mark), random)
        for share in (0.3, 0.09):
            if random.random() < share:
                x = _marked(canvas, x + 1, hand, str(random.choice([".", ",", "-", "=", "/"])), random)
        width = int(np.clip(x + random.uniform(1, 14), 16, canvas.shape[1]))
        return canvas[:, :width], labels, centres, hand

    def _digit(self, label: int, height: float, hand: _Hand, random: np.random.Generator) -> NDArray[np.uint8]:
        """A digit of the class, cut out along its ink, scaled, slanted and turned."""
        pool = self._of_class[label]
        image = pool[random.integers(len(pool))]
        rows, columns = np.flatnonzero(image.max(axis=1) > _INK), np.flatnonzero(image.max(axis=0) > _INK)
        image = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        tall = max(6, round(height * hand.of_digit[label] * random.uniform(0.88, 1.12)))
        wide = max(2, round(image.shape[1] * tall / image.shape[0] * hand.aspect * random.uniform(0.9, 1.1)))
        shear, angle = hand.slant + random.normal(0, 0.06), hand.turn + random.normal(0, 0.06)
        size = (wide + int(abs(shear) * tall) + 1, tall)
        down, across = image.shape[0] / tall, image.shape[1] / wide
        cos, sin = np.cos(angle), np.sin(angle)
        a, b, d, e = across * cos, across * (shear - sin), down * sin, down * cos
        # Pillow wants, for each place of the result, the place in the image; both are measured from the middle here.
        c = image.shape[1] / 2 - a * size[0] / 2 - b * size[1] / 2
        f = image.shape[0] / 2 - d * size[0] / 2 - e * size[1] / 2
        moved = Image.fromarray(image).transform(size, Image.Transform.AFFINE, (a, b, c, d, e, f), Image.Resampling.BILINEAR)
        return np.asarray(moved)

    def _with_neighbour(self, strokes: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
        """The feet of a row above, or the heads of one below, at the rim."""
        other, _, _, hand = self._written(random, int(random.integers(1, 6)))
        n_rows, width = int(random.integers(2, 7)), min(strokes.shape[1], other.shape[1])
        foot, head = round(hand.base), max(0, round(hand.base - hand.height))
        above = random.random() < 0.5
        part = other[max(0, foot - n_rows) : foot] if above else other[head : head + n_rows]
        rows = slice(0, len(part)) if above else slice(HEIGHT - len(part), HEIGHT)
        strokes[rows, :width] = np.maximum(strokes[rows, :width], part[:, :width].astype(np.float32) / 255)
        return strokes


def _laid_in(canvas: NDArray[np.uint8], digit: NDArray[np.uint8], x: int, y: int) -> tuple[float, float]:
    """Lay a digit into the canvas; the first and last column of its ink there."""
    top, bottom = max(0, y), min(HEIGHT, y + len(digit))
    if bottom > top:
        place = canvas[top:bottom, x : x + digit.shape[1]]
        np.maximum(place, digit[top - y : bottom - y, : place.shape[1]], out=place)
    columns = np.flatnonzero(digit.max(axis=0) > _INK)
    return (x + columns[0], x + columns[-1]) if len(columns) else (x, x + digit.shape[1])


def _marked(canvas: NDArray[np.uint8], x: float, hand: _Hand, mark: str, random: np.random.Generator) -> float:
    """Draw a mark that is no digit at column x; where the next thing may begin."""
    image = Image.fromarray(canvas)
    draw, width = ImageDraw.Draw(image), max(1, round(hand.stroke))
    base, x, radius = hand.base + hand.slope * x, x + random.uniform(0, 2), hand.stroke * random.uniform(0.5, 1)
    end = x + 2 * radius
    if mark in (".", ":"):
        for y in (base - radius, base - hand.height / 2) if mark == ":" else (base - radius,):
            draw.ellipse((x, y - radius, end, y + radius), fill=255)
    elif mark == ",":
        draw.line((x + radius, base - radius, x - radius, base + 0.2 * hand.height), fill=255, width=width)
    elif mark in ("-", "="):
        end, y = x + hand.height * random.uniform(0.3, 1.2), base - hand.height * random.uniform(0.25, 0.6)
        for offset in (0, 2.5 * hand.stroke) if mark == "=" else (0,):
            draw.line((x, y + offset, end, y + offset + random.normal(0, 0.1) * (end - x)), fill=255, width=width)
    elif mark == "/":
        end = x + 0.4 * hand.height
        draw.line((x, base + 1, end, base - 1.1 * hand.height), fill=255, width=width)
    else:
        end = x + hand.height * random.uniform(0.4, 1.5)
    canvas[:] = np.asarray(image)
    return float(end + random.uniform(0, 3))


def _thicker_or_thinner(strokes: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    way = random.random()
    if way < 0.25:
        return np.asarray(strokes + random.uniform(0.2, 0.9) * (ndimage.grey_dilation(strokes, (3, 3)) - strokes), np.float32)
    if way < 0.5:
        return np.asarray(strokes + random.uniform(0.1, 0.6) * (ndimage.grey_erosion(strokes, (2, 2)) - strokes), np.float32)
    return strokes


def _rules(width: int, centres: list[float], hand: _Hand, random: np.random.Generator) -> NDArray[np.float32]:
    """Printed lines under or through the writing, and edges of boxes between the digits: float32 (32, W), 0-1."""
    y, x = np.mgrid[:HEIGHT, :width].astype(np.float32)
    rules = np.zeros((HEIGHT, width), np.float32)
    if random.random() < 0.3:
        at = random.choice([hand.base + random.uniform(-2, 5), random.uniform(0, HEIGHT)])
        distance = np.abs(y - at - random.normal(0, 0.01) * x)
        rules = np.clip(random.uniform(0.4, 1.3) + 0.5 - distance, 0, 1) * np.float32(random.uniform(0.3, 1))
    if random.random() < 0.12:
        for at in random.uniform(0, width, random.integers(1, 4)):
            if all(abs(at - centre) > 0.45 * hand.height for centre in centres):
                edge = np.clip(random.uniform(0.4, 1.2) + 0.5 - np.abs(x - at), 0, 1) * random.uniform(0.3, 0.9)
                rules = np.maximum(rules, edge)
    return np.asarray(rules, np.float32)


def _security_print(width: int, random: np.random.Generator) -> NDArray[np.float32]:
    """Waves as on cheques: float32 (32, W), 0-1."""
    y, x = np.mgrid[:HEIGHT, :width].astype(np.float32)
    waves = np.zeros((HEIGHT, width), np.float32)
    for _ in range(random.integers(1, 4)):
        angle, period, bend = random.uniform(0, np.pi), random.uniform(2.2, 9), random.uniform(0, 3)
        along, across = np.sin(angle) * x - np.cos(angle) * y, np.cos(angle) * x + np.sin(angle) * y
        wiggle = bend * np.sin(2 * np.pi * along / random.uniform(10, 60) + random.uniform(0, 6))
        wave = 0.5 + 0.5 * np.cos(2 * np.pi * (across + wiggle) / period)
        waves += wave ** random.choice([1, 3, 8]) * random.uniform(0.1, 1)
    return np.asarray(waves / waves.max(), np.float32)


def _photographed(strokes: NDArray[np.float32], rules: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.uint8]:
    """Ink and rules on paper under uneven light, with grain and blur: uint8 (32, W)."""
    width = strokes.shape[1]
    y, x = np.mgrid[:HEIGHT, :width].astype(np.float32)
    paper = random.uniform(0.45, 1)
    depth = 0.95 * paper * random.uniform(0.25, 1)
    light = 1 + random.uniform(-0.25, 0.25) * (x / width - 0.5) + random.uniform(-0.2, 0.2) * (y / HEIGHT - 0.5)
    grain = random.normal(0, 1, strokes.shape)
    if random.random() < 0.5:
        grain = ndimage.gaussian_filter(grain, random.uniform(0.5, 1.2))
        grain /= grain.std()
    print_depth = random.uniform(0, 0.45) if random.random() < 0.4 else 0.0
    drawn = np.maximum(strokes * random.uniform(0.8, 1), rules * random.uniform(0.3, 1))
    picture = paper * light - depth * drawn + depth * random.choice([0.01, 0.04, 0.1]) * grain
    if print_depth:
        picture -= depth * print_depth * _security_print(width, random)
    if random.random() < 0.5:
        picture = ndimage.gaussian_filter(picture, random.uniform(0.3, 0.9))
    return np.asarray(np.clip(picture, 0, 1) * 255, np.uint8)
