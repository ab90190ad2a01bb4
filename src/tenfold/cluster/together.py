"""One training shared by several processes, each with a part of every batch, here or on a Ray cluster.

For sets of digits that are far larger than MNIST: every process still loads all of them, and computes its share of each step.
For MNIST's size it is slower than one process (docs/scale.md). Keras on JAX; there are no checkpoints: one process that dies
ends the training.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tenfold import storage
from tenfold.cluster import places, trainings
from tenfold.errors import RecipeError, RunError, UsageError
from tenfold.learn import recipes
from tenfold.learn.recipe import Recipe
from tenfold.learn.splits import split

_LOOKS_EVERY_S, _PATIENCE_S = 0.2, 120.0
_ENVIRONMENT = {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "JAX_CPU_COLLECTIVES_IMPLEMENTATION": "gloo"}


def train(recipe: Recipe, folder: Path, n_processes: int, address: str | None = None) -> Path:
    """Train a recipe in several processes at once.

    Args:
        recipe: without augmentation, label smoothing, teachers or rehearsal; its batch size is that of all processes together.
        folder: takes recipe.json and weights.npz; must be new, and on a cluster one that all machines see.
        n_processes: how many share each batch.
        address: of a Ray cluster, as in `places.opened`; None is this machine.

    Returns:
        The file weights.npz: `weights_0000` … in the order of the Keras model, and `loss` and `accuracy` of each epoch;
        all of them are the same within float error, whatever the number of processes.

    Raises:
        RecipeError: the recipe has something that this cannot do.
        UsageError: the batch cannot be shared evenly.
        RunError: the folder is taken, or a process ended before it was done.
    """
    _refuse(recipe, n_processes)
    if storage.exists(folder):
        raise RunError(f"{folder} exists already; name a new folder")
    split(recipe)
    storage.write_bytes(folder / "recipe.json", recipes.as_json(recipe))
    where = str(folder.absolute()), str(Path.cwd()), n_processes
    if address is None:
        _watch([_started(*where, number) for number in range(n_processes)], folder)
    else:
        with places.joined(address) as ray:
            # No retries: a process that comes again would not find its place among the others.
            work = ray.remote(_run).options(num_cpus=1, max_retries=0, scheduling_strategy="SPREAD")
            try:
                ray.get([work.remote(*where, number) for number in range(n_processes)])
            except ray.exceptions.RayError as problem:
                raise RunError(f"{folder}: {str(getattr(problem, 'cause', problem)).splitlines()[0][:200]}") from problem
    return folder / "weights.npz"


def load_weights(model: Any, path: Path) -> None:
    """Put the weights of a shared training into a Keras model of its recipe (`networks.build`)."""
    with np.load(path, allow_pickle=False) as stored:
        model.set_weights([stored[name] for name in sorted(stored.files) if name.startswith("weights_")])


def _refuse(recipe: Recipe, n_processes: int) -> None:
    has = {
        "augmentation": recipe.augmentation,
        "label_smoothing": recipe.label_smoothing or None,
        "teaching": recipe.teaching,
        "rehearsal": recipe.rehearsal,
        "start_from": recipe.start_from,
    }
    found = [name for name, value in has.items() if value is not None]
    if found:
        raise RecipeError(f"recipe {recipe.name}: {', '.join(found)} cannot be used in a training that processes share")
    if n_processes < 1 or recipe.batch_size % n_processes:
        raise UsageError(f"a batch of {recipe.batch_size} cannot be shared evenly by {n_processes} processes")


def _run(folder: str, place: str, n_processes: int, number: int) -> None:
    """Be one of the processes; a task of Ray."""
    _watch([_started(folder, place, n_processes, number)], Path(folder))


def _started(folder: str, place: str, n_processes: int, number: int) -> subprocess.Popen[bytes]:
    coordinator = _coordinator(Path(folder), number)
    arguments = [coordinator, str(n_processes), str(number), folder]
    with (Path(folder) / f"process-{number + 1}.log").open("wb") as log:
        return subprocess.Popen(
            trainings.tied("-m", "tenfold.cluster.shard", *arguments),
            cwd=place,
            env=os.environ | _ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def _coordinator(folder: Path, number: int) -> str:
    """Where the processes find each other: the first one chooses, and writes it into the folder that all see.

    Raises:
        RunError: it is not there after two minutes.
    """
    path, deadline = folder / "coordinator", time.monotonic() + _PATIENCE_S
    if number == 0:
        with socket.socket() as free:
            free.bind(("", 0))
            port = free.getsockname()[1]
        storage.write_text(path, f"{_own_address()}:{port}")
    while not path.is_file():
        if time.monotonic() > deadline:
            raise RunError(f"{path}: the first process did not begin; all machines of a cluster must see the same files")
        time.sleep(_LOOKS_EVERY_S)
    return path.read_text("utf-8")


def _own_address() -> str:
    """By which other machines reach this one; without a cluster there are none."""
    ray = sys.modules.get("ray")
    return str(ray.util.get_node_ip_address()) if ray and ray.is_initialized() else "127.0.0.1"


def _watch(processes: Sequence[subprocess.Popen[bytes]], folder: Path) -> None:
    """Wait until all have ended well; when one does not, end the others.

    Raises:
        RunError: one did not.
    """
    try:
        while any(process.poll() is None for process in processes):
            if any(process.poll() for process in processes):
                break
            time.sleep(_LOOKS_EVERY_S)
    finally:
        for process in processes:
            process.kill() if process.poll() is None else None
            process.wait()
    if any(process.returncode for process in processes):
        codes = ", ".join(str(process.returncode) for process in processes)
        raise RunError(f"{folder}: a process ended before the training was done (exit codes {codes}); see process-*.log there")
