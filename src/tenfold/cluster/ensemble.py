"""An ensemble: runs that differ in their seed alone, and their mean as a run of its own.

Its folder holds `member-1`, `member-2`, … and what any run folder holds but `model.keras`: `tenfold evaluate`, `submit`, `read`
and `compare` take it for a run.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenfold import limits, storage
from tenfold.cluster import averaging, places, trainings
from tenfold.cluster.consensus import Consensus
from tenfold.cluster.places import Place
from tenfold.cluster.watching import Watch
from tenfold.errors import RunError, UsageError
from tenfold.learn import concluding, exporting, publishing, recipes, runs
from tenfold.learn.evaluation import fit_temperature
from tenfold.learn.recipe import Recipe
from tenfold.learn.runs import Run
from tenfold.learn.splits import split
from tenfold.read.judge import Judge
from tenfold.read.model import Model

_FILE = "member.json"  # the recipe of all members, save their seeds
_LOOKS_EVERY_S = 0.5


class UnfinishedError(Exception):
    """Some members could not be trained; those that could are kept.

    Attributes:
        said: by the name of each such member, what went wrong.
    """

    def __init__(self, said: dict[str, str]) -> None:
        super().__init__(", ".join(said))
        self.said = said


def train(recipe: Recipe, n_members: int, folder: Path, place: Place, *, resume: bool, bare: bool = False) -> Run:
    """Train the members of an ensemble, each with a seed of its own, then write the ensemble.

    Args:
        recipe: of all members; the first one has its seed, each further one the next.
        n_members: 2 to 100. A finished ensemble may be made larger with `resume`.
        folder: of the ensemble.
        place: where the members are trained.
        resume: go on with what is in the folder; without it a folder that exists is refused.
        bare: no figures.

    Raises:
        UsageError: too few members or too many.
        RunError: the folder is taken, or was begun with another recipe.
        UnfinishedError: some members could not be trained, in spite of several attempts.
    """
    most = limits.from_environment().max_members
    if not 2 <= n_members <= most:
        raise UsageError(f"--members {n_members}: expected 2 to {most}")
    _refuse_folder(folder, recipe, resume)
    split(recipe)  # refuses what cannot be learnt from, once
    with storage.lock(folder, "ensemble"):
        storage.write_bytes(folder / _FILE, recipes.as_json(recipe))
        _train_members(recipe, [folder / f"member-{k + 1}" for k in range(n_members)], place)
        if not Run(folder).finished or len(members(folder)) != n_members:
            _finish(recipe, folder, n_members, bare)
    return Run(folder)


def is_one(folder: Path) -> bool:
    """Whether a folder holds an ensemble, finished or not."""
    return storage.exists(folder / _FILE)


def members(folder: Path) -> list[Run]:
    """The members of a finished ensemble.

    Raises:
        RunError: it is not finished, metrics.json is damaged, or a member is missing.
    """
    found = runs.open_run(folder).metrics.get("members")
    if not isinstance(found, list) or not 2 <= len(found) <= limits.from_environment().max_members:
        raise RunError(f"{folder / 'metrics.json'}: expected a list of members; go on with tenfold ensemble --resume")
    return [runs.open_run(folder / f"member-{k + 1}") for k in range(len(found))]


def export(folder: Path, path: Path) -> None:
    """Write a finished ensemble as one ONNX file again, from its members' weights."""
    run, found = runs.open_run(folder), members(folder)
    for member in found:
        publishing.export(member, member.folder / "model.onnx")
    storage.write_bytes(path, _merged(found, run.recipe, run.metrics))


def _refuse_folder(folder: Path, recipe: Recipe, resume: bool) -> None:
    if not is_one(folder):
        runs.refuse_strange(folder, "ensemble", "with --run")
        return
    if not resume:
        raise RunError(f"{folder} holds an ensemble already; go on with --resume, choose another --run, or remove the folder")
    differences = recipes.differences(recipes.read(folder / _FILE), recipe)
    if differences:
        raise RunError(f"{folder}: was begun with another recipe ({'; '.join(differences)}); give the same, or another --run")


def _train_members(recipe: Recipe, folders: Sequence[Path], place: Place) -> None:
    begun = {}
    for k, folder in enumerate(folders):
        if not Run(folder).finished:
            options = ("--recipe", str(folder.absolute().with_name(_FILE)), "--seed", str(recipe.seed + k))
            begun[place.start(trainings.training(folder, *options))] = folder.name
    states = {folder.name: "running" if folder.name in begun.values() else "done" for folder in folders}
    said, waiting = {}, set(begun)
    with Watch(recipe.epochs) as watch:
        while waiting:
            ended, waiting = wait(waiting, _LOOKS_EVERY_S, FIRST_COMPLETED)
            for future in ended:
                outcome = places.outcome(future)
                states[begun[future]] = outcome.state
                if outcome.state != "done":
                    said[begun[future]] = outcome.said
            watch.show(states, folders[0].parent)
    if said:
        raise UnfinishedError({name: said[name] for name in states if name in said})


def _finish(recipe: Recipe, folder: Path, n_members: int, bare: bool) -> None:
    """Measure the mean of the members and write everything; metrics.json comes last and marks the ensemble as finished."""
    found = [runs.open_run(folder / f"member-{k + 1}") for k in range(n_members)]
    for member in found:
        if not (member.folder / "model.onnx").is_file():
            publishing.export(member, member.folder / "model.onnx")
    splits = split(recipe)
    seen = np.unique(np.concatenate([member.fingerprints for member in found]))
    judged = {
        name: Consensus.of(found, digits, seen)
        for name, digits in (("validation", splits.validation), ("test", splits.test))
        if digits
    }
    if "validation" in judged:
        mean = judged["validation"].mean
        temperature = fit_temperature(mean.probabilities, splits.validation.known_labels)
        judged = {name: one.tempered(temperature) for name, one in judged.items()}
    metrics = _metrics(recipe, found, judged)
    storage.write_bytes(folder / "recipe.json", recipes.as_json(recipe))
    with storage.whole_file(folder / "fingerprints.npy") as temporary:
        np.save(temporary, seen)
    runs.write_history(_mean_history(found), folder / "history.csv")
    storage.write_bytes(folder / "model.onnx", _merged(found, recipe, metrics))
    shown = judged.get("test") or judged.get("validation")
    if not bare and shown is not None:
        _draw(folder, found, shown, metrics)
    runs.write_json(metrics, folder / "metrics.json")


def _metrics(recipe: Recipe, found: Sequence[Run], judged: dict[str, Consensus]) -> dict[str, Any]:
    first, every = found[0].metrics, [member.metrics for member in found]
    validation, test = (judged[name].mean if name in judged else None for name in ("validation", "test"))
    shown = judged.get("test") or judged.get("validation")
    keys = ("seed", "val_accuracy", "test_accuracy", "seconds")
    return {
        "recipe": recipe.name,
        "data": recipe.data,
        "parameters": sum(metrics["parameters"] for metrics in every),
        "epochs": recipe.epochs,
        **{key: first[key] for key in ("n_train", "n_validation", "n_test")},
        "val_accuracy": validation.accuracy if validation else None,
        "val_loss": validation.log_loss if validation else None,
        "test_accuracy": test.accuracy if test else None,
        "test_interval": list(test.interval) if test else None,
        "test_loss": test.log_loss if test else None,
        **concluding.calibration(validation, test),
        "seconds": round(sum(metrics["seconds"] for metrics in every), 3),
        **{key: first[key] for key in ("backend", "versions", "data_sha256")},
        "seed": recipe.seed,
        "commit": concluding.commit(),
        "start_from": recipe.start_from,
        "members": [
            {"run": member.name, **{key: metrics[key] for key in keys}} for member, metrics in zip(found, every, strict=True)
        ],
        "singles": {name: _spread(one.singles) for name, one in judged.items()},
        "measured_on": shown.mean.digits.name if shown else None,
        "by_number": shown.by_number() if shown else [],
        "agreement": shown.agreement() if shown else [],
    }


def _spread(accuracies: NDArray[np.float64]) -> dict[str, float]:
    return {"mean": float(accuracies.mean()), "deviation": float(accuracies.std(ddof=1))}


def _merged(found: Sequence[Run], recipe: Recipe, metrics: dict[str, Any]) -> bytes:
    """The members as one ONNX file, once it answers with their mean.

    Raises:
        ModelError: it differs from the mean by more than 1e-5 in a probability, or is over the limit on models.
    """
    metadata = {
        "format": "2",
        "recipe": recipes.as_dict(recipe),
        "members": len(found),
        "training_digits_sha256": metrics["data_sha256"],
        "temperature": metrics["temperature"] or 1.0,
        "thresholds": {"digit_score": Judge.bundled().threshold},
    }
    contents = [(member.folder / "model.onnx").read_bytes() for member in found]
    content = averaging.averaged(contents, metadata)
    noise = np.random.default_rng(0).integers(0, 256, (200, 28, 28), np.uint8)
    expected = np.mean([Model(one, "member").probabilities(noise) for one in contents], axis=0)
    exporting.check(content, noise, np.asarray(expected, np.float32))
    return content


def _mean_history(found: Sequence[Run]) -> runs.History:
    """Each column of history.csv averaged over the members."""
    columns: runs.History = {}
    for column in runs.HISTORY_COLUMNS:
        of_epochs = zip(*(member.history[column] for member in found), strict=True)
        columns[column] = [None if None in values else float(np.mean(np.array(values, float))) for values in of_epochs]
    columns["epoch"] = found[0].history["epoch"]
    return columns


def _draw(folder: Path, found: Sequence[Run], shown: Consensus, metrics: dict[str, Any]) -> None:
    from tenfold.cluster import drawing
    from tenfold.learn import figures, style

    publishing.draw(shown.mean, folder)
    style.save(figures.curves(_mean_history(found), f"{folder.name}: the mean of {len(found)} members"), folder / "curves.png")
    style.save(drawing.ensemble(metrics, shown.singles), folder / "members.png")
