"""Checkpoints: all variables of a training after an epoch, in one file written whole. The newest two are kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold import storage
from tenfold.errors import RunError
from tenfold.learn.runs import HISTORY_COLUMNS, History

_KEPT = 2


class Checkpoint(NamedTuple):
    """Where a training stood.

    Attributes:
        epoch: how many epochs are done.
        data_sha256: of the training digits.
        history: the columns of history.csv so far.
        arrays: the value of each variable, in the order they were saved.
    """

    epoch: int
    data_sha256: str
    history: History
    arrays: list[NDArray[Any]]


def save(folder: Path, checkpoint: Checkpoint) -> None:
    """Write `epoch-N.npz` whole, then drop all but the newest two."""
    facts = {"epoch": checkpoint.epoch, "data_sha256": checkpoint.data_sha256, "history": checkpoint.history}
    named = {f"array_{i:04}": array for i, array in enumerate(checkpoint.arrays)}
    with storage.whole_file(folder / f"epoch-{checkpoint.epoch:05}.npz") as temporary:
        np.savez(temporary, allow_pickle=False, facts=np.array(json.dumps(facts)), **named)
    for old in _files(folder)[:-_KEPT]:
        old.unlink(missing_ok=True)


def latest(folder: Path) -> Checkpoint | None:
    """The newest checkpoint that is whole, or None."""
    for path in reversed(_files(folder)):
        try:
            return _read(path)
        except Exception:  # noqa: S112  NumPy and zipfile raise a dozen unrelated types for damaged files; the one before may be whole
            continue
    return None


def values_of(variables: Sequence[Any]) -> list[NDArray[Any]]:
    """The values of Keras variables as arrays."""
    return [np.array(variable.numpy()) for variable in variables]


def restore(variables: Sequence[Any], arrays: Sequence[NDArray[Any]]) -> None:
    """Put saved values back into Keras variables, in the same order.

    Raises:
        RunError: they are of another network or optimizer.
    """
    if [tuple(variable.shape) for variable in variables] != [array.shape for array in arrays]:
        raise RunError("the checkpoint is of another network; remove the folder checkpoints, or train in another --run")
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)


def _read(path: Path) -> Checkpoint:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        facts = json.loads(str(stored["facts"]))
        arrays = [stored[name] for name in sorted(stored.files) if name != "facts"]
    epoch, history = int(facts["epoch"]), facts["history"]
    whole = all(len(history[column]) == epoch for column in HISTORY_COLUMNS) and all(a.dtype.kind in "fiub" for a in arrays)
    if not whole:
        raise ValueError("not a checkpoint")
    return Checkpoint(epoch, str(facts["data_sha256"]), history, arrays)


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("epoch-*.npz"))
