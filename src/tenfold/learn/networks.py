"""Networks: from a recipe to a Keras model that takes raw uint8 pixels and gives ten probabilities."""

from __future__ import annotations

from typing import Any

from tenfold.data.digits import CLASSES, SIDE
from tenfold.learn.backend import load_keras
from tenfold.learn.recipes import Recipe


def build(recipe: Recipe) -> Any:
    """Build the model of a recipe, its weights drawn by the recipe's seed.

    Returns:
        A `keras.Model` from uint8 (batch, 28, 28) to float32 (batch, 10), each row adding up to 1. Scaling to 0-1 is its first
        layer, so that training, evaluation and reading all pass raw pixels.
    """
    keras = load_keras()
    units = recipe.network.units

    def dense(index: int, n_units: int, activation: str, name: str) -> Any:
        # A seed a layer, and no global one: building a network changes nobody else's random numbers.
        first_weights = keras.initializers.GlorotUniform(seed=recipe.seed * 1000 + index)
        return keras.layers.Dense(n_units, activation=activation, kernel_initializer=first_weights, name=name)

    return keras.Sequential(
        [
            keras.Input((SIDE, SIDE), dtype="uint8", name="images"),
            keras.layers.Rescaling(1 / 255, name="scale"),
            keras.layers.Flatten(name="flatten"),
            *(dense(i, n, "relu", f"dense_{i + 1}") for i, n in enumerate(units)),
            dense(len(units), CLASSES, "softmax", "probabilities"),
        ],
        name=recipe.name.replace(".", "_"),
    )


def make_optimizer(recipe: Recipe) -> Any:
    """The Keras optimizer of a recipe."""
    adam = recipe.optimizer
    return load_keras().optimizers.Adam(adam.learning_rate, adam.beta_1, adam.beta_2, adam.epsilon)


def summary(model: Any) -> list[tuple[str, str, int]]:
    """Layer, output shape and number of parameters of each layer, in order."""
    return [(layer.name, str(tuple(layer.output.shape)), int(layer.count_params())) for layer in model.layers]
