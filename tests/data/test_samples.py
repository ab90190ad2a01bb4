import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tenfold
from tenfold.data import samples
from tenfold.data.samples import Samples
from tenfold.data.sources import save
from tenfold.errors import DataError, StorageError


def glyph(value: int) -> np.ndarray:
    image = np.zeros((28, 28), np.uint8)
    image[10:18, 10:18] = value
    return image


@pytest.fixture
def kept(tmp_path: Path) -> Samples:
    found = Samples(tmp_path / "samples.db")
    for label in (7, 1, 4):
        found.add(glyph(100 + label), label, 9, b"PNG of the strokes %d" % label, "abc")
    return found


def test_a_file_that_is_still_empty_holds_nothing_yet(tmp_path: Path) -> None:
    """It is made before its first correction is written; a full disk may leave it so."""
    found = Samples(tmp_path / "samples.db")
    found.path.touch()
    assert len(found) == 0
    assert found.list() == []
    found.add(glyph(100), 7, None, b"", "")
    assert len(found) == 1


def test_what_is_kept_comes_back_newest_first(kept: Samples) -> None:
    assert len(kept) == 3
    assert [s.label for s in kept.list()] == [4, 1, 7]
    assert [s.label for s in kept.list(limit=1, offset=1)] == [1]
    newest = kept.list()[0]
    assert (newest.glyph == glyph(104)).all()
    assert (newest.read_as, newest.picture, newest.model_version) == (9, b"PNG of the strokes 4", "abc")
    assert newest.made_at.endswith("Z")


def test_the_file_is_made_with_the_first_sample_and_is_its_owners_alone(tmp_path: Path) -> None:
    found = Samples(tmp_path / "new" / "samples.db")
    assert (len(found), found.list(), found.delete_all()) == (0, [], 0)
    assert not found.path.parent.exists(), "nothing is made before there is something to keep"
    found.add(glyph(1), 1, None, b"", "")
    assert stat.S_IMODE(found.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(found.path.parent.stat().st_mode) == 0o700


def test_a_label_can_be_corrected(kept: Samples) -> None:
    assert kept.relabel(kept.list()[0].id, 5)
    assert [s.label for s in kept.list()] == [5, 1, 7]
    assert not kept.relabel(999, 5)
    with pytest.raises(DataError, match="label 10: expected a digit 0-9"):
        kept.relabel(1, 10)


def test_nothing_remains_of_what_is_deleted(kept: Samples) -> None:
    def remains(trace: bytes) -> bool:
        return any(trace in path.read_bytes() for path in kept.path.parent.iterdir())

    assert remains(b"strokes 1")
    assert kept.delete(2)
    assert not kept.delete(2)
    assert not remains(b"strokes 1")
    assert remains(b"strokes 7")
    assert kept.delete_all() == 2
    assert not any(remains(trace) for trace in (b"strokes 7", b"strokes 4", bytes([107] * 8), bytes([104] * 8)))
    assert kept.add(glyph(1), 1, None, b"", "") == 4, "an id is not given twice"


def test_corrections_are_digits_to_load_and_convert_but_not_to_write(kept: Samples, tmp_path: Path) -> None:
    digits = tenfold.load(kept.path)
    assert digits.known_labels.tolist() == [7, 1, 4]
    assert (digits.images[0] == glyph(107)).all()
    save(digits, tmp_path / "d.npz")
    assert tenfold.load(tmp_path / "d.npz").sha256 == digits.sha256
    with pytest.raises(DataError, match="only kept by tenfold serve"):
        save(digits, tmp_path / "other.db")
    kept.delete_all()
    with pytest.raises(DataError, match="holds no digits"):
        tenfold.load(kept.path)


def test_an_export_is_a_file_like_the_one_it_came_from(kept: Samples, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_bytes(kept.export())
    assert tenfold.load(tmp_path / "copy.db").sha256 == kept.digits().sha256


def test_several_processes_may_write_at_once(tmp_path: Path) -> None:
    script = (
        "import sys, numpy as np; from pathlib import Path; from tenfold.data.samples import Samples\n"
        "for i in range(20): Samples(Path(sys.argv[1])).add(np.zeros((28, 28), np.uint8), 3, None, b'', '')"
    )
    writers = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "samples.db")]) for _ in range(4)]
    assert [writer.wait() for writer in writers] == [0] * 4
    assert len(Samples(tmp_path / "samples.db")) == 80


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty; it is made when"),
        (b"hello", "not a file of corrections"),
        (b"SQLite format 3\0" + bytes(84), "damaged"),
    ],
)
def test_a_file_that_is_none_of_ours_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "other.db"
    path.write_bytes(content)
    with pytest.raises(DataError, match=said):
        tenfold.load(path)
    assert path.read_bytes() == content


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE notes (text)")
    connection.close()
    for use in (lambda: len(Samples(path)), lambda: Samples(path).add(glyph(1), 1, None, b"", "")):
        with pytest.raises(DataError, match="not a file of corrections"):
            use()
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    connection.close()


def test_a_newer_version_is_refused(kept: Samples) -> None:
    with sqlite3.connect(kept.path) as connection:
        connection.execute("PRAGMA user_version = 2")
    connection.close()
    with pytest.raises(DataError, match="corrections of version 2, this tenfold knows 1; install a newer tenfold"):
        kept.list()


def test_a_damaged_file_is_one_clear_line(kept: Samples) -> None:
    content = bytearray(kept.path.read_bytes())
    content[4096:] = os.urandom(len(content) - 4096)
    kept.path.write_bytes(content)
    with pytest.raises(DataError) as refused:
        tenfold.load(kept.path)
    assert "damaged" in str(refused.value)
    assert str(refused.value).isprintable()


def test_the_file_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENFOLD_MAX_SAMPLES", "1")
    found = Samples(tmp_path / "samples.db")
    with pytest.raises(DataError, match="more than 65,536; send a smaller one"):
        found.add(glyph(1), 1, None, bytes(65_537), "")
    found.add(glyph(1), 1, None, b"", "")
    with pytest.raises(DataError, match="holds 1 corrections already"):
        found.add(glyph(1), 1, None, b"", "")


@pytest.mark.parametrize("image", [np.zeros((28, 28)), np.zeros((27, 28), np.uint8)])
def test_what_is_no_glyph_is_not_kept(tmp_path: Path, image: np.ndarray) -> None:
    with pytest.raises(DataError, match="expected uint8"):
        Samples(tmp_path / "samples.db").add(image, 1, None, b"", "")


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot use"):
        Samples(tmp_path / "file" / "samples.db").add(glyph(1), 1, None, b"", "")


def test_what_is_deleted_is_deleted_even_where_the_file_cannot_be_tidied_now(
    kept: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Crowded(sqlite3.Connection):
        def execute(self, statement: str, *values: object) -> sqlite3.Cursor:
            if statement == "VACUUM":
                raise sqlite3.OperationalError("database or disk is full")
            return super().execute(statement, *values)

    n, connect = len(kept), sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *given, **named: connect(*given, factory=Crowded, **named))
    assert kept.delete(kept.list()[0].id)
    assert len(kept) == n - 1


def test_a_file_that_is_busy_for_long_is_said(kept: Samples, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "_WAITS_S", 0.0)
    other = sqlite3.connect(kept.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="in use by another program"):
        kept.delete(1)
    assert len(kept) == 3, "reading goes on"
    other.execute("ROLLBACK")
    other.close()


def test_a_damaged_text_is_said(tmp_path: Path) -> None:
    """Found by fuzzing: in a column of a sample, and in the schema, which SQLite then quotes."""
    kept = Samples(tmp_path / "samples.db")
    kept.add(np.zeros((28, 28), np.uint8), 3, None, b"", "a version")
    content = kept.export()
    for part in (b"a version", b"picture BLOB"):
        (tmp_path / "samples.db").write_bytes(content.replace(part, b"\xf5" * len(part)))
        with pytest.raises(DataError, match="damaged"):
            kept.list()


@pytest.mark.parametrize(
    ("column", "value"), [("id", "NULL"), ("label", "3.5"), ("label", "10"), ("glyph", "'text'"), ("glyph", "x'00'")]
)
def test_a_table_that_another_program_made_is_not_believed(tmp_path: Path, column: str, value: str) -> None:
    """Found by fuzzing: with another schema any column may hold anything."""
    path = tmp_path / "samples.db"
    Samples(path).add(np.zeros((28, 28), np.uint8), 3, None, b"", "0")
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE loose AS SELECT * FROM samples")
        connection.execute("DROP TABLE samples")
        connection.execute("ALTER TABLE loose RENAME TO samples")
        connection.execute(f"UPDATE samples SET {column} = {value}")
    connection.close()
    with pytest.raises(DataError, match="delete it"):
        Samples(path).list()
