import csv
import io
import json
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tenfold as package
from tenfold.errors import PictureError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """seven.png and two.png, a blank page and a broken file."""
    folder = tmp_path_factory.mktemp("pictures")
    digits = package.load("mnist", "test")
    for name, index in [("seven", 0), ("two", 1)]:
        picture = Image.fromarray(255 - digits.images[index]).resize((200, 200), Image.Resampling.BICUBIC)
        picture.save(folder / f"{name}.png")
    Image.new("L", (50, 50), 255).save(folder / "blank.png")
    (folder / "broken.png").write_bytes(b"not a picture")
    return folder


def test_a_picture_is_its_digits(tenfold, folder: Path) -> None:
    assert tenfold("read", folder / "seven.png") == (0, "7\n", "")


def test_several_pictures_are_a_line_each(tenfold, folder: Path) -> None:
    assert tenfold("read", folder / "seven.png", folder / "two.png") == (0, "7\n2\n", "")


def test_tsv_has_the_path_as_given(tenfold, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert tenfold("read", "--format", "tsv", "./seven.png", "blank.png").out == "./seven.png\t7\nblank.png\t\n"


def test_json_is_one_reading_for_one_picture_and_a_list_for_several(tenfold, folder: Path) -> None:
    one = json.loads(tenfold("read", "--format", "json", folder / "seven.png").out)
    assert (one["file"], one["text"], one["digits"][0]["label"]) == (str(folder / "seven.png"), "7", 7)
    many = json.loads(tenfold("read", "--format", "json", folder / "seven.png", folder / "blank.png").out)
    assert [reading["text"] for reading in many] == ["7", ""]


def test_csv_is_a_line_a_digit(tenfold, folder: Path) -> None:
    rows = csv.DictReader(io.StringIO(tenfold("read", "--format", "csv", folder / "two.png").out))
    (row,) = [row for row in rows if row["accepted"] == "true"]
    assert (row["label"], row["line"], row["accepted"]) == ("2", "0", "true")
    assert float(row["confidence"]) > 0.5


def test_standard_input_is_a_dash(tenfold, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stream:
        buffer = io.BytesIO((folder / "two.png").read_bytes())

    monkeypatch.setattr(sys, "stdin", Stream())
    assert tenfold("read", "-").out == "2\n"


def test_of_standard_input_no_more_is_read_than_a_picture_may_have(tenfold, monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless:
        buffer = io.BytesIO(bytes(10_000))

    monkeypatch.setenv("TENFOLD_MAX_PICTURE_BYTES", "1000")
    monkeypatch.setattr(sys, "stdin", Endless())
    result = tenfold("read", "-")
    assert result.code == 2
    assert result.err.startswith("error: -: more than 1,000 bytes")
    assert Endless.buffer.tell() == 1001


@pytest.fixture
def piped() -> Iterator[Callable[[bytes], str]]:
    """A pipe that holds some bytes, by the name that a shell's `<(…)` has."""
    opened: list[int] = []

    def piped(content: bytes) -> str:
        assert len(content) < 2**16  # more would wait for a reader
        out, into = os.pipe()
        opened.append(out)
        os.write(into, content)
        os.close(into)
        return f"/dev/fd/{out}"

    yield piped
    for out in opened:
        os.close(out)


def test_a_pipe_is_read_once_whatever_is_asked_of_its_picture(
    tenfold, folder: Path, tmp_path: Path, piped: Callable[[bytes], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    row = Image.new("L", (400, 200))
    for x, name in ((0, "seven.png"), (200, "two.png")):
        row.paste(Image.open(folder / name), (x, 0))
    row.save(tmp_path / "row.png")
    pictures = (tmp_path / "row.png", piped((tmp_path / "row.png").read_bytes()))
    of_file, of_pipe = (tenfold("read", "--digits", "1", name) for name in pictures)
    assert (of_pipe.code, of_pipe.out) == (0, of_file.out)
    assert "right with a probability of" in of_pipe.err  # as doubtful as this it is turned, too
    name = piped((folder / "seven.png").read_bytes())
    assert tenfold("read", "--annotate", tmp_path / "seen", name) == (0, "7\n", "")
    assert [file.name for file in (tmp_path / "seen").iterdir()] == [f"{Path(name).name}.png"]
    name = piped(b"no picture")
    broken = tenfold("read", name)
    assert broken.code == 2
    assert broken.err.startswith(f"error: {name}: not a picture")
    monkeypatch.setenv("TENFOLD_MAX_PICTURE_BYTES", "1000")
    assert "/dev/zero: more than 1,000 bytes" in tenfold("read", "/dev/zero").err


def test_a_document_in_a_pipe_has_pages(tenfold, folder: Path, piped: Callable[[bytes], str]) -> None:
    pages, file = [Image.open(folder / f"{name}.png") for name in ("seven", "two")], io.BytesIO()
    pages[0].save(file, "TIFF", save_all=True, append_images=pages[1:], compression="tiff_lzw")
    name = piped(file.getvalue())
    assert tenfold("read", "--format", "tsv", name).out == f"{name}#1\t7\n{name}#2\t2\n"


def test_what_was_read_is_printed_even_if_the_picture_is_gone_before_its_notes(
    tenfold, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> list[str]:
        raise PictureError("cannot read seven.png: No such file or directory")

    monkeypatch.setattr("tenfold.read.notes.notes", gone)
    result = tenfold("read", folder / "seven.png")
    assert result == (1, "7\n", "error: cannot read seven.png: No such file or directory\n")


def test_a_blank_picture_is_an_empty_text_exit_0_and_a_note(tenfold, folder: Path) -> None:
    """Fault 13."""
    result = tenfold("read", folder / "blank.png")
    assert (result.code, result.out) == (0, "\n")
    assert "no digits found" in result.err


def test_a_text_that_hardly_fits_the_field_is_said_to_be_doubtful(tenfold, folder: Path) -> None:
    one, other = (Image.open(folder / f"{name}.png").convert("L") for name in ("seven", "two"))
    both = Image.new("L", (one.width + other.width, max(one.height, other.height)), 255)
    both.paste(one, (0, 0))
    both.paste(other, (one.width, 0))
    both.save(folder / "fields.png")
    fits = tenfold("read", "--digits", "2", folder / "fields.png")
    assert (fits.out, fits.err) == ("72\n", "")
    forced = tenfold("read", "--digits", "1", folder / "fields.png")
    assert forced.out in ("7\n", "2\n")
    left_out = {"7": 2, "2": 7}[forced.out.strip()]
    assert f"left out to agree with what is known about the field: a {left_out} (" in forced.err
    assert "the text is right with a probability of" in forced.err
    checked = tenfold("read", "--pattern", "4#", folder / "fields.png")
    assert checked.out == "42\n"
    assert re.search(
        r"the likeliest text of such a field, but right with a probability of (0\.0|less than 0\.01 %)", checked.err
    )


def test_a_text_that_is_hardly_right_is_said_to_be_and_which_way_up_it_were_better(tenfold, tmp_path: Path) -> None:
    field = Image.open(Path(__file__).parents[2] / "docs" / "images" / "field.png")
    field.rotate(180).save(tmp_path / "upside_down.png")
    result = tenfold("read", tmp_path / "upside_down.png")
    assert result.code == 0
    doubtful, turned = result.err.splitlines()
    assert "upside_down.png: the whole is right with a probability of" in doubtful
    assert "upside_down.png: turned by 180 degrees clockwise it reads 482107, right with a probability of 98 %" in turned


def test_a_broken_picture_alone_is_exit_2(tenfold, folder: Path) -> None:
    result = tenfold("read", folder / "broken.png")
    assert (result.code, result.out) == (2, "")
    assert "broken.png" in result.err
    assert result.err.count("\n") == 1


def test_one_broken_picture_among_others_is_reported_and_the_rest_read(tenfold, folder: Path) -> None:
    result = tenfold("read", folder / "seven.png", folder / "broken.png", folder / "two.png")
    assert (result.code, result.out) == (1, "7\n2\n")
    assert "broken.png" in result.err


def test_an_empty_folder_among_others_is_reported_and_the_rest_read(tenfold, folder: Path, tmp_path: Path) -> None:
    said = f"error: folder {tmp_path}: holds no pictures; expected files such as .png or .jpg\n"
    assert tenfold("read", folder / "seven.png", tmp_path, folder / "two.png") == (1, "7\n2\n", said)
    assert tenfold("read", tmp_path) == (2, "", said)


def test_another_model_can_be_named(tenfold, folder: Path, tmp_path: Path) -> None:
    from importlib.resources import files

    model = tmp_path / "mine.onnx"
    model.write_bytes((files("tenfold.read") / "bundled" / "digits.onnx").read_bytes())
    assert tenfold("read", "--model", model, folder / "seven.png").out == "7\n"
    assert "nowhere.onnx" in tenfold("read", "--model", "nowhere.onnx", folder / "seven.png").err


def test_an_animation_is_read_by_its_first_frame_with_a_notice(tenfold, folder: Path) -> None:
    """Fault 11."""
    frames = [Image.open(folder / f"{name}.png") for name in ("seven", "two")]
    frames[0].save(folder / "both.gif", save_all=True, append_images=frames[1:])
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        result = tenfold("read", folder / "both.gif", "--annotate", folder / "annotated")
    assert result.out == "7\n"
    assert result.err.startswith("note: ")
    assert result.err.count("\n") == 1
    assert "first" in result.err


def test_noise_is_no_traceback(tenfold, tmp_path: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (80, 80), np.uint8)).save(tmp_path / "noise.png")
    assert tenfold("read", tmp_path / "noise.png").code == 0


def test_a_folder_is_its_pictures_by_name(tenfold, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("two", "seven"):
        (tmp_path / "deep" / f"{name}.png").write_bytes((folder / f"{name}.png").read_bytes())
    (tmp_path / "notes.txt").write_text("no picture")
    result = tenfold("read", "--format", "tsv", tmp_path)
    assert result.out == f"{tmp_path}/deep/seven.png\t7\n{tmp_path}/deep/two.png\t2\n"
    assert isinstance(json.loads(tenfold("read", "--format", "json", tmp_path).out), list)
    (tmp_path / "empty").mkdir()
    assert "no pictures" in tenfold("read", tmp_path / "empty").err


def test_an_empty_name_is_refused(tenfold, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.chdir(folder)
    result = tenfold("read", "")
    assert (result.code, result.out) == (2, "")
    assert "name of a picture is empty" in result.err


def test_the_bundled_model_has_a_name(tenfold, folder: Path) -> None:
    assert tenfold("read", "--model", "bundled", folder / "seven.png").out == "7\n"


def test_notes_can_be_left_out(tenfold, folder: Path) -> None:
    assert tenfold("read", "--min-confidence", "1", folder / "seven.png").err
    assert not tenfold("read", "--min-confidence", "1", "--no-notes", folder / "seven.png").err


def test_notes_steer_no_terminal(tenfold, folder: Path, tmp_path: Path) -> None:
    name = tmp_path / "a\x1b[31m.png"
    name.write_bytes((folder / "blank.png").read_bytes())
    err = tenfold("read", name).err
    assert "no digits found" in err
    assert "a\\x1b[31m.png" in err
    assert "\x1b" not in err


def test_annotated_copies_do_not_come_beside_the_pictures(tenfold, folder: Path, tmp_path: Path) -> None:
    before = {file: file.read_bytes() for file in folder.iterdir() if file.is_file()}
    (tmp_path / "link").symlink_to(folder)
    for there in (folder, tmp_path / "link"):
        result = tenfold("read", "--annotate", there, folder / "seven.png")
        assert result.code == 2
        assert "name another folder" in result.err
    assert {file: file.read_bytes() for file in folder.iterdir() if file.is_file()} == before


def test_annotated_copies_are_no_pictures_of_the_folder_around_them(tenfold, folder: Path, tmp_path: Path) -> None:
    for name in ("seven", "two"):
        (tmp_path / f"{name}.png").write_bytes((folder / f"{name}.png").read_bytes())
    for _ in range(2):
        assert tenfold("read", tmp_path, "--annotate", tmp_path / "seen")[:2] == (0, "7\n2\n")
    assert sorted(f.name for f in (tmp_path / "seen").iterdir()) == ["seven.png", "two.png"]
    (tmp_path / "seen" / "own.png").write_bytes((folder / "two.png").read_bytes())
    refused = tenfold("read", tmp_path, "--annotate", tmp_path / "seen")
    assert refused.code == 2
    assert "own.png lies there and could be replaced" in refused.err
    assert "could be replaced" in tenfold("read", tmp_path / "seen" / "two.png", "--annotate", tmp_path / "seen").err


def test_hopeless_odds_are_not_spelt_out(tenfold) -> None:
    assert "less than 0.01 %" in tenfold("read", "--digits", "2", Path(__file__).parents[2] / "docs/images/field.png").err


def test_a_name_with_a_tab_or_a_line_end_stays_one_column(tenfold, folder: Path, tmp_path: Path) -> None:
    odd = tmp_path / "a\tb\nc.png"
    odd.write_bytes((folder / "seven.png").read_bytes())
    assert tenfold("read", "--format", "tsv", odd).out == f"{tmp_path}/a\\tb\\nc.png\t7\n"


def test_csv_keeps_a_name_with_a_line_end_in_one_row(tenfold, folder: Path, tmp_path: Path) -> None:
    for odd in (tmp_path / "a\rb.png", tmp_path / "a\nb.png", tmp_path / "a,b.png"):
        odd.write_bytes((folder / "seven.png").read_bytes())
        said = tenfold("read", "--format", "csv", odd).out
        assert "\r\n" not in said
        rows = list(csv.reader(io.StringIO(said, newline="")))
        assert [row[:3] for row in rows] == [["file", "line", "label"], [str(odd), "0", "7"]]


@pytest.mark.skipif(sys.platform == "darwin", reason="all names there are UTF-8")
@pytest.mark.parametrize("form", ["text", "tsv", "csv", "json"])
@pytest.mark.parametrize("encoding", ["utf-8:strict", "ascii:strict"])
def test_a_name_that_cannot_be_printed_is_escaped(folder: Path, tmp_path: Path, form: str, encoding: str) -> None:
    odd = tmp_path / os.fsdecode("é".encode() + b"\xff.png")
    odd.write_bytes((folder / "seven.png").read_bytes())
    command = [sys.executable, "-m", "tenfold", "read", "--format", form, odd, folder / "two.png"]
    done = subprocess.run(command, capture_output=True, env=os.environ | {"PYTHONIOENCODING": encoding}, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    shown = "\\xe9" if encoding.startswith("ascii") else "é"
    if form == "json":
        first, second = json.loads(done.stdout)
        assert (first["file"], first["text"], second["text"]) == (f"{tmp_path}/é\\xff.png", "7", "2")
    elif form != "text":
        row = done.stdout.splitlines()[form == "csv"]  # below the titles
        assert row.startswith(f"{tmp_path}/{shown}\\xff.png".encode())


def test_standard_error_may_be_closed(tenfold, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    assert tenfold("read", *[folder / "seven.png"] * 10)[:2] == (0, "7\n" * 10)


def test_standard_error_may_be_closed_in_bulk(tenfold, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    assert tenfold("read", folder / "seven.png", "-o", tmp_path / "out.parquet", "--processes", 1)[:2] == (0, "")


def test_annotated_copies_have_names_of_their_own(tenfold, folder: Path, tmp_path: Path) -> None:
    result = tenfold("read", "--annotate", tmp_path / "seen", folder / "seven.png", folder / "two.png", folder / "seven.png")
    assert result.code == 0
    assert sorted(f.name for f in (tmp_path / "seen").iterdir()) == ["seven-2.png", "seven.png", "two.png"]
    with Image.open(tmp_path / "seen" / "two.png") as image:
        assert image.mode == "RGB"


def test_what_is_known_of_the_field(tenfold, folder: Path) -> None:
    assert tenfold("read", "--pattern", "<#>", folder / "seven.png").out == "<7>\n"
    result = tenfold("read", "--digits", "3", folder / "seven.png")
    assert (result.code, result.out) == (0, "\n")
    assert "agrees" in result.err
    assert tenfold("read", "--check", "crc", folder / "seven.png").code == 2
    refused = tenfold("read", "--min-confidence", "1", folder / "seven.png")
    assert refused.out == "\n"
    assert "refused" in refused.err


@pytest.mark.parametrize("suffix", ["pdf", "tif"])
def test_each_page_of_a_document_is_a_reading(tenfold, folder: Path, tmp_path: Path, suffix: str) -> None:
    pages = [Image.open(folder / f"{name}.png").convert("RGB") for name in ("seven", "two")]
    pages[0].save(tmp_path / f"both.{suffix}", save_all=True, append_images=pages[1:])
    result = tenfold("read", "--format", "tsv", tmp_path / f"both.{suffix}")
    assert result.out == f"{tmp_path}/both.{suffix}#1\t7\n{tmp_path}/both.{suffix}#2\t2\n"
    (tmp_path / f"cut.{suffix}").write_bytes((tmp_path / f"both.{suffix}").read_bytes()[:300])
    broken = tenfold("read", tmp_path / f"cut.{suffix}")
    assert broken.code == 2
    assert broken.err.count("\n") == 1


def test_a_document_on_standard_input_has_pages_too(tenfold, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pages, file = [Image.open(folder / f"{name}.png").convert("RGB") for name in ("seven", "two")], io.BytesIO()
    pages[0].save(file, "PDF", save_all=True, append_images=pages[1:])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(file.getvalue())))
    assert tenfold("read", "--format", "tsv", "-").out == "-#1\t7\n-#2\t2\n"


def test_of_a_document_with_a_damaged_page_the_others_are_read_and_the_exit_code_tells(
    tenfold, folder: Path, tmp_path: Path
) -> None:
    pages, path = [Image.open(folder / f"{name}.png") for name in ("seven", "two", "seven")], tmp_path / "bad.tif"
    pages[0].save(path, save_all=True, append_images=pages[1:], compression="tiff_lzw")
    content = bytearray(path.read_bytes())
    with Image.open(path) as image:
        image.seek(1)
        start = image.tag_v2[273][0]  # StripOffsets
    content[start : start + 400] = b"\xff" * 400
    path.write_bytes(content)
    result = tenfold("read", "--format", "tsv", path)
    assert (result.code, result.out) == (1, f"{path}#1\t7\n{path}#3\t7\n")
    assert result.err.splitlines()[-1].startswith(f"error: {path}#2: damaged (")


@pytest.mark.parametrize("suffix", ["pdf", "tif"])
def test_of_a_document_with_a_page_over_the_limit_the_others_are_read(
    tenfold, folder: Path, tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seven, path = Image.open(folder / "seven.png").convert("RGB"), tmp_path / f"large.{suffix}"
    seven.save(path, save_all=True, append_images=[seven.resize((900, 900)), seven])
    monkeypatch.setenv("TENFOLD_MAX_PICTURE_PIXELS", "700000")
    result = tenfold("read", "--format", "tsv", path)
    assert (result.code, result.out) == (1, f"{path}#1\t7\n{path}#3\t7\n")
    assert result.err.startswith(f"error: {path}#2: ")
    assert "more than 700,000 pixels" in result.err


def test_a_pdf_that_is_read_as_a_picture_is_told_how_to_be_read(folder: Path) -> None:
    file = io.BytesIO()
    Image.open(folder / "seven.png").convert("RGB").save(file, "PDF")
    with pytest.raises(PictureError, match=r"a PDF, whose pages `tenfold read FILE\.pdf` reads"):
        package.Reader().read(file.getvalue())


def test_copies_replace_earlier_copies_and_nothing_else(tenfold, folder: Path, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    for _ in range(2):
        assert tenfold("read", "--annotate", seen, folder / "seven.png").code == 0
    (seen / "two.png").write_bytes((folder / "blank.png").read_bytes())  # somebody's own
    refused = tenfold("read", "--annotate", seen, folder / "two.png")
    assert refused.code == 2
    assert "two.png is there already and is no such copy" in refused.err
    assert (seen / "two.png").read_bytes() == (folder / "blank.png").read_bytes()


def test_lines_take_the_bar_away_before_they_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    from tenfold.cli import read

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    for _, clear in read._with_bar([f"{k}.png" for k in range(10)]):
        before = sys.stderr.getvalue()
        clear()
        assert sys.stderr.getvalue() == f"{before}\r\x1b[K"
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    for _, clear in read._with_bar([f"{k}.png" for k in range(10)]):
        clear()
    assert sys.stderr.getvalue() == ""


def test_copies_of_a_ring_of_links_are_refused_like_any_missing_picture(tenfold, tmp_path: Path) -> None:
    (tmp_path / "a.png").symlink_to("b.png")
    (tmp_path / "b.png").symlink_to("a.png")
    result = tenfold("read", "--annotate", tmp_path / "copies", tmp_path / "a.png")
    assert result.code == 2
    assert result.err.startswith("error: cannot read")
