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
    max_model_bytes: int = 64 * 2**20  # an ONNX file; tenfold's own are under 2 MB
    max_weights_bytes: int = 512 * 2**20  # a .keras file, and what its arrays take; tenfold's own are under 20 MB
    max_recipe_bytes: int = 2**20  # a recipe file; tenfold's own are about 1 kB
    max_samples: int = 10_000  # corrections in a file: 8 MB of glyphs
    max_sample_picture_bytes: int = 64 * 2**10  # the picture of a corrected digit's strokes
    max_lost_s: int = 60  # of a training when its process is killed: so often it is saved within an epoch, too
    max_learning_s: int = 1800  # learning from corrections; takes a minute or two
    # Of many runs and bulk reading:
    max_members: int = 100  # of an ensemble
    max_attempts: int = 3  # at a training or a part of a bulk reading whose process dies
    max_part_glyphs: int = 20_000  # read and written as one: 16 MB of pixels
    max_part_pictures: int = 256  # read and written as one
    # Of the service:
    max_request_bytes: int = 16 * 2**20  # a picture sent in; phones make 2 to 12 MB
    max_json_bytes: int = 4 * 2**20  # JSON sent in: while it is parsed nothing else is answered, about 50 ms
    max_buffered_bytes: int = 256 * 2**20  # bodies of all requests under way together
    max_discarded_bytes: int = 64 * 2**20  # read and thrown away so that a client still sending sees its refusal
    max_header_bytes: int = 64 * 2**10  # all headers of a request
    max_connections: int = 1000  # open at once
    max_request_glyphs: int = 4096  # sent in at once to be classified
    max_batch_glyphs: int = 256  # of several requests, classified in one go
    max_header_s: int = 10  # from the first byte of a request until its headers are whole
    max_body_s: int = 30  # until its body is whole
    max_work_s: int = 30  # from then until the answer
    max_idle_s: int = 30  # a connection without a request
    max_discard_s: int = 5  # reading on what is thrown away
    max_drain_s: int = 20  # from SIGTERM until the process ends


def from_environment() -> Limits:
    """The limits of this process.

    Raises:
        UsageError: a `TENFOLD_*` variable of a limit is not a positive whole number.
    """
    return Limits(**{field.name: one(field.name) for field in fields(Limits)})


def one(name: str) -> int:
    """A single limit of this process, by the name it has in `Limits`: cheap enough to ask for each small picture.

    Raises:
        UsageError: as `from_environment`.
    """
    variable = f"TENFOLD_{name.upper()}"
    value = os.environ.get(variable)
    if value is None:
        return int(getattr(Limits, name))
    if not (value.isascii() and value.isdigit() and len(value) <= _MOST_FIGURES and int(value) > 0):
        raise UsageError(f"environment variable {variable}: found {value[:40]!r}, expected a positive whole number")
    return int(value)
