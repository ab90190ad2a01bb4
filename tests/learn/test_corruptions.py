import numpy as np
import pytest

import tenfold
from tenfold.learn import corruptions
from tenfold.learn.corruptions import CORRUPTIONS, SEVERITIES, corrupted

pytestmark = pytest.mark.one_backend


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return tenfold.load("mnist", "train").images[:50]


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_the_more_severe_the_further_from_the_digit(images: np.ndarray, name: str) -> None:
    distances = []
    for severity in SEVERITIES:
        made = corrupted(images, name, severity)
        assert (made.shape, made.dtype) == (images.shape, np.uint8)
        distances.append(float(np.abs(made.astype(int) - images).mean()))
    assert distances == sorted(distances)
    assert distances[0] > 0.3
    assert (corrupted(images, name, 3) == corrupted(images, name, 3)).all(), "the same arguments, the same images"


def test_a_shift_is_by_whole_pixels(images: np.ndarray) -> None:
    moved = corrupted(images, "shift", 2)
    for one, other in zip(moved, images, strict=True):
        wide = np.pad(other, 2)
        views = {(y, x): wide[y : y + 28, x : x + 28] for y in range(5) for x in range(5)}
        (place,) = [place for place, view in views.items() if (view == one).all()]
        assert np.hypot(*(np.array(place) - 2)) == pytest.approx(2, abs=0.9)


def test_rotation_is_by_the_degrees_it_says() -> None:
    bar = np.zeros((1, 28, 28), np.uint8)
    bar[0, 4:24, 13:15] = 255
    turned = corrupted(bar, "rotation", 5)[0].astype(float)
    y, x = np.mgrid[:28, :28] - 13.5
    covariance = np.array([[(turned * a * b).sum() for a in (x, y)] for b in (x, y)])
    direction = np.linalg.eigh(covariance)[1][:, 1]
    assert abs(direction[0]) == pytest.approx(abs(direction[1]), abs=0.03), "45 degrees"


def test_strokes_get_wider_or_narrower(images: np.ndarray) -> None:
    ink = images.sum()
    assert corrupted(images, "thicker", 5).sum() > 2 * ink
    assert corrupted(images, "thinner", 5).sum() < 0.6 * ink


def test_every_is_each_way_at_each_severity(images: np.ndarray) -> None:
    made = [(name, severity) for name, severity, _ in corruptions.every(images[:2])]
    assert made == [(name, severity) for name in CORRUPTIONS for severity in SEVERITIES]
