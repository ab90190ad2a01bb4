"""Letters by hand: where they lie, that no two are alike, and that the same numbers write the same."""

import numpy as np
import pytest

from tenfold.learn import clutter, letters

pytestmark = pytest.mark.one_backend


def points(strokes: list[letters.Points]) -> np.ndarray:
    return np.array([point for stroke in strokes for point in stroke])


@pytest.mark.parametrize(("capital", "lowest"), [(True, 1.25), (False, 1.65)])
def test_a_letter_stands_on_its_line(capital: bool, lowest: float) -> None:
    for seed in range(200):
        x, y = points(letters.letter(np.random.default_rng(seed), capital=capital)).T
        assert -0.35 < x.min() < x.max() < 1.4
        assert -0.35 < y.min() < y.max() < lowest


def test_a_steady_hand_goes_through_the_points_given() -> None:
    for ways in (letters._ways(capital, alike) for capital in (True, False) for alike in (True, False)):
        for strokes in ways:
            for stroke in strokes:
                curve = np.array(letters.curve(stroke))
                assert all(np.abs(curve - point / 10).sum(axis=1).min() < 1e-9 for point in stroke)
                assert np.abs(np.diff(curve, axis=0)).max() < 0.35, "no leaps"


def test_the_same_numbers_write_the_same_and_others_do_not() -> None:
    first, again, other = (points(letters.letter(np.random.default_rng(seed), 0.4)) for seed in (5, 5, 6))
    assert (first == again).all()
    assert first.shape != other.shape or (first != other).all()
    steady, unsteady = (
        np.ptp([points(letters.letter(_Always(seed), u))[0] for seed in range(30)], axis=0).max() for u in (0.1, 0.5)
    )
    assert unsteady > 3 * steady


def test_letters_of_a_word_stand_side_by_side() -> None:
    for seed in range(50):
        strokes, width = letters.word(np.random.default_rng(seed), 6)
        x = points(strokes)[:, 0]
        assert 1.2 < width < 9
        assert x.max() < width + 1, "what is slanted leans over its place"
        assert len(np.unique(np.floor(x / width * 6).clip(0, 5))) == 6, "ink along all of it"


def test_in_words_at_most_every_second_letter_looks_like_a_digit_and_alone_none_does() -> None:
    random = np.random.default_rng(0)
    chosen = [letters.alike_among(random, n) for n in range(1, 9) for _ in range(200)]
    lengths = np.repeat(np.arange(1, 9), 200)
    counts = np.array([len(some) for some in chosen])
    assert (counts <= lengths // 2).all()
    assert not counts[lengths < 3].any()
    assert all(some <= set(range(n)) for some, n in zip(chosen, lengths, strict=True))
    assert (counts[lengths == 8] == 4).any()
    seeds = range(20)
    plain, alike = ([letters.word(np.random.default_rng(k), 6, alike=yes)[1] for k in seeds] for yes in (False, True))
    assert plain != alike, "they are written"


def test_no_letter_is_one_that_looks_like_a_digit() -> None:
    assert set(letters._WAYS) <= set(clutter.LETTERS)
    assert len({name for name in letters._WAYS if name.isalpha()}) == 43
    assert set(letters._LIKE_DIGITS) == set("BIOSZlosz")


class _Always(np.random.Generator):
    """Chooses the first of all ways, and is unsteady otherwise."""

    def __init__(self, seed: int) -> None:
        super().__init__(np.random.PCG64(seed))

    def integers(self, *_: object, **__: object) -> int:  # type: ignore[override]
        return 0
