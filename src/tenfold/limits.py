"""Every bound on bytes, pixels, counts and seconds, in one place.

Each can be changed for a process through the environment: `TENFOLD_MAX_PICTURE_PIXELS=200000000 tenfold read big.tif`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, fields

from tenfold.errors import UsageError

_MOST_FIGURES = 18  # of a limit; no machine has that many bytes


@dataclass(frozen=True)
class Limits:
    """Bounds on what tenfold takes in."""

    max_picture_bytes: int = 64 * 2**20  # an encoded picture
    max_picture_pixels: int = 100_000_000  # a decoded picture, width x height; phones make 12 to 50 million
    max_pages: int = 500  # of a PDF or TIFF
    max_data_bytes: int = 2 * 2**30  # a data file after decompression; the Kaggle train.csv has 77 MB
    max_digits: int = 2_000_000  # digits in one data set: 1.6 GB of pixels
    max_model_bytes: int = 64 * 2**20  # an ONNX file; tenfold's own are under 1 MB
    max_recipe_bytes: int = 2**20  # a recipe file; tenfold's own are about 1 kB


def from_environment() -> Limits:
    """The limits of this process.

    Raises:
        UsageError: a `TENFOLD_*` variable of a limit is not a positive whole number.
    """
    changed = {}
    for field in fields(Limits):
        name = f"TENFOLD_{field.name.upper()}"
        value = os.environ.get(name)
        if value is None:
            continue
        if not (value.isascii() and value.isdigit() and len(value) <= _MOST_FIGURES and int(value) > 0):
            raise UsageError(f"environment variable {name}: found {value[:40]!r}, expected a positive whole number")
        changed[field.name] = int(value)
    return Limits(**changed)
