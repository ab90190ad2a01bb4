"""Toy digits, a Ray cluster of three nodes in this machine, and a place whose trainings take no time."""

import os
import random
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tenfold import Digits
from tenfold.cluster.trainings import Outcome, Training
from tenfold.data.sources import save
from tenfold.learn import recipes, runs
from tenfold.learn.recipe import Recipe

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # or Ray would take 127.0.0.1 for the address that other machines see
os.environ["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"  # Ray warns of a default that is to change


@pytest.fixture(scope="session")
def recipe(toy: Digits, tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    path = tmp_path_factory.mktemp("toy") / "toy.npz"
    save(toy, path)
    changes = ["epochs=25", "validation=100", "optimizer.learning_rate=1e-4", f'data="{path}"']
    return recipes.changed(recipes.RECIPES["classic"], changes)


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """The address of a Ray cluster of three nodes with one core each."""
    cluster = next(filter(None, (three_nodes() for _ in range(3))), None)
    assert cluster is not None, "Ray could not be started in three attempts"
    yield cluster.address
    cluster.shutdown()


def three_nodes() -> Any:
    """A Ray cluster, or None: on a busy machine Ray's processes do not always come up within the 30 s that it allows."""
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "node_ip_address": "127.0.0.1", "include_log_monitor": False}
    cluster = Cluster()
    try:
        cluster.add_node(**node, include_dashboard=False)
        for _ in range(2):
            cluster.add_node(**node)
    except Exception:  # Ray raises no class of its own for it
        cluster.shutdown()
        return None
    return cluster


class Instant:
    """A place where a training is a formula: its accuracy rises towards what its learning rate deserves.

    Trainings end soon, in an order that the seed decides. After so many it is as if Ctrl-C had been pressed.
    """

    n_workers = 2

    def __init__(self, seed: int = 0, dies_after: int = 10**6) -> None:
        self._random, self._dies_after = random.Random(seed), dies_after
        self.trained: list[str] = []

    def start(self, training: Training) -> Future[Outcome]:
        if len(self.trained) == self._dies_after:
            raise KeyboardInterrupt
        self.trained.append(Path(training.folder).name)
        future: Future[Outcome] = Future()
        threading.Timer(self._random.choice((0, 0.2)), lambda: future.set_result(self._train(training))).start()
        return future

    def _train(self, training: Training) -> Outcome:
        changes = [b for a, b in zip(training.options, training.options[1:], strict=False) if a == "--set"]
        chosen = recipes.changed(recipes.read(Path(training.options[1])), changes)
        rate = chosen.optimizer.learning_rate
        if rate < 2e-5:
            return Outcome("failed", "too slow to be worth it")
        best = 1 - abs(np.log10(rate) + 2.5) / 10
        history: runs.History = {column: [] for column in runs.HISTORY_COLUMNS}
        for epoch in range(1, chosen.epochs + 1):
            accuracy = float(best * (1 - 0.5**epoch))
            for column, value in zip(runs.HISTORY_COLUMNS, (epoch, 1.0, accuracy, 1.0, accuracy, 0.1), strict=True):
                history[column].append(value)
        run = Path(training.folder)
        runs.write_history(history, run / "history.csv")
        facts = dict.fromkeys(("test_accuracy", "test_interval", "temperature", "threshold"))
        counts = dict.fromkeys(("parameters", "epochs", "seconds", "seed", "n_validation", "n_test"), 1)
        facts |= counts | {"backend": "", "data_sha256": "", "val_accuracy": history["val_accuracy"][-1]}
        runs.write_json(facts, run / "metrics.json")
        return Outcome("done")


def processes_with(text: str) -> list[int]:
    """The processes whose command line holds a text, but for this one."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if text in line:
                found.append(int(folder.name))
    return found


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def parent_of(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("PPid")))
