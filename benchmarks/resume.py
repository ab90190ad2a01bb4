"""`kill -9` at random moments of a training, saving included: does it always go on, and leave the same to the last byte?

A run is trained once without a fault. Others, with the same seed, are killed again and again at random moments and resumed,
until they are done; then `model.keras` (its weights), `history.csv` (without seconds) and `model.onnx` are compared. Of three
kills one comes at any moment, one while the network learns, and one while a checkpoint is written.

Usage: .venv/bin/python benchmarks/resume.py [KILLS [RECIPE]]     (default 100 mlp; KERAS_BACKEND chooses the backend)
"""

from __future__ import annotations

import csv
import os
import random
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import tenfold
from tenfold.data.sources import save

N_DIGITS, OPTIONS = 1500, ("--epochs", "60", "--batch-size", "8", "--validation", "300", "--seed", "1")
SAVES_EVERY_S = "1"  # within an epoch too
KINDS = ("any moment", "learning", "saving")
LEARNS_S = 1.0  # a part of the time in which this training learns
PATIENCE_S = 1800.0


class Left(NamedTuple):
    """What a finished run left."""

    weights: bytes
    history: tuple[tuple[str, ...], ...]
    onnx: bytes


def main() -> None:
    n_kills = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    recipe = sys.argv[2] if len(sys.argv) > 2 else "mlp"
    with tempfile.TemporaryDirectory() as place:
        digits = Path(place) / "digits.npz"
        save(tenfold.load("mnist", "train")[:N_DIGITS], digits)
        command = [sys.executable, "-m", "tenfold", "train", "--recipe", recipe, *OPTIONS, "--data", str(digits), "--resume"]
        started = time.monotonic()
        whole = Path(place) / "whole"
        finish(begin(command, whole))
        wanted, usual_s = left_by(whole), time.monotonic() - started
        moments, n_runs, differing = kill_many(command, Path(place), wanted, n_kills, usual_s)
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    print(f"{recipe} on {backend}: {n_kills} kills, {n_runs} runs finished after them, {differing} of which differ\n")
    print("| what was under way | kills |\n|---|---|")
    print("\n".join(f"| {what} | {n} |" for what, n in sorted(moments.items())))
    sys.exit(differing > 0)


def kill_many(command: list[str], place: Path, wanted: Left, n_kills: int, usual_s: float) -> tuple[Counter[str], int, int]:
    """Kill and resume; what was under way at each kill, how many runs were finished, and how many of them differ."""
    rng = random.Random(0)
    moments, n_runs, differing = Counter[str](), 0, 0
    while moments.total() < n_kills:
        run = place / f"run-{n_runs}"
        while not (run / "metrics.json").exists():
            process, started = begin(command, run), time.monotonic()
            if moments.total() == n_kills:
                finish(process)
                break
            if killed(process, run, KINDS[moments.total() % 3], rng.uniform(0, 1), usual_s):
                moments[under_way(run, process.pid)] += 1
            else:
                usual_s = time.monotonic() - started  # a shared machine is not always as fast
        n_runs += 1
        differing += left_by(run) != wanted
        print(f"{moments.total()} kills, {n_runs} runs, {differing} differ", file=sys.stderr, flush=True)
    return moments, n_runs, differing


def begin(command: list[str], run: Path) -> subprocess.Popen[str]:
    environment = os.environ | {"TENFOLD_MAX_LOST_S": SAVES_EVERY_S}
    return subprocess.Popen(
        [*command, "--run", str(run)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment
    )


def finish(process: subprocess.Popen[str]) -> None:
    said = process.communicate(timeout=PATIENCE_S)[1]
    if process.returncode or said:
        raise SystemExit(f"a training failed: {said}")


def killed(process: subprocess.Popen[str], run: Path, kind: str, share: float, usual_s: float) -> bool:
    """Kill a training when a share of its time is over, or of that in which it learns; whether it was not done before."""
    kill_at = time.monotonic() + share * usual_s if kind == "any moment" else None
    before = newest(run)
    while process.poll() is None:
        if kill_at is None:
            kill_at = time.monotonic() + share * LEARNS_S if newest(run) != before else None
        elif time.monotonic() > kill_at and (
            kind != "saving" or any("epoch" in half.name for half in halves(run, process.pid))
        ):
            process.kill()
        time.sleep(0 if kind == "saving" else 0.005)
    said = process.communicate()[1]
    if process.returncode > 0 or said:
        raise SystemExit(f"a training failed: {said}")
    return process.returncode < 0


def newest(run: Path) -> float:
    """When the history was written last; it is after each epoch."""
    history = run / "history.csv"
    return history.stat().st_mtime if history.exists() else 0.0


def halves(run: Path, pid: int) -> list[Path]:
    return [path for folder in (run, run / "checkpoints") for path in folder.glob(f".{pid}.*")]


def under_way(run: Path, pid: int) -> str:
    half = halves(run, pid)
    if half:
        return f"writing {half[0].name.removeprefix(f'.{pid}.').split('-')[0].replace('epoch', 'a checkpoint')}"
    if not (run / "recipe.json").exists():
        return "before it began"
    return "figures, report and model" if (run / "model.keras").exists() else "loading, learning, measuring"


def left_by(run: Path) -> Left:
    with zipfile.ZipFile(run / "model.keras") as archive:
        weights = archive.read("model.weights.h5")
    with (run / "history.csv").open(newline="") as file:
        history = tuple(tuple(row[:5]) for row in csv.reader(file))
    return Left(weights, history, (run / "model.onnx").read_bytes())


if __name__ == "__main__":
    main()
