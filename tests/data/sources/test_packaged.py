"""The digits that come with tenfold."""

import hashlib
import zlib
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

import tenfold
from tenfold.data.sources import packaged
from tenfold.errors import DataError

# Of the four decompressed files, as published with MNIST by others too (they are also in mnist/README.md).
PUBLISHED = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_packaged_file_is_the_original(name: str) -> None:
    content = zlib.decompress((files("tenfold.data") / "mnist" / f"{name}.gz").read_bytes(), wbits=31)
    assert hashlib.sha256(content).hexdigest() == PUBLISHED[name]
    assert PUBLISHED[name] in (files("tenfold.data") / "mnist" / "README.md").read_text()


def test_the_parts_hold_what_mnist_is_known_to_hold() -> None:
    """The counts of classes and the first labels, known from elsewhere."""
    train, test = tenfold.load("mnist", "train"), tenfold.load("mnist", "test")
    assert train.counts.tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert test.counts.tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert train.known_labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert test.known_labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert train.images.mean() / 255 == pytest.approx(0.1307, abs=5e-5)


def test_digit_recognizer_is_one_permutation_of_all_of_mnist() -> None:
    """Its hashes are pinned: what was trained or submitted once can be checked against the same digits for ever."""
    mnist, order = tenfold.load("mnist"), np.random.default_rng(0).permutation(70000)
    everything = tenfold.load("digit-recognizer")
    assert (everything.images == mnist.images[order]).all()
    assert (everything.labels == mnist.known_labels[order]).all()
    train, test = tenfold.load("digit-recognizer", "train"), tenfold.load("digit-recognizer", "test")
    assert (train.fingerprints[-1], test.fingerprints[0]) == tuple(everything.fingerprints[41_999:42_001])
    assert (len(train), train.sha256) == (42_000, "e836630cb8dabe03cd5aaf79ccda50784bee71bc78cc75d8b898f204ca828db6")
    assert (len(test), test.sha256) == (28_000, "b0612378fc030c1f4884b072937fd370311f6153752d5b0880d9c4d10376eadc")


def test_each_set_has_its_name() -> None:
    assert [tenfold.load("mnist", part).name for part in ("test", "all")] == ["mnist test", "mnist"]
    assert tenfold.load("digit-recognizer", "train").name == "digit-recognizer train"


def test_a_name_means_the_packaged_set_and_a_path_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mnist").mkdir()
    monkeypatch.chdir(tmp_path)
    assert len(tenfold.load("mnist", "test")) == 10_000
    with pytest.raises(DataError, match="no pictures"):
        tenfold.load(Path("mnist"))


@pytest.mark.parametrize("content", [b"", b"no gzip", zlib.compress(b"another file", wbits=31), None])
def test_33_a_damaged_installation_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None) -> None:
    (tmp_path / "mnist").mkdir()
    if content is not None:
        (tmp_path / "mnist" / "t10k-images-idx3-ubyte.gz").write_bytes(content)
    monkeypatch.setattr(packaged, "files", lambda package: tmp_path)
    with pytest.raises(DataError, match=r"packaged file t10k-images-idx3-ubyte\.gz: .*install tenfold again"):
        tenfold.load("mnist", "test")
