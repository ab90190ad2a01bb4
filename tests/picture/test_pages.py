"""Documents of several pages."""

import sys
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from PIL import Image, TiffImagePlugin

from tenfold.errors import MissingExtraError, PictureError
from tenfold.picture import decode, pages


@pytest.fixture
def shades() -> list[Image.Image]:
    return [Image.new("L", (40, 30), shade) for shade in (10, 120, 240)]


@pytest.mark.parametrize("suffix", [".tif", ".pdf"])
def test_pages_come_in_order_with_their_numbers(shades: list[Image.Image], suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"three{suffix}"
    shades[0].save(path, save_all=True, append_images=shades[1:])
    found = [(name, int(decode(page).mean())) for name, page in pages(str(path))]
    assert [name for name, _ in found] == [f"{path}#{k}" for k in (1, 2, 3)]
    assert [shade for _, shade in found] == pytest.approx([10, 120, 240], abs=3)


@pytest.mark.parametrize("suffix", [".tiff", ".pdf"])
def test_two_pages_are_two(shades: list[Image.Image], suffix: str, tmp_path: Path) -> None:
    shades[0].save(tmp_path / f"two{suffix}", save_all=True, append_images=shades[1:2])
    assert [name[-2:] for name, _ in pages(str(tmp_path / f"two{suffix}"))] == ["#1", "#2"]


@pytest.mark.parametrize("n_read", [1, 3])
def test_a_pdf_is_closed_whether_it_was_read_to_its_end_or_not(
    shades: list[Image.Image], n_read: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shades[0].save(tmp_path / "three.pdf", save_all=True, append_images=shades[1:])
    opened = []

    class Noted(pypdfium2.PdfDocument):
        def __init__(self, content: bytes) -> None:
            super().__init__(content)
            opened.append(self)

    monkeypatch.setattr(pypdfium2, "PdfDocument", Noted)
    found = pages(str(tmp_path / "three.pdf"))
    for _ in range(n_read):
        next(found)
    found.close()
    assert [document.raw for document in opened] == [None]


def test_a_plain_picture_is_itself(shades: list[Image.Image], tmp_path: Path) -> None:
    for name in ("one.tif", "one.png"):
        shades[0].save(tmp_path / name)
        assert list(pages(str(tmp_path / name))) == [(str(tmp_path / name),) * 2]
    assert list(pages("nowhere.tif")) == [("nowhere.tif", "nowhere.tif")]  # whoever reads it says so


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7 nonsense", b"no PDF"])
def test_a_broken_pdf_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "bad.pdf").write_bytes(content)
    with pytest.raises(PictureError, match=r"bad\.pdf"):
        list(pages(str(tmp_path / "bad.pdf")))
    with pytest.raises(PictureError, match=r"no\.pdf"):
        list(pages(str(tmp_path / "no.pdf")))


@pytest.mark.parametrize("suffix", [".tif", ".pdf"])
def test_too_many_pages_are_refused(
    shades: list[Image.Image], suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"three{suffix}"
    shades[0].save(path, save_all=True, append_images=shades[1:])
    monkeypatch.setenv("TENFOLD_MAX_PAGES", "3")
    assert len(list(pages(str(path)))) == 3
    monkeypatch.setenv("TENFOLD_MAX_PAGES", "2")
    with pytest.raises(PictureError, match="TENFOLD_MAX_PAGES"):
        list(pages(str(path)))


def test_the_limit_of_a_pdfs_bytes_is_exact(shades: list[Image.Image], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "one.pdf"
    shades[0].save(path)
    n_bytes = path.stat().st_size
    monkeypatch.setenv("TENFOLD_MAX_PICTURE_BYTES", str(n_bytes))
    assert len(list(pages(str(path)))) == 1
    monkeypatch.setenv("TENFOLD_MAX_PICTURE_BYTES", str(n_bytes - 1))
    with pytest.raises(PictureError, match=rf"one\.pdf: more than {n_bytes - 1:,} bytes; .*TENFOLD_MAX_PICTURE_BYTES"):
        list(pages(str(path)))


def test_an_enormous_pdf_page_is_not_drawn(shades: list[Image.Image], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shades[0].save(tmp_path / "one.pdf")
    monkeypatch.setenv("TENFOLD_MAX_PICTURE_PIXELS", "9407")
    with pytest.raises(PictureError, match=r"one\.pdf#1: 112 x 84 with 200 dots an inch, more than 9,407 pixels; .*PIXELS"):
        list(pages(str(tmp_path / "one.pdf")))
    monkeypatch.setenv("TENFOLD_MAX_PICTURE_PIXELS", "9408")
    assert len(list(pages(str(tmp_path / "one.pdf")))) == 1
    Image.new("L", (36, 36)).save(tmp_path / "square.pdf")
    monkeypatch.setenv("TENFOLD_MAX_PICTURE_PIXELS", "10000")
    assert [decode(page).shape[:2] for _, page in pages(str(tmp_path / "square.pdf"))] == [(100, 100)], "exactly as many"


def test_a_pdf_page_is_drawn_with_200_dots_an_inch(shades: list[Image.Image], tmp_path: Path) -> None:
    """40 x 30 points, and what is begun counts."""
    shades[0].save(tmp_path / "one.pdf")
    assert [decode(page).shape[:2] for _, page in pages(str(tmp_path / "one.pdf"))] == [(84, 112)]


def test_without_its_library_a_pdf_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    with pytest.raises(MissingExtraError, match=r"\.\[pdf\]"):
        list(pages("any.pdf"))


def test_a_broken_page_is_named(shades: list[Image.Image], tmp_path: Path) -> None:
    """Found by fuzzing: the document opens, its page does not."""
    path = tmp_path / "bad.pdf"
    shades[0].save(path)
    path.write_bytes(path.read_bytes().replace(b"/Type /Page\n", b"/Type /Pagx\n"))
    with pytest.raises(PictureError, match=r"bad\.pdf#1: damaged"):
        list(pages(str(path)))


def damaged(shades: list[Image.Image], path: Path, page: int) -> bytes:
    """A TIFF of three pages, one of whose pixels cannot be had."""
    noise = np.random.default_rng(0).integers(0, 256, (60, 80), np.uint8)
    images = [Image.fromarray(np.roll(noise, k)) for k in range(3)]
    images[0].save(path, save_all=True, append_images=images[1:], compression="tiff_lzw")
    content = bytearray(path.read_bytes())
    with Image.open(path) as image:
        image.seek(page)
        start = image.tag_v2[273][0]  # StripOffsets
    content[start : start + 200] = b"\xff" * 200
    return bytes(content)


@pytest.mark.parametrize("page", [0, 1, 2])
def test_of_a_tiff_with_a_damaged_page_the_others_are_read_and_it_is_named(
    shades: list[Image.Image], page: int, tmp_path: Path
) -> None:
    path = tmp_path / "bad.tif"
    path.write_bytes(damaged(shades, path, page))
    names, seen = pages(str(path)), []
    with pytest.raises(PictureError, match=rf"bad\.tif#{page + 1}: damaged"):
        while True:
            seen.append(next(names)[0][-2:])
    assert seen == [f"#{k + 1}" for k in range(3) if k != page]


@pytest.mark.parametrize("suffix", [".tif", ".pdf"])
def test_pages_over_the_limit_are_named_and_the_others_read(
    shades: list[Image.Image], suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"five{suffix}"
    large = Image.new("L", (400, 300), 60)
    shades[0].save(path, save_all=True, append_images=[large, shades[1], large, shades[2]])
    monkeypatch.setenv("TENFOLD_MAX_PICTURE_PIXELS", "10000")
    seen = []
    with pytest.raises(PictureError) as told:
        for name, _ in pages(str(path)):
            seen.append(name)
    assert seen == [f"{path}#{k}" for k in (1, 3, 5)]
    for k in (2, 4):
        assert f"five{suffix}#{k}: " in str(told.value)
    assert "more than 10,000 pixels" in str(told.value)


@pytest.mark.parametrize("suffix", ["tif", "pdf"])
def test_bytes_have_pages_too(shades: list[Image.Image], suffix: str, tmp_path: Path) -> None:
    shades[0].save(tmp_path / f"three.{suffix}", save_all=True, append_images=shades[1:])
    found = list(pages("-", (tmp_path / f"three.{suffix}").read_bytes()))
    assert [name for name, _ in found] == ["-#1", "-#2", "-#3"]
    assert [int(decode(page).mean()) for _, page in found] == pytest.approx([10, 120, 240], abs=3)
    plain = b"\x89PNG and so on"
    assert list(pages("-", plain)) == [("-", plain)]


def test_an_address_of_a_pdf_is_told_as_one_of_a_picture_is() -> None:
    with pytest.raises(PictureError, match=r"^https://example\.org/a\.pdf: an address; tenfold reads files only"):
        list(pages("https://example.org/a.pdf"))


FORM = b"BT /Helv 28 Tf 0 g 4 8 Td (482107) Tj ET"
OBJECTS = (
    b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[5 0 R]/DR<</Font<</Helv 4 0 R>>>>/DA(/Helv 28 Tf 0 g)>>>>",
    b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
    b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 150]/Resources<</Font<</Helv 4 0 R>>>>/Annots[5 0 R]>>",
    b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    b"<</Type/Annot/Subtype/Widget/FT/Tx/T(f)/V(482107)/DA(/Helv 28 Tf 0 g)/F 4/Rect[20 20 200 60]/P 3 0 R/AP<</N 6 0 R>>>>",
    b"<</Type/XObject/Subtype/Form/BBox[0 0 180 40]/Resources<</Font<</Helv 4 0 R>>>>/Length %d>>stream\n%s\nendstream"
    % (len(FORM), FORM),
)


def test_what_was_typed_into_the_fields_of_a_form_is_drawn() -> None:
    content, starts = b"%PDF-1.7\n", []
    for number, made in enumerate(OBJECTS, start=1):
        starts.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, made)
    table = b"".join(b"%010d 00000 n \n" % start for start in starts)
    end = b"xref\n0 7\n0000000000 65535 f \n%strailer<</Size 7/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (table, len(content))
    ((_, page),) = pages("-", content + end)
    assert decode(page).min() < 50


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw"])
def test_each_page_of_a_tiff_is_upright(compression: str, tmp_path: Path) -> None:
    upright = Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 50), np.uint8))
    stored = {1: None, 3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    with TiffImagePlugin.AppendingTiffWriter(str(tmp_path / "turned.tif"), True) as file:
        for orientation, turn in stored.items():
            tags = TiffImagePlugin.ImageFileDirectory_v2()
            tags[274] = orientation
            turned = upright if turn is None else upright.transpose(turn)
            turned.save(file, "TIFF", compression=compression, tiffinfo=tags)
            file.newFrame()
    found = [decode(page) for _, page in pages(str(tmp_path / "turned.tif"))]
    assert len(found) == 4
    assert all(np.array_equal(page, np.asarray(upright)) for page in found)


def test_a_tiff_of_several_pages_keeps_to_the_limit_of_bytes(
    shades: list[Image.Image], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "three.tif"
    shades[0].save(path, save_all=True, append_images=shades[1:])
    monkeypatch.setenv("TENFOLD_MAX_PICTURE_BYTES", str(path.stat().st_size - 1))
    with pytest.raises(PictureError, match="TENFOLD_MAX_PICTURE_BYTES"):
        [decode(page) for _, page in pages(str(path))]


@pytest.mark.parametrize("suffix", ["pdf", "tif", "png"])
def test_bytes_keep_to_the_limit_too(
    shades: list[Image.Image], suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shades[0].save(tmp_path / f"one.{suffix}")
    content = (tmp_path / f"one.{suffix}").read_bytes()
    monkeypatch.setenv("TENFOLD_MAX_PICTURE_BYTES", str(len(content)))
    assert len(list(pages("-", content))) == 1
    monkeypatch.setenv("TENFOLD_MAX_PICTURE_BYTES", str(len(content) - 1))
    with pytest.raises(PictureError, match=rf"^-: more than {len(content) - 1:,} bytes; .*TENFOLD_MAX_PICTURE_BYTES"):
        list(pages("-", content))
