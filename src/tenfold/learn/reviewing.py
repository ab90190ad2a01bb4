"""The reviewer: a small network that looks once more at what the finder proposes, trained on composed pictures."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.data.digits import CLASSES, Digits
from tenfold.learn import backend, compiled, fitting, networks, streaming, weighing
from tenfold.learn.composing import Composer, Kind
from tenfold.learn.recipe import Adam
from tenfold.learn.sheets import Page
from tenfold.read.cutting import cut_out
from tenfold.read.finder import Finder
from tenfold.read.reviewer import ANSWERS, MEAN, SIDE, SPREAD, views, zoomed

_SHARES: dict[Kind, float] = {"drawing": 0.15, "alone": 0.1, "words": 0.12, "signed": 0.08}
_ZOOM, _SHIFT = 0.06, 0.03  # by what share boxes vary in size and place, so that the finder need not be exact
_BATCH = 128


class Seen(NamedTuple):
    """What the reviewer learns from.

    Attributes:
        views: uint8 (n, 2, 48, 48).
        labels: uint8 (n,); 10 for none.
    """

    views: NDArray[np.uint8]
    labels: NDArray[np.uint8]


def proposals(digits: Digits, fonts: Sequence[Path], n_pictures: int, seed: int, processes: int = 2, kind: str = "any") -> Seen:
    """What the bundled finder proposes in composed pictures, with what is there; the same arguments give the same.

    Args:
        digits: that the pictures are composed of.
        fonts: for letters beside them.
        n_pictures: how many; each has about a dozen proposals.
        seed: decides the pictures.
        processes: that compose at a time.
        kind: `any`, with digits in many forms, among words that hold letters like digits; some of these pictures hold words
            alone, one to three digits alone, or numbers among printed signs; or `alone`, one to three digits with nothing
            beside them, a 1 being often a mere bar.
    """
    return Seen(*next(streaming.stream(KINDS[kind], digits, fonts, 1, n_pictures, seed, processes)))


def propose(composer: Composer, random: np.random.Generator) -> streaming.Arrays:
    """The proposals of one picture: views uint8 (n, 2, 48, 48) and labels uint8 (n,); those cut by the rim are left out."""
    composer = composer.varied()
    return _proposed(composer.now_and_then(_SHARES, random) or weighing.picture(composer, random), random)


def propose_alone(composer: Composer, random: np.random.Generator) -> streaming.Arrays:
    """As `propose`, of pictures with nothing but one to three digits."""
    return _proposed(composer.varied().alone(random), random)


KINDS: dict[str, streaming.Make] = {"any": propose, "alone": propose_alone}


def _proposed(page: Page, random: np.random.Generator) -> streaming.Arrays:
    grey = page.picture.astype(np.float32)
    found = np.array([found.box for found in _finder().find(grey)]).reshape(-1, 4)
    labels, _ = weighing.matched(found, page)
    counts = labels > -2
    labels = labels[counts]
    boxes = np.array([cut_out(grey, box).box for box in found[counts]]).reshape(-1, 4)  # it is asked about the ink
    shifts = random.normal(0, _SHIFT, (len(boxes), 2)) * boxes[:, 2:].max(axis=1, keepdims=True, initial=0)
    shifted = np.concatenate([boxes[:, :2] + shifts, boxes[:, 2:]], axis=1)
    seen = views(grey, zoomed(shifted, np.exp(random.normal(0, _ZOOM, (len(boxes), 1)))))
    return seen, np.where(labels < 0, CLASSES, labels).astype(np.uint8)


@cache
def _finder() -> Finder:
    return Finder.bundled(1)


def network(seed: int = 0, dtype: str = "float32") -> Any:
    """The reviewer: views, uint8 (n, 2, 48, 48), to probabilities (n, 11) of ten digits and of none; 319,000 weights.

    Args:
        seed: decides the first weights.
        dtype: the Keras dtype policy of all layers but the first and the last.
    """
    from tenfold.learn.layers import Apart

    keras = backend.load_keras()
    layers = keras.layers
    conv = _Convolutions(seed, dtype)
    closely, from_afar = conv.down_to_eighths(16, 32, 64, 96, 24), conv.down_to_eighths(16, 32, 48, 64, 24)
    first = keras.initializers.GlorotUniform(seed=seed * 1000)
    return keras.Sequential(
        [
            keras.Input((2, SIDE, SIDE), dtype="uint8", name="views"),
            layers.Rescaling(1 / SPREAD, -MEAN / SPREAD, name="scale"),
            layers.Permute((2, 3, 1), name="maps"),
            Apart([closely, from_afar], dtype=dtype, name="apart"),
            layers.Dropout(0.2, seed=seed, dtype=dtype, name="dropout"),
            *conv(64, side=SIDE // 8, padding=0),  # where in the view something is does matter
            layers.Flatten(name="flatten"),
            layers.Dense(ANSWERS, activation="softmax", kernel_initializer=first, name="probabilities"),
        ],
        name="reviewer",
    )


class _Convolutions:
    """Makes convolutions, each with its batch norm and ReLU, and numbers them."""

    def __init__(self, seed: int, dtype: str) -> None:
        self._seed, self._dtype, self._numbers = seed, dtype, count(1)

    def __call__(self, n: int, side: int = 3, stride: int = 1, padding: int | None = None) -> list[Any]:
        from tenfold.learn.layers import BatchNormalization

        keras, dtype, i = backend.load_keras(), self._dtype, next(self._numbers)
        layers, first = keras.layers, keras.initializers.HeNormal(seed=self._seed * 1000 + i)
        options = {"strides": stride, "use_bias": False, "kernel_initializer": first}
        return [
            layers.ZeroPadding2D(side // 2 if padding is None else padding, dtype=dtype, name=f"conv_{i}_pad"),
            layers.Conv2D(n, side, dtype=dtype, name=f"conv_{i}", **options),
            BatchNormalization(momentum=0.95, dtype=dtype, name=f"conv_{i}_norm"),
            layers.ReLU(dtype=dtype, name=f"conv_{i}_relu"),
        ]

    def down_to_eighths(self, first: int, second: int, third: int, fourth: int, last: int) -> list[Any]:
        """From a view, (48, 48, 1), to `last` maps of (6, 6)."""
        pools = [backend.load_keras().layers.MaxPooling2D(2, dtype=self._dtype) for _ in range(2)]
        return [
            *self(first),
            *self(second, stride=2),
            *self(second),
            pools[0],
            *self(third),
            *self(third),
            pools[1],
            *self(fourth),
            *self(last, side=1),
        ]


def train(seen: Seen, epochs: int, learning_rate: float = 8e-3, seed: int = 0, start: Any = None) -> Any:
    """A reviewer: a Keras model trained on proposals, its learning rate in one cycle.

    Args:
        seen: the proposals.
        epochs: how often each is learnt from.
        learning_rate: the highest.
        seed: decides the first weights and the order.
        start: a reviewer whose weights are the first ones.
    """
    model = network(seed, backend.dtype_policy("bfloat16"))
    if start is not None:
        model = networks.with_weights_of(start, model)
    n_steps = fitting.count_steps(len(seen.labels), _BATCH)
    settings = Adam(learning_rate=learning_rate, beta_2=0.99, weight_decay=0.03, schedule="one_cycle", warmup=0.15)
    optimizer = networks.make_optimizer(settings, epochs * n_steps)
    steps = compiled.steps(model, optimizer, seen.views, seen.labels)
    for epoch in range(1, epochs + 1):
        totals = steps(fitting.shuffled(len(seen.labels), _BATCH, seed, epoch), 0, n_steps)
        print(f"reviewer: epoch {epoch}, loss {totals.loss / totals.n_digits:.4f}", flush=True)
    return networks.with_weights_of(model, network(seed))
