"""Small digits that a network learns in a few steps, and one run trained on them."""

from pathlib import Path

import pytest

from tenfold import Digits, Run
from tenfold.data.sources import save


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
