"""Hands: digits as high as asked for, in a hand's own forms and bends, without a margin, and still those digits."""

from dataclasses import replace

import numpy as np
from PIL import Image

from tenfold import Reader
from tenfold.data.digits import Digits
from tenfold.data.sources import load
from tenfold.learn import clutter
from tenfold.learn.hands import Hand

DIGITS = load("mnist", "train")[:300]
NO_FORMS = np.full(10, -1)


def _hand(seed: int, height: float = 60) -> Hand:
    return replace(Hand.drawn(np.random.default_rng(seed), height), bars=False, flags=False, forms=NO_FORMS)


def _written(hand: Hand, digits: Digits, seed: int = 0) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [
        hand.digit(int(label), image, hand.height, random)
        for image, label in zip(digits.images, digits.known_labels, strict=True)
    ]


def test_a_hand_writes_as_high_as_it_says_and_without_a_margin() -> None:
    heights = [len(one) for seed in range(8) for one in _written(_hand(seed), DIGITS[:20], seed)]
    assert 50 < np.median(heights) < 75
    for one in _written(_hand(1), DIGITS[:20]):
        assert one.dtype == np.uint8
        assert one[0].any()
        assert one[-1].any()
        assert one[:, 0].any()
        assert one[:, -1].any()


def test_the_same_state_gives_the_same_hand_and_digits() -> None:
    first, second = (_hand(3).varied(np.random.default_rng(4)) for _ in range(2))
    assert all(
        (one == other).all() for one, other in zip(_written(first, DIGITS[:10]), _written(second, DIGITS[:10]), strict=True)
    )


def test_varied_hands_have_more_forms_and_most_bend_digits_while_the_rest_stays() -> None:
    hand = _hand(5)
    varied = [hand.varied(np.random.default_rng(seed)) for seed in range(200)]
    assert {replace(one, forms=hand.forms, bends=None) == hand for one in varied} == {True}
    assert 0.5 < np.mean([one.bends is not None for one in varied]) < 0.7
    forms = np.array([one.forms for one in varied])
    assert 0.2 < (forms[:, 2:] >= 0).mean() < 0.3


def test_a_hand_bends_a_figure_always_alike_and_no_more_than_a_little_differently() -> None:
    bends = np.random.default_rng(0).normal(0, 0.06, (10, 2, 4, 4))
    hand = replace(_hand(6), bends=bends, turn=0.0, slant=0.0, uneven=0.0)
    one, again, straight = (
        _silhouette(_written(its, DIGITS[:1], seed)[0]) for its, seed in ((hand, 1), (hand, 2), (replace(hand, bends=None), 1))
    )
    assert np.abs(one - again).mean() < np.abs(one - straight).mean()


def test_a_printer_prints_all_alike() -> None:
    random = np.random.default_rng(8)
    printer = _hand(8).printed(clutter.packaged_fonts(), random)
    first, second = (printer.digit(5, DIGITS.images[k], 40, random) for k in range(2))
    assert (first == second).all()


def test_varied_digits_are_still_those_that_they_stand_for() -> None:
    written = [
        one
        for seed in range(10)
        for one in _written(
            replace(_hand(seed, 90), pen=9.0).varied(np.random.default_rng(seed)), DIGITS[30 * seed : 30 * seed + 30], seed
        )
    ]
    assert (Reader().classify(written).labels == DIGITS.known_labels).mean() > 0.85


def _silhouette(digit: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(digit).resize((24, 32), Image.Resampling.BOX), np.float32)
