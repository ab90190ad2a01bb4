"""IDX, the format of the original MNIST files, plain or gzipped.

A magic number (two zero bytes, the type, the number of dimensions), each dimension as a big-endian 32-bit integer, the
values. Images are `…images…idx3-ubyte`, their labels lie beside them as `…labels…idx1-ubyte`.
"""

from __future__ import annotations

import gzip
import math
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tenfold import limits, storage
from tenfold.data.digits import CLASSES, SIDE, Digits
from tenfold.data.sources.streams import open_bytes
from tenfold.errors import DataError

_UNSIGNED_BYTE = 0x08
_STEMS = {"train": ("train",), "test": ("t10k",), "all": ("train", "t10k")}


def read(path: Path) -> Digits:
    """Read a file of images, and the labels beside it if there are any.

    Raises:
        DataError: another magic number, a file cut short or with trailing bytes, or counts that differ.
    """
    images = _array(path, n_dimensions=3)
    if images.shape[1:] != (SIDE, SIDE):
        raise DataError(f"{path}: images of {images.shape[2]}x{images.shape[1]} pixels, expected 28x28")
    labels_path = _labels_beside(path)
    labels = _array(labels_path, n_dimensions=1) if labels_path else None
    if labels is not None and len(labels) != len(images):
        raise DataError(f"{path} has {len(images):,} images but {labels_path} {len(labels):,} labels; expected as many of each")
    if labels is not None and labels.max(initial=0) >= CLASSES:
        row = int(np.argmax(labels >= CLASSES))
        raise DataError(f"{labels_path}, row {row + 1}: label {labels[row]}, expected a digit 0-9")
    return Digits(images, labels, path.name)


def holds_mnist(folder: Path) -> bool:
    """Whether a folder holds MNIST-like IDX files under their usual names."""
    return any(_find(folder, stem) for stem in _STEMS["all"])


def read_folder(folder: Path, part: str) -> Digits:
    """Read a folder with `train-images-idx3-ubyte`, `t10k-images-idx3-ubyte` and their labels, gzipped or not."""
    parts = []
    for stem in _STEMS[part]:
        path = _find(folder, stem)
        if path is None:
            raise DataError(f"{folder}: no file {stem}-images-idx3-ubyte or {stem}-images-idx3-ubyte.gz for part {part!r}")
        parts.append(read(path))
    if len({digits.labels is None for digits in parts}) > 1:
        raise DataError(f"{folder}: only one of the two parts has labels; expected both or neither")
    labels = None if parts[0].labels is None else np.concatenate([digits.known_labels for digits in parts])
    return Digits(np.concatenate([digits.images for digits in parts]), labels, storage.name_of(folder))


def write(digits: Digits, path: Path) -> None:
    """Write images to `path` and labels, if there are any, beside it.

    Raises:
        DataError: there are labels, and from the name of the images no name for them follows; or there are none, and the
            labels of other images lie where they would be taken for those of these.
    """
    if digits.labels is not None:
        labels_path = _labels_name(path)
        if labels_path == path:
            raise DataError(f"{path}: cannot name the labels; expected a name such as train-images-idx3-ubyte.gz")
        _write_array(digits.labels, labels_path)
    elif stale := _labels_beside(path):
        raise DataError(f"{path}: other labels lie beside it, in {stale.name}; remove them or choose another name")
    _write_array(digits.images, path)


def _array(path: Path, n_dimensions: int) -> NDArray[np.uint8]:
    allowed = limits.from_environment()
    with open_bytes(path) as stream:
        head = stream.read(4 + 4 * n_dimensions)
        if head[:2] != b"\0\0" or head[2:4] != bytes([_UNSIGNED_BYTE, n_dimensions]):
            expected = bytes([0, 0, _UNSIGNED_BYTE, n_dimensions]).hex()
            raise DataError(f"{path}: magic number {head[:4].hex() or 'missing'}, expected {expected} (IDX of unsigned bytes)")
        if len(head) < 4 + 4 * n_dimensions:
            raise DataError(f"{path}: cut short after {len(head)} bytes, inside the header; fetch the file again")
        shape = struct.unpack(f">{n_dimensions}I", head[4:])
        size = math.prod(shape)
        if shape[0] > allowed.max_digits or max(size, *shape) > allowed.max_data_bytes:
            raise DataError(f"{path}: declares {' x '.join(f'{n:,}' for n in shape)} values, more than the limits allow")
        content = stream.read(size + 1)
    if len(content) != size:
        found = f"only {len(content):,}" if len(content) < size else "more"
        raise DataError(f"{path}: declares {size:,} values but holds {found}; fetch the file again")
    return np.frombuffer(content, np.uint8).reshape(shape)


def _write_array(array: NDArray[np.uint8], path: Path) -> None:
    head = struct.pack(f">BBBB{array.ndim}I", 0, 0, _UNSIGNED_BYTE, array.ndim, *array.shape)
    content = head + np.ascontiguousarray(array).tobytes()
    storage.write_bytes(path, gzip.compress(content, mtime=0) if path.name.lower().endswith(".gz") else content)


def _labels_name(path: Path) -> Path:
    return path.with_name(path.name.replace("images", "labels").replace("idx3", "idx1"))


def _labels_beside(path: Path) -> Path | None:
    """The file of labels that goes with a file of images: same name, gzipped or not."""
    name = _labels_name(path)
    if name == path:
        return None
    other = name.with_name(name.name.removesuffix(".gz") if name.suffix == ".gz" else f"{name.name}.gz")
    return next((p for p in (name, other) if p.is_file()), None)


def _find(folder: Path, stem: str) -> Path | None:
    names = [f"{stem}-images{dash}idx3-ubyte{gz}" for dash in "-." for gz in ("", ".gz")]
    return next((folder / name for name in names if (folder / name).is_file()), None)
