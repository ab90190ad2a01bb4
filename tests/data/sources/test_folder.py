"""Folders of pictures: whose label a picture has, which are taken as they are, which are normalised."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tenfold
from tenfold import Digits
from tenfold.data.sources import load, save
from tenfold.errors import DataError, TenfoldNotice


@pytest.fixture(scope="module")
def digits() -> Digits:
    return tenfold.load("mnist", "test")[:6]


def refused(path: Path) -> str:
    with pytest.raises(DataError) as problem:
        load(path)
    assert str(problem.value).isprintable()
    return str(problem.value)


def picture(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)


def test_names_and_order_are_as_documented(tmp_path: Path, digits: Digits) -> None:
    save(digits, tmp_path / "d")
    assert sorted(p.name for p in (tmp_path / "d").iterdir()) == list("0123456789")
    assert (tmp_path / "d" / str(digits.known_labels[3]) / "000003.png").is_file()
    assert load(tmp_path / "d").known_labels.tolist() == digits.known_labels.tolist()


def test_what_tenfold_wrote_is_taken_as_it_is_whatever_it_looks_like(tmp_path: Path) -> None:
    """Even white all over, which as a picture from elsewhere would be blank paper."""
    white = Digits(np.full((1, 28, 28), 255, np.uint8), None, "white")
    save(white, tmp_path / "ours")
    assert (load(tmp_path / "ours").images == 255).all()
    picture(tmp_path / "theirs" / "a.png", white.images[0])
    assert not load(tmp_path / "theirs").images.any()


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P"])
def test_a_glyph_from_elsewhere_is_taken_as_it_is(tmp_path: Path, digits: Digits, mode: str) -> None:
    Image.fromarray(digits.images[0]).convert(mode).save(tmp_path / "a.png")
    assert (load(tmp_path).images[0] == digits.images[0]).all()


def test_any_other_picture_becomes_a_glyph(tmp_path: Path, digits: Digits) -> None:
    """Dark on light, large and off the middle: near to the digit it was made from (of 255; others differ by 25 to 40)."""
    canvas = np.full((300, 260), 255, np.uint8)
    canvas[20:244, 30:254] = 255 - np.asarray(Image.fromarray(digits.images[0]).resize((224, 224), Image.Resampling.BICUBIC))
    picture(tmp_path / "a.jpg", canvas)
    assert np.abs(load(tmp_path).images[0].astype(int) - digits.images[0]).mean() < 12


def test_what_is_hidden_or_no_picture_is_left_out(tmp_path: Path, digits: Digits) -> None:
    for name in ("3/b.PNG", "1/a.png", "1/._a.png", "notes/c.png"):
        picture(tmp_path / name, digits.images[0])
    (tmp_path / "1" / "Thumbs.db").write_bytes(b"x")
    (tmp_path / "1" / "folder.png").mkdir()
    assert load(tmp_path).known_labels.tolist() == [1, 3]


def test_pictures_beside_the_folders_of_digits_are_left_out_and_that_is_said(tmp_path: Path, digits: Digits) -> None:
    for name in ("3/a.png", "loose.png"):
        picture(tmp_path / name, digits.images[0])
    with pytest.warns(TenfoldNotice, match=r"1 picture beside the folders of digits left out"):
        assert load(tmp_path).known_labels.tolist() == [3]


def test_20_a_folder_for_a_class_that_is_no_digit_is_refused(tmp_path: Path, digits: Digits) -> None:
    """Its pictures would be left out in silence."""
    for name in ("1/a.png", "10/b.png"):
        picture(tmp_path / name, digits.images[0])
    assert "10: a folder for the class '10', expected only the digits 0-9" in refused(tmp_path)


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    assert "no pictures" in refused(tmp_path)
    (tmp_path / "3").mkdir()
    assert "no pictures" in refused(tmp_path)


def test_a_picture_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken\n.png").write_bytes(b"no picture")
    assert r"broken\n.png: not a picture" in refused(tmp_path)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("", "line 1: found '', expected the header file,label"),
        ("label,file\n7,a.png\n", "line 1: found 'label,file', expected the header"),
        ("file,label\n", "no pictures"),
        ("file,label\na.png\n", "line 2: found 'a.png', expected file,label"),
        ("file,label\na.png,7,7\n", "line 2: found 'a.png,7,7'"),
        ("file,label\n\na.png,x\n", "line 3: found 'a.png,x'"),
        ('file,label\n"a\nb.png",7\n', "line 3: no file"),
        ("file,label\n../a.png,7\n", "line 2: '../a.png' leads outside the folder"),
        ("file,label\nsub/../../a.png,7\n", "line 2: 'sub/../../a.png' leads outside the folder"),
        ("file,label\n/etc/passwd,7\n", "line 2: '/etc/passwd' leads outside the folder"),
        ("file,label\nsub,7\n", "line 2: no file 'sub'"),
        ("file,label\na\0.png,7\n", "line 2: no file"),
        ("x" * 200, f"found '{'x' * 60}', expected the header"),
        ("file,label\n" + "x" * 200, f"found '{'x' * 60}', expected file,label"),
        ("file,label\n/" + "x" * 200 + ",7", f"'/{'x' * 59}' leads outside"),
        ("file,label\n" + "x" * 200 + ",7", f"no file '{'x' * 60}' in the folder"),
        ('file,label\n"' + "a" * 200_000, "field larger than field limit"),
    ],
)
def test_a_table_that_does_not_fit_is_named(tmp_path: Path, digits: Digits, table: str, said: str) -> None:
    folder = tmp_path / "d"
    picture(folder / "sub" / "a.png", digits.images[0])
    picture(tmp_path / "a.png", digits.images[0])
    (folder / "labels.csv").write_bytes(table.encode())
    assert said in refused(folder)


def test_a_table_that_is_no_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_bytes("file,label\nä.png,7\n".encode("latin-1"))
    assert "expected UTF-8" in refused(tmp_path)


def test_a_table_gives_labels_and_order(tmp_path: Path, digits: Digits) -> None:
    """With a byte order mark, CRLF, blank lines and folders in the names."""
    picture(tmp_path / "sub" / "b, c.png", digits.images[0])
    picture(tmp_path / "a.png", digits.images[1])
    (tmp_path / "labels.csv").write_bytes('\ufefffile,label\r\n"sub/b, c.png",7\r\n\r\na.png, 2\r\na.png,3\r\n'.encode())
    found = load(tmp_path)
    assert found.known_labels.tolist() == [7, 2, 3]
    assert (found.images == digits.images[[0, 1, 1]]).all()


def test_more_pictures_than_the_limit_are_refused(tmp_path: Path, digits: Digits, monkeypatch: pytest.MonkeyPatch) -> None:
    save(digits, tmp_path / "d")
    monkeypatch.setenv("TENFOLD_MAX_DIGITS", "5")
    assert "6 pictures, more than the limit" in refused(tmp_path / "d")
