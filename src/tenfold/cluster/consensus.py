"""What several runs answer to the same digits: their mean, how good each is alone, and how far they agree."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tenfold.data.digits import Digits
from tenfold.learn.evaluation import Evaluation, count_trained_on
from tenfold.learn.runs import Run

_MOST_SUBSETS = 50  # of the runs, that the accuracy of so many is averaged over


@dataclass(frozen=True)
class Consensus:
    """What the members of an ensemble, and their mean, answer to the same digits.

    Attributes:
        answers: float32 (members, N, 10), before calibration.
        mean: the evaluation of their mean.
    """

    answers: NDArray[np.float32]
    mean: Evaluation

    @classmethod
    def of(cls, found: Sequence[Run], digits: Digits, seen: NDArray[np.uint64]) -> Consensus:
        """Ask the members; `seen` are the fingerprints of the digits that they were trained on."""
        answers = np.stack([member.probabilities(digits.images) for member in found])
        return cls(answers, Evaluation(digits, np.asarray(answers.mean(axis=0), np.float32), count_trained_on(digits, seen)))

    def tempered(self, temperature: float) -> Consensus:
        """The same with a temperature for the mean."""
        return replace(self, mean=replace(self.mean, temperature=temperature))

    @property
    def singles(self) -> NDArray[np.float64]:
        """The accuracy of each member, float64 (members,)."""
        return np.asarray((self.answers.argmax(axis=2) == self.mean.digits.known_labels).mean(axis=1), np.float64)

    def by_number(self) -> list[dict[str, float]]:
        """The accuracy of the mean of k members, for each k: over all choices of k, or over 50 of them if there are more."""
        labels, n = self.mean.digits.known_labels, len(self.answers)
        rows = []
        for k in range(1, n + 1):
            found = [
                float((self.answers[list(chosen)].mean(axis=0).argmax(axis=1) == labels).mean()) for chosen in subsets(n, k)
            ]
            rows.append({"members": k, "mean": float(np.mean(found)), "deviation": float(np.std(found))})
        return rows

    def agreement(self) -> list[dict[str, float | None]]:
        """For each number of members that answer as their mean does: how many digits, and the share of them read right."""
        agreeing = (self.answers.argmax(axis=2) == self.mean.predictions).sum(axis=0)
        counts = np.bincount(agreeing, minlength=len(self.answers) + 1)
        right = np.bincount(agreeing, self.mean.correct, len(self.answers) + 1)
        return [
            {"members": k, "digits": int(counts[k]), "accuracy": float(right[k] / counts[k]) if counts[k] else None}
            for k in range(len(counts))
        ]


def subsets(n: int, k: int) -> list[tuple[int, ...]]:
    """All choices of k out of n, or 50 of them, drawn by a fixed seed, if there are more."""
    if math.comb(n, k) <= _MOST_SUBSETS:
        return list(itertools.combinations(range(n), k))
    rng = np.random.default_rng([n, k])
    return [tuple(int(i) for i in np.sort(rng.choice(n, k, replace=False))) for _ in range(_MOST_SUBSETS)]
