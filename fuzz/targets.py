"""Everything that parses what a stranger hands in, as functions of bytes.

Each lets pass the error that is documented for it, and nothing else: whatever comes out of a target is a fault of tenfold.
Where a checksum would throw away every change a fuzzer makes, the target sets it right first.
"""

from __future__ import annotations

import atexit
import io
import shutil
import struct
import tempfile
import warnings
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np

from tenfold import picture
from tenfold.data.sources import load
from tenfold.errors import DataError, ModelError, PictureError, RecipeError, RunError, TenfoldNotice, UsageError

# Small, so that a fuzzer reaches them: 1 MiB of data, 1 million pixels.
LIMITS = {"TENFOLD_MAX_DATA_BYTES": str(2**20), "TENFOLD_MAX_PICTURE_PIXELS": str(2**20), "TENFOLD_MAX_DIGITS": "1000"}


def csv(content: bytes) -> None:
    """A Kaggle CSV, plain, gzipped or zipped: what begins as one of them does is unpacked whatever its name."""
    _check_digits("train.csv", content)


def idx(content: bytes) -> None:
    """IDX images; the first byte says how many bytes at the end are the file of labels."""
    with suppress(IndexError):
        n = content[0]
        (_folder() / "t-labels-idx1-ubyte").write_bytes(content[len(content) - n :])
        _check_digits("t-images-idx3-ubyte", content[1 : len(content) - n])


def npz(content: bytes) -> None:
    """An NPZ, or else the one array of it."""
    if not content.startswith(b"PK"):
        wrapped = io.BytesIO()
        with zipfile.ZipFile(wrapped, "w") as archive:
            archive.writestr("images.npy", content)
        content = wrapped.getvalue()
    _check_digits("digits.npz", content)


def samples(content: bytes) -> None:
    """A file of corrections."""
    _check_digits("samples.db", content)


def decode(content: bytes) -> None:
    """A picture; the checksums of a PNG are set right."""
    with suppress(PictureError), _without_notices():
        pixels = picture.decode(_with_right_checksums(content))
        assert pixels.dtype == np.uint8
        assert pixels.ndim == 2 or pixels.shape[2:] == (3,)
        assert pixels.size


def pages(content: bytes) -> None:
    """A TIFF or PDF of several pages."""
    path = _folder() / ("a.pdf" if content.startswith(b"%PDF") else "a.tif")
    path.write_bytes(content)
    with suppress(PictureError), _without_notices():
        for _, page in picture.pages(str(path)):
            assert picture.decode(page).dtype == np.uint8


def recipe(content: bytes) -> None:
    """A recipe, and that what is read comes back from what is written."""
    from tenfold.learn import recipes

    path = _folder() / "recipe.json"
    path.write_bytes(content)
    with suppress(RecipeError):
        found = recipes.read(path)
        assert recipes.from_dict(recipes.as_dict(found)) == found


def run(content: bytes) -> None:
    """The smaller files of a run's folder; the first byte says which."""
    from tenfold.learn.runs import Run

    names = ("metrics.json", "history.csv", "fingerprints.npy")
    kind = content[0] % len(names) if content else 0
    (_folder() / names[kind]).write_bytes(content[1:])
    run = Run(_folder())
    with suppress(RunError):
        _ = (lambda: run.metrics, lambda: run.history, lambda: run.fingerprints)[kind]()


def model(content: bytes) -> None:
    """An ONNX model; one that is accepted has to answer with probabilities."""
    from tenfold.read.model import Model

    with suppress(ModelError):
        answer = Model(content, "fuzzed", threads=1).probabilities(np.zeros((2, 28, 28), np.uint8))
        assert answer.shape == (2, 10)
        assert np.isfinite(answer).all()


def protocol(content: bytes) -> None:
    """A request of the Open Inference Protocol; the first two bytes say where the JSON ends."""
    from tenfold.serve import inference
    from tenfold.serve.answers import RequestError
    from tenfold.serve.tensors import taken_apart

    head, body = content[:2].ljust(2, b"\0"), content[2:]
    (length,) = struct.unpack(">H", head)
    with suppress(RequestError):
        asked, binary = taken_apart(body, str(length) if length else None, 2**16)
        glyphs = inference._glyphs(asked, binary, 64)
        assert glyphs.dtype == np.uint8
        assert glyphs.shape[1:] == (28, 28)
        assert isinstance(inference._wants_binary(asked), bool)


def form(content: bytes) -> None:
    """A multipart form; the first line is its Content-Type."""
    from tenfold.serve.answers import RequestError
    from tenfold.serve.bodies import picture_in

    kind, _, body = content.partition(b"\n")
    with suppress(RequestError):
        found = picture_in(body, kind.decode("latin-1"))
        assert isinstance(found.content, bytes)


def field(content: bytes) -> None:
    """What a user says of a field, and its likeliest text: pattern, number of digits and check digit, a line each."""
    from tenfold.read.fields import Field, likeliest

    pattern, n, check, *_ = [*content.decode("utf-8", "replace").split("\n"), "", "", ""]
    with suppress(UsageError, ValueError):
        known = Field(pattern[:40] or None, int(n) if n else None, check or None)
        chances = np.random.default_rng(0).dirichlet(np.ones(10), 6)
        labels, probability = likeliest(np.linspace(0.1, 0.9, 6), chances, known)
        assert labels is None or len(labels) == 6
        assert 0 <= probability <= 1 + 1e-9


TARGETS: dict[str, Callable[[bytes], None]] = {
    one.__name__: one for one in (csv, idx, npz, samples, decode, pages, recipe, run, model, protocol, form, field)
}


@cache
def _folder() -> Path:
    """Where files are handed in; in memory where the system has such a place."""
    shared = Path("/dev/shm")  # noqa: S108
    folder = Path(tempfile.mkdtemp(prefix="tenfold-fuzz-", dir=shared if shared.is_dir() else None))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _check_digits(name: str, content: bytes) -> None:
    path = _folder() / name
    path.write_bytes(content)
    with suppress(DataError):
        digits = load(path)
        assert digits.images.dtype == np.uint8
        assert digits.images.shape == (len(digits), 28, 28)


def _without_notices() -> warnings.catch_warnings[None]:
    return warnings.catch_warnings(action="ignore", category=TenfoldNotice)  # type: ignore[return-value]


def _with_right_checksums(content: bytes) -> bytes:
    """A PNG with the checksum of each chunk set right; anything else as it is."""
    if not content.startswith(b"\x89PNG\r\n\x1a\n"):
        return content
    mended, place = bytearray(content), 8
    while place + 12 <= len(mended):
        end = place + 8 + int.from_bytes(mended[place : place + 4], "big")
        if end + 4 > len(mended):
            break
        mended[end : end + 4] = struct.pack(">I", zlib.crc32(mended[place + 4 : end]))
        place = end + 4
    return bytes(mended)
