"""The section *Pictures* of the faults, as far as it is about decoding: pixels as displayed, or one clear refusal."""

import contextlib
import io
import resource
import struct
import subprocess
import sys
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from tenfold.errors import PictureError, TenfoldNotice
from tenfold.picture import decode, decode_marked


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def ramp(height: int = 20, width: int = 30) -> np.ndarray:
    return np.linspace(0, 255, height * width).reshape(height, width).astype(np.uint8)


def refused(source: object) -> str:
    with pytest.raises(PictureError) as problem:
        decode(source)
    assert "\n" not in str(problem.value)
    return str(problem.value)


@pytest.mark.parametrize("form", ["PNG", "BMP", "GIF", "TIFF", "WEBP"])
def test_lossless_formats_keep_every_pixel(form: str) -> None:
    options = {"lossless": True} if form == "WEBP" else {}
    found = decode(encoded(Image.fromarray(ramp()), form, **options))
    grey = found if found.ndim == 2 else found[..., 0]
    assert found.dtype == np.uint8
    assert (grey == ramp()).all()


def test_a_photo_in_avif_is_decoded_as_displayed() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # stored a quarter turn against the clock
    found = decode(encoded(Image.fromarray(np.rot90(ramp(60, 90))).convert("RGB"), "AVIF", quality=95, exif=exif))
    assert found.shape == (60, 90, 3)
    assert np.abs(found.mean(axis=2) - ramp(60, 90)).max() < 12


def test_1_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.png").write_bytes(b"")
    assert "empty.png: empty" in refused(tmp_path / "empty.png")


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_2_a_picture_cut_at_any_byte_is_refused_and_nothing_else_happens(form: str) -> None:
    content = encoded(Image.fromarray(ramp()), form)
    for n_bytes in range(0, len(content), 1 if form == "PNG" else 3):
        refused(content[:n_bytes])


def test_3_a_huge_picture_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 50_000, 50_000, 1, 0, 0, 0, 0))
    rows = chunk(b"IDAT", zlib.compress(bytes(6_251 * 50_000), 9))
    path = tmp_path / "huge.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + head + rows + chunk(b"IEND", b""))
    bounded = f"import resource; resource.setrlimit(resource.RLIMIT_AS, ({2**31}, {2**31}))"
    code = f"{bounded}; from tenfold.picture import decode; decode({str(path)!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "TooManyPixelsError" in done.stderr.splitlines()[-1]
    assert "huge.png: more than 100,000,000" in done.stderr.splitlines()[-1]


def test_4_the_limit_of_pixels_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENFOLD_MAX_PICTURE_PIXELS", "600")
    assert decode(encoded(Image.fromarray(ramp()), "PNG")).shape == (20, 30)
    assert decode(ramp()).shape == (20, 30)
    monkeypatch.setenv("TENFOLD_MAX_PICTURE_PIXELS", "599")
    assert "more than 599" in refused(encoded(Image.fromarray(ramp()), "PNG"))
    assert "more than 599" in refused(ramp())


def test_5_a_tiff_named_png_is_refused_and_so_is_eps(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(Image.fromarray(ramp()), "TIFF"))
    assert "a TIFF" in refused(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(encoded(Image.fromarray(ramp()), "EPS"))
    assert "not a picture that can be read" in refused(tmp_path / "b.png")


def test_5_an_iphones_heic_is_refused_by_name() -> None:
    said = refused(b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(100))
    assert "a HEIC photo" in said
    assert "save it as JPEG" in said


@pytest.mark.parametrize("content", [b"<svg xmlns='x'></svg>", b"%PDF-1.7\n%x", b"<!doctype html><p>7</p>", b"plain text"])
def test_6_what_is_no_picture_is_refused(content: bytes) -> None:
    assert "expected a PNG" in refused(content)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_7_a_picture_is_turned_as_displayed(orientation: int) -> None:
    as_stored = {
        1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1],
        5: lambda a: a.T, 6: np.rot90, 7: lambda a: a[::-1, ::-1].T, 8: lambda a: np.rot90(a, -1),
    }  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.ascontiguousarray(as_stored[orientation](ramp()))
    assert (decode(encoded(Image.fromarray(stored), "PNG", exif=exif)) == ramp()).all()


def test_8_sixteen_bits_are_scaled_not_clipped() -> None:
    wide = np.linspace(0, 65535, 600).reshape(20, 30).astype(np.uint16)
    for found in (decode(encoded(Image.fromarray(wide), "PNG")), decode(wide)):
        assert np.abs(found.astype(int) - wide // 257).max() <= 1


@pytest.mark.parametrize(("ink", "paper"), [(0, 255), (255, 0)])
def test_9_strokes_on_transparency_are_laid_on_paper_they_stand_out_from(ink: int, paper: int) -> None:
    rgba = np.zeros((10, 10, 4), np.uint8)
    rgba[2:8, 4:6] = (ink, ink, ink, 255)
    found = decode(encoded(Image.fromarray(rgba), "PNG"))
    assert (found[2:8, 4:6] == ink).all()
    assert (found[0] == paper).all()


@pytest.mark.parametrize(("ink", "paper"), [(0, 255), (255, 0)])
def test_9_strokes_that_are_half_transparent_all_over_stand_out_too(ink: int, paper: int) -> None:
    rgba = np.zeros((10, 10, 4), np.uint8)
    rgba[2:8, 4:6] = (ink, ink, ink, 110)
    found = decode(encoded(Image.fromarray(rgba), "PNG"))
    assert (found[0] == paper).all()
    assert np.abs(found[2:8, 4:6].astype(int) - paper).min() > 90


def test_10_every_mode_is_converted() -> None:
    grey = Image.fromarray(ramp())
    assert np.abs(decode(encoded(grey.convert("P"), "PNG"))[..., 0].astype(int) - ramp()).max() <= 8
    assert set(np.unique(decode(encoded(grey.convert("1"), "PNG")))) <= {0, 255}
    cmyk = decode(encoded(Image.new("CMYK", (4, 4), (0, 0, 0, 255)), "TIFF"))
    assert cmyk.shape == (4, 4, 3)
    assert (cmyk == 0).all()
    stretched = decode(encoded(Image.fromarray(ramp().astype(np.float32) / 255), "TIFF"))
    assert np.abs(stretched.astype(int) - ramp()).max() <= 1
    with_hole = Image.new("P", (4, 4), 0)
    with_hole.putpalette([0, 0, 0, 255, 255, 255])
    with_hole.putpixel((1, 1), 1)
    assert decode(encoded(with_hole, "PNG", transparency=1)).shape == (4, 4, 3)


def test_11_of_a_thousand_frames_the_first_is_read_with_a_notice() -> None:
    frames = [Image.new("L", (8, 8), i % 256) for i in range(1000)]
    content = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    with pytest.warns(TenfoldNotice, match="only the first is read"):
        found = decode(content)
    assert (found == 0).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 10_000), (10_000, 1)])
def test_12_extreme_shapes_are_decoded(shape: tuple[int, int]) -> None:
    assert decode(encoded(Image.fromarray(np.zeros(shape, np.uint8)), "PNG")).shape == shape


def test_14_a_bomb_of_text_chunks_is_refused() -> None:
    info = PngImagePlugin.PngInfo()
    for i in range(80):
        info.add_text(f"k{i}", "x" * 1_000_000, zip=True)
    content = encoded(Image.fromarray(ramp()), "PNG", pnginfo=info)
    assert len(content) < 1_000_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused(content)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000, "kilobytes"


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((0, 5), np.uint8),
        np.zeros(5, np.uint8),
        np.zeros((4, 4, 2), np.uint8),
        np.array([["a"]]),
        np.full((2, 2), np.nan),
    ],
)
def test_arrays_that_are_no_pictures_are_refused(array: np.ndarray) -> None:
    assert "expected" in refused(array)


def test_arrays_of_other_numbers_are_scaled() -> None:
    assert decode(np.array([[True, False]])).tolist() == [[255, 0]]
    assert decode(np.array([[0.0, 1.0]])).tolist() == [[0, 255]]


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    assert "none.png: No such file or directory; expected the path of a picture" in refused(tmp_path / "none.png")
    assert refused("https://example.org/a.png") == (
        "https://example.org/a.png: an address; tenfold reads files only, so save the picture first"
    )
    assert "Is a directory" in refused(tmp_path)


def test_a_file_over_the_limit_of_bytes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENFOLD_MAX_PICTURE_BYTES", "100")
    assert "more than 100 bytes" in refused(encoded(Image.fromarray(ramp()), "PNG"))


def test_the_limit_of_bytes_is_exact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = encoded(Image.fromarray(ramp()), "PNG")
    (tmp_path / "a.png").write_bytes(content)
    for source in (content, tmp_path / "a.png"):
        monkeypatch.setenv("TENFOLD_MAX_PICTURE_BYTES", str(len(content)))
        assert decode(source).shape == (20, 30)
        monkeypatch.setenv("TENFOLD_MAX_PICTURE_BYTES", str(len(content) - 1))
        assert f"more than {len(content) - 1} bytes" in refused(source)


@pytest.mark.parametrize("form", ["WEBP", "AVIF", "GIF", "BMP", "TIFF"])
def test_2_other_formats_cut_anywhere_are_refused_or_decoded_in_full_size(form: str) -> None:
    content = encoded(Image.fromarray(ramp()), form)
    for n_bytes in range(0, len(content), 7):
        try:
            found = decode(content[:n_bytes])
        except PictureError:
            continue
        assert found.shape[:2] == (20, 30)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "AVIF", "GIF", "BMP", "TIFF"])
def test_2_flipped_bytes_are_refused_or_decoded_and_nothing_else_happens(form: str) -> None:
    content = encoded(Image.fromarray(ramp()), form, **({"compression": "tiff_lzw"} if form == "TIFF" else {}))
    rng = np.random.default_rng(0)
    for _ in range(80):
        damaged = bytearray(content)
        for place in rng.integers(0, min(len(content), 400), 2):
            damaged[place] = rng.integers(0, 256)
        with warnings.catch_warnings(), contextlib.suppress(PictureError):
            warnings.simplefilter("ignore", TenfoldNotice)
            assert decode(bytes(damaged)).dtype == np.uint8


def test_3_a_gif_that_declares_a_huge_screen_is_refused_before_its_frames_are_counted() -> None:
    """Going to the second frame would first take memory for the first."""
    gif = b"GIF89a" + struct.pack("<HHBBB", 50_000, 50_000, 0x80, 0, 0) + bytes(6)
    frame = b"," + struct.pack("<HHHHB", 0, 0, 50_000, 50_000, 0) + b"\x02\x02\x4c\x01\x00"
    assert "more than 100,000,000" in refused(gif + frame + frame + b";")


def test_4_a_raised_limit_goes_beyond_pillows_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    content = encoded(Image.fromarray(ramp()), "PNG")
    monkeypatch.setenv("TENFOLD_MAX_PICTURE_PIXELS", "150")
    assert "more than 150" in refused(content)
    monkeypatch.setenv("TENFOLD_MAX_PICTURE_PIXELS", "600")
    assert decode(content).shape == (20, 30)


@pytest.mark.parametrize("allowed", [598, 600, 601])
def test_4_pillows_own_limit_moves_no_further_than_needed(allowed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """It refuses what has more than twice as many pixels, here 598; other code of the process is protected by it, too."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 299)
    monkeypatch.setenv("TENFOLD_MAX_PICTURE_PIXELS", str(allowed))
    assert decode(encoded(Image.new("L", (allowed, 1)), "PNG")).shape == (1, allowed)
    assert (Image.MAX_IMAGE_PIXELS == 299) is (allowed == 598)
    with pytest.raises(Image.DecompressionBombError):
        Image.open(io.BytesIO(encoded(Image.new("L", (allowed + 10, 1)), "PNG")))


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_7_a_photo_is_turned_as_displayed(orientation: int) -> None:
    """JPEG, as cameras write it; it loses a little."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.ascontiguousarray(np.rot90(ramp(), {3: 2, 6: 1, 8: 3}[orientation]))
    found = decode(encoded(Image.fromarray(stored), "JPEG", exif=exif, quality=95))
    assert np.abs(found.astype(int) - ramp()).max() <= 8


@pytest.mark.parametrize(("most", "bits"), [(0x3FF, 10), (0xFFF, 12), (0x1FFF, 16)])
def test_8_of_ten_or_twelve_bits_the_upper_eight_count(most: int, bits: int) -> None:
    values = np.linspace(0, most, 600).reshape(20, 30).astype(np.uint16)
    assert (decode(encoded(Image.fromarray(values), "PNG")) == values >> (bits - 8)).all()


def test_8_sixteen_bits_are_the_same_in_either_byte_order() -> None:
    """Divided, not stretched: faint values stay faint."""
    faint = np.full((4, 4), 0x1234, np.uint16)
    for array in (faint, faint.astype(">u2"), faint.astype("<u2")):
        assert (decode(array) == 0x12).all()
    big_endian = Image.frombytes("I;16B", (4, 4), faint.astype(">u2").tobytes())
    assert (decode(big_endian) == 0x12).all()
    assert (decode(encoded(big_endian, "TIFF")) == 0x12).all()


@pytest.mark.parametrize("mode", ["LA", "RGBA", "P", "1", "L", "RGB"])
def test_9_transparency_of_every_mode_is_laid_on_paper(mode: str) -> None:
    """A black stroke on nothing: by an alpha channel, or by a colour that counts as nothing."""
    stroke = np.full((10, 10), 255, np.uint8)
    stroke[2:8, 4:6] = 0
    image = Image.fromarray(stroke)
    if mode in ("LA", "RGBA"):
        opaque = Image.fromarray(255 - stroke)
        image = Image.merge(mode, [Image.new("L", (10, 10))] * (len(mode) - 1) + [opaque])
        content = encoded(image, "PNG")
    else:
        image = image.convert(mode)
        content = encoded(image, "PNG", transparency=(255, 255, 255) if mode == "RGB" else 1 if mode == "1" else 255)
    found = decode(content)
    grey = found if found.ndim == 2 else found[..., 0]
    assert (grey == stroke).all()


@pytest.mark.parametrize(("page", "ink"), [(250, 10), (10, 250)])
def test_9_an_opaque_page_goes_on_where_it_is_transparent_at_its_edges(page: int, ink: int) -> None:
    """Rounded corners of a screenshot must not become a frame of the other colour."""
    rgba = np.full((20, 20, 4), (page, page, page, 255), np.uint8)
    rgba[8:12, 9:11, :3] = ink
    rgba[:2, :, 3] = 0
    assert abs(int(decode(rgba)[0, 0, 0]) - page) <= 10
    assert (decode(rgba) == decode(encoded(Image.fromarray(rgba), "PNG"))).all()


@pytest.mark.parametrize(("n_opaque", "paper"), [(0, 255), (49, 255), (50, 255), (51, 0)])
def test_9_what_covers_more_than_half_is_a_page(n_opaque: int, paper: int) -> None:
    """Dark strokes lie on white paper; a dark page goes on in black. Nothing at all is white paper."""
    rgba = np.zeros((10, 10, 4), np.uint8)
    rgba.reshape(100, 4)[:n_opaque] = (20, 20, 20, 255)
    assert decode(rgba)[9, 9].tolist() == [paper] * 3


@pytest.mark.parametrize(("ink", "paper"), [(127, 255), (128, 0)])
def test_9_strokes_of_the_upper_half_of_grey_are_light(ink: int, paper: int) -> None:
    rgba = np.zeros((10, 10, 4), np.uint8)
    rgba[2:8, 4:6] = (ink, ink, ink, 255)
    assert decode(rgba)[0, 0].tolist() == [paper] * 3


def test_9_of_as_many_dark_strokes_as_light_the_dark_ones_are_seen() -> None:
    rgba = np.zeros((10, 10, 4), np.uint8)
    rgba[2:8, 4] = (20, 20, 20, 255)
    rgba[2:8, 5] = (220, 220, 220, 255)
    assert decode(rgba)[0, 0].tolist() == [255] * 3


@pytest.mark.parametrize(("opacity", "expected"), [(127, 138), (128, 10)])
def test_9_a_veil_is_a_page_from_half_of_full_opacity(opacity: int, expected: int) -> None:
    """The page is dark, and so what shows through is black; a fainter one is laid on white paper."""
    rgba = np.full((10, 10, 4), (20, 20, 20, opacity), np.uint8)
    assert np.abs(decode(rgba).astype(int) - expected).max() <= 1


def test_10_floats_and_wide_numbers_are_scaled_by_what_they_hold() -> None:
    for values, expected in [
        ([0.0, 0.5, 1.0], [0, 128, 255]),  # shares
        ([0.0, 7.0, 250.0], [0, 7, 250]),  # bytes held as floats
        ([-1.0, 0.0, 1.0], [0, 128, 255]),  # stretched
        ([-0.25, 0.0, 0.25], [0, 128, 255]),
        ([0.0, 1e9, 2e9], [0, 128, 255]),
        ([1e-320, 0.0, 2e-320], [0, 0, 0]),
    ]:
        assert decode(np.array([values])).tolist() == [expected]
    assert decode(np.array([[0, 1, 255]])).tolist() == [[0, 1, 255]]
    for dtype in (np.int16, np.uint16, np.uint32, np.int64, np.float16):
        assert decode(np.array([[5, 77, 255]], dtype)).tolist() == [[5, 77, 255]], "what fits into bytes is not stretched"
    assert decode(np.array([[0.0, 1.0, 2.0]])).tolist() == [[0, 1, 2]], "bytes, not shares"
    assert decode(np.array([[0, 64, 256]])).tolist() == [[0, 64, 255]]
    assert decode(np.array([[-5, 0, 5]])).tolist() == [[0, 128, 255]]
    for values in ([np.inf, 0.0], [1e308, -1e308]):
        assert "expected finite numbers" in refused(np.array([values]))
    for array in (np.array([[1j]]), np.array([[None]]), np.array([["2020"]], "datetime64")):
        assert "expected numbers" in refused(array)


def test_10_a_float_tiff_that_holds_no_number_is_refused() -> None:
    content = encoded(Image.fromarray(np.array([[np.nan, 1]], np.float32)), "TIFF")
    assert "expected finite numbers" in refused(content)


def test_11_further_frames_are_announced_once_and_a_preview_in_a_photo_is_not() -> None:
    frames = [Image.fromarray(ramp()), Image.fromarray(255 - ramp())]
    for form in ("GIF", "TIFF", "WEBP", "PNG"):
        with pytest.warns(TenfoldNotice, match="only the first is read"):
            found = decode(encoded(frames[0], form, save_all=True, append_images=frames[1:]))
        assert (found if found.ndim == 2 else found[..., 0])[0, 0] < 10
    decode(encoded(frames[0], "MPO", save_all=True, append_images=frames[1:]))


def test_11_the_notice_points_at_whoever_reads_the_picture() -> None:
    frames = [Image.fromarray(ramp()), Image.fromarray(255 - ramp())]
    with pytest.warns(TenfoldNotice) as noted:
        decode(encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:]))
    assert [notice.filename for notice in noted] == [__file__]


def test_11_a_damaged_second_frame_is_none() -> None:
    """Cut within it: counting the frames fails after the first has been read."""
    frames = [Image.new("L", (8, 8), shade) for shade in (0, 50, 100)]
    content = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    second = content.index(b",", content.index(b",") + 1)
    assert (decode(content[: second + 10]) == 0).all()


def test_a_pillow_image_and_an_array_are_what_their_file_is() -> None:
    content = encoded(Image.fromarray(ramp()), "PNG")
    assert (decode(Image.open(io.BytesIO(content))) == decode(content)).all()
    assert (decode(ramp()[..., None]) == decode(content)).all()
    colour = np.stack([ramp(), ramp()[::-1], ramp()[:, ::-1]], axis=2)
    assert (decode(colour) == colour).all()
    assert (decode(encoded(Image.fromarray(colour), "PNG")) == colour).all()
    closed = Image.open(io.BytesIO(content))
    closed.close()
    assert "damaged" in refused(closed)


def test_a_reason_is_one_short_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for problem, said in ((ValueError("x" * 500), "x" * 120), (OSError("a\nb"), "a"), (IndexError(), "IndexError")):

        def fail(image: Image.Image, problem: Exception = problem) -> None:
            raise problem

        monkeypatch.setattr(Image.Image, "load", fail)
        assert f"picture: damaged ({said}); expected a PNG" in refused(Image.new("L", (4, 4)))


def test_only_its_own_mark_marks_a_picture() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("tenfold", "glyph")
    image = Image.fromarray(ramp())
    marked, plain = encoded(image, "PNG", pnginfo=info), encoded(image, "PNG")
    for source in (marked, Image.open(io.BytesIO(marked))):
        assert decode_marked(source, ("tenfold", "glyph"))[1]
        assert not decode_marked(source, ("tenfold", "other"))[1]
        assert not decode_marked(source, ("glyph", "tenfold"))[1]
    for source in (plain, Image.open(io.BytesIO(plain)), ramp()):
        assert not decode_marked(source, ("tenfold", "glyph"))[1]


@pytest.mark.parametrize("size", [(3, 0), (0, 3), (0, 0)])
def test_12_a_picture_without_a_pixel_is_refused(size: tuple[int, int]) -> None:
    assert f"picture: {size[0]} x {size[1]} pixels; expected at least one" in refused(Image.new("L", size))


def test_3_what_turns_out_too_large_while_it_is_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(image: Image.Image) -> None:
        raise Image.DecompressionBombError("x")

    monkeypatch.setattr(Image.Image, "load", fail)
    assert "picture: more than 100,000,000 pixels; shrink it" in refused(Image.new("L", (4, 4)))


@pytest.mark.parametrize("name", ["a\0.png", "x" * 300 + ".png"])
def test_a_path_that_no_file_can_have_is_refused(name: str) -> None:
    assert "cannot read" in refused(name)


@pytest.mark.parametrize("odd", [(0x131, 11, struct.pack("<f", 1.5)), (0x11A, 2, b"72\0\0")])
def test_an_odd_entry_in_exif_keeps_no_picture_from_being_turned(odd: tuple[int, int, bytes]) -> None:
    """A float where the name of a program should be, text where a resolution should be."""
    tags = [(0x112, 3, struct.pack("<H", 6)), odd]
    entries = b"".join(struct.pack("<HHI", tag, kind, 1) + value.ljust(4, b"\0") for tag, kind, value in sorted(tags))
    exif = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + bytes(4)
    file, wide = io.BytesIO(), np.zeros((20, 60), np.uint8)
    wide[:, :20] = 255
    Image.fromarray(wide).save(file, "JPEG", exif=exif)
    tall = decode(file.getvalue())
    assert tall.shape[:2] == (60, 20)
    assert tall[:15].min() > 200


def test_decoding_in_threads_leaves_warnings_as_they_were(recwarn: pytest.WarningsRecorder) -> None:
    before = list(warnings.filters)
    large = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (600, 600), np.uint8)).save(large, "PNG")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(decode, [large.getvalue()] * 64))
    assert warnings.filters == before
