"""Checkpoints: all that a training needs to go on as if never interrupted, in one file written whole. Two are kept."""

from __future__ import annotations

import hashlib
import json
import re
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold import storage
from tenfold.errors import RunError, TenfoldNotice
from tenfold.learn.runs import HISTORY_COLUMNS, History

Arrays = list[NDArray[Any]]

_NAME = re.compile(r"epoch-(\d{1,9})(?:\.step-(\d{1,9}))?\.npz")


class Part(NamedTuple):
    """How far an epoch is.

    Attributes:
        n_steps: so many steps are done.
        loss: summed over their digits.
        n_correct: of their digits, the number read right.
        n_digits: their number.
        seconds: they took.
    """

    n_steps: int = 0
    loss: float = 0.0
    n_correct: float = 0.0
    n_digits: float = 0.0
    seconds: float = 0.0


class Checkpoint(NamedTuple):
    """Where a training stood.

    Attributes:
        epoch: how many epochs are done.
        given: what the training was begun with, in words; it goes on with the same alone.
        history: the columns of history.csv so far.
        arrays: the value of each variable of model and optimizer, random generators included, in the order they were saved.
        best: the values of the model alone after its best epoch; empty before there is one.
        part: how far the next epoch is.
    """

    epoch: int
    given: Mapping[str, str]
    history: History
    arrays: Arrays
    best: Arrays = []  # noqa: RUF012  never changed in place
    part: Part = Part()

    @property
    def name(self) -> str:
        """Of its file."""
        return f"epoch-{self.epoch:05}{f'.step-{self.part.n_steps:06}' if self.part.n_steps else ''}.npz"


def save(folder: Path, checkpoint: Checkpoint) -> None:
    """Write `epoch-N.npz`, or `epoch-N.step-M.npz` within an epoch, whole; keep the one before and drop all others."""
    facts = json.dumps([checkpoint.epoch, dict(checkpoint.given), checkpoint.history, checkpoint.part])
    named = {f"array_{i:04}": array for i, array in enumerate(checkpoint.arrays)}
    named |= {f"best_{i:04}": array for i, array in enumerate(checkpoint.best)}
    checksum = sha256_of(facts, checkpoint.arrays, checkpoint.best)
    with storage.whole_file(folder / checkpoint.name) as temporary:
        np.savez(temporary, allow_pickle=False, facts=np.array(facts), sha256=np.array(checksum), **named)
    # What sorts after it is damaged, or this training would not have gone on from before.
    files = _files(folder)
    place = files.index(folder / checkpoint.name)
    for path in [*files[: max(0, place - 1)], *files[place + 1 :]]:
        path.unlink(missing_ok=True)


def latest(folder: Path) -> Checkpoint | None:
    """The newest checkpoint that is whole, or None. A notice says of damaged ones that they are."""
    for path in reversed(_files(folder)):
        try:
            return _read(path)
        except Exception as problem:  # NumPy and zipfile raise a dozen unrelated types for damaged files
            said = f"{path}: damaged ({str(problem)[:80] or type(problem).__name__}); going on from before it"
            warnings.warn(said, TenfoldNotice, stacklevel=2)
    return None


def values_of(variables: Sequence[Any]) -> Arrays:
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


def sha256_of(text: str, *groups: Arrays) -> str:
    """The SHA-256 of a text and arrays, their types and shapes: 64 hexadecimal digits."""
    digest = hashlib.sha256(text.encode())
    for group in groups:
        for array in group:
            digest.update(f"{array.dtype.str}{array.shape}".encode())
            digest.update(array.tobytes())
    return digest.hexdigest()


def _read(path: Path) -> Checkpoint:
    with zipfile.ZipFile(path) as archive:
        if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
            raise ValueError("compressed, so that little could become much")
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        text = str(stored["facts"])
        arrays, best = ([stored[n] for n in sorted(stored.files) if n.startswith(kind)] for kind in ("array_", "best_"))
        if str(stored["sha256"]) != sha256_of(text, arrays, best):
            raise ValueError("wrong checksum")
    epoch, given, history, part = json.loads(text)
    found = Checkpoint(int(epoch), {str(key): str(value) for key, value in given.items()}, history, arrays, best, Part(*part))
    whole = all(len(history[column]) == epoch for column in HISTORY_COLUMNS)
    if not whole or path.name != found.name or any(array.dtype.kind not in "fiub" for array in [*arrays, *best]):
        raise ValueError("not a checkpoint")
    return found


def _files(folder: Path) -> list[Path]:
    """The checkpoints in a folder, the oldest first."""
    found = {path: match for path in folder.glob("epoch-*") if (match := _NAME.fullmatch(path.name))}
    return sorted(found, key=lambda path: (int(found[path][1]), int(found[path][2] or 0)))
