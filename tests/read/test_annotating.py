import numpy as np

from tenfold.read.annotating import annotated
from tenfold.read.fields import ANYTHING
from tenfold.read.reading import Digit, Reading

PAPER = np.full((240, 300), 255, np.uint8)


def digit(x: int, width: int, confidence: float = 0.999, accepted: bool = True) -> Digit:
    probabilities = (0.0, confidence, *[0.0] * 8)
    return Digit(1, confidence, (x, 100, width, 60), 0, probabilities, accepted, np.zeros((28, 28), np.uint8))


def drawn(*digits: Digit) -> np.ndarray:
    return np.asarray(annotated(PAPER, Reading(None, digits, 0.9, ANYTHING, PAPER)))


def test_a_percentage_never_reaches_into_the_next_label() -> None:
    narrow, following = digit(100, 12), digit(122, 40)
    both, second = drawn(narrow, following), drawn(following)
    assert (both[:, 121:] == second[:, 121:]).all()
    assert (drawn(narrow)[:, 121:] != 255).any(), "alone it has room"


def test_a_label_is_not_hidden_by_the_next_one() -> None:
    ink = drawn(digit(100, 30), digit(108, 40))[:97, 95:107] != 255
    assert ink.any()
    assert not ink[:, -1].any(), "it ends where the next one begins"


def test_a_percentage_is_rounded_down() -> None:
    assert (drawn(digit(100, 40, 0.999)) == drawn(digit(100, 40, 0.991))).all()
    assert (drawn(digit(100, 40, 0.999)) != drawn(digit(100, 40, 0.981))).any()


def test_refused_digits_have_a_thin_box_and_no_label() -> None:
    refused = drawn(digit(100, 40, accepted=False))
    assert (refused[:98] == 255).all()
    assert (refused[130, 98:103] != 255).any()
