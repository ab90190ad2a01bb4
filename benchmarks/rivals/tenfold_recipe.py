"""A recipe of tenfold under the same watch: tenfold_recipe.py RECIPE."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from watched import STARTED

import tenfold
from tenfold.learn.progress import Observer


class Watch(Observer):
    """Prints each epoch as the rivals do."""

    def epoch_ends(self, row: Mapping[str, float | None]) -> None:
        line = {"epoch": row["epoch"], "seconds": time.time() - STARTED, "accuracy": row["val_accuracy"]}
        print(json.dumps(line), flush=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        run = tenfold.train(
            sys.argv[1], data="mnist", validation=5000, bare=True, run=Path(folder) / "run", observers=[Watch()]
        )
        print(json.dumps({"test": run.metrics["test_accuracy"], "seconds": time.time() - STARTED}), flush=True)


if __name__ == "__main__":
    main()
