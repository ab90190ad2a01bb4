"""The loop over epochs: shuffle, step, measure, keep. Knows nothing of run folders beyond where checkpoints go."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenfold.data.digits import Digits
from tenfold.errors import RunError
from tenfold.learn import backend, checkpoints, evaluation, networks, runs
from tenfold.learn.checkpoints import Checkpoint
from tenfold.learn.progress import Observer
from tenfold.learn.recipes import Recipe
from tenfold.learn.runs import History

# An epoch is cut into this many calls when somebody watches, so that a bar can move.
_CALLS_AN_EPOCH = 40


class Fitting:
    """A training under way: model, optimizer and history, from the first epoch or from a checkpoint.

    Attributes:
        model: the Keras model, updated in place.
        history: the columns of history.csv so far.
        data_sha256: of the digits it learns from.
        probabilities: what the model answers to images, uint8 (N, 28, 28): float32 (N, 10).
    """

    def __init__(
        self,
        model: Any,
        optimizer: Any,
        recipe: Recipe,
        training: Digits,
        validation: Digits,
        teachers: Sequence[Any] = (),
        order: Callable[[int], NDArray[np.int32]] | None = None,
    ) -> None:
        """Compile the steps; `order` says which digits an epoch has, all of them shuffled by default."""
        self.model = model
        self._order = order or (lambda epoch: shuffled(len(training), recipe.batch_size, recipe.seed, epoch))
        self.history: History = {column: [] for column in runs.HISTORY_COLUMNS}
        self._recipe, self._training, self._validation = recipe, training, validation
        self.data_sha256 = training.sha256
        objective = backend.Objective(recipe.label_smoothing, recipe.teaching.share if recipe.teaching else 0.0)
        learning = networks.taught(model, teachers) if teachers else model
        self._steps = backend.compiled_steps(learning, optimizer, training.images, training.known_labels, objective)
        self.probabilities = backend.compiled_forward(model)
        self._variables: Sequence[Any] = [*model.variables, *optimizer.variables]
        self._first = self.values()

    @property
    def epochs_done(self) -> int:
        return len(self.history["epoch"])

    def go_on_from(self, checkpoint: Checkpoint) -> None:
        """Continue as if never interrupted."""
        checkpoints.restore(self._variables, checkpoint.arrays)
        self.history = checkpoint.history

    def values(self) -> list[NDArray[Any]]:
        """All variables of model and optimizer, for `restore`."""
        return checkpoints.values_of(self._variables)

    def restore(self, values: Sequence[NDArray[Any]]) -> None:
        """Put all variables back to what they were."""
        checkpoints.restore(self._variables, values)

    def begin_anew(self) -> None:
        """Go back to the first weights; the history stays."""
        self.restore(self._first)

    def learn(self, orders: Iterable[NDArray[np.int32]]) -> None:
        """Learn from digits in these orders, an epoch each, without history, checkpoints or clean epochs."""
        networks.set_augmentation(self.model, on=True)
        for order in orders:
            self._steps(order, 0, len(order))

    def go_part_of_the_way(self, share: float) -> None:
        """Leave the model's weights at this share of the way from the first ones to those it has now."""
        for variable, first in zip(self.model.variables, self._first, strict=False):
            if first.dtype == np.float32:
                variable.assign(first + np.float32(share) * (variable.numpy() - first))

    def run(self, folder: Path, observers: Sequence[Observer]) -> None:
        """Run the epochs that are left; after each, history.csv and a checkpoint are written whole.

        Raises:
            RunError: the loss is no longer a number; history.csv and the checkpoints stay as they were before that epoch.
        """
        for epoch in range(self.epochs_done + 1, self._recipe.epochs + 1):
            row = self._epoch(epoch, observers)
            for column in runs.HISTORY_COLUMNS:
                self.history[column].append(row[column])
            runs.write_history(self.history, folder / "history.csv")
            state = checkpoints.values_of(self._variables)
            checkpoints.save(folder / "checkpoints", Checkpoint(epoch, self.data_sha256, self.history, state))
            for observer in observers:
                observer.epoch_ends(row)

    def _epoch(self, epoch: int, observers: Sequence[Observer]) -> dict[str, float | None]:
        started = time.perf_counter()
        augmentation = self._recipe.augmentation
        clean = augmentation is not None and epoch > self._recipe.epochs - augmentation.clean_epochs
        networks.set_augmentation(self.model, on=not clean)
        order = self._order(epoch)
        for observer in observers:
            observer.epoch_begins(epoch, self._recipe.epochs, len(order))
        n_calls = min(_CALLS_AN_EPOCH, len(order)) if observers else 1
        totals = backend.Totals(0, 0, 0)
        for call in range(n_calls):
            start, stop = len(order) * call // n_calls, len(order) * (call + 1) // n_calls
            some = self._steps(order, start, stop)
            totals = backend.Totals(*(float(a + b) for a, b in zip(totals, some, strict=True)))
            for observer in observers:
                observer.steps_done(stop, totals)
        loss = totals.loss / totals.n_digits
        if not math.isfinite(loss):
            raise RunError(
                f"epoch {epoch}: the loss is {loss}; train anew in another --run with a lower --set optimizer.learning_rate=…"
            )
        val_loss, val_accuracy = self._validate()
        seconds = time.perf_counter() - started
        values = (epoch, loss, totals.n_correct / totals.n_digits, val_loss, val_accuracy, round(seconds, 3))
        return dict(zip(runs.HISTORY_COLUMNS, values, strict=True))

    def _validate(self) -> tuple[float | None, float | None]:
        if not len(self._validation):
            return None, None
        answered = self.probabilities(self._validation.images)
        labels = self._validation.known_labels
        return evaluation.log_loss(answered, labels), float((answered.argmax(axis=1) == labels).mean())


def shuffled(n_digits: int, batch_size: int, seed: int, epoch: int) -> NDArray[np.int32]:
    """The order of the digits in an epoch, int32 (n_steps, batch_size); the last row is filled with -1 - index of the first.

    It follows from seed and epoch alone, so that a resumed run needs no state of a generator.
    """
    order = np.random.default_rng([seed, epoch]).permutation(n_digits).astype(np.int32)
    n_steps = count_steps(n_digits, batch_size)
    return np.concatenate([order, -1 - np.resize(order, n_steps * batch_size - n_digits)]).reshape(n_steps, batch_size)


def count_steps(n_digits: int, batch_size: int) -> int:
    """The number of steps of an epoch."""
    return -(-n_digits // batch_size)
