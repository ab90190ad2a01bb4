"""A folder of pictures: `3/*.png` (a folder a class), a `labels.csv` (`file,label`), or pictures alone, without labels.

A grey picture of 28x28 pixels with a dark rim is a glyph and is taken as it is; any other is normalised the way MNIST was.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from tenfold import limits, picture, storage
from tenfold.data.digits import CLASSES, SIDE, Digits
from tenfold.errors import DataError, PictureError

_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp"}
_MARK = ("tenfold", "glyph")  # a text chunk: this PNG is a glyph, whatever it looks like


def read(path: Path) -> Digits:
    """Read a folder of pictures, in the order of `labels.csv`, else of the file names (then of the classes).

    Raises:
        DataError: no pictures, a line of `labels.csv` that does not fit, or a picture that cannot be read.
    """
    table = path / "labels.csv"
    if table.is_file():
        files, labels = _from_table(table)
    elif classes := [path / str(label) for label in range(CLASSES) if (path / str(label)).is_dir()]:
        found = sorted((file for folder in classes for file in _pictures(folder)), key=lambda f: (f.name, f.parent.name))
        files, labels = found, [int(file.parent.name) for file in found]
    else:
        files, labels = _pictures(path), None
    if not files:
        raise DataError(f"{path}: no pictures; expected folders 0 to 9 with pictures, or a labels.csv with file,label")
    if len(files) > limits.from_environment().max_digits:
        raise DataError(f"{path}: {len(files):,} pictures, more than the limit; split it, or raise TENFOLD_MAX_DIGITS")
    images = np.stack([_glyph(file) for file in files])
    return Digits(images, None if labels is None else np.array(labels, np.uint8), path.name)


def write(digits: Digits, path: Path) -> None:
    """Write one PNG a digit: `7/000042.png` is the 43rd digit, a 7; without labels there are no folders of classes."""
    mark = PngImagePlugin.PngInfo()
    mark.add_text(*_MARK)
    width = max(6, len(str(len(digits))))
    with storage.whole_folder(path) as temporary:
        for label in range(CLASSES) if digits.labels is not None else ():
            (temporary / str(label)).mkdir()
        for index, image in enumerate(digits.images):
            folder = temporary if digits.labels is None else temporary / str(digits.labels[index])
            Image.fromarray(image).save(folder / f"{index:0{width}}.png", pnginfo=mark)


def _pictures(folder: Path) -> list[Path]:
    return sorted(f for f in folder.iterdir() if f.suffix.lower() in _SUFFIXES and not f.name.startswith(".") and f.is_file())


def _from_table(table: Path) -> tuple[list[Path], list[int]]:
    files, labels = [], []
    with table.open(encoding="utf-8-sig", newline="") as stream:
        try:
            rows = list(csv.reader(stream))
        except (csv.Error, UnicodeDecodeError) as problem:
            raise DataError(f"{table}: {problem}; expected UTF-8 lines of file,label") from problem
    if not rows or [name.strip() for name in rows[0]] != ["file", "label"]:
        raise DataError(f"{table}, line 1: expected the header file,label")
    for number, row in enumerate(rows[1:], start=2):
        if not row:
            continue
        if len(row) != 2 or row[1].strip() not in map(str, range(CLASSES)):
            raise DataError(f"{table}, line {number}: found {','.join(row)[:60]!r}, expected file,label with a label 0-9")
        file = table.parent / row[0].strip()
        if not file.is_file():
            raise DataError(f"{table}, line {number}: no such file {row[0]!r} beside labels.csv")
        files.append(file)
        labels.append(int(row[1]))
    return files, labels


def _glyph(file: Path) -> NDArray[np.uint8]:
    try:
        pixels, marked = picture.decode_marked(file, _MARK)
    except PictureError as problem:
        raise DataError(str(problem)) from problem
    if pixels.shape == (SIDE, SIDE) and (marked or picture.has_dark_rim(pixels)):
        return pixels
    return picture.glyph(picture.ink(pixels))
