from pathlib import Path

import numpy as np
import pytest

from tenfold.cluster import together
from tenfold.errors import RecipeError, RunError, UsageError
from tenfold.learn import recipes
from tenfold.learn.recipe import Recipe


@pytest.fixture
def short(recipe: Recipe) -> Recipe:
    """300 digits in batches of 32: the last of an epoch is not full."""
    return recipes.changed(recipe, ["epochs=2", "network.batch_norm=true", "optimizer.learning_rate=1e-3"])


def weights(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as stored:
        return dict(stored)


def test_two_processes_of_a_cluster_learn_what_one_learns(short: Recipe, address: str, tmp_path: Path) -> None:
    one = weights(together.train(short, tmp_path / "one", 1))
    two = weights(together.train(short, tmp_path / "two", 2, address))
    assert one.keys() == two.keys()
    for name, array in one.items():
        assert np.allclose(array, two[name], rtol=1e-4, atol=1e-5), name


@pytest.mark.parametrize(
    ("change", "n_processes", "said"),
    [
        ("label_smoothing=0.1", 2, "label_smoothing cannot be used"),
        ('augmentation={"shift":1}', 2, "augmentation cannot be used"),
        ("batch_size=33", 2, "cannot be shared evenly"),
    ],
)
def test_what_cannot_be_shared_is_refused(short: Recipe, tmp_path: Path, change: str, n_processes: int, said: str) -> None:
    with pytest.raises((RecipeError, UsageError), match=said):
        together.train(recipes.changed(short, [change]), tmp_path / "x", n_processes)
    assert not (tmp_path / "x").exists()


def test_a_process_that_breaks_down_is_said_so(short: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(together._ENVIRONMENT, "KERAS_BACKEND", "none")
    with pytest.raises(RunError, match="ended before the training was done"):
        together.train(short, tmp_path / "x", 1)
