"""Remembering a few digits: a network with a memory of them beside its weights.

Likeness is judged by the maps right after the last pooling: shapes there are still in their places, and 20 digits of a hand
read more of it than by maps further on (docs/experiments.md).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tenfold.data.digits import CLASSES, SIDE, Digits
from tenfold.learn import backend, compiled
from tenfold.learn.recipe import Remembering

_MEANT = 2000
_COPIES, _OTHER_COPIES = 16, 2  # of each digit, moved and bent, by which one hand is told from others
_BATCH = 500


def remembering(model: Any, digits: Digits, others: Digits, settings: Remembering) -> Any:
    """A network and its memory: a `keras.Model` that shares the layers of `model`, a model of `networks.build`.

    Args:
        model: is left as it is.
        digits: to remember; of each class the last `settings.most`.
        others: by other hands; two thousand of them tell what maps are like on average, and what this hand is told from.
        settings: how much they count.
    """
    digits = digits[_newest(digits, settings.most)]
    whole = with_room(model, len(digits), settings)
    memory = whole.get_layer("memory")
    maps = compiled.forward(backend.load_keras().Model(model.inputs, _compared(model).output))
    others = others[:: -(-len(others) // _MEANT)]
    memory.remember(maps(digits.images), digits.known_labels, maps(others.images))
    own, strange = _moved(model, digits, _COPIES), _moved(model, others, _OTHER_COPIES)
    memory.tell_apart(maps(own.images), own.known_labels, maps(strange.images), strange.known_labels)
    return whole


def with_room(model: Any, n: int, settings: Remembering) -> Any:
    """A network with an empty memory for `n` digits, into which weights can be loaded."""
    keras = backend.load_keras()
    from tenfold.learn.memory import Memory

    compared = _compared(model)
    images = value = keras.Input((SIDE, SIDE), dtype="uint8", name="images")
    maps = None
    for layer in model.layers:
        value = layer(value)
        maps = value if layer is compared else maps
    answer = Memory(n, settings.weight, settings.sharpness, compared.name, name="memory")([maps, value])
    return keras.Model(images, answer, name=model.name)


def _moved(model: Any, digits: Digits, n_copies: int) -> Digits:
    """Copies of digits, each moved and bent as in training; the digits themselves where a training does not do so."""
    from tenfold.learn.layers import RandomChange

    known = next((layer for layer in model.layers if layer.name == "augment"), None)
    if known is None:
        return digits
    change = RandomChange(known.amounts | {"alike": 1}, known.seed)
    images, labels = np.tile(digits.images, (n_copies, 1, 1)), np.tile(digits.known_labels, n_copies)
    room = np.resize(images, (-(-len(images) // _BATCH) * _BATCH, SIDE, SIDE)).astype(np.float32) / 255
    parts = [np.asarray(change(part, training=True)) for part in np.split(room, len(room) // _BATCH)]
    changed = np.concatenate(parts)[: len(images)].clip(0, 1) * 255
    return Digits(changed.astype(np.uint8), labels, digits.name)


def _newest(digits: Digits, most: int) -> Any:
    """The places of the last digits of each class, in order."""
    return np.sort(np.concatenate([np.flatnonzero(digits.known_labels == label)[-most:] for label in range(CLASSES)]))


def _compared(model: Any) -> Any:
    """The first layer after the last pooling that lets through what is positive."""
    kinds = [type(layer).__name__ for layer in model.layers]
    first = max((i for i, kind in enumerate(kinds) if kind == "MaxPooling2D"), default=0)
    return next(
        layer
        for layer, kind in zip(model.layers[first:], kinds[first:], strict=True)
        if kind == "ReLU" or (kind == "Dense" and layer.activation.__name__ == "relu")
    )
