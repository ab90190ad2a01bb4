"""How fast a rival answers, on one core: answering.py WHO. Weights as first drawn: they do not change the speed.

Prints one line of JSON: seconds from the start of the process to the first answer, milliseconds for one digit, digits a second
in batches of 1,000, and the most memory the process held, in MB. `answering.py matrix`: GFLOP/s of that core's matrix product.
"""

from __future__ import annotations

import functools
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

STARTED = float(os.environ.get("BENCH_STARTED", time.time()))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Before NumPy and the others count the cores.
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

import numpy as np
from numpy.typing import NDArray

Answer = Callable[[NDArray[np.uint8]], NDArray[np.integer]]


def tenfold_bundled() -> Answer:
    from tenfold.read import model

    bundled = model.load_bundled(threads=1)  # its pool of threads would take both cores in spite of the affinity
    return lambda images: bundled.probabilities(images).argmax(axis=1)


def of_recipe(recipe: str) -> Answer:
    """A recipe's network, exported before the clock starts into the folder of runs that the environment names."""
    from tenfold.read import model

    own = model.load(Path(os.environ["BENCH_RUNS"]) / recipe / "model.onnx", threads=1)
    return lambda images: own.probabilities(images).argmax(axis=1)


def keras_predict() -> Answer:
    from keras_convnet import predict

    return predict


def keras_call() -> Answer:
    from keras_convnet import model

    return lambda images: np.asarray(model(images[..., None].astype("float32") / 255)).argmax(axis=1)


def torch_example() -> Answer:
    from torch_mnist import predict

    return predict


def sklearn_mlp() -> Answer:
    from sklearn_mlp import model

    model.partial_fit(np.zeros((10, 784), np.float32), np.arange(10), classes=np.arange(10))  # it has no weights before
    return lambda images: model.predict(images.reshape(-1, 784).astype("float32") / 255)


WHO: dict[str, Callable[[], Answer]] = {
    "tenfold": tenfold_bundled,
    "tenfold-cnn-fast": functools.partial(of_recipe, "cnn-fast"),
    "tenfold-mlp": functools.partial(of_recipe, "mlp"),
    "keras-predict": keras_predict,
    "keras-call": keras_call,
    "torch": torch_example,
    "sklearn": sklearn_mlp,
}


def most_memory_mb() -> float:
    """The most memory this process has held; `getrusage` would tell that of its parent, if this was more."""
    status = Path("/proc/self/status").read_text()
    return float(status.split("VmHWM:")[1].split()[0]) / 1024


def main() -> None:
    if sys.argv[1] == "matrix":
        from tenfold.learn.speed import matrix_product

        print(json.dumps({"gflop_per_s": matrix_product()}))
        return
    images = np.random.default_rng(0).integers(0, 256, (10_000, 28, 28), np.uint8)
    answer = WHO[sys.argv[1]]()
    answer(images[:1])
    first = time.time() - STARTED
    singles = []
    for i in range(100):
        started = time.perf_counter()
        answer(images[i : i + 1])
        singles.append(time.perf_counter() - started)
    rates = []
    for _ in range(3):
        started = time.perf_counter()
        for i in range(0, len(images), 1000):
            answer(images[i : i + 1000])
        rates.append(len(images) / (time.perf_counter() - started))
    print(
        json.dumps(
            {
                "first_answer_s": first,
                "one_ms": 1000 * statistics.median(singles),
                "per_second": max(rates),
                "memory_mb": most_memory_mb(),
            }
        )
    )


if __name__ == "__main__":
    main()
