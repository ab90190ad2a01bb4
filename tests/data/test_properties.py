"""For any digits and any bytes: what is written comes back, and what cannot be read is refused with the documented error."""

import io
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays, integer_dtypes

from tenfold.data.digits import Digits
from tenfold.data.sources import load, save
from tenfold.errors import DataError

ATTEMPTS = settings(max_examples=60, deadline=None, derandomize=True)
FORMS = ("d.csv", "d.csv.gz", "d.zip", "d.npz", "d-images-idx3-ubyte", "d-images-idx3-ubyte.gz", "folder")
NAMES = ("d.csv", "d.csv.gz", "d.zip", "d.npz", "d-images-idx3-ubyte", "d.idx.gz", "d.db")

# Few different values, so that Hypothesis is quick; edges among them.
GLYPHS = st.integers(1, 3).flatmap(
    lambda n: arrays(np.uint8, (n, 28, 28), elements=st.sampled_from([0, 1, 127, 254, 255]), fill=st.just(0))
)
LINES = st.lists(
    st.lists(
        st.sampled_from(["0", "255", "256", "-1", "", " 7 ", "x", "1.5", "٣", "\r", '"3"', "+1", "label"]), max_size=4
    ).map(",".join)
    | st.integers(0, 255).map(lambda v: ",".join([str(v)] * 784))
    | st.sampled_from([",".join(["3"] * 785), "label," + ",".join(f"pixel{i}" for i in range(784)), ""]),
    max_size=4,
)


def read_or_refused(name: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        try:
            digits = load(path)
        except DataError as problem:
            said = str(problem)
        else:
            said = ""
    if said:
        assert name in said
        assert said.isprintable()
    else:
        assert digits.images.dtype == np.uint8
        assert digits.images.shape == (len(digits), 28, 28)
        assert digits.labels is None or digits.labels.max() <= 9


@pytest.mark.parametrize("name", FORMS)
@settings(ATTEMPTS, max_examples=15)
@given(images=GLYPHS, label=st.none() | st.integers(0, 9))
def test_what_is_written_comes_back(name: str, images: np.ndarray, label: int | None) -> None:
    labels = None if label is None else np.full(len(images), label, np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        save(Digits(images, labels, "any"), Path(folder) / name)
        found = load(Path(folder) / name)
    assert (found.images == images).all()
    assert found.labels is labels is None or (found.labels == labels).all()


@pytest.mark.parametrize("name", NAMES)
@ATTEMPTS
@given(
    start=st.sampled_from([b"", b"PK\x03\x04", b"\x1f\x8b\x08\0", b"\0\0\x08\x03", b"SQLite format 3\0"]),
    rest=st.binary(max_size=200),
)
def test_any_bytes_are_read_or_refused(name: str, start: bytes, rest: bytes) -> None:
    read_or_refused(name, start + rest)


@ATTEMPTS
@given(lines=LINES, end=st.sampled_from(["\n", "\r\n", "\r"]), encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_any_lines_are_read_or_refused(lines: list[str], end: str, encoding: str) -> None:
    read_or_refused("d.csv", end.join(lines).encode(encoding))


@ATTEMPTS
@given(
    images=st.one_of(
        arrays(
            integer_dtypes(), array_shapes(max_dims=4, max_side=3), elements={"min_value": 0, "max_value": 127}, fill=st.just(0)
        ),
        st.integers(0, 2).map(lambda n: np.zeros((n, 28, 28), ">i8")),
        st.integers(0, 2).map(lambda n: np.zeros((n, 784), "f4")),
    ),
    key=st.sampled_from(["images", "x_train", "x_test", "y_train"]),
    harm=st.integers(0, 400),
)
def test_any_arrays_are_read_or_refused(images: np.ndarray, key: str, harm: int) -> None:
    file = io.BytesIO()
    np.savez(file, **{key: images, "labels": np.zeros(1, np.uint8)})
    content = bytearray(file.getvalue())
    read_or_refused("d.npz", bytes(content))
    content[harm % len(content)] ^= 0x55
    read_or_refused("d.npz", bytes(content))


@ATTEMPTS
@given(head=st.binary(max_size=140))
def test_any_header_of_an_array_is_read_or_refused(head: bytes) -> None:
    """What NumPy would evaluate."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("images.npy", b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head)
    read_or_refused("d.npz", file.getvalue())


@ATTEMPTS
@given(shape=st.tuples(*[st.integers(0, 2**32 - 1) | st.sampled_from([0, 1, 28])] * 3), n_bytes=st.integers(0, 1000))
def test_any_shape_of_idx_is_read_or_refused(shape: tuple[int, int, int], n_bytes: int) -> None:
    head = bytes([0, 0, 8, 3]) + b"".join(n.to_bytes(4, "big") for n in shape)
    read_or_refused("d-images-idx3-ubyte", head + bytes(n_bytes))
