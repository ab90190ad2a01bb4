import numpy as np
import pytest

from tenfold.learn import marks

pytestmark = pytest.mark.one_backend


def drawn(kind: str, seed: int = 0) -> tuple[np.ndarray, float]:
    ink = np.zeros((80, 120), np.uint8)
    return ink, marks.mark(ink, kind, 20, 55, 30, 3, np.random.default_rng(seed))


@pytest.mark.parametrize("kind", marks.SHARES)
def test_a_mark_takes_room_and_all_but_a_space_leave_ink(kind: str) -> None:
    for seed in range(20):
        ink, end = drawn(kind, seed)
        assert 20 < end < 90
        assert ink.any() == (kind != " ")
        assert not ink[:, :12].any()
        assert not ink[:, int(end) + 6 :].any()


def test_parentheses_and_brackets_are_higher_than_digits_and_open_to_their_side() -> None:
    for seed in range(20):
        for opening, closing in (("(", ")"), ("[", "]")):
            for kind in (opening, closing):
                rows, columns = np.nonzero(drawn(kind, seed)[0])
                assert np.ptp(rows) + 1 > 30
                outer = (rows < rows.min() + 3) | (rows > rows.max() - 3)
                middle = np.abs(rows - (rows.min() + rows.max()) / 2) < 4
                assert (columns[outer].mean() > columns[middle].mean()) == (kind == opening)


def test_shares_are_shares_and_what_encloses_is_among_them() -> None:
    assert sum(marks.SHARES.values()) == pytest.approx(1)
    assert all(kind in marks.SHARES for pair in marks.ENCLOSING for kind in pair)


@pytest.mark.parametrize("kind", sorted(marks.SHARES))
def test_pale_ink_stays_pale_and_takes_none_away(kind: str) -> None:
    ink = np.zeros((80, 120), np.uint8)
    ink[20:60, 30:34] = 200
    before = ink.copy()
    marks.mark(ink, kind, 20, 55, 30, 3, np.random.default_rng(0), strength=150)
    assert (ink >= before).all()
    assert ink.max() == 200
    assert ((ink == 150).any() and kind != " ") or (ink == before).all()


def test_the_same_numbers_draw_the_same() -> None:
    assert all((drawn(kind, 3)[0] == drawn(kind, 3)[0]).all() for kind in marks.SHARES)
