"""What people draw that is no digit: faces, figures, houses, arrows, hearts, stars, ticks, and letters."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tenfold.learn.letters import Points, letter

_MIDDLE = (0.5, 0.5)


def doodle(random: np.random.Generator) -> list[Points]:
    """Strokes of a small drawing, points (x, y) within about (0, 0) to (1, 1); the hand is not steady."""
    drawn = _KINDS[int(random.integers(len(_KINDS)))](random)
    return [[(x + random.normal(0, 0.02), y + random.normal(0, 0.02)) for x, y in stroke] for stroke in drawn]


def draw(
    ink: NDArray[np.uint8], strokes: Sequence[Points], corner: tuple[float, float], size: tuple[float, float], pen: float
) -> None:
    """Draw strokes into ink, uint8 (H, W): (0, 0) comes to the corner (x, y), (1, 1) lies (width, height) beyond it."""
    image = Image.fromarray(ink)
    drawing, radius = ImageDraw.Draw(image), pen / 2
    for stroke in strokes:
        points = [(corner[0] + x * size[0], corner[1] + y * size[1]) for x, y in stroke]
        drawing.line(points, 255, max(1, round(pen)), joint="curve")
        for x, y in (points[0], points[-1]):  # round ends; a stroke of one point is a dot
            drawing.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    ink[:] = np.asarray(image)


def _around(middle: tuple[float, float], radii: tuple[float, float], angles: NDArray[np.floating]) -> Points:
    """Points on an ellipse."""
    return [(middle[0] + radii[0] * float(np.cos(a)), middle[1] + radii[1] * float(np.sin(a))) for a in angles]


def _arc(middle: tuple[float, float], radii: tuple[float, float], start: float, end: float) -> Points:
    return _around(middle, radii, np.linspace(start, end, 24))


def _face(random: np.random.Generator) -> list[Points]:
    """A round, two eyes, mostly a mouth, now and then a nose or ears."""
    start = random.uniform(0, 2 * np.pi)
    strokes = [_arc(_MIDDLE, (random.uniform(0.38, 0.5), 0.5), start, start + random.uniform(5.9, 6.6))]
    height, apart = random.uniform(0.3, 0.45), random.uniform(0.12, 0.22)
    eye = random.uniform(0, 0.07)
    strokes += [_arc((0.5 + side * apart, height), (eye, eye), 0, 6.28) for side in (-1, 1)]
    if random.random() < 0.85:
        bend = random.uniform(-0.12, 0.2)
        wide, at = random.uniform(0.15, 0.28), random.uniform(0.65, 0.75)
        strokes.append(
            [(0.5 - wide, at), (0.5 - wide / 2, at + 0.8 * bend), (0.5 + wide / 2, at + 0.8 * bend), (0.5 + wide, at)]
        )
    if random.random() < 0.3:
        strokes.append([(0.5, height + 0.08), (0.5 + random.uniform(-0.05, 0.05), 0.58)])
    if random.random() < 0.2:
        strokes += [_arc((0.5 + side * 0.52, 0.5), (0.08, 0.12), 0, 6.28) for side in (-1, 1)]
    return strokes


def _figure(random: np.random.Generator) -> list[Points]:
    arms = random.uniform(-0.25, 0.2)
    return [
        _arc((0.5, 0.15), (0.13, 0.15), 0, 6.3),
        [(0.5, 0.3), (0.5, 0.65)],
        [(0.15, 0.45 + arms), (0.5, 0.42), (0.85, 0.45 + arms)],
        [(0.2, 1), (0.5, 0.65), (0.8, 1)],
    ]


def _house(random: np.random.Generator) -> list[Points]:
    eaves = random.uniform(0.35, 0.5)
    strokes: list[Points] = [[(0.05, 1), (0.05, eaves), (0.5, 0), (0.95, eaves), (0.95, 1), (0.05, 1)]]
    if random.random() < 0.6:
        strokes.append([(0.05, eaves), (0.95, eaves)])
    if random.random() < 0.7:
        x = random.uniform(0.3, 0.6)
        strokes.append([(x, 1), (x, 0.7), (x + 0.2, 0.7), (x + 0.2, 1)])
    return strokes


def _arrow(random: np.random.Generator) -> list[Points]:
    head, tail, half = random.uniform(0.2, 0.4), random.uniform(-0.1, 0.1), random.uniform(0.12, 0.3)
    strokes: list[Points] = [[(0, 0.5 + tail), (1, 0.5)], [(1 - head, 0.5 - half), (1, 0.5), (1 - head, 0.5 + half)]]
    if random.random() < 0.5:
        strokes = [[(1 - x, y) for x, y in stroke] for stroke in strokes]
    return [[(y, x) for x, y in stroke] for stroke in strokes] if random.random() < 0.4 else strokes


def _heart(_: np.random.Generator) -> list[Points]:
    t = np.linspace(0, 2 * np.pi, 40)
    x = 0.5 + 0.5 * np.sin(t) ** 3
    y = 0.45 - (13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)) / 32
    return [list(zip(x.tolist(), y.tolist(), strict=True))]


def _star(random: np.random.Generator) -> list[Points]:
    if random.random() < 0.5:  # crossed strokes, an asterisk
        turns = np.pi * np.arange(3) / 3 + random.uniform(0, 1)
        ends = (_around(_MIDDLE, (half, half), turns) for half in (-0.5, 0.5))
        return [list(stroke) for stroke in zip(*ends, strict=True)]
    return [_around(_MIDDLE, (0.5, 0.5), -np.pi / 2 + 4 * np.pi / 5 * np.arange(6))]


def _tick(random: np.random.Generator) -> list[Points]:
    knee = random.uniform(0.15, 0.4)
    return [[(0, random.uniform(0.45, 0.7)), (knee, 1), (1, random.uniform(-0.2, 0.2))]]


def _sun(random: np.random.Generator) -> list[Points]:
    angles = np.linspace(0, 2 * np.pi, int(random.integers(6, 12)), endpoint=False)
    ends = (_around(_MIDDLE, (radius, radius), angles) for radius in (0.32, 0.5))
    return [_arc(_MIDDLE, (0.22, 0.22), 0, 6.3), *(list(ray) for ray in zip(*ends, strict=True))]


def _frame(random: np.random.Generator) -> list[Points]:
    """A square, alone or crossed out, or a triangle."""
    if random.random() < 0.4:
        return [[(0, 1), (0.5, 0), (1, 1), (0, 1)]]
    square: list[Points] = [[(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)]]
    return square + ([[(0, 0), (1, 1)], [(1, 0), (0, 1)]] if random.random() < 0.5 else [])


def _sign(random: np.random.Generator) -> list[Points]:
    """An equals sign, a plus, a division, a hash, a euro."""
    signs: list[list[Points]] = [
        [[(0, 0.35), (1, 0.35)], [(0, 0.65), (1, 0.65)]],
        [[(0, 0.5), (1, 0.5)], [(0.5, 0), (0.5, 1)]],
        [[(0, 0.5), (1, 0.5)], [(0.5, 0.15)], [(0.5, 0.85)]],
        [[(0.35, 0), (0.25, 1)], [(0.75, 0), (0.65, 1)], [(0, 0.35), (1, 0.35)], [(0, 0.65), (1, 0.65)]],
        [
            [(1, 0.15), (0.7, 0), (0.35, 0.15), (0.2, 0.5), (0.35, 0.85), (0.7, 1), (1, 0.85)],
            [(0, 0.4), (0.75, 0.4)],
            [(0, 0.6), (0.7, 0.6)],
        ],
    ]
    return signs[int(random.integers(len(signs)))]


_KINDS: tuple[Callable[[np.random.Generator], list[Points]], ...] = (
    letter, letter, letter, letter, _face, _face, _face, _figure, _house, _arrow, _heart, _star, _tick, _sun, _frame, _sign,
)  # fmt: skip
