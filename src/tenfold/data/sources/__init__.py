"""Reading and writing digits: the packaged sets, Kaggle CSV, IDX, NPZ and folders of pictures; reading corrections.

This module decides by name and suffix which format a source has; one module a format does the work.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Literal

from tenfold.data import samples
from tenfold.data.digits import Digits
from tenfold.data.sources import folder, idx, kaggle, npz, packaged
from tenfold.errors import DataError, TenfoldNotice, of_system, printable

Part = Literal["train", "test", "all"]
Format = Literal["csv", "idx", "npz", "folder", "samples"]

EXPECTED = (
    "expected mnist, digit-recognizer, a Kaggle CSV (.csv, .csv.gz, .zip), an IDX file (…idx3-ubyte, .gz), "
    "an .npz, a file of corrections (.db) or a folder of pictures"
)

_WRITABLE = (
    "a Kaggle CSV (.csv, .csv.gz, .zip), an IDX file (…idx3-ubyte, .gz), an .npz, or a name without a suffix for a folder"
)


def load(source: str | Path, part: Part = "all") -> Digits:
    """Load a set of digits.

    Args:
        source: `mnist` (60,000 train, 10,000 test), `digit-recognizer` (the same digits in the layout of the Kaggle
            competition: 42,000 train, 28,000 test), or the path of a Kaggle CSV (`.csv`, `.csv.gz`, `.zip`), an IDX
            file of images (its labels lie beside it), an NPZ, the corrections that `tenfold serve` keeps (`.db`), or a
            folder (pictures, or the four files of MNIST).
        part: `train`, `test` or `all` (train, then test). A source without parts has only `all`.

    Raises:
        DataError: the source is missing, damaged, over a limit or has no such part.
    """
    if part not in ("train", "test", "all"):
        raise DataError(f"part {part!r}: expected train, test or all")
    if isinstance(source, str) and source in packaged.NAMES:
        return packaged.load(source, part)
    if not isinstance(source, str | os.PathLike):
        raise DataError(f"data set: found {type(source).__name__}; {EXPECTED}")
    path = Path(source)
    try:
        digits = _read(path, part)
    except OSError as problem:
        raise DataError(f"cannot read {of_system(problem, path)}") from problem
    if not len(digits):
        raise DataError(f"{path}: holds no digits; expected at least one")
    return digits.named(printable(digits.name))


def load_checked(source: str | Path, part: Part = "all") -> Digits:
    """As `load`, with a TenfoldNotice where the pixels are hardly white ink on black, 0-255, so that little can be read."""
    digits = load(source, part)
    oddity = digits.oddity()
    if oddity is not None:
        warnings.warn(f"{digits.name}: {oddity}", TenfoldNotice, stacklevel=2)
    return digits


def _read(path: Path, part: Part) -> Digits:
    if not path.exists():
        raise DataError(f"{path}: no such data set or file; {EXPECTED}")
    if not (path.is_dir() or path.is_file()):
        raise DataError(f"{path}: neither a file nor a folder; {EXPECTED}")
    match format_of(path):
        case "npz":
            return npz.read(path, part)
        case "folder" if idx.holds_mnist(path):
            return idx.read_folder(path, part)
        case found:
            if part != "all":
                raise DataError(f"{path} has no part {part!r}; expected part 'all'")
            return {"csv": kaggle.read, "idx": idx.read, "folder": folder.read, "samples": samples.read}[found](path)


def save(digits: Digits, path: Path, form: Format | None = None) -> None:
    """Write a set of digits; reading it back gives the same images and labels in the same order.

    Args:
        digits: the set.
        path: where to; the file or folder appears whole or not at all.
        form: the format, else chosen by the name: `.csv`, `.csv.gz`, `.zip`, `.npz`, `…idx3-ubyte[.gz]`, or a folder.

    Raises:
        DataError: there are no digits, or the name fits no format.
        StorageError: the place cannot be written to.
    """
    if not len(digits):
        raise DataError(f"{path}: not written, since {digits.name} holds no digits; expected at least one")
    found = form or _format_to_write(path)
    if found == "samples":
        raise DataError(f"{path}: corrections are only kept by tenfold serve; expected the name of another format to write")
    writers = {"csv": kaggle.write, "idx": idx.write, "npz": npz.write, "folder": folder.write}
    writers[found](digits, path)


def _format_to_write(path: Path) -> Format:
    try:
        return format_of(path)
    except DataError as problem:
        raise DataError(f"{path}: the name fits no format to write; expected {_WRITABLE}") from problem


def format_of(path: Path) -> Format:
    """The format a path stands for, by its name; what exists as a folder is one whatever its name, and a file is none.

    Raises:
        DataError: the name fits no format.
    """
    name = path.name.lower()
    if path.is_dir():
        return "folder"
    if name.endswith((".csv", ".csv.gz", ".zip")):
        return "csv"
    if name.endswith(".npz"):
        return "npz"
    if name.endswith(".db"):
        return "samples"
    if "ubyte" in name or name.removesuffix(".gz").endswith(".idx"):
        return "idx"
    if not path.suffix and not path.is_file():
        return "folder"
    raise DataError(f"{path}: the name fits no format; {EXPECTED}")
