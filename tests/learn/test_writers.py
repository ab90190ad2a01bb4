import numpy as np
import pytest

from tenfold import Digits
from tenfold.data.sources import load
from tenfold.learn import writers
from tenfold.learn.writers import HABITS, LEAST, MOST, Writer

pytestmark = pytest.mark.one_backend


@pytest.fixture(scope="module")
def digits() -> Digits:
    return load("mnist", "train")[-1500:]


@pytest.fixture(scope="module")
def ten(digits: Digits) -> Digits:
    return digits[[int(np.flatnonzero(digits.known_labels == label)[0]) for label in range(10)]]


ODD = Writer("odd", forms=1, seed=2, turn=10, slant=-20, narrow=0.2, pen=0.5, bend=1.5, habits=HABITS)


def test_the_same_writer_writes_the_same_again(ten: Digits) -> None:
    one, again, later = ODD.write(ten), ODD.write(ten), ODD.write(ten, seed=1)
    assert (one.images == again.images).all()
    assert (one.images != later.images).any(), "no two digits of a hand are the same"
    assert one.known_labels.tolist() == list(range(10))
    assert one.name == "odd's mnist train"


def test_what_is_written_is_a_glyph_like_any_other(ten: Digits) -> None:
    for image in ODD.write(ten).images:
        rows, columns = (np.flatnonzero((image > 64).any(axis=axis)) for axis in (1, 0))
        assert 19 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 20
        y, x = (float((np.arange(28) * image.sum(axis=axis)).sum() / image.sum()) for axis in (1, 0))
        assert abs(y - 14) < 1.5
        assert abs(x - 14) < 1.5


def test_a_hand_without_peculiarities_changes_little(ten: Digits) -> None:
    written = Writer("plain").write(ten).images.astype(int)
    assert np.abs(written - ten.images).mean() < 12
    assert np.abs(ODD.write(ten).images.astype(int) - ten.images).mean() > 25


@pytest.mark.parametrize("habit", HABITS)
def test_a_habit_concerns_its_figure_alone(ten: Digits, habit: str) -> None:
    plain, changed = Writer("w").write(ten).images, Writer("w", habits=(habit,)).write(ten).images
    differ = np.flatnonzero((plain != changed).any(axis=(1, 2)))
    assert differ.tolist() == [int(habit[-1])]


@pytest.mark.parametrize(
    ("change", "measured"),
    [
        ({"slant": 25}, lambda image: _lean(image)),
        ({"narrow": 0.35}, lambda image: -np.ptp(np.flatnonzero((image > 64).any(axis=0)))),
        ({"pen": 1.0}, lambda image: image.sum()),
    ],
)
def test_an_amount_does_what_its_name_says(ten: Digits, change: dict[str, float], measured: object) -> None:
    plain, changed = Writer("w").write(ten).images, Writer("w", **change).write(ten).images  # type: ignore[arg-type]
    gains = [measured(b.astype(float)) - measured(a.astype(float)) for a, b in zip(plain, changed, strict=True)]  # type: ignore[operator]
    assert np.mean(gains) > 0
    assert np.mean(np.array(gains) >= 0) >= 0.8


def _lean(image: np.ndarray) -> float:
    """How far the upper half lies to the right of the lower."""
    columns = np.arange(28)
    upper, lower = image[:14].sum(axis=0), image[14:].sum(axis=0)
    return float((columns * upper).sum() / upper.sum() - (columns * lower).sum() / lower.sum())


def test_a_writers_sevens_look_alike(digits: Digits) -> None:
    own = Writer("w", forms=3).own(digits, 10)
    assert own.counts.tolist() == [10] * 10

    def spread(some: np.ndarray) -> float:
        return float(some.astype(float).std(axis=0).mean())

    for label in (2, 4, 7):
        assert spread(own.images[own.known_labels == label]) < 0.9 * spread(digits.images[digits.known_labels == label])
    assert (Writer("w", forms=4).own(digits, 10).images != own.images).any()


def test_the_search_finds_a_harder_hand_within_the_bounds(digits: Digits) -> None:
    means = np.stack([digits.images[digits.known_labels == label].mean(axis=0) for label in range(10)]).reshape(10, -1)

    def probabilities(images: np.ndarray) -> np.ndarray:
        away = ((images.reshape(len(images), 1, -1) - means) ** 2).sum(axis=-1)
        return np.asarray(away == away.min(axis=1, keepdims=True), np.float32)

    easy, hard = (writers.search("w", 1, digits, probabilities, below=0.0, tries=n) for n in (0, 6))
    assert writers.accuracy(hard, digits, probabilities) < writers.accuracy(easy, digits, probabilities)
    assert all(LEAST[key] <= getattr(hard, key) <= MOST[key] for key in MOST)
    assert writers.search("w", 1, digits, probabilities, below=0.0, tries=6) == hard
    assert writers.search("w", 1, digits, probabilities, below=1.0, tries=6) == easy, "it is hard enough at once"


def test_a_digit_without_ink_stays_one() -> None:
    blank = Digits(np.zeros((10, 28, 28), np.uint8), np.arange(10, dtype=np.uint8), "blank")
    assert Writer("w").write(blank).images.max() == 0
    assert ODD.write(blank).images.shape == (10, 28, 28)
