"""The classic experiment for real: the command, the 42,000 digits, ten epochs, everything it leaves behind."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


def tenfold(*arguments: str, cwd: Path, **env: str) -> str:
    command = [sys.executable, "-m", "tenfold", *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, env=os.environ | env)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_newcomer_trains_looks_predicts_and_submits(tmp_path: Path) -> None:
    printed = tenfold("train", "--recipe", "classic", cwd=tmp_path, KERAS_BACKEND="tensorflow")
    run = tmp_path / "runs" / "classic"
    metrics = json.loads((run / "metrics.json").read_bytes())
    assert metrics["parameters"] == 109_386
    assert metrics["epochs"] == 10
    assert metrics["val_accuracy"] >= 0.9681
    assert metrics["test_accuracy"] >= 0.9650
    low, high = metrics["test_interval"]
    assert low < metrics["test_accuracy"] < high < low + 0.006
    assert len((run / "history.csv").read_text().splitlines()) == 11
    assert "tenfold evaluate runs/classic" in printed

    assert "none of these 28,000 digits" in tenfold("evaluate", "runs/classic", cwd=tmp_path)
    tenfold("convert", "digit-recognizer", "test.csv", "--part", "test", "--no-labels", cwd=tmp_path)
    tenfold("submit", "runs/classic", "test.csv", "-o", "submission.csv", cwd=tmp_path)
    assert len((tmp_path / "submission.csv").read_text().splitlines()) == 28_001
    tenfold("convert", "mnist", "pictures", "--part", "test", cwd=tmp_path)
    seven = sorted((tmp_path / "pictures" / "7").iterdir())[0]
    assert tenfold("read", "--model", "runs/classic", str(seven), cwd=tmp_path).strip() == "7"


@pytest.mark.slow
def test_jax_reaches_the_same_accuracy(tmp_path: Path) -> None:
    tenfold("train", "--recipe", "classic", "--bare", cwd=tmp_path, KERAS_BACKEND="jax")
    metrics = json.loads((tmp_path / "runs" / "classic" / "metrics.json").read_bytes())
    assert metrics["backend"] == "jax"
    assert metrics["val_accuracy"] >= 0.9681


@pytest.mark.slow
def test_one_epoch_of_cnn_fast_passes_98_5_percent_on_test_digits(tmp_path: Path) -> None:
    """The regression test of augmentation, schedule, norms, convolutions and their export together."""
    tenfold("train", "--recipe", "cnn-fast", "--epochs", "1", cwd=tmp_path, KERAS_BACKEND="tensorflow")
    metrics = json.loads((tmp_path / "runs" / "cnn-fast" / "metrics.json").read_bytes())
    assert metrics["test_accuracy"] >= 0.985
    printed = tenfold("evaluate", "runs/cnn-fast", cwd=tmp_path)
    assert f"{100 * metrics['test_accuracy']:.2f} %" in printed, "the exported network answers as the trained one"


def test_train_py_is_the_classic_experiment_and_takes_no_options(tmp_path: Path) -> None:
    script = Path(__file__).parents[1] / "train.py"
    lines = [line for line in script.read_text().splitlines() if line.strip()]
    assert lines[-2:] == ['run = tenfold.train("classic")', "print(run)"]
    refused = subprocess.run(
        [sys.executable, script, "--epochs", "1"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == "error: train.py takes no options; give them to tenfold train, such as tenfold train --epochs 1\n"
    assert not list(tmp_path.iterdir())
