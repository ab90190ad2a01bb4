"""How fast this machine reads, for `tenfold bench`."""

from __future__ import annotations

import statistics
import time
from typing import NamedTuple

import numpy as np

from tenfold.read.model import Model, load_bundled


class ReadingSpeed(NamedTuple):
    """The speed of the model that ships, on one thread and on all.

    Attributes:
        load_ms: from the file to a model that answers.
        one_ms: median milliseconds for a single glyph, one thread.
        per_second: glyphs a second in batches, one thread.
        per_second_all: glyphs a second in batches, all threads.
    """

    load_ms: float
    one_ms: float
    per_second: float
    per_second_all: float


def measure(n_glyphs: int = 4096) -> ReadingSpeed:
    """Measure on random glyphs: their content does not change the time."""
    glyphs = np.random.default_rng(0).integers(0, 256, (n_glyphs, 28, 28), np.uint8)
    started = time.perf_counter()
    single = load_bundled(threads=1)
    single.probabilities(glyphs[:1])
    load_ms = 1000 * (time.perf_counter() - started)
    ones = [_seconds(single, glyphs[i : i + 1]) for i in range(200)]
    every = load_bundled()
    rates = [n_glyphs / min(_seconds(model, glyphs) for _ in range(3)) for model in (single, every)]
    return ReadingSpeed(load_ms, 1000 * statistics.median(ones), *rates)


def _seconds(model: Model, glyphs: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> float:
    started = time.perf_counter()
    model.probabilities(glyphs)
    return time.perf_counter() - started
