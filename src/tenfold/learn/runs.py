"""A run: the folder with all that a training left. Reads, lists and names them; writes what does not change any more."""

from __future__ import annotations

import csv
import io
import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from tenfold import limits, storage
from tenfold.errors import RunError, of_system, printable
from tenfold.learn import recipes, tables
from tenfold.learn.recipe import Recipe
from tenfold.read import model as models

ROOT = Path("runs")
_MEASURED = (("val_accuracy", "validation accuracy"), ("test_accuracy", "test accuracy"))
Rate = Annotated[float, msgspec.Meta(ge=0, le=1)]
Positive = Annotated[int, msgspec.Meta(ge=0)]


class _Metrics(msgspec.Struct):
    """What is printed of a run, or exported with it, whoever wrote metrics.json."""

    parameters: Positive
    epochs: Positive
    val_accuracy: Rate | None
    test_accuracy: Rate | None
    test_interval: tuple[Rate, Rate] | None
    seconds: float
    seed: int
    backend: str
    data_sha256: str
    n_validation: Positive
    n_test: Positive
    temperature: Annotated[float, msgspec.Meta(gt=1e-3, lt=100)] | None
    threshold: Rate | None
    n_remembered: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 0
    n_test_trained_on: Positive | None = 0


# What Keras, h5py and zipfile raise for a file that holds something else.
_NO_WEIGHTS = (
    *(OSError, ValueError, LookupError, RuntimeError, EOFError, TypeError, AttributeError, NotImplementedError, MemoryError),
    *(zipfile.BadZipFile, zlib.error),
)

HISTORY_COLUMNS = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "seconds")

History = dict[str, list[float | None]]


@dataclass(frozen=True)
class Run:
    """A finished or unfinished run.

    Attributes:
        folder: `runs/NAME`; docs/design.md, Run folder, says what lies in it.
    """

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def begun(self) -> bool:
        """recipe.json is written first."""
        return storage.exists(self.folder / "recipe.json")

    @property
    def finished(self) -> bool:
        """metrics.json is written last."""
        return (self.folder / "metrics.json").is_file()

    @cached_property
    def recipe(self) -> Recipe:
        """The recipe it was trained by, changes included."""
        return recipes.read(self.folder / "recipe.json")

    @cached_property
    def history(self) -> History:
        """The columns of history.csv, one value an epoch; None where nothing was held out."""
        return read_history(self.folder / "history.csv")

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """The figures of metrics.json; rates are fractions 0-1, None is what does not apply."""
        found = read_json(self.folder / "metrics.json")
        try:
            msgspec.convert(found, _Metrics)
        except msgspec.ValidationError as problem:
            what = " ".join(str(problem).replace("`", "").replace("$.", "").split())
            raise RunError(f"{self.folder / 'metrics.json'}: {what[:1].lower()}{what[1:]}; train the run anew") from problem
        return found

    @property
    def n_remembered(self) -> int:
        """How many digits are remembered beside its weights; none where it was stopped before that."""
        return int(self.metrics.get("n_remembered", 0)) if self.finished else 0

    @cached_property
    def fingerprints(self) -> NDArray[np.uint64]:
        """The fingerprints of the digits it was trained on, uint64 (N,), sorted."""
        path = self.folder / "fingerprints.npy"
        try:
            found = np.load(path, allow_pickle=False)
        except Exception as problem:  # NumPy raises half a dozen unrelated types for a file that is not one of its own
            raise RunError(f"{path}: cannot be read; train the run anew") from problem
        if not isinstance(found, np.ndarray):
            raise RunError(f"{path}: holds several arrays, expected one; train the run anew")
        if found.dtype != np.uint64 or found.ndim != 1:
            raise RunError(f"{path}: {found.dtype} {found.shape}, expected uint64 (N,); train the run anew")
        return found

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What its network answers to images, uint8 (N, 28, 28): float32 (N, 10), before calibration.

        Through ONNX Runtime; a `--bare` run, which has no ONNX file, through Keras.
        """
        if (self.folder / "model.onnx").is_file():
            return models.load(self.folder).probabilities(images)
        from tenfold.learn import compiled

        return compiled.forward(self.load_model())(images)

    def load_model(self) -> Any:
        """Its Keras model: built anew from the checked recipe, then the weights alone are loaded from model.keras."""
        from tenfold.learn import networks

        return self.load_weights_into(networks.build(self.recipe))

    def load_weights_into(self, model: Any) -> Any:
        """Load its weights into a model of the same layers, which is left without what the run remembers; return both together.

        Raises:
            RunError: see `load_weights`.
        """
        settings = self.recipe.rehearsal.remembering if self.recipe.rehearsal else None
        whole = model
        if settings and self.n_remembered:
            from tenfold.learn import remembering

            whole = remembering.with_room(model, self.n_remembered, settings)
        load_weights(whole, self.folder / "model.keras")
        return whole

    def __str__(self) -> str:
        shares = {name: self.metrics[key] for key, name in _MEASURED}
        measured = [f"{name} {tables.percent(share)}" for name, share in shares.items() if share is not None]
        return f"{tables.history(self.history)}\n\n{printable(self.folder)}: {', '.join(measured) or 'nothing was held out'}"


def open_run(folder: str | Path) -> Run:
    """Open a finished run.

    Raises:
        RunError: there is no run in the folder, or it is not finished.
    """
    run = Run(Path(folder))
    if not run.begun:
        if storage.exists(run.folder) and run.folder.is_file():
            raise RunError(
                f"{str(folder)[:200]!r}: a file; expected the folder of a run, such as runs/classic, an .onnx file or bundled"
            )
        raise RunError(f"{str(folder)[:200]!r}: no run there (no recipe.json); tenfold runs lists what there is")
    if not run.finished:
        raise RunError(f"{folder}: the run is not finished; go on with: tenfold train --resume --run {folder}")
    return run


def list_runs(root: Path = ROOT) -> list[Run]:
    """All runs below a folder, by name; those of folds and ensembles too."""
    patterns = ("*/recipe.json", "*/fold-*/recipe.json", "*/member-*/recipe.json")
    return [Run(path.parent) for path in sorted(path for pattern in patterns for path in root.glob(pattern))]


def next_folder(name: str, root: Path = ROOT) -> Path:
    """`runs/NAME`, or the first of `runs/NAME-2`, `runs/NAME-3`, … that does not exist."""
    folder, number = root / name, 1
    while folder.exists():
        number += 1
        folder = root / f"{name}-{number}"
    return folder


def load_weights(model: Any, path: Path) -> None:
    """Load the weights, and nothing else, of a `.keras` file into a model of the same layers.

    Raises:
        RunError: the file is missing, damaged, of another network or over the limit, or holds weights that are no numbers.
    """
    try:
        _check_size(path)
        model.load_weights(path)
    except _NO_WEIGHTS as problem:
        said = (str(problem) or type(problem).__name__).splitlines()[0][:120]
        raise RunError(f"{path}: holds no weights for this network ({said})") from problem
    if not all(np.isfinite(array).all() for array in model.get_weights()):
        raise RunError(f"{path}: holds weights that are no numbers (NaN); train the run anew")


def _check_size(path: Path) -> None:
    """Refuse a `.keras` file of which little could become much: a compressed member, or an array that was declared only."""
    import h5py

    allowed = limits.from_environment().max_weights_bytes
    with zipfile.ZipFile(path) as archive:
        n_bytes = sum(member.file_size for member in archive.infolist())
        if n_bytes <= allowed:
            with h5py.File(io.BytesIO(archive.read("model.weights.h5")), "r") as weights:
                found: list[int] = []
                weights.visititems(lambda _, one: found.append(one.nbytes) if isinstance(one, h5py.Dataset) else None)
            n_bytes = sum(found)
    if n_bytes > allowed:
        said = f"{n_bytes:,} bytes of weights, more than {allowed:,}"
        raise RunError(f"{path}: {said}; raise TENFOLD_MAX_WEIGHTS_BYTES if that is right")


def refuse_strange(folder: Path, what: str, how: str, ignored: Sequence[str] = ()) -> None:
    """Refuse a file, or a folder with files of others; one may be new, empty, or what was killed before it had begun.

    Args:
        folder: where something is to go.
        what: `run`, `ensemble`, `sweep`.
        how: a new folder is named.
        ignored: names of files that do not matter.

    Raises:
        RunError: it cannot be taken.
    """
    if not storage.exists(folder):
        return
    if not folder.is_dir():
        raise RunError(f"{folder} is a file; name a folder for the {what}")
    if any(not path.name.startswith(".") and path.name not in ignored for path in folder.iterdir()):
        raise RunError(f"{folder} holds other files and no {what}; name a new folder {how}")


def read_history(path: Path) -> History:
    """Read history.csv."""
    history: History = {column: [] for column in HISTORY_COLUMNS}
    try:
        with path.open(newline="") as stream:
            for row in csv.DictReader(stream):
                for column in HISTORY_COLUMNS:
                    history[column].append(_number(column, row[column]))
    except OSError as problem:
        raise RunError(f"cannot read {of_system(problem, path)}") from problem
    except (KeyError, ValueError, TypeError, csv.Error) as problem:
        raise RunError(f"{path}: expected the columns {','.join(HISTORY_COLUMNS)} with a number in each") from problem
    return history


def write_history(history: Mapping[str, Sequence[float | None]], path: Path) -> None:
    """Write history.csv whole."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HISTORY_COLUMNS)
    for row in zip(*(history[column] for column in HISTORY_COLUMNS), strict=True):
        writer.writerow(["" if value is None else repr(value) for value in row])
    storage.write_text(path, text.getvalue())


def write_json(content: Mapping[str, Any], path: Path) -> None:
    """Write a JSON file whole."""
    storage.write_text(path, json.dumps(content, indent=2) + "\n")


def _number(column: str, text: str) -> float | int | None:
    if column == "epoch":
        return int(text)
    return float(text) if text else None


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        RunError: the file cannot be read, or holds something else.
    """
    try:
        content = msgspec.json.decode(path.read_bytes())
    except OSError as problem:
        raise RunError(f"cannot read {of_system(problem, path)}") from problem
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise RunError(f"{path}: not JSON ({problem})") from problem
    if not isinstance(content, dict):
        raise RunError(f"{path}: expected a JSON object")
    return content
