"""Signs that stand beside digits and are none: full stops, dashes, parentheses and the like."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

# How often each stands in a number or after it: a space is one of them.
_USUAL = {".": 0.34, ",": 0.16, "-": 0.18, "/": 0.06, " ": 0.06, ":": 0.05, "=": 0.12, "+": 0.03}
# And others, which only their neighbours tell from a 1 or a 0.
_OTHERS = {"(": 0.015, ")": 0.035, "[": 0.005, "]": 0.005, "'": 0.01, '"': 0.01, "%": 0.01, "°": 0.005}
SHARES = {kind: share * (1 - sum(_OTHERS.values())) for kind, share in _USUAL.items()} | _OTHERS
ENCLOSING = (("(", ")"), ("[", "]"))
_BOW = np.linspace(-1, 1, 13)


class _Pen:
    """Draws one sign at column x of an image; `end` is the column after it."""

    def __init__(
        self,
        image: Image.Image,
        x: float,
        base: float,
        height: float,
        pen: float,
        random: np.random.Generator,
        strength: int,
    ) -> None:
        self.draw, self.width, self.strength = ImageDraw.Draw(image), max(1, round(pen)), strength
        self.base, self.height, self.pen, self.random = base, height, pen, random
        self.x = x + random.uniform(0, 0.08) * height
        self.radius = max(0.6, pen * random.uniform(0.45, 1.1))
        self.end = self.x + 2 * self.radius

    def line(self, *points: tuple[float, float]) -> None:
        """A line through points (x, y)."""
        self.draw.line(points, fill=self.strength, width=self.width, joint="curve")

    def dots(self, *bottoms: float) -> None:
        """Dots that end so many heights above the base line."""
        for bottom in bottoms:
            y = self.base - bottom * self.height - self.radius
            self.draw.ellipse((self.x, y - self.radius, self.end, y + self.radius), fill=self.strength)

    def comma(self) -> None:
        x, radius = self.x, self.radius
        self.line((x + radius, self.base - radius), (x - radius, self.base + 0.2 * self.height))

    def bars(self, *offsets: float) -> float:
        """Level strokes so far below each other; the row of the first."""
        self.end = self.x + self.height * self.random.uniform(0.3, 1.2)
        y = self.base - self.height * self.random.uniform(0.25, 0.6)
        for offset in offsets:
            self.line((self.x, y + offset), (self.end, y + offset + self.random.normal(0, 0.1) * (self.end - self.x)))
        return y

    def plus(self) -> None:
        y = self.bars(0)
        middle, half = (self.x + self.end) / 2, (self.end - self.x) / 2
        self.line((middle, y - half), (middle, y + half))

    def slash(self) -> None:
        """Longer than a 1, and leaning more, or nobody could tell."""
        self.end = self.x + self.height * self.random.uniform(0.35, 0.65)
        below, above = self.random.uniform(0.05, 0.2), self.random.uniform(1.1, 1.35)
        self.line((self.x, self.base + below * self.height), (self.end, self.base - above * self.height))

    def space(self) -> None:
        self.end = self.x + self.height * self.random.uniform(0.4, 1.5)

    def parenthesis(self, opens: bool) -> None:
        """Higher than digits, and clearly bent."""
        half, bend = self.height * self.random.uniform(0.55, 0.85), self.height * self.random.uniform(0.12, 0.35)
        middle, lean = self.base - 0.5 * self.height, self.random.normal(0.05, 0.05) * self.height
        bow = bend * (_BOW**2 if opens else 1 - _BOW**2)
        self.line(*((self.x + float(b) - lean * float(t), middle + half * float(t)) for b, t in zip(bow, _BOW, strict=True)))
        self.end = self.x + bend

    def bracket(self, opens: bool) -> None:
        above, below = self.random.uniform(1.05, 1.35) * self.height, self.random.uniform(0.05, 0.3) * self.height
        self.end = self.x + self.height * self.random.uniform(0.15, 0.35)
        feet, stem = (self.end, self.x) if opens else (self.x, self.end)
        top, bottom = self.base - above, self.base + below
        self.line((feet, top), (stem, top), (stem, bottom), (feet, bottom))

    def ticks(self, n: int) -> None:
        """Quotation marks, minutes, inches: short strokes beside the upper end of digits."""
        x, top, lean = self.x, self.base - self.random.uniform(0.95, 1.15) * self.height, self.random.normal(0.05, 0.06)
        for _ in range(n):
            self.line((x + lean * self.height, top), (x, top + 0.28 * self.height))
            x += max(0.16 * self.height, 2 * self.pen)
        self.end = x

    def ring(self, x: float, y: float, radius: float) -> None:
        wide = radius * self.random.uniform(0.8, 1.1)
        self.draw.ellipse((x - wide, y - radius, x + wide, y + radius), outline=self.strength, width=self.width)

    def degree(self) -> None:
        radius = max(0.15 * self.height, 1.4 * self.pen)
        self.ring(self.x + radius, self.base - self.random.uniform(0.9, 1.1) * self.height, radius)
        self.end = self.x + 2 * radius

    def percent(self) -> None:
        radius, wide = max(0.17 * self.height, 1.2 * self.pen), self.height * self.random.uniform(0.6, 0.9)
        self.end = self.x + wide
        self.line((self.x, self.base), (self.end, self.base - self.height))
        self.ring(self.x + 0.15 * wide, self.base - 0.8 * self.height, radius)
        self.ring(self.end - 0.1 * wide, self.base - 0.2 * self.height, radius)


_WAYS: dict[str, Callable[[_Pen], object]] = {
    ".": lambda pen: pen.dots(0),
    ":": lambda pen: pen.dots(0.5, 0),
    ",": _Pen.comma,
    "-": lambda pen: pen.bars(0),
    "=": lambda pen: pen.bars(0, max(2.5 * pen.pen, 0.15 * pen.height)),
    "+": _Pen.plus,
    "/": _Pen.slash,
    " ": _Pen.space,
    "(": lambda pen: pen.parenthesis(opens=True),
    ")": lambda pen: pen.parenthesis(opens=False),
    "[": lambda pen: pen.bracket(opens=True),
    "]": lambda pen: pen.bracket(opens=False),
    "'": lambda pen: pen.ticks(1),
    '"': lambda pen: pen.ticks(2),
    "°": _Pen.degree,
    "%": _Pen.percent,
}


def mark(
    ink: NDArray[np.uint8],
    kind: str,
    x: float,
    base: float,
    height: float,
    pen: float,
    random: np.random.Generator,
    strength: int = 255,
) -> float:
    """Draw a sign that is no digit at column x; where the next thing may begin.

    Args:
        ink: uint8 (H, W), drawn into.
        kind: one of `SHARES`.
        x: the column where it begins.
        base: the row that digits stand on.
        height: of digits.
        pen: the width of strokes.
        random: decides its size.
        strength: of the ink, 0-255; where there is more already, that stays.
    """
    image = Image.fromarray(ink)
    by = _Pen(image, x, base, height, pen, random, strength)
    _WAYS[kind](by)
    np.maximum(ink, np.asarray(image), out=ink)
    return float(by.end + random.uniform(0, 0.12) * height)
