"""For any picture: what can be decoded never raises later; which way round, how large and where it stands hardly matters."""

import io
import warnings

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

import tenfold
from tenfold import picture
from tenfold.errors import PictureError
from tenfold.picture.glyph import box

ATTEMPTS = settings(max_examples=40, deadline=None, derandomize=True)
SIDES = st.integers(1, 40)
PIXELS = st.tuples(SIDES, SIDES).flatmap(lambda shape: arrays(np.uint8, shape, elements=st.integers(0, 255)))
TURNED = {
    1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1],
    5: lambda a: a.T, 6: np.rot90, 7: lambda a: a[::-1, ::-1].T, 8: lambda a: np.rot90(a, -1),
}  # fmt: skip


@pytest.fixture(scope="module")
def written() -> np.ndarray:
    """Twenty test digits, each 84x84 on a page of 120x120, black on white: uint8 (20, 120, 120)."""
    pages = np.full((20, 120, 120), 255, np.uint8)
    for page, image in zip(pages, tenfold.load("mnist", "test").images, strict=False):
        page[18:102, 18:102] -= np.asarray(Image.fromarray(image).resize((84, 84), Image.Resampling.BICUBIC))
    return pages


def glyph(pixels: np.ndarray) -> np.ndarray:
    return picture.glyph(picture.ink(pixels))


def apart(one: np.ndarray, other: np.ndarray) -> float:
    """Mean difference of a pixel where either has ink, of 255; a centre of mass may be rounded to the next pixel."""
    moved = (np.roll(one, (y, x), (0, 1)).astype(int) for y in (-1, 0, 1) for x in (-1, 0, 1))
    return min(float(np.abs(m - other)[(m > 0) | (other > 0)].mean()) for m in moved)


@ATTEMPTS
@given(pixels=PIXELS)
def test_any_pixels_have_ink_inside_them_and_a_glyph(pixels: np.ndarray) -> None:
    for found in picture.inks(pixels):
        assert found.strength.dtype == np.float32
        assert found.strength.shape == pixels.shape
        assert 0 <= found.strength.min() <= found.strength.max() <= 1
        drawn = picture.glyph(picture.main_part(found))
        assert (drawn.shape, drawn.dtype) == ((28, 28), np.uint8)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "AVIF"])
@ATTEMPTS
@given(data=st.data())
def test_any_change_to_a_file_is_decoded_or_refused(form: str, data: st.DataObject) -> None:
    file = io.BytesIO()
    Image.fromarray(np.arange(300, dtype=np.uint8).reshape(15, 20)).save(file, form)
    content = bytearray(file.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with warnings.catch_warnings(action="ignore"):
        try:
            found = picture.decode(bytes(content[: data.draw(st.integers(0, len(content)))]))
        except PictureError as problem:
            said = str(problem)
            found = np.zeros((1, 1), np.uint8)
        else:
            said = ""
    assert said.isprintable()
    assert found.dtype == np.uint8
    assert found.ndim == 2 or found.shape[2] == 3


@ATTEMPTS
@given(pixels=PIXELS, orientation=st.integers(1, 8))
def test_7_a_picture_is_displayed_as_its_orientation_says(pixels: np.ndarray, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(TURNED[orientation](pixels))).save(file, "PNG", exif=exif)
    assert (picture.decode(file.getvalue()) == pixels).all()


@ATTEMPTS
@given(which=st.integers(0, 19), low=st.integers(0, 90), high=st.integers(160, 255))
def test_15_polarity_and_contrast_hardly_change_the_glyph(written: np.ndarray, which: int, low: int, high: int) -> None:
    page = written[which].astype(float) / 255
    dark_on_light = np.rint(low + page * (high - low)).astype(np.uint8)
    assert apart(glyph(dark_on_light), glyph(255 - dark_on_light)) <= 1
    assert apart(glyph(dark_on_light), glyph(written[which])) <= 45


@ATTEMPTS
@given(which=st.integers(0, 19), down=st.integers(-15, 15), right=st.integers(-15, 15))
def test_a_shift_hardly_changes_the_glyph(written: np.ndarray, which: int, down: int, right: int) -> None:
    moved = np.roll(written[which], (down, right), (0, 1))
    assert apart(glyph(moved), glyph(written[which])) <= 45


@ATTEMPTS
@given(which=st.integers(0, 19), side=st.integers(80, 400))
def test_the_size_hardly_changes_the_glyph(written: np.ndarray, which: int, side: int) -> None:
    scaled = np.asarray(Image.fromarray(written[which]).resize((side, side), Image.Resampling.BICUBIC))
    assert apart(glyph(scaled), glyph(written[which])) <= 60


@ATTEMPTS
@example(strength=np.float32([[0.25, 0.25, 0], [0, 0.5, 0.25], [0, 0, 0.25]]))
@given(strength=arrays(np.float32, st.tuples(SIDES, SIDES), elements=st.floats(0, 1, width=32)))
def test_the_box_holds_all_ink_and_no_more(strength: np.ndarray) -> None:
    found = box(strength)
    inked = strength > 0.25
    if found is None:
        assert not inked.any()
        return
    x, y, width, height = found
    assert inked.sum() == inked[y : y + height, x : x + width].sum()
    edges = inked[y], inked[y + height - 1], inked[:, x], inked[:, x + width - 1]
    assert all(edge.any() for edge in edges)
