"""Learning a few new digits without forgetting the old: what is mixed in an epoch, and what it brought.

The new digits are mixed with training digits of the run whose weights come first (rehearsal: Robins, 1995), the weights go
part of the way from the old to the new ones (Wortsman et al., 2022), and the new digits are remembered beside them
(`remembering`). How well digits of this hand are read afterwards is asked of further trainings, each without a part of them.
"""

from __future__ import annotations

import csv
import functools
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold import storage
from tenfold.data.digits import Digits
from tenfold.errors import DataError, RecipeError
from tenfold.learn import compiled, remembering
from tenfold.learn.fitting import Fitting, count_steps
from tenfold.learn.recipe import Dense, Recipe, Rehearsal, Remembering

Row = tuple[int, int, int, int]
COLUMNS = ("index", "label", "before", "after")  # of corrections.csv
FORGOTTEN = 0.0005  # of the old digits held out: more than this is a loss, and is not to be for what is remembered
_STRENGTHS = (1.0, 0.75, 0.5, 0.25, 0.0)  # that a memory is tried with
_MANY = 60  # new digits from which a part of them tells enough: the others are not left out in turn


def mixed(new: Digits, old: Digits) -> Digits:
    """The digits of one training: the old ones, then the new ones.

    Raises:
        DataError: there are more new digits than old ones, so that the old would not be kept; or one is blank.
    """
    blank = np.flatnonzero(~new.images.any(axis=(1, 2)))
    if len(blank):
        raise DataError(f"{new.name}: digit {blank[0]}, counted from 0, is blank ({len(blank)} in all); remove what has no ink")
    if len(new) > len(old):
        raise DataError(
            f"{new.name}: {len(new):,} digits, more than the {len(old):,} known before; train on them with --recipe cnn"
        )
    labels = np.concatenate([old.known_labels, new.known_labels])
    return Digits(np.concatenate([old.images, new.images]), labels, f"{old.name} and {new.name}")


def rehearsal_of(recipe: Recipe) -> Rehearsal:
    """What the recipe says of rehearsal.

    Raises:
        RecipeError: nothing, or it does not say whose digits to rehearse, or wants new digits held out beside, or remembered
            without a hidden layer.
    """
    if recipe.rehearsal is None or recipe.start_from is None:
        raise RecipeError(f"recipe {recipe.name}: rehearsal needs old digits and weights; give --from bundled, or a run")
    if recipe.validation != 0:
        message = "is measured by trainings of its own (rehearsal.folds); leave out --validation and --folds"
        raise RecipeError(f"recipe {recipe.name}: {message}")
    if recipe.rehearsal.remembering and isinstance(recipe.network, Dense) and not recipe.network.units:
        message = "remembering compares what a hidden layer answers, and there is none; give --set rehearsal.remembering=null"
        raise RecipeError(f"recipe {recipe.name}: {message}")
    return recipe.rehearsal


class Mixture:
    """Which digits an epoch has: some of the old, and all of the new over and over.

    Attributes:
        n_old: how many old digits come first in the training digits.
        n_new: how many new ones follow.
    """

    def __init__(self, recipe: Recipe, n_old: int, n_new: int) -> None:
        self._rehearsal, self._recipe = rehearsal_of(recipe), recipe
        self.n_old, self.n_new = n_old, n_new
        n_rehearsed = min(self._rehearsal.n_digits, n_old)
        share = self._rehearsal.share
        self.n_steps = count_steps(round(n_rehearsed / (1 - share)), recipe.batch_size)
        self._n_places = round(self.n_steps * recipe.batch_size * share)

    def order(self, epoch: int, left_out: Sequence[int] = ()) -> NDArray[np.int32]:
        """Indices of an epoch's digits, int32 (n_steps, batch_size); the new digits `left_out`, counted from 0, do not come."""
        random = np.random.default_rng([self._recipe.seed, epoch])
        n_rehearsed = self.n_steps * self._recipe.batch_size - self._n_places
        old = np.resize(random.permutation(self.n_old), n_rehearsed)
        new = self.n_old + np.setdiff1d(np.arange(self.n_new), left_out)
        rounds = [random.permutation(new) for _ in range(-(-self._n_places // len(new)))]
        places = np.concatenate([old, *rounds])[: self.n_steps * self._recipe.batch_size]
        return random.permutation(places).astype(np.int32).reshape(self.n_steps, self._recipe.batch_size)

    def orders(self, left_out: Sequence[int] = ()) -> Iterator[NDArray[np.int32]]:
        """The orders of all epochs."""
        return (self.order(epoch, left_out) for epoch in range(1, self._recipe.epochs + 1))


def parts(labels: NDArray[np.uint8], n_folds: int) -> list[NDArray[np.int64]]:
    """Which new digits to leave out, training by training; every class is spread as evenly as it goes. None for one digit."""
    n_folds = min(n_folds, len(labels))
    if n_folds < 2:
        return []
    by_class = np.argsort(labels, kind="stable")
    every = [np.sort(by_class[k::n_folds]) for k in range(n_folds)]
    return every[:1] if len(labels) >= _MANY else every


def conclude(
    fitting: Fitting, mixture: Mixture, training: Digits, validation: Digits, recipe: Recipe, folder: Path
) -> dict[str, Any]:
    """Measure what was learnt; leave the fitting's weights part of the way from the old to the new ones, and a memory of these.

    Writes corrections.csv into the run's folder: `index,label,before,after`, what the weights from before answer to a new
    digit and what those answer that learnt from others alone; a row appears once it is known.

    Args:
        fitting: all epochs done.
        mixture: of its digits.
        training: the old digits, then the new ones.
        validation: old digits that were never learnt from.
        recipe: of the training.
        folder: of the run.

    Returns:
        `n_corrections`, `n_corrections_read`, `n_remembered`, `remembered_strength` (less than 1 where remembering would have
        cost more old digits), and the shares read right `corrections_before`, `corrections_after`, `mnist_before`,
        `mnist_after`, of which the last two are of `validation`; None where there is nothing to measure on.
    """
    old, new = training[: mixture.n_old], training[mixture.n_old :]
    rehearsal = rehearsal_of(recipe)
    learnt = fitting.values()
    fitting.begin_anew()
    before = fitting.probabilities(new.images).argmax(axis=1)
    old_before = _share_right(fitting.probabilities, validation)
    memorizer = Memorizer(old, validation, (old_before or 0) - FORGOTTEN, rehearsal.remembering)
    rows: list[Row] = []
    _write(rows, folder / "corrections.csv")
    for left_out in parts(new.known_labels, rehearsal.folds):
        after = _without(left_out, fitting, mixture, new, rehearsal.kept, memorizer)
        rows += [(int(i), int(new.known_labels[i]), int(before[i]), int(now)) for i, now in zip(left_out, after, strict=True)]
        _write(rows, folder / "corrections.csv")
    fitting.restore(learnt)
    fitting.go_part_of_the_way(rehearsal.kept)
    remembered = memorizer.of(fitting.model, new)
    fitting.answer_with(remembered.model, remembered.probabilities)
    read = np.array(rows).reshape(-1, len(COLUMNS))
    return {
        "n_corrections": len(new),
        "n_corrections_read": len(rows),
        "n_remembered": remembered.n,
        "remembered_strength": remembered.strength,
        "corrections_before": float((read[:, 1] == read[:, 2]).mean()) if rows else None,
        "corrections_after": float((read[:, 1] == read[:, 3]).mean()) if rows else None,
        "mnist_before": old_before,
        "mnist_after": _share_right(remembered.probabilities, validation),
    }


def _without(
    left_out: NDArray[np.int64], fitting: Fitting, mixture: Mixture, new: Digits, kept: float, memorizer: Memorizer
) -> NDArray[np.int64]:
    """What is read of new digits, int64 (n,), by a training that has learnt from the others."""
    fitting.begin_anew()
    fitting.learn(mixture.orders(left_out.tolist()))
    fitting.go_part_of_the_way(kept)
    known = np.setdiff1d(np.arange(len(new)), left_out)
    answers: NDArray[np.int64] = memorizer.of(fitting.model, new[known]).probabilities(new.images[left_out]).argmax(axis=1)
    return answers


class Remembered(NamedTuple):
    """A model that remembers digits.

    Attributes:
        model: a `keras.Model`.
        probabilities: what it answers.
        n: how many digits it remembers.
        strength: how much they count, at most 1; None where nothing is remembered.
    """

    model: Any
    probabilities: compiled.Forward
    n: int
    strength: float | None


class Memorizer(NamedTuple):
    """How new digits are remembered: as much as the old ones allow.

    Attributes:
        old: what the network was trained on before.
        validation: old digits that it was not.
        least: the share of these that is still to be read right, if the weights alone read as much.
        settings: of the recipe; None where nothing is to be remembered.
    """

    old: Digits
    validation: Digits
    least: float
    settings: Remembering | None

    def of(self, model: Any, digits: Digits) -> Remembered:
        """The model with a memory of the digits."""
        if self.settings is None:
            return Remembered(model, compiled.forward(model), 0, None)
        whole = remembering.remembering(model, digits, self.old, self.settings)
        memory, probabilities = whole.get_layer("memory"), compiled.forward(whole)

        @functools.cache  # the same strength may be asked for with another least
        def share_right(strength: float) -> float:
            memory.strength.assign(strength)
            return _share_right(probabilities, self.validation) or 0

        least, strength = self.least, _STRENGTHS[0]
        if len(self.validation) and share_right(strength) < least:
            least = min(least, share_right(0.0))  # what the weights have lost is not the memory's fault
            strength = next(strength for strength in _STRENGTHS if share_right(strength) >= least)
        memory.strength.assign(strength)
        return Remembered(whole, probabilities, memory.n, strength)


def _share_right(probabilities: compiled.Forward, digits: Digits) -> float | None:
    """None where there are no digits."""
    if not len(digits):
        return None
    return float((probabilities(digits.images).argmax(axis=1) == digits.known_labels).mean())


def _write(rows: Sequence[Row], path: Path) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([COLUMNS, *sorted(rows)])
    storage.write_text(path, text.getvalue())
