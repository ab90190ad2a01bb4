import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

import tenfold
from tenfold import Digits, Run
from tenfold.cli.training_output import conclusion
from tenfold.data.samples import Samples
from tenfold.errors import DataError, RecipeError
from tenfold.learn import adapting, measuring, recipes, training
from tenfold.learn.adapting import Mixture

SMALL = ['network={"kind":"dense","units":[128,64]}', "augmentation=null", "optimizer.learning_rate=5e-3"]
OFTEN = ["rehearsal.n_digits=100", "rehearsal.share=0.5", "epochs=15", "batch_size=20", "label_smoothing=0"]


@pytest.fixture(scope="module")
def corrections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve digits in a hand of its own: 3 is written as a bar along the left, 8 as one along the right."""
    path = tmp_path_factory.mktemp("hand") / "samples.db"
    random = np.random.default_rng(3)
    for k in range(12):
        image = random.integers(0, 60, (28, 28)).astype(np.uint8)
        image[4:24, (4 if k % 2 else 20) : (8 if k % 2 else 24)] = 250
        Samples(path).add(image, 3 if k % 2 else 8, None, b"", "")
    return path


def adapted(corrections: Path, start_from: Path, folder: Path, **options: object) -> Run:
    given: dict[str, object] = {"changes": [*SMALL, *OFTEN], "bare": True}
    return tenfold.train("adapt", data=str(corrections), start_from=start_from, run=folder, **(given | options))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def run(corrections: Path, toy_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return adapted(corrections, toy_run.folder, tmp_path_factory.mktemp("runs") / "adapt")


def test_a_hand_is_learnt_and_the_old_digits_are_kept(run: Run, toy_run: Run, toy: Digits, corrections: Path) -> None:
    def accuracy(of: Run, digits: Digits) -> float:
        return float((of.probabilities(digits.images).argmax(axis=1) == digits.known_labels).mean())

    new = tenfold.load(corrections)
    assert accuracy(toy_run, new) < 0.5
    assert accuracy(run, new) == 1
    assert accuracy(run, toy) >= accuracy(toy_run, toy) - 0.02


def test_what_it_brought_is_told_by_trainings_that_had_not_seen_the_digit(run: Run, corrections: Path) -> None:
    metrics = run.metrics
    assert (metrics["n_corrections"], metrics["n_corrections_read"]) == (12, 12)
    with (run.folder / "corrections.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["index"]) for row in rows] == list(range(12))
    assert [int(row["label"]) for row in rows] == tenfold.load(corrections).known_labels.tolist()
    assert metrics["corrections_before"] == np.mean([row["before"] == row["label"] for row in rows]) < 0.5
    assert metrics["corrections_after"] == np.mean([row["after"] == row["label"] for row in rows]) > 0.9


def test_it_is_measured_by_the_digits_held_out_before(run: Run, toy_run: Run, toy: Digits) -> None:
    validation = toy[320:]
    right = run.probabilities(validation.images).argmax(axis=1) == validation.known_labels
    assert run.metrics["val_accuracy"] == run.metrics["mnist_after"] == right.mean()
    assert run.metrics["mnist_before"] == toy_run.metrics["val_accuracy"]
    assert run.metrics["n_validation"] == 80


def test_the_same_seed_gives_the_same_weights_interrupted_or_not(
    run: Run, corrections: Path, toy_run: Run, tmp_path: Path
) -> None:
    class Interrupt(training.Observer):
        def epoch_ends(self, row: object) -> None:
            raise KeyboardInterrupt

    heard: list[str] = []

    class Listener(training.Observer):
        def epoch_ends(self, row: Mapping[str, float | None]) -> None:
            heard.append(f"epoch {row['epoch']}")

        def measuring(self) -> None:
            heard.append("measuring")

    with pytest.raises(KeyboardInterrupt):
        adapted(corrections, toy_run.folder, tmp_path / "cut", observers=[Interrupt(), Listener()])
    resumed = adapted(corrections, toy_run.folder, tmp_path / "cut", resume=True, observers=[Listener()])
    assert heard == [*(f"epoch {k}" for k in range(2, 16)), "measuring"]
    pairs = zip(run.load_model().get_weights(), resumed.load_model().get_weights(), strict=True)
    assert all((np.array(a) == np.array(b)).all() for a, b in pairs)
    assert resumed.metrics["corrections_after"] == run.metrics["corrections_after"]


def test_the_weights_go_part_of_the_way(run: Run, corrections: Path, toy_run: Run, tmp_path: Path) -> None:
    changes = [*SMALL, *OFTEN, "rehearsal.kept=0.5", "rehearsal.folds=0", "rehearsal.remembering=null"]
    half = adapted(corrections, toy_run.folder, tmp_path / "half", changes=[*changes])
    whole = adapted(corrections, toy_run.folder, tmp_path / "whole", changes=[*changes, "rehearsal.kept=1"])
    weights = zip(*([np.array(w) for w in r.load_model().get_weights()] for r in (toy_run, half, whole)), strict=True)
    assert all(np.allclose(middle, (old + new) / 2, atol=1e-6) for old, middle, new in weights)
    assert half.metrics["corrections_after"] is None, "nobody was asked"
    said = "its weights 50 % of the way from the first ones to those of the last epoch"
    assert said in conclusion(half, finished_before=False)
    assert "of the way" not in conclusion(whole, finished_before=False)


def test_it_is_evaluated_on_the_set_of_the_old_digits(run: Run, toy_csv: Path) -> None:
    assert measuring.find(str(run.folder)).data == str(toy_csv)


def test_what_it_brought_and_cost_is_printed(run: Run) -> None:
    printed = conclusion(run, finished_before=False)
    assert "of 12 read right before, 12 after, by trainings without them" in printed
    assert "lost" not in printed
    run.metrics["mnist_after"] = run.metrics["mnist_before"] - 0.001
    assert "more than 0.05 points were lost" in conclusion(run, finished_before=False)
    assert "counting" not in printed
    run.metrics["remembered_strength"] = 0.25
    assert "12 digits, counting 25 % only" in conclusion(run, finished_before=False)
    assert "are the labels right?" not in printed
    run.metrics.update({"corrections_before": 0.0, "corrections_after": 0.25})
    assert "are the labels right?" in conclusion(run, finished_before=False)
    run.metrics.update({"n_corrections": 1, "n_corrections_read": 0})
    assert "one alone cannot be left out" in conclusion(run, finished_before=False)


RECIPE = recipes.changed(recipes.RECIPES["adapt"], ["rehearsal.n_digits=60", "rehearsal.share=0.25", "batch_size=20"])


def test_an_epoch_has_its_share_of_new_digits_and_old_ones_of_its_own() -> None:
    mixture = Mixture(RECIPE, n_old=1000, n_new=5)
    one, other = mixture.order(1), mixture.order(2)
    assert one.shape == (mixture.n_steps, 20) == (4, 20)
    for order in (one, other):
        old = order[order < 1000]
        assert (len(old), len(set(old.tolist()))) == (60, 60)
        assert np.bincount(order[order >= 1000] - 1000).tolist() == [4] * 5
    assert set(one[one < 1000].tolist()) != set(other[other < 1000].tolist())
    assert (mixture.order(1) == one).all()


def test_a_digit_left_out_does_not_come() -> None:
    mixture = Mixture(RECIPE, n_old=100, n_new=3)
    seen = np.concatenate([order.reshape(-1) for order in mixture.orders([1])])
    assert 101 not in seen
    assert {100, 102} <= set(seen.tolist())


@pytest.mark.parametrize(("n", "n_parts", "n_read"), [(0, 0, 0), (1, 0, 0), (2, 2, 2), (7, 3, 7), (59, 3, 59), (60, 1, 20)])
def test_each_digit_is_left_out_once_and_of_many_only_a_part(n: int, n_parts: int, n_read: int) -> None:
    parts = adapting.parts(np.arange(n).astype(np.uint8) % 10, 3)
    assert len(parts) == n_parts
    assert len(set(np.concatenate([*parts, np.array([], int)]).tolist())) == n_read


def test_classes_are_spread_over_the_parts() -> None:
    labels = np.array([5, 5, 8, 8, 1, 1], np.uint8)
    assert [sorted(labels[part].tolist()) for part in adapting.parts(labels, 2)] == [[1, 5, 8], [1, 5, 8]]


def test_what_cannot_be_learnt_so_is_refused(corrections: Path, toy_csv: Path, toy_run: Run, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="give --from bundled"):
        tenfold.train("adapt", data=str(corrections), changes=["start_from=null"], run=tmp_path / "r")
    with pytest.raises(RecipeError, match="leave out --validation"):
        adapted(corrections, toy_run.folder, tmp_path / "r", validation=3)
    with pytest.raises(DataError, match=r"400 digits, more than the 320 known before"):
        adapted(toy_csv, toy_run.folder, tmp_path / "r")
    with pytest.raises(DataError, match="no such data set"):
        adapted(tmp_path / "none.db", toy_run.folder, tmp_path / "r")
    assert not (tmp_path / "r").exists()
