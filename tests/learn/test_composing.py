import numpy as np
import pytest

import tenfold
from tenfold.learn.composing import HEIGHT, Composer


@pytest.fixture(scope="module")
def composer() -> Composer:
    return Composer(tenfold.load("mnist", "train")[:2000])


def test_a_line_has_its_digits_from_left_to_right_inside_the_picture(composer: Composer) -> None:
    for seed in range(60):
        line = composer.line(np.random.default_rng(seed))
        assert line.picture.dtype == np.uint8
        assert line.picture.shape[0] == HEIGHT
        assert len(line.labels) == len(line.centres) <= 12
        assert set(line.labels) <= set(range(10))
        assert all(0 <= centre < line.picture.shape[1] for centre in line.centres)
    widths = [composer.line(np.random.default_rng(1), n).picture.shape[1] for n in (1, 4, 12)]
    assert widths == sorted(widths)


def test_the_same_numbers_give_the_same_line(composer: Composer) -> None:
    one, same = (composer.line(np.random.default_rng(5)) for _ in range(2))
    assert (one.picture == same.picture).all()
    assert one.labels == same.labels
    assert composer.line(np.random.default_rng(6)).picture.shape != one.picture.shape


def test_where_a_digit_is_the_paper_is_darker(composer: Composer) -> None:
    darker = []
    for seed in range(40):
        line = composer.line(np.random.default_rng(seed), 3)
        paper = np.median(line.picture)
        for centre in line.centres:
            there = line.picture[:, max(0, int(centre) - 4) : int(centre) + 5]
            darker.append(paper - there.min() > 10)
    assert np.mean(darker) > 0.95


def test_a_line_without_digits_has_none(composer: Composer) -> None:
    assert composer.line(np.random.default_rng(0), 0).labels == ()
