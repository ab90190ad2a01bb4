"""Digits made harder on purpose, in eleven ways and five severities, to see where a network breaks.

The idea and most of the ways are those of MNIST-C (Mu and Gilmer, MNIST-C: a robustness benchmark for computer vision, 2019)
and of ImageNet-C (Hendrycks and Dietterich, 2019); the amounts are chosen so that most digits can still be read at severity 5.
Recipes with augmentation have seen milder motion, scale, stroke and blur; noise, fog, contrast and lines none has seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tenfold.data.digits import SIDE

Images = NDArray[np.float32]
SEVERITIES = (1, 2, 3, 4, 5)


class Corruption(NamedTuple):
    """A way to make digits harder.

    Attributes:
        what: in words, with the unit of the amounts.
        amounts: for severities 1 to 5.
        apply: images float32 (N, 28, 28) of 0-1, an amount and random numbers to images; values may leave 0-1.
    """

    what: str
    amounts: tuple[float, float, float, float, float]
    apply: Callable[[Images, float, np.random.Generator], Images]


def corrupted(images: NDArray[np.uint8], name: str, severity: int, seed: int = 0) -> NDArray[np.uint8]:
    """Corrupt images, uint8 (N, 28, 28); the same arguments give the same images.

    Args:
        images: white ink on black.
        name: a key of `CORRUPTIONS`.
        severity: 1 to 5.
        seed: of the random numbers.
    """
    way = CORRUPTIONS[name]
    random = np.random.default_rng([seed, severity, *name.encode()])
    made = way.apply(np.asarray(images / np.float32(255), np.float32), way.amounts[severity - 1], random)
    return np.rint(np.clip(made, 0, 1) * 255).astype(np.uint8)


def every(images: NDArray[np.uint8]) -> Iterator[tuple[str, int, NDArray[np.uint8]]]:
    """Each corruption at each severity, with the images it makes."""
    for name in CORRUPTIONS:
        for severity in SEVERITIES:
            yield name, severity, corrupted(images, name, severity)


def _noise(images: Images, deviation: float, random: np.random.Generator) -> Images:
    return images + random.standard_normal(images.shape, np.float32) * np.float32(deviation)


def _blur(images: Images, deviation: float, _random: np.random.Generator) -> Images:
    return np.asarray(ndimage.gaussian_filter(images, (0, deviation, deviation)), np.float32)


def _shift(images: Images, pixels: float, random: np.random.Generator) -> Images:
    """By this distance in a random direction, whole pixels."""
    angles = random.uniform(0, 2 * np.pi, len(images))
    down, across = (np.rint(f(angles) * pixels).astype(int)[:, None] for f in (np.sin, np.cos))
    margin = int(pixels) + 1
    padded = np.pad(images, ((0, 0), (margin, margin), (margin, margin)))
    rows, columns = np.arange(SIDE) + margin - down, np.arange(SIDE) + margin - across
    return np.asarray(padded[np.arange(len(images))[:, None, None], rows[:, :, None], columns[:, None, :]])


def _rotation(images: Images, degrees: float, random: np.random.Generator) -> Images:
    angles = np.radians(degrees) * random.choice([-1, 1], len(images))
    cos, sin = np.cos(angles), np.sin(angles)
    return _mapped(images, np.stack([cos, -sin, sin, cos], axis=-1).reshape(-1, 2, 2))


def _scale(images: Images, factor: float, _random: np.random.Generator) -> Images:
    return _mapped(images, np.broadcast_to(np.eye(2) / factor, (len(images), 2, 2)))


def _mapped(images: Images, matrices: NDArray[np.float64]) -> Images:
    """Each image sampled where its matrix sends (row, column), counted from the middle."""
    middle = (SIDE - 1) / 2
    offsets = middle - matrices @ np.array([middle, middle])
    pairs = zip(images, matrices, offsets, strict=True)
    return np.stack([ndimage.affine_transform(image, m, o, order=1) for image, m, o in pairs])


def _stroke(images: Images, pixels: float, _random: np.random.Generator) -> Images:
    """Strokes wider (amount above 0) or narrower, by so many pixels on either side."""
    filtered = ndimage.grey_dilation if pixels > 0 else ndimage.grey_erosion
    share = np.float32(abs(pixels) % 1)
    for _ in range(int(abs(pixels))):
        images = filtered(images, (1, 3, 3))
    return np.asarray(images + share * (filtered(images, (1, 3, 3)) - images), np.float32)


def _fog(images: Images, thickness: float, random: np.random.Generator) -> Images:
    """Clouds of several sizes in front of ink and paper."""
    clouds = np.zeros(images.shape, np.float32)
    for size in (14, 7, 4):
        points = random.random((len(images), SIDE // size + 2, SIDE // size + 2), np.float32)
        clouds += size * ndimage.zoom(points, (1, size, size), order=1)[:, :SIDE, :SIDE]
    clouds -= clouds.min(axis=(1, 2), keepdims=True)
    clouds /= clouds.max(axis=(1, 2), keepdims=True)
    return images * np.float32(1 - thickness / 2) + clouds * np.float32(thickness)


def _contrast(images: Images, factor: float, _random: np.random.Generator) -> Images:
    """Ink and paper closer to each other, around a grey."""
    return (images - np.float32(0.3)) * np.float32(factor) + np.float32(0.3)


def _lines(images: Images, count: float, random: np.random.Generator) -> Images:
    """So many straight lines, about a pixel wide, across the picture."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32) - (SIDE - 1) / 2
    for _ in range(int(count)):
        angle, offset = random.uniform(0, np.pi, (len(images), 1, 1)), random.uniform(-9, 9, (len(images), 1, 1))
        distance = np.abs(np.cos(angle) * x + np.sin(angle) * y - offset)
        images = np.maximum(images, np.clip(1.1 - distance, 0, 1).astype(np.float32))
    return images


CORRUPTIONS = {
    "noise": Corruption("Gaussian noise, standard deviation as a share of white", (0.1, 0.2, 0.3, 0.4, 0.5), _noise),
    "blur": Corruption("Gaussian blur, standard deviation in pixels", (0.6, 0.9, 1.2, 1.6, 2.0), _blur),
    "shift": Corruption("moved, in pixels", (1, 2, 3, 4, 5), _shift),
    "rotation": Corruption("turned either way, in degrees", (10, 20, 30, 37, 45), _rotation),
    "smaller": Corruption("made smaller, to this share of the size", (0.9, 0.8, 0.7, 0.6, 0.5), _scale),
    "larger": Corruption("made larger, to this share of the size", (1.05, 1.1, 1.2, 1.3, 1.4), _scale),
    "thicker": Corruption("strokes wider, in pixels on either side", (0.25, 0.5, 1, 1.5, 2), _stroke),
    "thinner": Corruption("strokes narrower, in pixels on either side", (-0.15, -0.3, -0.45, -0.6, -0.75), _stroke),
    "fog": Corruption("clouds in front, thickness", (0.2, 0.35, 0.5, 0.65, 0.8), _fog),
    "contrast": Corruption("less contrast, to this share", (0.8, 0.6, 0.4, 0.25, 0.15), _contrast),
    "lines": Corruption("straight lines across, how many", (1, 2, 3, 4, 5), _lines),
}
