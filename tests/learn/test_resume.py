"""Fault 48, from outside: however often a training is killed, the finished run is byte for byte the uninterrupted one."""

import csv
import random
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

# Batch norm, a cycle of rates, digits moved at random, a clean last epoch: all that has a state of its own.
OPTIONS = [
    *("--recipe", "classic", "--epochs", "6", "--batch-size", "8", "--validation", "80"),
    *("--set", "network.units=[64]", "--set", "network.batch_norm=true", "--set", "optimizer.schedule=one_cycle"),
    *("--set", 'augmentation={"rotation":10,"shift":1,"clean_epochs":1}'),
]
PATIENCE_S = 1800


def begin(toy_csv: Path, run: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tenfold", "train", *OPTIONS, "--data", str(toy_csv), "--run", str(run), "--resume"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> None:
    said = process.communicate(timeout=PATIENCE_S)[1]
    assert (process.returncode, said) == (0, "")


def kill_when(process: subprocess.Popen[str], moment: Callable[[], bool], delay_s: float) -> bool:
    """Kill a training some time after a moment; whether it still ran."""
    deadline = time.monotonic() + PATIENCE_S
    while not moment() and process.poll() is None and time.monotonic() < deadline:
        pass  # a file being written is there for milliseconds
    time.sleep(delay_s)
    process.kill()
    said = process.communicate()[1]
    assert said == ""
    return process.returncode < 0


def left_by(run: Path) -> tuple[bytes, list[list[str]], bytes]:
    """The weights, the history without seconds, and the ONNX file of a finished run."""
    with zipfile.ZipFile(run / "model.keras") as archive:
        weights = archive.read("model.weights.h5")
    with (run / "history.csv").open(newline="") as file:
        history = [row[:5] for row in csv.reader(file)]
    return weights, history, (run / "model.onnx").read_bytes()


def halves(folder: Path, suffix: str) -> list[str]:
    """The files that are being written in a folder, or that a killed training left so."""
    return [path.name for path in folder.glob(f".[0-9]*{suffix}")]


@pytest.fixture(scope="module")
def whole(toy_csv: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "whole"
    finish(begin(toy_csv, run))
    return run


def test_48_killed_at_any_moment_the_finished_run_is_the_uninterrupted_one(toy_csv: Path, whole: Path, tmp_path: Path) -> None:
    run = tmp_path / "killed"
    checkpoints = run / "checkpoints"
    random_s = random.Random(48).uniform

    def n_epochs() -> int:
        return len((run / "history.csv").read_bytes().splitlines()) - 1 if (run / "history.csv").is_file() else 0

    moments: list[tuple[Callable[[], bool], float]] = [
        (lambda: (run / ".lock").exists(), random_s(0, 0.05)),
        (lambda: bool(halves(checkpoints, ".npz")), 0),
        (lambda: n_epochs() >= 3, random_s(0, 0.02)),
        (lambda: bool(halves(checkpoints, ".npz")) and n_epochs() >= 4, 0),
        (lambda: bool(halves(run, "model.keras")) or (run / "model.keras").exists(), random_s(0, 0.02)),
    ]
    killed = [kill_when(begin(toy_csv, run), moment, delay_s) for moment, delay_s in moments]
    assert sum(killed) >= 3
    finish(begin(toy_csv, run))
    assert left_by(run) == left_by(whole)
    assert halves(run, "") == halves(checkpoints, "") == []
