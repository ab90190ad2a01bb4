"""The digits that come with tenfold: MNIST, and the same digits in the layout of Kaggle's digit-recognizer."""

from __future__ import annotations

import hashlib
import zlib
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tenfold.data.digits import SIDE, Digits
from tenfold.errors import DataError

NAMES = ("mnist", "digit-recognizer")

# SHA-256 of the decompressed files, as in mnist/README.md.
_SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
_KAGGLE_TRAIN = 42_000
_STEMS = {"train": ("train",), "test": ("t10k",), "all": ("train", "t10k")}


def load(name: str, part: str) -> Digits:
    """Load a packaged set; see `tenfold.load`.

    Raises:
        DataError: a packaged file is missing or not the original.
    """
    if name == "mnist":
        return _mnist(part)
    everything = _mnist("all")
    order = np.random.default_rng(0).permutation(len(everything))
    chosen = {"train": order[:_KAGGLE_TRAIN], "test": order[_KAGGLE_TRAIN:], "all": order}[part]
    return everything[chosen].named(_title("digit-recognizer", part))


def _mnist(part: str) -> Digits:
    images = np.concatenate([_array(f"{stem}-images-idx3-ubyte", 16) for stem in _STEMS[part]])
    labels = np.concatenate([_array(f"{stem}-labels-idx1-ubyte", 8) for stem in _STEMS[part]])
    return Digits(images.reshape(-1, SIDE, SIDE), labels, _title("mnist", part))


def _title(name: str, part: str) -> str:
    return name if part == "all" else f"{name} {part}"


def _array(name: str, header: int) -> NDArray[np.uint8]:
    """The bytes of a packaged IDX file after its header; the checksum vouches for the header too."""
    return np.frombuffer(_unpacked(Path(str(files("tenfold.data"))) / "mnist" / f"{name}.gz", name), np.uint8, offset=header)


@cache  # a training asks for two parts of the same files; 55 MB, which it holds anyway
def _unpacked(file: Path, name: str) -> bytes:
    remedy = "the installation is damaged; install tenfold again"
    try:
        content = zlib.decompress(file.read_bytes(), wbits=31)
    except (OSError, zlib.error) as problem:
        raise DataError(f"packaged file {name}.gz: {problem}; {remedy}") from problem
    found = hashlib.sha256(content).hexdigest()
    if found != _SHA256[name]:
        raise DataError(f"packaged file {name}.gz: SHA-256 {found}, expected {_SHA256[name]}; {remedy}")
    return content
