"""What digits are written on and how they come into a picture: rules, security print, light, grain, blur, compression."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

_DRY = 0.2  # the share of pencils and faint pens that leave gaps


def rules(
    shape: tuple[int, ...], base_lines: Sequence[float], boxes: NDArray[np.floating], height: float, random: np.random.Generator
) -> NDArray[np.float32]:
    """Printed lines: under or through the writing, over the whole page, squares, or the boxes of a form.

    Args:
        shape: (H, W) of the page.
        base_lines: the rows that digits stand on.
        boxes: (n, 4), x, y, width, height of the digits.
        height: of digits.
        random: decides what is there.

    Returns:
        float32 (H, W), 0 paper to 1 full print.
    """
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    drawn = np.zeros(shape, np.float32)
    thin = random.uniform(0.4, 1.0 + 0.03 * height)
    tilt = random.normal(0, 0.01)
    way = random.random()
    if way < 0.2:
        for base in base_lines:
            at = base + random.uniform(-0.05, 0.25) * height
            drawn = np.maximum(drawn, _stroke(y - at - tilt * x, thin))
    elif way < 0.32:
        period, phase = random.uniform(0.5, 2.2) * height, random.uniform(0, 60)
        drawn = _stroke(_distance_to_lines(y - tilt * x, period, phase), thin)
        if random.random() < 0.5:
            drawn = np.maximum(drawn, _stroke(_distance_to_lines(x + tilt * y, period, random.uniform(0, 60)), thin))
    elif way < 0.46 and len(boxes):
        drawn = _form_boxes(drawn, boxes, height, thin, random)
    if random.random() < 0.08:
        drawn = np.maximum(drawn, _stroke(y - random.uniform(0, shape[0]) - tilt * x, thin))
    if random.random() < 0.08:
        drawn = np.maximum(drawn, _stroke(x - random.uniform(0, shape[1]) + tilt * y, thin))
    return np.asarray(drawn * random.uniform(0.25, 1), np.float32)


def _stroke(distance: NDArray[np.float32], width: float) -> NDArray[np.float32]:
    return np.asarray(np.clip(width / 2 + 0.5 - np.abs(distance), 0, 1), np.float32)


def _distance_to_lines(across: NDArray[np.float32], period: float, phase: float) -> NDArray[np.float32]:
    return np.asarray((across + phase) % period - period / 2, np.float32)


def _form_boxes(
    drawn: NDArray[np.float32], boxes: NDArray[np.floating], height: float, thin: float, random: np.random.Generator
) -> NDArray[np.float32]:
    """Edges half-way between neighbouring digits, and lines above and below them."""
    margin, share = random.uniform(0.08, 0.4) * height, random.uniform(0.3, 1)
    for (x, y, w, h), after in zip(boxes, [*boxes[1:], boxes[-1]], strict=True):
        top, bottom = max(0, int(y + h / 2 - height / 2 - margin)), int(y + h / 2 + height / 2 + margin)
        gap = after[0] - x - w
        edge = x + w + (gap / 2 if 1 < gap < height else margin)
        if random.random() < share:
            columns = np.arange(drawn.shape[1], dtype=np.float32)
            drawn[top:bottom] = np.maximum(drawn[top:bottom], _stroke(columns - edge, thin))
            for at in (top, bottom):
                if at < len(drawn):
                    left, right = max(0, int(x - margin)), max(0, int(edge))
                    drawn[at : at + max(1, round(thin)), left:right] = 1
    return drawn


def security_print(shape: tuple[int, ...], random: np.random.Generator) -> NDArray[np.float32]:
    """Waves as on cheques: float32 (H, W), 0-1."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    waves = np.zeros(shape, np.float32)
    for _ in range(random.integers(1, 4)):
        angle, period, bend = random.uniform(0, np.pi), random.uniform(2.2, 14), random.uniform(0, 4)
        along, across = np.sin(angle) * x - np.cos(angle) * y, np.cos(angle) * x + np.sin(angle) * y
        wiggle = bend * np.sin(2 * np.pi * along / random.uniform(10, 90) + random.uniform(0, 6))
        wave = 0.5 + 0.5 * np.cos(2 * np.pi * (across + wiggle) / period)
        waves += wave ** random.choice([1, 3, 8]) * random.uniform(0.1, 1)
    return np.asarray(waves / waves.max(), np.float32)


def photographed(
    strokes: NDArray[np.float32], printed: NDArray[np.float32], boxes: NDArray[np.floating], random: np.random.Generator
) -> NDArray[np.uint8]:
    """Ink and print on paper under uneven light, with grain, blur and compression: uint8 (H, W), dark ink on lighter paper.

    Args:
        strokes: float32 (H, W), 0 paper to 1 full ink.
        printed: the same of printed rules.
        boxes: (n, 4), x, y, width, height of the digits, which nothing may cover.
        random: decides the rest.
    """
    paper = random.uniform(0.45, 1)
    depth = 0.95 * paper * random.uniform(0.3, 1)
    grain = random.standard_normal(strokes.shape, np.float32)
    if random.random() < 0.5:
        grain = ndimage.gaussian_filter(grain, random.uniform(0.5, 1.5))
        grain /= grain.std()
    ink = strokes * random.uniform(0.8, 1)
    if random.random() < 0.3:  # a pencil, or a pen that runs dry
        coarse = ndimage.gaussian_filter(random.standard_normal(strokes.shape, np.float32), random.uniform(0.6, 2))
        dry = random.uniform(0.35, 0.6) if random.random() < _DRY else random.uniform(0.1, 0.35)
        ink = ink * np.clip(1 - dry * np.clip(coarse / coarse.std(), 0, 2), 0, 1)
    drawn = np.maximum(ink, printed * random.uniform(0.3, 1))
    picture = paper - depth * drawn + depth * random.choice([0.01, 0.04, 0.1]) * grain
    if random.random() < 0.35:
        picture -= depth * random.uniform(0.05, 0.4) * security_print(strokes.shape, random)
    picture *= light(strokes.shape, random)
    if random.random() < 0.12:
        picture = _with_table(picture, boxes, random)
    if random.random() < 0.5:
        picture = ndimage.gaussian_filter(picture, random.uniform(0.3, 1.1))
    pixels = np.asarray(np.clip(picture, 0, 1) * 255, np.uint8)
    return _compressed(pixels, int(random.integers(25, 90))) if random.random() < 0.25 else pixels


def light(shape: tuple[int, ...], random: np.random.Generator) -> NDArray[np.float32]:
    """How bright each place is lit, float32 (H, W): a slope, darker corners, and sometimes the edge of a shadow."""
    y, x = (np.linspace(-0.5, 0.5, n, dtype=np.float32) for n in shape)
    level = 1 + random.uniform(-0.3, 0.3) * x[None] + random.uniform(-0.3, 0.3) * y[:, None]
    level = level - random.uniform(0, 0.5) * (random.random() < 0.3) * (x[None] ** 2 + y[:, None] ** 2)
    if random.random() < 0.2:
        angle, offset = random.uniform(0, 2 * np.pi), random.uniform(-0.3, 0.3)
        across = np.cos(angle) * x[None] + np.sin(angle) * y[:, None] - offset
        level = level * (1 - random.uniform(0.15, 0.6) / (1 + np.exp(-across / random.uniform(0.004, 0.15))))
    return np.asarray(level, np.float32)


def _with_table(picture: NDArray[np.float32], boxes: NDArray[np.floating], random: np.random.Generator) -> NDArray[np.float32]:
    """A strip along one side that is no paper, but something darker, or lighter."""
    h, w = picture.shape
    y, x = np.mgrid[:h, :w].astype(np.float32)
    depth = random.uniform(0.02, 0.2)
    distance = [x / w, 1 - x / w, y / h, 1 - y / h][random.integers(4)] + random.normal(0, 0.03) * (x / w + y / h)
    grain = random.standard_normal(picture.shape, np.float32) * random.uniform(0, 0.15)
    for x0, y0, width, height in boxes.astype(int):
        depth = min(depth, float(distance[y0 : y0 + height, x0 : x0 + width].min(initial=1.0)))
    return np.asarray(np.where(distance < depth, random.uniform(0, 1) + grain, picture), np.float32)


def _compressed(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))
