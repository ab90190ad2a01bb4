import json
from pathlib import Path

import numpy as np
import pytest

import tenfold
from tenfold import Digits
from tenfold.errors import RunError, TenfoldError, UsageError
from tenfold.learn import folds, measuring, recipes, splits, training
from tenfold.learn.recipe import Recipe
from tenfold.learn.runs import Run


@pytest.fixture(scope="module")
def toy_recipe(toy_csv: Path) -> Recipe:
    return recipes.changed(recipes.RECIPES["classic"], [f"data={toy_csv}", "epochs=3", "optimizer.learning_rate=1e-2"])


def train_one(recipe: Recipe, folder: Path) -> Run:
    return tenfold.train(recipe, run=folder, bare=True, resume=folder.exists())


@pytest.fixture(scope="module")
def done(toy_recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> folds.Folds:
    return folds.train(toy_recipe, 4, tmp_path_factory.mktemp("runs") / "folds", resume=False, train_one=train_one)


def test_each_digit_is_read_by_the_run_that_never_saw_it(done: folds.Folds, toy: Digits) -> None:
    assert len(done.members) == 4
    whole = done.out_of_fold
    assert len(whole.digits) == len(toy)
    for i, run in enumerate(done.members):
        mine = np.arange(len(toy)) % 4 == i
        assert not np.isin(toy[mine].fingerprints, run.fingerprints).any()
        assert np.allclose(whole.probabilities[mine], run.probabilities(toy.images[mine]), atol=1e-6)
        assert run.metrics["val_accuracy"] == whole.correct[mine].mean()
    rows = (done.folder / "out_of_fold.csv").read_text().splitlines()
    assert len(rows) == 1 + len(toy)
    assert json.loads((done.folder / "folds.json").read_text())["out_of_fold"]["accuracy"] == whole.accuracy


def test_the_folder_of_folds_stands_for_the_average_of_its_runs(done: folds.Folds, toy: Digits) -> None:
    expected = np.mean([run.probabilities(toy.images) for run in done.members], axis=0)
    subject = measuring.find(str(done.folder))
    assert np.allclose(subject.probabilities(toy.images), expected, atol=1e-6)
    assert subject.n_trained_on(toy) == len(toy), "each digit trained all runs but one"


def test_resume_goes_on_and_without_it_nothing_is_overwritten(done: folds.Folds, toy_recipe: Recipe) -> None:
    before = (done.folder / "fold-2" / "model.keras").read_bytes()
    with pytest.raises(RunError, match="not empty"):
        folds.train(toy_recipe, 4, done.folder, resume=False, train_one=train_one)
    again = folds.train(toy_recipe, 4, done.folder, resume=True, train_one=train_one)
    assert again.out_of_fold.accuracy == done.out_of_fold.accuracy
    assert (done.folder / "fold-2" / "model.keras").read_bytes() == before


def test_folds_that_were_interrupted_are_resumed_to_the_same_bytes(
    done: folds.Folds, toy_recipe: Recipe, tmp_path: Path
) -> None:
    class Interrupt(training.Observer):
        def epoch_ends(self, row: object) -> None:
            raise KeyboardInterrupt

    def train(recipe: Recipe, folder: Path) -> Run:
        observers = [Interrupt()] if cut and folder.name == "fold-3" else []
        return tenfold.train(recipe, run=folder, bare=True, resume=True, observers=observers)

    cut = True
    with pytest.raises(KeyboardInterrupt):
        folds.train(toy_recipe, 4, tmp_path / "cut", resume=False, train_one=train)
    assert not folds.is_one(tmp_path / "cut")
    cut = False
    again = folds.train(toy_recipe, 4, tmp_path / "cut", resume=True, train_one=train)
    for one, other in zip(again.members, done.members, strict=True):
        pairs = zip(one.load_model().get_weights(), other.load_model().get_weights(), strict=True)
        assert all((a == b).all() for a, b in pairs)
    assert (tmp_path / "cut" / "out_of_fold.csv").read_bytes() == (done.folder / "out_of_fold.csv").read_bytes()


@pytest.mark.parametrize("n_folds", [-1, 0, 1, 101])
def test_too_few_and_too_many_folds_are_refused_before_anything_is_trained(
    toy_recipe: Recipe, tmp_path: Path, n_folds: int
) -> None:
    with pytest.raises(UsageError, match="expected 2 to 100"):
        folds.train(toy_recipe, n_folds, tmp_path / "x", resume=False, train_one=train_one)
    assert not (tmp_path / "x").exists()


def test_finished_folds_of_another_recipe_or_number_are_not_taken_for_these(done: folds.Folds, toy_recipe: Recipe) -> None:
    before = (done.folder / "folds.json").read_bytes()
    with pytest.raises(RunError, match="was begun with 4 folds, not 3"):
        folds.train(toy_recipe, 3, done.folder, resume=True, train_one=train_one)
    with pytest.raises(RunError, match=r"was begun with another recipe \(epochs: 3 and 2\)"):
        folds.train(recipes.changed(toy_recipe, ["epochs=2"]), 4, done.folder, resume=True, train_one=train_one)
    assert (done.folder / "folds.json").read_bytes() == before


def test_weights_that_saw_a_fold_are_counted_in_its_score(done: folds.Folds, toy_recipe: Recipe, tmp_path: Path) -> None:
    start = recipes.changed(toy_recipe, ["epochs=1", f"start_from={done.members[0].folder}"])
    again = folds.train(start, 2, tmp_path / "again", resume=False, train_one=train_one)
    assert again.out_of_fold.n_trained_on == 300, "those of the first of four folds it had not seen"


@pytest.mark.parametrize("fold", ["0/5", "6/5", "1/1", "5", "-1/2", "1/2/3"])
def test_a_fold_that_does_not_exist_is_refused(toy_recipe: Recipe, fold: str) -> None:
    with pytest.raises(TenfoldError, match=r"fold|validation"):
        splits.split(recipes.changed(toy_recipe, [f'validation="{fold}"']))


@pytest.mark.parametrize("content", ["[]", "{}", '{"folds": -1}', '{"folds": 1e400}', '{"folds": true}', "[" * 9999, "no"])
def test_damaged_folds_are_said_so(tmp_path: Path, content: str) -> None:
    (tmp_path / "folds.json").write_text(content)
    with pytest.raises(RunError, match=r"folds\.json: "):
        measuring.find(str(tmp_path))
