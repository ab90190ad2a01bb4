"""Which digits a run learns from, is chosen by and is measured on."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from tenfold import storage
from tenfold.data.digits import Digits
from tenfold.data.sources import load, load_checked
from tenfold.data.sources.packaged import NAMES as PACKAGED
from tenfold.errors import DataError, RunError
from tenfold.learn import runs
from tenfold.learn.recipe import Recipe
from tenfold.learn.runs import Run


class Splits(NamedTuple):
    """The digits of a run: to learn from, to choose by (may be empty), to measure once (or None)."""

    training: Digits
    validation: Digits
    test: Digits | None


def split(recipe: Recipe) -> Splits:
    """Load the digits of a recipe and hold out what it says.

    Raises:
        DataError: no labels, one class only, or fewer digits than a batch.
    """
    if recipe.rehearsal is not None:
        return _split_for_rehearsal(recipe)
    everything = all_digits(recipe)
    classes = np.unique(everything.known_labels)
    if len(classes) < 2:
        raise DataError(
            f"{everything.name}: only digits of class {', '.join(map(str, classes))}; expected at least two classes"
        )
    if isinstance(recipe.validation, str):
        number, n_folds = map(int, recipe.validation.split("/"))
        held_out = everything.in_fold(number, n_folds)
        if number > n_folds or n_folds < 2 or not held_out.any():
            raise DataError(f"{everything.name}: there is no fold {recipe.validation}; expected such as 1/5, 2/5, …, 5/5")
        training, validation = everything[~held_out], everything[held_out]
    else:
        training, validation = everything.split(recipe.validation)
    if len(training) < recipe.batch_size:
        raise DataError(
            f"{everything.name}: {len(training):,} digits to train on, fewer than a batch of {recipe.batch_size}; "
            "give more digits or a smaller --batch-size"
        )
    return Splits(training, validation, load(recipe.data, "test") if recipe.data in PACKAGED else None)


def _split_for_rehearsal(recipe: Recipe) -> Splits:
    """The old digits with the new ones after them to learn from; by the old ones' splits it is chosen and measured."""
    from tenfold.learn import adapting

    adapting.rehearsal_of(recipe)
    old = split_of_old(recipe)
    return Splits(adapting.mixed(all_digits(recipe), old.training), old.validation, old.test)


def split_of_old(recipe: Recipe) -> Splits:
    """The splits of the run whose weights come first.

    Raises:
        RunError: see `first_of`.
    """
    first_of(recipe)
    return split(run_of(str(recipe.start_from)).recipe)


def first_of(recipe: Recipe) -> Recipe:
    """The recipe that did not rehearse, of the runs which were learnt one from another: what was held back is its.

    Raises:
        RunError: one of them is not there any more; also where a later one has been given its name.
    """
    names: list[str] = []
    while recipe.rehearsal is not None and recipe.start_from is not None:
        if recipe.start_from in names:
            raise RunError(
                f"{recipe.start_from}: learnt from an earlier run of this name, which is not there any more, so its digits are "
                "not known; start from another run"
            )
        names.append(recipe.start_from)
        recipe = run_of(recipe.start_from).recipe
    return recipe


def all_digits(recipe: Recipe) -> Digits:
    """The digits to learn from and to choose by: the training part of a packaged set, or all of a file."""
    return load_checked(recipe.data, "train" if recipe.data in PACKAGED else "all")


def run_of(name: str) -> Run:
    """A run by its folder, or the one of the model that ships; one that was stopped by a bad loss left its best weights.

    Raises:
        RunError: there is no run, it is not finished, or it is several (an ensemble, folds), of which each has weights.
    """
    run = Run(Path(__file__).with_name("bundled") if name == "bundled" else Path(name))
    if run.begun and storage.exists(run.folder / "model.keras"):
        return run
    first = next((run.folder / one for one in ("member-1", "fold-1") if storage.exists(run.folder / one)), None)
    if first is not None:
        raise RunError(f"{name}: several runs, whose mean has no weights of its own to learn from; give one, such as {first}")
    return runs.open_run(run.folder)
