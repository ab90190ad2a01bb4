"""Digits drawn in other forms: seldom, the same for the same state, never twice alike, and still those digits."""

import numpy as np

from tenfold import Reader
from tenfold.learn import numerals

FORMS = [ways + further for ways, further in zip(numerals._WAYS, numerals._FURTHER, strict=True)]


def test_most_hands_write_most_digits_like_mnists_writers() -> None:
    chosen = np.array([numerals.forms(np.random.default_rng(k)) for k in range(400)])
    assert (chosen == [numerals.forms(np.random.default_rng(k)) for k in range(400)]).all()
    shares = (chosen >= 0).mean(axis=0)
    assert 0.25 < shares[1] < 0.45
    others = np.delete(shares, 1)
    assert ((others > 0.05) & (others < 0.2)).all()
    for label, ways in enumerate(numerals._WAYS):
        assert set(chosen[:, label]) == set(range(-1, len(ways)))


def test_there_may_be_more_of_all_forms() -> None:
    chosen = np.array([numerals.more_forms(np.random.default_rng(k)) for k in range(600)])
    shares = (chosen >= 0).mean(axis=0)
    assert 0.25 < shares[1] < 0.45
    others = np.delete(shares, 1)
    assert ((others > 0.18) & (others < 0.32)).all()
    for label, ways in enumerate(FORMS):
        assert set(chosen[:, label]) == set(range(-1, len(ways)))


def test_they_are_drawn_whole_and_never_quite_the_same() -> None:
    random = np.random.default_rng(0)
    for label, ways in enumerate(FORMS):
        for form in range(len(ways)):
            one, other = (numerals.drawn(label, form, random) for _ in range(2))
            assert one.dtype == np.uint8
            assert (one != other).any()
            inked = np.flatnonzero((one > 0).any(axis=1))
            assert 50 < inked[-1] - inked[0] < 150
            assert not np.concatenate([one[0], one[-1], one[:, 0], one[:, -1]]).any(), "the rim cuts it"


def test_they_are_still_the_digits_that_they_stand_for() -> None:
    random = np.random.default_rng(1)
    labels = np.repeat(np.arange(10), 24)
    drawn = [numerals.drawn(label, k % len(FORMS[label]), random) for k, label in enumerate(labels)]
    assert (Reader().classify(drawn).labels == labels).mean() > 0.75
