"""How fast this machine trains, for `tenfold bench`."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from tenfold.data.sources import load
from tenfold.learn import backend, networks, recipes
from tenfold.learn.fitting import Fitting, count_steps
from tenfold.learn.recipe import Recipe

_N_DIGITS = 12_800


@dataclass(frozen=True)
class TrainingSpeed:
    """The speed of a recipe.

    Attributes:
        recipe: its name.
        compile_s: seconds of the first epoch beyond the second one's: compilation.
        digits_per_second: in training, once compiled, validation left out.
        parameters: of the network, at prediction time.
        backend: tensorflow or jax.
        multiply_adds: of one digit forwards.
    """

    recipe: str
    compile_s: float
    digits_per_second: float
    parameters: int
    backend: str
    multiply_adds: int

    def share_of(self, limit: float) -> float:
        """What is reached of a limit in GFLOP/s; forwards and backwards are three times the work of an answer."""
        return 2 * 3 * self.multiply_adds * self.digits_per_second / 1e9 / limit

    def epoch_s(self, n_digits: int = 60_000) -> float:
        """Seconds for an epoch over so many digits."""
        return n_digits / self.digits_per_second


def measure(recipe: Recipe) -> TrainingSpeed:
    """Train a recipe for two short epochs on MNIST's digits, in a folder that is removed again."""
    recipe = recipes.changed(recipe, ["epochs=2", "teaching=null"])
    digits = load("mnist", "train")[:_N_DIGITS]
    model = networks.build(recipe, learning=True)
    optimizer = networks.make_optimizer(recipe.optimizer, 2 * count_steps(len(digits), recipe.batch_size))
    fitting = Fitting(model, optimizer, recipe, digits, digits[:0])
    started = time.perf_counter()
    with TemporaryDirectory() as folder:
        fitting.run(Path(folder), [])
    seconds = [float(s or 0) for s in fitting.history["seconds"]]
    compile_s = max(0.0, time.perf_counter() - started - 2 * seconds[1])  # on a busy machine the second may take longer
    name, _ = backend.name_and_versions()
    counts = networks.count_parameters(model), name, networks.count_multiply_adds(model)
    return TrainingSpeed(recipe.name, compile_s, _N_DIGITS / seconds[1], *counts)


def matrix_product() -> float:
    """What NumPy reaches in a product of fp32 matrices, in GFLOP/s: about the limit of this machine; the best of five."""
    n, best = 2048, 0.0
    a = np.random.default_rng(0).random((n, n), np.float32)
    for _ in range(5):
        started = time.perf_counter()
        a @ a
        best = max(best, 2 * n**3 / (time.perf_counter() - started) / 1e9)
    return best
