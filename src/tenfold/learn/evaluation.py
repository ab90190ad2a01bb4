"""How good probabilities are, given the labels. Plain NumPy: knows nothing of networks or files."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.data.digits import CLASSES, Digits
from tenfold.learn.doubtful import FINGERPRINTS

_Z_95 = 1.959963984540054  # two-sided 95 % quantile of the normal distribution
_N_BINS = 15


class ReliabilityBins(NamedTuple):
    """Confidence against accuracy over equal-width bins of confidence; float64 (15,), NaN where a bin is empty."""

    edges: NDArray[np.float64]  # (16,), 0 to 1
    counts: NDArray[np.int64]  # (15,)
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Labels beside a network's probabilities for them, and every figure that follows.

    Attributes:
        digits: the labelled digits.
        probabilities: float32 (N, 10), each row adds up to 1.
        n_trained_on: how many of the digits the network was trained on, or None if that is not known.
        temperature: what the logits are to be divided by, so that confidence means something; fitted on other digits.
    """

    digits: Digits
    probabilities: NDArray[np.float32]
    n_trained_on: int | None = None
    temperature: float = 1.0

    @cached_property
    def predictions(self) -> NDArray[np.int64]:
        """The most probable class, int64 (N,)."""
        return np.asarray(self.probabilities.argmax(axis=1), np.int64)

    @cached_property
    def confidence(self) -> NDArray[np.float32]:
        """The probability of the predicted class, float32 (N,)."""
        return np.asarray(self.probabilities.max(axis=1), np.float32)

    @cached_property
    def correct(self) -> NDArray[np.bool_]:
        return np.asarray(self.predictions == self.digits.known_labels, np.bool_)

    @property
    def n_correct(self) -> int:
        return int(self.correct.sum())

    @property
    def accuracy(self) -> float:
        return self.n_correct / len(self.digits)

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson interval of the accuracy."""
        return wilson_interval(self.n_correct, len(self.digits))

    @property
    def log_loss(self) -> float:
        return log_loss(self.probabilities, self.digits.known_labels)

    @cached_property
    def confusion(self) -> NDArray[np.int64]:
        """int64 (10, 10): row the label, column the prediction."""
        pairs = self.digits.known_labels.astype(np.int64) * CLASSES + self.predictions
        return np.bincount(pairs, minlength=CLASSES * CLASSES).reshape(CLASSES, CLASSES)

    @property
    def precision(self) -> NDArray[np.float64]:
        """Of the digits read as a class, the share that is of it, float64 (10,); NaN where none was read so."""
        return _ratio(self.confusion.diagonal(), self.confusion.sum(axis=0))

    @property
    def recall(self) -> NDArray[np.float64]:
        """Of the digits of a class, the share that is read as it, float64 (10,); NaN where there are none."""
        return _ratio(self.confusion.diagonal(), self.confusion.sum(axis=1))

    @property
    def f1(self) -> NDArray[np.float64]:
        """Harmonic mean of precision and recall, float64 (10,); NaN where a class is neither there nor predicted."""
        return _ratio(2 * self.confusion.diagonal(), self.confusion.sum(axis=0) + self.confusion.sum(axis=1))

    @cached_property
    def reliability(self) -> ReliabilityBins:
        edges = np.linspace(0, 1, _N_BINS + 1)
        # A confidence on an edge belongs to the bin below it, as in Guo et al. 2017.
        bins = np.clip(np.ceil(self.confidence * _N_BINS).astype(int) - 1, 0, _N_BINS - 1)
        counts = np.bincount(bins, minlength=_N_BINS)
        confidence = _ratio(np.bincount(bins, self.confidence.astype(np.float64), _N_BINS), counts)
        accuracy = _ratio(np.bincount(bins, self.correct, _N_BINS), counts)
        return ReliabilityBins(edges, counts, confidence, accuracy)

    @property
    def ece(self) -> float:
        """Expected calibration error over 15 equal-width bins (Guo et al., On calibration of modern neural networks, 2017)."""
        bins = self.reliability
        return float(np.nansum(bins.counts * np.abs(bins.accuracy - bins.confidence)) / bins.counts.sum())

    @cached_property
    def calibrated(self) -> Evaluation:
        """The same with the temperature applied."""
        return Evaluation(self.digits, tempered(self.probabilities, self.temperature), self.n_trained_on)

    @cached_property
    def coverage(self) -> NDArray[np.float64]:
        """Accuracy on the k digits of the highest confidence, for k from 1 to N: float64 (N,)."""
        surest_first = self.correct[np.argsort(-self.confidence, kind="stable")]
        return np.cumsum(surest_first) / np.arange(1, len(surest_first) + 1)

    def refused_to_reach(self, accuracy: float) -> float | None:
        """The least share of digits to refuse, the least sure ones, so that the others are that accurate; None if never."""
        enough = np.flatnonzero(self.coverage >= accuracy)
        return 1 - int(enough[-1] + 1) / len(self.digits) if len(enough) else None

    @cached_property
    def without_doubtful(self) -> Evaluation:
        """The same without the digits whose label people doubt (see `doubtful.FINGERPRINTS`)."""
        kept = ~np.isin(self.digits.fingerprints, FINGERPRINTS)
        return Evaluation(self.digits[kept], self.probabilities[kept], None, self.temperature)

    @cached_property
    def mistakes(self) -> NDArray[np.int64]:
        """Indices of the digits read wrongly, the most confident mistake first."""
        wrong = np.flatnonzero(~self.correct)
        return wrong[np.argsort(-self.confidence[wrong], kind="stable")]

    def confused_pairs(self, most: int = 5) -> list[tuple[int, int, int]]:
        """The commonest confusions: (label, prediction, how often), the commonest first."""
        off_diagonal = self.confusion - np.diag(self.confusion.diagonal())
        order = np.argsort(-off_diagonal, axis=None, kind="stable")[:most]
        pairs = [(int(i) // CLASSES, int(i) % CLASSES) for i in order]
        return [(label, read, int(off_diagonal[label, read])) for label, read in pairs if off_diagonal[label, read]]

    def summary(self) -> dict[str, Any]:
        """All figures as plain numbers, ready for JSON; rates are fractions 0-1, what does not apply is None."""
        return {
            "data": self.digits.name,
            "data_sha256": self.digits.sha256,
            "digits": len(self.digits),
            "trained_on": self.n_trained_on,
            "correct": self.n_correct,
            "accuracy": self.accuracy,
            "interval": list(self.interval),
            "log_loss": self.log_loss,
            "ece": self.ece,
            "temperature": self.temperature,
            "ece_calibrated": self.calibrated.ece,
            "refused_for_99_9": self.refused_to_reach(0.999),
            **self._doubtful(),
            "precision": _plain(self.precision),
            "recall": _plain(self.recall),
            "f1": _plain(self.f1),
            "confusion": self.confusion.tolist(),
            "confused_pairs": [
                {"label": label, "prediction": read, "count": count} for label, read, count in self.confused_pairs(10)
            ],
        }

    def _doubtful(self) -> dict[str, Any]:
        rest = self.without_doubtful
        n = len(self.digits) - len(rest.digits)
        return {"doubtful": n, "accuracy_without_doubtful": rest.accuracy if n and len(rest.digits) else None}


def wilson_interval(n_correct: int, n: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson, JASA 22, 1927): honest close to 1, where the normal interval is not."""
    share, zz = n_correct / n, _Z_95**2
    middle = (share + zz / (2 * n)) / (1 + zz / n)
    half = _Z_95 / (1 + zz / n) * math.sqrt(share * (1 - share) / n + zz / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def mcnemar(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> tuple[int, int, float]:
    """Which of two readers of the same digits is better (McNemar, Psychometrika 12, 1947; the exact test).

    Args:
        one: which digits it read right, bool (N,).
        other: the same of the other.

    Returns:
        How many digits only the one read right, how many only the other, and the probability of a difference at least as large
        if neither were better.
    """
    from scipy.stats import binomtest

    n_one, n_other = int((one & ~other).sum()), int((other & ~one).sum())
    return n_one, n_other, float(binomtest(n_one, n_one + n_other).pvalue) if n_one + n_other else 1.0


def log_loss(probabilities: NDArray[np.float32], labels: NDArray[np.uint8]) -> float:
    """Mean of -log(probability of the label), in nats; probabilities are kept from 0 by 1e-7, as Keras does."""
    of_label = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.clip(of_label, 1e-7, 1, dtype=np.float64)).mean())


def tempered(probabilities: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """Probabilities as if the logits had been divided by the temperature, float32 (N, 10)."""
    powered = probabilities.astype(np.float64) ** (1 / temperature)
    return np.asarray(powered / powered.sum(axis=1, keepdims=True), np.float32)


def fit_temperature(probabilities: NDArray[np.float32], labels: NDArray[np.uint8]) -> float:
    """The temperature that gives the least log loss on held-out digits (Guo et al. 2017), between 0.2 and 5.

    The loss has one valley, so an ever finer grid finds its bottom; importing SciPy's `optimize` takes longer than all of this.
    """
    grid = np.geomspace(0.2, 5, 9)
    for _ in range(6):
        best = int(np.argmin([log_loss(tempered(probabilities, temperature), labels) for temperature in grid]))
        grid = np.geomspace(grid[max(0, best - 1)], grid[min(8, best + 1)], 9)
    return round(float(grid[4]), 4)


def count_trained_on(digits: Digits, fingerprints: NDArray[np.uint64]) -> int:
    """How many of the digits are among those with the given fingerprints."""
    return int(np.isin(digits.fingerprints, fingerprints).sum())


def _ratio(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):
        return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)


def _plain(values: NDArray[np.float64]) -> list[float | None]:
    return [None if math.isnan(value) else float(value) for value in values]
