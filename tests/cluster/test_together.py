import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from tenfold.cluster import together
from tenfold.errors import RecipeError, RunError, UsageError
from tenfold.learn import recipes
from tenfold.learn.recipe import Recipe

from .conftest import kill, processes_with


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


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere they go on")
def test_processes_end_with_the_one_that_was_asked_to(short: Recipe, tmp_path: Path) -> None:
    (tmp_path / "recipe.json").write_bytes(recipes.as_json(recipes.changed(short, ["epochs=100000"])))
    code = """
import sys
from pathlib import Path
from tenfold.cluster import together
from tenfold.learn import recipes
together.train(recipes.read(Path(sys.argv[1])), Path(sys.argv[2]), 2)
"""
    folder = tmp_path / "shared"
    parent = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "recipe.json"), str(folder)])

    def shards() -> set[int]:
        return set(processes_with(f"{sys.executable} -m tenfold.cluster.shard")) & set(processes_with(f" {folder} "))

    def wait_for(n: int) -> None:
        deadline = time.monotonic() + 60
        while len(shards()) != n:
            assert time.monotonic() < deadline
            time.sleep(0.05)

    try:
        wait_for(2)
        parent.terminate()
        parent.wait()
        wait_for(0)
    finally:
        for pid in (parent.pid, *shards()):
            with suppress(ProcessLookupError):
                kill(pid)
        parent.wait()
