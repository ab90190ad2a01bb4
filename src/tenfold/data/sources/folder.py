"""A folder of pictures: `3/*.png` (a folder a class), a `labels.csv` (`file,label`), or pictures alone, without labels.

A grey picture of 28x28 pixels with a dark rim is a glyph and is taken as it is; any other is normalised the way MNIST was.
"""

from __future__ import annotations

import csv
import io
import warnings
from pathlib import Path, PurePath

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from tenfold import limits, picture, storage
from tenfold.data.digits import CLASSES, SIDE, Digits
from tenfold.data.sources.streams import open_bytes
from tenfold.errors import DataError, PictureError, TenfoldNotice

_LABELS = [str(label) for label in range(CLASSES)]
_MARK = ("tenfold", "glyph")  # a text chunk: this PNG is a glyph, whatever it looks like


def read(path: Path) -> Digits:
    """Read a folder of pictures, in the order of `labels.csv`, else of the file names (then of the classes).

    Raises:
        DataError: no pictures, a line of `labels.csv` that does not fit, or a picture that cannot be read.
    """
    table = path / "labels.csv"
    if table.is_file():
        files, labels = _from_table(table)
    elif classes := _classes(path):
        found = sorted((file for folder in classes for file in _pictures(folder)), key=lambda f: (f.name, f.parent.name))
        files, labels = found, [int(file.parent.name) for file in found]
        if loose := len(_pictures(path)):
            n = "1 picture" if loose == 1 else f"{loose:,} pictures"
            said = f"{path}: {n} beside the folders of digits left out, for want of a label"
            warnings.warn(TenfoldNotice(said), stacklevel=2)
    else:
        files, labels = _pictures(path), None
    if not files:
        raise DataError(f"{path}: no pictures; expected folders 0 to 9 with pictures, or a labels.csv with file,label")
    if len(files) > limits.from_environment().max_digits:
        raise DataError(f"{path}: {len(files):,} pictures, more than the limit; split it, or raise TENFOLD_MAX_DIGITS")
    images = np.stack([_glyph(file) for file in files])
    return Digits(images, None if labels is None else np.array(labels, np.uint8), storage.name_of(path))


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


def _classes(path: Path) -> list[Path]:
    """The folders 0 to 9, as far as they are there.

    Raises:
        DataError: beside them is a folder for another number, whose pictures would be left out in silence.
    """
    folders = sorted(f for f in path.iterdir() if f.name.isdigit() and f.is_dir())
    classes = [f for f in folders if f.name in _LABELS]
    if classes and len(classes) < len(folders):
        wrong = next(f for f in folders if f not in classes)
        raise DataError(f"{wrong}: a folder for the class {wrong.name!r}, expected only the digits 0-9")
    return classes


def _pictures(folder: Path) -> list[Path]:
    return sorted(
        f for f in folder.iterdir() if f.suffix.lower() in picture.SUFFIXES and not f.name.startswith(".") and f.is_file()
    )


def _from_table(table: Path) -> tuple[list[Path], list[int]]:
    files, labels = [], []
    rows = _rows(table)
    number, header = rows[0] if rows else (1, [])
    if [name.strip() for name in header] != ["file", "label"]:
        raise DataError(f"{table}, line {number}: found {','.join(header)[:60]!r}, expected the header file,label")
    for number, row in rows[1:]:
        where = f"{table}, line {number}"
        if len(row) != 2 or row[1].strip() not in _LABELS:
            raise DataError(f"{where}: found {','.join(row)[:60]!r}, expected file,label with a label 0-9")
        name = row[0].strip()
        if PurePath(name).is_absolute() or ".." in PurePath(name).parts:
            raise DataError(f"{where}: {name[:60]!r} leads outside the folder; expected the name of a picture inside it")
        file = table.parent / name
        if not file.is_file():
            raise DataError(f"{where}: no file {name[:60]!r} in the folder; expected the name of a picture inside it")
        files.append(file)
        labels.append(int(row[1]))
    return files, labels


def _rows(table: Path) -> list[tuple[int, list[str]]]:
    """The rows of a CSV file that are not blank, each with the number of its (last) line."""
    try:
        with open_bytes(table) as stream:
            reader = csv.reader(io.TextIOWrapper(stream, "utf-8-sig", newline=""))
            return [(reader.line_num, row) for row in reader if row]
    except (csv.Error, UnicodeDecodeError) as problem:
        raise DataError(f"{table}: {problem}; expected UTF-8 lines of file,label") from problem


def _glyph(file: Path) -> NDArray[np.uint8]:
    try:
        pixels, marked = picture.decode_marked(file, _MARK)
    except PictureError as problem:
        raise DataError(str(problem)) from problem
    if pixels.shape == (SIDE, SIDE, 3) and (pixels == pixels[..., :1]).all():
        pixels = pixels[..., 0]  # grey, saved as colour
    if pixels.shape == (SIDE, SIDE) and (marked or picture.has_dark_rim(pixels)):
        return pixels
    return picture.glyph(picture.ink(pixels))
