import csv
import json
from pathlib import Path

import numpy as np
import pytest

from tenfold import Digits, Run
from tenfold.errors import DataError, RunError, UsageError
from tenfold.learn import measuring


def test_a_run_is_measured_and_says_what_it_was_trained_on(toy_run: Run, toy: Digits, tmp_path: Path) -> None:
    evaluation = measuring.measure(measuring.find(str(toy_run.folder)), toy[300:])
    assert evaluation.n_trained_on == 20, "300 to 319 were training digits, 320 to 399 were held out"
    measuring.write(evaluation, tmp_path / "out")
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert (metrics["digits"], metrics["trained_on"], metrics["accuracy"]) == (100, 20, evaluation.accuracy)
    with (tmp_path / "out" / "mistakes.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [int(row["index"]) for row in rows] == evaluation.mistakes.tolist()
    assert {p.name for p in (tmp_path / "out").glob("*.png")} == {"confusion_matrix.png", "mistakes.png", "calibration.png"}


def test_an_onnx_file_is_measured_too(toy_run: Run, toy: Digits) -> None:
    subject = measuring.find(str(toy_run.folder / "model.onnx"))
    assert subject.n_trained_on(toy) is None
    assert measuring.measure(subject, toy).accuracy == measuring.measure(measuring.find(str(toy_run.folder)), toy).accuracy


def test_by_default_a_named_set_is_measured_on_its_test_digits() -> None:
    subject = measuring.find("bundled")
    assert len(measuring.digits_for(subject, None, None)) == 10_000
    assert len(measuring.digits_for(subject, "digit-recognizer", None)) == 28_000
    assert len(measuring.digits_for(subject, "mnist", "train")) == 60_000


def test_a_run_on_a_file_has_no_test_digits_of_its_own(toy_run: Run) -> None:
    with pytest.raises(UsageError, match="name some with --data"):
        measuring.digits_for(measuring.find(str(toy_run.folder)), None, None)


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
