"""A recipe over several seeds: mean and standard deviation of validation and test accuracy, as RESULTS.md has them.

Usage: .venv/bin/python benchmarks/seeds.py RECIPE SEEDS     (on JAX: with KERAS_BACKEND=jax before it)
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

import tenfold


def main() -> None:
    recipe, n_seeds = sys.argv[1], int(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        runs = [tenfold.train(recipe, seed=seed, bare=True, run=Path(folder) / str(seed)) for seed in range(n_seeds)]
        metrics = [run.metrics for run in runs]
    print(f"{recipe} on {metrics[0]['data']}, {metrics[0]['backend']}, seeds 0-{n_seeds - 1}, commit {metrics[0]['commit']}")
    for key in ("val_accuracy", "test_accuracy", "ece", "ece_calibrated", "seconds"):
        values = [m[key] for m in metrics]
        listed = " ".join(f"{value:.4f}" for value in values)
        print(f"{key:15} mean {statistics.mean(values):.4f}  deviation {statistics.stdev(values):.4f}  ({listed})")


if __name__ == "__main__":
    main()
