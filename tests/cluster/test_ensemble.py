import sys
import threading
import time
from pathlib import Path

import numpy as np
import onnx
import pytest

from tenfold import Digits
from tenfold.cluster import ensemble, places, trainings
from tenfold.cluster.consensus import Consensus, subsets
from tenfold.cluster.places import Place
from tenfold.cluster.trainings import Outcome, Training
from tenfold.errors import RunError, UsageError
from tenfold.learn import measuring, recipes, runs
from tenfold.learn.evaluation import Evaluation
from tenfold.learn.recipe import Recipe
from tenfold.learn.runs import Run
from tenfold.read.reader import Reader

from .conftest import kill, parent_of, processes_with

FILES = {"recipe.json", "history.csv", "metrics.json", "curves.png", "confusion_matrix.png", "mistakes.png", "calibration.png",
         "coverage.png", "members.png", "model.onnx", "fingerprints.npy", "member-1", "member-2"}  # fmt: skip


@pytest.fixture(scope="module")
def here(recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two members trained in processes of this machine, undisturbed."""
    with places.opened(None, 2) as place:
        return ensemble.train(recipe, 2, tmp_path_factory.mktemp("here") / "ensemble", place, resume=False)


def test_an_ensemble_is_a_run_that_answers_with_the_mean_of_its_members(here: Run, toy: Digits) -> None:
    assert {path.name for path in here.folder.iterdir()} >= FILES
    members = [runs.open_run(here.folder / f"member-{k}") for k in (1, 2)]
    assert [member.recipe.seed for member in members] == [0, 1]
    expected = np.mean([member.probabilities(toy.images) for member in members], axis=0)
    assert np.allclose(here.probabilities(toy.images), expected, atol=1e-6)
    assert not np.allclose(members[0].probabilities(toy.images), expected, atol=1e-3)
    assert np.allclose(measuring.find(str(here.folder)).probabilities(toy.images), expected, atol=1e-6)
    assert Reader(here.folder).classify_glyphs(toy.images[:3]).labels.shape == (3,)


def test_its_metrics_say_what_a_run_says_and_how_good_its_members_are(here: Run, toy: Digits) -> None:
    metrics, validation = here.metrics, toy[300:]
    right = here.probabilities(validation.images).argmax(axis=1) == validation.known_labels
    assert metrics["val_accuracy"] == right.mean()
    singles = [member["val_accuracy"] for member in metrics["members"]]
    assert metrics["singles"]["validation"] == {"mean": np.mean(singles), "deviation": pytest.approx(np.std(singles, ddof=1))}
    assert metrics["parameters"] == 2 * 109_386
    assert metrics["by_number"][-1]["mean"] == metrics["val_accuracy"]
    assert sum(row["digits"] for row in metrics["agreement"]) == 100


@pytest.mark.skipif(sys.platform != "linux", reason="the worker is found in /proc")
def test_on_a_cluster_that_loses_a_worker_it_has_the_same_bytes(
    here: Run, recipe: Recipe, address: str, tmp_path: Path
) -> None:
    first = tmp_path / "ensemble" / "member-1"

    def kill_the_worker() -> None:
        while not any((first / "checkpoints").glob("epoch-*.npz")):
            time.sleep(0.02)
        kill(parent_of(processes_with(f"--run {first} ")[0]))

    threading.Thread(target=kill_the_worker, daemon=True).start()
    with places.opened(address, None) as place:
        assert place.n_workers == 3
        disturbed = ensemble.train(recipe, 2, tmp_path / "ensemble", place, resume=False, bare=True)
    assert len(trainings.machines(Path(f"{first}.log"))) > 1, "the member was begun twice"
    assert (disturbed.folder / "model.onnx").read_bytes() == (here.folder / "model.onnx").read_bytes()
    assert [m["val_accuracy"] for m in disturbed.metrics["members"]] == [m["val_accuracy"] for m in here.metrics["members"]]


def test_resume_leaves_a_finished_one_alone_and_adds_members(failing: Place, here: Run, recipe: Recipe, tmp_path: Path) -> None:
    before = (here.folder / "metrics.json").stat().st_mtime_ns
    again = ensemble.train(recipe, 2, here.folder, failing, resume=True)
    assert (again.folder / "metrics.json").stat().st_mtime_ns == before
    with pytest.raises(ensemble.UnfinishedError, match="member-3"):
        ensemble.train(recipe, 3, here.folder, failing, resume=True)


def test_export_writes_the_same_file_again(here: Run, tmp_path: Path) -> None:
    ensemble.export(here.folder, tmp_path / "mean.onnx")
    assert (tmp_path / "mean.onnx").read_bytes() == (here.folder / "model.onnx").read_bytes()
    facts = {entry.key: entry.value for entry in onnx.load(tmp_path / "mean.onnx").metadata_props}
    assert (facts["members"], facts["kind"]) == ("2", "tenfold digit classifier")


def test_what_does_not_fit_is_refused(failing: Place, here: Run, recipe: Recipe, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="holds an ensemble already"):
        ensemble.train(recipe, 2, here.folder, failing, resume=False)
    with pytest.raises(RunError, match=r"another recipe \(epochs: 25 and 5\)"):
        ensemble.train(recipes.changed(recipe, ["epochs=5"]), 2, here.folder, failing, resume=True)
    with pytest.raises(UsageError, match="expected 2 to 100"):
        ensemble.train(recipe, 1, tmp_path / "one", failing, resume=False)
    with pytest.raises(RunError, match="holds other files"):
        ensemble.train(recipe, 2, here.folder / "member-1", failing, resume=True)


def test_a_member_that_fails_leaves_the_others_and_says_so(failing: Place, recipe: Recipe, tmp_path: Path) -> None:
    with pytest.raises(ensemble.UnfinishedError) as problem:
        ensemble.train(recipe, 2, tmp_path / "x", failing, resume=False)
    assert problem.value.said == {"member-1": "out of memory", "member-2": "out of memory"}
    assert not Run(tmp_path / "x").finished


def test_a_training_that_refuses_is_not_tried_again(tmp_path: Path) -> None:
    (tmp_path / "recipe.json").write_text("no")
    outcome = trainings.run(trainings.training(tmp_path / "run", "--recipe", str(tmp_path / "recipe.json")))
    assert outcome.state == "failed"
    assert "not JSON" in outcome.said


def test_a_training_that_keeps_dying_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(training: Training, stopped: object) -> Outcome:
        attempts.append(training)
        raise trainings.DiedError("ended with signal SIGKILL")

    attempts: list[Training] = []
    monkeypatch.setattr(trainings, "run", dies)
    with places.opened(None, 1) as place:
        outcome = places.outcome(place.start(trainings.training(tmp_path / "run")))
    assert (outcome, len(attempts)) == (Outcome("failed", "ended with signal SIGKILL"), 3)


def test_accuracy_by_number_and_agreement_are_those_counted_by_hand(toy: Digits) -> None:
    digits = toy[:4]
    labels = digits.known_labels

    def sure_of(answers: list[int]) -> np.ndarray:
        return np.eye(10, dtype=np.float32)[answers]

    wrong = [(int(label) + 1) % 10 for label in labels]
    right = [int(label) for label in labels]
    answers = np.stack([sure_of(right), sure_of([*right[:3], wrong[3]]), sure_of([*right[:2], *wrong[2:]])])
    found = Consensus(answers, Evaluation(digits, answers.mean(axis=0)))
    assert found.singles.tolist() == [1, 0.75, 0.5]
    assert found.by_number()[0]["mean"] == 0.75
    assert found.by_number()[2]["mean"] == 0.75, "two of three are wrong about the last digit"
    assert [(row["members"], row["digits"]) for row in found.agreement()] == [(0, 0), (1, 0), (2, 2), (3, 2)]
    assert found.agreement()[3]["accuracy"] == 1
    assert len(subsets(4, 2)) == 6
    assert len(subsets(20, 10)) == 50
