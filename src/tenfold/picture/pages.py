"""Files of several pages: PDF (extra [pdf]) and TIFF. Each page becomes a picture of its own."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from tenfold import limits
from tenfold.errors import MissingExtraError, PictureError
from tenfold.picture.decode import DAMAGED, SUFFIXES, Source, unreadable

SUFFIXES_WITH_PAGES = SUFFIXES | {".pdf"}
_DOTS_PER_INCH = 200  # of a rendered PDF page; a digit of 4 mm is 31 pixels high then
_POINTS_PER_INCH = 72


def pages(path: str) -> Iterator[tuple[str, Source]]:
    """The pages of a file: names such as scan.tif#2 and pictures, one after the other; a plain picture is its own path.

    Raises:
        PictureError: the file is damaged, has more pages than allowed or a page over the limit on pixels.
        MissingExtraError: a PDF, and the library for it is not installed.
    """
    suffix = Path(path).suffix.lower()
    if suffix == ".pdf":
        yield from _of_pdf(path)
    elif suffix in (".tif", ".tiff"):
        yield from _of_tiff(path)
    else:
        yield path, path


def _of_tiff(path: str) -> Iterator[tuple[str, Source]]:
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path, formats=("TIFF",)) as image:
            n = int(getattr(image, "n_frames", 1))
            if n > 1:
                _check_count(path, n)
                for k in range(n):
                    image.seek(k)
                    yield f"{path}#{k + 1}", image.copy()
                return
    except (*DAMAGED, Image.DecompressionBombError):
        pass  # whatever is wrong with it, reading it as a picture says so
    yield path, path


def _of_pdf(path: str) -> Iterator[tuple[str, Source]]:
    try:
        import pypdfium2
    except ModuleNotFoundError as problem:
        raise MissingExtraError("pdf", "pypdfium2") from problem
    bounds = limits.from_environment()
    try:
        content = Path(path).read_bytes() if Path(path).stat().st_size <= bounds.max_picture_bytes else b""
    except OSError as problem:
        raise unreadable(path, problem) from problem
    if not content:
        raise PictureError(f"{path}: empty, or more than {bounds.max_picture_bytes:,} bytes")
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as problem:
        raise PictureError(f"{path}: not a PDF that can be read ({problem}); expected one without a password") from problem
    try:
        _check_count(path, len(document))
        for k in range(len(document)):
            try:
                picture = _rendered(document[k], f"{path}#{k + 1}", bounds.max_picture_pixels)
            except (pypdfium2.PdfiumError, *DAMAGED) as problem:
                raise PictureError(f"{path}#{k + 1}: damaged ({problem}); make the PDF again") from problem
            yield f"{path}#{k + 1}", picture
    finally:
        document.close()


def _rendered(page: Any, name: str, max_pixels: int) -> Image.Image:
    scale = _DOTS_PER_INCH / _POINTS_PER_INCH
    width, height = page.get_size()
    if width * height * scale**2 > max_pixels:
        raise PictureError(f"{name}: {width:.0f} x {height:.0f} points, more than {max_pixels:,} pixels when drawn")
    image: Image.Image = page.render(scale=scale).to_pil()
    return image


def _check_count(path: str, n: int) -> None:
    allowed = limits.from_environment().max_pages
    if n > allowed:
        raise PictureError(f"{path}: {n:,} pages, more than {allowed:,}; split it, or raise TENFOLD_MAX_PAGES")
