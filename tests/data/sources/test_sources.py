import errno
import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import tenfold
from tenfold import Digits
from tenfold.data.sources import format_of, load, save
from tenfold.errors import DataError, StorageError

NAMES = ["d.csv", "d.csv.gz", "d.zip", "d.npz", "d-images-idx3-ubyte", "d-images-idx3-ubyte.gz", "d"]


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=8, deadline=None, derandomize=True)
@given(
    images=arrays.arrays(np.uint8, st.tuples(st.integers(1, 4), st.just(28), st.just(28))),
    labelled=st.booleans(),
    seed=st.integers(0, 99),
)
def test_a_round_trip_is_exact(
    tmp_path_factory: pytest.TempPathFactory, name: str, images: np.ndarray, labelled: bool, seed: int
) -> None:
    """Whatever the pixels: images that are all white, pure noise, blank."""
    labels = np.random.default_rng(seed).integers(0, 10, len(images)).astype(np.uint8) if labelled else None
    path = tmp_path_factory.mktemp("trip") / name
    save(Digits(images, labels, "any"), path)
    found = load(path)
    assert (found.images == images).all()
    assert (found.labels is None) if labels is None else (found.labels == labels).all()


@pytest.mark.parametrize("name", ["d.csv.gz", "d.zip", "d.npz", "d-images-idx3-ubyte.gz"])
def test_the_same_digits_give_the_same_bytes(tmp_path: Path, name: str) -> None:
    digits = load("mnist", "test")[:5]
    for folder in ("a", "b"):
        save(digits, tmp_path / folder / name)
    assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_the_packaged_sets_are_mnist_and_its_kaggle_layout() -> None:
    mnist = tenfold.load("mnist")
    assert [len(tenfold.load("mnist", part)) for part in ("train", "test")] == [60_000, 10_000]
    order = np.random.default_rng(0).permutation(70000)
    train, test = tenfold.load("digit-recognizer", "train"), tenfold.load("digit-recognizer", "test")
    assert (len(train), len(test)) == (42_000, 28_000)
    assert (train.images == mnist.images[order[:42_000]]).all()
    assert (test.labels == mnist.known_labels[order[42_000:]]).all()
    assert train.sha256 == "e836630cb8dabe03cd5aaf79ccda50784bee71bc78cc75d8b898f204ca828db6"
    assert test.sha256 == "b0612378fc030c1f4884b072937fd370311f6153752d5b0880d9c4d10376eadc"


def test_kerass_mnist_npz_has_parts(tmp_path: Path) -> None:
    digits = load("mnist", "test")[:30]
    first, last = digits[:20], digits[20:]
    np.savez(
        tmp_path / "mnist.npz",
        x_train=first.images,
        y_train=first.labels,
        x_test=last.images,
        y_test=last.labels.astype(np.int64),
    )
    assert [len(load(tmp_path / "mnist.npz", part)) for part in ("train", "test", "all")] == [20, 10, 30]
    assert (load(tmp_path / "mnist.npz", "test").labels == last.labels).all()


def test_a_folder_with_the_four_files_of_mnist_has_parts(tmp_path: Path) -> None:
    digits = load("mnist", "test")[:30]
    save(digits[:20], tmp_path / "train-images-idx3-ubyte.gz")
    save(digits[20:], tmp_path / "t10k-images-idx3-ubyte")
    assert [len(load(tmp_path, part)) for part in ("train", "test", "all")] == [20, 10, 30]
    assert (load(tmp_path).labels == digits.labels).all()
    for labels in tmp_path.glob("*labels*"):
        labels.unlink()
    assert load(tmp_path).labels is None


def test_a_file_has_only_the_part_all(tmp_path: Path) -> None:
    save(load("mnist", "test")[:3], tmp_path / "d.csv")
    with pytest.raises(DataError, match=r"has no part 'train'; expected part 'all'"):
        load(tmp_path / "d.csv", "train")


@pytest.mark.parametrize(("source", "said"), [("nowhere.csv", "no such data set"), ("mnits", "no such data set")])
def test_what_is_not_there_is_said(source: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        load(source)


def test_a_folder_that_holds_something_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "mine.txt").write_text("mine")
    with pytest.raises(StorageError, match="exists already"):
        save(load("mnist", "test")[:3], tmp_path / "d")
    assert [p.name for p in tmp_path.rglob("*")] == ["d", "mine.txt"]


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.csv", "csv"), ("A.CSV.GZ", "csv"), ("a.zip", "csv"), ("digits[1].csv", "csv"), ("a.npz", "npz"), ("a.idx", "idx"),
        ("train-images-idx3-ubyte", "idx"), ("train-images.idx3-ubyte.gz", "idx"), ("a.idx.gz", "idx"), ("a", "folder"),
    ],
)  # fmt: skip
def test_the_format_follows_from_the_name(tmp_path: Path, name: str, form: str) -> None:
    assert format_of(tmp_path / name) == form


def test_a_folder_is_one_whatever_its_name(tmp_path: Path) -> None:
    """And it is read as one: x.csv with pictures in it is no CSV."""
    save(load("mnist", "test")[:2], tmp_path / "x.csv", "folder")
    assert format_of(tmp_path / "x.csv") == "folder"
    assert len(load(tmp_path / "x.csv")) == 2


@pytest.mark.parametrize("name", ["digits", "digits.txt", "digits.pt", "digits.tar.gz"])
def test_a_file_whose_name_fits_no_format_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("x")
    with pytest.raises(DataError, match="the name fits no format; expected mnist"):
        load(tmp_path / name)


def test_what_is_neither_file_nor_folder_is_refused(tmp_path: Path) -> None:
    """A pipe without a writer would wait for ever, a link that leads to itself leads nowhere."""
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(DataError, match=r"pipe\.csv: neither a file nor a folder"):
        load(tmp_path / "pipe.csv")
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    with pytest.raises(DataError, match=r"loop\.csv"):
        load(tmp_path / "loop.csv")
    with pytest.raises(DataError, match="no such data set"):
        load("a\0.csv")


def test_a_part_that_is_none_is_refused() -> None:
    with pytest.raises(DataError, match="part 'validation': expected train, test or all"):
        load("mnist", "validation")


@pytest.mark.parametrize("name", NAMES)
def test_no_digits_are_not_written(tmp_path: Path, name: str) -> None:
    """They could not be read back."""
    with pytest.raises(DataError, match="holds no digits"):
        save(load("mnist", "test")[:0], tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", NAMES)
def test_the_limit_of_digits_is_exact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    save(load("mnist", "test")[:30], tmp_path / name)
    monkeypatch.setenv("TENFOLD_MAX_DIGITS", "30")
    assert len(load(tmp_path / name)) == 30
    monkeypatch.setenv("TENFOLD_MAX_DIGITS", "29")
    with pytest.raises(DataError, match=r"limit|TENFOLD_MAX_DIGITS"):
        load(tmp_path / name)


@pytest.mark.parametrize("name", ["d.csv", "d.csv.gz", "d-images-idx3-ubyte"])
def test_the_limit_of_bytes_is_exact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Of what comes out of a compressed file."""
    save(load("mnist", "test")[:3].unlabelled(), tmp_path / name)
    content = (tmp_path / name).read_bytes()
    n_bytes = len(gzip.decompress(content) if name.endswith(".gz") else content)
    monkeypatch.setenv("TENFOLD_MAX_DATA_BYTES", str(n_bytes))
    assert len(load(tmp_path / name)) == 3
    monkeypatch.setenv("TENFOLD_MAX_DATA_BYTES", str(n_bytes - 1))
    with pytest.raises(DataError, match=f"more than {n_bytes - 1:,} bytes when decompressed"):
        load(tmp_path / name)


def test_corrections_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="only kept by tenfold serve"):
        save(load("mnist", "test")[:3], tmp_path / "d.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_place_that_cannot_be_written_to_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="cannot write"):
        save(load("mnist", "test")[:2], tmp_path / "file" / name)


@pytest.mark.parametrize("name", ["d.csv", "d.csv.gz", "d.zip", "d.npz", "d-images-idx3-ubyte.gz"])
def test_49_a_full_disk_leaves_the_old_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    save(load("mnist", "test")[:2].unlabelled(), tmp_path / name)

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space left on device"):
        save(load("mnist", "test")[:3].unlabelled(), tmp_path / name)
    assert len(load(tmp_path / name)) == 2
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_digits_are_called_in_printable_characters(tmp_path: Path) -> None:
    digits = Digits(np.zeros((1, 28, 28), np.uint8), None, "any")
    save(digits, tmp_path / "d\x1b[31m\udcff.npz")
    assert load(tmp_path / "d\x1b[31m\udcff.npz").name == r"d\x1b[31m\xff.npz"


@pytest.mark.parametrize("source", [None, 5, b"mnist", ["mnist"], "a\0"])
def test_what_can_be_no_data_set_is_said(source: object) -> None:
    with pytest.raises(DataError, match="expected mnist, digit-recognizer"):
        load(source)  # type: ignore[arg-type]
