"""The end of a training: measured once more, and everything written; metrics.json comes last and marks the run as finished."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tenfold import __version__, storage
from tenfold.data.digits import Digits
from tenfold.learn import backend, networks, runs
from tenfold.learn.evaluation import Evaluation, count_trained_on, fit_temperature
from tenfold.learn.fitting import Fitting
from tenfold.learn.recipe import Recipe
from tenfold.learn.runs import Run
from tenfold.learn.splits import Splits

# The share of validation digits that the shipped threshold accepts.
_ACCEPTED = 0.99


def finish(run: Run, recipe: Recipe, splits: Splits, fitting: Fitting, facts: dict[str, Any], bare: bool) -> None:
    """Measure and write.

    Args:
        run: whose folder takes everything.
        recipe: what was trained by.
        splits: the digits it learnt from, and those held back.
        fitting: all epochs done.
        facts: for metrics.json besides.
        bare: leave out figures, report and ONNX.
    """
    held_back = {"validation": splits.validation, "test": splits.test}
    judged = {name: _judge(fitting, digits, run) for name, digits in held_back.items() if digits}
    if "validation" in judged:
        temperature = fit_temperature(judged["validation"].probabilities, splits.validation.known_labels)
        judged = {name: replace(evaluation, temperature=temperature) for name, evaluation in judged.items()}
    metrics = _metrics(recipe, splits, fitting, judged) | facts | {"start_from": recipe.start_from}
    with storage.whole_file(run.folder / "model.keras") as temporary:
        backend.save(fitting.model, temporary)
    if not bare:
        from tenfold.learn import publishing

        publishing.publish(run, fitting.model, metrics, fitting.history, judged.get("test") or judged.get("validation"))
    runs.write_json(metrics, run.folder / "metrics.json")


def _judge(fitting: Fitting, digits: Digits, run: Run) -> Evaluation:
    return Evaluation(digits, fitting.probabilities(digits.images), count_trained_on(digits, run.fingerprints))


def _metrics(recipe: Recipe, splits: Splits, fitting: Fitting, judged: dict[str, Evaluation]) -> dict[str, Any]:
    validation, test = judged.get("validation"), judged.get("test")
    name, versions = backend.name_and_versions()
    return {
        "recipe": recipe.name,
        "data": recipe.data,
        "parameters": networks.count_parameters(fitting.model),
        "epochs": fitting.epochs_done,
        "n_train": len(splits.training),
        "n_validation": len(splits.validation),
        "n_test": len(splits.test) if splits.test else 0,
        "val_accuracy": validation.accuracy if validation else None,
        "val_loss": validation.log_loss if validation else None,
        "test_accuracy": test.accuracy if test else None,
        "test_interval": list(test.interval) if test else None,
        "test_loss": test.log_loss if test else None,
        "n_test_trained_on": test.n_trained_on if test else 0,
        **calibration(validation, test),
        "seed": recipe.seed,
        "backend": name,
        "versions": {"tenfold": __version__, **versions},
        "commit": commit(),
        "data_sha256": splits.training.sha256,
    }


def calibration(validation: Evaluation | None, test: Evaluation | None) -> dict[str, float | None]:
    """The calibration error as trained, and what a reader needs: temperature and threshold, from validation digits."""
    measured = test or validation
    facts: dict[str, float | None] = dict.fromkeys(("ece", "ece_calibrated", "temperature", "threshold"))
    facts["ece"] = measured.ece if measured else None
    if validation and measured:
        facts |= {
            "ece_calibrated": measured.calibrated.ece,
            "temperature": validation.temperature,
            "threshold": round(float(np.quantile(validation.calibrated.confidence, 1 - _ACCEPTED)), 4),
        }
    return facts


def commit() -> str | None:
    """The git commit of tenfold's own source, or None where it is installed without git."""
    root = Path(__file__).resolve().parents[3]
    if not (root / ".git").exists():
        return None
    answer = subprocess.run(
        ["git", "-C", str(root), "rev-parse", "--verify", "--quiet", "HEAD"], capture_output=True, text=True, check=False
    )
    return answer.stdout.strip() or None
