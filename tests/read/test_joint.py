"""What the networks say, taken together."""

import json

import numpy as np
import pytest

from tenfold.read.joint import PALE_COUNTS, Evidence, Joint, features, relative_contrasts, relative_heights

PLAIN = Joint()


def found(score: float, label: int = 3) -> np.ndarray:
    chances = np.full(11, score * 0.02)
    chances[label], chances[10] = score * 0.82, 1 - score
    return chances


def said(scores: list[float], **answers: np.ndarray) -> Evidence:
    """A finder that says 3, while the others say nothing."""
    n = len(scores)
    nothing = Evidence(
        np.array([found(s) for s in scores]),
        np.ones(n),
        np.full((n, 10), 0.1),
        np.full((n, 11), 1 / 11),
        np.full(n, 0.5),
        np.zeros(n),
        np.ones(n),
    )
    return nothing._replace(**answers)


def test_without_weights_the_finder_decides() -> None:
    scores, chances = PLAIN.weighed(said([0.2, 0.9]))
    assert scores == pytest.approx([0.2, 0.9])
    assert chances.argmax(axis=1).tolist() == [3, 3]
    assert chances.sum(axis=1) == pytest.approx(1)


@pytest.mark.parametrize(("who", "n"), [("classified", 10), ("reviewed", 11)])
def test_others_can_change_the_label(who: str, n: int) -> None:
    sure = np.full((1, n), 0.0001)
    sure[0, 8] = 1 - 0.0001 * (n - 1)
    assert PLAIN.weighed(said([0.9], **{who: sure}))[1].argmax() == 8


def test_a_classifier_of_ones_own_counts_in_what_it_says_otherwise() -> None:
    given = said([0.9])
    own = np.full((1, 10), 0.001)
    own[0, 8] = 0.991
    assert PLAIN.weighed(given, given.classified, 1.0)[1] == pytest.approx(PLAIN.weighed(given)[1])
    assert PLAIN.weighed(given, own, 0.0)[1].argmax() == 3
    assert PLAIN.weighed(given, own, 1.0)[1].argmax() == 8
    halves = [PLAIN.weighed(given, own, counts)[1][0, 8] for counts in (0.0, 0.5, 1.0)]
    assert halves == sorted(halves)


def test_what_speaks_for_a_digit_comes_in_order() -> None:
    reviewed = np.array([[*[0.02] * 10, 0.8]])
    given = said([0.9], reviewed=reviewed, judged=np.array([0.75]), support=np.array([np.e]), height=np.array([-0.5]))
    expected = [1, np.log(9), np.log(3), np.log(0.25), 1, np.log(0.1), 0.25, 0]
    assert features(given)[0] == pytest.approx(expected)


def test_some_places_of_several() -> None:
    given = said([0.2, 0.9, 0.5]).at(np.array([False, True, True]))
    assert (1 - given.found[:, 10]).tolist() == pytest.approx([0.9, 0.5])
    assert [len(answers) for answers in given] == [2] * 7


def test_no_places_weigh_nothing() -> None:
    scores, chances = PLAIN.weighed(said([0.5]).at(np.array([False])))
    assert (scores.shape, chances.shape) == ((0,), (0, 10))


def test_confidence_of_a_text_grows_with_the_product_and_keeps_the_ends() -> None:
    joint = Joint(text=(-0.5, 0.8))
    sure = [joint.text_confidence(p) for p in (0.0, 0.1, 0.5, 0.9, 1.0)]
    assert sure == sorted(sure)
    assert (sure[0], sure[-1]) == (0, 1)


def test_it_is_kept_in_metadata() -> None:
    joint = Joint((0.5, 0.6, 0.7), (0, 1, 2, 3, 4, 5, 6, 7), (0.1, 0.9), 0.4)
    plain = {"classes": [0.5, 0.6, 0.7], "digit": [0, 1, 2, 3, 4, 5, 6, 7], "text": [0.1, 0.9], "threshold": 0.4}
    assert Joint.of({"joint": json.dumps(plain)}) == joint
    assert Joint.of({}) == PLAIN


def test_heights_are_measured_against_those_that_are_surely_digits() -> None:
    boxes = np.array([(0, 0, 5, 20), (9, 0, 5, 20), (18, 0, 5, 5)], float)
    relative = relative_heights(boxes, np.array([0.9, 0.8, 0.3]))
    assert relative == pytest.approx([0, 0, np.log(0.25)])
    assert relative_heights(boxes, np.zeros(3)).tolist() == [0, 0, 0]
    assert relative_heights(np.zeros((0, 4)), np.zeros(0)).shape == (0,)


def test_what_shines_through_the_paper_is_no_digit() -> None:
    scores, chances = PLAIN.weighed(said([0.9, 0.9, 0.9], contrast=np.array([1.0, 0.5, 0.15])))
    assert scores[:2] == pytest.approx([0.9, 0.9])
    assert scores[2] == PALE_COUNTS
    assert chances.argmax(axis=1).tolist() == [3, 3, 3]


def test_contrasts_are_held_against_those_of_the_darker_digits() -> None:
    sure = np.array([0.9] * 9)
    assert relative_contrasts(np.array([0.8] * 3), sure[:3]) == pytest.approx([1, 1, 1])
    more_from_the_other_side = np.array([0.8] * 4 + [0.1] * 5)
    assert relative_contrasts(more_from_the_other_side, sure) == pytest.approx([1] * 4 + [0.125] * 5)
    a_speck_is_darker = relative_contrasts(np.array([0.4, 0.4, 0.9]), np.array([0.9, 0.9, 0.2]))
    assert a_speck_is_darker == pytest.approx([1, 1, 2.25])
    assert relative_contrasts(np.array([0.4, 0.1]), np.array([0.2, 0.1])).tolist() == [1, 1], "nothing is sure"
    assert len(relative_contrasts(np.zeros(0), np.zeros(0))) == 0
