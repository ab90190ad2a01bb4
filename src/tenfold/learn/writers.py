"""Simulated writers: people with a fixed hand, made by rewriting MNIST's digits, and the search for hands that are misread.

A person's sevens look alike: a writer takes those of MNIST's that are nearest to one of them, the same for each class
(`Writer.own`), and rewrites them in a hand: a slant, a turn, a proportion, a pen, a way of bending each figure, and habits such
as a line below the 6. All amounts are bounded so that people can still read most of it (`MOST`); docs/hand.md shows it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tenfold import picture
from tenfold.data.digits import CLASSES, SIDE, Digits
from tenfold.data.sources import load
from tenfold.learn import strangers
from tenfold.picture import Ink

Probabilities = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
Image = NDArray[np.float32]
Glyph = NDArray[np.uint8]

_FINER = 4  # a digit is rewritten at so many times its resolution
_CANVAS = 44  # pixels of MNIST: what a turned and slanted digit needs
_FORMS = 5000  # training digits that a writer's forms come from
_TRIED = 30  # digits of each class that a hand is tried on
_GRID = 4  # points a side of the grid that a figure's bends are drawn on
HABITS = (
    "slashed 0", "roofed 1", "barred 2", "flat 3", "closed 4", "hatted 5", "underlined 6", "crossed 7", "tailed 8",
    "underlined 9",
)  # fmt: skip


@dataclass(frozen=True)
class Writer:
    """A hand.

    Attributes:
        name: what to call the writer.
        forms: decides which forms of the ten figures the writer has in mind.
        seed: decides how each figure is bent.
        turn: degrees that each digit is turned clockwise.
        slant: degrees that each digit leans to the right.
        narrow: share by which digits are narrower than high.
        pen: pixels of MNIST that strokes are wider (or, below 0, narrower) on either side.
        bend: pixels of MNIST that the points of a figure are moved, for each class in its own way.
        habits: of `HABITS`.
    """

    name: str
    forms: int = 0
    seed: int = 0
    turn: float = 0.0
    slant: float = 0.0
    narrow: float = 0.0
    pen: float = 0.0
    bend: float = 0.0
    habits: tuple[str, ...] = field(default=())

    def own(self, digits: Digits, n: int) -> Digits:
        """Of each class the `n` digits that are most like the one that this writer has in mind; class after class."""
        random = np.random.default_rng([self.forms, 3])
        models, chosen = _models(), []
        for label in range(CLASSES):
            model = models[label][random.integers(len(models[label]))]
            places = np.flatnonzero(digits.known_labels == label)
            distances = np.square(_softened(digits.images[places]) - model).sum(axis=(1, 2))
            chosen.append(places[np.argsort(distances, kind="stable")[:n]])
        return digits[np.concatenate(chosen)]

    def write(self, digits: Digits, seed: int = 0) -> Digits:
        """The digits in this hand, as glyphs: normalised as any picture's are. `seed` decides small differences of each."""
        random = np.random.default_rng([self.seed, seed])
        fields = [_bends(self.seed, label, self.bend) for label in range(CLASSES)]
        made = [
            self._written(image, int(label), fields[label], random)
            for image, label in zip(digits.images, digits.known_labels, strict=True)
        ]
        return Digits(np.array(made, np.uint8).reshape(-1, SIDE, SIDE), digits.labels, f"{self.name}'s {digits.name}")

    def _written(self, image: NDArray[np.uint8], label: int, bends: Image, random: np.random.Generator) -> NDArray[np.uint8]:
        for habit in self.habits:
            if habit.endswith(str(label)):
                image = _HABITS[habit](image, random)
        strength = _penned(_moved(image, self._places(bends)), self.pen)
        return picture.glyph(Ink(strength, 1))

    def _places(self, bends: Image) -> Image:
        """Where each pixel of the canvas is taken from in the digit: float32 (2, canvas, canvas), y and x."""
        y, x = _OFFSETS
        angle, lean = np.radians(self.turn), np.tan(np.radians(self.slant))
        x, y = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
        x = x + lean * y
        stretch = np.sqrt(1 - self.narrow)
        return np.asarray(np.stack([y * stretch, x / stretch]) + bends + (SIDE - 1) / 2, np.float32)


_OFFSETS = (np.mgrid[: _CANVAS * _FINER, : _CANVAS * _FINER] - (_CANVAS * _FINER - 1) / 2) / _FINER

# Beyond these, people begin to misread too.
MOST = {"turn": 20.0, "slant": 30.0, "narrow": 0.4, "pen": 1.0, "bend": 2.0}
LEAST = {"turn": -20.0, "slant": -25.0, "narrow": -0.25, "pen": -0.4, "bend": 0.0}


def search(name: str, seed: int, digits: Digits, probabilities: Probabilities, below: float, tries: int = 400) -> Writer:
    """Look for a hand that a model reads right less often than `below`: by random changes, keeping the harder one.

    Args:
        name: of the writer.
        seed: decides the search.
        digits: that the hand is tried on; never the test digits.
        probabilities: of the model: glyphs uint8 (N, 28, 28) to float32 (N, 10).
        below: a share of the digits.
        tries: hands that are tried at most.

    Returns:
        The first hand below, or the hardest that was found.
    """
    random = np.random.default_rng([seed, 11])
    hardest = Writer(name, forms=seed, seed=seed, habits=tuple(habit for habit in HABITS if random.random() < 0.8))
    lowest = accuracy(hardest, digits, probabilities)
    for _ in range(tries):
        if lowest < below:
            break
        tried = _changed(hardest, random)
        share = accuracy(tried, digits, probabilities)
        if share <= lowest:
            hardest, lowest = tried, share
    return hardest


def accuracy(writer: Writer, digits: Digits, probabilities: Probabilities) -> float:
    """The share of digits in a writer's hand that a model reads right."""
    written = writer.write(writer.own(digits, _TRIED))
    return float((probabilities(written.images).argmax(axis=1) == written.known_labels).mean())


@functools.cache
def _models() -> list[Image]:
    """For each class the training digits, softened, of which a writer has one in mind: float32 (n, 28, 28) each."""
    digits = load("mnist", "train")[:_FORMS]
    return [_softened(digits.images[digits.known_labels == label]) for label in range(CLASSES)]


def _softened(images: Glyph) -> Image:
    """Blurred, so that strokes a pixel apart are near each other: float32 (N, 28, 28)."""
    return np.asarray(ndimage.gaussian_filter(images.astype(np.float32) / 255, (0, 1, 1)), np.float32)


def _changed(writer: Writer, random: np.random.Generator) -> Writer:
    """The hand with one or two of its amounts moved by up to a quarter of their range, now and then with other bends."""
    amounts = {key: value for key, value in asdict(writer).items() if key in MOST}
    for key in random.choice(list(MOST), random.integers(1, 3), replace=False):
        reach = (MOST[key] - LEAST[key]) / 4
        amounts[key] = round(float(np.clip(amounts[key] + random.uniform(-reach, reach), LEAST[key], MOST[key])), 2)
    seed = int(random.integers(2**31)) if random.random() < 0.3 else writer.seed
    return replace(writer, seed=seed, **amounts)


def _bends(seed: int, label: int, most: float) -> Image:
    """How the points of a class are moved: float32 (2, canvas, canvas), a smooth field of at most `most` pixels."""
    drawn = np.random.default_rng([seed, label]).uniform(-most, most, (2, _GRID, _GRID))
    reach = SIDE / 2 - 2  # where ink is; beyond it the field stays as at the rim
    at = np.clip((_OFFSETS + reach) / (2 * reach), 0, 1) * (_GRID - 1)
    return np.stack([ndimage.map_coordinates(axis, at, order=1, mode="nearest") for axis in drawn]).astype(np.float32)


def _moved(image: NDArray[np.uint8], places: Image) -> Image:
    return np.asarray(ndimage.map_coordinates(image.astype(np.float32) / 255, places, order=1), np.float32)


def _penned(strength: Image, pen: float) -> Image:
    """Strokes wider or narrower by so many pixels of MNIST on either side."""
    reach = round(abs(pen) * _FINER)
    if not reach:
        return strength
    disc = np.hypot(*np.ogrid[-reach : reach + 1, -reach : reach + 1]) <= reach + 0.3
    change = ndimage.grey_dilation if pen > 0 else ndimage.grey_erosion
    return np.asarray(change(strength, footprint=disc), np.float32)


def _box(image: NDArray[np.uint8]) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of the ink, in pixels; the whole image where there is none."""
    rows, columns = (np.flatnonzero((image > 100).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return 0.0, 0.0, SIDE - 1.0, SIDE - 1.0
    return float(columns[0]), float(rows[0]), float(columns[-1]), float(rows[-1])


def _slashed(zero: Glyph, random: np.random.Generator) -> Glyph:
    left, top, right, bottom = _box(zero)
    return strangers.with_line(zero, (right + 1, top - 1), (left - 1, bottom + 1), random)


def _roofed(one: Glyph, random: np.random.Generator) -> Glyph:
    """An upstroke nearly as long as the stem, as in a narrow Λ."""
    _, top, _, bottom = _box(one)
    head = _middle(one, top)
    return strangers.with_line(one, (head, top), (head - random.uniform(7, 9), top + 0.85 * (bottom - top)), random)


def _barred(two: Glyph, random: np.random.Generator) -> Glyph:
    """A short bar through the neck, as a Z is told from a 2."""
    left, top, right, bottom = _box(two)
    x, y, half = (left + right) / 2 + 1, top + 0.58 * (bottom - top), random.uniform(4.5, 6)
    return strangers.with_line(two, (x - half, y), (x + half, y - 0.5), random)


def _flat(three: Glyph, random: np.random.Generator) -> Glyph:
    """A straight roof that begins with a stroke down."""
    left, top, right, _ = _box(three)
    roofed = strangers.with_line(three, (left, top + 1), (right + 1, top), random)
    return strangers.with_line(roofed, (left, top + 1), (left - 0.5, top + random.uniform(5, 7)), random)


def _closed(four: Glyph, random: np.random.Generator) -> Glyph:
    """The two upper ends joined, as in print."""
    _, top, _, _ = _box(four)
    row = int(top) + 2
    columns = np.flatnonzero((four[row : row + 2] > 100).any(axis=0))
    if len(columns) < 2:
        return four
    return strangers.with_line(four, (float(columns[0]), row), (float(columns[-1]), row - 1), random)


def _hatted(five: Glyph, random: np.random.Generator) -> Glyph:
    """The upper bar drawn far to the left too."""
    left, top, right, _ = _box(five)
    return strangers.with_line(five, (left - random.uniform(3, 5), top + 1), (right + 2, top), random)


def _underlined(image: Glyph, random: np.random.Generator) -> Glyph:
    """A line below, which tells a 6 from a 9 on balls and dice."""
    left, _, right, bottom = _box(image)
    y = min(bottom + random.uniform(2.5, 3), SIDE - 1)
    return strangers.with_line(image, (left - 1, y), (right + 1, y - 0.5), random)


def _twice_crossed(seven: Glyph, random: np.random.Generator) -> Glyph:
    """A wide bar low across the stem, and a stroke down before the roof."""
    left, top, _, bottom = _box(seven)
    y = top + 0.55 * (bottom - top)
    x = _middle(seven, y)
    crossed = strangers.with_line(seven, (x - 7, y + 0.5), (x + 6, y - 0.5), random)
    return strangers.with_line(crossed, (left, top), (left - 0.5, top + random.uniform(5, 6)), random)


def _tailed(eight: Glyph, random: np.random.Generator) -> Glyph:
    """A long stroke to the upper right, where the pen ends."""
    _, top, right, _ = _box(eight)
    return strangers.with_line(eight, (right - 1, top + 2), (right + random.uniform(5, 7), top - 2), random)


def _middle(image: Glyph, row: float) -> float:
    """The middle of the ink in a row."""
    columns = np.flatnonzero(image[round(row)] > 100)
    return float(columns.mean()) if len(columns) else SIDE / 2


_HABITS = dict(
    zip(
        HABITS,
        (_slashed, _roofed, _barred, _flat, _closed, _hatted, _underlined, _twice_crossed, _tailed, _underlined),
        strict=True,
    )
)
