"""How much the finder, the classifier and the judge count when they speak of one place: fitted on composed pages.

The digits and the pages are ones that no network was trained on. What comes out is kept in the finder's metadata.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.learn.composing import Composer, Page
from tenfold.read import joint
from tenfold.read.cutting import cut_out, distinct
from tenfold.read.finder import Finder, Found
from tenfold.read.joint import Joint
from tenfold.read.judge import Judge
from tenfold.read.model import Model

_NEAR = 0.35  # of its height: how far from a digit's middle what was found may lie


class Places(NamedTuple):
    """What the networks said of places on composed pages, and what is there.

    Attributes:
        page: int (n,), the page of each place.
        labels: int (n,), the digit there; -1 if there is none, -2 if it is cut by the rim.
        found: float64 (n, 11), support: (n,), classified: (n, 10), judged: (n,), relative: (n,), as in `Joint.weighed`.
        missed: int (n_pages,), the digits of each page that were not found.
    """

    page: NDArray[np.int64]
    labels: NDArray[np.int64]
    found: NDArray[np.float64]
    support: NDArray[np.float64]
    classified: NDArray[np.float64]
    judged: NDArray[np.float64]
    relative: NDArray[np.float64]
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


def places(pages: list[Page], finder: Finder, model: Model, judge: Judge) -> Places:
    """Ask the networks about all pages."""
    of_page, labels, missed, glyphs, found, relative = [], [], [], [], list[Found](), []
    for k, page in enumerate(pages):
        grey = page.picture.astype(np.float32)
        every = finder.find(grey)
        cuts = [cut_out(grey, f.box) for f in every]
        kept = distinct(cuts)
        some = [every[i] for i in kept]
        boxes = np.array([f.box for f in some]).reshape(-1, 4)
        here, n_missed = matched(boxes, page)
        of_page += [k] * len(some)
        labels.append(here)
        missed.append(n_missed)
        glyphs += [cuts[i].glyph for i in kept]
        found += some
        relative.append(joint.relative_heights(boxes, np.array([f.score for f in some])))
    images = np.array(glyphs, np.uint8).reshape(-1, 28, 28)
    return Places(
        np.array(of_page, np.int64),
        np.concatenate(labels),
        np.array([f.probabilities for f in found]),
        np.array([f.support for f in found]),
        model.calibrated(images).astype(np.float64),
        judge.scores(images).astype(np.float64),
        np.concatenate(relative),
        np.array(missed, np.int64),
    )


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


def fit(seen: Places, accepted_wrongly: float = 0.5) -> Joint:
    """The weights under which what was seen is likeliest (logistic regression, a little weight decay)."""
    from scipy.optimize import minimize

    counts = seen.labels != -2
    is_digit = (seen.labels >= 0)[counts].astype(np.float64)
    given = joint.features(*seen[2:7])[counts]

    def digit_loss(weights: NDArray[np.float64]) -> float:
        logits = given @ weights
        return float(np.mean(np.logaddexp(0, logits) - is_digit * logits) + 1e-4 * (weights[1:] ** 2).sum())

    digit = minimize(digit_loss, np.array([0.0, 1, 0.1, 0, 0, 0, 0]), method="BFGS").x
    of_digit = seen.labels >= 0
    truth = seen.labels[of_digit]

    def class_loss(weights: NDArray[np.float64]) -> float:
        plain = Joint(classes=(float(weights[0]), float(weights[1])))
        chances = plain.weighed(*(part[of_digit] for part in seen[2:7]))[1]
        return float(-np.log(np.maximum(chances[np.arange(len(truth)), truth], 1e-9)).mean())

    classes = minimize(class_loss, np.array([0.6, 0.6]), method="Nelder-Mead").x
    weights = Joint(_rounded(classes), _rounded(digit), threshold=accepted_wrongly)  # type: ignore[arg-type]
    products, right = texts(seen, weights)
    logits = np.log(np.clip(products, 1e-7, 1 - 1e-7) / np.clip(1 - products, 1e-7, 1))

    def text_loss(line: NDArray[np.float64]) -> float:
        scaled = line[0] + line[1] * logits
        return float(np.mean(np.logaddexp(0, scaled) - right * scaled) + 1e-3 * (line[1] - 1) ** 2)

    text = minimize(text_loss, np.array([0.0, 1.0]), method="BFGS").x
    return Joint(weights.classes, weights.digit, _rounded(text), weights.threshold)  # type: ignore[arg-type]


def texts(seen: Places, weights: Joint) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """For each page the product of its digits' probabilities, and whether its text is right (1) or not (0)."""
    scores, chances = weights.weighed(*seen[2:7])
    accepted = scores >= weights.threshold
    sure = np.where(accepted, scores * chances.max(axis=1), 1 - scores)
    fine = np.where(accepted, chances.argmax(axis=1) == seen.labels, seen.labels < 0) | (seen.labels == -2)
    n = len(seen.missed)
    products = np.array([sure[seen.page == k].prod() for k in range(n)])
    right = np.array([fine[seen.page == k].all() and seen.missed[k] == 0 for k in range(n)], np.float64)
    return products, right


def as_metadata(weights: Joint) -> dict[str, object]:
    """As the finder's metadata holds it."""
    return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(weights).items()}


def _rounded(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(round(float(v), 4) for v in values)
