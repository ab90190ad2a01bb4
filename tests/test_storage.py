import errno
import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tenfold import storage
from tenfold.errors import StorageError


def test_a_file_appears_whole(tmp_path: Path) -> None:
    target = tmp_path / "new" / "deep" / "a.txt"
    with storage.whole_file(target) as temporary:
        temporary.write_text("half")
        assert not target.exists()
        assert temporary.suffix == ".txt"
    assert target.read_text() == "half"
    assert [p.name for p in target.parent.iterdir()] == ["a.txt"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    storage.write_text(target, "old")
    with pytest.raises(ZeroDivisionError), storage.whole_file(target) as temporary:
        temporary.write_text("new")
        raise ZeroDivisionError
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_new_file_has_the_users_permissions(tmp_path: Path) -> None:
    storage.write_text(tmp_path / "a", "x")
    mask = os.umask(0)
    os.umask(mask)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o666 & ~mask


def test_what_is_written_survives_a_power_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The content is on the disk before the file has its name, and then the name is."""
    synced: list[tuple[int, list[str]]] = []

    def note(handle: int) -> None:
        synced.append((os.fstat(handle).st_ino, [path.name for path in tmp_path.iterdir()]))

    monkeypatch.setattr(os, "fsync", note)
    storage.write_text(tmp_path / "a", "x")
    file, folder = (path.stat().st_ino for path in (tmp_path / "a", tmp_path))
    assert synced == [(file, [f".{os.getpid()}.a"]), (folder, ["a"])]
    with storage.whole_folder(tmp_path / "b"):
        pass
    assert [inode for inode, _ in synced[2:]] == [folder]


def test_no_file_stays_open(tmp_path: Path) -> None:
    def lowest_free() -> int:
        handle = os.dup(0)
        os.close(handle)
        return handle

    before = lowest_free()
    storage.write_text(tmp_path / "a", "x")
    with storage.lock(tmp_path, "training"):
        pass
    assert lowest_free() == before


def test_49_a_full_disk_is_said_and_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    storage.write_text(tmp_path / "a", "old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match=r"cannot write .*a: No space left on device"):
        storage.write_text(tmp_path / "a", "new")
    assert (tmp_path / "a").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_what_a_link_points_to_is_replaced_and_the_link_stays(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "deep" / "file")
    for content in ("first", "second"):
        storage.write_text(tmp_path / "link", content)
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "deep" / "file").read_text() == content
    (tmp_path / "ring").symlink_to(tmp_path / "ring")
    with pytest.raises(StorageError, match="cannot write"):
        storage.write_text(tmp_path / "ring", "x")


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = subprocess.Popen(["cat", tmp_path / "pipe"], stdout=subprocess.PIPE, text=True)
    storage.write_text(tmp_path / "pipe", "content")
    assert reader.communicate(timeout=60)[0] == "content"
    assert (tmp_path / "pipe").is_fifo()


def test_49_a_pipe_that_takes_nothing_more_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No real device: a fault in what is tested could replace it."""
    os.mkfifo(tmp_path / "pipe")
    real = Path.open

    def full(path: Path, mode: str = "r", *rest: object, **further: object) -> object:
        if mode == "ab":
            raise OSError(28, "No space left on device")
        return real(path, mode, *rest, **further)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(StorageError, match=r"cannot write .*pipe: No space left on device"):
        storage.write_text(tmp_path / "pipe", "x")
    assert (tmp_path / "pipe").is_fifo()


def test_standard_output_is_a_place_to_write_to() -> None:
    code = "from pathlib import Path; from tenfold import storage; storage.write_text(Path('/dev/stdout'), 'content')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "content"
    assert Path("/dev/stdout").is_symlink()


def test_54_a_place_that_cannot_be_written_to_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="cannot write"):
        storage.write_text(tmp_path / "file" / "a", "x")
    with pytest.raises(StorageError, match="cannot write"), storage.lock(tmp_path / "file" / "run", "training"):
        pass


def test_a_folder_appears_whole_and_overwrites_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), storage.whole_folder(tmp_path / "a"):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
    with storage.whole_folder(tmp_path / "new" / "a") as temporary:
        (temporary / "x").write_text("1")
    assert (tmp_path / "new" / "a" / "x").read_text() == "1"
    with pytest.raises(StorageError, match="exists already"), storage.whole_folder(tmp_path / "new" / "a"):
        pass


def test_50_one_writer_a_folder_and_a_stale_lock_is_none(tmp_path: Path) -> None:
    with (
        storage.lock(tmp_path, "training"),
        pytest.raises(StorageError, match="in use by another training"),
        storage.lock(tmp_path, "training"),
    ):
        pass
    with storage.lock(tmp_path, "training"):
        assert (tmp_path / ".lock").exists()


def test_whoever_may_write_into_a_folder_may_lock_it(tmp_path: Path) -> None:
    with storage.lock(tmp_path / "new" / "run", "training"):
        storage.write_text(tmp_path / "a", "x")
    assert (tmp_path / "new" / "run" / ".lock").stat().st_mode == (tmp_path / "a").stat().st_mode


def test_50_a_disk_without_locks_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(handle: int, how: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(StorageError, match=r"cannot lock .*: No locks available"), storage.lock(tmp_path, "training"):
        pass


@pytest.mark.parametrize("name", [".", "/", "..", "a/.."])
def test_a_path_without_a_name_of_its_own_is_refused(name: str) -> None:
    for whole in (storage.whole_file, storage.whole_folder):
        with pytest.raises(StorageError, match="no name of its own"), whole(Path(name)):
            pass


def test_a_file_where_a_folder_would_have_to_be_is_said_and_nothing_else_is_raised(tmp_path: Path) -> None:
    """Tidying up fails there too; that must not hide the reason."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="cannot write"), storage.whole_folder(tmp_path / "file" / "a"):
        pass
    with pytest.raises(StorageError, match="File name too long"):
        storage.write_text(tmp_path / ("x" * 300), "x")


def test_an_empty_folder_may_be_filled_and_a_file_may_not_become_one(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with storage.whole_folder(tmp_path / "empty") as temporary:
        (temporary / "x").write_text("1")
    assert (tmp_path / "empty" / "x").is_file()
    with pytest.raises(StorageError, match="exists already"), storage.whole_folder(tmp_path / "empty" / "x"):
        pass


def test_what_a_killed_process_of_the_same_number_left_is_swept_away(tmp_path: Path) -> None:
    """In a container each process may have the number 1."""
    left = tmp_path / f".{os.getpid()}.a"
    left.mkdir()
    (left / "half").write_text("x")
    with storage.whole_folder(tmp_path / "a") as temporary:
        (temporary / "x").write_text("1")
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["x"]
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_50_a_lock_is_free_when_its_process_is_killed(tmp_path: Path) -> None:
    code = f"""
import pathlib, time
from tenfold import storage
with storage.lock(pathlib.Path({str(tmp_path)!r}), "training"):
    print("locked", flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        with pytest.raises(StorageError, match="in use by another training"), storage.lock(tmp_path, "training"):
            pass
        other.kill()
        other.wait()
    with storage.lock(tmp_path, "training"):
        pass


def test_54_a_folder_that_cannot_be_written_to_is_refused_before_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that does not exist yet, and for root, to whom every folder of a disk that can be written to is open."""
    storage.refuse_read_only(tmp_path / "new" / "run")
    monkeypatch.setattr(os, "access", lambda place, mode: place != tmp_path or mode != os.W_OK | os.X_OK)
    for folder in (tmp_path, tmp_path / "new" / "run"):
        with pytest.raises(StorageError, match=f"cannot write {folder}: {tmp_path} is read-only or belongs to others"):
            storage.refuse_read_only(folder)
    assert list(tmp_path.iterdir()) == []


def test_49_a_disk_that_is_too_small_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StorageError, match=r"No space left on device \([\d.]+ MB left, 1099511627776.0 MB needed\)"):
        storage.refuse_full(tmp_path, 2**60)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=3 * 2**19))
    storage.refuse_full(tmp_path, 3 * 2**19)
    with pytest.raises(StorageError, match=r"\(1.5 MB left, 2.0 MB needed\)"):
        storage.refuse_full(tmp_path, 2**21)


def test_the_halves_that_killed_writers_left_are_removed_and_nothing_else(tmp_path: Path) -> None:
    with storage.lock(tmp_path, "training"):
        for name in (".1.a.npz", ".4711.b\nc", ".5.folder", "1.a", ".a.1", ".1"):
            (tmp_path / name).mkdir() if "folder" in name else (tmp_path / name).touch()
        storage.remove_halves(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {".lock", ".5.folder", "1.a", ".a.1", ".1"}


@pytest.mark.parametrize(
    ("name", "whole"), [(".77.table.parquet", "table.parquet"), ("table.parquet", "table.parquet"), (".77", ".77")]
)
def test_a_half_written_file_says_which_it_was_to_become(tmp_path: Path, name: str, whole: str) -> None:
    assert storage.whole_of(tmp_path / name) == tmp_path / whole


def test_a_folder_is_made_with_those_above_it_or_the_reason_said(tmp_path: Path) -> None:
    for _ in range(2):
        storage.make_folder(tmp_path / "new" / "deep")
    assert (tmp_path / "new" / "deep").is_dir()
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match=r"cannot make folder .*file"):
        storage.make_folder(tmp_path / "file")


def test_a_folder_that_cannot_be_read_is_said_and_not_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.png").write_text("")
    (tmp_path / "two.png").write_text("")
    assert sorted(storage.files_below(tmp_path)) == [tmp_path / "a" / "one.png", tmp_path / "two.png"]
    listed = os.scandir

    def refuse(place: str) -> object:
        if place == str(tmp_path / "a"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), place)
        return listed(place)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(StorageError, match=r"cannot read folder .*/a: Permission denied"):
        list(storage.files_below(tmp_path))


def test_a_name_that_no_file_can_have_has_none(tmp_path: Path) -> None:
    assert storage.exists(tmp_path)
    assert not storage.exists(tmp_path / ("x" * 300))


def test_the_checksum_is_that_of_the_content(tmp_path: Path) -> None:
    storage.write_bytes(tmp_path / "a", b"abc")
    assert storage.sha256_of(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_message_is_one_printable_line_whatever_a_file_is_called(tmp_path: Path) -> None:
    """A name may hold line ends, the escape sequences of a terminal or bytes that are no text."""
    (tmp_path / "a\n\x1b[31m\udcff").mkdir()
    with pytest.raises(StorageError) as problem:
        storage.write_text(tmp_path / "a\n\x1b[31m\udcff", "x")
    assert str(problem.value).isprintable()
    assert r"a\n\x1b[31m\xff" in str(problem.value)


@pytest.mark.parametrize("name", ["a", "a b's", "\x1b[31m\n'\\\u200bé", "r\udce9\udcff9 $x"])
def test_a_shell_takes_a_path_as_it_is_said(name: str) -> None:
    said = storage.as_typed(Path(name))
    assert said.isprintable()
    echoed = subprocess.run(["bash", "-c", f"printf %s {said}"], capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"})
    assert os.fsdecode(echoed.stdout) == name


def test_what_goes_wrong_while_a_stream_is_written_is_not_taken_for_a_link(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(RuntimeError, match="of its own"), storage.whole_file(pipe):
        raise RuntimeError("of its own")


@pytest.mark.parametrize(
    ("text", "name"), [("a b/c", "a-b-c"), ("..", "unnamed"), (".", "unnamed"), ("", "unnamed"), ("..a", "..a")]
)
def test_a_text_becomes_the_name_of_one_folder(text: str, name: str) -> None:
    assert storage.as_name(text) == name


def test_a_folder_is_called_what_it_is_called_however_it_is_reached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "digits" / "inside").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "digits" / "inside")
    assert [storage.name_of(Path(path)) for path in (".", "..", "../inside", "/")] == ["inside", "digits", "inside", "unnamed"]


def test_the_first_folder_that_fits_is_taken(tmp_path: Path) -> None:
    for name in ("x", "x-2"):
        (tmp_path / name).mkdir()
    assert storage.numbered(tmp_path / "x", lambda place: not place.exists()) == tmp_path / "x-3"
    assert storage.numbered(tmp_path / "x", lambda place: True) == tmp_path / "x"
