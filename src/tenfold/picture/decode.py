"""Bytes to pixels: formats, EXIF orientation, transparency, bit depth, decompression bombs.

What comes out is always uint8, (H, W) grey or (H, W, 3) colour, turned as a viewer would show it.
"""

from __future__ import annotations

import io
import os
import struct
import warnings
import zlib
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from tenfold import limits
from tenfold.errors import PictureError, TenfoldNotice, of_system

Source: TypeAlias = str | os.PathLike[str] | bytes | Image.Image | NDArray[np.generic]

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
_EXPECTED = "expected a PNG, JPEG, WebP, GIF, BMP or TIFF"
_DAMAGED = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, struct.error, zlib.error, OverflowError)


def decode(source: Source) -> NDArray[np.uint8]:
    """Decode a picture.

    Args:
        source: a path, the bytes of a file, a Pillow image, or an array (H, W), (H, W, 3) or (H, W, 4) of uint8;
            uint16, bool and floats are scaled to 0-255 (floats by their own range).

    Returns:
        uint8 (H, W) or (H, W, 3), values 0-255, as displayed: EXIF orientation applied, transparency laid on paper.

    Raises:
        PictureError: not a picture, damaged, of an unknown format or over a limit.
    """
    return decode_marked(source, ("", ""))[0]


def decode_marked(source: Source, mark: tuple[str, str]) -> tuple[NDArray[np.uint8], bool]:
    """Decode a picture and say whether it carries a text chunk with this key and value."""
    if isinstance(source, np.ndarray):
        return _from_array(source), False
    if isinstance(source, Image.Image):
        return _pixels(source, "picture"), source.info.get(mark[0]) == mark[1]
    content, name = (source, "picture") if isinstance(source, bytes) else (_read(Path(source)), str(source))
    with warnings.catch_warnings():
        # Pillow's own warnings (odd EXIF, large pictures) say nothing a user could act on.
        warnings.simplefilter("ignore")
        image = _open(content, name)
        n_frames = _count_frames(image)
        marked = image.info.get(mark[0]) == mark[1]
        pixels = _pixels(image, name)
    if n_frames > 1:
        warnings.warn(f"{name}: holds {n_frames} frames or pages; only the first is read", TenfoldNotice, stacklevel=3)
    return pixels, marked


def _read(path: Path) -> bytes:
    allowed = limits.from_environment().max_picture_bytes
    try:
        with path.open("rb") as file:
            content = file.read(allowed + 1)
    except OSError as problem:
        raise PictureError(f"cannot read {of_system(problem, path)}") from problem
    return content


def _open(content: bytes, name: str) -> Image.Image:
    allowed = limits.from_environment()
    if not content:
        raise PictureError(f"{name}: empty; {_EXPECTED}")
    if len(content) > allowed.max_picture_bytes:
        raise PictureError(f"{name}: more than {allowed.max_picture_bytes:,} bytes; shrink it, or raise TENFOLD_MAX_PICTURE_BYTES")
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError as problem:
        raise PictureError(f"{name}: not a picture that can be read; {_EXPECTED}") from problem
    except Image.DecompressionBombError as problem:
        raise PictureError(f"{name}: too many pixels; shrink it") from problem
    except _DAMAGED as problem:
        raise PictureError(f"{name}: damaged ({_first_line(problem)}); {_EXPECTED}") from problem
    if image.format == "TIFF" and Path(name).suffix.lower() in {".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp"}:
        raise PictureError(f"{name}: holds a TIFF in spite of its name; rename it to .tif if that is what it should be")
    return image


def _check_size(image: Image.Image, name: str) -> None:
    allowed = limits.from_environment().max_picture_pixels
    width, height = image.size
    if width * height > allowed:
        raise PictureError(
            f"{name}: {width:,} x {height:,} pixels, more than {allowed:,}; shrink it, or raise TENFOLD_MAX_PICTURE_PIXELS"
        )
    if width * height == 0:
        raise PictureError(f"{name}: {width} x {height} pixels; expected at least one")


def _count_frames(image: Image.Image) -> int:
    """1 or 2: whether there is a second frame. Counting all would read the whole file."""
    try:
        image.seek(1)
    except _DAMAGED:
        return 1
    finally:
        try:
            image.seek(0)
        except _DAMAGED:
            pass
    return int(getattr(image, "n_frames", 2))


def _pixels(image: Image.Image, name: str) -> NDArray[np.uint8]:
    _check_size(image, name)
    try:
        image.load()
        upright = ImageOps.exif_transpose(image)
        return _to_bytes(upright)
    except PictureError as problem:
        raise PictureError(f"{name}: {problem}") from problem
    except Image.DecompressionBombError as problem:
        raise PictureError(f"{name}: too many pixels; shrink it") from problem
    except _DAMAGED as problem:
        raise PictureError(f"{name}: damaged ({_first_line(problem)}); {_EXPECTED}") from problem


def _to_bytes(image: Image.Image) -> NDArray[np.uint8]:
    """Any mode of Pillow to uint8 grey or colour."""
    if image.mode in ("I;16", "I;16L", "I;16B", "I;16N", "I", "F"):
        return _from_array(np.asarray(image))
    if image.has_transparency_data:
        return _on_paper(np.asarray(image.convert("RGBA")))
    if image.mode in ("1", "L"):
        return np.asarray(image.convert("L"))
    return np.asarray(image.convert("RGB"))


def _on_paper(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay strokes on transparency onto paper that they stand out from: white, or black if they are light."""
    opacity = rgba[..., 3:].astype(np.float32) / 255
    colour = rgba[..., :3].astype(np.float32)
    weight = float(opacity.sum())
    mean = float((colour * opacity).sum()) / (3 * weight) if weight else 0.0
    # An opaque background of its own decides nothing: the paper then shows only at its edges.
    paper = 255.0 if mean < 128 else 0.0
    if float(opacity.min()) > 0.99:
        return rgba[..., :3].copy()
    return np.rint(colour * opacity + paper * (1 - opacity)).astype(np.uint8)


def _from_array(array: NDArray[np.generic]) -> NDArray[np.uint8]:
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)) or array.size == 0:
        raise PictureError(f"array of shape {array.shape}, expected (H, W), (H, W, 3) or (H, W, 4)")
    allowed = limits.from_environment().max_picture_pixels
    if array.shape[0] * array.shape[1] > allowed:
        raise PictureError(f"array of shape {array.shape}: more than {allowed:,} pixels; shrink it, or raise TENFOLD_MAX_PICTURE_PIXELS")
    scaled = _scaled(array)
    return _on_paper(scaled) if scaled.ndim == 3 and scaled.shape[2] == 4 else scaled


def _scaled(array: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Any number type to 0-255. 16-bit values are divided, other wide types stretched from their lowest to their highest."""
    if array.dtype == np.uint8:
        return array.view(np.uint8)
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype == np.uint16:
        return (array.astype(np.uint32) * 255 // 65535).astype(np.uint8)
    if array.dtype.kind not in "iuf":
        raise PictureError(f"array of {array.dtype}, expected numbers (uint8)")
    values = array.astype(np.float64)
    if not np.isfinite(values).all():
        raise PictureError("holds NaN or infinite values, expected finite numbers")
    low, high = float(values.min()), float(values.max())
    if 0 <= low and high <= 255 and array.dtype.kind in "iu":
        return values.astype(np.uint8)
    if 0 <= low and high <= 1:
        low, high = 0.0, 1.0
    return np.rint((values - low) * (255 / (high - low) if high > low else 0)).astype(np.uint8)


def _first_line(problem: BaseException) -> str:
    return (str(problem) or type(problem).__name__).splitlines()[0][:120]
