"""Small digits that a network learns in a few steps, and one run trained on them."""

from pathlib import Path

import numpy as np
import pytest

from tenfold import Digits, Run
from tenfold.data.sources import save


def make_toy(n: int, seed: int) -> Digits:
    """Digits whose class is the height of a bright bar, with noise."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 10, n).astype(np.uint8)
    images = rng.integers(0, 60, (n, 28, 28)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[2 * label + 4 : 2 * label + 7, 4:24] = 250
    return Digits(images, labels, "toy")


@pytest.fixture(scope="session")
def toy() -> Digits:
    return make_toy(400, seed=0)


@pytest.fixture(scope="session")
def toy_csv(toy: Digits, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("toy") / "train.csv"
    save(toy, path)
    return path


@pytest.fixture(scope="session")
def toy_run(toy_csv: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run, figures, report and ONNX included; tests only read it."""
    from tenfold.learn.training import train

    folder = tmp_path_factory.mktemp("runs") / "toy"
    return train("classic", data=str(toy_csv), epochs=2, seed=5, changes=["optimizer.learning_rate=3e-3"], run=folder)
