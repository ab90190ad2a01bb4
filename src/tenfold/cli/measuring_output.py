"""What `tenfold evaluate`, `runs` and `submit` print."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tenfold.errors import TenfoldError
from tenfold.learn import tables
from tenfold.learn.evaluation import Evaluation
from tenfold.learn.recipes import RECIPES, differences
from tenfold.learn.runs import Run


def describe(name: str, evaluation: Evaluation) -> str:
    """An evaluation in words and a table of classes."""
    n = len(evaluation.digits)
    pairs = ", ".join(f"{label} read as {read} ({count})" for label, read, count in evaluation.confused_pairs())
    return "\n".join(
        [
            f"{name} on {evaluation.digits.name}: {n:,} digits",
            trained_on(evaluation.n_trained_on, n),
            "",
            f"accuracy            {tables.percent(evaluation.accuracy)}  "
            f"(95 % interval {tables.interval(evaluation.interval)}), {n - evaluation.n_correct:,} wrong",
            f"log loss            {evaluation.log_loss:.4f}",
            f"calibration error   {tables.percent(evaluation.ece)}  (expected, 15 bins)",
            f"most confused       {pairs or 'none'}",
            "",
            _classes(evaluation),
        ]
    )


def trained_on(n_trained_on: int | None, n: int) -> str:
    """How many of the digits the model was trained on, plainly."""
    if n_trained_on is None:
        return "whether it was trained on any of these digits is not known"
    if n_trained_on == 0:
        return f"none of these {n:,} digits were among those it was trained on"
    return f"{n_trained_on:,} of these {n:,} digits were among those it was trained on, and flatter it"


def list_of_runs(runs: Sequence[Run]) -> str:
    """A line a run."""
    titles = ["run", "recipe", "data", "parameters", "epochs", "validation", "test", "seconds", "backend", "seed", "changed"]
    return tables.table(titles, [_row_or_damage(run) for run in runs], left=3)


def _row_or_damage(run: Run) -> list[str]:
    """One damaged run must not hide the others."""
    try:
        return [*_row(run), _changes(run)]
    except TenfoldError:
        return [str(run.folder), "damaged", *["-"] * 9]


def _changes(run: Run) -> str:
    """What the run's recipe has other than the named one, besides the columns of the table."""
    if run.recipe.name not in RECIPES:
        return ""
    named = RECIPES[run.recipe.name]
    shown = ("data:", "epochs:", "seed:")
    changes = [c for c in differences(named, run.recipe) if not c.startswith(shown)]
    return ", ".join(f"{c.split(':')[0]}={c.rsplit(' and ', 1)[1]}" for c in changes)


def _row(run: Run) -> list[str]:
    recipe = run.recipe
    head = [str(run.folder), recipe.name, recipe.data]
    if not run.finished:
        done = len(run.history["epoch"]) if (run.folder / "history.csv").is_file() else 0
        return [*head, "-", f"{done} of {recipe.epochs}", "unfinished", "-", "-", "-", str(recipe.seed)]
    m = run.metrics
    return [
        *head,
        f"{m['parameters']:,}",
        str(m["epochs"]),
        tables.percent(m["val_accuracy"]),
        tables.percent(m["test_accuracy"]),
        f"{m['seconds']:.1f}",
        m["backend"],
        str(m["seed"]),
    ]


def _classes(evaluation: Evaluation) -> str:
    columns = (evaluation.digits.counts, evaluation.precision, evaluation.recall, evaluation.f1)
    rows = [
        [str(label), f"{count:,}", *("-" if math.isnan(v) else tables.percent(v) for v in values)]
        for label, (count, *values) in enumerate(zip(*columns, strict=True))
    ]
    return tables.table(["digit", "count", "precision", "recall", "F1"], rows)
