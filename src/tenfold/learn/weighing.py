"""How much each network counts when they all speak of one place: fitted on composed pages.

The digits and the pages are ones that no network was trained on. What comes out is kept in the reviewer's metadata.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.learn.composing import Composer
from tenfold.learn.sheets import Page
from tenfold.read.joint import Evidence, Joint, features
from tenfold.read.shipped import Shipped

# From which probability on a candidate is accepted: on composed pages of the digits held out there are a few errors less with
# 0.4 or 0.45 than with 0.3, and a 1 drawn as a mere bar is mostly far above. What ships has another, see `bundling`.
_THRESHOLD = 0.4
_NEAR = 0.35  # of its height: how far from a digit's middle what was found may lie


class Places(NamedTuple):
    """What the networks said of places on composed pages, and what is there.

    Attributes:
        page: int (n,), the page of each place.
        labels: int (n,), the digit there; -1 if there is none, -2 if it is cut by the rim.
        said: what the networks say of it.
        missed: int (n_pages,), the digits of each page that were not found.
    """

    page: NDArray[np.int64]
    labels: NDArray[np.int64]
    said: Evidence
    missed: NDArray[np.int64]


def picture(composer: Composer, random: np.random.Generator) -> Page:
    """A composed picture of any size: one row cut out closely, or a page."""
    if random.random() < 0.5:
        return composer.line(
            random, int(random.integers(1, 11)), float(np.exp(random.uniform(np.log(14), np.log(110)))), cut=False
        )
    width = int(random.integers(160, 900))
    height = int(width * random.uniform(0.25, 1.1))
    digit_height = float(np.exp(random.uniform(np.log(20), np.log(max(24, height / 2)))))
    return composer.page(random, height, width, min(digit_height, width / 6), cut=False)


def places(pages: Sequence[Page], networks: Shipped) -> Places:
    """Ask the networks about all pages."""
    of_page, labels, missed, said = [], [], [], []
    for k, page in enumerate(pages):
        candidates = networks.candidates(networks.sight(page.picture).grey)
        here, n_missed = matched(candidates.found, page)
        of_page += [k] * len(here)
        labels.append(here)
        missed.append(n_missed)
        said.append(candidates.said)
    together = Evidence(*(np.concatenate(list(answers)) for answers in zip(*said, strict=True)))
    return Places(np.array(of_page, np.int64), np.concatenate(labels), together, np.array(missed, np.int64))


def matched(boxes: NDArray[np.float64], page: Page) -> tuple[NDArray[np.int64], int]:
    """The label of each found box (-1 for none, -2 for a digit cut by the rim), and how many whole digits have no box."""
    labels = np.full(len(boxes), -1, np.int64)
    n_missed = 0
    free = np.ones(len(boxes), bool)
    for (x, y, width, height), label in zip(page.boxes, page.labels, strict=True):
        away = np.abs(boxes[:, :2] + boxes[:, 2:] / 2 - (x + width / 2, y + height / 2)) / height
        like = (away.max(axis=1) < _NEAR) & (boxes[:, 3] > 0.5 * height) & (boxes[:, 3] < 2 * height) & free
        if not like.any():
            n_missed += label >= 0
            continue
        nearest = int(np.argmin(np.where(like, away.sum(axis=1), np.inf)))
        labels[nearest], free[nearest] = label if label >= 0 else -2, False
    return labels, int(n_missed)


def fit(seen: Places, threshold: float = _THRESHOLD) -> Joint:
    """The weights under which what was seen is likeliest (logistic regression, a little weight decay)."""
    from scipy.optimize import minimize

    counts = seen.labels != -2
    is_digit = (seen.labels >= 0)[counts].astype(np.float64)
    given = features(seen.said)[counts]

    def digit_loss(weights: NDArray[np.float64]) -> float:
        logits = given @ weights
        return float(np.mean(np.logaddexp(0, logits) - is_digit * logits) + 1e-4 * (weights[1:] ** 2).sum())

    digit = minimize(digit_loss, np.array([0.0, 1, *[0.0] * (given.shape[1] - 2)]), method="BFGS").x
    of_digit = seen.labels >= 0
    truth, of_digits = seen.labels[of_digit], seen.said.at(of_digit)

    def class_loss(weights: NDArray[np.float64]) -> float:
        chances = Joint(classes=tuple(weights)).weighed(of_digits)[1]
        return float(-np.log(np.maximum(chances[np.arange(len(truth)), truth], 1e-9)).mean())

    classes = minimize(class_loss, np.array([0.4, 0.4, 0.4]), method="Nelder-Mead").x
    weights = Joint(_rounded(classes), _rounded(digit), threshold=threshold)
    products, right = texts(seen, weights)
    logits = np.log(np.clip(products, 1e-7, 1 - 1e-7) / np.clip(1 - products, 1e-7, 1))

    def text_loss(line: NDArray[np.float64]) -> float:
        scaled = line[0] + line[1] * logits
        return float(np.mean(np.logaddexp(0, scaled) - right * scaled) + 1e-3 * (line[1] - 1) ** 2)

    text = minimize(text_loss, np.array([0.0, 1.0]), method="BFGS").x
    return Joint(weights.classes, weights.digit, _rounded(text), weights.threshold)  # type: ignore[arg-type]


def texts(seen: Places, weights: Joint) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """For each page the product of its digits' probabilities, and whether its text is right (1) or not (0)."""
    scores, chances = weights.weighed(seen.said)
    accepted = scores >= weights.threshold
    sure = np.where(accepted, scores * chances.max(axis=1), 1 - scores)
    fine = np.where(accepted, chances.argmax(axis=1) == seen.labels, seen.labels < 0) | (seen.labels == -2)
    n = len(seen.missed)
    products = np.array([sure[seen.page == k].prod() for k in range(n)])
    right = np.array([fine[seen.page == k].all() and seen.missed[k] == 0 for k in range(n)], np.float64)
    return products, right


def as_metadata(weights: Joint) -> dict[str, object]:
    """As the reviewer's metadata holds it."""
    return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(weights).items()}


def _rounded(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(round(float(v), 4) for v in values)
