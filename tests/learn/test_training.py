import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tenfold
from tenfold import Digits, Run
from tenfold.data.sources import load, save
from tenfold.errors import DataError, RunError, StorageError, UsageError
from tenfold.learn import backend, networks, recipes, splits, training

METRICS = {
    "parameters", "epochs", "val_accuracy", "test_accuracy", "test_interval", "ece", "seconds", "seed", "backend", "versions",
    "commit", "data_sha256",
}  # fmt: skip
FILES = {
    "recipe.json", "history.csv", "metrics.json", "curves.png", "confusion_matrix.png", "mistakes.png", "calibration.png",
    "coverage.png", "report.html", "model.keras", "model.onnx", "checkpoints", "fingerprints.npy",
}  # fmt: skip


def few(toy_csv: Path, folder: Path, **changes: object) -> Run:
    options: dict[str, object] = {"data": str(toy_csv), "epochs": 2, "bare": True, "run": folder}
    return tenfold.train("classic", **options | changes)  # type: ignore[arg-type]


def weights_of(run: Run) -> list[np.ndarray]:
    return [np.array(w) for w in run.load_model().get_weights()]


def test_a_run_folder_holds_what_the_contract_says(toy_run: Run) -> None:
    assert {p.name for p in toy_run.folder.iterdir()} - {".lock"} == FILES
    assert toy_run.metrics.keys() >= METRICS
    assert toy_run.metrics["backend"] == os.environ["KERAS_BACKEND"]
    assert toy_run.metrics["parameters"] == 109_386
    assert (toy_run.metrics["test_accuracy"], toy_run.metrics["test_interval"]) == (None, None), "a file has no test digits"
    assert list(toy_run.history) == ["epoch", "loss", "accuracy", "val_loss", "val_accuracy", "seconds"]
    assert toy_run.history["epoch"] == [1, 2]


def test_metrics_are_those_of_the_weights_that_were_kept(toy_run: Run, toy: Digits) -> None:
    validation = toy[320:]
    accuracy = (toy_run.probabilities(validation.images).argmax(axis=1) == validation.known_labels).mean()
    assert toy_run.metrics["val_accuracy"] == toy_run.history["val_accuracy"][-1] == accuracy
    assert toy_run.metrics["data_sha256"] == toy[:320].sha256
    assert (toy_run.fingerprints == np.unique(toy[:320].fingerprints)).all()


def test_bare_leaves_weights_history_and_metrics_only(toy_csv: Path, tmp_path: Path) -> None:
    run = few(toy_csv, tmp_path / "bare")
    left_out = {name for name in FILES if name.endswith(".png")} | {"report.html", "model.onnx"}
    assert {p.name for p in run.folder.iterdir()} - {".lock"} == FILES - left_out
    assert run.metrics["val_accuracy"] is not None


def test_the_same_seed_gives_the_same_weights_and_another_one_does_not(toy_csv: Path, tmp_path: Path) -> None:
    one, same, other = (few(toy_csv, tmp_path / name, seed=seed) for name, seed in [("a", 3), ("b", 3), ("c", 4)])
    assert all((a == b).all() for a, b in zip(weights_of(one), weights_of(same), strict=True))
    assert any((a != b).any() for a, b in zip(weights_of(one), weights_of(other), strict=True))


def test_an_interrupted_run_resumed_is_the_run_uninterrupted(toy_csv: Path, tmp_path: Path) -> None:
    class Interrupt(training.Observer):
        def epoch_ends(self, row: object) -> None:
            raise KeyboardInterrupt

    whole = few(toy_csv, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        few(toy_csv, tmp_path / "cut", observers=[Interrupt()])
    assert not Run(tmp_path / "cut").finished
    resumed = few(toy_csv, tmp_path / "cut", resume=True)
    assert all((a == b).all() for a, b in zip(weights_of(whole), weights_of(resumed), strict=True))


def test_resume_starts_afresh_where_there_is_nothing_and_leaves_a_finished_run_alone(toy_csv: Path, tmp_path: Path) -> None:
    run = few(toy_csv, tmp_path / "new", resume=True)
    before = {p: p.stat().st_mtime_ns for p in run.folder.iterdir()}
    again = few(toy_csv, tmp_path / "new", resume=True)
    assert again.metrics == run.metrics
    assert {p: p.stat().st_mtime_ns for p in run.folder.iterdir()} == before


def test_a_run_may_have_a_name_in_bytes_that_are_not_utf8(toy_csv: Path, tmp_path: Path) -> None:
    run = few(toy_csv, tmp_path / "r\udce9", epochs=1, bare=False)
    assert (run.folder / "report.html").is_file()
    assert run.finished


def test_a_folder_with_a_run_is_not_overwritten(toy_run: Run, toy_csv: Path) -> None:
    with pytest.raises(RunError, match="holds a run already; go on with --resume"):
        few(toy_csv, toy_run.folder)


def test_resuming_with_another_recipe_or_other_digits_is_refused(toy: Digits, toy_csv: Path, tmp_path: Path) -> None:
    run = few(toy_csv, tmp_path / "run")
    (run.folder / "metrics.json").unlink()
    with pytest.raises(RunError, match=r"another recipe \(epochs: 2 and 3\)"):
        few(toy_csv, run.folder, epochs=3, resume=True)
    changed = tmp_path / "train.csv"
    save(toy[::-1], changed)
    (run.folder / "recipe.json").write_bytes(recipes.as_json(recipes.changed(run.recipe, [f"data={changed}"])))
    with pytest.raises(RunError, match="other digits"):
        few(changed, run.folder, resume=True)


def test_two_trainings_do_not_share_a_folder(toy_csv: Path, tmp_path: Path) -> None:
    from tenfold import storage

    with storage.lock(tmp_path / "run", "training"), pytest.raises(StorageError, match="in use by another training"):
        few(toy_csv, tmp_path / "run")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda toy: toy.unlabelled(), "no labels"),
        (lambda toy: toy[toy.known_labels == 3], r"only digits of class 3;"),
        (lambda toy: toy[:20], "fewer than a batch of 32"),
    ],
)
def test_digits_that_cannot_be_learnt_from_are_refused(toy: Digits, tmp_path: Path, make: object, said: str) -> None:
    path = tmp_path / "bad.csv"
    save(make(toy), path)  # type: ignore[operator]
    with pytest.raises(DataError, match=said):
        few(path, tmp_path / "run")
    assert not (tmp_path / "run" / "recipe.json").exists()


def test_a_run_can_start_from_the_weights_of_another(toy_run: Run, toy_csv: Path, tmp_path: Path) -> None:
    fresh = few(toy_csv, tmp_path / "fresh", epochs=1)
    warm = few(toy_csv, tmp_path / "warm", epochs=1, start_from=toy_run.folder)
    assert warm.history["loss"][0] < fresh.history["loss"][0]


def test_tensorboard_logs_hold_the_history(toy_csv: Path, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = few(toy_csv, tmp_path / "run", tensorboard=True)
    events = EventAccumulator(str(run.folder / "tensorboard"))
    events.Reload()
    tags = events.Tags()["tensors"] or events.Tags()["scalars"]
    assert {"loss/training", "loss/validation", "accuracy/training", "accuracy/validation"} <= set(tags)


def test_metrics_are_valid_json_without_nan(toy_run: Run) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    json.loads((toy_run.folder / "metrics.json").read_text(), parse_constant=refuse)


def test_what_is_refused_leaves_no_folder(toy: Digits, toy_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unlabelled = tmp_path / "test.csv"
    save(toy.unlabelled(), unlabelled)
    with pytest.raises(DataError):
        few(unlabelled, tmp_path / "run")
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    with pytest.raises(UsageError):
        few(toy_csv, tmp_path / "run")
    monkeypatch.undo()
    with pytest.raises(UsageError, match="which TensorBoard does not take"):
        few(toy_csv, tmp_path / "run\udce9", tensorboard=True)
    assert [path.name for path in tmp_path.iterdir()] == ["test.csv"]


def test_a_teacher_teaches(toy_csv: Path, toy_run: Run, tmp_path: Path) -> None:
    """With nothing but the teacher's answers to learn from, the pupil comes to answer as the teacher does."""
    changes = [
        f'teaching={{"teachers":["{toy_run.folder}"],"share":1.0}}',
        "optimizer.learning_rate=1e-2",
        "network.units=[32]",
    ]
    taught = few(toy_csv, tmp_path / "taught", epochs=8, changes=changes, seed=3)
    alone = few(toy_csv, tmp_path / "alone", epochs=1, changes=changes[1:], seed=3)
    images = load(toy_csv).images
    distance = [np.abs(run.probabilities(images) - toy_run.probabilities(images)).mean() for run in (taught, alone)]
    assert distance[0] < 0.5 * distance[1]


def test_a_teacher_that_knows_the_answers_is_refused(toy_csv: Path, toy_run: Run, tmp_path: Path) -> None:
    """It was trained on the first 320 digits; the first fold of them would be the pupil's validation digits."""
    changes = [f'teaching={{"teachers":["{toy_run.folder}"]}}']
    with pytest.raises(RunError, match=r"was trained on 64 of the validation digits"):
        few(toy_csv, tmp_path / "r", validation="1/5", changes=changes)
    with pytest.raises(RunError, match=r"teacher bundled was trained on [\d,]+ of the (validation|test) digits"):
        tenfold.train("mlp-distilled", data="digit-recognizer", run=tmp_path / "r")
    assert not (tmp_path / "r").exists()


def test_strangers_are_learnt_from_and_resumed_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    csv = tmp_path / "digits.csv"
    save(load("mnist", "train")[:600], csv)
    changes = ['augmentation={"strangers":0.5}', "network.units=[8]"]
    whole = few(csv, tmp_path / "whole", epochs=2, changes=changes)
    assert whole.metrics["n_train"] == 480
    few(csv, tmp_path / "cut", epochs=2, changes=changes)
    for path in ("metrics.json", "checkpoints/epoch-00002.npz"):
        (tmp_path / "cut" / path).unlink()
    resumed = few(csv, tmp_path / "cut", epochs=2, changes=changes, resume=True)
    assert all((a == b).all() for a, b in zip(weights_of(whole), weights_of(resumed), strict=True))


def test_a_run_told_so_leaves_the_test_digits_alone(toy: Digits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = splits.Splits(toy[:320], toy[320:360], toy[360:])
    monkeypatch.setattr(training, "split", lambda recipe: whole)
    for test in (True, False):
        run = tenfold.train("classic", epochs=1, run=tmp_path / str(test), bare=True, test=test)
        assert run.metrics["val_accuracy"] is not None
        assert (run.metrics["test_accuracy"] is not None, run.metrics["n_test"]) == (test, 40 if test else 0)


def test_a_run_trained_in_bfloat16_is_one_of_float32_weights(
    toy_csv: Path, toy: Digits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is measured, kept and exported as it will be read with; the export is compared with Keras within 1e-5."""
    monkeypatch.setattr(backend, "_multiplies_bfloat16", lambda: True)
    changes = ["precision=bfloat16", "network.stages=[[6],[8],[12]]", "augmentation=null"]
    options = {"data": str(toy_csv), "epochs": 4, "batch_size": 16, "validation": 80, "changes": changes}
    run = tenfold.train("cnn-fast", run=tmp_path / "run", **options)  # type: ignore[arg-type]
    validation = toy[320:]
    accuracy = (run.probabilities(validation.images).argmax(axis=1) == validation.known_labels).mean()
    assert run.metrics["val_accuracy"] == accuracy > 0.5
    assert (run.folder / "model.onnx").is_file()


@pytest.mark.one_backend
def test_a_teacher_computes_in_the_precision_of_its_pupil(
    toy_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend, "_multiplies_bfloat16", lambda: True)
    taught, seen = networks.taught, []

    def noted(model: Any, teachers: Sequence[Any]) -> Any:
        seen.extend(layer.compute_dtype for teacher in teachers for layer in teacher.layers if layer.name == "conv_1")
        return taught(model, teachers)

    monkeypatch.setattr(networks, "taught", noted)
    small = ["network.stages=[[4],[4]]", "augmentation=null"]
    options = {"data": str(toy_csv), "epochs": 1, "batch_size": 64, "validation": 80, "bare": True}
    tenfold.train("cnn-fast", run=tmp_path / "teacher", changes=small, **options)  # type: ignore[arg-type]
    for precision in ("bfloat16", "float32"):
        teaching = f'teaching={{"teachers":["{tmp_path / "teacher"}"]}}'
        changes = [*small, teaching, f"precision={precision}"]
        tenfold.train("cnn-fast", run=tmp_path / precision, changes=changes, **options)  # type: ignore[arg-type]
    assert seen == ["bfloat16", "float32"]
