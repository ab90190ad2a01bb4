"""Files that appear whole or not at all, locks that survive crashes, checksums.

Knows nothing of what the files mean.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import itertools
import os
import re
import shlex
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tenfold.errors import StorageError, of_system, printable

_HALF = re.compile(r"\.[0-9]+\.(.+)", re.DOTALL)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give the path of a temporary file beside `path`; when the block ends well, it takes the place of `path`.

    A reader sees the old file or the new one, never a part, even after a power cut (fsync, rename, fsync of the folder).
    The temporary name keeps the suffix of `path`, since some writers choose the format by it. Where `path` is a link, the file
    that it points to is replaced; a pipe or a device, such as /dev/stdout, gets the content once it is whole.

    Raises:
        StorageError: the folder cannot be written to or the disk is full; nothing is left behind.
    """
    try:
        if is_stream(path):
            with tempfile.TemporaryDirectory() as elsewhere:
                yield Path(elsewhere) / path.name
                with path.open("ab") as stream:
                    stream.write((Path(elsewhere) / path.name).read_bytes())
            return
        path = _target(path)
    except BrokenPipeError:
        raise  # who reads the pipe has seen enough
    except OSError as problem:
        raise StorageError(f"cannot write {of_system(problem, path)}") from problem
    temporary = _beside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _fsync(temporary)
        os.replace(temporary, path)
        _fsync(path.parent)
    except OSError as problem:
        raise StorageError(f"cannot write {of_system(problem, path)}") from problem
    finally:
        with suppress(OSError):  # on what made the writing fail, such as a read-only disk, this fails too
            temporary.unlink()


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole (see `whole_file`)."""
    with whole_file(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Write a UTF-8 file whole (see `whole_file`)."""
    write_bytes(path, content.encode())


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Give an empty temporary folder beside `path`; when the block ends well, it becomes `path`.

    Raises:
        StorageError: `path` exists and is not an empty folder, or the place cannot be written to.
    """
    temporary = _beside(path)
    try:
        if path.exists() and not (path.is_dir() and not any(path.iterdir())):
            raise StorageError(f"{path} exists already; choose another folder or remove it first")
        shutil.rmtree(temporary, ignore_errors=True)  # of a process that was killed and had the same number
        temporary.mkdir(parents=True)
        yield temporary
        os.replace(temporary, path)  # of an empty folder too
        _fsync(path.parent)
    except OSError as problem:
        raise StorageError(f"cannot write {of_system(problem, path)}") from problem
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def lock(folder: Path, purpose: str) -> Iterator[None]:
    """Be the only one to write into `folder`; the operating system frees the lock when the process ends, however it ends.

    Raises:
        StorageError: another process holds the lock, or the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as problem:
        raise StorageError(f"cannot write {of_system(problem, folder)}") from problem
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            raise StorageError(f"{folder} is in use by another {purpose}; wait for it or choose another folder") from taken
        except OSError as problem:
            raise StorageError(f"cannot lock {of_system(problem, folder)}") from problem
        yield
    finally:
        os.close(handle)


def refuse_read_only(folder: Path) -> None:
    """Refuse early a folder that cannot be written to, or, where it does not exist, not be made; nothing is written.

    Raises:
        StorageError: it lies on a read-only disk, belongs to others, or would lie in a file.
    """
    place = folder.absolute()
    while not exists(place) and place != place.parent:
        place = place.parent
    if not place.is_dir():
        raise StorageError(f"cannot write {folder}: {place} is no folder; choose another one")
    if not os.access(place, os.W_OK | os.X_OK):
        raise StorageError(f"cannot write {folder}: {place} is read-only or belongs to others; choose another folder")


def refuse_full(folder: Path, n_bytes: int) -> None:
    """Refuse early a disk that has not so many bytes left.

    Raises:
        StorageError: it is too full.
    """
    free = shutil.disk_usage(folder).free
    if free < n_bytes:
        said = f"{free / 2**20:.1f} MB left, {n_bytes / 2**20:.1f} MB needed"
        raise StorageError(f"cannot write {folder}: {os.strerror(errno.ENOSPC)} ({said}); make room or choose another folder")


def remove_halves(folder: Path) -> None:
    """Remove what writers that were killed left half-written in a folder; for whoever holds its lock."""
    for path in folder.glob(".*"):
        if _HALF.fullmatch(path.name) and not path.is_dir():
            path.unlink(missing_ok=True)


def whole_of(path: Path) -> Path:
    """The file that a half-written one was to become (see `whole_file`); any other is itself."""
    half = _HALF.fullmatch(path.name)
    return path.with_name(half[1]) if half else path


def make_folder(path: Path, for_owner: bool = False) -> None:
    """Make a folder with those above it, if it is not there yet; with `for_owner` nobody else may look into it.

    Raises:
        StorageError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700 if for_owner else 0o777)
    except OSError as problem:
        raise StorageError(f"cannot make folder {of_system(problem, path)}") from problem


def files_below(folder: Path) -> Iterator[Path]:
    """All that lies in a folder and in those below it and is no folder; links to folders are not followed.

    Raises:
        StorageError: one of the folders cannot be read. Going on without it would leave out what nobody misses.
    """

    def refuse(problem: OSError) -> None:
        place = of_system(problem, Path(str(problem.filename)))
        raise StorageError(f"cannot read folder {place}; leave it out, or allow it to be read") from problem

    for place, _, names in os.walk(folder, onerror=refuse):
        yield from (Path(place, name) for name in names)


def as_name(text: str) -> str:
    """A text as the name of a file or folder: without blanks and slashes, and no other folder such as `..`."""
    name = text.replace(" ", "-").replace("/", "-")
    return name if name.strip(".") else "unnamed"


def name_of(path: Path) -> str:
    """What a file or folder is called, where the path itself does not say it (`.`, `..`)."""
    return path.name if path.name.strip(".") else path.resolve().name or "unnamed"


def numbered(folder: Path, fits: Callable[[Path], bool]) -> Path:
    """The folder, or the first of `folder-2`, `folder-3` and so on, that fits."""
    others = (folder.with_name(f"{folder.name}-{k}") for k in itertools.count(2))
    return next(place for place in itertools.chain([folder], others) if fits(place))


def in_utf8(name: str) -> str:
    r"""The name of a file as text that can be kept anywhere: a byte of it that is no UTF-8 becomes such as `\xff`."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def is_utf8(name: str) -> bool:
    """Whether all bytes of a file's name are UTF-8: neither JSON nor TensorFlow takes others."""
    return in_utf8(name) == name


def as_typed(path: Path) -> str:
    """A path as a shell takes it, with quotes where it needs them, in one line that steers no terminal."""
    text = str(path)
    if text.isprintable():
        return shlex.quote(text)
    # In bash, zsh and POSIX of 2024 $'…' stands for what its escapes mean.
    escaped = text.replace("\\", r"\\").replace("'", r"\'")
    return f"$'{printable(escaped)}'"


def exists(path: Path) -> bool:
    """Whether there is a file or folder; a name that no file can have, or a ring of links, has none."""
    try:
        return path.exists()
    except OSError:
        return False


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, as 64 hexadecimal digits.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _target(path: Path) -> Path:
    """The file that a link points to, or the path itself."""
    try:
        return path.resolve() if path.is_symlink() else path
    except RuntimeError as problem:
        raise StorageError(f"cannot write {path}: it is a link to itself; name another file") from problem


def _beside(path: Path) -> Path:
    """The temporary name for what shall become `path`."""
    if not path.name or path.name == "..":
        raise StorageError(f"cannot write {path}: it has no name of its own; expected the name of a new file or folder")
    return path.with_name(f".{os.getpid()}.{path.name}")  # as _HALF says


def is_stream(path: Path) -> bool:
    """Whether a path names a pipe, a device, or what stands for one such as /dev/stdout, which may be a file."""
    in_dev = path.parent in (Path("/dev"), Path("/dev/fd"))
    return path.exists() and not path.is_dir() and (in_dev or not path.is_file())


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
