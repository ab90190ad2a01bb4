"""What the finder, the classifier and the judge say about one place, taken together; its numbers come with the finder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_LEAST = 1e-7
_SURE = 0.6


@dataclass(frozen=True)
class Joint:
    """Logistic weights, fitted on composed pages of digits that no network was trained on (`learn/weighing.py`).

    Attributes:
        classes: how much the finder's and the classifier's logarithms of probabilities count.
        digit: constant, then the weights of the finder's logit, the judge's, the logarithm of the cells that agreed, the
            classifier's largest logarithm, and of how much smaller and larger it is than the others: together the logit of
            being a digit.
        text: constant and weight of the logit that all digits of a text are right.
        threshold: from which probability on a candidate is accepted.
    """

    classes: tuple[float, float] = (0.7, 0.7)
    digit: tuple[float, ...] = (0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    text: tuple[float, float] = (0.0, 1.0)
    threshold: float = 0.5

    @classmethod
    def of(cls, metadata: Mapping[str, str]) -> Joint:
        """The weights that a finder's metadata holds under `joint`; without, plain ones."""
        if "joint" not in metadata:
            return cls()
        plain = json.loads(metadata["joint"])
        return cls(tuple(plain["classes"]), tuple(plain["digit"]), tuple(plain["text"]), float(plain["threshold"]))

    def weighed(
        self,
        found: NDArray[np.float64],
        support: NDArray[np.float64],
        classified: NDArray[np.floating],
        judged: NDArray[np.floating],
        relative: NDArray[np.float64],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The probability of being a digit, float64 (n,), and of each of the ten then, float64 (n, 10).

        Args:
            found: the finder's probabilities, (n, 11).
            support: the cells that agreed, (n,).
            classified: the classifier's probabilities, (n, 10).
            judged: the judge's scores, (n,).
            relative: how high each is beside the others, (n,); see `relative_heights`.
        """
        logits = self.classes[0] * _log(found[:, :10]) + self.classes[1] * _log(classified)
        chances = np.exp(logits - logits.max(axis=1, keepdims=True))
        chances /= chances.sum(axis=1, keepdims=True)
        scores = 1 / (1 + np.exp(-features(found, support, classified, judged, relative) @ np.array(self.digit)))
        return scores, chances

    def text_confidence(self, product: float) -> float:
        """Calibrated probability of a text, from the product of its digits' probabilities."""
        if product >= 1 - _LEAST or product <= _LEAST:
            return float(np.clip(product, 0, 1))
        return float(1 / (1 + np.exp(-(self.text[0] + self.text[1] * np.log(product / (1 - product))))))


def features(
    found: NDArray[np.float64],
    support: NDArray[np.float64],
    classified: NDArray[np.floating],
    judged: NDArray[np.floating],
    relative: NDArray[np.float64],
) -> NDArray[np.float64]:
    """What speaks for a digit, float64 (n, 7), in the order of `Joint.digit`; arguments as in `Joint.weighed`."""
    score = np.clip(1 - found[:, 10], _LEAST, 1 - _LEAST)
    judged = np.clip(judged.astype(np.float64), 1e-4, 1 - 1e-4)
    return np.stack(
        [
            np.ones(len(found)),
            np.log(score / (1 - score)),
            np.log(judged / (1 - judged)),
            np.log(np.maximum(support, 0.1)),
            _log(classified).max(axis=1),
            np.minimum(relative, 0) ** 2,
            np.maximum(relative, 0) ** 2,
        ],
        axis=1,
    )


def relative_heights(boxes: NDArray[np.float64], scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """The logarithm of each height over the median of those that are surely digits, float64 (n,); 0 where there are none."""
    sure = boxes[scores > _SURE, 3] if len(boxes) else np.zeros(0)
    if not len(sure):
        return np.zeros(len(boxes))
    return np.asarray(np.log(np.maximum(boxes[:, 3], 1e-3) / np.median(sure)))


def _log(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.log(np.clip(probabilities.astype(np.float64), _LEAST, 1))
