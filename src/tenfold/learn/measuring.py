"""Measuring a model on any digits: a run, an ONNX file or the bundled model; and the submission for Kaggle."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tenfold import storage
from tenfold.data.digits import Digits
from tenfold.data.sources import Part, load
from tenfold.data.sources.packaged import NAMES as PACKAGED
from tenfold.errors import DataError, RunError, UsageError
from tenfold.learn import runs
from tenfold.learn.evaluation import Evaluation, count_trained_on
from tenfold.read import model as models


@dataclass(frozen=True)
class Measurable:
    """Something that answers to images.

    Attributes:
        name: as it was given.
        probabilities: images uint8 (N, 28, 28) to probabilities float32 (N, 10), before calibration.
        fingerprints: of the digits it was trained on, uint64, or None if they are not known.
        data: the digits its recipe names.
        folder: where results go by default.
    """

    name: str
    probabilities: Callable[[NDArray[np.uint8]], NDArray[np.float32]]
    fingerprints: NDArray[np.uint64] | None
    data: str
    folder: Path

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
        return Measurable(name, model.probabilities, None, data, runs.ROOT / Path(name).stem)
    run = runs.open_run(name)
    return Measurable(name, run.probabilities, run.fingerprints, run.recipe.data, run.folder)


def digits_for(subject: Measurable, data: str | None, part: Part | None) -> Digits:
    """The digits to measure on: by default the test digits of the set that the model was trained on.

    Raises:
        UsageError: the model was trained on a file, which has no test digits.
    """
    if data is None and subject.data not in PACKAGED:
        raise UsageError(f"{subject.name} was trained on {subject.data}, which has no test digits; name some with --data")
    source = data or subject.data
    return load(source, part or ("test" if source in PACKAGED else "all"))


def measure(subject: Measurable, digits: Digits) -> Evaluation:
    """Compare a model's answers with the labels.

    Raises:
        DataError: the digits have no labels, or there are none.
    """
    if not len(digits.known_labels):
        raise DataError(f"{digits.name}: no digits; expected at least one")
    return Evaluation(digits, subject.probabilities(digits.images), subject.n_trained_on(digits))


def write(evaluation: Evaluation, folder: Path) -> None:
    """Write metrics.json, mistakes.csv and the figures of an evaluation into a folder."""
    from tenfold.learn import publishing

    runs.write_json(evaluation.summary(), folder / "metrics.json")
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(["index", "label", "prediction", "confidence"])
    for i in evaluation.mistakes:
        lines.writerow([i, evaluation.digits.known_labels[i], evaluation.predictions[i], f"{evaluation.confidence[i]:.6f}"])
    storage.write_text(folder / "mistakes.csv", text.getvalue())
    publishing.draw(evaluation, folder)


def write_submission(subject: Measurable, digits: Digits, path: Path) -> None:
    """Write Kaggle's `ImageId,Label`, ids from 1; the file appears only once it is whole and has been read back.

    Raises:
        DataError: there are no digits.
    """
    if not len(digits):
        raise DataError(f"{digits.name}: no digits; expected at least one")
    labels = subject.probabilities(digits.images).argmax(axis=1)
    with storage.whole_file(path) as temporary:
        rows = "".join(f"{i},{label}\n" for i, label in enumerate(labels, start=1))
        temporary.write_text(f"ImageId,Label\n{rows}", encoding="ascii")
        _check_submission(temporary, len(digits))


def _check_submission(path: Path, n_digits: int) -> None:
    header, *rows = path.read_text(encoding="ascii").splitlines()
    right = header == "ImageId,Label" and len(rows) == n_digits
    for number, row in enumerate(rows, start=1):
        image_id, _, label = row.partition(",")
        right = right and image_id == str(number) and label in set("0123456789")
    if not right:
        raise RunError(f"{path}: the submission did not come out as written; is the disk full?")
