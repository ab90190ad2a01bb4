"""Layers that Keras lacks: random changes of digits inside the compiled step, pooling over whole maps, detours.

And a batch norm that is Keras's, only faster.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenfold.data.digits import SIDE
from tenfold.learn.backend import load_keras
from tenfold.learn.compiled import fused

keras: Any = load_keras()
ops = keras.ops

_GRID = 5  # points a side of the grid that elastic motion is drawn on


@keras.saving.register_keras_serializable("tenfold")
class RandomChange(keras.layers.Layer):  # type: ignore[misc]
    """Moves, bends, thickens and blurs digits at random while training; never flips them. Images (n, 28, 28) of 0 to 1.

    The weight `strength`, 1 at first, scales all amounts; outside training nothing is changed.

    Args:
        amounts: the fields of `recipe.Augmentation`, without `clean_epochs`, `copies` and `strangers`.
        seed: decides the random numbers.
    """

    def __init__(self, amounts: dict[str, float], seed: int, **options: Any) -> None:
        super().__init__(**options)
        self.amounts, self.seed = dict(amounts), seed
        self._random = keras.random.SeedGenerator(seed)
        self._bumps = _bumps()
        y, x = np.divmod(np.arange(SIDE * SIDE, dtype=np.float32), SIDE)
        self._x, self._y = x - (SIDE - 1) / 2, y - (SIDE - 1) / 2

    def build(self, shape: Any) -> None:
        self.strength = self.add_weight(shape=(), initializer="ones", trainable=False, name="strength")

    def call(self, images: Any, training: bool = False) -> Any:
        """Changed images while training, else the images; a batch whose size is not known is left alone."""
        if not training or images.shape[0] is None:
            return images
        if any(self.amounts[name] for name in ("rotation", "shear", "scale", "aspect", "shift", "elastic")):
            images = self._moved(images)
        if self.amounts["stroke"] or self.amounts["blur"]:
            images = self._stroked(images)
        return images

    def compute_output_shape(self, shape: Any) -> Any:
        return shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "amounts": self.amounts, "seed": self.seed}

    def _uniform(self, *shape: int) -> Any:
        """Values between -1 and 1, times the strength."""
        return keras.random.uniform(shape, -1.0, 1.0, seed=self._random) * self.strength

    def _moved(self, images: Any) -> Any:
        """Each group of neighbours sampled at places of its own, so that one index serves all of a group."""
        n_groups = images.shape[0] // self._alike(images)
        drawn = self._uniform(n_groups, 6)
        if not self.amounts.get("nearest"):
            return self._sampled(images, drawn)
        # With few look-ups most of it is arithmetic: compiled as one operation, and in two parts for two processors.
        n_parts, sampled = math.gcd(n_groups, 2), fused(self._sampled)
        parts = zip(ops.split(images, n_parts), ops.split(drawn, n_parts), strict=True)
        return ops.concatenate([sampled(*part) for part in parts])

    def _alike(self, images: Any) -> int:
        """How many neighbours move alike."""
        return math.gcd(images.shape[0], int(self.amounts["alike"]))

    def _sampled(self, images: Any, drawn: Any) -> Any:
        """Images (n, 28, 28) moved as six random numbers for each group say, (n groups, 6) of -1 to 1."""
        n, alike = images.shape[0], self._alike(images)
        x, y = self._places(drawn)
        pixels = ops.transpose(ops.reshape(images, (n // alike, alike, SIDE * SIDE)), (0, 2, 1))
        sampled = _nearest if self.amounts.get("nearest") else _between
        moved = sampled(ops.reshape(pixels, (-1, alike)), x, y)
        return ops.reshape(ops.transpose(moved, (0, 2, 1)), (n, SIDE, SIDE))

    def _places(self, drawn: Any) -> tuple[Any, Any]:
        """Where moved images take each pixel from: x and y, each (n, 784), in pixels from the upper left one."""
        a, n = self.amounts, drawn.shape[0]
        reach = np.array([math.radians(a["rotation"]), math.tan(math.radians(a["shear"])), a["scale"], a["aspect"]], np.float32)
        drawn = ops.split(drawn, [4], axis=1)
        angle, shear, scale, aspect = (ops.reshape(v, (n, 1)) for v in ops.split(drawn[0] * reach, 4, axis=1))
        shift_x, shift_y = ops.split(drawn[1] * a["shift"], 2, axis=1)
        width, height = 1 / ((1 + scale) * (1 + aspect)), (1 + aspect) / (1 + scale)
        cos, sin = ops.cos(angle), ops.sin(angle)
        across, down = (cos * self._x - sin * self._y) * width, (sin * self._x + cos * self._y) * height
        x, y = across + shear * down + shift_x, down + shift_y
        if a["elastic"]:
            bent = ops.matmul(self._uniform(n, 2, _GRID * _GRID) * a["elastic"], self._bumps)
            x, y = x + bent[:, 0], y + bent[:, 1]
        return x + (SIDE - 1) / 2, y + (SIDE - 1) / 2

    def _stroked(self, images: Any) -> Any:
        """Towards the largest or the least of 3x3 pixels, then towards their mean."""
        if self.amounts["stroke"]:
            amount = self._uniform(images.shape[0], 1, 1) * self.amounts["stroke"]
            wide, narrow = _of_3x3(images, ops.maximum), _of_3x3(images, ops.minimum)
            images = images + ops.relu(amount) * (wide - images) + ops.relu(-amount) * (narrow - images)
        if self.amounts["blur"]:
            amount = ops.relu(self._uniform(images.shape[0], 1, 1)) * self.amounts["blur"]
            images = images + amount * (_of_3x3(images, ops.add) / 9 - images)
        return images


@keras.saving.register_keras_serializable("tenfold")
class BatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]
    """Keras's batch norm; on TensorFlow, maps are normalised in training by its one fused operation.

    Keras computes mean, variance and the rest one by one, each through all of the maps, and in float32 whatever they are. The
    name is Keras's, since that is how weights are found in a file.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Normalised maps, by their own mean and variance in training, else by those learnt; of the inputs' dtype if fused."""
        if not (training and self.trainable and len(inputs.shape) == 4 and keras.backend.backend() == "tensorflow"):
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        none = tf.zeros(0)
        normed, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=self.gamma.value,
            offset=self.beta.value,
            mean=none,
            variance=none,
            epsilon=self.epsilon,
            is_training=True,
        )
        n = tf.cast(tf.size(inputs) // inputs.shape[-1], "float32")
        # The operation tells the variance of all that these are a sample of, Keras their own.
        for moving, now in ((self.moving_mean, mean), (self.moving_variance, variance * (n - 1) / n)):
            moving.assign(moving * self.momentum + now * (1 - self.momentum))
        return normed


@keras.saving.register_keras_serializable("tenfold")
class GlobalPooling(keras.layers.Layer):  # type: ignore[misc]
    """The largest and the mean of each map, side by side: (n, height, width, maps) to (n, 2 maps)."""

    def call(self, maps: Any) -> Any:
        return ops.concatenate([ops.max(maps, axis=(1, 2)), ops.mean(maps, axis=(1, 2))], axis=-1)

    def compute_output_shape(self, shape: Any) -> Any:
        return (shape[0], 2 * shape[-1])


@keras.saving.register_keras_serializable("tenfold")
class Detour(keras.layers.Layer):  # type: ignore[misc]
    """What it is given, and added to it what layers in a row make of it (He et al., 2016).

    Args:
        body: Keras layers whose last answer has the shape of the first's input.
    """

    def __init__(self, body: Sequence[Any], **options: Any) -> None:
        super().__init__(**options)
        self.body = list(body)

    def build(self, shape: Any) -> None:
        _build(self.body, shape)

    def call(self, given: Any, training: bool = False) -> Any:
        return given + _through(self.body, given, training)

    def compute_output_shape(self, shape: Any) -> Any:
        return shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "body": [keras.saving.serialize_keras_object(layer) for layer in self.body]}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**{**config, "body": [keras.saving.deserialize_keras_object(layer) for layer in config["body"]]})


@keras.saving.register_keras_serializable("tenfold")
class Apart(keras.layers.Layer):  # type: ignore[misc]
    """Several layers in a row for each map that it is given, and all that they make of them beside each other.

    Args:
        bodies: for each map Keras layers, whose last answers differ in the number of maps at most.
    """

    def __init__(self, bodies: Sequence[Sequence[Any]], **options: Any) -> None:
        super().__init__(**options)
        self.bodies = [list(body) for body in bodies]

    def build(self, shape: Any) -> None:
        for body in self.bodies:
            _build(body, (*shape[:-1], 1))

    def call(self, given: Any, training: bool = False) -> Any:
        made = [_through(body, given[..., k : k + 1], training) for k, body in enumerate(self.bodies)]
        return ops.concatenate(made, axis=-1)

    def compute_output_shape(self, shape: Any) -> Any:
        ends = []
        for body in self.bodies:
            end = (*shape[:-1], 1)
            for layer in body:
                end = layer.compute_output_shape(end)
            ends.append(end)
        return (*ends[0][:-1], sum(end[-1] for end in ends))

    def get_config(self) -> dict[str, Any]:
        bodies = [[keras.saving.serialize_keras_object(layer) for layer in body] for body in self.bodies]
        return {**super().get_config(), "bodies": bodies}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        bodies = [[keras.saving.deserialize_keras_object(layer) for layer in body] for body in config["bodies"]]
        return cls(**{**config, "bodies": bodies})


def _build(body: Sequence[Any], shape: Any) -> None:
    for layer in body:
        layer.build(shape)
        shape = layer.compute_output_shape(shape)


def _through(body: Sequence[Any], made: Any, training: bool) -> Any:
    """What layers in a row make of something."""
    for layer in body:
        made = layer(made, training=training) if isinstance(layer, keras.layers.BatchNormalization) else layer(made)
    return made


def _between(pixels: Any, x: Any, y: Any) -> Any:
    """Bilinear samples at (x, y), each (n, 784), of pixels (n * 784, alike): (n, 784, alike); zero outside."""
    left, top = ops.floor(x), ops.floor(y)
    right_share, lower_share = x - left, y - top
    total: Any = 0.0
    for step_y, share_y in ((0, 1 - lower_share), (1, lower_share)):
        for step_x, share_x in ((0, 1 - right_share), (1, right_share)):
            total = total + _taken(pixels, left + step_x, top + step_y, share_x * share_y)
    return total


def _nearest(pixels: Any, x: Any, y: Any) -> Any:
    """As `_between`, but each the pixel that is nearest: a quarter of the look-ups, which is what moving digits costs."""
    return _taken(pixels, ops.floor(x + 0.5), ops.floor(y + 0.5), 1.0)


def _taken(pixels: Any, column: Any, row: Any, share: Any) -> Any:
    """The share of the pixels in these columns and rows, whole numbers (n, 784); zero outside."""
    inside = (column >= 0) & (column < SIDE) & (row >= 0) & (row < SIDE)
    first = np.arange(column.shape[0], dtype=np.int32)[:, None] * (SIDE * SIDE)
    place = ops.cast(ops.clip(row, 0, SIDE - 1) * SIDE + ops.clip(column, 0, SIDE - 1), "int32") + first
    return ops.take(pixels, place, axis=0) * ops.expand_dims(ops.where(inside, share, 0.0), -1)


def _of_3x3(images: Any, combine: Callable[[Any, Any], Any]) -> Any:
    """Each pixel combined with its eight neighbours; beyond the rim is black. Pooling says the same at ten times the cost."""
    padded = ops.pad(images, ((0, 0), (1, 1), (1, 1)))
    rows = combine(combine(padded[:, :-2], padded[:, 1:-1]), padded[:, 2:])
    return combine(combine(rows[:, :, :-2], rows[:, :, 1:-1]), rows[:, :, 2:])


def _bumps() -> NDArray[np.float32]:
    """How much each pixel follows each point of the grid: float32 (25, 784), a bell around each point, adding up to 1."""
    points = np.linspace(0, SIDE - 1, _GRID)
    width = points[1] / 2
    along = np.exp(-(((np.arange(SIDE) - points[:, None]) / width) ** 2) / 2)
    along /= along.sum(axis=0)
    return np.asarray(np.einsum("ay,bx->abyx", along, along).reshape(_GRID * _GRID, SIDE * SIDE), np.float32)
