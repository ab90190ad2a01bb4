"""What is said of readings; how it is said of real ones is tested where it is printed."""

from dataclasses import replace

import pytest

from tenfold.picture import Source
from tenfold.read.fields import Field
from tenfold.read.notes import notes, share
from tenfold.read.reading import Digit, Reading


def never(source: Source) -> Reading:
    raise AssertionError


def of(label: int, confidence: float, accepted: bool = True) -> Digit:
    return Digit(label, confidence, (0, 0, 1, 1), 0, (0.0,) * 10, accepted)


@pytest.mark.parametrize(
    ("reading", "said"),
    [
        (Reading(None, (of(7, 0.99),), 0.99), []),
        (Reading(None, (), 0.95), ["no digits found"]),
        (
            Reading(None, (of(7, 0.99), replace(of(2, 0.2, False), pale=True)), 0.8),
            ["left out 2, much paler than the rest, as what shines through the paper is"],
        ),
        (Reading(None, (of(7, 0.3, False),), 0.8), ["nothing read; what was found there is hardly a digit"]),
        (
            Reading(None, (of(7, 0.9), of(2, 0.8, False)), 0.8, Field(n_digits=1)),
            ["left out to agree with what is known about the field: a 2 (80 %); the text is right with a probability of 80 %"],
        ),
    ],
)
def test_only_what_is_odd_is_said_and_what_is_sure_is_not_turned(reading: Reading, said: list[str]) -> None:
    assert notes(reading, never) == said


def test_a_refused_text_says_how_sure_it_was() -> None:
    refused = Reading(None, (of(7, 0.8, False),), 0.8)
    assert notes(refused, never, 0.99) == ["refused: its text would be right with a probability of 80 % only"]


@pytest.mark.parametrize(
    ("sure", "said"),
    [(1, "100 %"), (0.9989, "99.8 %"), (0.995, "99.5 %"), (0.987, "99 %"), (0.5, "50 %"), (0.00001, "less than")],
)
def test_how_sure_it_is_is_never_more_than_it_is(sure: float, said: str) -> None:
    assert share(sure).startswith(said)
