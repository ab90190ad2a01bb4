"""Parts of a stream: what a function makes of composed pages, in order, whoever made it."""

import numpy as np
import pytest

import tenfold
from tenfold.learn import streaming
from tenfold.learn.composing import Composer

pytestmark = pytest.mark.one_backend


def some(composer: Composer, random: np.random.Generator) -> streaming.Arrays:
    """One to three numbers, each twice."""
    n = int(random.integers(1, 4))
    drawn = random.integers(0, 1000, n)
    return drawn, 2 * drawn


def test_parts_come_in_order_whoever_made_them() -> None:
    digits = tenfold.load("mnist", "train")[:200]
    one, two = (list(streaming.stream(some, digits, [], 2, 300, seed=4, processes=n)) for n in (1, 2))
    for (a, b), (c, d) in zip(one, two, strict=True):
        assert (a == c).all()
        assert (b == d).all()
        assert (b == 2 * a).all()
    expected = [some(Composer(digits), np.random.default_rng([4, k]))[0] for k in range(600)]
    assert np.concatenate([part[0] for part in one]).tolist() == np.concatenate(expected).tolist()
