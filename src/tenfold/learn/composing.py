"""Pages of handwriting composed from single digits, with what real pictures have besides: marks, letters, rules, paper, light.

For networks that find digits in pictures, and for measuring reading. Each page has a hand of its own: size, slant, width, pen,
spacing, how it writes each digit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tenfold.data.digits import CLASSES, Digits
from tenfold.learn import clutter, doodles, marks, papers, typeset
from tenfold.learn.hands import Hand
from tenfold.learn.sheets import Page, Sheet

# The share of numbers of two digits only, again and again, and how often each of these is a 1: such a row may pass for a fence.
_OF_FEW_CLASSES, _OF_THEM_ONES = 0.12, 0.3
_BESIDE = 0.06  # the share of numbers with a word right before or right after them, as in No. 5 or 12 kg
PRINTED = 0.1  # the share of numbers that are printed, where words are
_BARS = 0.5  # the share of hands that write a 1 as a mere bar, where nothing stands beside it: words hold many such strokes
_ENCLOSED = 0.015  # the share of numbers in parentheses or brackets
_SIGNS = "$$$€€£#!?/&*+=%:;@"  # printed before and after digits
_LENGTHS = np.array([8, 10, 12, 13, 14, 12, 9, 7, 5, 4, 3, 3]) / 100  # how often a row has 1, 2, 3 … digits
# Pictures that are neither a page nor a row: drawings without digits, one to three digits and nothing beside them, words
# without digits, numbers among printed signs.
Kind = Literal["drawing", "alone", "words", "signed"]


class Composer:
    """Composes pages from a set of digits.

    Args:
        digits: labelled digits of all ten classes.
        fonts: files of fonts for printed letters and numbers; without, no words are printed or written there.
        printed: the share of numbers that are printed.
    """

    def __init__(self, digits: Digits, fonts: Sequence[Path] = (), printed: float = PRINTED) -> None:
        self._of_class = [digits.images[digits.known_labels == k] for k in range(CLASSES)]
        self._fonts, self._printed = tuple(fonts), printed
        self._types = typeset.lining(self._fonts)
        self._varied = False

    def varied(self) -> Composer:
        """The same, but that digits are written in more forms, and bent: of hands further from those of MNIST's writers."""
        other = copy(self)
        other._varied = True
        return other

    def page(self, random: np.random.Generator, height: int, width: int, digit_height: float, cut: bool = True) -> Page:
        """A page full of rows; the same generator state gives the same page.

        Args:
            random: decides everything.
            height: of the page, in pixels.
            width: of the page.
            digit_height: of a digit, about; rows vary around it.
            cut: whether the rim may cut digits; else those are left out.
        """
        hand = self._hand(random, digit_height)
        sheet = Sheet.blank(height, width, cut)
        y = random.uniform(-0.3, 0.6) * digit_height
        spacing = random.uniform(1.05, 1.35) if random.random() < 0.3 else random.uniform(1.3, 2.6)
        base_lines, row = [], 0
        while y < height:
            base = y + digit_height * 1.1
            base_lines.append(base)
            what = random.random()
            if what < 0.12 and self._fonts:
                size = digit_height * random.uniform(0.4, 1.2)
                clutter.text(sheet.ink, self._fonts, base, size, hand.pen, random)
            elif what < 0.9:
                self._row(sheet, hand, base, row, random)
                row += 1
            y += digit_height * spacing
        strokes = clutter.drawn_over(sheet.strokes, sheet.placed, hand.height, hand.pen, random)
        rules = papers.rules(strokes.shape, base_lines, sheet.placed, hand.height, random)
        return sheet.page(papers.photographed(strokes, rules, sheet.placed, random))

    def line(self, random: np.random.Generator, n_digits: int, digit_height: float, cut: bool = True) -> Page:
        """A single row with little around it, as cut out of a form; `cut` as in `page`."""
        return self._line(self._hand(random, digit_height), random, n_digits, cut)

    def _line(self, hand: Hand, random: np.random.Generator, n_digits: int, cut: bool) -> Page:
        digit_height = hand.height
        room = int(digit_height * random.uniform(1.02 if cut else 1.6, 2.2))
        sheet = Sheet.blank(room, int((n_digits + 2) * (2.2 * digit_height + max(hand.gap, 0))), cut)
        base = (room + digit_height) / 2 + random.normal(0, 0.05) * digit_height
        end = self._row(sheet, hand, base, 0, random, n_digits)
        width = int(np.clip(end + random.uniform(0.05, 0.5) * digit_height, 8, sheet.ink.shape[1]))
        strokes = sheet.strokes[:, :width]
        rules = papers.rules(strokes.shape, [base], sheet.placed, hand.height, random)
        return sheet.page(papers.photographed(strokes, rules, sheet.placed, random))

    def alone(self, random: np.random.Generator) -> Page:
        """One to three digits with nothing beside them, in half of the pictures cut out along their ink or nearly so."""
        n_digits = int(random.choice([1, 1, 1, 2, 3]))
        hand = self._hand(random, float(np.exp(random.uniform(np.log(16), np.log(200)))))
        if random.random() < _BARS:
            hand = hand.with_bars()
        page = self._line(hand, random, n_digits, cut=False)
        if random.random() > 0.5 or not len(page.boxes):
            return page
        first, last = page.boxes[:, :2].min(axis=0), (page.boxes[:, :2] + page.boxes[:, 2:]).max(axis=0)
        margin = random.uniform(0, 0.12) * (last[1] - first[1])
        left, top = np.maximum(0, first - margin).astype(int)
        right, bottom = np.ceil(last + margin).astype(int) + 1
        part = np.ascontiguousarray(page.picture[top:bottom, left:right])
        return page._replace(picture=part, boxes=page.boxes - np.array([left, top, 0, 0], np.float32))

    def now_and_then(self, shares: Mapping[Kind, float], random: np.random.Generator) -> Page | None:
        """A picture of one of these kinds, each as often as its share says; else none."""
        made = {"drawing": self.drawing, "alone": self.alone, "words": self.words, "signed": self.signed}
        which = int(random.choice(len(shares) + 1, p=[*shares.values(), 1 - sum(shares.values())]))
        return made[list(shares)[which]](random) if which < len(shares) else None

    def signed(self, random: np.random.Generator) -> Page:
        """A row of numbers with printed signs before and after them: currencies, exclamation marks and the like."""
        height = float(np.exp(random.uniform(np.log(18), np.log(90))))
        hand = self._hand(random, height)
        by = hand.printed(self._types, random) if self._types and random.random() < 0.5 else hand
        base, x = height * random.uniform(1.3, 1.9), height * random.uniform(0.2, 0.8)
        sheet = Sheet.blank(int(base + height * random.uniform(0.4, 0.8)), int(14 * height), cut=False)
        for _ in range(random.integers(1, 4)):
            x = self._signs(sheet, by, base, x, random)
            for _ in range(random.integers(1, 5)):
                label = int(random.integers(CLASSES))
                digit = self._digit(label, by, by.height, random)
                top = round(base - len(digit) + random.normal(0, 0.04 * by.unsteady * height))
                x = sheet.laid_in(digit, round(x), top, label, 0) + 1 + max(by.gap, -0.05 * height)
            x = self._signs(sheet, by, base, x, random) + random.uniform(0.2, 1) * height
        strokes = sheet.strokes[:, : int(x)]
        return _ruled_now_and_then(sheet, strokes, [base], height, random)

    def _signs(self, sheet: Sheet, by: Hand, base: float, x: float, random: np.random.Generator) -> float:
        """Now and then a sign or two; the column after them."""
        for _ in range(int(random.choice(3, p=[0.35, 0.5, 0.15])) if self._fonts else 0):
            file = by.type.font if by.type else self._fonts[int(random.integers(len(self._fonts)))]
            character = str(random.choice(list(_SIGNS)))
            x = clutter.printed(sheet.ink, file, character, base, by.height * random.uniform(0.8, 1.15), x, random)
            x += max(by.gap, 0.03 * by.height)
        return x

    def drawing(self, random: np.random.Generator) -> Page:
        """A picture with one to three doodles of any size and no digit."""
        height = int(np.exp(random.uniform(np.log(60), np.log(400))))
        width = int(height * random.uniform(0.7, 2.2))
        sheet, pen = Sheet.blank(height, width), max(1.5, height * random.uniform(0.008, 0.05))
        for _ in range(random.integers(1, 4)):
            tall = height * random.uniform(0.2, 0.9)
            size = np.array([tall * random.uniform(0.6, 1.2), tall])
            corner = random.uniform(-0.1, 0.9, 2) * np.maximum(1, np.array([width, height]) - size)
            doodles.draw(sheet.ink, doodles.doodle(random), (corner[0], corner[1]), (size[0], size[1]), pen)
        return _ruled_now_and_then(sheet, sheet.strokes, [height / 2], height * 0.3, random)

    def words(self, random: np.random.Generator) -> Page:
        """A picture full of words, written or printed, without a digit: of a letter, a form, a label."""
        width = int(random.integers(120, 480))
        height = int(width * random.uniform(0.15, 0.7))
        size = float(np.exp(random.uniform(np.log(10), np.log(max(14, height / 2)))))
        sheet, pen = Sheet.blank(height, width), max(1.0, size * random.uniform(0.035, 0.19))
        fonts = [self._fonts[int(random.integers(len(self._fonts)))]] if self._fonts else []
        written = not fonts or bool(random.random() < 0.5)
        spacing, until, base_lines = random.uniform(1.2, 2.2), random.uniform(0.4, 1), []
        base = random.uniform(0.8, 2) * size
        while base < height + 0.5 * size:
            base_lines.append(base)
            x = random.uniform(-0.5, 1) * size
            while x < until * width:
                x = clutter.text(sheet.ink, fonts, base, size, pen, random, x, written) + random.uniform(0.2, 0.8) * size
            base += spacing * size
        strokes = clutter.drawn_over(sheet.strokes, sheet.placed, size, pen, random)
        return _ruled_now_and_then(sheet, strokes, base_lines, size, random)

    def _row(
        self, sheet: Sheet, hand: Hand, base: float, row: int, random: np.random.Generator, n_digits: int | None = None
    ) -> float:
        """Write numbers from left to right until the page or the digits end; the column after the last."""
        width = sheet.ink.shape[1]
        x = random.uniform(0, 0.8) * hand.height if n_digits or random.random() < 0.6 else random.uniform(0, 0.6) * width
        while x < width:
            n = n_digits or 1 + int(random.choice(len(_LENGTHS), p=_LENGTHS))
            x = self._beside(sheet, hand, base, x, n_digits, random)
            by = hand.printed(self._types, random) if self._types and random.random() < self._printed else hand
            x = self._number(sheet, by, base, x, row, n, random)
            if x >= width:
                return float(x)
            x = self._beside(sheet, hand, base, x, n_digits, random)
            if n_digits or random.random() < 0.35:
                return float(x)
            if self._fonts and random.random() < 0.25:
                x = self._word(sheet, hand, base, x, random)
            x += random.uniform(0.6, 3) * hand.height
        return float(x)

    def _number(self, sheet: Sheet, by: Hand, base: float, x: float, row: int, n: int, random: np.random.Generator) -> float:
        """Write a number of n digits and signs among and around them, as far as the page goes; the column after it."""
        width, thousands, few = sheet.ink.shape[1], random.random() < 0.5, random.random() < _OF_FEW_CLASSES
        classes = np.where(random.random(2) < _OF_THEM_ONES, 1, random.integers(CLASSES, size=2)) if few else np.arange(CLASSES)
        enclosed = random.random() < _ENCLOSED
        opening, closing = marks.ENCLOSING[int(random.choice(2, p=[0.8, 0.2]))] if enclosed else ("", "")
        if opening:
            x = self._mark(sheet, by, x, base, random, opening)
        for left in range(n - 1, -1, -1):
            label = int(random.choice(classes)) if few or random.random() < 0.85 else 0
            small = by.small_zeros and label == 0
            digit = self._digit(label, by, by.height * (random.uniform(0.5, 0.85) if small else 1), random)
            off = random.normal(0, 0.04 * by.unsteady * by.height)
            y = round(base + by.slope * (x - width / 2) - len(digit) + off)
            if small and random.random() < 0.3:
                y -= round(0.15 * by.height)
            last = sheet.laid_in(digit, round(x), y, label, row)
            joined = small and random.random() < 0.4  # a row of noughts in one go
            gap = -0.06 * by.height if joined else by.gap
            x = last + 1 + gap + random.normal(0, 0.05 * by.unsteady) * by.height
            if left and ((thousands and left % 3 == 0) or random.random() < 0.03):
                x = self._mark(sheet, by, x, base, random)
            if x >= width:
                return x
        return self._mark(sheet, by, x, base, random, closing) if closing or random.random() < 0.3 else x

    def _beside(
        self, sheet: Sheet, hand: Hand, base: float, x: float, n_digits: int | None, random: np.random.Generator
    ) -> float:
        """Now and then a word as near to a number as its digits are to each other; the column after it."""
        if n_digits or not self._fonts or random.random() > _BESIDE:
            return x
        near = 0.2 * hand.height
        return self._word(sheet, hand, base, x + random.uniform(0, near), random) + random.uniform(0, near)

    def _word(self, sheet: Sheet, hand: Hand, base: float, x: float, random: np.random.Generator) -> float:
        size = hand.height * random.uniform(0.4, 1.1)
        return clutter.text(sheet.ink, self._fonts, base, size, hand.pen, random, x)

    def _mark(self, sheet: Sheet, by: Hand, x: float, base: float, random: np.random.Generator, kind: str = "") -> float:
        """A sign, one of any kind if none is given; the column where the next thing may begin."""
        kind = kind or str(random.choice(list(marks.SHARES), p=list(marks.SHARES.values())))
        base += by.slope * (x - sheet.ink.shape[1] / 2)
        strength = by.type.ink if by.type else 255
        return marks.mark(sheet.ink, kind, x, base, by.height, by.pen, random, strength)

    def _digit(self, label: int, by: Hand, height: float, random: np.random.Generator) -> NDArray[np.uint8]:
        pool = self._of_class[label]
        # Pages of printed digits stay the same whatever they could be written like.
        return by.digit(label, pool[0 if by.type else random.integers(len(pool))], height, random)

    def _hand(self, random: np.random.Generator, height: float) -> Hand:
        hand = Hand.drawn(random, height)
        return hand.varied(random) if self._varied else hand


def _ruled_now_and_then(
    sheet: Sheet, strokes: NDArray[np.float32], base_lines: list[float], height: float, random: np.random.Generator
) -> Page:
    """What was drawn, photographed on paper of which three in ten are ruled."""
    ruled = random.random() < 0.3
    rules = papers.rules(strokes.shape, base_lines, sheet.placed, height, random) if ruled else np.zeros_like(strokes)
    return sheet.page(papers.photographed(strokes, rules, sheet.placed, random))
