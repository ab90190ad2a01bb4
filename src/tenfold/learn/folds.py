"""k-fold cross-validation: k runs, each validated on a fold of its own, so that each digit is judged by one that never saw it.

The k runs together are an ensemble; `measuring` averages them wherever their common folder is named.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tenfold import storage
from tenfold.errors import RunError, UsageError
from tenfold.learn import recipes, runs, training
from tenfold.learn.evaluation import Evaluation
from tenfold.learn.recipes import Recipe
from tenfold.learn.runs import Run

_FILE = "folds.json"  # written last


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
        n_folds: at least 2; fold i of k holds the digits i-1, i-1+k, i-1+2k, …
        folder: where the runs go.
        resume: go on where it stopped; without it a folder that exists is refused.
        train_one: trains a recipe in a folder, or goes on with it.

    Raises:
        UsageError: fewer than 2 folds.
        RunError: the folder exists already.
    """
    if n_folds < 2:
        raise UsageError(f"--folds {n_folds}: expected at least 2")
    if folder.exists() and any(folder.iterdir()) and not resume:
        raise RunError(f"{folder} is not empty; go on with --resume, choose another --run, or remove the folder")
    members = []
    for i in range(1, n_folds + 1):
        one = recipes.changed(recipe, [f'validation="{i}/{n_folds}"'])
        members.append(train_one(one, folder / f"fold-{i}"))
    out_of_fold = _out_of_fold(recipe, members)
    rows = zip(out_of_fold.digits.known_labels, out_of_fold.predictions, out_of_fold.confidence, strict=True)
    lines = "".join(f"{i},{label},{read},{sure:.6f}\n" for i, (label, read, sure) in enumerate(rows))
    storage.write_text(folder / "out_of_fold.csv", f"index,label,prediction,confidence\n{lines}")
    facts = {"folds": n_folds, "recipe": recipe.name, "data": recipe.data, "out_of_fold": out_of_fold.summary()}
    runs.write_json(facts, folder / _FILE)
    return Folds(folder, tuple(members), out_of_fold)


def is_one(folder: Path) -> bool:
    """Whether a folder holds a finished cross-validation."""
    return (folder / _FILE).is_file()


def members(folder: Path) -> list[Run]:
    """The runs of a finished cross-validation.

    Raises:
        RunError: folds.json is damaged, or a run is missing.
    """
    try:
        n_folds = json.loads((folder / _FILE).read_bytes())["folds"]
        return [runs.open_run(folder / f"fold-{i}") for i in range(1, int(n_folds) + 1)]
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise RunError(f"{folder / _FILE}: damaged; train the folds anew") from problem


def _out_of_fold(recipe: Recipe, members: list[Run]) -> Evaluation:
    everything = training.all_digits(recipe)
    probabilities = np.zeros((len(everything), 10), np.float32)
    for i, run in enumerate(members):
        mine = everything.in_fold(i + 1, len(members))
        probabilities[mine] = run.probabilities(everything.images[mine])
    return Evaluation(everything, probabilities, 0)
