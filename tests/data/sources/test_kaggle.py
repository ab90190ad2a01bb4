"""What a Kaggle CSV may look like, and odd files that are refused in one line; the faults with a number are in test_faults."""

import gzip
import warnings
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from tenfold import Digits
from tenfold.data.sources import load, save
from tenfold.data.sources.kaggle import _value
from tenfold.errors import DataError

HEADER = "label," + ",".join(f"pixel{i}" for i in range(784))
ROW = "1," + ",".join(["7"] * 784)
UNLABELLED = HEADER.removeprefix("label,")


def refused(path: Path) -> str:
    with pytest.raises(DataError) as problem:
        load(path)
    message = str(problem.value)
    assert path.name in message
    assert message.isprintable(), "one line, and nothing that a terminal would obey"
    return message


def written(tmp_path: Path, content: str | bytes, name: str = "d.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    "field",
    ["3", "+3", " 3 ", "003", "\t3", "0" * 40 + "5", "0", "255", "256", "-0", "-1", "+", "++3", "+ 3", "", "3.0", '"3"', "3\0"],
)
def test_a_fault_is_named_exactly_where_numpy_refuses(tmp_path: Path, field: str) -> None:
    """The slow reader, which names faults, and NumPy have one idea of a number."""
    path = written(tmp_path, "\n".join([HEADER, ROW, f"1,{field},{ROW[4:]}"]))
    value = _value(field)
    if value is not None and value <= 255:
        assert load(path).images[1, 0, 0] == value
    else:
        assert "row 2 (line 3), column 2 (pixel0): found" in refused(path)


def test_a_fraction_that_an_older_numpy_takes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before 2.4 it warned and cut the fraction off; whoever silences warnings would not see it."""

    def older(lines: Iterable[str], **_: object) -> np.ndarray:
        warnings.warn("loadtxt(): Parsing an integer via a float is deprecated", DeprecationWarning, stacklevel=2)
        return np.array([[int(float(field)) for field in line.split(",")] for line in lines], np.uint8)

    monkeypatch.setattr(np, "loadtxt", older)
    path = written(tmp_path, "\n".join([HEADER, ROW.replace("7", "3.7", 1)]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert "row 1 (line 2), column 2 (pixel0): found '3.7'" in refused(path)


def test_the_first_of_several_faults_is_named(tmp_path: Path) -> None:
    """Also where fields before it are written unusually."""
    lines = [HEADER, ROW.replace("7", "+7", 1), ROW.replace("7", " 007", 1), ROW + ",7", "x" + ROW]
    assert "row 3 (line 4): 786 columns" in refused(written(tmp_path, "\n".join(lines)))


def test_rows_are_counted_without_blank_lines_and_lines_with_them(tmp_path: Path) -> None:
    bad = "77" + ROW[1:]
    assert "row 2 (line 6), column 1 (label): found '77'" in refused(
        written(tmp_path, "\n".join(["", HEADER, "", ROW, "  ", bad]))
    )


def test_blank_lines_before_the_header_are_accepted(tmp_path: Path) -> None:
    assert len(load(written(tmp_path, f"\n\r\n{HEADER}\n{ROW}"))) == 1


def test_quoted_names_are_understood_and_quoted_values_refused(tmp_path: Path) -> None:
    quoted = ",".join(f'"{name}"' for name in HEADER.split(","))
    assert load(written(tmp_path, f"{quoted}\n{ROW}\n")).known_labels.tolist() == [1]
    assert "column 1 (label): found '\"1\"'" in refused(written(tmp_path, f'{HEADER}\n"1"{ROW[1:]}\n'))


@pytest.mark.parametrize(
    "names", [[f"pixel{i}" for i in range(1, 785)], [f"{r}x{c}" for r in range(1, 29) for c in range(1, 29)]]
)
def test_the_names_of_other_widespread_files_are_known(tmp_path: Path, names: list[str]) -> None:
    """OpenML counts pixels from 1, with the label last; mnist_train.csv names them by row and column."""
    values = [str(i % 256) for i in range(784)]
    digits = load(written(tmp_path, ",".join([*names, "label"]) + "\n" + ",".join([*values, "4"])))
    assert digits.known_labels.tolist() == [4]
    assert digits.images.reshape(-1).tolist() == [i % 256 for i in range(784)]


def test_784_columns_are_digits_without_labels(tmp_path: Path) -> None:
    for content in (f"{UNLABELLED}\n{ROW[2:]}\n", f"{ROW[2:]}\n"):
        digits = load(written(tmp_path, content))
        assert digits.labels is None
        assert len(digits) == 1


@pytest.mark.parametrize("value", ["3.7", "abc", "256"])
def test_21_a_fault_in_the_first_row_of_a_file_without_header_is_a_fault_of_that_row(tmp_path: Path, value: str) -> None:
    """The row is not taken for a header, in which a fault would be skipped."""
    first = ROW.replace("7", value, 1)
    assert "row 1 (line 1), column 2 (pixel0): found" in refused(written(tmp_path, f"{first}\n{ROW}\n"))


def test_21_a_name_that_is_missing_is_refused_and_the_one_in_its_place_named(tmp_path: Path) -> None:
    header = HEADER.replace("pixel5,", "pixelfive,", 1)
    message = refused(written(tmp_path, f"{header}\n{ROW}\n"))
    assert "line 1, column 7: found 'pixelfive', expected label or one of pixel0..pixel783" in message


def test_21_columns_numbered_by_pandas_are_no_row_of_pixels(tmp_path: Path) -> None:
    numbered = ",".join(map(str, range(784)))
    assert "row 1 (line 1), column 257 (pixel256): found '256'" in refused(written(tmp_path, f"{numbered}\n{ROW[2:]}\n"))


@pytest.mark.parametrize(
    ("n_numbers", "said"), [(392, "line 1, column 2: '1' appears twice"), (393, "row 1 (line 1), column 394")]
)
def test_a_first_line_of_which_more_than_half_are_numbers_is_a_row(tmp_path: Path, n_numbers: int, said: str) -> None:
    first = ",".join(["1"] * n_numbers + ["x"] * (784 - n_numbers))
    assert said in refused(written(tmp_path, f"{first}\n{ROW[2:]}\n"))


def test_rows_that_all_lack_a_column_are_refused(tmp_path: Path) -> None:
    """NumPy has nothing against them."""
    assert "row 1 (line 2): 784 columns, expected 785" in refused(written(tmp_path, f"{HEADER}\n{ROW[2:]}\n{ROW[2:]}\n"))


def test_what_is_found_is_said_in_40_characters(tmp_path: Path) -> None:
    long = "x" * 100
    for lines, said in (
        ([HEADER.replace("pixel5", long)], "expected label or one of"),
        ([HEADER.replace("pixel5", long).replace("pixel6,", f"{long},")], "appears twice"),
        ([HEADER, ROW.replace("7", long, 1)], ", expected a whole number"),
    ):
        message = refused(written(tmp_path, "\n".join([*lines, ROW])))
        assert said in message
        assert f" '{'x' * 40}'" in message


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "empty"),
        ("7", "line 1: 1 columns"),
        ("7\0", "the encoding is UTF-16"),
        (HEADER.replace("label", "label\0"), "line 1, column 1: found 'label\\x00'"),
        (HEADER.replace("label", "labels\0"), "line 1, column 1: found 'labels\\x00'"),
        ("\n \n", "empty"),
        ("\ufeff", "empty"),
        (HEADER, "a header but no rows"),
        (f"{HEADER}\n\n\n", "a header but no rows"),
        ("a,b,c\n1,2,3\n", "line 1: 3 columns (it begins 'a,b,c'), expected 785"),
        (HEADER.replace(",", ";"), "line 1: 1 columns (it begins 'label;pixel0;pixel1;'), expected 785"),
        ("7," * 40_000, "line 1: longer than 65,536 bytes"),
        (f"{HEADER}\n" + "7," * 40_000, "line 2: longer than 65,536 bytes"),
        (f"{HEADER}\r{ROW}\r{ROW}\r", "line 1: holds a carriage return (CR)"),
        (f"{HEADER}\n{ROW}\r{ROW}\n", "line 2: holds a carriage return (CR)"),
        ("PK".join("\x1b[31m\n"), "line 1: 1 columns"),
        (b"\x00\x00\x08\x03" + bytes(range(1, 200)), "columns"),
    ],
)
def test_what_is_no_table_of_digits_is_refused(tmp_path: Path, content: str | bytes, said: str) -> None:
    assert said in refused(written(tmp_path, content))


def test_more_lines_than_the_limit_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENFOLD_MAX_DIGITS", "3")
    assert len(load(written(tmp_path, "\n".join([HEADER, *[ROW] * 3])))) == 3
    for lines in ([HEADER, *[ROW] * 4], [HEADER, ROW, *[""] * 5, ROW]):
        assert "more than 4 lines" in refused(written(tmp_path, "\n".join(lines) + "\n"))


def test_25_a_gzip_bomb_without_line_ends_stops_at_the_first_line(tmp_path: Path) -> None:
    path = written(tmp_path, gzip.compress(b"7," * 50_000_000), "d.csv.gz")
    assert "longer than 65,536 bytes" in refused(path)


def test_a_written_file_is_laid_out_as_kaggles(tmp_path: Path) -> None:
    images = np.full((1, 28, 28), 7, np.uint8)
    for labels, lines in ((np.array([1], np.uint8), [HEADER, ROW]), (None, [UNLABELLED, ROW[2:]])):
        save(Digits(images, labels, "any"), tmp_path / "d.csv")
        assert (tmp_path / "d.csv").read_bytes() == "".join(f"{line}\n" for line in lines).encode()


@pytest.mark.parametrize("name", ["d.CSV", "D.Csv.Gz", "D.ZIP"])
def test_capitals_in_a_suffix_mean_the_same(tmp_path: Path, name: str) -> None:
    digits = Digits(np.full((2, 28, 28), 9, np.uint8), None, "any")
    save(digits, tmp_path / name)
    assert (load(tmp_path / name).images == 9).all()


@pytest.mark.parametrize("name", ["d.csv", "d.csv.gz", "d.zip"])
def test_what_is_compressed_shows_in_the_content_not_in_the_name(tmp_path: Path, name: str) -> None:
    """Browsers unpack a download and keep its name, or the other way round."""
    content = f"{HEADER}\n{ROW}\n".encode()
    assert len(load(written(tmp_path, gzip.compress(content), name))) == 1
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        archive.writestr("train", content)
    if not name.endswith(".gz"):
        assert len(load(tmp_path / name)) == 1


def zipped(tmp_path: Path, *members: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(tmp_path / "d.zip", "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return tmp_path / "d.zip"


def test_a_zip_without_a_file_is_refused(tmp_path: Path) -> None:
    assert "empty zip" in refused(zipped(tmp_path))
    assert "empty zip" in refused(zipped(tmp_path, ("folder/", b"")))
    assert "damaged" in refused(written(tmp_path, b"", "d.zip"))


def test_what_is_compressed_twice_is_refused(tmp_path: Path) -> None:
    inner = zipped(tmp_path, ("train.csv", f"{HEADER}\n{ROW}\n".encode())).read_bytes()
    assert "compressed twice" in refused(zipped(tmp_path, ("inner.zip", inner)))
    assert "compressed twice" in refused(written(tmp_path, gzip.compress(gzip.compress(HEADER.encode())), "d.csv.gz"))


def test_of_many_files_in_a_zip_three_are_named(tmp_path: Path) -> None:
    assert "holds 3 files ('a', 'b', 'c'), expected" in refused(zipped(tmp_path, *[(name, b"") for name in "abc"]))
    assert "holds 4 files ('a', 'b', 'c', …), expected" in refused(zipped(tmp_path, *[(name, b"") for name in "abcd"]))


def test_a_zip_with_a_password_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path, ("train.csv", f"{HEADER}\n{ROW}\n".encode()))
    content = bytearray(path.read_bytes())
    content[6] |= 1  # the flag "encrypted", at the file and in the directory
    content[content.rindex(b"PK\1\2") + 8] |= 1
    assert "without a password" in refused(written(tmp_path, bytes(content), "d.zip"))


@pytest.mark.parametrize(
    ("place", "harm", "said"), [(6, b"\x63\0", "zip file version 9.9"), (46, b"\xff", "invalid start byte")]
)
def test_a_zip_of_another_kind_than_python_knows_is_refused(tmp_path: Path, place: int, harm: bytes, said: str) -> None:
    """In the directory: a newer version of zip, or a name that is not in the encoding it should be in."""
    content = bytearray(zipped(tmp_path, ("train ü.csv", f"{HEADER}\n{ROW}\n".encode())).read_bytes())
    place += content.rindex(b"PK\1\2")
    content[place : place + len(harm)] = harm
    message = refused(written(tmp_path, bytes(content), "d.zip"))
    assert said in message
    assert "pack it again as an ordinary zip" in message


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_with_a_flipped_byte_is_refused(tmp_path: Path, method: int) -> None:
    path = zipped(tmp_path, ("train.csv", f"{HEADER}\n{ROW}\n".encode()), method=method)
    assert len(load(path)) == 1
    content = bytearray(path.read_bytes())
    content[content.rindex(b"PK\1\2") - 300 if method == zipfile.ZIP_STORED else 60] ^= 1
    refused(written(tmp_path, bytes(content), "d.zip"))


def test_compressed_files_carry_no_name_and_no_time(tmp_path: Path) -> None:
    """The temporary name holds the number of the process: in the header of gzip it would make each file another one."""
    save(Digits(np.zeros((1, 28, 28), np.uint8), None, "any"), tmp_path / "d.csv.gz")
    assert (tmp_path / "d.csv.gz").read_bytes()[3:8] == bytes(5), "no flags, time 0"
    save(Digits(np.zeros((1, 28, 28), np.uint8), None, "any"), tmp_path / "d.csv.zip")
    with zipfile.ZipFile(tmp_path / "d.csv.zip") as archive:
        assert [(m.filename, m.date_time[0]) for m in archive.infolist()] == [("d.csv", 1980)]


def test_a_zip_may_hold_more_than_two_gigabytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From there on zip needs longer fields, which Python must reserve before it knows the size; here the bound is 1 kB."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 1000)
    save(Digits(np.full((2, 28, 28), 9, np.uint8), None, "any"), tmp_path / "d.zip")
    assert (load(tmp_path / "d.zip").images == 9).all()


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As root, whom no file refuses itself to, the refusal has to be made up."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = written(tmp_path, HEADER)
    monkeypatch.setattr(Path, "open", refuse)
    assert "Permission denied" in refused(path)
