import csv
import threading
import time
from concurrent.futures import Future
from pathlib import Path

import pytest

from tenfold.cluster import places, ranges, sweep
from tenfold.cluster.trainings import Outcome, Training
from tenfold.errors import RunError, UsageError
from tenfold.learn import recipes
from tenfold.learn.recipe import Recipe
from tenfold.learn.runs import Run

from .conftest import Instant


@pytest.fixture
def plan(recipe: Recipe) -> sweep.Plan:
    short = recipes.changed(recipe, ["epochs=6"])
    return sweep.Plan(short, tuple(ranges.read_all(["learning_rate=1e-5..1:log", "batch_size=16,32"], short)), at_once=3)


def board(folder: Path) -> list[dict[str, str]]:
    with (folder / "leaderboard.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "_LOOKS_EVERY_S", 0.01)


@pytest.mark.usefixtures("fast")
def test_results_follow_from_the_plan_whatever_the_speed_and_however_often_it_is_killed(
    plan: sweep.Plan, tmp_path: Path
) -> None:
    whole = sweep.search(plan, 16, tmp_path / "a", Instant(seed=1))
    sweep.search(plan, 16, tmp_path / "b", Instant(seed=2))
    for dies_after in (2, 6):
        with pytest.raises(KeyboardInterrupt):
            sweep.search(plan, 16, tmp_path / "c", Instant(seed=3, dies_after=dies_after))
    sweep.search(plan, 16, tmp_path / "c", Instant(seed=4))
    expected = board(tmp_path / "a")
    assert [len(expected), whole.n_wanted] == [16, 16]
    assert board(tmp_path / "b") == expected
    assert board(tmp_path / "c") == expected
    states = {row["state"] for row in expected}
    assert {"complete", "pruned"} <= states, "the toy is made so that some fall behind"


@pytest.mark.usefixtures("fast")
def test_a_sweep_leaves_a_leaderboard_figures_and_a_recipe_that_train_takes(plan: sweep.Plan, tmp_path: Path) -> None:
    done = sweep.search(plan, 12, tmp_path / "s", Instant())
    rows = board(tmp_path / "s")
    shares = [float(row["val_accuracy"]) for row in rows if row["state"] == "complete"]
    assert shares == sorted(shares, reverse=True)
    best = recipes.read(tmp_path / "s" / "best.json")
    assert done.best is not None
    assert (
        str(best.optimizer.learning_rate) == rows[0]["optimizer.learning_rate"] == done.best.values["optimizer.learning_rate"]
    )
    assert f"Trial {rows[0]['trial']}, the best of 12" in best.why
    assert (tmp_path / "s" / "parallel_coordinates.png").stat().st_size > 10_000
    assert (tmp_path / "s" / "importance.png").stat().st_size > 10_000
    failed = [row for row in rows if row["state"] == "failed"]
    assert set(done.said.values()) <= {"too slow to be worth it"}
    assert len(done.said) == len(failed)


@pytest.mark.usefixtures("fast")
def test_a_single_key_has_no_figure_of_what_matters_most(plan: sweep.Plan, tmp_path: Path) -> None:
    sweep.search(sweep.Plan(plan.recipe, plan.over[:1], plan.at_once), 12, tmp_path / "s", Instant())
    assert (tmp_path / "s" / "parallel_coordinates.png").exists()
    assert not (tmp_path / "s" / "importance.png").exists()


@pytest.mark.usefixtures("fast")
def test_more_trials_go_on_and_another_plan_is_refused(plan: sweep.Plan, tmp_path: Path) -> None:
    sweep.search(plan, 3, tmp_path / "s", Instant())
    more = Instant()
    assert len(sweep.search(plan, 5, tmp_path / "s", more).trials) == 5
    assert set(more.trained) == {"trial-0004", "trial-0005"}
    other = sweep.Plan(plan.recipe, plan.over[:1], plan.at_once)
    with pytest.raises(RunError, match="begun with another plan"):
        sweep.search(other, 5, tmp_path / "s", Instant())
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "thesis.txt").touch()
    with pytest.raises(RunError, match="other files and no sweep"):
        sweep.search(plan, 5, tmp_path / "else", Instant())


def test_a_sweep_without_validation_digits_is_refused(plan: sweep.Plan, tmp_path: Path) -> None:
    blind = sweep.Plan(recipes.changed(plan.recipe, ["validation=0"]), plan.over)
    with pytest.raises(UsageError, match="none are held out"):
        sweep.search(blind, 3, tmp_path / "s", Instant())


class Endless:
    """Trainings that end only when they are stopped."""

    n_workers = 2

    def start(self, training: Training) -> Future[Outcome]:
        future: Future[Outcome] = Future()

        def wait() -> None:
            while not Path(f"{training.folder}.stop").exists():
                time.sleep(0.01)
            future.set_result(Outcome("stopped"))

        future.set_running_or_notify_cancel()
        threading.Thread(target=wait, daemon=True).start()
        return future


@pytest.mark.usefixtures("fast")
def test_when_the_time_is_up_what_runs_is_stopped_and_goes_on_later(plan: sweep.Plan, tmp_path: Path) -> None:
    stopped = sweep.search(plan, 4, tmp_path / "s", Endless(), minutes=0)
    assert [trial.state for trial in stopped.trials] == ["running"] * 3
    assert stopped.best is None
    done = sweep.search(plan, 4, tmp_path / "s", Instant())
    assert {trial.state for trial in done.trials} <= {"complete", "pruned", "failed"}


def test_a_sweep_on_a_cluster_never_looks_at_test_digits(recipe: Recipe, address: str, tmp_path: Path) -> None:
    short = recipes.changed(recipe, ["epochs=1"])
    plan = sweep.Plan(short, tuple(ranges.read_all(["batch_size=16,32"], short)), at_once=2)
    with places.opened(address, None) as place:
        done = sweep.search(plan, 2, tmp_path / "s", place)
    assert [trial.state for trial in done.trials] == ["complete"] * 2
    for number in (1, 2):
        log = (tmp_path / "s" / "trials" / f"trial-{number:04}.log").read_text()
        metrics = Run(tmp_path / "s" / "trials" / f"trial-{number:04}").metrics
        assert (metrics["n_test"], metrics["test_accuracy"]) == (0, None), log


@pytest.mark.usefixtures("fast")
def test_a_trial_is_compared_with_those_that_had_ended_when_it_was_proposed(plan: sweep.Plan, tmp_path: Path) -> None:
    sweep.search(plan, 6, tmp_path / "s", Instant())
    study = sweep._Search(plan, 6, tmp_path / "s", Instant()).study
    told_at = [trial.datetime_complete for trial in study.get_trials()]
    assert len(told_at) == 6
    assert told_at == sorted(told_at, key=str), (
        "in the order of their numbers, though some trained longer than those after them"
    )
    assert [trial.number for trial in sweep._Earlier(study, 2).get_trials()] == [0, 1, 2]
