"""What the networks say about one place, taken together; the weights come with the reviewer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_LEAST = 1e-7
_LEAST_DOUBT = 1e-4  # judge and reviewer are not believed more than this
_SURE = 0.6
# Ink that stands out less than this share of what the darker digits do shines through from the paper's other side. Of 2,100
# digits on composed pages, cheques and photos none was under 0.56; a pencil beside a pen has about half.
_PALE = 0.3
PALE_COUNTS = 0.2  # the chance, by judgement, that ink as pale as that was written here all the same
_DARKER = 2 / 3  # the quantile of sure digits' contrasts that others are held against: more may shine through than stand here


class Evidence(NamedTuple):
    """What the networks say of n places.

    Attributes:
        found: the finder's probabilities of ten digits and of none, float64 (n, 11).
        support: the cells of the finder that agreed, float64 (n,).
        classified: the classifier's probabilities, float (n, 10).
        reviewed: the reviewer's probabilities of ten digits and of none, float (n, 11).
        judged: the judge's scores, float (n,).
        height: how high each is beside the others, float64 (n,); see `relative_heights`.
        contrast: how far its ink stands out beside that of the others, float64 (n,); see `relative_contrasts`.
    """

    found: NDArray[np.float64]
    support: NDArray[np.float64]
    classified: NDArray[np.floating]
    reviewed: NDArray[np.floating]
    judged: NDArray[np.floating]
    height: NDArray[np.float64]
    contrast: NDArray[np.float64]

    def at(self, some: NDArray[np.bool_]) -> Evidence:
        """What they say of some of the places."""
        return Evidence(*(np.asarray(answers[some]) for answers in self))


@dataclass(frozen=True)
class Joint:
    """Logistic weights, fitted on composed pages of digits that no network was trained on (`learn/weighing.py`).

    Attributes:
        classes: how much the finder's, the classifier's and the reviewer's logarithms of probabilities count.
        digit: constant, then the weights of `features`: together the logit of being a digit.
        text: constant and weight of the logit that all digits of a text are right.
        threshold: from which probability on a candidate is accepted.
    """

    classes: tuple[float, ...] = (0.5, 0.5, 0.5)
    digit: tuple[float, ...] = (0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    text: tuple[float, float] = (0.0, 1.0)
    threshold: float = 0.5

    @classmethod
    def of(cls, metadata: Mapping[str, str]) -> Joint:
        """The weights that a network's metadata hold under `joint`; without, plain ones."""
        if "joint" not in metadata:
            return cls()
        plain = json.loads(metadata["joint"])
        return cls(tuple(plain["classes"]), tuple(plain["digit"]), tuple(plain["text"]), float(plain["threshold"]))

    def weighed(
        self, said: Evidence, own: NDArray[np.floating] | None = None, counts: float = 0.0
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The probability of being a digit, float64 (n,), and of each of the ten then, float64 (n, 10).

        Args:
            said: what the networks that ship say.
            own: what a user's classifier says instead of the one that ships, (n, 10).
            counts: how much it counts in what it says otherwise.
        """
        answers = (said.found[:, :10], said.classified, said.reviewed[:, :10])
        logits = np.tensordot(self.classes, np.stack([_log(answer) for answer in answers]), axes=1)
        if own is not None:
            logits = logits + counts * (_log(own) - _log(said.classified))
        chances = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
        chances /= chances.sum(axis=1, keepdims=True)
        scores = self._scores(said)
        return np.where(said.contrast < _PALE, np.minimum(scores, PALE_COUNTS), scores), chances

    def pale(self, said: Evidence) -> NDArray[np.bool_]:
        """Which places would be digits if their ink stood out as far as that of others, bool (n,)."""
        return (said.contrast < _PALE) & (self._scores(said) >= self.threshold)

    def _scores(self, said: Evidence) -> NDArray[np.float64]:
        return np.asarray(1 / (1 + np.exp(-features(said) @ np.array(self.digit))))

    def text_confidence(self, product: float) -> float:
        """Calibrated probability of a text, from the product of its digits' probabilities."""
        if product >= 1 - _LEAST or product <= _LEAST:
            return float(np.clip(product, 0, 1))
        return float(1 / (1 + np.exp(-(self.text[0] + self.text[1] * np.log(product / (1 - product))))))


def features(said: Evidence) -> NDArray[np.float64]:
    """What speaks for a digit, float64 (n, 8), in the order of `Joint.digit`.

    1, the logits of finder, judge and reviewer, the logarithm of the cells that agreed, the classifier's largest logarithm, and
    how much smaller and larger than the others a place is, squared.
    """
    return np.stack(
        [
            np.ones(len(said.found)),
            _logit(1 - said.found[:, 10], _LEAST),
            _logit(said.judged, _LEAST_DOUBT),
            _logit(1 - said.reviewed[:, 10], _LEAST_DOUBT),
            np.log(np.maximum(said.support, 0.1)),
            _log(said.classified).max(axis=1, initial=-np.inf),
            np.minimum(said.height, 0) ** 2,
            np.maximum(said.height, 0) ** 2,
        ],
        axis=1,
    )


def relative_heights(boxes: NDArray[np.float64], scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """The logarithm of each height over the median of those that are surely digits, float64 (n,); 0 where there are none."""
    sure = boxes[scores > _SURE, 3] if len(boxes) else np.zeros(0)
    if not len(sure):
        return np.zeros(len(boxes))
    return np.asarray(np.log(np.maximum(boxes[:, 3], 1e-3) / np.median(sure)))


def relative_contrasts(contrasts: NDArray[np.float64], scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each contrast over that of the darker ones among those that are surely digits, float64 (n,); 1 where there are none."""
    sure = contrasts[scores > _SURE]
    if not len(sure):
        return np.ones(len(contrasts))
    return np.asarray(contrasts / max(float(np.quantile(sure, _DARKER)), _LEAST))


def _log(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.log(np.clip(probabilities.astype(np.float64), _LEAST, 1))


def _logit(probabilities: NDArray[np.floating], least: float) -> NDArray[np.float64]:
    clipped = np.clip(probabilities.astype(np.float64), least, 1 - least)
    return np.asarray(np.log(clipped / (1 - clipped)))
