import io
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

import tenfold
from tenfold import Digits
from tenfold.cluster import bulk, parts, pixels
from tenfold.cluster.answers import Known
from tenfold.data.sources import save
from tenfold.errors import TenfoldError, UsageError

from .conftest import kill, processes_with


def png(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(255 - np.pad(image, 20)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="session")
def digits() -> Digits:
    return tenfold.load("mnist", "test")[:60]


@pytest.fixture(scope="session")
def sources(digits: Digits, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """60 rows of pixels, one of them faulty; 7 pictures, one of them none; 6 rows of bytes, of pixels and of neither."""
    folder = tmp_path_factory.mktemp("sources")
    save(digits, folder / "digits.csv")
    lines = (folder / "digits.csv").read_text().splitlines()
    lines[31] = lines[31].replace(",0,", ",abc,", 1)
    (folder / "digits.csv").write_text("\n".join(lines) + "\n")
    (folder / "pictures" / "b").mkdir(parents=True)
    for k in range(6):
        (folder / "pictures" / ("b" if k % 2 else ".") / f"{k}.png").write_bytes(png(digits.images[k]))
    (folder / "pictures" / "3x.png").write_text("no picture")
    (folder / "pictures" / "labels.csv").write_text("file,label\n")
    pictures = [png(digits.images[0]), None, b"no picture", png(digits.images[1])]
    pq.write_table(pa.table({"id": list("abcd"), "image": pictures}), folder / "pictures.parquet")
    glyphs = [digits.images[0].tobytes(), b"short"]
    pq.write_table(pa.table({"pixels": pa.array(glyphs, pa.binary())}), folder / "pixels.parquet")
    return [str(folder / name) for name in ("digits.csv", "pictures", "pictures.parquet", "pixels.parquet")]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENFOLD_MAX_PART_GLYPHS", "8")
    monkeypatch.setenv("TENFOLD_MAX_PART_PICTURES", "2")


@pytest.fixture(scope="module")
def undisturbed(sources: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TENFOLD_MAX_PART_GLYPHS", "8")
        patch.setenv("TENFOLD_MAX_PART_PICTURES", "2")
        out = tmp_path_factory.mktemp("out") / "all.parquet"
        done = bulk.read(sources, out, n_processes=2)
        assert (done.n_good, done.n_bad, done.missing) == (59 + 6 + 2 + 1, 1 + 1 + 2 + 1, ())
        yield out


def tables(out: Path) -> list[list[dict[str, object]]]:
    return [pq.read_table(path).to_pylist() for path in (out, bulk.bad_rows(out))]


def keys(rows: list[dict[str, object]]) -> list[tuple[str, object]]:
    return [(Path(str(row["source"])).name, row["row"]) for row in rows]


def test_every_row_comes_out_once_in_order_the_bad_ones_apart(undisturbed: Path, digits: Digits) -> None:
    good, bad = tables(undisturbed)
    pictures = [(name, 0) for name in ("0.png", "2.png", "4.png", "1.png", "3.png", "5.png")]
    tables_of_bytes = [("pictures.parquet", 1), ("pictures.parquet", 4), ("pixels.parquet", 1)]
    assert keys(good) == [*(("digits.csv", k) for k in range(1, 61) if k != 31), *pictures, *tables_of_bytes]
    assert keys(bad) == [
        ("digits.csv", 31),
        ("3x.png", 0),
        ("pictures.parquet", 2),
        ("pictures.parquet", 3),
        ("pixels.parquet", 2),
    ]
    assert "found 'abc', expected a whole number 0-255" in str(bad[0]["error"])
    assert "not a picture" in str(bad[1]["error"])
    assert not undisturbed.with_name("all.parquet.parts").exists()


def test_rows_say_what_the_reader_says(undisturbed: Path, sources: list[str], digits: Digits) -> None:
    good = dict(zip(keys(tables(undisturbed)[0]), tables(undisturbed)[0], strict=True))
    reader = tenfold.Reader()
    for name in ("0.png", "4.png"):
        reading, row = reader.read(Path(sources[1]) / name), good[name, 0]
        assert row["text"] == reading.text != ""
        assert row["confidence"] == pytest.approx(reading.confidence, abs=1e-5)
        (digit,), (found,) = reading.digits, row["digits"]  # type: ignore[misc]
        assert (found["label"], found["x"], found["y"], found["accepted"]) == (digit.label, *digit.box[:2], True)
        assert found["probabilities"] == pytest.approx(digit.probabilities, abs=1e-5)
    found = reader.classify_glyphs(digits.images)
    for k in (0, 7, 59):
        row = good["digits.csv", k + 1]
        assert row["text"] == (str(found.labels[k]) if found.accepted[k] else "")
        assert row["confidence"] == pytest.approx(found.digit_score[k] * found.probabilities[k].max(), abs=1e-5)


def test_an_interrupted_reading_goes_on_and_reads_nothing_twice(undisturbed: Path, sources: list[str], tmp_path: Path) -> None:
    out = tmp_path / "all.parquet"

    def interrupt(done: int, of: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bulk.read(sources, out, n_processes=1, tell=interrupt)
    assert not out.exists()
    finished = [path for path in (tmp_path / "all.parquet.parts").glob("*.parquet") if ".bad." not in path.name]
    assert len(finished) >= 3
    begun: list[int] = []
    bulk.read(sources, out, n_processes=1, tell=lambda done, of: begun.append(done))
    assert begun[0] == len(finished)
    assert tables(out) == tables(undisturbed)


def test_a_worker_that_is_killed_changes_nothing(undisturbed: Path, sources: list[str], tmp_path: Path) -> None:
    killed: list[int] = []

    def kill_one(done: int, of: int) -> None:
        if done == 2 and not killed:
            killed.append(next(child.pid for child in multiprocessing.active_children() if child.pid))
            kill(killed[0])

    done = bulk.read(sources, tmp_path / "all.parquet", n_processes=2, tell=kill_one)
    assert killed
    assert done.missing == ()
    assert tables(tmp_path / "all.parquet") == tables(undisturbed)


_WAITS = """
import sys, time
from pathlib import Path
from tenfold.cluster import bulk

def wait(done, of):
    if done == of:
        print("read", flush=True)
        time.sleep(600)

bulk.read(sys.argv[1:2], Path(sys.argv[2]), n_processes=2, tell=wait)
"""


def test_workers_end_with_the_process_that_was_killed(sources: list[str], tmp_path: Path) -> None:
    command = [sys.executable, "-c", _WAITS, sources[1], str(tmp_path / "out.parquet")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"read\n"
        kill(process.pid)
        try:
            process.communicate(timeout=30)  # ends when nobody is left who could write there, workers too
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise


@pytest.mark.skipif(sys.platform != "linux", reason="the worker is found in /proc")
def test_a_cluster_that_loses_a_worker_reads_the_same(
    undisturbed: Path, sources: list[str], address: str, tmp_path: Path
) -> None:
    killed: list[int] = []

    def kill_one(done: int, of: int) -> None:
        if done == 2 and not killed:
            killed.extend(processes_with("PartReader")[:1])
            kill(killed[0])

    done = bulk.read(sources, tmp_path / "all.parquet", address=address, tell=kill_one)
    assert killed
    assert done.missing == ()
    assert tables(tmp_path / "all.parquet") == tables(undisturbed)


@pytest.mark.parametrize("as_address", [False, True])
def test_what_a_reading_writes_is_none_of_its_sources(
    as_address: bool, digits: Digits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the output lies in the folder that is read: whole, in parts, cut off while it was written, or behind a link."""
    monkeypatch.chdir(tmp_path)
    for k in range(3):
        (tmp_path / f"{k}.png").write_bytes(png(digits.images[k]))
    (tmp_path / "none.png").write_text("no picture")
    source, out = tmp_path.as_uri() if as_address else ".", Path("out.parquet")

    def interrupt(done: int, of: int) -> None:
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bulk.read([source], out, n_processes=1, tell=interrupt)
    (tmp_path / ".123.out.parquet").write_bytes(b"PAR1")
    out.touch()
    (tmp_path / "link.parquet").symlink_to(out)
    begun: list[int] = []
    bulk.read([source], out, n_processes=1, tell=lambda done, of: begun.append(done))
    assert begun[0] > 0
    first = tables(out)
    assert keys(first[0]) == [("0.png", 0), ("1.png", 0), ("2.png", 0)]
    bulk.read([source], out, n_processes=1)
    assert tables(out) == first
    assert list(parts.cut(["*"], bulk._writes(out))) == list(parts.cut(["*.png"]))


@pytest.mark.parametrize("name", ["s.parquet", "s.bad.parquet", "s.parquet.parts/s.parquet", "file://"])
def test_a_source_is_not_replaced_by_the_output(name: str, sources: list[str], tmp_path: Path) -> None:
    path = tmp_path / ("s.parquet" if name == "file://" else name)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(Path(sources[2]).read_bytes())
    source = path.as_uri() if name == "file://" else str(path)
    with pytest.raises(UsageError, match=r"the output would replace it; name another file with -o"):
        bulk.read([source], tmp_path / "s.parquet")
    assert path.read_bytes() == Path(sources[2]).read_bytes()


@pytest.mark.skipif(sys.platform == "darwin", reason="all names there are UTF-8")
def test_names_that_are_not_utf8_spoil_nothing(digits: Digits, tmp_path: Path) -> None:
    odd = os.fsdecode(b"x\xff")
    place = tmp_path / odd
    place.mkdir()
    (place / f"{odd}.png").write_bytes(png(digits.images[0]))
    (place / f"{odd}-2.png").write_text("no picture")
    good, bad = place / f"{odd}.png", place / f"{odd}-2.png"
    out = place / f"{odd}.parquet"
    done = bulk.read([str(good), str(bad)], out, n_processes=1)
    assert (done.n_good, done.n_bad, done.missing) == (1, 1, ())
    with out.open("rb") as file:
        assert pq.read_table(file)["source"].to_pylist() == [f"{tmp_path}/x\\xff/x\\xff.png"]
    with pytest.raises(TenfoldError, match="not UTF-8, which Arrow does not open; rename"):
        bulk.read([str(out)], tmp_path / "out.parquet")


def test_parts_of_another_reading_are_not_taken_for_these(sources: list[str], tmp_path: Path) -> None:
    def interrupt(done: int, of: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bulk.read(sources[2:], tmp_path / "all.parquet", n_processes=1, tell=interrupt)
    begun: list[int] = []
    bulk.read(sources[3:], tmp_path / "all.parquet", n_processes=1, tell=lambda done, of: begun.append(done))
    assert begun[0] == 0
    assert keys(tables(tmp_path / "all.parquet")[0]) == [("pixels.parquet", 1)]


def test_parts_are_the_same_whatever_is_read_where(sources: list[str]) -> None:
    found = list(parts.cut(sources))
    assert found == list(parts.cut(sources))
    assert [(part.first, part.n) for part in found if part.kind == "csv"] == [(8 * k + 1, min(8, 60 - 8 * k)) for k in range(8)]
    assert parts.digest(found) != parts.digest(found[1:])
    by_address = list(parts.cut([Path(sources[1]).as_uri(), Path(sources[2]).as_uri()]))
    assert [len(part.names) for part in by_address] == [2, 2, 2, 1, 1]


def test_row_groups_are_put_together_into_parts_of_so_many_rows(tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": [b""] * 5}), tmp_path / "pictures.parquet", row_group_size=1)
    pq.write_table(pa.table({"pixels": [b""] * 20}), tmp_path / "glyphs.parquet", row_group_size=3)
    found = list(parts.cut([str(tmp_path / "pictures.parquet"), str(tmp_path / "glyphs.parquet")]))
    assert [(p.first, p.n, p.start, p.stop) for p in found[:3]] == [(1, 2, 0, 2), (3, 2, 2, 4), (5, 1, 4, 5)]
    assert [(p.first, p.n, p.start, p.stop) for p in found[3:]] == [(1, 6, 0, 2), (7, 6, 2, 4), (13, 8, 4, 7)]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda folder: [folder / "none"], "no such file"),
        (lambda folder: [folder / "*.png"], "holds no pictures"),
        (lambda folder: [folder / "a.txt"], "expected pictures"),
        (lambda folder: [folder / "no.parquet"], "not a Parquet file"),
        (lambda folder: [folder / "other.parquet"], "expected one of image"),
        (lambda folder: [folder / "words.csv"], "columns"),
        (lambda folder: ["what://bucket/folder"], "expected a path"),
    ],
)
def test_sources_that_cannot_be_read_are_refused_before_anything_is_written(make: object, said: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    (tmp_path / "no.parquet").write_text("no")
    (tmp_path / "words.csv").write_text("one,two\n")
    pq.write_table(pa.table({"id": [1]}), tmp_path / "other.parquet")
    with pytest.raises(TenfoldError, match=said):
        bulk.read([str(source) for source in make(tmp_path)], tmp_path / "out.parquet")  # type: ignore[operator]
    assert not (tmp_path / "out.parquet.parts").exists()


def test_what_is_known_of_a_field_does_not_fit_a_csv(sources: list[str], tmp_path: Path) -> None:
    with pytest.raises(TenfoldError, match=r"digits\.csv: holds one digit a row"):
        bulk.read(sources, tmp_path / "out.parquet", known=Known(digits=3))


@pytest.mark.parametrize("known", [Known(digits=3), Known(pattern="##"), Known(check="luhn")])
def test_what_is_known_of_a_field_does_not_fit_a_column_of_pixels(known: Known, sources: list[str], tmp_path: Path) -> None:
    with pytest.raises(TenfoldError, match=r"pixels\.parquet: holds one digit a row"):
        bulk.read(sources[1:], tmp_path / "out.parquet", known=known)
    assert not (tmp_path / "out.parquet").exists()


def test_a_byte_order_mark_spoils_no_row(digits: Digits, tmp_path: Path) -> None:
    save(digits[:3], tmp_path / "titled.csv")
    titles, rows = (tmp_path / "titled.csv").read_bytes().split(b"\n", 1)
    for name, content in (
        ("plain.csv", rows),
        ("marked.csv", b"\xef\xbb\xbf" + rows),
        ("both.csv", b"\xef\xbb\xbf" + titles + b"\n" + rows),
    ):
        (tmp_path / name).write_bytes(content)
        (stretch,) = pixels.stretches(str(tmp_path / name), 8)
        found = list(pixels.read(str(tmp_path / name), stretch))
        assert [number for number, _ in found] == [1, 2, 3]
        assert np.array_equal([glyph for _, glyph in found], digits.images[:3])
