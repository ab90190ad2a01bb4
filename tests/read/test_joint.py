"""What the three networks say, taken together."""

import json

import numpy as np
import pytest

from tenfold.read.joint import Joint, relative_heights

PLAIN = Joint()


def found(score: float, label: int = 3) -> np.ndarray:
    chances = np.full(11, score * 0.02)
    chances[label], chances[10] = score * 0.82, 1 - score
    return chances


def weighed(joint: Joint, scores: list[float], classified: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    n = len(scores)
    chances = np.array([found(s) for s in scores])
    sure = np.full((n, 10), 0.1) if classified is None else classified
    return joint.weighed(chances, np.ones(n), sure, np.full(n, 0.5), np.zeros(n))


def test_without_weights_the_finder_decides() -> None:
    scores, chances = weighed(PLAIN, [0.2, 0.9])
    assert scores == pytest.approx([0.2, 0.9])
    assert chances.argmax(axis=1).tolist() == [3, 3]
    assert chances.sum(axis=1) == pytest.approx(1)


def test_the_classifier_can_change_the_label() -> None:
    classified = np.full((1, 10), 0.0001)
    classified[0, 8] = 0.9991
    assert weighed(PLAIN, [0.9], classified)[1].argmax() == 8


def test_confidence_of_a_text_grows_with_the_product_and_keeps_the_ends() -> None:
    joint = Joint(text=(-0.5, 0.8))
    sure = [joint.text_confidence(p) for p in (0.0, 0.1, 0.5, 0.9, 1.0)]
    assert sure == sorted(sure)
    assert (sure[0], sure[-1]) == (0, 1)


def test_it_is_kept_in_metadata() -> None:
    joint = Joint((0.5, 0.6), (0, 1, 2, 3, 4, 5, 6), (0.1, 0.9), 0.4)
    plain = {"classes": [0.5, 0.6], "digit": [0, 1, 2, 3, 4, 5, 6], "text": [0.1, 0.9], "threshold": 0.4}
    assert Joint.of({"joint": json.dumps(plain)}) == joint
    assert Joint.of({}) == PLAIN


def test_heights_are_measured_against_those_that_are_surely_digits() -> None:
    boxes = np.array([(0, 0, 5, 20), (9, 0, 5, 20), (18, 0, 5, 5)], float)
    relative = relative_heights(boxes, np.array([0.9, 0.8, 0.3]))
    assert relative == pytest.approx([0, 0, np.log(0.25)])
    assert relative_heights(boxes, np.zeros(3)).tolist() == [0, 0, 0]
    assert relative_heights(np.zeros((0, 4)), np.zeros(0)).shape == (0,)
