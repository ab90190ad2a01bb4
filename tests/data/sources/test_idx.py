"""IDX files: how images and labels find each other; the faults with a number are in test_faults."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from tenfold import Digits
from tenfold.data.sources import load, save
from tenfold.errors import DataError


def some(n: int = 3) -> Digits:
    return Digits(np.random.default_rng(n).integers(0, 256, (n, 28, 28), np.uint8), np.arange(n, dtype=np.uint8), "some")


def test_the_bytes_are_those_of_the_format(tmp_path: Path) -> None:
    """A magic number, big-endian counts, the values; labels under the name that MNIST gives them."""
    save(some(), tmp_path / "a-images-idx3-ubyte")
    assert (tmp_path / "a-images-idx3-ubyte").read_bytes() == struct.pack(">4I", 0x803, 3, 28, 28) + some().images.tobytes()
    assert (tmp_path / "a-labels-idx1-ubyte").read_bytes() == struct.pack(">2I", 0x801, 3) + bytes([0, 1, 2])


def test_a_gzipped_file_carries_no_time(tmp_path: Path) -> None:
    save(some(), tmp_path / "a-images-idx3-ubyte.gz")
    assert (tmp_path / "a-images-idx3-ubyte.gz").read_bytes()[4:8] == bytes(4)


def test_labels_are_found_gzipped_or_not(tmp_path: Path) -> None:
    save(some(), tmp_path / "a-images-idx3-ubyte")
    labels = tmp_path / "a-labels-idx1-ubyte"
    (tmp_path / "a-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels.read_bytes()))
    labels.unlink()
    assert load(tmp_path / "a-images-idx3-ubyte").known_labels.tolist() == [0, 1, 2]


def test_a_gzipped_file_is_read_under_a_plain_name(tmp_path: Path) -> None:
    path = tmp_path / "a-images-idx3-ubyte"
    save(some(), path)
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert (load(path).images == some().images).all()


def test_a_plain_file_under_a_gzipped_name_is_refused(tmp_path: Path) -> None:
    save(some(), tmp_path / "a-images-idx3-ubyte")
    (tmp_path / "a-images-idx3-ubyte").rename(tmp_path / "b-images-idx3-ubyte.gz")
    with pytest.raises(DataError, match=r"b-images-idx3-ubyte\.gz: the compressed data are damaged"):
        load(tmp_path / "b-images-idx3-ubyte.gz")


def test_20_a_label_that_is_no_digit_is_named_in_the_file_of_labels(tmp_path: Path) -> None:
    save(some(), tmp_path / "a-images-idx3-ubyte")
    (tmp_path / "a-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 0x801, 3) + bytes([0, 1, 10]))
    with pytest.raises(DataError, match=r"a-labels-idx1-ubyte, row 3: label 10, expected a digit 0-9"):
        load(tmp_path / "a-images-idx3-ubyte")


def test_a_file_of_labels_is_no_file_of_images(tmp_path: Path) -> None:
    save(some(), tmp_path / "a-images-idx3-ubyte")
    with pytest.raises(DataError, match="magic number 00000801, expected 00000803"):
        load(tmp_path / "a-labels-idx1-ubyte")


def test_a_file_without_digits_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a-images-idx3-ubyte").write_bytes(struct.pack(">4I", 0x803, 0, 28, 28))
    with pytest.raises(DataError, match="holds no digits"):
        load(tmp_path / "a-images-idx3-ubyte")


def test_a_declared_size_at_the_limit_of_bytes_is_not_over_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a-images-idx3-ubyte").write_bytes(struct.pack(">4I", 0x803, 1, 28, 28) + bytes(700))
    for n_bytes, said in ((784, "declares 784 values but holds only 700"), (783, "1 x 28 x 28 values, more than the limits")):
        monkeypatch.setenv("TENFOLD_MAX_DATA_BYTES", str(n_bytes))
        with pytest.raises(DataError, match=said):
            load(tmp_path / "a-images-idx3-ubyte")


def test_labels_without_a_name_of_their_own_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot name the labels"):
        save(some(), tmp_path / "a.idx")
    assert list(tmp_path.iterdir()) == []
    save(some().unlabelled(), tmp_path / "a.idx")
    assert load(tmp_path / "a.idx").labels is None


def test_digits_without_labels_do_not_take_those_of_other_images(tmp_path: Path) -> None:
    save(some(), tmp_path / "a-images-idx3-ubyte")
    with pytest.raises(DataError, match="other labels lie beside it, in a-labels-idx1-ubyte"):
        save(some().unlabelled(), tmp_path / "a-images-idx3-ubyte")
    assert load(tmp_path / "a-images-idx3-ubyte").known_labels.tolist() == [0, 1, 2]


def test_a_folder_where_only_one_part_has_labels_is_refused(tmp_path: Path) -> None:
    save(some(), tmp_path / "train-images-idx3-ubyte")
    with pytest.raises(DataError, match="no file t10k-images-idx3-ubyte"):
        load(tmp_path)
    save(some(2).unlabelled(), tmp_path / "t10k-images-idx3-ubyte")
    with pytest.raises(DataError, match="only one of the two parts has labels"):
        load(tmp_path)
    assert len(load(tmp_path, "train")) == 3
