"""Why a network reads a glyph as it does: what its hidden layers answer, and which places speak for the label.

Where the evidence lies is found by occlusion (Zeiler and Fergus, 2014, https://arxiv.org/abs/1311.2901): a patch of ink is
wiped out, and the network asked again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tenfold.read.reader import Classification, Reader

_PATCH, _STEP = 5, 1
_LEAST = 1e-9  # a probability is never less, so that its logarithm exists


@dataclass(frozen=True, eq=False)
class Layer:
    """What a hidden layer answers.

    Attributes:
        name: of the output in the ONNX file, `activation_1` ...
        values: float32 (H, W, maps) or (units,), from 0.
    """

    name: str
    values: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why a network reads a glyph as it does.

    Attributes:
        classification: of the one glyph.
        layers: the hidden layers, the first first; empty for a model that was exported without them.
        evidence: float64 (28, 28), by how much the log-odds of the label fall without the ink around each pixel: positive
            where it speaks for the label, negative where it speaks against it, 0 where there is none.
    """

    classification: Classification
    layers: tuple[Layer, ...]
    evidence: NDArray[np.float64]


def explain(reader: Reader, glyph: NDArray[np.uint8], label: int | None = None) -> Explanation:
    """Explain how a glyph, uint8 (28, 28), is read; the evidence is that for `label`, by default the likeliest one."""
    found = reader.classify_glyphs(glyph[None])
    sought = int(found.labels[0]) if label is None else label
    layers = [
        Layer(name, np.moveaxis(answer, 0, -1) if answer.ndim == 3 else answer)
        for name, answer in reader.model.activations(glyph).items()
    ]
    return Explanation(found, tuple(layers), _evidence(reader, glyph, sought))


def _evidence(reader: Reader, glyph: NDArray[np.uint8], label: int) -> NDArray[np.float64]:
    """The mean, over all patches that cover a pixel, of what wiping them out costs the label."""
    starts = range(0, 28 - _PATCH + 1, _STEP)
    places = [
        np.s_[y : y + _PATCH, x : x + _PATCH] for y in starts for x in starts if glyph[y : y + _PATCH, x : x + _PATCH].any()
    ]
    total, n_patches = np.zeros((28, 28)), np.zeros((28, 28))
    if not places:
        return total
    without = np.repeat(glyph[None], len(places) + 1, axis=0)
    for one, place in zip(without, places, strict=False):
        one[place] = 0
    odds = _log_odds(reader.model.probabilities(without)[:, label].astype(np.float64))
    for place, fall in zip(places, odds[-1] - odds[:-1], strict=True):
        total[place] += fall
        n_patches[place] += 1
    return np.where(glyph > 0, total / np.maximum(n_patches, 1), 0)


def _log_odds(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    bounded = np.clip(probabilities, _LEAST, 1 - _LEAST)
    return np.asarray(np.log(bounded) - np.log1p(-bounded))
