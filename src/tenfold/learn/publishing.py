"""What a finished run shows to people and to other programs: figures, report, ONNX."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenfold import storage
from tenfold.data.digits import SIDE
from tenfold.data.sources import load
from tenfold.data.sources.packaged import NAMES as PACKAGED
from tenfold.learn import compiled, exporting, networks, recipes
from tenfold.learn.evaluation import Evaluation
from tenfold.learn.runs import History, Run
from tenfold.read.judge import Judge


def publish(run: Run, model: Any, metrics: Mapping[str, Any], history: History, judged: Evaluation | None) -> None:
    """Write model.onnx, the four figures and report.html.

    Args:
        run: whose folder takes them.
        model: the trained Keras model.
        metrics: what metrics.json will hold.
        history: the columns of history.csv.
        judged: test digits and their probabilities, else the validation digits, else None.
    """
    write_onnx(run, model, metrics, judged.digits.images if judged else _noise(), run.folder / "model.onnx")
    paths = draw(judged, run.folder) | {"curves": _curves(run, history)}
    from tenfold.learn import report

    page = report.render(
        name=run.name,
        folder=str(run.folder),
        recipe=recipes.as_dict(run.recipe),
        metrics=metrics,
        history=history,
        network=networks.summary(model),
        figures={name: path.read_bytes() for name, path in paths.items()},
    )
    storage.write_text(run.folder / "report.html", page)


def write_onnx(
    run: Run,
    model: Any,
    metrics: Mapping[str, Any],
    images: NDArray[np.uint8],
    path: Path,
    said: Mapping[str, Any] | None = None,
) -> float:
    """Write a run's model as ONNX, once it agrees with Keras on images, uint8 (N, 28, 28); `said` is more for its metadata.

    Returns:
        The largest difference of a probability.

    Raises:
        ModelError: it is over 1e-5; nothing is written.
    """
    metadata = {
        "format": "2",
        "recipe": recipes.as_dict(run.recipe),
        "training_digits_sha256": metrics["data_sha256"],
        "temperature": metrics["temperature"] or 1.0,
        "thresholds": {"digit_score": Judge.bundled().threshold},
        **(said or {}),
    }
    content = exporting.to_onnx(model, metadata)
    difference = exporting.check(content, images, compiled.forward(model)(images))
    storage.write_bytes(path, content)
    return difference


def export(run: Run, path: Path, form: str = "onnx") -> float:
    """Write a finished run's model, checked on the test digits of its set; return the largest difference from Keras.

    Args:
        run: a finished one.
        path: the file, or the folder for a SavedModel.
        form: one of `formats.DEFAULTS`.
    """
    images = load(run.recipe.data, "test").images if run.recipe.data in PACKAGED else _noise()
    if form == "onnx":
        return write_onnx(run, run.load_model(), run.metrics, images, path)
    from tenfold.learn import formats

    return formats.write(run.load_model(), form, images, path)


def draw(judged: Evaluation | None, folder: Path) -> dict[str, Path]:
    """Draw confusion matrix, mistakes, calibration and coverage of an evaluation into a folder."""
    from tenfold.learn import figures, style

    if judged is None:
        return {}
    drawn = {
        "confusion_matrix": figures.confusion_matrix(judged),
        "mistakes": figures.mistakes(judged),
        "calibration": figures.calibration(judged),
        "coverage": figures.coverage(judged),
    }
    for name, figure in drawn.items():
        style.save(figure, folder / f"{name}.png")
    return {name: folder / f"{name}.png" for name in drawn}


def _curves(run: Run, history: History) -> Path:
    from tenfold.learn import figures, style

    path = run.folder / "curves.png"
    style.save(figures.curves(history, f"{run.name}: how it learned"), path)
    return path


def _noise() -> NDArray[np.uint8]:
    """Images to compare two models on where there are no digits for it."""
    return np.random.default_rng(0).integers(0, 256, (1000, SIDE, SIDE), np.uint8)
