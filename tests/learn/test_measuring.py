import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import tenfold
from tenfold import Digits, Run
from tenfold.errors import DataError, RunError, UsageError
from tenfold.learn import corruptions, measuring, recipes


def test_a_run_is_measured_and_says_what_it_was_trained_on(toy_run: Run, toy: Digits, tmp_path: Path) -> None:
    subject = measuring.find(str(toy_run.folder))
    evaluation = measuring.measure(subject, toy[300:])
    assert evaluation.n_trained_on == 20, "300 to 319 were training digits, 320 to 399 were held out"
    measuring.write(evaluation, subject, tmp_path / "out")
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert (metrics["digits"], metrics["trained_on"], metrics["accuracy"]) == (100, 20, evaluation.accuracy)
    with (tmp_path / "out" / "mistakes.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [int(row["index"]) for row in rows] == evaluation.mistakes.tolist()
    drawn = {"confusion_matrix.png", "mistakes.png", "calibration.png", "coverage.png"}
    assert {p.name for p in (tmp_path / "out").glob("*.png")} == drawn
    assert metrics["temperature"] == toy_run.metrics["temperature"]


def test_digits_of_one_name_do_not_replace_each_others_evaluation(toy_run: Run, toy: Digits, tmp_path: Path) -> None:
    subject = replace(measuring.find(str(toy_run.folder)), folder=tmp_path)
    some, others = toy[300:350], toy[350:]
    folder = measuring.folder_for(subject, some)
    assert folder == tmp_path / "evaluations" / some.name
    measuring.write(measuring.measure(subject, some), subject, folder)
    assert measuring.folder_for(subject, some) == folder, "the same digits measured again take their place"
    assert measuring.folder_for(subject, others).name == f"{some.name}-2"


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 200_000])
def test_a_damaged_evaluation_is_replaced(toy_run: Run, toy: Digits, tmp_path: Path, content: bytes) -> None:
    subject = replace(measuring.find(str(toy_run.folder)), folder=tmp_path)
    folder = measuring.folder_for(subject, toy)
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_bytes(content)
    assert measuring.folder_for(subject, toy) == folder


def test_models_of_one_name_do_not_replace_each_others_evaluation(toy_run: Run, toy: Digits, tmp_path: Path) -> None:
    alone = measuring.find(str(toy_run.folder))
    one = replace(alone, folder=tmp_path / "average", name="a + b")
    other = replace(one, name="c + d")
    folder = measuring.folder_for(one, toy)
    measuring.write(measuring.measure(one, toy), one, folder)
    assert measuring.folder_for(one, toy) == folder
    assert measuring.folder_for(other, toy).name == f"{toy.name}-2"
    assert measuring.find(str(toy_run.folder / "model.onnx")).folder == toy_run.folder, "an ONNX file of a run is that run's"
    measuring.write(measuring.measure(alone, toy), alone, place := tmp_path / "place")
    assert json.loads((place / "metrics.json").read_text())["model"] == str(toy_run.folder)


def test_several_models_are_averaged(toy_run: Run, toy: Digits) -> None:
    bundled, run = measuring.find("bundled"), measuring.find(str(toy_run.folder))
    both = measuring.find_all([str(toy_run.folder), "bundled"])
    expected = (bundled.probabilities(toy.images) + run.probabilities(toy.images)) / 2
    assert np.allclose(both.probabilities(toy.images), expected, atol=1e-6)
    assert both.n_trained_on(toy[:320]) == 320
    onnx = measuring.find_all([str(toy_run.folder / "model.onnx"), "bundled"])
    assert onnx.n_trained_on(toy) is None, "not known of the one, so not known of both"
    with pytest.raises(UsageError, match="the same model twice"):
        measuring.find_all(["bundled", "bundled"])


def test_of_the_bundled_model_is_known_what_it_was_trained_on() -> None:
    subject = measuring.find("bundled")
    assert subject.n_trained_on(tenfold.load("mnist", "train")[54_900:55_100]) == 100
    assert subject.n_trained_on(tenfold.load("mnist", "test")) == 0


def test_test_time_augmentation_is_the_mean_over_nine_places(toy: Digits) -> None:
    bundled = measuring.find("bundled")
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, 5:20, 14] = 255
    moved = [np.roll(image, (y, x), (1, 2)) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    expected = np.mean([bundled.probabilities(m) for m in moved], axis=0)
    assert np.allclose(measuring.augmented(bundled).probabilities(image), expected, atol=1e-6)


def test_corrupted_digits_are_read_worse_the_more_severe(tmp_path: Path) -> None:
    digits = tenfold.load("mnist", "train")[-300:]
    accuracies = measuring.measure_corrupted(measuring.find("bundled"), digits)
    assert set(accuracies) == set(corruptions.CORRUPTIONS)
    assert all(len(values) == 5 for values in accuracies.values())
    assert accuracies["rotation"][0] > accuracies["rotation"][4] + 0.1
    measuring.write_corrupted(accuracies, "bundled", tmp_path)
    assert len((tmp_path / "corruptions.csv").read_text().splitlines()) == 1 + len(accuracies)
    assert (tmp_path / "corruptions.png").stat().st_size > 10_000


def test_two_models_are_compared_on_the_same_digits(toy_run: Run) -> None:
    digits = tenfold.load("mnist", "train")[-300:]
    pair = measuring.compare(measuring.find("bundled"), measuring.find(str(toy_run.folder)), digits)
    assert pair.one.n_correct - pair.other.n_correct == pair.n_only_one - pair.n_only_other
    assert pair.p_value < 1e-6, "a network that knows bars only is worse"


def test_an_onnx_file_is_measured_too(toy_run: Run, toy: Digits) -> None:
    subject = measuring.find(str(toy_run.folder / "model.onnx"))
    assert subject.n_trained_on(toy) is None, "its recipe names a file"
    assert measuring.measure(subject, toy).accuracy == measuring.measure(measuring.find(str(toy_run.folder)), toy).accuracy


def test_by_default_a_named_set_is_measured_on_its_test_digits() -> None:
    subject = measuring.find("bundled")
    assert len(measuring.digits_for(subject, None, None)) == 10_000
    assert len(measuring.digits_for(subject, "digit-recognizer", None)) == 28_000
    assert len(measuring.digits_for(subject, "mnist", "train")) == 60_000


def test_a_run_on_a_file_has_no_test_digits_of_its_own(toy_run: Run) -> None:
    with pytest.raises(UsageError, match="name some: --data digit-recognizer"):
        measuring.digits_for(measuring.find(str(toy_run.folder)), None, None)


@pytest.mark.parametrize("before", ["gone", "learnt"])
def test_without_the_run_it_learnt_from_a_run_is_measured_on_named_digits(
    toy_run: Run, toy: Digits, toy_csv: Path, tmp_path: Path, before: str
) -> None:
    """The earlier run was removed, or the later one has its name."""
    folder = tmp_path / "learnt"
    shutil.copytree(toy_run.folder, folder)
    recipe = recipes.chosen(toy_run.recipe, ["rehearsal.folds=0"], start_from=tmp_path / before)
    (folder / "recipe.json").write_bytes(recipes.as_json(recipe))
    subject = measuring.find(str(folder))
    with pytest.raises(UsageError, match=r"the run that it learnt from cannot be read.*name some: --data mnist"):
        measuring.digits_for(subject, None, None)
    evaluation = measuring.measure(subject, measuring.digits_for(subject, str(toy_csv), None))
    assert evaluation.n_trained_on == 320, "its own file says what it and the first weights had seen"


def test_an_evaluation_of_a_run_in_bytes_that_are_not_utf8_is_json_for_all(toy_run: Run, toy: Digits, tmp_path: Path) -> None:
    subject = replace(measuring.find(str(toy_run.folder)), name="r\udce9")
    measuring.write(measuring.measure(subject, toy), subject, tmp_path)
    assert json.loads((tmp_path / "metrics.json").read_text())["model"] == r"r\xe9"


def test_digits_without_labels_cannot_be_measured(toy_run: Run, toy: Digits) -> None:
    with pytest.raises(DataError, match="no labels"):
        measuring.measure(measuring.find(str(toy_run.folder)), toy.unlabelled())


def test_a_submission_has_kaggles_form(toy_run: Run, toy: Digits, tmp_path: Path) -> None:
    subject = measuring.find(str(toy_run.folder))
    measuring.write_submission(subject, toy.unlabelled(), tmp_path / "submission.csv")
    header, *rows = (tmp_path / "submission.csv").read_text().splitlines()
    assert header == "ImageId,Label"
    labels = subject.probabilities(toy.images).argmax(axis=1)
    assert rows == [f"{i},{label}" for i, label in enumerate(labels, start=1)]


def test_a_submission_that_came_out_wrong_never_appears(
    toy_run: Run, toy: Digits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_text
    monkeypatch.setattr(Path, "write_text", lambda self, text, **kw: write(self, text[: len(text) // 2], **kw))
    with pytest.raises(RunError, match="did not come out as written"):
        measuring.write_submission(measuring.find(str(toy_run.folder)), toy, tmp_path / "submission.csv")
    assert list(tmp_path.iterdir()) == []


def test_no_digits_are_refused(toy_run: Run, toy: Digits, tmp_path: Path) -> None:
    subject = measuring.find(str(toy_run.folder))
    with pytest.raises(DataError, match="no digits"):
        measuring.measure(subject, toy[:0])
    with pytest.raises(DataError, match="no digits"):
        measuring.write_submission(subject, toy[:0], tmp_path / "s.csv")


def test_probabilities_add_up_to_one(toy_run: Run, toy: Digits) -> None:
    assert np.allclose(measuring.find(str(toy_run.folder)).probabilities(toy.images).sum(axis=1), 1, atol=1e-5)
