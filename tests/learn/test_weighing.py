"""The weights: on made-up answers they favour who is right; on composed pages they come out usable."""

import numpy as np
import pytest

import tenfold
from tenfold.learn import weighing
from tenfold.learn.composing import Composer
from tenfold.learn.sheets import Page
from tenfold.read.joint import Evidence, Joint
from tenfold.read.reviewer import Reviewer
from tenfold.read.shipped import Shipped

pytestmark = pytest.mark.one_backend


def test_found_boxes_are_matched_to_the_nearest_digit_once() -> None:
    page = Page(
        np.zeros((60, 100), np.uint8),
        np.array([[10, 10, 20, 30], [40, 10, 20, 30], [90, 10, 10, 30]], np.float32),
        np.array([3, 7, -1]),
        np.zeros(3, np.int64),
    )
    boxes = np.array([[11, 10, 20, 30], [9, 12, 20, 30], [70, 10, 20, 30], [89, 10, 11, 30]], float)
    labels, n_missed = weighing.matched(boxes, page)
    assert labels.tolist() == [3, -1, -1, -2]
    assert n_missed == 1


def made_up(n: int = 400) -> weighing.Places:
    """A finder whose score tells and whose label is right in 70 %, a classifier right in 95 %, the others know nothing."""
    random = np.random.default_rng(0)
    labels = np.where(random.random(n) < 0.7, random.integers(0, 10, n), -1)
    found, classified = np.full((n, 11), 0.005), np.full((n, 10), 0.01)
    for i, label in enumerate(labels):
        score = random.beta(8, 2) if label >= 0 else random.beta(2, 8)
        found[i, label if label >= 0 and random.random() < 0.7 else random.integers(10)] = score
        found[i, 10] = 1 - score
        classified[i, label if label >= 0 and random.random() < 0.95 else random.integers(10)] = 0.91
    page = np.repeat(np.arange(n // 4), 4)
    reviewed = random.dirichlet(np.ones(11), n)
    said = Evidence(found, np.ones(n), classified, reviewed, random.random(n), np.zeros(n), np.ones(n))
    return weighing.Places(page, labels, said, np.zeros(n // 4, np.int64))


def test_who_is_right_more_often_counts_more() -> None:
    seen = made_up()
    joint = weighing.fit(seen)
    assert joint.classes[1] > joint.classes[0] > abs(joint.classes[2])
    assert joint.digit[1] > 3 * abs(joint.digit[2])
    assert joint.digit[1] > 3 * abs(joint.digit[3])
    scores, chances = joint.weighed(seen.said)
    is_digit = seen.labels >= 0
    assert ((scores > 0.5) == is_digit).mean() > 0.9
    assert (chances.argmax(axis=1) == seen.labels)[is_digit].mean() > 0.9
    products, right = weighing.texts(seen, joint)
    sure = np.array([joint.text_confidence(p) for p in products])
    assert sure.mean() == pytest.approx(right.mean(), abs=0.06)
    assert weighing.as_metadata(joint)["threshold"] == joint.threshold


def test_the_bundled_networks_on_composed_pages() -> None:
    composer = Composer(tenfold.load("mnist", "test"))
    pages = [weighing.picture(composer, np.random.default_rng([7, k])) for k in range(12)]
    seen = weighing.places(pages, Shipped())
    n_digits = sum(int((page.labels >= 0).sum()) for page in pages)
    assert (seen.labels >= 0).sum() > 0.85 * n_digits
    assert seen.missed.sum() + (seen.labels >= 0).sum() == n_digits
    scores, chances = Joint.of(Reviewer.bundled().metadata).weighed(seen.said)
    is_digit = seen.labels >= 0
    assert (chances.argmax(axis=1) == seen.labels)[is_digit].mean() > 0.85
    assert scores[is_digit].mean() > scores[~is_digit].mean() + 0.3
