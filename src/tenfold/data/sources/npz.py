"""NPZ in the layout of Keras's mnist.npz (`x_train`, `y_train`, `x_test`, `y_test`) or with `images` and `labels`.

Nothing is ever unpickled, and a header is checked before memory is taken for what it declares.
"""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from tenfold import limits, storage
from tenfold.data.digits import SIDE, Digits
from tenfold.data.sources.streams import DAMAGED, open_member, open_zip
from tenfold.errors import DataError

_KEYS = {"train": ("x_train", "y_train"), "test": ("x_test", "y_test"), "all": ("images", "labels")}
_EXPECTED = "expected images and labels, or x_train, y_train, x_test and y_test"


def read(path: Path, part: str) -> Digits:
    """Read an NPZ.

    Raises:
        DataError: a damaged file, other arrays, objects, values that are not whole numbers of the range, a size over a limit.
    """
    try:
        with open_zip(path) as archive:
            names = {name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")}
            pairs = _pairs(names, part, path)
            images = [_images(archive, image_key, path) for image_key, _ in pairs]
            labels = [_labels(archive, label_key, path) for _, label_key in pairs if label_key in names]
    except DAMAGED as problem:
        raise DataError(f"{path}: damaged or not an NPZ ({problem}); fetch the file again") from problem
    if labels and len(labels) != len(images):
        raise DataError(f"{path}: only one of y_train and y_test is there; expected both or neither")
    for (image_key, label_key), image, label in zip(pairs, images, labels or images, strict=True):
        if len(image) != len(label):
            raise DataError(f"{path}: {len(image):,} {image_key} but {len(label):,} {label_key}; expected as many of each")
    return Digits(np.concatenate(images), np.concatenate(labels) if labels else None, path.name)


def write(digits: Digits, path: Path) -> None:
    """Write `images` and, if there are any, `labels`, compressed."""
    labels = {} if digits.labels is None else {"labels": digits.labels}
    # An open file: to a path that ends in .NPZ, NumPy would add .npz.
    with storage.whole_file(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, images=digits.images, **labels)  # type: ignore[arg-type]


def _pairs(names: set[str], part: str, path: Path) -> list[tuple[str, str]]:
    """The keys of images and labels that make up a part."""
    if "images" in names:
        if part != "all":
            raise DataError(f"{path} has no part {part!r}; expected part 'all'")
        return [_KEYS["all"]]
    wanted = ("train", "test") if part == "all" else (part,)
    pairs = [_KEYS[name] for name in wanted if _KEYS[name][0] in names]
    if not pairs:
        found = ", ".join(sorted(names)[:6]) or "no arrays"
        raise DataError(f"{path}: holds {found}; {_EXPECTED}")
    return pairs


def _images(archive: zipfile.ZipFile, key: str, path: Path) -> NDArray[np.uint8]:
    array = _array(archive, key, path)
    if array.ndim == 4 and array.shape[-1] == 1:
        array = array[..., 0]
    if array.ndim == 2 and array.shape[1] == SIDE * SIDE:
        array = array.reshape(-1, SIDE, SIDE)
    if array.ndim != 3 or array.shape[1:] != (SIDE, SIDE):
        raise DataError(f"{path}, {key}: shape {array.shape}, expected (N, 28, 28)")
    return _as_bytes(array, 255, key, path)


def _labels(archive: zipfile.ZipFile, key: str, path: Path) -> NDArray[np.uint8]:
    array = _array(archive, key, path)
    if array.ndim != 1:
        raise DataError(f"{path}, {key}: shape {array.shape}, expected (N,)")
    return _as_bytes(array, 9, key, path)


def _as_bytes(array: NDArray[np.integer], highest: int, key: str, path: Path) -> NDArray[np.uint8]:
    wrong = (array < 0) | (array > highest)
    if wrong.any():
        where = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise DataError(f"{path}, {key}, index {where}: found {array[where]}, expected a whole number 0-{highest}")
    return np.ascontiguousarray(array, dtype=np.uint8)


def _array(archive: zipfile.ZipFile, key: str, path: Path) -> NDArray[np.integer]:
    with open_member(archive, f"{key}.npy", path) as member:
        shape, fortran_order, dtype = _header(member, key, path)
        if dtype.hasobject:
            raise DataError(f"{path}, {key}: holds Python objects, which are never unpickled; expected numbers (uint8)")
        if dtype.kind not in "ui":
            raise DataError(f"{path}, {key}: type {dtype}, expected whole numbers 0-255 (uint8)")
        allowed = limits.from_environment()
        size = math.prod(shape) * dtype.itemsize
        longest = [allowed.max_digits] + [SIDE * SIDE] * len(shape)
        if size > allowed.max_data_bytes or any(not 0 <= n <= most for n, most in zip(shape, longest, strict=False)):
            found = str(shape)[:60]
            raise DataError(f"{path}, {key}: declares the shape {found}, outside the limits; expected (N, 28, 28)")
        content = member.read(size + 1)
    if len(content) != size:
        found = "more" if len(content) > size else f"only {len(content):,}"
        raise DataError(f"{path}, {key}: declares {size:,} bytes but holds {found}; fetch the file again")
    array = np.frombuffer(content, dtype)
    return array.reshape(shape, order="F" if fortran_order else "C")


def _header(member: IO[bytes], key: str, path: Path) -> tuple[tuple[int, ...], bool, np.dtype[np.generic]]:
    try:
        version = np.lib.format.read_magic(member)
        read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
        return read_header(member)
    except Exception as problem:  # NumPy evaluates the header as Python; garbage raises a dozen kinds, some undocumented
        raise DataError(f"{path}, {key}: the header cannot be read; expected an array saved by numpy.savez") from problem
