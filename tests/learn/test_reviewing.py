"""What the reviewer learns from and how: proposals with their labels, one small training that learns, the same in ONNX."""

import numpy as np

import tenfold
from tenfold.learn import backend, exporting, reviewing
from tenfold.learn.composing import Composer
from tenfold.read.reviewer import SIDE, Reviewer


def made(n: int) -> reviewing.Seen:
    composer = Composer(tenfold.load("mnist", "train")[:2000])
    parts = [reviewing.propose(composer, np.random.default_rng([3, k])) for k in range(n)]
    return reviewing.Seen(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def test_proposals_repeat_and_hold_digits_and_others() -> None:
    seen, again = made(25), made(25)
    assert (seen.views == again.views).all()
    assert (seen.labels == again.labels).all()
    assert seen.views.shape == (len(seen.labels), 2, SIDE, SIDE)
    assert np.isin(seen.labels, range(11)).all()
    assert (seen.labels < 10).mean() > 0.5
    assert (seen.labels == 10).any()


def test_proposals_are_those_of_the_pictures_in_order() -> None:
    digits = tenfold.load("mnist", "train")[:2000]
    seen, streamed = made(6), reviewing.proposals(digits, [], 6, seed=3, processes=1)
    assert (streamed.views == seen.views).all()
    assert (streamed.labels == seen.labels).all()


def test_digits_alone_are_proposed_with_little_else() -> None:
    digits = tenfold.load("mnist", "train")[:2000]
    seen = reviewing.proposals(digits, [], 40, seed=4, processes=1, kind="alone")
    assert (seen.labels < 10).mean() > 0.8
    assert 40 <= len(seen.labels) < 120


def test_it_learns_and_onnx_answers_the_same_in_half_the_room() -> None:
    seen = made(25)
    model = reviewing.train(seen, epochs=12, learning_rate=3e-3)
    content = exporting.reviewer_to_onnx(model, {"joint": {}})
    answered = Reviewer(content).probabilities(seen.views)
    assert (answered.argmax(axis=1) == seen.labels).mean() > 0.8
    keras_answers = backend.load_keras().ops.convert_to_numpy(model(seen.views[:50]))
    np.testing.assert_allclose(answered[:50], keras_answers, atol=2e-3)  # weights are rounded
    assert len(content) < 2.4 * model.count_params()
    assert content == exporting.reviewer_to_onnx(model, {"joint": {}})
    assert Reviewer(content).metadata["joint"] == "{}"
