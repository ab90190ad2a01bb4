"""Measuring a model on any digits: a run, an ONNX file or the bundled model; and the submission for Kaggle."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tenfold import storage
from tenfold.data.digits import SIDE, Digits
from tenfold.data.sources import Part, load_checked
from tenfold.data.sources.packaged import NAMES as PACKAGED
from tenfold.errors import DataError, RunError, TenfoldError, UsageError, printable
from tenfold.learn import corruptions, folds, recipes, runs
from tenfold.learn.evaluation import Evaluation, count_trained_on, mcnemar
from tenfold.learn.recipe import Recipe
from tenfold.learn.splits import first_of, split
from tenfold.read import model as models

_HEADER = "ImageId,Label"  # of a submission
_MOST_CORRUPTED = 2000  # digits: eleven corruptions at five severities make 110,000 of them


@dataclass(frozen=True)
class Measurable:
    """Something that answers to images.

    Attributes:
        name: as it was given.
        probabilities: images uint8 (N, 28, 28) to probabilities float32 (N, 10), before calibration.
        fingerprints: of the digits it was trained on, uint64, or None if they are not known.
        data: the digits its recipe names, or None if they are not known.
        folder: where results go by default.
        temperature: fitted on its validation digits, or 1.
        way: what the names of its evaluations end in, since it answers in another way than usual.
    """

    name: str
    probabilities: Callable[[NDArray[np.uint8]], NDArray[np.float32]]
    fingerprints: NDArray[np.uint64] | None
    data: str | None
    folder: Path
    temperature: float = 1.0
    way: str = ""

    def n_trained_on(self, digits: Digits) -> int | None:
        """How many of the digits it was trained on, or None if that is not known."""
        return None if self.fingerprints is None else count_trained_on(digits, self.fingerprints)


def find(name: str) -> Measurable:
    """A run's folder, an ONNX file, or `bundled`.

    Raises:
        RunError, ModelError: there is none, or it cannot be used.
    """
    if name == "bundled" or name.endswith(".onnx"):
        model = models.load_bundled() if name == "bundled" else models.load(name)
        recipe = model.metadata.get("recipe")
        data = str(recipe.get("data", "mnist")) if isinstance(recipe, dict) else "mnist"
        fingerprints = _trained_on(model)
        beside = runs.Run(Path(name).parent)
        folder = beside.folder if name != "bundled" and beside.begun else runs.ROOT / Path(name).name
        return Measurable(name, model.probabilities, fingerprints, data, folder, model.temperature)
    if folds.is_one(Path(name)):
        return average([find(str(run.folder)) for run in folds.members(Path(name))], name, Path(name))
    run = runs.open_run(name)
    temperature = float(run.metrics["temperature"] or 1)
    return Measurable(name, run.probabilities, run.fingerprints, _measured_on(run.recipe), run.folder, temperature)


def _measured_on(recipe: Recipe) -> str | None:
    """The set that a run was measured on: where old digits were rehearsed, theirs, if the run that knows them can be read."""
    try:
        return first_of(recipe).data
    except TenfoldError:
        return None


def _trained_on(model: models.Model) -> NDArray[np.uint64] | None:
    """The fingerprints of the digits an ONNX file was trained on, where they are packaged ones: its recipe says which."""
    plain = model.metadata.get("recipe")
    if not isinstance(plain, dict) or plain.get("data") not in PACKAGED:
        return None
    try:
        training = split(recipes.from_dict(plain)).training
    except TenfoldError:
        return None
    return training.fingerprints if training.sha256 == model.metadata.get("training_digits_sha256") else None


def find_all(names: Sequence[str]) -> Measurable:
    """One model, or the average of several (see `find`).

    Raises:
        RunError, ModelError: one of them is missing or cannot be used.
        UsageError: the same one twice.
    """
    found = [find(name) for name in names]
    if len(found) == 1:
        return found[0]
    places = [Path(name).resolve() for name in names]
    if any(a == b or a in b.parents for i, a in enumerate(places) for j, b in enumerate(places) if i != j):
        raise UsageError(f"{', '.join(names)}: the same model twice; name each once")
    return average(found, " + ".join(names), runs.ROOT / "average")


def average(members: Sequence[Measurable], name: str, folder: Path) -> Measurable:
    """Several models as one: the mean of their probabilities."""

    def probabilities(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.asarray(np.mean([member.probabilities(images) for member in members], axis=0), np.float32)

    known = [member.fingerprints for member in members if member.fingerprints is not None]
    fingerprints = np.unique(np.concatenate(known)) if len(known) == len(members) else None
    return Measurable(name, probabilities, fingerprints, members[0].data, folder)


def augmented(subject: Measurable) -> Measurable:
    """Test-time augmentation: the mean of the probabilities for a digit and for it moved by a pixel in eight directions."""

    def probabilities(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
        views = (padded[:, y : y + SIDE, x : x + SIDE] for y in range(3) for x in range(3))
        return np.asarray(np.mean([subject.probabilities(np.ascontiguousarray(v)) for v in views], axis=0), np.float32)

    name = f"{subject.name} (test-time augmentation)"
    return replace(subject, name=name, probabilities=probabilities, temperature=1.0, way="-tta")


def digits_for(subject: Measurable, data: str | None, part: Part | None) -> Digits:
    """The digits to measure on: by default the test digits of the set that the model was trained on.

    Raises:
        UsageError: the model was trained on a file, which has no test digits, or on digits that are not known.
    """
    if data is None and subject.data is None:
        raise UsageError(
            f"{subject.name}: the run that it learnt from cannot be read any more, so its test digits are not known; "
            "name some: --data mnist"
        )
    if data is None and subject.data not in PACKAGED:
        raise UsageError(
            f"{subject.name} was trained on {subject.data}, which has no test digits; name some: --data digit-recognizer"
        )
    source = data or str(subject.data)
    return load_checked(source, part or ("test" if source in PACKAGED else "all"))


def measure(subject: Measurable, digits: Digits) -> Evaluation:
    """Compare a model's answers with the labels.

    Raises:
        DataError: the digits have no labels, or there are none.
    """
    if not len(digits.known_labels):
        raise DataError(f"{digits.name}: no digits; expected at least one")
    return Evaluation(digits, subject.probabilities(digits.images), subject.n_trained_on(digits), subject.temperature)


def measure_corrupted(subject: Measurable, digits: Digits) -> dict[str, list[float]]:
    """The accuracy on each of `corruptions.CORRUPTIONS`, at severities 1 to 5; of large sets 2,000 digits are taken evenly."""
    digits = digits[:: -(-len(digits) // _MOST_CORRUPTED)]
    accuracies: dict[str, list[float]] = {}
    for name, _, images in corruptions.every(digits.images):
        right = subject.probabilities(images).argmax(axis=1) == digits.known_labels
        accuracies.setdefault(name, []).append(float(right.mean()))
    return accuracies


@dataclass(frozen=True)
class Comparison:
    """Two models on the same digits.

    Attributes:
        one: an evaluation.
        other: of the other model, of the same digits.
        n_only_one: how many digits only the one read right.
        n_only_other: how many only the other.
        p_value: of McNemar's exact test.
    """

    one: Evaluation
    other: Evaluation
    n_only_one: int
    n_only_other: int
    p_value: float


def compare(one: Measurable, other: Measurable, digits: Digits) -> Comparison:
    """Measure two models on the same digits and test whether one is better."""
    a, b = measure(one, digits), measure(other, digits)
    return Comparison(a, b, *mcnemar(a.correct, b.correct))


def folder_for(subject: Measurable, digits: Digits) -> Path:
    """Where an evaluation goes unless a folder is named: under the name of the digits, numbered if others have that name.

    A folder that is no run's own, such as that of averages, holds those of several models.
    """
    name = storage.as_name(digits.name) + subject.way
    expected = {"data_sha256": digits.sha256} if _is_run(subject.folder) else _identity(subject, digits)
    return storage.numbered(subject.folder / "evaluations" / name, lambda place: _holds(place, expected))


def _identity(subject: Measurable, digits: Digits) -> dict[str, str]:
    return {"model": printable(subject.name), "data_sha256": digits.sha256}


def _holds(folder: Path, expected: Mapping[str, str]) -> bool:
    """Whether a folder holds the evaluation that is expected there, or none."""
    try:
        found = json.loads((folder / "metrics.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return True
    return isinstance(found, dict) and expected.items() <= found.items()


def _is_run(folder: Path) -> bool:
    return runs.Run(folder).begun or folds.is_one(folder)


def refuse_run_folder(folder: Path) -> None:
    """Raise unless results may be written into a folder: those of a run would be overwritten.

    Raises:
        UsageError: it holds a run or folds, or is a file.
    """
    place = Path(os.path.realpath(folder))  # `a/..` is a folder even where `a` is none yet
    if _is_run(place):
        raise UsageError(f"{folder} holds a run, whose own files would be overwritten; name another folder with --output")
    if storage.exists(folder) and not folder.is_dir():
        raise UsageError(f"{folder} is a file; name a folder with --output")


def write(evaluation: Evaluation, subject: Measurable, folder: Path) -> None:
    """Write metrics.json, mistakes.csv and the figures of a model's evaluation into a folder."""
    from tenfold.learn import publishing

    runs.write_json(_identity(subject, evaluation.digits) | evaluation.summary(), folder / "metrics.json")
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(["index", "label", "prediction", "confidence"])
    for i in evaluation.mistakes:
        lines.writerow([i, evaluation.digits.known_labels[i], evaluation.predictions[i], f"{evaluation.confidence[i]:.6f}"])
    storage.write_text(folder / "mistakes.csv", text.getvalue())
    publishing.draw(evaluation, folder)


def write_corrupted(accuracies: Mapping[str, Sequence[float]], name: str, folder: Path) -> None:
    """Write corruptions.csv and corruptions.png: accuracy by corruption and severity."""
    from tenfold.learn import figures, style

    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(["corruption", *(f"severity_{severity}" for severity in corruptions.SEVERITIES), "mean"])
    for corruption, of_severity in accuracies.items():
        lines.writerow([corruption, *(f"{value:.6f}" for value in (*of_severity, np.mean(of_severity)))])
    storage.write_text(folder / "corruptions.csv", text.getvalue())
    style.save(figures.corruptions(accuracies, name), folder / "corruptions.png")


def write_submission(subject: Measurable, digits: Digits, path: Path) -> None:
    """Write Kaggle's `ImageId,Label`, ids from 1; the file appears only once it is whole and has been read back.

    Raises:
        DataError: there are no digits.
        UsageError: the file is there already and is no submission, such as the digits themselves.
    """
    if not len(digits):
        raise DataError(f"{digits.name}: no digits; expected at least one")
    if not _may_be_replaced(path):
        raise UsageError(f"{path} is there already and is no submission; name another file with --output")
    labels = subject.probabilities(digits.images).argmax(axis=1)
    with storage.whole_file(path) as temporary:
        rows = "".join(f"{i},{label}\n" for i, label in enumerate(labels, start=1))
        temporary.write_text(f"{_HEADER}\n{rows}", encoding="ascii")
        _check_submission(temporary, len(digits))


def _may_be_replaced(path: Path) -> bool:
    """Whether nothing but a submission is lost where one is written to: an earlier one, an empty file, a pipe."""
    if storage.is_stream(path) or not storage.exists(path) or path.is_dir():  # of a folder `whole_file` tells
        return True
    try:
        with path.open("rb") as file:
            return file.read(len(_HEADER)) in (b"", _HEADER.encode())
    except OSError:
        return False


def _check_submission(path: Path, n_digits: int) -> None:
    header, *rows = path.read_text(encoding="ascii").splitlines()
    right = header == _HEADER and len(rows) == n_digits
    for number, row in enumerate(rows, start=1):
        image_id, _, label = row.partition(",")
        right = right and image_id == str(number) and label in set("0123456789")
    if not right:
        raise RunError(f"{path}: the submission did not come out as written; is the disk full?")
