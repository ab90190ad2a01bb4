import os
import signal
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tenfold import Digits, limits
from tenfold.errors import RunError
from tenfold.learn import checkpoints, compiled, networks, recipes, runs
from tenfold.learn.fitting import Fitting, best_epoch, shuffled
from tenfold.learn.progress import Observer
from tenfold.learn.recipe import Recipe
from tenfold.learn.runs import History

RECIPE = recipes.changed(recipes.RECIPES["classic"], ["network.units=[16]", "optimizer.learning_rate=1e-2", "epochs=3"])


def fitting_of(toy: Digits, recipe: Recipe = RECIPE, n_validation: int = 80) -> Fitting:
    training, validation = toy.split(n_validation)
    return Fitting(networks.build(recipe), networks.make_optimizer(recipe.optimizer, 30), recipe, training, validation)


def test_every_digit_comes_once_an_epoch_in_another_order_each_time() -> None:
    first, second = shuffled(10, 4, seed=0, epoch=1), shuffled(10, 4, seed=0, epoch=2)
    assert first.shape == (3, 4)
    assert sorted(first.ravel())[2:] == list(range(10))
    assert (first.ravel()[10:] == -1 - first.ravel()[:2]).all(), "filled with the first digits, marked to weigh nothing"
    assert (first != second).any()
    assert (first == shuffled(10, 4, seed=0, epoch=1)).all()
    assert (first != shuffled(10, 4, seed=1, epoch=1)).any()


def test_a_toy_is_learnt(toy: Digits, tmp_path: Path) -> None:
    fitting = fitting_of(toy)
    fitting.run(tmp_path, [])
    assert fitting.history["val_accuracy"][-1] > 0.95
    assert fitting.history["loss"][-1] < fitting.history["loss"][0]
    validation = toy[320:]
    right = fitting.probabilities(validation.images).argmax(axis=1) == validation.known_labels
    assert fitting.history["val_accuracy"][-1] == right.mean()


def test_without_validation_its_columns_are_empty(toy: Digits, tmp_path: Path) -> None:
    fitting = fitting_of(toy, n_validation=0)
    fitting.run(tmp_path, [])
    assert fitting.history["val_loss"] == [None] * 3
    assert (tmp_path / "history.csv").read_text().splitlines()[1].count(",,") == 1


def test_going_on_from_a_checkpoint_changes_no_bit(toy: Digits, tmp_path: Path) -> None:
    whole = fitting_of(toy)
    whole.run(tmp_path / "whole", [])
    first_two = fitting_of(toy, recipes.changed(RECIPE, ["epochs=2"]))
    first_two.run(tmp_path / "cut", [])
    resumed = fitting_of(toy)
    found = checkpoints.latest(tmp_path / "cut" / "checkpoints")
    assert found is not None
    resumed.go_on_from(found)
    resumed.run(tmp_path / "cut", [])
    pairs = zip(whole.model.get_weights(), resumed.model.get_weights(), strict=True)
    assert all((a == b).all() for a, b in pairs)
    assert resumed.history["loss"] == whole.history["loss"]


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_augmentation_and_its_random_numbers_go_on_too(toy: Digits, tmp_path: Path, name: str) -> None:
    """Cut after the first of two epochs: batch norms, schedule, random numbers and the last clean epoch are as if uncut."""
    small = {"mlp": "network.units=[8]", "cnn": "network.stages=[[4],[4]]"}[name]
    recipe = recipes.changed(recipes.RECIPES[name], [small, "epochs=2", "batch_size=32", "augmentation.clean_epochs=1"])
    whole, cut = fitting_of(toy, recipe), fitting_of(toy, recipe)
    whole.run(tmp_path / "whole", [])
    found = checkpoints.latest(tmp_path / "whole" / "checkpoints")
    (tmp_path / "whole" / "checkpoints" / "epoch-00002.npz").unlink()
    first = checkpoints.latest(tmp_path / "whole" / "checkpoints")
    assert found is not None
    assert first is not None
    cut.go_on_from(first)
    cut.run(tmp_path / "cut", [])
    assert cut.history["loss"] == whole.history["loss"]
    pairs = zip(whole.model.get_weights(), cut.model.get_weights(), strict=True)
    assert all((a == b).all() for a, b in pairs)
    assert float(whole.model.get_layer("augment").strength.numpy()) == 0, "the last epoch was clean"


def test_copies_come_in_one_step_each_changed_in_its_own_way_and_once_when_clean(toy: Digits, tmp_path: Path) -> None:
    changes = ["network.units=[8]", "epochs=2", "batch_size=32", "augmentation.copies=3", "augmentation.clean_epochs=1"]
    fitting = fitting_of(toy, recipes.changed(recipes.RECIPES["mlp"], changes))
    take, taken = fitting._steps, []

    def noting(order: np.ndarray, start: int, stop: int) -> compiled.Totals:
        taken.append(order)
        return take(order, start, stop)

    fitting._steps = noting
    fitting.run(tmp_path, [])
    copied, clean = taken[0], taken[-1]
    assert copied.shape == (10, 96)
    assert (copied[:, :32] == copied[:, 64:]).all()
    assert clean.shape == (10, 32)
    change = fitting.model.get_layer("augment")
    change.strength.assign(1.0)
    thrice = np.asarray(change(np.tile(toy.images[:32].astype(np.float32) / 255, (3, 1, 1)), training=True))
    assert np.abs(thrice[:32] - thrice[32:64]).max() > 0.5


def test_a_loss_that_is_no_number_stops_and_leaves_what_was_written(toy: Digits, tmp_path: Path) -> None:
    fitting = fitting_of(toy)
    first = fitting.model.layers[2]
    first.set_weights([np.full_like(w, np.nan) for w in first.get_weights()])
    with pytest.raises(RunError, match=r"epoch 1: the loss is nan; train anew .*learning_rate"):
        fitting.run(tmp_path, [])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("where", ["before", "after"])
def test_52_the_best_weights_are_kept_when_a_loss_is_no_number(toy: Digits, tmp_path: Path, where: str) -> None:
    """The third epoch goes wrong, at its start or with its last step, after which no loss is taken any more."""

    class Harm(Observer):
        best: list[np.ndarray]

        def epoch_begins(self, epoch: int, n_epochs: int, n_steps: int) -> None:
            if epoch == 3 and where == "before":
                self._harm()

        def steps_done(self, n_done: int, totals: object) -> None:
            if len(fitting.history["epoch"]) == 2 and n_done == 10 and where == "after":
                self._harm()

        def epoch_ends(self, row: dict[str, float]) -> None:
            if row["epoch"] == 1:
                self.best = fitting.model.get_weights()
                fitting.history["val_accuracy"][0], fitting.history["val_loss"][0] = 1.0, 0.0  # it cannot get better

        def _harm(self) -> None:
            layer = fitting.model.layers[2]
            layer.set_weights([np.full_like(w, np.nan) for w in layer.get_weights()])

    fitting, harm = fitting_of(toy), Harm()
    said = {"before": "the loss is nan", "after": "a weight is no number"}[where]
    with pytest.raises(RunError, match=rf"epoch 3: {said}; model.keras keeps the weights of epoch 1, the best \(.*100.00 %"):
        fitting.run(tmp_path, [harm])
    kept = networks.build(RECIPE)
    runs.load_weights(kept, tmp_path / "model.keras")
    assert all((a == b).all() for a, b in zip(kept.get_weights(), harm.best, strict=True))
    assert (tmp_path / "history.csv").read_text().count("\n") == 3
    found = checkpoints.latest(tmp_path / "checkpoints")
    assert found is not None
    assert found.epoch == 2


def test_the_best_epoch_is_that_of_validation_where_there_is_one() -> None:
    history: History = {"loss": [0.3, 0.2, 0.1], "val_loss": [0.4, 0.3, 0.3], "val_accuracy": [0.9, 0.95, 0.95]}
    assert best_epoch(history) == 2
    assert best_epoch(history | {"val_loss": [0.4, 0.3, 0.2]}) == 3
    assert best_epoch(history | {"val_loss": [None] * 3, "val_accuracy": [None] * 3}) == 3
    assert best_epoch({column: [] for column in history}) == 0


@pytest.mark.parametrize("stopped", ["asked", "killed"])
def test_a_training_goes_on_within_an_epoch(toy: Digits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped: str) -> None:
    """Saved because it was asked to stop, or because some time had passed; then no weight, sum or random number differs."""

    class Stop(Observer):
        told = threading.Event()

        def steps_done(self, n_done: int, totals: object) -> None:
            if len(cut.history["epoch"]) == 1 and n_done == 4:
                if stopped == "killed":
                    raise ZeroDivisionError
                os.kill(os.getpid(), signal.SIGTERM)
                assert self.told.wait(60)

        def stopping(self) -> None:
            self.told.set()

    small = ["network.units=[8]", "epochs=3", "batch_size=32", "augmentation.clean_epochs=1"]
    recipe = recipes.changed(recipes.RECIPES["mlp"], small)
    whole, cut, again = (fitting_of(toy, recipe) for _ in range(3))
    whole.run(tmp_path / "whole", [])
    if stopped == "killed":
        monkeypatch.setattr(limits, "from_environment", lambda: replace(limits.Limits(), max_lost_s=0))
    stop = Stop()
    with pytest.raises(ZeroDivisionError if stopped == "killed" else KeyboardInterrupt):
        cut.run(tmp_path / "cut", [stop])
    found = checkpoints.latest(tmp_path / "cut" / "checkpoints")
    assert found is not None
    assert (found.epoch, found.part.n_steps) == (1, 4 if stopped == "asked" else 3)
    assert stop.told.is_set() == (stopped == "asked")
    again.go_on_from(found)
    again.run(tmp_path / "cut", [])
    for column in ("loss", "accuracy", "val_loss", "val_accuracy"):
        assert again.history[column] == whole.history[column]
    assert all((a == b).all() for a, b in zip(whole.values(), again.values(), strict=True))


def test_who_watches_changes_no_bit(toy: Digits, tmp_path: Path) -> None:
    alone, watched = fitting_of(toy), fitting_of(toy)
    alone.run(tmp_path / "alone", [])
    watched.run(tmp_path / "watched", [Observer()])
    assert alone.history["loss"] == watched.history["loss"]


def test_observers_are_told_of_each_epoch_and_of_all_steps(toy: Digits, tmp_path: Path) -> None:
    class Notes(Observer):
        def __init__(self) -> None:
            self.begun: list[tuple[int, int, int]] = []
            self.done: list[int] = []
            self.rows: list[dict[str, float]] = []

        def epoch_begins(self, epoch: int, n_epochs: int, n_steps: int) -> None:
            self.begun.append((epoch, n_epochs, n_steps))

        def steps_done(self, n_done: int, totals: object) -> None:
            self.done.append(n_done)

        def epoch_ends(self, row: dict[str, float]) -> None:
            self.rows.append(row)

    notes = Notes()
    fitting_of(toy).run(tmp_path, [notes])
    assert notes.begun == [(1, 3, 10), (2, 3, 10), (3, 3, 10)]
    assert notes.done == list(range(1, 11)) * 3
    assert [row["epoch"] for row in notes.rows] == [1, 2, 3]
