"""A sweep: many trainings of one recipe with some of its values varied, and the recipe that did best on validation digits.

Optuna proposes the values (TPE) and a median rule ends what falls behind. Which values a trial gets, and when it is ended,
follows from the seed and from the trials that came so many before it (`Plan.at_once`), not from which of them happened to be
faster: so a sweep has the same results on one core, on a cluster, and after it was killed. Test digits are never looked at.
"""

from __future__ import annotations

import time
import warnings
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from tenfold import storage
from tenfold.cluster import leaderboard, places, trainings
from tenfold.cluster.leaderboard import Trial
from tenfold.cluster.places import Place
from tenfold.cluster.ranges import Over
from tenfold.cluster.trainings import Outcome
from tenfold.cluster.watching import Watch
from tenfold.errors import MissingExtraError, RunError, UsageError
from tenfold.learn import recipes, runs
from tenfold.learn.recipe import Recipe
from tenfold.learn.runs import Run
from tenfold.learn.splits import split

try:
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend
    from optuna.trial import TrialState
except ModuleNotFoundError as problem:
    raise MissingExtraError("cluster", "optuna") from problem

_RECIPE, _PLAN = "base.json", "sweep.json"
_LOOKS_EVERY_S = 0.5
_N_RANDOM = 8  # trials before TPE has something to go by
_N_UNPRUNED = 4  # finished trials before any is ended early
_SPARED = 1 / 3  # of the epochs: before them accuracies say little


@dataclass(frozen=True)
class Plan:
    """What decides a sweep.

    Attributes:
        recipe: what is trained.
        over: what is varied.
        at_once: a trial is proposed once all but so many of those before it have ended; so many can run beside each other.
    """

    recipe: Recipe
    over: tuple[Over, ...]
    at_once: int = 4

    def as_dict(self) -> dict[str, Any]:
        """The plan without its recipe, for JSON."""
        plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode({"over": self.over, "at_once": self.at_once}))
        return plain


@dataclass(frozen=True)
class Sweep:
    """What came of a sweep.

    Attributes:
        folder: holds leaderboard.csv, the figures, best.json and the trials.
        trials: the best first; those without a result last.
        n_wanted: how many trials there were to be.
        said: by the number of each trial that failed, what went wrong.
    """

    folder: Path
    trials: tuple[Trial, ...]
    n_wanted: int
    said: dict[int, str]

    @property
    def best(self) -> Trial | None:
        """The complete trial of the highest validation accuracy, the first of several."""
        return next((trial for trial in self.trials if trial.state == "complete"), None)


def search(plan: Plan, n_trials: int, folder: Path, place: Place, minutes: float | None = None) -> Sweep:
    """Run trials until there are so many, or until the time is up; goes on with what is in the folder.

    Args:
        plan: what is tried.
        n_trials: how many, those before included.
        folder: of the sweep.
        place: where the trials are trained.
        minutes: no more than these; what runs then is stopped, and goes on with the next call.

    Raises:
        RunError: the folder holds something else, or a sweep of another plan.
        UsageError: no digits are held out for validation.
    """
    if not len(split(plan.recipe).validation):
        raise UsageError("a sweep chooses by validation digits, and none are held out; give --validation")
    _refuse_folder(folder, plan)
    with storage.lock(folder, "sweep"):
        storage.write_bytes(folder / _RECIPE, recipes.as_json(plan.recipe))
        runs.write_json(plan.as_dict(), folder / _PLAN)
        search = _Search(plan, n_trials, folder, place)
        search.run(None if minutes is None else time.monotonic() + 60 * minutes)
        return _concluded(plan, folder, search)


def _refuse_folder(folder: Path, plan: Plan) -> None:
    if not (folder / _PLAN).is_file():
        runs.refuse_strange(folder, "sweep", "with --run", ignored=(_RECIPE,))
        return
    differences = recipes.differences(recipes.read(folder / _RECIPE), plan.recipe)
    begun = runs.read_json(folder / _PLAN)
    if begun != plan.as_dict():
        differences.append("other values or another --at-once")
    if differences:
        raise RunError(f"{folder}: was begun with another plan ({'; '.join(differences)}); give the same, or another --run")


class _Search:
    """The trials under way, and Optuna's journal of them."""

    def __init__(self, plan: Plan, n_trials: int, folder: Path, place: Place) -> None:
        self._plan, self._folder, self._place = plan, folder, place
        self.n_trials = n_trials
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        with warnings.catch_warnings(action="ignore"):  # what Optuna calls experimental is pinned by our tests
            journal = JournalStorage(JournalFileBackend(str(folder / "journal.log")))
            self.study = optuna.create_study(storage=journal, study_name="sweep", direction="maximize", load_if_exists=True)
        self._running: dict[int, tuple[optuna.Trial, Future[Outcome]]] = {}
        self.said: dict[int, str] = {}
        warm_up = max(1, round(plan.recipe.epochs * _SPARED))
        self._pruner = optuna.pruners.MedianPruner(n_startup_trials=_N_UNPRUNED, n_warmup_steps=warm_up)

    def run(self, deadline: float | None) -> None:
        """Ask, train, tell, in the order of the trials' numbers."""
        for interrupted in self.trials(TrialState.RUNNING):
            self._begin(optuna.Trial(self.study, interrupted._trial_id))
        with Watch(self._plan.recipe.epochs) as watch:
            self._ask()
            while self._running:
                wait([future for _, future in self._running.values()], _LOOKS_EVERY_S, FIRST_COMPLETED)
                for trial, _ in list(self._running.values()):
                    self._report(trial)
                while self._running and self._running[min(self._running)][1].done():
                    self._tell(min(self._running))
                    self._ask()
                watch.show(self._states(), self._folder / "trials")
                if deadline is not None and time.monotonic() > deadline:
                    self._stop()
                    return

    def trials(self, *states: TrialState) -> list[optuna.trial.FrozenTrial]:
        """All trials in these states, in order."""
        return self.study.get_trials(deepcopy=False, states=states or None)

    def folder_of(self, number: int) -> Path:
        """Where a trial, counted from 0, is trained."""
        return self._folder / "trials" / f"trial-{number + 1:04}"

    def _ask(self) -> None:
        while len(self._running) < self._plan.at_once and len(self.trials()) < self.n_trials:
            number = len(self.trials())
            with warnings.catch_warnings(action="ignore"):
                self.study.sampler = optuna.samplers.TPESampler(
                    seed=1_000_003 * (self._plan.recipe.seed + 1) + number, n_startup_trials=_N_RANDOM, constant_liar=True
                )
                trial = self.study.ask()
                trial.set_user_attr("values", {over.key: over.drawn(trial) for over in self._plan.over})
            self._begin(trial)

    def _begin(self, trial: optuna.Trial) -> None:
        values = trial.user_attrs.get("values")
        if values is None:  # killed while it was being asked
            values = {over.key: over.drawn(trial) for over in self._plan.over}
            trial.set_user_attr("values", values)
        folder = self.folder_of(trial.number)
        storage.make_folder(folder.parent)
        Path(f"{folder}.stop").unlink(missing_ok=True)
        changes = [option for key, value in values.items() for option in ("--set", f"{key}={value}")]
        options = ("--recipe", str((self._folder / _RECIPE).absolute()), *changes, "--no-test")
        self._running[trial.number] = trial, self._place.start(trainings.training(folder, *options))

    def _report(self, trial: optuna.Trial) -> None:
        """Tell Optuna the epochs that are new, until the trial falls behind; then end it."""
        if trial.user_attrs.get("pruned"):
            return
        frozen = self.trials()[trial.number]
        for epoch, accuracy in _accuracies(self.folder_of(trial.number)):
            if epoch in frozen.intermediate_values:
                continue
            trial.report(accuracy, epoch)
            frozen = self.trials()[trial.number]
            if epoch < self._plan.recipe.epochs and self._falls_behind(frozen):
                trial.set_user_attr("pruned", True)
                Path(f"{self.folder_of(trial.number)}.stop").touch()
                return

    def _falls_behind(self, trial: optuna.trial.FrozenTrial) -> bool:
        """Whether the best epoch so far is below the median of the finished trials that it may be compared with."""
        earlier = _Earlier(self.study, trial.number - self._plan.at_once)
        return self._pruner.prune(earlier, trial)  # type: ignore[arg-type]

    def _tell(self, number: int) -> None:
        trial, future = self._running.pop(number)
        self._report(trial)
        outcome, run = places.outcome(future), Run(self.folder_of(number))
        Path(f"{run.folder}.stop").unlink(missing_ok=True)
        if trial.user_attrs.get("pruned"):
            self.study.tell(trial, state=TrialState.PRUNED)
        elif outcome.state == "done" and run.finished:
            self.study.tell(trial, run.metrics["val_accuracy"])
        else:
            self.said[number + 1] = outcome.said
            trial.set_user_attr("said", outcome.said)
            self.study.tell(trial, state=TrialState.FAIL)

    def _states(self) -> dict[str, str]:
        return {self.folder_of(trial.number).name: leaderboard.state_of(trial) for trial in self.trials()}

    def _stop(self) -> None:
        for number, (_, future) in self._running.items():
            future.cancel()
            Path(f"{self.folder_of(number)}.stop").touch()
        wait([future for _, future in self._running.values()])
        for number in self._running:
            Path(f"{self.folder_of(number)}.stop").unlink(missing_ok=True)


class _Earlier:
    """A study as it looks to a trial: only those trials have ended that had when it was proposed."""

    def __init__(self, study: optuna.Study, last: int) -> None:
        self._study, self._last, self.direction = study, last, study.direction

    def get_trials(self, deepcopy: bool = True, states: Any = None) -> list[optuna.trial.FrozenTrial]:
        return [trial for trial in self._study.get_trials(deepcopy, states) if trial.number <= self._last]


def _accuracies(folder: Path) -> list[tuple[int, float]]:
    """The validation accuracy of each epoch so far."""
    try:
        history = runs.read_history(folder / "history.csv")
    except RunError:  # not written yet
        return []
    pairs = zip(history["epoch"], history["val_accuracy"], strict=True)
    return [(int(epoch), accuracy) for epoch, accuracy in pairs if epoch is not None and accuracy is not None]


def _concluded(plan: Plan, folder: Path, search: _Search) -> Sweep:
    """Write the leaderboard, the best recipe and the figures."""
    trials = leaderboard.ranked(leaderboard.trial_of(frozen, search.folder_of(frozen.number)) for frozen in search.trials())
    sweep = Sweep(folder, tuple(trials), search.n_trials, search.said)
    storage.write_text(folder / "leaderboard.csv", leaderboard.as_csv(trials, [over.key for over in plan.over]))
    if sweep.best is not None:
        best = leaderboard.best_recipe(plan.recipe, sweep.best, len(trials))
        storage.write_bytes(folder / "best.json", recipes.as_json(best))
        leaderboard.draw(plan.over, folder, trials, search.study)
    return sweep
