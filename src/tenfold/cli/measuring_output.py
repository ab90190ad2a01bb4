"""What `tenfold evaluate`, `runs` and `submit` print."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from tenfold.errors import TenfoldError, printable
from tenfold.learn import tables
from tenfold.learn.evaluation import Evaluation
from tenfold.learn.measuring import Comparison
from tenfold.learn.recipes import RECIPES, changes_of
from tenfold.learn.runs import Run


def describe(name: str, evaluation: Evaluation) -> str:
    """An evaluation in words and a table of classes."""
    n = len(evaluation.digits)
    pairs = ", ".join(f"{label} read as {read} ({count})" for label, read, count in evaluation.confused_pairs())
    return "\n".join(
        [
            f"{printable(name)} on {evaluation.digits.name}: {n:,} digits",
            trained_on(evaluation.n_trained_on, n),
            "",
            f"accuracy            {tables.percent(evaluation.accuracy)}  "
            f"(95 % interval {tables.interval(evaluation.interval)}), {n - evaluation.n_correct:,} wrong",
            *_without_doubtful(evaluation),
            f"log loss            {evaluation.log_loss:.4f}",
            f"calibration error   {tables.percent(evaluation.ece)}  (expected, 15 bins){_calibrated(evaluation)}",
            f"to reach 99.9 %     {_refused(evaluation)}",
            f"most confused       {pairs or 'none'}",
            "",
            _classes(evaluation),
        ]
    )


def _without_doubtful(evaluation: Evaluation) -> list[str]:
    n = len(evaluation.digits) - len(evaluation.without_doubtful.digits)
    if not n or n == len(evaluation.digits):
        return []
    return [
        f"without doubtful    {tables.percent(evaluation.without_doubtful.accuracy)}  (without {n} whose label people doubt)"
    ]


def _calibrated(evaluation: Evaluation) -> str:
    if evaluation.temperature == 1:
        return ""
    return f"; {tables.percent(evaluation.calibrated.ece)} at temperature {evaluation.temperature:.2f}, as tenfold read uses it"


def _refused(evaluation: Evaluation) -> str:
    share = evaluation.refused_to_reach(0.999)
    return "not reached, however many are refused" if share is None else f"refuse the least sure {tables.percent(share)}"


def corruption_table(accuracies: Mapping[str, Sequence[float]]) -> str:
    """The accuracy by corruption and severity, the hardest last, and the mean of all."""
    means = {name: sum(values) / len(values) for name, values in accuracies.items()}
    rows = [
        [name, *(tables.percent(value, 1) for value in (*accuracies[name], means[name]))]
        for name in sorted(means, key=lambda name: -means[name])
    ]
    rows.append(["all", *[""] * 5, tables.percent(sum(means.values()) / len(means), 1)])
    return tables.table(["corruption", *(f"severity {n}" for n in range(1, 6)), "mean"], rows)


def comparison(one: str, other: str, pair: Comparison) -> str:
    """Two models side by side, and whether the difference may be chance."""
    rows = [
        [name, tables.percent(e.accuracy), tables.interval(e.interval), f"{len(e.digits) - e.n_correct:,}", f"{only:,}"]
        for name, e, only in ((one, pair.one, pair.n_only_one), (other, pair.other, pair.n_only_other))
    ]
    n_only = pair.n_only_one + pair.n_only_other
    verdict = "the difference may well be chance" if pair.p_value >= 0.05 else "a difference that chance seldom makes"
    verdict = verdict if n_only else "no difference at all"
    table = tables.table(["run", "accuracy", "95 % interval", "wrong", "only it right"], rows)
    return "\n".join(
        [
            f"{len(pair.one.digits):,} digits of {pair.one.digits.name}",
            *(
                f"{printable(name)}: {trained_on(e.n_trained_on, len(e.digits))}"
                for name, e in ((one, pair.one), (other, pair.other))
            ),
            "",
            table,
            "",
            f"McNemar's exact test over the {n_only:,} digits that only one reads right: p {_small(pair.p_value)}, {verdict}",
        ]
    )


def _small(p_value: float) -> str:
    """A p-value with its sign; what floats can no longer tell from nothing is less than something."""
    return f"= {p_value:.2g}" if p_value >= 1e-16 else "< 1e-16"


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
    shown = {"data", "epochs", "seed", *(["validation"] if run.name.startswith("fold-") else [])}
    changes = changes_of(RECIPES[run.recipe.name], run.recipe)
    return ", ".join(f"{key}={value}" for key, value in changes.items() if key not in shown)


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
