"""Bytes to pixels: formats, EXIF orientation, transparency, bit depth, decompression bombs.

What comes out is always uint8, (H, W) grey or (H, W, 3) colour, turned as a viewer would show it.
"""

from __future__ import annotations

import io
import os
import struct
import warnings
import zlib
from contextlib import nullcontext
from pathlib import Path
from typing import BinaryIO, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from tenfold import limits
from tenfold.errors import PictureError, TenfoldNotice, TooManyPixelsError, of_system

Source: TypeAlias = str | os.PathLike[str] | bytes | Image.Image | NDArray[np.generic]

# Pillow's own warnings (odd EXIF, large pictures) say nothing a user could act on. For good: what is changed for a while only
# (`catch_warnings`) stays changed where threads do so at a time.
warnings.filterwarnings("ignore", module=r"PIL\.")

FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "GIF", "BMP", "TIFF")
# What is looked for in folders. HEIC is among them so that it is refused by name, not passed over.
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".avif", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif"})
_EXPECTED = "expected a PNG, JPEG, WebP, AVIF, GIF, BMP or TIFF"
# How photos of iPhones begin, the brands of ISO/IEC 23008-12. The library for them ends the process on damaged files.
_HEIC = tuple(b"ftyp" + brand for brand in (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"))
_CAMERA_BITS = 12
_ORIENTATIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
PDF = b"%PDF-"  # how one begins
_ADDRESSES = ("http://", "https://", "file://", "ftp://", "data:")
_OTHER_SUFFIXES = {".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp"}
# Pillow is content if all pixels are there; but a file without its end was cut, and other readers refuse it.
_ENDS = {"PNG": b"IEND\xaeB`\x82", "JPEG": b"\xff\xd9"}
# What Pillow raises on damaged files: of 24,000 it was OSError, SyntaxError, ValueError and IndexError; the rest is caution.
DAMAGED = (
    *(OSError, SyntaxError, ValueError, LookupError, ArithmeticError, AssertionError, AttributeError),
    *(EOFError, MemoryError, RuntimeError, TypeError, struct.error, zlib.error),
)


def decode(source: Source) -> NDArray[np.uint8]:
    """Decode a picture.

    Args:
        source: a path, the bytes of a file, a Pillow image, or an array (H, W), (H, W, 3) or (H, W, 4) of uint8;
            other numbers are scaled to 0-255.

    Returns:
        uint8 (H, W) or (H, W, 3), values 0-255, as displayed: EXIF orientation applied, transparency laid on paper.

    Raises:
        PictureError: not a picture, damaged, of an unknown format or over a limit.
    """
    return decode_marked(source, ("", ""))[0]


def decode_again(source: Source) -> NDArray[np.uint8]:
    """As `decode`, of what was decoded before: what there was to say of it has been said."""
    return decode_marked(source, ("", ""), again=True)[0]


def decode_marked(source: Source, mark: tuple[str, str], again: bool = False) -> tuple[NDArray[np.uint8], bool]:
    """Decode a picture and say whether it carries a text chunk with this key and value; `again` as in `decode_again`."""
    if isinstance(source, np.ndarray):
        return _from_array(source), False
    if isinstance(source, Image.Image):
        return pixels_of(source, "picture"), source.info.get(mark[0]) == mark[1]
    if not isinstance(source, bytes | str | os.PathLike):
        raise PictureError(f"picture: found {type(source).__name__}, expected a path, bytes, a Pillow image or a NumPy array")
    content, name = (source, "picture") if isinstance(source, bytes) else (content_of(source), str(source))
    image = _open(content, name)
    marked = image.info.get(mark[0]) == mark[1]
    pixels = pixels_of(image, name)
    if _has_more(image) and not again:
        warnings.warn(f"{name}: holds more than one frame or page; only the first is read", TenfoldNotice, stacklevel=3)
    return pixels, marked


def n_pixels(content: bytes) -> int:
    """How many pixels the bytes of a file say that they hold; 0 for what is no picture. Nothing is decoded."""
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            return image.width * image.height
    except (*DAMAGED, Image.DecompressionBombError):
        return 0  # whatever is wrong with it, reading it says so


def content_of(source: str | os.PathLike[str], opened: BinaryIO | None = None) -> bytes:
    """The bytes of a file, or of a stream that is open already; then `source` is only its name.

    Raises:
        PictureError: it cannot be read, or has too many.
    """
    path = Path(source)
    try:
        with nullcontext(opened) if opened else path.open("rb") as file:
            content = file.read(limits.one("max_picture_bytes") + 1)
    except IsADirectoryError as problem:
        raise PictureError(f"cannot read {path}: Is a directory; name its pictures, such as {path}/*.png") from problem
    except OSError as problem:
        raise unreadable(source, problem) from problem
    except ValueError as problem:  # a NUL in the name
        raise PictureError(f"cannot read {path}: {problem}; expected the path of a picture") from problem
    refuse_too_many(content, str(source))
    return content


def refuse_too_many(content: bytes, name: str) -> None:
    """Refuse, by PictureError, more bytes than a file may have."""
    allowed = limits.one("max_picture_bytes")
    if len(content) > allowed:
        raise PictureError(f"{name}: more than {allowed:,} bytes; shrink it, or raise TENFOLD_MAX_PICTURE_BYTES")


def unreadable(source: str | os.PathLike[str], problem: OSError) -> PictureError:
    """The error of a picture that the operating system does not hand out."""
    if str(source).lower().startswith(_ADDRESSES):
        return PictureError(f"{str(source)[:200]}: an address; tenfold reads files only, so save the picture first")
    expected = "; expected the path of a picture" if isinstance(problem, FileNotFoundError) else ""
    return PictureError(f"cannot read {of_system(problem, Path(source))}{expected}")


def _open(content: bytes, name: str) -> Image.Image:
    _refuse_bytes(content, name)
    max_pixels = _max_pixels()
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError as problem:
        what = (
            "a PDF, whose pages `tenfold read FILE.pdf` reads" if content.startswith(PDF) else "not a picture that can be read"
        )
        raise PictureError(f"{name}: {what}; {_EXPECTED}") from problem
    except Image.DecompressionBombError as problem:
        raise too_large(name, "", max_pixels) from problem
    except DAMAGED as problem:
        raise _damaged(name, problem) from problem
    if image.format == "TIFF" and Path(name).suffix.lower() in _OTHER_SUFFIXES:
        raise PictureError(f"{name}: holds a TIFF in spite of its name; rename it to .tif if that is what it should be")
    if _ENDS.get(image.format or "", b"") not in content:
        raise PictureError(f"{name}: cut short; fetch it again")
    return image


def _refuse_bytes(content: bytes, name: str) -> None:
    """Refuse what can be refused before Pillow sees it."""
    if not content:
        raise PictureError(f"{name}: empty; {_EXPECTED}")
    refuse_too_many(content, name)
    if content[4:12] in _HEIC:
        remedy = "save it as JPEG (iPhone: Settings, Camera, Formats, Most Compatible)"
        raise PictureError(f"{name}: a HEIC photo, which is not read; {remedy}")


def _max_pixels() -> int:
    """The limit on pixels. Where it has been raised beyond Pillow's own, Pillow's has to follow, for the whole process."""
    allowed = limits.one("max_picture_pixels")
    if Image.MAX_IMAGE_PIXELS is not None and allowed > 2 * Image.MAX_IMAGE_PIXELS:
        Image.MAX_IMAGE_PIXELS = allowed // 2 + 1
    return allowed


def _has_more(image: Image.Image) -> bool:
    """Whether more frames or pages follow. What follows in a phone's JPEG (MPO) is a preview or a depth map."""
    try:
        return image.format != "MPO" and bool(getattr(image, "is_animated", False))
    except DAMAGED:
        return False


def pixels_of(image: Image.Image, name: str) -> NDArray[np.uint8]:
    """The pixels of an opened image as of `decode`, whose errors begin with the name."""
    max_pixels = _max_pixels()
    width, height = image.size
    if width * height > max_pixels:
        raise too_large(name, f"{width:,} x {height:,}, ", max_pixels)
    if width * height == 0:
        raise PictureError(f"{name}: {width} x {height} pixels; expected at least one")
    try:
        return _to_bytes(_upright(image))
    except PictureError as problem:
        raise PictureError(f"{name}: {problem}") from problem
    except Image.DecompressionBombError as problem:
        raise too_large(name, "", max_pixels) from problem
    except DAMAGED as problem:
        raise _damaged(name, problem) from problem


def _upright(image: Image.Image) -> Image.Image:
    """As a viewer would show it. Pillow's `exif_transpose` also writes the whole EXIF block anew, which fails on odd ones."""
    image.load()
    try:
        turned = _ORIENTATIONS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except DAMAGED:
        return image  # whatever the block says, its pixels are there
    return image if turned is None else image.transpose(turned)


def too_large(name: str, size: str, max_pixels: int) -> TooManyPixelsError:
    """The error of a picture of too many pixels; `size` says how many, and ends in a comma."""
    return TooManyPixelsError(f"{name}: {size}more than {max_pixels:,} pixels", "TENFOLD_MAX_PICTURE_PIXELS")


def _damaged(name: str, problem: BaseException) -> PictureError:
    reason = (str(problem) or type(problem).__name__).splitlines()[0][:120]
    return PictureError(f"{name}: damaged ({reason}); {_EXPECTED}")


def _to_bytes(image: Image.Image) -> NDArray[np.uint8]:
    """Any mode of Pillow to uint8 grey or colour."""
    if image.mode.startswith("I") or image.mode == "F":
        return _from_array(np.asarray(image))
    if image.has_transparency_data:
        return _on_paper(image.convert("RGBA"))
    return np.asarray(image.convert("L" if image.mode in ("1", "L") else "RGB"))


def _on_paper(rgba: Image.Image) -> NDArray[np.uint8]:
    """Lay strokes on transparency onto paper that they stand out from: white, or black if they are light.

    What covers more than half of the picture is a page of its own; the paper then goes on at its edges.
    """
    opacity, colour = rgba.getchannel("A"), rgba.convert("RGB")
    # Each pixel counts as far as it covers: strokes may be half transparent all over.
    counts = np.bincount(np.asarray(colour.convert("L")).ravel(), np.asarray(opacity).ravel() / 255, 256)
    is_page = counts.sum() > rgba.width * rgba.height / 2
    is_dark = counts[:128].sum() >= counts[128:].sum()
    paper = Image.new("RGB", rgba.size, "white" if is_dark != is_page else "black")
    paper.paste(colour, mask=opacity)
    return np.asarray(paper)


def _from_array(array: NDArray[np.generic]) -> NDArray[np.uint8]:
    array = np.asarray(array)  # a matrix stays one however it is cut
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)) or array.size == 0:
        raise PictureError(f"array of shape {array.shape}, expected (H, W), (H, W, 3) or (H, W, 4)")
    allowed = limits.one("max_picture_pixels")
    if array.shape[0] * array.shape[1] > allowed:
        raise too_large(f"array of shape {array.shape}", "", allowed)
    scaled = _scaled(array)
    return _on_paper(Image.fromarray(scaled)) if scaled.ndim == 3 and scaled.shape[2] == 4 else scaled


def _scaled(array: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Any number type to 0-255.

    Values from 0 to 255 stay as they are, whatever their type, except that floats up to 1 are shares of 255. Of 16 bits the
    upper 8 are taken, or of 12 where no more are used; all else is stretched from its lowest to its highest value.
    """
    kind = array.dtype.kind
    if array.dtype == np.uint8:
        return array.view(np.uint8)
    if kind == "b":
        return array.astype(np.uint8) * np.uint8(255)
    if kind == "u" and array.dtype.itemsize == 2 and array.max() > 255:
        n_bits = int(array.max()).bit_length()  # cameras and scanners store 10 or 12 bits in 16, too
        return (array.astype(np.uint16) >> ((n_bits if n_bits <= _CAMERA_BITS else 16) - 8)).astype(np.uint8)
    if kind not in "iuf":
        raise PictureError(f"array of {array.dtype}, expected numbers (uint8)")
    values = array.astype(np.float64)
    low, high = float(values.min()), float(values.max())
    if not np.isfinite(high - low):
        raise PictureError("holds NaN, infinite or enormous values, expected finite numbers")
    if low < 0 or high > 255:
        values -= low
        values *= 255 / (high - low) if high - low > 1e-300 else 0.0
    elif kind == "f" and high <= 1:
        values *= 255
    return np.rint(values, out=values).astype(np.uint8)
