"""Networks: from a recipe to a Keras model that takes raw uint8 pixels and gives ten probabilities."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tenfold.data.digits import CLASSES, SIDE
from tenfold.learn import backend, recipes
from tenfold.learn.backend import load_keras
from tenfold.learn.recipe import Adam, Convolutional, Dense, Muon, Recipe


def build(recipe: Recipe, n_classes: int = CLASSES, learning: bool = False) -> Any:
    """Build the model of a recipe, its weights drawn by the recipe's seed.

    Args:
        recipe: what to build.
        n_classes: of the answer; ten for digits.
        learning: compute in the recipe's precision, which is for training; else in float32.

    Returns:
        A `keras.Sequential` from uint8 (batch, 28, 28) to float32 (batch, 10), each row adding up to 1. Scaling to 0-1 is its
        first layer, so that training, evaluation and reading all pass raw pixels; a layer `augment` acts in training only.
    """
    keras = load_keras()
    network = recipe.network
    if isinstance(network, Dense):
        body = _dense(recipe.seed, network, n_classes)
    else:
        dtype = backend.dtype_policy(recipe.precision if learning else "float32")
        body = _convolutional(recipe.seed, network, n_classes, dtype)
    return keras.Sequential(
        [
            keras.Input((SIDE, SIDE), dtype="uint8", name="images"),
            keras.layers.Rescaling(1 / 255, name="scale"),
            *_augment(recipe),
            *body,
        ],
        name=recipe.name.replace(".", "_"),
    )


def _augment(recipe: Recipe) -> list[Any]:
    if recipe.augmentation is None:
        return []
    from tenfold.learn.layers import RandomChange

    amounts = recipes.as_dict(recipe)["augmentation"]
    for name in ("clean_epochs", "copies", "strangers"):  # these are for whoever chooses an epoch's digits
        del amounts[name]
    return [RandomChange(amounts, seed=recipe.seed, name="augment")]


def _dense(seed: int, network: Dense, n_classes: int) -> list[Any]:
    layers = load_keras().layers
    body = [layers.Flatten(name="flatten")]
    for i, n in enumerate(network.units):
        name, first_weights = f"dense_{i + 1}", _first_weights("GlorotUniform", seed, i)
        if network.batch_norm:
            body += [layers.Dense(n, use_bias=False, kernel_initializer=first_weights, name=name), *_normed(name)]
        else:
            body.append(layers.Dense(n, activation="relu", kernel_initializer=first_weights, name=name))
    return [*body, _answer(seed, len(network.units), n_classes)]


def _convolutional(seed: int, network: Convolutional, n_classes: int, dtype: str) -> list[Any]:
    from tenfold.learn.layers import GlobalPooling

    layers = load_keras().layers
    body = [layers.Reshape((SIDE, SIDE, 1), dtype=dtype, name="maps")]
    n = 0
    for i, stage in enumerate(network.stages):
        for j, n_maps in enumerate(stage):
            n += 1
            name, first_weights = f"conv_{n}", _first_weights("HeNormal", seed, n)
            options = {"padding": "same", "use_bias": False, "kernel_initializer": first_weights, "dtype": dtype}
            pooled = j == len(stage) - 1 and i < len(network.stages) - 1
            pool = [layers.MaxPooling2D(2, dtype=dtype, name=f"pool_{i + 1}")] if pooled else []
            body += [layers.Conv2D(n_maps, 3, name=name, **options), *pool, *_normed(name, dtype)]
    body.append(GlobalPooling(name="global_pool"))
    if network.dropout:
        body.append(layers.Dropout(network.dropout, seed=seed, name="dropout"))
    return [*body, _answer(seed, n + 1, n_classes)]


def _normed(name: str, dtype: str = "float32") -> list[Any]:
    """Batch norm and ReLU. The momentum suits trainings of a few thousand steps."""
    from tenfold.learn.layers import BatchNormalization

    relu = load_keras().layers.ReLU(dtype=dtype, name=f"{name}_relu")
    return [BatchNormalization(momentum=0.95, dtype=dtype, name=f"{name}_norm"), relu]


def _answer(seed: int, index: int, n_classes: int) -> Any:
    first_weights = _first_weights("GlorotUniform", seed, index)
    return load_keras().layers.Dense(n_classes, activation="softmax", kernel_initializer=first_weights, name="probabilities")


def _first_weights(kind: str, seed: int, index: int) -> Any:
    """A seed a layer, and no global one: building a network changes nobody else's random numbers."""
    return getattr(load_keras().initializers, kind)(seed=seed * 1000 + index)


def in_float32(model: Any, recipe: Recipe) -> Any:
    """A model of `build` that computes in float32, as whoever reads with it will: itself, or another with its weights."""
    if all(layer.compute_dtype == "float32" for layer in model.layers):
        return model
    return with_weights_of(model, build(recipe))


def with_weights_of(learnt: Any, model: Any) -> Any:
    """A model with the weights of another one that has the same layers, perhaps in another precision."""
    model.set_weights(learnt.get_weights())
    return model


def taught(model: Any, teachers: Sequence[Any]) -> Any:
    """The model with its teachers: a `keras.Model` from images to [its probabilities, the mean of theirs].

    All see the same digits, changed by the model's own augmentation. The weights are the model's own, not copies; those of the
    teachers are not trained, and their batch norms use what they learnt.
    """
    keras = load_keras()
    images = keras.Input((SIDE, SIDE), dtype="uint8")
    seen = images
    for layer in model.layers[: _first_seeing(model)]:
        seen = layer(seen)
    answer = seen
    for layer in model.layers[_first_seeing(model) :]:
        answer = layer(answer)
    answers = []
    for i, teacher in enumerate(teachers):
        # A teacher leaves nothing out, and so draws no random numbers, which a checkpoint would not hold.
        layers = [layer for layer in teacher.layers[_first_seeing(teacher) :] if type(layer).__name__ != "Dropout"]
        body = keras.Sequential(layers, name=f"teacher_{i + 1}")
        body.trainable = False
        answers.append(body(seen))
    return keras.Model(images, [answer, keras.layers.average(answers) if len(answers) > 1 else answers[0]])


def _first_seeing(model: Any) -> int:
    """The index of the first layer after scaling and augmentation."""
    return 1 + max(i for i, layer in enumerate(model.layers) if layer.name in ("scale", "augment"))


def set_augmentation(model: Any, on: bool) -> None:
    """Let the training digits change at random, or stay as they are; a model without augmentation does not mind."""
    for layer in model.layers:
        if layer.name == "augment":
            layer.strength.assign(float(on))


def make_optimizer(settings: Adam | Muon, n_steps: int) -> Any:
    """The Keras optimizer of a recipe's settings, for a training of `n_steps` steps."""
    optimizers = load_keras().optimizers
    rate: Any = settings.learning_rate
    if settings.schedule == "one_cycle":
        from tenfold.learn.schedules import OneCycle

        rate = OneCycle(settings.learning_rate, n_steps, settings.warmup)
    decay = settings.weight_decay
    if isinstance(settings, Muon):
        from tenfold.learn.muon import GramMuon

        optimizer = GramMuon(
            rate,
            momentum=settings.momentum,
            weight_decay=decay,
            adam_weight_decay=decay,
            adam_lr_ratio=1.0,
            # Keras flattens a convolution's kernel to a matrix along its height, which is not what Muon means.
            exclude_layers=["probabilities", "norm", "conv"],
        )
    elif decay:
        optimizer = optimizers.AdamW(rate, decay, settings.beta_1, settings.beta_2, settings.epsilon)
    else:
        return optimizers.Adam(rate, settings.beta_1, settings.beta_2, settings.epsilon)
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    return optimizer


def count_parameters(model: Any) -> int:
    """The number of parameters at prediction time, when a batch norm is a factor and a sum, or part of the layer before it."""
    n, open_sum = 0, False
    for layer in model.layers:
        kind = type(layer).__name__
        if kind in ("Dense", "Conv2D"):
            n += int(layer.count_params())
        elif kind == "BatchNormalization":
            n += int(layer.gamma.shape[0]) * (1 if open_sum else 2)
        open_sum = kind in ("Dense", "Conv2D")
    return n


def count_multiply_adds(model: Any) -> int:
    """The multiply-adds of one answer in dense layers and convolutions, where nearly all of the arithmetic is."""
    n = 0
    for layer in model.layers:
        kind = type(layer).__name__
        if kind == "Dense":
            n += math.prod(layer.kernel.shape)
        elif kind == "Conv2D":
            n += math.prod(layer.kernel.shape) * math.prod(layer.output.shape[1:3])
    return n


def summary(model: Any) -> list[tuple[str, str, int]]:
    """Layer, output shape and number of parameters of each layer, in order; the strength of augmentation is none."""
    layers = [layer for layer in model.layers if type(layer).__name__ != "InputLayer"]
    counts = [0 if layer.name == "augment" else int(layer.count_params()) for layer in layers]
    return [(layer.name, str(tuple(layer.output.shape)), n) for layer, n in zip(layers, counts, strict=True)]
