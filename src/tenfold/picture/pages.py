"""Files of several pages: PDF (extra [pdf]) and TIFF. Each page becomes a picture of its own."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from tenfold import limits
from tenfold.errors import MissingExtraError, PictureError
from tenfold.picture.decode import DAMAGED, PDF, SUFFIXES, Source, unreadable

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
        PictureError: the file is damaged, has more pages than allowed or a page over the limit on pixels. Pages that are whole
            come before.
        MissingExtraError: a PDF, and the library for it is not installed.
    """
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
    try:
        with warnings.catch_warnings(action="ignore"):
            image = Image.open(path if content is None else io.BytesIO(content), formats=("TIFF",))
    except (*DAMAGED, Image.DecompressionBombError):
        yield path, whole  # whatever is wrong with it, reading it as a picture says so
        return
    damaged: list[str] = []
    with image:
        try:
            with warnings.catch_warnings(action="ignore"):
                n = int(getattr(image, "n_frames", 1))
        except DAMAGED as problem:
            n, damaged = 1, [f"{path}: damaged after its first page ({problem}); fetch it again"]
        if n == 1:
            yield path, whole
        else:
            _check_count(path, n)
            for k in range(n):
                try:
                    page = _page(image, k)
                except (*DAMAGED, Image.DecompressionBombError) as problem:
                    damaged.append(f"{path}#{k + 1}: damaged ({problem}); fetch it again")
                    continue
                yield f"{path}#{k + 1}", page
    if damaged:
        raise PictureError("; ".join(damaged))


def _page(image: Image.Image, k: int) -> Image.Image:
    with warnings.catch_warnings(action="ignore"):  # of Pillow's only: whoever reads the page may have some of their own
        image.seek(k)
        return image.copy()


def _of_pdf(path: str, content: bytes | None) -> Iterator[tuple[str, Source]]:
    try:
        import pypdfium2
    except ModuleNotFoundError as problem:
        raise MissingExtraError("pdf", "pypdfium2") from problem
    bounds = limits.from_environment()
    if content is None:
        try:
            content = Path(path).read_bytes() if Path(path).stat().st_size <= bounds.max_picture_bytes else b""
        except OSError as problem:
            raise unreadable(path, problem) from problem
    if not 0 < len(content) <= bounds.max_picture_bytes:
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
