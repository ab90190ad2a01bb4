"""NPZ files as others write them, and damaged ones; the faults with a number are in test_faults."""

import ast
import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tenfold import Digits
from tenfold.data.sources import load, save
from tenfold.errors import DataError

IMAGES = np.arange(3 * 784).reshape(3, 28, 28).astype(np.uint8)
LABELS = np.array([1, 9, 0], np.uint8)


def refused(path: Path, part: str = "all") -> str:
    with pytest.raises(DataError) as problem:
        load(path, part)
    assert path.name in str(problem.value)
    assert str(problem.value).isprintable()
    return str(problem.value)


@pytest.mark.parametrize(
    "images",
    [
        IMAGES,
        IMAGES.reshape(3, 784),
        IMAGES[..., None],
        IMAGES.astype(np.int64),
        IMAGES.astype(">u4"),
        np.asfortranarray(IMAGES),
        IMAGES.astype(np.int16).reshape(3, 784),
    ],
)
def test_images_of_any_layout_and_whole_number_type_are_the_same(tmp_path: Path, images: np.ndarray) -> None:
    np.savez(tmp_path / "d.npz", images=images, labels=LABELS.astype(np.int32))
    found = load(tmp_path / "d.npz")
    assert (found.images == IMAGES).all()
    assert found.images.flags.c_contiguous
    assert found.known_labels.tolist() == [1, 9, 0]


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"images": IMAGES.astype(np.float32)}, "images: type float32, expected whole numbers"),
        ({"images": IMAGES > 7}, "images: type bool"),
        ({"images": np.array([["a"]])}, "images: type <U1"),
        ({"images": np.zeros((3, 28, 28), [("r", "u1"), ("g", "u1")])}, "expected whole numbers"),
        ({"images": -IMAGES.astype(int)}, "images, index (0, 0, 1): found -1, expected a whole number 0-255"),
        ({"images": np.uint8(7)}, "images: shape (), expected (N, 28, 28)"),
        ({"images": np.zeros((3, 28, 28, 3), np.uint8)}, "images: shape (3, 28, 28, 3), expected (N, 28, 28)"),
        ({"images": np.zeros((3, 784, 1), np.uint8)}, "images: shape (3, 784, 1), expected (N, 28, 28)"),
        ({"images": np.zeros((3, 783), np.uint8)}, "images: shape (3, 783), expected (N, 28, 28)"),
        ({"images": IMAGES, "labels": np.eye(3, 10, dtype=int)}, "labels: shape (3, 10), expected (N,)"),
        ({"images": IMAGES, "labels": np.array([1, -2, 3])}, "labels, index (1,): found -2, expected a whole number 0-9"),
        ({"images": IMAGES[:0]}, "holds no digits"),
        ({"x_train": IMAGES, "x_test": IMAGES, "y_test": LABELS}, "only one of y_train and y_test"),
        ({"x_train": IMAGES, "y_train": LABELS[:2]}, "3 x_train but 2 y_train"),
        ({}, "holds no arrays"),
        (dict.fromkeys("abcdefgh", LABELS), "holds a, b, c, d, e, f; expected"),
    ],
)
def test_arrays_that_are_no_digits_are_refused(tmp_path: Path, arrays: dict[str, np.ndarray], said: str) -> None:
    np.savez(tmp_path / "d.npz", **arrays)
    assert said in refused(tmp_path / "d.npz")


def test_a_part_that_is_not_there_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", x_train=IMAGES, y_train=LABELS)
    assert "holds x_train, y_train" in refused(tmp_path / "d.npz", "test")
    assert len(load(tmp_path / "d.npz")) == 3
    np.savez(tmp_path / "d.npz", images=IMAGES)
    assert "no part 'test'" in refused(tmp_path / "d.npz", "test")


def test_a_suffix_in_capitals_keeps_its_name(tmp_path: Path) -> None:
    """To a path without .npz at its end NumPy adds it."""
    save(Digits(IMAGES, LABELS, "any"), tmp_path / "D.NPZ")
    assert [p.name for p in tmp_path.iterdir()] == ["D.NPZ"]
    assert load(tmp_path / "D.NPZ").known_labels.tolist() == [1, 9, 0]


def with_header(path: Path, header: str, content: bytes = b"", name: str = "images.npy") -> Path:
    head = header.ljust(117) + "\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head.encode() + content)
    return path


@pytest.mark.parametrize(
    "shape", ["(-1, 28, 28)", "(0, 99999999999999999999, 28)", "(" + "9" * 3000 + ", " + "9" * 3000 + ")", "(2000001, 28, 28)"]
)
def test_a_shape_outside_the_limits_is_refused(tmp_path: Path, shape: str) -> None:
    """A negative one would read on without a cap, an endless one could not even be printed."""
    path = with_header(tmp_path / "d.npz", f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}}}", bytes(784))
    assert f"shape {ast.literal_eval(shape)!s:.60}, outside the limits" in refused(path)


@pytest.mark.parametrize(
    "header",
    ["", "garbage", "(" * 500, "-" * 5000, "{'descr': '|u1'}", "{'descr': 7, 'fortran_order': 1, 'shape': ()}", "'''", "\\x"],
)
def test_a_header_of_garbage_is_refused(tmp_path: Path, header: str) -> None:
    assert "images: the header cannot be read" in refused(with_header(tmp_path / "d.npz", header))


def test_a_header_of_the_second_version_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "d.npz", "w") as archive, archive.open("images.npy", "w") as member:
        np.lib.format.write_array(member, IMAGES, version=(2, 0))
    assert (load(tmp_path / "d.npz").images == IMAGES).all()


@pytest.mark.parametrize("images", [IMAGES, IMAGES.astype(np.int64)])
def test_the_limit_of_bytes_is_exact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, images: np.ndarray) -> None:
    np.savez(tmp_path / "d.npz", images=images)
    monkeypatch.setenv("TENFOLD_MAX_DATA_BYTES", str(images.nbytes))
    assert len(load(tmp_path / "d.npz")) == 3
    monkeypatch.setenv("TENFOLD_MAX_DATA_BYTES", str(images.nbytes - 1))
    assert "outside the limits" in refused(tmp_path / "d.npz")


def test_a_member_without_suffix_is_no_array(tmp_path: Path) -> None:
    header = "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 28, 28)}"
    assert "holds no arrays" in refused(with_header(tmp_path / "d.npz", header, bytes(784), name="images"))


@pytest.mark.parametrize(("n_bytes", "said"), [(783, "holds only 783"), (785, "holds more"), (5000, "holds more")])
def test_a_member_that_is_shorter_or_longer_than_declared_is_refused(tmp_path: Path, n_bytes: int, said: str) -> None:
    header = "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 28, 28)}"
    assert said in refused(with_header(tmp_path / "d.npz", header, bytes(n_bytes)))


@pytest.mark.parametrize("compressed", [False, True])
def test_a_damaged_file_is_refused_wherever_it_is_damaged(tmp_path: Path, compressed: bool) -> None:
    """A flipped bit fails the checksum of its member, or is of no account: then the digits are the same."""
    stream = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(stream, images=IMAGES, labels=LABELS)
    whole, path = stream.getvalue(), tmp_path / "d.npz"
    for place in range(0, len(whole), 23):
        path.write_bytes(whole[:place])
        refused(path)
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        try:
            found = load(path)
        except DataError:
            continue
        assert (found.images == IMAGES).all()


def test_a_limit_of_few_digits_concerns_digits_and_not_their_sides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENFOLD_MAX_DIGITS", "5")
    np.savez(tmp_path / "few.npz", images=np.zeros((3, 28, 28), np.uint8))
    assert len(load(str(tmp_path / "few.npz"), "all")) == 3
