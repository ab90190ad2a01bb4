"""The judge: a small network that says whether a glyph shows one digit at all.

A network that only knows ten digits is confident about letters and scribbles too; the judge has seen what is none. It
learns which digit a glyph is as well: so it knows better what digits look like (docs/experiments.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tenfold.data.digits import CLASSES, Digits
from tenfold.learn import compiled, fitting, networks, strangers
from tenfold.learn.nondigits import NonDigits
from tenfold.learn.recipe import Adam, Augmentation, Convolutional, Recipe

RECIPE = Recipe(
    name="judge",
    why="Tells digits from letters, scribbles and things: small, since what it is asked for is yes or no.",
    network=Convolutional(stages=((16,), (32, 32), (64,))),
    optimizer=Adam(learning_rate=1.5e-2, beta_2=0.99, weight_decay=0.02, schedule="one_cycle", warmup=0.2),
    augmentation=Augmentation(rotation=10, shear=10, scale=0.1, aspect=0.12, shift=1.5, elastic=1, stroke=0.5, blur=0.6),
    epochs=8,
    batch_size=128,
)


def train(digits: Digits, fonts: Sequence[Path], recipe: Recipe = RECIPE) -> Any:
    """A judge: a Keras model from uint8 (n, 28, 28) to probabilities (n, 11), of ten digits and of none.

    Args:
        digits: labelled digits; as many glyphs that are none are drawn beside them.
        fonts: for the letters among those.
        recipe: how it is trained.
    """
    known = strangers.added(digits, 0.15, recipe.seed)
    others = NonDigits(digits.images, fonts).drawn(len(known), recipe.seed)
    images = np.concatenate([known.images, others])
    labels = np.concatenate([known.known_labels, np.full(len(others), CLASSES)]).astype(np.uint8)
    model = networks.build(recipe, n_classes=CLASSES + 1)
    n_steps = recipe.epochs * fitting.count_steps(len(images), recipe.batch_size)
    steps = compiled.steps(model, networks.make_optimizer(recipe.optimizer, n_steps), images, labels)
    for epoch in range(1, recipe.epochs + 1):
        order = fitting.shuffled(len(images), recipe.batch_size, recipe.seed, epoch)
        steps(order, 0, len(order))
    return model
