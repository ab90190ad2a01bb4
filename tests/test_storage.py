import os
from pathlib import Path

import pytest

from tenfold import storage
from tenfold.errors import StorageError


def test_a_file_appears_whole(tmp_path: Path) -> None:
    target = tmp_path / "new" / "a.txt"
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


def test_49_a_full_disk_is_said_and_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    storage.write_text(tmp_path / "a", "old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match=r"cannot write .*a: No space left on device"):
        storage.write_text(tmp_path / "a", "new")
    assert (tmp_path / "a").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


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
    with storage.whole_folder(tmp_path / "a") as temporary:
        (temporary / "x").write_text("1")
    assert (tmp_path / "a" / "x").read_text() == "1"
    with pytest.raises(StorageError, match="exists already"), storage.whole_folder(tmp_path / "a"):
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
