"""What `tenfold train` prints: the network before, the table of epochs and the result after."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import typer

from tenfold import storage
from tenfold.cli import tell
from tenfold.data.sources.packaged import NAMES as PACKAGED
from tenfold.errors import printable
from tenfold.learn import tables
from tenfold.learn.adapting import FORGOTTEN
from tenfold.learn.evaluation import Evaluation
from tenfold.learn.folds import Folds
from tenfold.learn.progress import Network, Observer
from tenfold.learn.recipe import Recipe
from tenfold.learn.runs import Run

_SOME, _HARDLY = 10, 0.2  # corrections of which so few read right before, and few after, look mislabelled


class Announcer(Observer):
    """Prints the network and the number of digits before the first epoch; of several folds the network once."""

    def __init__(self, n_folds: int | None = None) -> None:
        self._folder: Path | None = None
        self._n_folds = n_folds

    def training_begins(self, folder: Path, network: Network, n_training: int, n_validation: int) -> None:
        if self._folder is None:
            typer.echo(f"{tables.network(network)}\n")
        self._folder = folder
        held_out = f"{n_validation:,} held out for validation" if n_validation else "none held out"
        fold = f"fold {folder.name.removeprefix('fold-')} of {self._n_folds}: " if self._n_folds else ""
        typer.echo(f"{fold}{n_training:,} digits to learn from, {held_out}\n")

    def stopping(self) -> None:
        tell("saving, which takes a moment; once more to end at once")

    def how_to_go_on(self, folder: Path | None = None) -> str:
        """What to type after an interrupt: what was learnt is saved; `folder` if it is not the run's own."""
        if self._folder is None:
            return "nothing was begun"
        place = storage.as_typed(folder or self._folder)
        return f"saved; go on with the same command and: --resume --run {place}"


def conclusion(run: Run, finished_before: bool) -> str:
    """The result of a run, and what to type next."""
    metrics = run.metrics
    lines = [] if finished_before else [tables.history(run.history), ""]
    if finished_before:
        lines += [f"{printable(run.folder)} is finished; to start anew, remove that folder or choose another --run", ""]
    if metrics["val_accuracy"] is not None:
        share = tables.percent(metrics["val_accuracy"])
        lines.append(f"validation accuracy  {share}  on {metrics['n_validation']:,} digits held out{_kept(run.recipe)}")
    if metrics["test_accuracy"] is not None:
        n_seen = metrics.get("n_test_trained_on")
        seen = f", {n_seen:,} of them among those it was trained on, which flatters it" if n_seen else " never seen"
        lines.append(
            f"test accuracy        {tables.percent(metrics['test_accuracy'])}  on {metrics['n_test']:,} digits{seen} "
            f"(95 % interval {tables.interval(metrics['test_interval'])})"
        )
    lines += _learnt(metrics)
    lines += [
        f"{metrics['parameters']:,} parameters, {_epochs(metrics['epochs'])}, "
        f"{metrics['seconds']:.1f} s on {printable(metrics['backend'])}",
        "",
    ]
    return "\n".join([*lines, *_next(run)])


def _kept(recipe: Recipe) -> str:
    """Why a run that rehearsed old digits was measured to be another than in its last epoch."""
    if recipe.rehearsal is None or recipe.rehearsal.kept == 1:
        return ""
    return f", its weights {100 * recipe.rehearsal.kept:g} % of the way from the first ones to those of the last epoch"


def _learnt(metrics: Mapping[str, Any]) -> list[str]:
    """What learning a few new digits brought, and what it cost."""
    lines = []
    if metrics.get("n_corrections_read"):
        n = metrics["n_corrections_read"]
        before, after = (round(metrics[f"corrections_{when}"] * n) for when in ("before", "after"))
        lines.append(f"corrections          {before} of {n} read right before, {after} after, by trainings without them")
        if n >= _SOME and before < _HARDLY * n and after < n / 2:
            lines.append("                     hardly any was read as it is labelled: are the labels right?")
    elif metrics.get("n_corrections") == 1:
        lines.append("corrections          one alone cannot be left out, so what it brought is not known")
    if metrics.get("remembered_strength", 1.0) not in (None, 1.0):
        strength = tables.percent(metrics["remembered_strength"]).replace(".00", "")
        lines.append(
            f"remembered           {metrics['n_remembered']} digits, counting {strength} only: more would cost old digits"
        )
    if metrics.get("mnist_before") is not None:
        old, new = metrics["mnist_before"], metrics["mnist_after"]
        lines.append(f"old digits held out  {tables.percent(old)} before, {tables.percent(new)} after")
        if old - new > FORGOTTEN:
            lines.append(
                "                     more than 0.05 points were lost: look for wrong labels, then try --set rehearsal.kept=0.1"
            )
    return lines


def _epochs(n: int) -> str:
    return "1 epoch" if n == 1 else f"{n} epochs"


def _next(run: Run) -> list[str]:
    page = [f"Look at it:  {printable(run.folder / 'report.html')}"] if (run.folder / "report.html").is_file() else []
    return [*page, f"Next:        {how_to_measure(run)}"]


def how_to_measure(run: Run) -> str:
    """What to type next after a training: without test digits of its own a run is one for a competition, or for others."""
    folder = storage.as_typed(run.folder)
    if run.metrics["n_test"] or run.recipe.data in PACKAGED:  # measured already, or left alone by --no-test
        return f"tenfold evaluate {folder}"
    return f"tenfold submit {folder} test.csv, tenfold evaluate {folder} --data FILE"


def described_folds(folds: Folds) -> str:
    """The runs of a cross-validation, their mean and deviation, and the score over all digits."""
    shares = [run.metrics["val_accuracy"] for run in folds.members]
    rows = [[run.name, tables.percent(share)] for run, share in zip(folds.members, shares, strict=True)]
    deviation = 100 * float(np.std(shares, ddof=1))
    whole = folds.out_of_fold
    return "\n".join(
        [
            tables.table(["run", "validation accuracy"], rows),
            "",
            f"mean                 {tables.percent(float(np.mean(shares)))} ± {deviation:.2f}",
            f"out of fold          {tables.percent(whole.accuracy)}  (95 % interval {tables.interval(whole.interval)}) "
            f"on all {len(whole.digits):,} digits, {_seen(whole)}",
            "",
            f"Next:        tenfold submit {storage.as_typed(folds.folder)} test.csv (the average of the {len(shares)} runs)",
        ]
    )


def _seen(out_of_fold: Evaluation) -> str:
    if not out_of_fold.n_trained_on:
        return "each read by a run that never saw it"
    return f"of which {out_of_fold.n_trained_on:,} had been seen by the run that read them, and flatter it"


def described_recipes(recipes: Mapping[str, Recipe]) -> str:
    """Each recipe's network, epochs, digits and reason."""
    rows = []
    for recipe in recipes.values():
        rows.append([recipe.name, str(recipe.network), str(recipe.epochs), recipe.data])
    width = max(map(len, recipes))
    reasons = [f"{name.ljust(width)}  {recipe.why}" for name, recipe in recipes.items()]
    table = tables.table(["recipe", "hidden layers", "epochs", "data"], rows, left=4)
    return "\n".join([table, "", *reasons, "", "One as a file to change:  tenfold recipes mlp > mine.json"])
