"""The leaderboard of a sweep: its trials ranked, the best recipe, the figures."""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from tenfold.cluster import ranges
from tenfold.cluster.ranges import Over
from tenfold.errors import MissingExtraError, RunError
from tenfold.learn import recipes, runs
from tenfold.learn.recipe import Recipe

try:
    import optuna
    from optuna.trial import FrozenTrial, TrialState
except ModuleNotFoundError as problem:
    raise MissingExtraError("cluster", "optuna") from problem


class Trial(NamedTuple):
    """A trial as the leaderboard has it.

    Attributes:
        number: from 1.
        state: `complete`, `pruned`, `failed` or `running`.
        val_accuracy: of the last epoch that counts, or None.
        epochs: that count.
        seconds: of these epochs.
        values: of the varied keys, as `--set` takes them.
    """

    number: int
    state: str
    val_accuracy: float | None
    epochs: int
    seconds: float
    values: dict[str, str]


def trial_of(frozen: FrozenTrial, folder: Path) -> Trial:
    """A trial of Optuna's, trained in a folder."""
    accuracies = frozen.intermediate_values
    epochs = max(accuracies, default=0)
    try:
        seconds = runs.read_history(folder / "history.csv")["seconds"][:epochs]
    except RunError:
        seconds = []
    last = frozen.value if frozen.state == TrialState.COMPLETE else accuracies.get(epochs)
    taken = round(sum(value or 0 for value in seconds), 3)
    return Trial(frozen.number + 1, state_of(frozen), last, epochs, taken, frozen.user_attrs.get("values", {}))


def state_of(trial: FrozenTrial) -> str:
    """As `Trial.state` has it."""
    return {TrialState.FAIL: "failed"}.get(trial.state, trial.state.name.lower())


def ranked(trials: Iterable[Trial]) -> list[Trial]:
    """The best first, those without a result last."""
    order = ("complete", "pruned", "running", "failed")
    return sorted(trials, key=lambda trial: (order.index(trial.state), -(trial.val_accuracy or 0), trial.number))


def as_csv(trials: Sequence[Trial], keys: Sequence[str]) -> str:
    """leaderboard.csv: rank, trial, state, val_accuracy, epochs, seconds, and a column for each key that was varied."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(["rank", "trial", "state", "val_accuracy", "epochs", "seconds", *keys])
    for rank, trial in enumerate(trials, start=1):
        accuracy = "" if trial.val_accuracy is None else f"{trial.val_accuracy:.6f}"
        values = [trial.values.get(key, "") for key in keys]
        lines.writerow([rank, trial.number, trial.state, accuracy, trial.epochs, trial.seconds, *values])
    return text.getvalue()


def best_recipe(recipe: Recipe, best: Trial, n_trials: int) -> Recipe:
    """The recipe that was varied, with the values of the best trial."""
    found = recipes.changed(recipe, [f"{key}={value}" for key, value in best.values.items()])
    share = 100 * (best.val_accuracy or 0)
    why = f"Trial {best.number}, the best of {n_trials} of a sweep: {share:.2f} % of the validation digits."
    return msgspec.structs.replace(found, why=why)


def draw(over: Sequence[Over], folder: Path, trials: Sequence[Trial], study: optuna.Study) -> None:
    """Write parallel_coordinates.png, and importance.png of several keys once enough trials have finished."""
    from tenfold.cluster import drawing
    from tenfold.learn import style

    shown = [trial for trial in trials if trial.val_accuracy is not None and trial.state in ("complete", "pruned")]
    columns: dict[str, list[float | str]] = {
        varied.key: [float(t.values[varied.key]) if isinstance(varied, ranges.Range) else t.values[varied.key] for t in shown]
        for varied in over
    }
    logarithmic = [varied.key for varied in over if isinstance(varied, ranges.Range) and varied.logarithmic]
    figure = drawing.parallel_coordinates(columns, logarithmic, [trial.val_accuracy or 0 for trial in shown])
    style.save(figure, folder / "parallel_coordinates.png")
    shares = _importances(study)
    if len(shares) > 1:  # of a single key it would say 100 %
        n = len(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)))
        style.save(drawing.importance(shares, n), folder / "importance.png")


def _importances(study: optuna.Study) -> dict[str, float]:
    """The share of each key in what makes good trials differ; empty while too few have finished to say."""
    with warnings.catch_warnings(action="ignore"):
        try:
            evaluator = optuna.importance.PedAnovaImportanceEvaluator()
            return dict(optuna.importance.get_param_importances(study, evaluator=evaluator))
        except (ValueError, RuntimeError):
            return {}
