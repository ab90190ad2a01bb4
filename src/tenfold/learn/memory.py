"""A layer that remembers: digits looked at beside what the weights have learnt."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenfold.learn.backend import load_keras

keras: Any = load_keras()
ops = keras.ops


@keras.saving.register_keras_serializable("tenfold")
class Memory(keras.layers.Layer):  # type: ignore[misc]
    """Remembered digits: what a network answers, turned towards the classes of those that a digit looks like.

    Given [maps, probabilities], it answers probabilities (n, classes). Maps become roots of shares that add up to 1, less the
    mean of these over many digits; how alike two digits are is the cosine between them. A class counts as much as the one of
    its digits that is most alike. After the cache of Grave et al. (2017) and Tip-Adapter (Zhang et al., 2022). The weight
    `strength`, 1 at first, scales how much all of it counts; so does how likely a digit is by the same hand, whichever it
    shows: Fisher's linear discriminant (1936) on how strong each map is on average, as a share from 0 to 1.

    Args:
        n: how many digits are remembered.
        weight: what a digit that is quite alike adds to the logit of its class.
        sharpness: how fast that falls: by a factor of e for each 1 / sharpness that a digit is less alike.
        maps_of: name of the layer whose maps are compared.
    """

    FAINT = 1e-6  # maps that add up to less are like none
    LEAST = 1e-30  # no probability is less
    _SURELY = 30.0  # the logit of a share of 1: until another hand has been seen all digits are by this one
    _OWN_VARIANCE = 0.05  # added to each map's variance as a share of it, since there are few digits
    _SLOPE = 0.5  # of what the discriminant's two bells would say

    def __init__(self, n: int, weight: float, sharpness: float, maps_of: str, **options: Any) -> None:
        super().__init__(**options)
        self.n, self.weight, self.sharpness, self.maps_of = n, weight, sharpness, maps_of

    def build(self, shapes: Any) -> None:
        (_, *area), (_, n_classes) = shapes
        fixed = {"initializer": "zeros", "trainable": False}
        self.mean = self.add_weight(shape=(math.prod(area),), name="mean", **fixed)
        self.keys = self.add_weight(shape=(math.prod(area), self.n), name="keys", **fixed)
        self.labels = self.add_weight(shape=(self.n, n_classes), name="labels", **fixed)
        self.strength = self.add_weight(shape=(), initializer="ones", trainable=False, name="strength")
        self.hand = self.add_weight(shape=(area[-1],), name="hand", **fixed)
        surely = keras.initializers.Constant(self._SURELY)
        self.hand_bias = self.add_weight(shape=(), initializer=surely, trainable=False, name="hand_bias")

    def call(self, given: Any) -> Any:
        maps, probabilities = given
        alike = ops.matmul(self._directions(maps), self.keys)
        votes = ops.max(ops.expand_dims(ops.exp(self.sharpness * (alike - 1)), -1) * self.labels, axis=1)
        by_hand = ops.sigmoid(ops.matmul(self._strengths(maps), ops.expand_dims(self.hand, -1)) + self.hand_bias)
        logits = ops.log(ops.maximum(probabilities, self.LEAST))
        return ops.softmax(logits + self.weight * self.strength * by_hand * votes, axis=1)

    def remember(self, maps: Any, labels: NDArray[np.integer], others: Any) -> None:
        """Take digits in: their maps (n, ...) and labels (n,), and the maps of many other digits (m, ...)."""
        self.mean.assign(ops.mean(self._roots(others), axis=0))
        self.keys.assign(ops.transpose(self._directions(maps)))
        self.labels.assign(np.eye(self.labels.shape[1], dtype=np.float32)[labels])

    def tell_apart(self, maps: Any, labels: NDArray[np.integer], others: Any, other_labels: NDArray[np.integer]) -> None:
        """Learn what digits by this hand look like beside others, whichever they show.

        Args:
            maps: of digits by this hand, moved and bent so that not how they were drawn counts, (n, ...).
            labels: int (n,).
            others: of digits by others, likewise, (m, ...).
            other_labels: int (m,).
        """
        own, away = (np.asarray(ops.convert_to_numpy(self._strengths(m)), np.float64) for m in (maps, others))
        mean = away.mean(axis=0)
        own, away = own - mean, away - mean
        known = np.unique(other_labels)
        of_class = np.zeros((int(max(other_labels.max(), labels.max())) + 1, away.shape[1]))
        of_class[known] = [away[other_labels == label].mean(axis=0) for label in known]
        own = own - of_class[labels]
        variance = np.cov(away.T)
        variance += np.diag(self._OWN_VARIANCE * np.diag(variance) + self.FAINT * (1 + np.trace(variance)) / len(variance))
        direction = np.linalg.solve(variance, own.mean(axis=0))
        spread = ((own @ direction).std() + (away @ direction).std()) / 2
        direction *= self._SLOPE * float(own.mean(axis=0) @ direction) / max(spread**2, self.FAINT)
        self.hand.assign(direction.astype(np.float32))
        self.hand_bias.assign(-float(mean @ direction))

    def _strengths(self, maps: Any) -> Any:
        """How strong each map is on average, (n, maps), of maps (n, ..., maps)."""
        return ops.mean(maps, axis=tuple(range(1, len(maps.shape) - 1))) if len(maps.shape) > 2 else maps

    def _directions(self, maps: Any) -> Any:
        """Maps (n, ...) as rows of length 1, (n, values), whose products are how alike they are."""
        away = self._roots(maps) - self.mean
        return away / ops.maximum(ops.sqrt(ops.sum(away * away, axis=1, keepdims=True)), self.FAINT)

    def _roots(self, maps: Any) -> Any:
        flat = ops.reshape(maps, (-1, math.prod(maps.shape[1:])))
        return ops.sqrt(flat / ops.maximum(ops.sum(flat, axis=1, keepdims=True), self.FAINT))

    def compute_output_shape(self, shapes: Any) -> Any:
        return shapes[1]

    def get_config(self) -> dict[str, Any]:
        own = {"n": self.n, "weight": self.weight, "sharpness": self.sharpness, "maps_of": self.maps_of}
        return {**super().get_config(), **own}
