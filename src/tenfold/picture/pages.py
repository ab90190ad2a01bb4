"""Files of several pages: PDF (extra [pdf]) and TIFF. Each page becomes a picture of its own."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tenfold import limits
from tenfold.errors import MissingExtraError, PictureError
from tenfold.picture.decode import DAMAGED, PDF, SUFFIXES, Source, content_of, pixels_of, refuse_too_many, too_large

SUFFIXES_WITH_PAGES = SUFFIXES | {".pdf"}
_DOTS_PER_INCH = 200  # of a rendered PDF page; a digit of 4 mm is 31 pixels high then
_POINTS_PER_INCH = 72
_TIFF = (b"II*\0", b"MM\0*")  # how one begins


def pages(path: str, content: bytes | None = None) -> Iterator[tuple[str, Source]]:
    """The pages of a file: names such as scan.tif#2 and pictures, one after the other; a plain picture is its own path.

    Args:
        path: of the file.
        content: its bytes, if they come from elsewhere; then `path` is only its name.

    Raises:
        PictureError: the file is damaged or has more pages than allowed; or, after all that are whole, which pages are damaged
            or over the limit on pixels.
        MissingExtraError: a PDF, and the library for it is not installed.
    """
    if content is not None:
        refuse_too_many(content, path)
    suffix = Path(path).suffix.lower() if content is None else _suffix_of(content)
    if suffix == ".pdf":
        yield from _of_pdf(path, content)
    elif suffix in (".tif", ".tiff"):
        yield from _of_tiff(path, content)
    else:
        yield path, path if content is None else content


def _suffix_of(content: bytes) -> str:
    """What a file's name would end in, by how it begins."""
    return ".pdf" if content.startswith(PDF) else ".tif" if content.startswith(_TIFF) else ""


def _of_tiff(path: str, content: bytes | None) -> Iterator[tuple[str, Source]]:
    whole = path if content is None else content
    with ExitStack() as opened:
        try:
            # Not by its path: of that Pillow 13 maps uncompressed pages into memory, and those that are stored turned wrongly.
            file: IO[bytes] = Path(path).open("rb") if content is None else io.BytesIO(content)  # noqa: SIM115  the stack closes it
            opened.enter_context(file)
            is_long = file.seek(0, os.SEEK_END) > limits.one("max_picture_bytes")
            image = None if is_long else opened.enter_context(Image.open(file, formats=("TIFF",)))
        except (*DAMAGED, Image.DecompressionBombError):
            image = None
        if image is None:
            yield path, whole  # whatever is wrong with it, reading it as a picture says so
            return
        try:
            n = int(getattr(image, "n_frames", 1))
        except DAMAGED as problem:
            yield path, whole
            raise PictureError(f"{path}: damaged after its first page ({problem}); fetch it again") from problem
        if n == 1:
            yield path, whole
        else:
            yield from _each(path, n, lambda k, name: _of_frame(image, k, name))


def _of_frame(image: Image.Image, k: int, name: str) -> NDArray[np.uint8]:
    try:
        image.seek(k)
        return pixels_of(image, name)
    except (*DAMAGED, Image.DecompressionBombError) as problem:
        raise PictureError(f"{name}: damaged ({problem}); fetch it again") from problem


def _of_pdf(path: str, content: bytes | None) -> Iterator[tuple[str, Source]]:
    try:
        import pypdfium2
    except ModuleNotFoundError as problem:
        raise MissingExtraError("pdf", "pypdfium2") from problem
    content = content_of(path) if content is None else content
    if not content:
        raise PictureError(f"{path}: empty; expected a PDF")
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as problem:
        raise PictureError(f"{path}: not a PDF that can be read ({problem}); expected one without a password") from problem
    if document.get_formtype() == pypdfium2.raw.FORMTYPE_ACRO_FORM:
        with suppress(pypdfium2.PdfiumError):  # of a damaged form the pages are drawn without what was typed into it
            document.init_forms()

    def page(k: int, name: str) -> NDArray[np.uint8]:
        try:
            return _rendered(document[k], name)
        except (pypdfium2.PdfiumError, *DAMAGED) as problem:
            raise PictureError(f"{name}: damaged ({problem}); make the PDF again") from problem

    try:
        yield from _each(path, len(document), page)
    finally:
        document.close()


def _rendered(page: Any, name: str) -> NDArray[np.uint8]:
    scale, max_pixels = _DOTS_PER_INCH / _POINTS_PER_INCH, limits.one("max_picture_pixels")
    width, height = (math.ceil(side * scale) for side in page.get_size())
    if width * height > max_pixels:
        raise too_large(name, f"{width:,} x {height:,} with {_DOTS_PER_INCH} dots an inch, ", max_pixels)
    return pixels_of(page.render(scale=scale).to_pil(), name)


def _each(path: str, n: int, page: Callable[[int, str], NDArray[np.uint8]]) -> Iterator[tuple[str, Source]]:
    """The pages of a document that are whole, then one error that names all others."""
    _check_count(path, n)
    faults: list[PictureError] = []
    for k in range(n):
        name = f"{path}#{k + 1}"
        try:
            picture = page(k, name)
        except PictureError as problem:
            faults.append(problem)
            continue
        yield name, picture
    if len(faults) == 1:
        raise faults[0]
    if faults:
        raise PictureError("; ".join(str(fault) for fault in faults))


def _check_count(path: str, n: int) -> None:
    allowed = limits.from_environment().max_pages
    if n > allowed:
        raise PictureError(f"{path}: {n:,} pages, more than {allowed:,}; split it, or raise TENFOLD_MAX_PAGES")
