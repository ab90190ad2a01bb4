import numpy as np
import pytest

from tenfold.learn import clutter

pytestmark = pytest.mark.one_backend

BOXES = np.array([(20 + 30 * (k % 4), 20 + 50 * (k // 4), 24, 36) for k in range(12)], np.float32)


def drawn(seed: int) -> np.ndarray:
    return clutter.drawn_over(np.zeros((180, 160), np.float32), BOXES, 36, 4, np.random.default_rng(seed))


def shares(drawing: np.ndarray) -> np.ndarray:
    """How much of each box is drawn over."""
    return np.array([(drawing[y : y + h, x : x + w] > 0.25).mean() for x, y, w, h in BOXES.astype(int)])


def test_whatever_is_drawn_over_digits_hides_none_of_them() -> None:
    """A circle around digits may cross some, which is all that may come on top of a fifth of a box."""
    drawings = [drawn(seed) for seed in range(300)]
    covered = np.array([shares(drawing).max() for drawing in drawings])
    assert covered.max() < 0.45
    assert (covered > 0.3).mean() < 0.01
    assert 0.1 < (covered > 0.02).mean() < 0.6, "strokes do cross digits"
    assert 0.3 < np.mean([drawing.any() for drawing in drawings]) < 0.9


def test_the_same_numbers_draw_the_same() -> None:
    assert (drawn(3) == drawn(3)).all()


def test_printed_words_hold_letters_like_digits_among_at_least_as_many_others() -> None:
    random = np.random.default_rng(0)
    words = [word.strip(":.,") for _ in range(500) for word in clutter._words(random).split()]
    alike = [sum(letter in "BIOSZlosz" for letter in word) for word in words]
    assert all(2 * n <= len(word) for n, word in zip(alike, words, strict=True))
    assert not any(n for n, word in zip(alike, words, strict=True) if len(word) < 3)
    assert 0.3 < np.mean([n > 0 for n in alike]) < 0.9
    assert any(word.isupper() for word in words)
    assert any(word.islower() for word in words)
