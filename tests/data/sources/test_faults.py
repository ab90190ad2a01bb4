"""Faults of data files: each is named in one line, with file, row and column, and nothing is read in silence."""

import gzip
import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tenfold.data.sources import load, save
from tenfold.errors import DataError

HEADER = "label," + ",".join(f"pixel{i}" for i in range(784))


def rows(*changes: tuple[int, int, str], n: int = 3) -> list[str]:
    """Rows of a Kaggle CSV, label 1 and pixels 7, with the cells (row from 1, column from 1, text) changed."""
    table = [["1", *["7"] * 784] for _ in range(n)]
    for row, column, text in changes:
        table[row - 1][column - 1] = text
    return [",".join(cells) for cells in table]


def csv_of(tmp_path: Path, lines: list[str], end: str = "\n", encoding: str = "utf-8") -> Path:
    path = tmp_path / "train.csv"
    path.write_bytes((end.join(lines) + end).encode(encoding))
    return path


def refused(path: Path) -> str:
    with pytest.raises(DataError) as problem:
        load(path)
    message = str(problem.value)
    assert path.name in message
    assert "\n" not in message
    return message


@pytest.mark.parametrize(("end", "encoding"), [("\n", "utf-8"), ("\r\n", "utf-8"), ("\n", "utf-8-sig"), ("\r\n", "utf-8-sig")])
def test_17_byte_order_mark_crlf_and_blank_lines_are_accepted(tmp_path: Path, end: str, encoding: str) -> None:
    digits = load(csv_of(tmp_path, [HEADER, *rows(), "", "  ", ""], end, encoding))
    assert len(digits) == 3
    assert digits.known_labels.tolist() == [1, 1, 1]
    assert (digits.images == 7).all()


@pytest.mark.parametrize(("row", "n_columns"), [(rows()[0] + ",7", 786), (rows()[0][:-2], 784)])
def test_18_a_long_or_short_row_is_named(tmp_path: Path, row: str, n_columns: int) -> None:
    message = refused(csv_of(tmp_path, [HEADER, *rows(), row]))
    assert f"row 4 (line 5): {n_columns} columns, expected 785" in message


@pytest.mark.parametrize("value", ["abc", "NaN", "256", "-1", "3.7", "", "1e2", "0x1f", "٣", "99999999999999999999", "7\0"])
def test_19_a_value_that_is_no_number_from_0_to_255_is_named(tmp_path: Path, value: str) -> None:
    message = refused(csv_of(tmp_path, [HEADER, *rows((2, 6, value))]))
    assert "row 2 (line 3), column 6 (pixel4): found" in message
    assert message.endswith("expected a whole number 0-255")


@pytest.mark.parametrize("value", ["0.0", "0.4981", "1.0"])
def test_pixels_from_0_to_1_are_told_what_they_are(tmp_path: Path, value: str) -> None:
    assert refused(csv_of(tmp_path, [HEADER, *rows((2, 6, value))])).endswith("0-255; multiply shares of 1 by 255")


@pytest.mark.parametrize("value", ["10", "-1", ""])
def test_20_a_label_that_is_no_digit_is_named(tmp_path: Path, value: str) -> None:
    message = refused(csv_of(tmp_path, [HEADER, *rows((3, 1, value))]))
    assert "row 3 (line 4), column 1 (label): found" in message
    assert "0-9" in message


def test_21_without_a_header_the_first_row_is_a_digit(tmp_path: Path) -> None:
    assert len(load(csv_of(tmp_path, rows()))) == 3


def test_21_columns_in_another_order_are_put_in_order(tmp_path: Path) -> None:
    order = np.random.default_rng(0).permutation(785)
    names = np.array(HEADER.split(","))[order]
    values = np.array([5, *(i % 256 for i in range(784))])[order]
    digits = load(csv_of(tmp_path, [",".join(names), ",".join(map(str, values))]))
    assert digits.known_labels.tolist() == [5]
    assert digits.images.reshape(-1).tolist() == [i % 256 for i in range(784)]


def test_21_a_name_that_comes_twice_is_refused(tmp_path: Path) -> None:
    header = HEADER.replace("pixel9,", "pixel8,", 1)
    assert "line 1, column 11: 'pixel8' appears twice" in refused(csv_of(tmp_path, [header, *rows()]))


def test_21_a_header_in_the_middle_is_refused(tmp_path: Path) -> None:
    message = refused(csv_of(tmp_path, [HEADER, *rows(), HEADER, *rows()]))
    assert "row 4 (line 5), column 1 (label): found 'label'" in message


def test_21_unknown_names_are_refused(tmp_path: Path) -> None:
    assert "found 'digit'" in refused(csv_of(tmp_path, [HEADER.replace("label", "digit"), *rows()]))


@pytest.mark.parametrize("n_bytes", [10, 100, -1, -8, -9])
def test_23_a_gzip_cut_short_is_refused(tmp_path: Path, n_bytes: int) -> None:
    path = tmp_path / "train.csv.gz"
    path.write_bytes(gzip.compress("\n".join([HEADER, *rows(n=50)]).encode())[:n_bytes])
    assert "cut short" in refused(path)


def test_24_a_zip_with_two_files_is_refused_and_one_is_read(tmp_path: Path) -> None:
    path = tmp_path / "digits.zip"
    content = "\n".join([HEADER, *rows()])
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("train.csv", content)
        archive.writestr("__MACOSX/._train.csv", "resource fork")
    assert len(load(path)) == 3
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("test.csv", content)
    message = refused(path)
    assert "'train.csv'" in message
    assert "'test.csv'" in message


def test_25_a_gzip_bomb_stops_at_the_cap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENFOLD_MAX_DATA_BYTES", "100000")
    path = tmp_path / "train.csv.gz"
    path.write_bytes(gzip.compress("\n".join([HEADER, *rows(n=200)]).encode()))
    assert "more than 100,000 bytes" in refused(path)


def test_26_a_name_with_brackets_is_opened_as_named(tmp_path: Path) -> None:
    path = csv_of(tmp_path, [HEADER, *rows()]).rename(tmp_path / "digits[1].csv")
    (tmp_path / "digits1.csv").write_text("another file")
    assert len(load(path)) == 3


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_27_utf_16_is_named(tmp_path: Path, encoding: str) -> None:
    assert "UTF-16" in refused(csv_of(tmp_path, [HEADER, *rows()], encoding=encoding))


def idx(magic: bytes, shape: tuple[int, ...], content: bytes) -> bytes:
    return magic + struct.pack(f">{len(shape)}I", *shape) + content


IMAGES = bytes([0, 0, 8, 3])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "magic number"),
        (idx(b"\0\0\x0d\3", (1, 28, 28), bytes(784)), "magic number 00000d03, expected 00000803"),
        (idx(IMAGES, (2, 28, 28), bytes(784)), "declares 1,568 values but holds only 784"),
        (idx(IMAGES, (1, 28, 28), bytes(785)), "declares 784 values but holds more"),
        (idx(IMAGES, (2**32 - 1, 2**32 - 1, 2**32 - 1), b""), "more than the limits allow"),
        (idx(IMAGES, (1, 30, 20), bytes(600)), "images of 20x30 pixels, expected 28x28"),
        (IMAGES + b"\0\0", "cut short"),
    ],
)
def test_28_an_idx_file_that_is_not_what_it_says_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "t-images-idx3-ubyte"
    path.write_bytes(content)
    assert said in refused(path)


def test_29_as_many_labels_as_images_are_expected(tmp_path: Path) -> None:
    (tmp_path / "t-images-idx3-ubyte").write_bytes(idx(IMAGES, (2, 28, 28), bytes(1568)))
    (tmp_path / "t-labels-idx1-ubyte").write_bytes(idx(b"\0\0\x08\1", (1,), b"\3"))
    message = refused(tmp_path / "t-images-idx3-ubyte")
    assert "2 images but" in message
    assert "t-labels-idx1-ubyte 1 labels" in message, "which file has too few"
    np.savez(tmp_path / "d.npz", images=np.zeros((2, 28, 28), np.uint8), labels=np.zeros(1, np.uint8))
    assert "expected as many of each" in refused(tmp_path / "d.npz")


def test_30_an_npz_that_holds_objects_is_refused_and_nothing_is_unpickled(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    np.savez(tmp_path / "d.npz", images=np.array([Trap()], object), labels=np.zeros(1, np.uint8), allow_pickle=True)
    assert "never unpickled" in refused(tmp_path / "d.npz")
    assert not (tmp_path / "sprung").exists()


def test_31_an_npz_that_declares_a_terabyte_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    header = str({"descr": "|u1", "fortran_order": False, "shape": (10**12 // 784, 28, 28)}).ljust(117) + "\n"
    with zipfile.ZipFile(tmp_path / "d.npz", "w") as archive:
        archive.writestr("images.npy", b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header.encode())
    assert "outside the limits" in refused(tmp_path / "d.npz")


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"images": np.full((1, 28, 28), 256)}, "found 256"),
        ({"images": np.full((1, 28, 28), 0.5)}, "type float64"),
        ({"images": np.zeros((1, 27, 28), np.uint8)}, "expected (N, 28, 28)"),
        ({"images": np.zeros((1, 28, 28), np.uint8), "labels": np.array([10])}, "found 10"),
        ({"pictures": np.zeros((1, 28, 28), np.uint8)}, "expected images and labels"),
    ],
)
def test_an_npz_with_other_arrays_is_refused(tmp_path: Path, arrays: dict[str, np.ndarray], said: str) -> None:
    np.savez(tmp_path / "d.npz", **arrays)
    assert said in refused(tmp_path / "d.npz")


def test_33_a_packaged_file_that_is_not_the_original_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from tenfold.data.sources import packaged

    packaged._unpacked.cache_clear()  # whatever another test has read
    monkeypatch.setitem(packaged._SHA256, "t10k-labels-idx1-ubyte", "0" * 64)
    with pytest.raises(DataError, match=r"t10k-labels-idx1-ubyte\.gz: SHA-256 .* install tenfold again"):
        load("mnist", "test")


def test_a_folder_is_read_by_its_classes_or_its_table(tmp_path: Path) -> None:
    digits = load("mnist", "test")[:20]
    save(digits, tmp_path / "classes")
    table = tmp_path / "table"
    save(digits.unlabelled(), table)
    names = sorted(p.name for p in table.glob("*.png"))
    lines = [f"{name},{label}" for name, label in zip(names, digits.known_labels, strict=True)]
    (table / "labels.csv").write_text("\n".join(["file,label", *lines]))
    for folder in ("classes", "table"):
        found = load(tmp_path / folder)
        assert (found.images == digits.images).all()
        assert (found.labels == digits.labels).all()


@pytest.mark.parametrize(("line", "said"), [("nowhere.png,3", "nowhere.png"), ("a.png,10", "label 0-9"), ("../x.png,1", "..")])
def test_a_line_of_labels_csv_that_does_not_fit_is_named(tmp_path: Path, line: str, said: str) -> None:
    folder = tmp_path / "folder"
    save(load("mnist", "test")[:1].unlabelled(), folder)
    (folder / "labels.csv").write_text(f"file,label\n000000.png,7\n{line}\n")
    with pytest.raises(DataError, match=r"labels\.csv, line 3") as problem:
        load(folder)
    assert said in str(problem.value)


def test_28_no_images_of_enormous_size_are_refused(tmp_path: Path) -> None:
    """Found by fuzzing: 0 x 4,294,967,295 x 4,261,281,277 values are none, and yet too many for NumPy."""
    path = tmp_path / "t-images-idx3-ubyte"
    path.write_bytes(idx(IMAGES, (0, 2**32 - 1, 0xFDFDFDFD), b""))
    assert "more than the limits allow" in refused(path)


def test_24_a_zip_whose_file_has_no_name_is_read_by_what_is_in_it(tmp_path: Path) -> None:
    """Found by fuzzing: Python's zipfile looks at the last character of the name."""
    named = io.BytesIO()
    with zipfile.ZipFile(named, "w") as archive:
        archive.writestr("x", "3")
    content = named.getvalue()
    start = content.index(b"PK\1\2")
    local = content[:26] + b"\0\0" + content[28:30] + content[31:start]
    entry = content[start : start + 28] + b"\0\0" + content[start + 30 : start + 46]
    end = content[start + 47 :][:12] + struct.pack("<II", len(entry), len(local)) + b"\0\0"
    (tmp_path / "digits.zip").write_bytes(local + entry + end)
    assert "1 columns" in refused(tmp_path / "digits.zip")
