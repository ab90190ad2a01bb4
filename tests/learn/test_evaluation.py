import math

import numpy as np
import pytest
from scipy.stats import binomtest

import tenfold
from tenfold import Digits
from tenfold.errors import DataError
from tenfold.learn import doubtful, evaluation
from tenfold.learn.evaluation import Evaluation

pytestmark = pytest.mark.one_backend


def judged(labels: list[int], rows: list[dict[int, float]]) -> Evaluation:
    probabilities = np.zeros((len(rows), 10), np.float32)
    for row, shares in zip(probabilities, rows, strict=True):
        for label, share in shares.items():
            row[label] = share
    images = np.zeros((len(labels), 28, 28), np.uint8)
    return Evaluation(Digits(images, np.array(labels, np.uint8), "few"), probabilities)


FOUR = judged([3, 3, 5, 9], [{3: 0.9, 5: 0.1}, {5: 0.8, 3: 0.2}, {5: 0.6, 0: 0.4}, {4: 1.0}])


@pytest.mark.parametrize(("right", "n"), [(0, 10), (7, 10), (10, 10), (9681, 10_000)])
def test_wilson_interval_is_scipys(right: int, n: int) -> None:
    expected = binomtest(right, n).proportion_ci(method="wilson")
    assert evaluation.wilson_interval(right, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_every_class_has_its_precision_recall_and_f1() -> None:
    assert FOUR.accuracy == 0.5
    assert FOUR.confusion[3, 5] == 1
    assert FOUR.confusion.sum() == 4
    assert FOUR.precision[[3, 4, 5]].tolist() == [1.0, 0.0, 0.5]
    assert FOUR.recall[[3, 5, 9]].tolist() == [0.5, 1.0, 0.0]
    assert FOUR.f1[[3, 5, 9]] == pytest.approx([2 / 3, 2 / 3, 0])
    assert np.isnan(FOUR.precision[0]), "no digit was read as 0"


def test_mistakes_come_with_the_most_confident_first() -> None:
    assert FOUR.mistakes.tolist() == [3, 1]
    assert FOUR.confused_pairs() == [(3, 5, 1), (9, 4, 1)]


def test_log_loss_is_the_mean_negative_logarithm_and_finite_for_a_certain_mistake() -> None:
    assert FOUR.log_loss == pytest.approx(-np.mean(np.log([0.9, 0.2, 0.6, 1e-7])), rel=1e-6)


def test_ece_by_hand() -> None:
    # Confidences 0.9, 0.8, 0.6, 1.0 fall into four different bins of 15; right, wrong, right, wrong.
    assert FOUR.ece == pytest.approx((0.1 + 0.8 + 0.4 + 1.0) / 4, abs=1e-6)
    assert FOUR.reliability.counts.sum() == 4


def test_summary_is_plain_json_with_none_where_a_rate_does_not_exist() -> None:
    import json

    summary = json.loads(json.dumps(FOUR.summary(), allow_nan=False))
    assert summary["precision"][0] is None
    assert summary["digits"] == 4


def test_temperature_undoes_overconfidence() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (4000, 10))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = np.array([rng.choice(10, p=row) for row in shares], np.uint8)
    overconfident = evaluation.tempered(shares.astype(np.float32), 1 / 3)
    assert evaluation.fit_temperature(overconfident, labels) == pytest.approx(3, rel=0.1)
    assert np.abs(evaluation.tempered(overconfident, 3) - shares).max() < 1e-3


def test_tempered_probabilities_add_up_to_one_even_where_some_are_zero() -> None:
    row = np.array([[1, 0, 0, 0, 0, 0, 0, 0, 0, 0]], np.float32)
    assert evaluation.tempered(row, 1.7).sum() == pytest.approx(1)


def test_fingerprints_tell_how_many_digits_were_trained_on(toy: Digits) -> None:
    assert evaluation.count_trained_on(toy[90:110], np.unique(toy[:100].fingerprints)) == 10


def test_unlabelled_digits_cannot_be_judged() -> None:
    unlabelled = Evaluation(FOUR.digits.unlabelled(), FOUR.probabilities)
    with pytest.raises(DataError, match="no labels"):
        _ = unlabelled.accuracy


def test_coverage_is_the_accuracy_on_the_surest() -> None:
    assert FOUR.coverage == pytest.approx([0, 1 / 2, 1 / 3, 2 / 4]), "in order of confidence: wrong, right, wrong, right"
    assert FOUR.refused_to_reach(0.5) == 0
    assert FOUR.refused_to_reach(0.9) is None
    better = judged([1, 2, 3, 4], [{1: 0.9}, {2: 0.8}, {3: 0.7}, {5: 0.6}])
    assert better.refused_to_reach(0.999) == 0.25


def test_temperature_changes_confidence_and_not_the_answer() -> None:
    calibrated = Evaluation(FOUR.digits, FOUR.probabilities, None, 2.0).calibrated
    assert (calibrated.predictions == FOUR.predictions).all()
    assert calibrated.confidence[0] == pytest.approx(0.9**0.5 / (0.9**0.5 + 0.1**0.5))


def test_the_fifteen_doubtful_digits_are_found_wherever_they_are() -> None:
    test = tenfold.load("mnist", "test")
    one = Evaluation(test, np.eye(10, dtype=np.float32)[np.zeros(len(test), int)])
    kept = one.without_doubtful
    assert len(kept.digits) == 9_985
    assert set(test.fingerprints[list(doubtful.INDICES)].tolist()) == set(doubtful.FINGERPRINTS.tolist())
    assert one.summary()["doubtful"] == 15
    assert one.summary()["accuracy_without_doubtful"] == kept.accuracy != one.accuracy
    assert FOUR.summary()["accuracy_without_doubtful"] is None


@pytest.mark.parametrize(("only_one", "only_other"), [(0, 0), (1, 0), (5, 5), (10, 3), (0, 8)])
def test_mcnemar_is_a_sign_test_over_the_digits_that_only_one_reads_right(only_one: int, only_other: int) -> None:
    one = np.array([True] * only_one + [False] * only_other + [True, False])
    other = np.array([False] * only_one + [True] * only_other + [True, False])
    n = only_one + only_other
    expected = min(1.0, 2 * sum(math.comb(n, k) for k in range(min(only_one, only_other) + 1)) / 2**n)
    assert evaluation.mcnemar(one, other) == (only_one, only_other, pytest.approx(expected))
