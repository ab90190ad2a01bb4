"""One process of a training that several share (`together`): `python -m tenfold.cluster.shard`.

Keras (`keras.distribution.DataParallel`, on JAX) holds the weights in every process, gives each its share of every batch and
averages the gradients.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenfold import storage
from tenfold.data.digits import Digits
from tenfold.learn import networks, recipes, splits
from tenfold.learn.backend import load_keras
from tenfold.learn.fitting import count_steps, shuffled
from tenfold.learn.recipe import Recipe

Batch = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float32]]


def main() -> None:
    """Train with the others: coordinator's address, number of processes, own number from 0, folder with a recipe.json."""
    coordinator, n_processes, number, folder = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
    keras = load_keras()
    if n_processes > 1:
        keras.distribution.initialize(coordinator, n_processes, number)
        devices = keras.distribution.list_devices()
        keras.distribution.set_distribution(keras.distribution.DataParallel(devices=devices, auto_shard_dataset=False))
    recipe = recipes.read(folder / "recipe.json")
    digits = splits.split(recipe).training
    model, history = fit(keras, recipe, digits, n_processes, number)
    if number == 0:
        arrays = {f"weights_{i:04}": np.asarray(array) for i, array in enumerate(model.get_weights())}
        with storage.whole_file(folder / "weights.npz") as temporary:
            np.savez(temporary, allow_pickle=False, loss=history["loss"], accuracy=history["accuracy"], **arrays)


def fit(keras: Any, recipe: Recipe, digits: Digits, n_processes: int, number: int) -> tuple[Any, dict[str, list[float]]]:
    """Train on the own share of every batch; return the model, and loss and accuracy of each epoch over all shares."""
    model = networks.build(recipe)
    n_steps = count_steps(len(digits), recipe.batch_size)
    loss = keras.losses.SparseCategoricalCrossentropy()
    metric = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
    optimizer = networks.make_optimizer(recipe.optimizer, recipe.epochs * n_steps)
    model.compile(optimizer=optimizer, loss=loss, weighted_metrics=[metric])
    done = model.fit(batches(recipe, digits, n_processes, number), epochs=recipe.epochs, steps_per_epoch=n_steps, verbose=0)
    return model, done.history


def batches(recipe: Recipe, digits: Digits, n_processes: int, number: int) -> Iterator[Batch]:
    """The share of one process in every batch of all epochs: images, labels and weights, as `tenfold train` has them.

    The digits that fill up the last batch of an epoch weigh nothing, the others the more, so that its loss is their mean.
    """
    for epoch in range(1, recipe.epochs + 1):
        for row in shuffled(len(digits), recipe.batch_size, recipe.seed, epoch):
            weights = (row >= 0) * np.float32(len(row) / (row >= 0).sum())
            mine = np.maximum(row, -1 - row)[number::n_processes]
            yield digits.images[mine], digits.known_labels[mine], weights[number::n_processes].astype(np.float32)


if __name__ == "__main__":
    main()
