"""Letters and words as a pen writes them: strokes through a few points, which no two times lie in the same places."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Points = list[tuple[float, float]]

_SHORT = 3  # letters; in a shorter word one that looks like a digit may be one

# How each letter may be written: strokes, parted by "|", through points "x,y". Capitals stand between 0 and 10, small letters
# between 4 and 10, down to 14 below the line; a point given twice is a corner. Those that nobody can tell from digits when they
# stand alone (O, I, l, S, Z, B and the like, as in `clutter.LETTERS`) have a table of their own.
_WAYS = {
    "A": ("0,10 5,0 5,0 10,10|2,6.5 8,6.5", "0,10 1,3 5,0 9,3 10,10|1,6 9,6", "0,10 5,0 5,0 9,10 9,10 2,6 9,6"),
    "C": ("9,2 6,0 2,2 0,5 2,9 6,10 9,8.5",),
    "D": ("0,0 0,10|0,0 5,0.5 9,4 8,8 4,10 0,10", "2,0 2,10|0,0 6,0 10,4 9,8 5,10 0,10"),
    "E": ("8,0 0,0 0,0 0,10 0,10 8,10|0,5 6,5", "8,1 4,0 1,2 4,4.7 4,4.7 0,7 2,10 8,9"),
    "F": ("8,0 0,0 0,0 0,10|0,5 6,5", "0,0 9,0|3,0 3,8 1,10|2,5 7,4.5"),
    "G": ("9,2 6,0 2,1 0,5 2,9 6,10 9,9 9,5.5 9,5.5 6,5.5|9,5.5 9,10", "8,1 4,0 0,5 3,10 8,8 8,8 8,5.5|5,5.5 10,5.5"),
    "H": ("0,0 0,10|9,0 9,10|0,5 9,5", "0,0 1,10|9,0 8,10 8,10 9,5 0,5.5"),
    "J": ("2,0 9,0|6,0 6,8 3,10 0,8", "6,0 6,8 3,10 0,7"),
    "K": ("0,0 0,10|8,0 0,6 0,6 8,10", "0,0 0,10|8,0 1,5 3,5 8,10"),
    "L": ("0,0 0,10 0,10 7,10",),
    "M": ("0,10 1,0 1,0 5,7 5,7 9,0 9,0 10,10", "0,10 0,1 0,1 3,0 5,3 5,9 5,9 5,3 8,0 10,3 10,10"),
    "N": ("0,10 0,0 0,0 9,10 9,10 9,0", "0,10 0,0 0,0 0,3 4,0 8,3 8,10"),
    "P": ("0,10 0,0|0,0 5,0 8,2.5 5,5 0,5.3", "1,0 0,10|-1,2 4,0 8,2 5,5 1,5.5"),
    "Q": ("5,0 1,2 0,5 2,9 5,10 9,8 10,5 8,1 5,0|6,7 10,11",),
    "R": ("0,10 0,0|0,0 5,0 8,2.5 5,5 0,5.3 0,5.3 9,10", "1,0 0,10|-1,2 4,0 8,2 5,5 2,5 2,5 5,6 6,9 9,10"),
    "T": ("0,0 10,0|5,0 5,10", "0,1 3,0 10,0.5|6,0 5,8 3,10 1,9"),
    "U": ("0,0 0,7 3,10 6,9 9,6 9,0", "0,0 0,7 4,10 8,7 8,0 8,0 8,10"),
    "V": ("0,0 4.5,10 4.5,10 9,0", "0,1 2,1 4,10 4,10 7,3 9,0"),
    "W": ("0,0 2.5,10 2.5,10 5,3 5,3 7.5,10 7.5,10 10,0", "0,0 1,8 3,10 5,7 5,3 5,3 5,8 7,10 10,7 10,0"),
    "X": ("0,0 9,10|9,0 0,10", "0,1 3,1 6,9 9,9|9,0 0,10"),
    "Y": ("0,0 4.5,5 4.5,5 9,0|4.5,5 4.5,10", "0,0 4,5|9,0 2,11", "0,0 1,4 4,5 8,3 9,0|9,0 8,7 4,11 0,10"),
    "a": ("7,5 4,4 1,5.5 0,8 2,10 5,9 7,5|7,4 7,9 9,10", "1,5 4,4 6,5.5 6.5,10|6.3,7 2,7 0,8.5 2,10 6.3,8.5"),
    "b": ("0,0 0,10|0,6 3,4 6,5.5 6,8.5 3,10 0,9", "0,0 0,9 2,10 5,9 6,7 4,5 1,6 0,8"),
    "c": ("6,5 4,4 1,5 0,7 1,9 4,10 7,9",),
    "d": ("7,5 4,4 1,5.5 0,8 2,10 5,9 7,6|7,0 7,9 9,10", "6,6 3,5 0,7 1,10 4,10 6,7 5,2 1,0"),
    "e": ("0,7 7,6.7 7,6.7 6,4.5 3,4 0,6.5 1,9 4,10 7,9", "0,8 5,7 6,5 4,4 2,5 1,8 3,10 8,8.5"),
    "f": ("7,1 5,0 3,2 3,10|0,4.5 6,4.5", "0,8 5,3 5,0 3,1 3,12 3,14 5,12 3,9 7,8", "7,1 5,0 3,2 3,12 1,14|0,5 6,5"),
    "g": ("7,5 4,4 1,5.5 0,7.5 2,9.5 5,9 7,5|7,4 7,12 4,14 0,12.5", "6,5 3,4 0,6 2,9 6,6 6,4 6,4 6,12 3,14 1,12 9,8"),
    "h": ("0,0 0,10|0,6 3,4 6,5.5 6,10", "0,8 4,3 3,0 2,2 2,10 2,10 2,7 5,5 6,7 6,9 8,10"),
    "i": ("3,4 3,9 5,10|3,1.5 3.2,1.8", "3,4 3,10|3,2 3.2,2.2"),
    "j": ("4,4 4,12 2,14 0,13|4,1.5 4.2,1.8", "1,4 4,4 4,4 4,12 2,14 0,13|4,2 4.2,2.2"),
    "k": ("0,0 0,10|6,4 0,7.5 0,7.5 6,10", "0,8 4,3 3,0 2,2 2,10 2,10 2,7 5,5 5,7 3,8 3,8 7,10"),
    "m": ("0,4 0,10|0,6 2,4 4,5 4,10|4,6 6,4 8,5 8,10", "0,5 1,4 1,10 1,10 3,4 4,5 4,10 4,10 6,4 8,5 8,9 10,10"),
    "n": ("0,4 0,10|0,6 3,4 6,5.5 6,10", "0,5 1,4 1,10 1,10 3,4 6,5 6,9 8,10"),
    "p": ("0,4 0,14|0,5 3,4 6,5.5 6,8 3,10 0,9", "0,4 1,4 1,14 1,14 1,6 4,4 6,6 5,9 2,9.5"),
    "q": ("7,5 4,4 1,5.5 0,8 2,10 5,9 7,6|7,4 7,14 7,14 9,12.5", "7,5 4,4 1,5.5 0,8 2,10 5,9 7,6|7,4 7,14|5,12 9,11"),
    "r": ("0,4 0,10|0,6 2,4.3 5,4.5", "0,9 2,3.5 2,5 5,5 5,5 4,8 5,10 8,9"),
    "t": ("3,1 3,8.5 5,10 7,9|0,4 6,4", "3,1 3,10|0,4 6,3.5", "0,9 3,1 3,1 2,9 4,10 7,9|0,4.5 6,4"),
    "u": ("0,4 0,8 2,10 5,9 7,6|7,4 7,9 9,10", "0,4 0,8 3,10 6,8 6,4"),
    "v": ("0,4 3,10 3,10 6,4", "0,5 1,4 2,9 3,10 5,8 5,4 8,4.5"),
    "w": ("0,4 2,10 2,10 4,5 4,5 6,10 6,10 8,4", "0,4 0,8 2,10 4,8 4,5 4,5 4,8 6,10 8,8 8,4"),
    "x": ("0,4 6,10|6,4 0,10", "0,5 2,4 4,9 7,10|6,4 0,10"),
    "y": ("0,4 3,9|7,4 1,14", "0,4 0,8 3,9.5 6,7 6,4|6,4 6,12 3,14 0,12.5", "0,4 1,8 4,9 6,4 6,4 5,12 2,14 0,12 8,8"),
    "&": ("9,10 2,2 4,0 6,2 0,8 3,10 9,6",),
    "?": ("0,2 3,0 6,2 5,5 3,6 3,8|3,9.8 3.2,10",),
    "€": ("9,1.5 6,0 2,2 1,5 2,9 6,10 9,8.5|0,4 7,4|0,6 6,6",),
    "$": ("8,2 4,1 1,3 4,5 7,7 4,9 0,8|4,-1 4,11",),
}
_LIKE_DIGITS = {
    "B": ("0,0 0,10|0,0 6,1 6,4 0,5 7,6 7,9 0,10", "1,0 0,10|-1,1 4,0 7,2 3,5 3,5 7,6 7,9 1,10"),
    "I": ("0,0 0,10", "2,0 8,0|5,0 5,10|2,10 8,10"),
    "O": ("5,0 1,2 0,5 2,9 5,10 9,8 10,5 8,1 5,0",),
    "S": ("8,1 5,0 1,2 3,4.5 7,6 8,8.5 4,10 0,9", "9,2 6,0 2,1 2,4 7,6 8,9 4,10 0,8.5"),
    "Z": ("0,0 8,0 8,0 0,10 0,10 8,10", "0,1 4,0 8,1 4,5 0,10 4,9 9,10"),
    "l": ("0,0 0,10", "0,8 4,3 3,0 2,2 2,8 3,10 5,9", "2,0 2,9 4,10"),
    "o": ("4,4 1,5 0,7 1,9 4,10 6,8.5 7,6.5 6,4.5 4,4", "4,4 1,5 0,8 3,10 6,8 5,4.5 4,4 7,5 9,4.5"),
    "s": ("6,5 3,4 1,5 2,7 5,7.5 6,9 3,10 0,9.5", "0,9.5 3,4 3,4 6,8.5 4,10 0,9.5"),
    "z": ("0,4 6,4 6,4 0,10 0,10 6,10", "0,5 4,4 5,6 2,7 5,9 4,13 1,14 0,12 6,9"),
}
_BETWEEN = np.linspace(0, 1, 6, endpoint=False)[:, None]


def letter(random: np.random.Generator, unsteady: float = 0.4, capital: bool | None = None) -> list[Points]:
    """Strokes of some letter, points (x, y): capitals within about (0, 0) to (1, 1), tails below 1.

    Args:
        random: decides which letter, and how it is written.
        unsteady: how far points lie from where they should, in tenths of a capital's height (standard deviation).
        capital: whether it is a capital; either without.
    """
    return _written(_ways(capital), random, unsteady)


def _written(ways: list[list[NDArray[np.float64]]], random: np.random.Generator, unsteady: float) -> list[Points]:
    way = ways[int(random.integers(len(ways)))]
    return [curve(stroke + random.normal(0, unsteady, stroke.shape)) for stroke in way]


def alike_among(random: np.random.Generator, n_letters: int) -> set[int]:
    """Which letters of a word may be ones that look like digits: at most half, and in a word of three at least.

    Beside other letters they can be told from digits.
    """
    if n_letters < _SHORT:
        return set()
    return set(random.choice(n_letters, int(random.integers(0, n_letters // 2 + 1)), replace=False).tolist())


def word(random: np.random.Generator, n_letters: int, alike: bool = False) -> tuple[list[Points], float]:
    """Strokes of a word, as of `letter`, and its width; joined now and then, in small letters or in capitals.

    Args:
        random: decides everything.
        n_letters: of the word.
        alike: whether some may look like digits; see `alike_among`.
    """
    strokes: list[Points] = []
    like_digits = alike_among(random, n_letters) if alike else set()
    slant, gap, unsteady = random.normal(0.15, 0.2), random.uniform(0.08, 0.35), random.uniform(0.15, 0.5)
    narrow, joined, in_capitals = random.uniform(0.55, 1), random.random() < 0.4, random.random() < 0.25
    x = 0.0
    for i in range(n_letters):
        capital = in_capitals or (i == 0 and random.random() < 0.5)
        written = _written(_ways(capital, alike=i in like_digits), random, unsteady)
        across = [px for stroke in written for px, _ in stroke]
        first, last = narrow * min(across), narrow * max(across)
        moved = [[(x + narrow * px - first + slant * (1 - py), py) for px, py in stroke] for stroke in written]
        if joined and strokes:
            strokes.append([strokes[-1][-1], moved[0][0]])
        strokes += moved
        x += last - first + gap
    return strokes, x


@cache
def _ways(capital: bool | None, alike: bool = False) -> list[list[NDArray[np.float64]]]:
    """Each way of each letter, of capitals or of the others alone or of all: strokes, float64 (n, 2)."""
    table = _LIKE_DIGITS if alike else _WAYS
    return [strokes_of(way) for name, ways in table.items() if capital in (None, name.isupper()) for way in ways]


def strokes_of(way: str) -> list[NDArray[np.float64]]:
    """A way as it stands in a table, "x,y x,y|x,y ...": its strokes, float64 (n, 2)."""
    return [np.array([point.split(",") for point in stroke.split()], np.float64) for stroke in way.split("|")]


def curve(points: NDArray[np.float64]) -> Points:
    """A smooth line through points (Catmull and Rom, 1974), in heights of a capital."""
    before, after = np.vstack([points[:1], points[:-2]]), np.vstack([points[2:], points[-1:]])
    parts = []
    for p, a, b, q in zip(before, points[:-1], points[1:], after, strict=True):
        t, u, v = _BETWEEN, (b - p) / 2, (q - a) / 2
        parts.append(a + u * t + (3 * (b - a) - 2 * u - v) * t**2 + (2 * (a - b) + u + v) * t**3)
    return [(float(x) / 10, float(y) / 10) for x, y in np.concatenate([*parts, points[-1:]])]
