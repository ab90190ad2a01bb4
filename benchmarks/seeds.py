"""A recipe over several seeds: mean and standard deviation of validation and test accuracy, as RESULTS.md has them.

Usage: .venv/bin/python benchmarks/seeds.py RECIPE SEEDS [KEY=VALUE ...]     (on JAX: with KERAS_BACKEND=jax before it)
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

import tenfold


def main() -> None:
    recipe, n_seeds, changes = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    with tempfile.TemporaryDirectory() as folder:
        metrics = []
        for seed in range(n_seeds):
            run = tenfold.train(recipe, seed=seed, changes=changes, bare=True, run=Path(folder) / str(seed))
            metrics.append(run.metrics)
    what = " ".join([recipe, *changes])
    print(f"{what} on {metrics[0]['data']}, {metrics[0]['backend']}, seeds 0-{n_seeds - 1}, commit {metrics[0]['commit']}")
    for key in ("val_accuracy", "test_accuracy", "ece", "ece_calibrated", "seconds"):
        values = [m[key] for m in metrics]
        if None in values:
            continue
        listed = " ".join(f"{value:.4f}" for value in values)
        print(f"{key:15} mean {statistics.mean(values):.4f}  deviation {statistics.stdev(values):.4f}  ({listed})")


if __name__ == "__main__":
    main()
