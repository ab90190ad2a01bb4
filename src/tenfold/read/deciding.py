"""From what may be digits to a text: which of them are, in which order, and how sure all of it is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.read import lines
from tenfold.read.boxes import crossing
from tenfold.read.fields import ANYTHING, Field, likeliest
from tenfold.read.joint import PALE_COUNTS, Joint
from tenfold.read.shipped import Candidates

_WITHIN = 0.9  # a share of the smaller one of two boxes: more, and it lies in the other
_LIKELY = 0.3  # candidates with this probability of being a digit decide where rows are


class Decided(NamedTuple):
    """What was read, in reading order.

    Attributes:
        glyphs: uint8 (n, 28, 28), of each candidate.
        boxes: float64 (n, 4), x, y, width, height of its ink.
        rows: int (n,), the row it stands in, from 0.
        scores: float64 (n,), the probability that it is a digit.
        chances: float64 (n, 10), and of which.
        labels: int (n,); -1 for what is refused.
        pale: bool (n,), whether it is refused for being much paler than others are.
        confidence: the probability that all of this is right.
    """

    glyphs: NDArray[np.uint8]
    boxes: NDArray[np.float64]
    rows: NDArray[np.int64]
    scores: NDArray[np.float64]
    chances: NDArray[np.float64]
    labels: NDArray[np.int64]
    pale: NDArray[np.bool_]
    confidence: float


def decide(
    seen: Candidates, joint: Joint, known: Field, own: NDArray[np.float32] | None = None, own_counts: float = 0.0
) -> Decided:
    """Decide on candidates.

    Args:
        seen: the candidates.
        joint: how much each network that ships counts.
        known: about the field.
        own: what the user's classifier says of the glyphs, float32 (n, 10), if it is another than the one that ships.
        own_counts: how much that counts.
    """
    scores, chances = joint.weighed(seen.said, own, own_counts)
    scores = _at_most_one(scores, seen.boxes)
    pale = joint.pale(seen.said)
    rows = lines.rows(seen.found, scores >= _LIKELY)
    order = [i for row in rows for i in row]
    row_of = np.array([k for k, row in enumerate(rows) for _ in row], np.int64)
    scores, chances, pale = scores[order], chances[order], pale[order]
    labels, confidence = _text(scores, chances, known, joint, pale)
    return Decided(seen.glyphs[order], seen.boxes[order], row_of, scores, chances, labels, pale & (labels < 0), confidence)


def _at_most_one(scores: NDArray[np.float64], boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """The scores, where of two boxes one lies in the other: if the likelier one is a digit, the other is none.

    The same ink is not two digits.
    """
    limited, areas = scores.copy(), boxes[:, 2:].prod(axis=1)
    for i in np.argsort(-scores, kind="stable"):
        shared = crossing(boxes[i], boxes)
        twice = (shared > _WITHIN * np.minimum(areas, areas[i])) & (scores < scores[i])
        limited[twice] = np.minimum(limited[twice], 1 - limited[i])
    return limited


def _text(
    scores: NDArray[np.float64], chances: NDArray[np.float64], known: Field, joint: Joint, pale: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], float]:
    """For each candidate its label, or -1 if it is refused; and the probability that all of this is right."""
    if known == ANYTHING:
        accepted = scores >= joint.threshold
        sure = np.where(accepted, scores * chances.max(axis=1, initial=0), 1 - scores)
        labels = np.where(accepted, chances.argmax(axis=1) if len(chances) else 0, -1)
        # What is pale shines through, or was written here, all of it alike.
        together = (1 - PALE_COUNTS) if pale.any() else 1.0
        return labels.astype(np.int64), joint.text_confidence(float(sure[~pale].prod()) * together)
    likely, probability = likeliest(scores, chances, known)
    if likely is None:
        return np.full(len(scores), -1, np.int64), 0.0
    return np.array(likely, np.int64), joint.text_confidence(probability)
