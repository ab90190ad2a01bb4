"""The loop over epochs: shuffle, step, measure, keep. Knows nothing of run folders beyond where these go."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from tenfold import limits, storage
from tenfold.data.digits import Digits
from tenfold.errors import RunError
from tenfold.learn import backend, checkpoints, compiled, evaluation, interrupts, networks, runs, tables
from tenfold.learn.checkpoints import Checkpoint, Part
from tenfold.learn.progress import Observer
from tenfold.learn.recipe import Recipe
from tenfold.learn.runs import History

# An epoch is cut into this many calls, so that a bar can move, and a training stop and go on, within it. It is always the same
# number: the sums of an epoch are rounded call by call.
_CALLS_AN_EPOCH = 40


class Fitting:
    """A training under way: model, optimizer and history, from the first epoch or from a checkpoint.

    Attributes:
        model: the Keras model, updated in place.
        history: the columns of history.csv so far.
        given: what it was begun with, in words, kept with each checkpoint.
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
        given: Mapping[str, str] | None = None,
    ) -> None:
        """Compile the steps; `order` says which digits an epoch has, all of them shuffled by default."""
        self.model = model
        self._order = order or (lambda epoch: shuffled(len(training), recipe.batch_size, recipe.seed, epoch))
        self.history: History = {column: [] for column in runs.HISTORY_COLUMNS}
        self._recipe, self._training, self._validation = recipe, training, validation
        objective = compiled.Objective(recipe.label_smoothing, recipe.teaching.share if recipe.teaching else 0.0)
        learning = networks.taught(model, teachers) if teachers else model
        self._steps = compiled.steps(learning, optimizer, training.images, training.known_labels, objective)
        self.probabilities = compiled.forward(model)
        self._variables: Sequence[Any] = [*model.variables, *optimizer.variables]
        self._first = self.values()
        weights = checkpoints.sha256_of("", self._first, *(checkpoints.values_of(teacher.variables) for teacher in teachers))
        self.given = {**(given or {}), "first weights": f"SHA-256 {weights[:16]}"}
        self._best: list[NDArray[Any]] = []
        self._part = Part()

    @property
    def epochs_done(self) -> int:
        return len(self.history["epoch"])

    @property
    def seconds(self) -> float:
        """What the epochs so far took, those before an interruption included."""
        return sum(seconds or 0 for seconds in self.history["seconds"]) + self._part.seconds

    def go_on_from(self, checkpoint: Checkpoint) -> None:
        """Continue as if never interrupted."""
        checkpoints.restore(self._variables, checkpoint.arrays)
        self.history, self._best, self._part = checkpoint.history, checkpoint.best, checkpoint.part

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
        for order in map(self._copied, orders):
            self._steps(order, 0, len(order))

    def go_part_of_the_way(self, share: float) -> None:
        """Leave the model's weights at this share of the way from the first ones to those it has now."""
        for variable, first in zip(self.model.variables, self._first, strict=False):
            if first.dtype == np.float32:
                variable.assign(first + np.float32(share) * (variable.numpy() - first))

    def answer_with(self, model: Any, probabilities: compiled.Forward) -> None:
        """Let another model answer from now on, one that has the layers of this one; there is no more to be learnt."""
        self.model, self.probabilities = model, probabilities

    def run(self, folder: Path, observers: Sequence[Observer]) -> None:
        """Run the epochs that are left; after each, history.csv and a checkpoint are written whole.

        Raises:
            RunError: the loss or a weight is no longer a number; model.keras keeps the weights of the best epoch before.
            KeyboardInterrupt: Ctrl-C or SIGTERM came, and where the training stands has been saved.
        """

        def stopping() -> None:
            for observer in observers:
                observer.stopping()

        with interrupts.held_back(stopping) as asked:
            for epoch in range(self.epochs_done + 1, self._recipe.epochs + 1):
                self._learn_epoch(epoch, folder, observers, asked)
                row = self._conclude_epoch(epoch, folder)
                for observer in observers:
                    observer.epoch_ends(row)
                if asked():
                    raise KeyboardInterrupt

    def _learn_epoch(self, epoch: int, folder: Path, observers: Sequence[Observer], asked: Callable[[], bool]) -> None:
        """The steps of an epoch that are left; within it a checkpoint is written now and then, and when it is asked to stop."""
        augmentation = self._recipe.augmentation
        clean = augmentation is not None and epoch > self._recipe.epochs - augmentation.clean_epochs
        networks.set_augmentation(self.model, on=not clean)
        order = self._order(epoch) if clean else self._copied(self._order(epoch))
        for observer in observers:
            observer.epoch_begins(epoch, self._recipe.epochs, len(order))
        n_calls = min(_CALLS_AN_EPOCH, len(order))
        saves_every_s = limits.from_environment().max_lost_s
        saved = time.monotonic()
        for stop in (len(order) * call // n_calls for call in range(1, n_calls + 1)):
            if stop <= self._part.n_steps:
                continue
            self._take_steps(order, stop)
            totals = compiled.Totals(*self._part[1:4])
            if not math.isfinite(totals.loss):
                self._give_up(epoch, f"the loss is {totals.loss / totals.n_digits}", folder)
            for observer in observers:
                observer.steps_done(stop, totals)
            if stop < len(order) and (asked() or time.monotonic() - saved > saves_every_s):
                self._save(folder, self.values())
                saved = time.monotonic()
                if asked():
                    raise KeyboardInterrupt

    def _copied(self, order: NDArray[np.int32]) -> NDArray[np.int32]:
        """Each step with its digits as often as the recipe says; they are changed in other ways each time."""
        augmentation = self._recipe.augmentation
        return np.tile(order, (1, augmentation.copies)) if augmentation else order

    def _take_steps(self, order: NDArray[np.int32], stop: int) -> None:
        started = time.perf_counter()
        some = self._steps(order, self._part.n_steps, stop)
        loss, n_correct, n_digits = (float(a + b) for a, b in zip(self._part[1:4], some, strict=True))
        self._part = Part(stop, loss, n_correct, n_digits, self._part.seconds + time.perf_counter() - started)

    def _conclude_epoch(self, epoch: int, folder: Path) -> dict[str, float | None]:
        """Measure after an epoch, and keep what was learnt."""
        started, part = time.perf_counter(), self._part
        val_loss, val_accuracy = self._validate()
        seconds = round(part.seconds + time.perf_counter() - started, 3)
        values = self.values()
        if not all(np.isfinite(value).all() for value in values):
            self._give_up(epoch, "a weight is no number", folder)
        figures = (epoch, part.loss / part.n_digits, part.n_correct / part.n_digits, val_loss, val_accuracy, seconds)
        row: dict[str, float | None] = dict(zip(runs.HISTORY_COLUMNS, figures, strict=True))
        for column in runs.HISTORY_COLUMNS:
            self.history[column].append(row[column])
        if best_epoch(self.history) == epoch:
            self._best = values[: len(self.model.variables)]
        self._part = Part()
        runs.write_history(self.history, folder / "history.csv")
        self._save(folder, values)
        return row

    def _save(self, folder: Path, values: list[NDArray[Any]]) -> None:
        checkpoint = Checkpoint(self.epochs_done, self.given, self.history, values, self._best, self._part)
        checkpoints.save(folder / "checkpoints", checkpoint)

    def _give_up(self, epoch: int, why: str, folder: Path) -> NoReturn:
        """Stop a training that goes nowhere; it would do so again."""
        remedy = "train anew in another --run with a lower --set optimizer.learning_rate=…"
        if self._best:
            checkpoints.restore(self.model.variables, self._best)
            with storage.whole_file(folder / "model.keras") as temporary:
                backend.save(self.model, temporary)
            best = best_epoch(self.history)
            accuracy = self.history["val_accuracy"][best - 1]
            measured = "" if accuracy is None else f" (validation accuracy {tables.percent(accuracy)})"
            kept = f"model.keras keeps the weights of epoch {best}, the best{measured}"
            remedy = f"{kept}; go on from them with --from {folder}, or {remedy}"
        raise RunError(f"epoch {epoch}: {why}; {remedy}")

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


def best_epoch(history: History) -> int:
    """The epoch, from 1, of the best validation accuracy, then loss; where nothing was held out, of the lowest training loss.

    Of equal ones the earliest; 0 before the first epoch.
    """
    ranks = [
        (-(accuracy or 0), loss if val_loss is None else val_loss)
        for loss, val_loss, accuracy in zip(*(history[c] for c in ("loss", "val_loss", "val_accuracy")), strict=True)
    ]
    return 1 + ranks.index(min(ranks)) if ranks else 0
