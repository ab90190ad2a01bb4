"""What all rivals have in common: the same digits, and a line of JSON after each epoch, timed from the start of the process."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

import tenfold

# Of the process, as the parent saw it.
STARTED = float(os.environ.get("BENCH_STARTED", time.time()))


def digits() -> tuple[tenfold.Digits, tenfold.Digits, tenfold.Digits]:
    """MNIST: the first 55,000 digits to learn from, the other 5,000 to watch, the 10,000 to test once."""
    return *tenfold.load("mnist", "train").split(5000), tenfold.load("mnist", "test")


def watch(n_epochs: int, epoch: Callable[[], object], predict: Callable[[NDArray[np.uint8]], NDArray[np.integer]]) -> None:
    """Run epochs; print the accuracy on the watched digits after each, at last the one on the test digits."""
    _, watched, test = digits()
    for number in range(1, n_epochs + 1):
        epoch()
        accuracy = float((predict(watched.images) == watched.known_labels).mean())
        print(json.dumps({"epoch": number, "seconds": time.time() - STARTED, "accuracy": accuracy}), flush=True)
    accuracy = float((predict(test.images) == test.known_labels).mean())
    print(json.dumps({"test": accuracy, "seconds": time.time() - STARTED}), flush=True)
