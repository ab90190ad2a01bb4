import hashlib

import numpy as np
import pytest

import tenfold
from tenfold import Digits
from tenfold.errors import DataError


def some(n: int = 10) -> Digits:
    images = np.arange(n * 784).reshape(n, 28, 28).astype(np.uint8)
    return Digits(images, np.arange(n, dtype=np.uint8) % 10, "some")


@pytest.mark.parametrize(
    ("images", "labels", "said"),
    [
        (np.zeros((1, 28, 28), np.float32), None, "expected uint8"),
        (np.zeros((1, 784), np.uint8), None, r"expected uint8 \(N, 28, 28\)"),
        (np.zeros((1, 28, 28), np.uint8), np.zeros(1, int), "labels are int64"),
        (np.zeros((2, 28, 28), np.uint8), np.zeros(1, np.uint8), "2 images but 1 labels"),
        (np.zeros((2, 28, 28), np.uint8), np.array([3, 10], np.uint8), "row 2: label 10"),
    ],
)
def test_what_is_no_set_of_digits_is_refused(images: np.ndarray, labels: np.ndarray | None, said: str) -> None:
    with pytest.raises(DataError, match=said):
        Digits(images, labels, "bad")


def test_a_part_keeps_images_and_labels_together() -> None:
    part = some()[[7, 2]]
    assert part.known_labels.tolist() == [7, 2]
    assert (part.images == some().images[[7, 2]]).all()
    assert len(some()[3:]) == 7


@pytest.mark.parametrize(("validation", "n_training"), [(0, 10), (3, 7), (0.2, 8), (0.0, 10), (1, 9)])
def test_the_last_digits_are_held_out(validation: float, n_training: int) -> None:
    training, held_out = some().split(validation)
    assert training.known_labels.tolist() == list(range(n_training))
    assert held_out.known_labels.tolist() == list(range(n_training, 10))


@pytest.mark.parametrize("validation", [10, 11, 0.99, 1.0, 5.0, -1, -0.1, float("nan"), float("inf")])
def test_something_must_be_left_to_train_on(validation: float) -> None:
    with pytest.raises(DataError, match="cannot hold out"):
        some().split(validation)


def test_fingerprints_are_equal_exactly_for_equal_pixels() -> None:
    twice = some()[[0, 1, 0]]
    assert twice.fingerprints[0] == twice.fingerprints[2] != twice.fingerprints[1]
    expected = int.from_bytes(hashlib.blake2b(twice.images[0].tobytes(), digest_size=8).digest(), "little")
    assert int(twice.fingerprints[0]) == expected


def test_the_hash_is_over_images_then_labels() -> None:
    digits = some(3)
    assert digits.sha256 == hashlib.sha256(digits.images.tobytes() + digits.known_labels.tobytes()).hexdigest()
    assert digits.unlabelled().sha256 != digits.sha256
    assert digits[::-1].sha256 != digits.sha256


def test_labels_that_are_not_there_are_asked_for_in_words() -> None:
    with pytest.raises(DataError, match="has no labels"):
        _ = some().unlabelled().known_labels


def test_numpy_numbers_hold_out_as_pythons_do() -> None:
    assert [len(part) for part in some().split(np.int64(3))] == [7, 3]
    assert [len(part) for part in some().split(np.float64(0.3))] == [7, 3]


def test_no_digits_are_a_set_too() -> None:
    """An empty part, such as the validation digits of a run without any, has counts, fingerprints and a hash."""
    nothing = some()[:0]
    assert nothing.counts.tolist() == [0] * 10
    assert nothing.fingerprints.shape == (0,)
    assert nothing.sha256 == hashlib.sha256(b"").hexdigest()


def test_fingerprints_do_not_depend_on_the_layout_in_memory() -> None:
    digits = some()
    other = Digits(np.asfortranarray(digits.images), digits.labels, "other")
    assert (other.fingerprints == digits.fingerprints).all()
    assert other.sha256 == digits.sha256


def test_what_is_hardly_white_ink_on_black_is_said() -> None:
    digits = tenfold.load("mnist", "test")[:50]
    assert digits.oddity() is None
    for images, said in (
        (255 - digits.images, "is this ink on paper"),
        (digits.images // 128, "Multiply them by 255"),
        (np.zeros_like(digits.images), "blank"),
    ):
        assert said in str(Digits(images, digits.labels, "x").oddity())
