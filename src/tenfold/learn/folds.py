"""k-fold cross-validation: k runs, each validated on a fold of its own, so that each digit is judged by one that never saw it.

The k runs together are an ensemble; `measuring` averages them wherever their common folder is named.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tenfold import storage
from tenfold.data.digits import Digits
from tenfold.errors import RunError, UsageError
from tenfold.learn import recipes, runs, splits
from tenfold.learn.evaluation import Evaluation, count_trained_on
from tenfold.learn.recipe import Recipe
from tenfold.learn.runs import Run

_FILE = "folds.json"  # written last
_MOST = 100


@dataclass(frozen=True)
class Folds:
    """A finished cross-validation.

    Attributes:
        folder: holds `fold-1`, `fold-2`, …, each a run.
        members: the runs.
        out_of_fold: all digits, each with the answer of the run that was not trained on it.
    """

    folder: Path
    members: tuple[Run, ...]
    out_of_fold: Evaluation


def train(recipe: Recipe, n_folds: int, folder: Path, *, resume: bool, train_one: Callable[[Recipe, Path], Run]) -> Folds:
    """Train a run for each fold and write out_of_fold.csv and folds.json.

    Args:
        recipe: what all have in common.
        n_folds: 2 to 100; fold i of k holds the digits i-1, i-1+k, i-1+2k, …
        folder: where the runs go.
        resume: go on where it stopped; without it a folder that exists is refused.
        train_one: trains a recipe in a folder, or goes on with it.

    Raises:
        UsageError: fewer than 2 folds, or more than there are digits.
        RunError: the folder exists already, or holds folds of another recipe, number or other digits.
    """
    everything = splits.all_digits(recipe)
    most = min(_MOST, len(everything))
    if not 2 <= n_folds <= most:
        raise UsageError(f"--folds {n_folds}: expected 2 to {most}")
    if storage.exists(folder) and not folder.is_dir():
        raise RunError(f"{folder} is a file; name a folder for the runs")
    if storage.exists(folder) and any(folder.iterdir()) and not resume:
        raise RunError(f"{folder} is not empty; go on with --resume, choose another --run, or remove the folder")
    if (folder / _FILE).is_file() and _n_folds(folder) != n_folds:
        raise RunError(f"{folder}: was begun with {_n_folds(folder)} folds, not {n_folds}; give the same, or another --run")
    members = []
    for i in range(1, n_folds + 1):
        one = recipes.changed(recipe, [f'validation="{i}/{n_folds}"'])
        members.append(train_one(one, folder / f"fold-{i}"))
    out_of_fold = _out_of_fold(everything, members)
    rows = zip(out_of_fold.digits.known_labels, out_of_fold.predictions, out_of_fold.confidence, strict=True)
    lines = "".join(f"{i},{label},{read},{sure:.6f}\n" for i, (label, read, sure) in enumerate(rows))
    storage.write_text(folder / "out_of_fold.csv", f"index,label,prediction,confidence\n{lines}")
    facts = {"folds": n_folds, "recipe": recipe.name, "data": recipe.data, "out_of_fold": out_of_fold.summary()}
    runs.write_json(facts, folder / _FILE)
    return Folds(folder, tuple(members), out_of_fold)


def is_one(folder: Path) -> bool:
    """Whether a folder holds a finished cross-validation."""
    return storage.exists(folder / _FILE)


def members(folder: Path) -> list[Run]:
    """The runs of a finished cross-validation.

    Raises:
        RunError: folds.json is damaged, or a run is missing.
    """
    return [runs.open_run(folder / f"fold-{i}") for i in range(1, _n_folds(folder) + 1)]


def _n_folds(folder: Path) -> int:
    n_folds = runs.read_json(folder / _FILE).get("folds")
    if isinstance(n_folds, bool) or not isinstance(n_folds, int) or not 2 <= n_folds <= _MOST:
        raise RunError(f"{folder / _FILE}: folds is {n_folds!r}, expected 2 to {_MOST}; train the folds anew")
    return n_folds


def _out_of_fold(everything: Digits, members: list[Run]) -> Evaluation:
    probabilities = np.zeros((len(everything), 10), np.float32)
    n_trained_on = 0
    for i, run in enumerate(members):
        mine = everything.in_fold(i + 1, len(members))
        probabilities[mine] = run.probabilities(everything.images[mine])
        n_trained_on += count_trained_on(everything[mine], run.fingerprints)
    return Evaluation(everything, probabilities, n_trained_on)
