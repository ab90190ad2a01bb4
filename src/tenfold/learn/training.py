"""Training: from a recipe to a finished run folder."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold import storage
from tenfold.data.digits import Digits
from tenfold.errors import RunError, UsageError, on_terminal
from tenfold.learn import backend, checkpoints, compiled, concluding, networks, recipes, runs
from tenfold.learn.evaluation import count_trained_on
from tenfold.learn.fitting import Fitting, count_steps
from tenfold.learn.progress import LiveProgress, Observer, TensorBoardLog
from tenfold.learn.recipe import Dense, Recipe
from tenfold.learn.runs import Run
from tenfold.learn.splits import Splits, run_of, split, split_of_old

if TYPE_CHECKING:
    from tenfold.learn.adapting import Mixture

# What a run needs on the disk: all variables in three checkpoints, one of them being written, each with the weights once more;
# and figures, report, model.
_COPIES, _BYTES_BESIDE = 5, 2 * 2**20


def train(
    recipe: str | Recipe = "classic",
    *,
    data: str | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    seed: int | None = None,
    validation: int | float | str | None = None,
    changes: Sequence[str] = (),
    start_from: str | Path | None = None,
    run: str | Path | None = None,
    resume: bool = False,
    tensorboard: bool = False,
    bare: bool = False,
    test: bool = True,
    observers: Sequence[Observer] = (),
) -> Run:
    """Train a network and leave a run folder. Shows live progress if standard error is a terminal.

    Args:
        recipe: a recipe's name, a recipe file, or a `Recipe`.
        data: instead of the recipe's: `mnist`, `digit-recognizer`, or the path of a labelled set.
        epochs: passes over the training digits.
        batch_size: digits a step.
        seed: decides the first weights and the order of the digits.
        validation: which digits are held out: the last ones, a count or a share below 1; or a fold such as `2/5`.
        changes: further changes of the recipe, such as `optimizer.learning_rate=3e-4`.
        start_from: a run, or `bundled`, whose weights to start from instead of random ones.
        run: the folder; `runs/RECIPE`, then `runs/RECIPE-2` and so on by default.
        resume: go on from the last whole checkpoint of `run`; start afresh where there is none.
        tensorboard: write logs for TensorBoard into the run folder.
        bare: weights, history and metrics only: no figures, report or ONNX.
        test: measure the test digits once at the end; whoever chooses among runs leaves them alone.
        observers: are told how it goes, besides the live progress.

    Returns:
        The run. The same seed, machine and backend give the same weights.

    Raises:
        RecipeError, DataError, RunError, StorageError, UsageError, MissingExtraError: see their one-line messages.
    """
    overrides = {"data": data, "epochs": epochs, "batch_size": batch_size, "seed": seed, "validation": validation}
    chosen = recipes.chosen(recipe, changes, **overrides, start_from=start_from)
    folder = Path(run) if run is not None else runs.next_folder(chosen.name)
    known = Run(folder)
    _refuse_folder(known, chosen, resume)
    splits = split(chosen) if test else split(chosen)._replace(test=None)
    if known.finished:
        _refuse_other_digits(known, known.metrics["data_sha256"], splits.training.sha256)
        return known
    # Whatever can be refused is refused before there is a folder.
    if tensorboard and not storage.is_utf8(str(folder)):
        raise UsageError(f"{folder}: a name in bytes that are not UTF-8, which TensorBoard does not take; choose another --run")
    storage.refuse_read_only(folder)
    backend.load_keras()
    sources = _sources(chosen)
    fitting = _fitting(chosen, splits, sources)
    with storage.lock(folder, "training"):
        known = Run(folder)
        _refuse_folder(known, chosen, resume)  # again: another training may have been here meanwhile
        if known.finished:
            return known
        _tidy(folder)
        checkpoint = _checkpoint(known, fitting.given)
        storage.refuse_full(folder, _BYTES_BESIDE + _COPIES * sum(array.nbytes for array in fitting.values()))
        _begin(known, chosen, [splits.training.fingerprints, *(source.fingerprints for source in sources.values())])
        _train(known, chosen, splits, fitting, checkpoint, bare, _observers(observers, folder, tensorboard))
    return Run(folder)


class _Source(NamedTuple):
    """A run whose weights are used, to start from or as a teacher, and the fingerprints of the digits it was trained on."""

    run: Run
    fingerprints: NDArray[np.uint64]


def _sources(recipe: Recipe) -> dict[str, _Source]:
    """The sources of a recipe, by their names in it."""
    names = [
        *(recipe.teaching.teachers if recipe.teaching else ()),
        *([recipe.start_from] if recipe.start_from is not None else []),
    ]
    return {name: _source(name) for name in names}


def _source(name: str) -> _Source:
    run = run_of(name)
    if name != "bundled":
        return _Source(run, run.fingerprints)
    # The model that ships brings no fingerprints along: they would be larger than itself.
    return _Source(run, split(run.recipe).training.fingerprints)


def _fitting(recipe: Recipe, splits: Splits, sources: Mapping[str, _Source]) -> Fitting:
    """The model with its first weights, and everything else that a training needs."""
    # What is measured while rehearsing is the very model that learns, so it computes as it will when it reads.
    model = networks.build(recipe, learning=recipe.rehearsal is None)
    if recipe.start_from is not None:
        source = sources[recipe.start_from].run
        if source.recipe.network != recipe.network:
            raise RunError(
                f"--from {recipe.start_from}: has other hidden layers ({source.recipe.name}: {_layers(source.recipe)}); "
                f"recipe {recipe.name} has {_layers(recipe)}"
            )
        if recipe.rehearsal and source.n_remembered:
            said = f"remembers {source.n_remembered} digits, which would be lost"
            remedy = f"learn from all digits together, --from {source.recipe.start_from}"
            raise RunError(f"--from {recipe.start_from}: {said}; {remedy}")
        source.load_weights_into(model)
    teachers = _teachers(recipe, splits, sources)
    mixture = _mixture(recipe, splits)
    learnt_from = _with_strangers(splits.training, recipe)
    n_steps = recipe.epochs * (mixture.n_steps if mixture else count_steps(len(learnt_from), recipe.batch_size))
    optimizer = networks.make_optimizer(recipe.optimizer, n_steps)
    order = mixture.order if mixture else None
    given = {
        "backend": backend.name_and_versions()[0],
        "digits to learn from": _identity(learnt_from),
        "digits held out": _identity(splits.validation),
    }
    return Fitting(model, optimizer, recipe, learnt_from, splits.validation, teachers, order, given)


def _layers(recipe: Recipe) -> str:
    normed = isinstance(recipe.network, Dense) and recipe.network.batch_norm
    return f"{recipe.network}, with batch norm" if normed else str(recipe.network) or "none"


def _identity(digits: Digits) -> str:
    return f"{len(digits):,} with SHA-256 {digits.sha256[:16]}" if len(digits) else "none"


def _mixture(recipe: Recipe, splits: Splits) -> Mixture | None:
    """Which digits an epoch has where old ones are rehearsed."""
    if recipe.rehearsal is None:
        return None
    from tenfold.learn.adapting import Mixture

    # Counted from the old digits, which stay as they are: meanwhile further corrections may have come into their file.
    n_old = len(split_of_old(recipe).training)
    return Mixture(recipe, n_old, len(splits.training) - n_old)


def _with_strangers(digits: Digits, recipe: Recipe) -> Digits:
    share = recipe.augmentation.strangers if recipe.augmentation else 0
    if not share:
        return digits
    from tenfold.learn import strangers

    return strangers.added(digits, share, recipe.seed)


def _teachers(recipe: Recipe, splits: Splits, sources: Mapping[str, _Source]) -> list[Any]:
    """The models to learn from.

    Raises:
        RunError: one was trained on digits that this run is measured by.
    """
    names = recipe.teaching.teachers if recipe.teaching else ()
    held_back = {"validation": splits.validation, "test": splits.test}
    for name in names:
        counts = {part: count_trained_on(digits, sources[name].fingerprints) for part, digits in held_back.items() if digits}
        part = max(counts, key=lambda part: counts[part], default="")
        # A handful of MNIST's digits come twice.
        if part and counts[part] > 0.01 * len(held_back[part] or ()):
            raise RunError(
                f"teacher {name} was trained on {counts[part]:,} of the {part} digits of this run; train a teacher on the same "
                'digits first and name it: --set \'teaching={"teachers":["runs/NAME"]}\''
            )
    return [_teacher(sources[name].run, recipe.precision) for name in names]


def _teacher(run: Run, precision: str) -> Any:
    """The model of a run, without what it remembers, to compute in the precision of the training that it teaches."""
    model = networks.build(recipes.chosen(run.recipe, precision=precision), learning=True)
    run.load_weights_into(model)
    return model


def _observers(given: Sequence[Observer], folder: Path, tensorboard: bool) -> list[Observer]:
    live = [LiveProgress()] if on_terminal() else []
    return [*given, *live, *([TensorBoardLog(folder / "tensorboard")] if tensorboard else [])]


def _begin(run: Run, recipe: Recipe, seen: Sequence[NDArray[np.uint64]]) -> None:
    """Write the recipe, and the fingerprints of its digits and of those that its teachers or first weights have seen."""
    storage.write_bytes(run.folder / "recipe.json", recipes.as_json(recipe))
    with storage.whole_file(run.folder / "fingerprints.npy") as temporary:
        np.save(temporary, np.unique(np.concatenate(seen)))


def _train(
    run: Run,
    recipe: Recipe,
    splits: Splits,
    fitting: Fitting,
    checkpoint: checkpoints.Checkpoint | None,
    bare: bool,
    observers: Sequence[Observer],
) -> None:
    if checkpoint:
        fitting.go_on_from(checkpoint)
    started = time.perf_counter() - fitting.seconds
    with ExitStack() as stack:
        for observer in observers:
            stack.callback(observer.close)
            summary = networks.summary(fitting.model)
            observer.training_begins(run.folder, summary, len(splits.training), len(splits.validation))
        fitting.run(run.folder, observers)
        precise = networks.in_float32(fitting.model, recipe)
        if precise is not fitting.model:
            fitting.answer_with(precise, compiled.forward(precise))
        if recipe.rehearsal:
            for observer in observers:
                observer.measuring()
        brought = _brought(run, recipe, splits, fitting)
    concluding.finish(run, recipe, splits, fitting, {"seconds": round(time.perf_counter() - started, 3), **brought}, bare)


def _brought(run: Run, recipe: Recipe, splits: Splits, fitting: Fitting) -> dict[str, Any]:
    """What learning new digits brought, before and after."""
    mixture = _mixture(recipe, splits)
    if mixture is None:
        return {}
    from tenfold.learn import adapting

    return adapting.conclude(fitting, mixture, splits.training, splits.validation, recipe, run.folder)


def _refuse_folder(run: Run, recipe: Recipe, resume: bool) -> None:
    """A folder may be new, empty, or what a training left that was killed before it had begun; with `resume` this one's."""
    if run.begun:
        if not resume:
            raise RunError(f"{run.folder} holds a run already; go on with --resume, choose another --run, or remove the folder")
        _refuse_another_recipe(run, recipe)
        return
    runs.refuse_strange(run.folder, "run", "for the run")


def _refuse_another_recipe(run: Run, recipe: Recipe) -> None:
    """Going on with a run that was begun with another recipe would be neither of the two."""
    differences = recipes.differences(run.recipe, recipe)
    if differences:
        what = f"{run.recipe.name}, not {recipe.name}" if run.recipe.name != recipe.name else "; ".join(differences)
        raise RunError(f"{run.folder}: was begun with another recipe ({what}); give the same, or train in another --run")


def _refuse_other_digits(run: Run, begun_with: str, given: str) -> None:
    if begun_with != given:
        hashes = f"SHA-256 {begun_with[:12]}… and {given[:12]}…"
        raise RunError(f"{run.folder}: was begun with other digits ({hashes}); give the same, or train in another --run")


def _tidy(folder: Path) -> None:
    """Remove the halves of files that a killed training left."""
    for place in (folder, folder / "checkpoints"):
        storage.remove_halves(place)


def _checkpoint(run: Run, given: Mapping[str, str]) -> checkpoints.Checkpoint | None:
    """Where the run stopped, or None.

    Raises:
        RunError: it was begun with other digits, or something else.
    """
    found = checkpoints.latest(run.folder / "checkpoints")
    for what in given if found else ():
        before, now = found.given.get(what, "none"), given[what]  # type: ignore[union-attr]
        if before != now:
            raise RunError(
                f"{run.folder}: was begun with other {what} ({before}; now {now}); give the same, or train in another --run"
            )
    return found
