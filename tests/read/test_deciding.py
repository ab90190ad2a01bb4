"""From candidates to a text: order, what is accepted, what is known of a field."""

from __future__ import annotations

import numpy as np

from tenfold.read.deciding import decide
from tenfold.read.fields import ANYTHING, Field
from tenfold.read.joint import Evidence, Joint
from tenfold.read.shipped import Candidates

JOINT = Joint(classes=(1.0, 0.0, 0.0), digit=(0.0, 1.0, *[0.0] * 6), text=(0.0, 1.0), threshold=0.5)  # the finder alone


def candidates(*places: tuple[int, float, float, float]) -> Candidates:
    """Places of a label, the finder's score, x and y."""
    n = len(places)
    found = np.full((n, 11), 1e-3)
    for i, (label, score, _, _) in enumerate(places):
        found[i, label], found[i, 10] = score, 1 - score
    boxes = np.array([(x, y, 20, 40) for _, _, x, y in places], float).reshape(-1, 4)
    flat = np.full((n, 10), 0.1)
    said = Evidence(
        found / found.sum(axis=1, keepdims=True),
        np.ones(n),
        flat,
        np.full((n, 11), 1 / 11),
        np.full(n, 0.5),
        np.zeros(n),
        np.ones(n),
    )
    glyphs = (
        np.stack([np.full((28, 28), label, np.uint8) for label, *_ in places]) if places else np.zeros((0, 28, 28), np.uint8)
    )
    return Candidates(boxes, boxes, glyphs, said)


def test_the_same_ink_is_not_two_digits() -> None:
    seen = candidates((7, 0.99, 0, 0), (1, 0.6, 40, 0), (1, 0.8, 44, 0))
    boxes = np.array([[0, 0, 30, 40], [20, 0, 30, 40], [44, 0, 6, 40]], float)  # the second reaches over the third
    read = decide(seen._replace(boxes=boxes), JOINT, ANYTHING)
    apart = decide(seen._replace(boxes=boxes - [[0, 0, 0, 0], [0, 0, 8, 0], [0, 0, 0, 0]]), JOINT, ANYTHING)
    assert apart.labels.tolist() == [7, 1, 1]
    assert read.labels.tolist() == [7, -1, 1]
    assert read.scores[1] == 1 - read.scores[2]
    assert read.scores[[0, 2]].tolist() == apart.scores[[0, 2]].tolist()


def test_digits_come_row_by_row_with_what_belongs_to_them() -> None:
    read = decide(candidates((3, 0.99, 0, 100), (2, 0.99, 40, 0), (1, 0.99, 0, 2)), JOINT, ANYTHING)
    assert read.labels.tolist() == [1, 2, 3]
    assert read.rows.tolist() == [0, 0, 1]
    assert read.glyphs[:, 0, 0].tolist() == [1, 2, 3]
    assert read.boxes[:, 0].tolist() == [0, 40, 0]


def test_what_is_hardly_a_digit_is_refused_and_lowers_the_confidence() -> None:
    sure = decide(candidates((7, 0.99, 0, 0)), JOINT, ANYTHING)
    unsure = decide(candidates((7, 0.99, 0, 0), (1, 0.3, 40, 0)), JOINT, ANYTHING)
    assert unsure.labels.tolist() == [7, -1]
    assert unsure.confidence < 0.8 * sure.confidence


def test_what_is_known_decides_against_the_likelier() -> None:
    some = candidates((7, 0.99, 0, 0), (1, 0.3, 40, 0))
    assert decide(some, JOINT, Field(n_digits=2)).labels.tolist() == [7, 1]
    impossible = decide(some, JOINT, Field(n_digits=5))
    assert (impossible.labels.tolist(), impossible.confidence) == ([-1, -1], 0.0)


def test_nothing_is_surely_nothing() -> None:
    read = decide(candidates(), JOINT, ANYTHING)
    assert (len(read.labels), read.boxes.shape) == (0, (0, 4))
    assert read.confidence > 0.99
