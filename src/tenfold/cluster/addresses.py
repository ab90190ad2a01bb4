"""Files by their path on this machine, or by an address that Arrow knows, such as `s3://bucket/folder`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tenfold.errors import MissingExtraError, PictureError, UsageError, of_system

try:
    from pyarrow import fs as filesystems
except ModuleNotFoundError as problem:
    raise MissingExtraError("cluster", "pyarrow") from problem


def located(name: str) -> tuple[Any, str]:
    """The file system of a name, and the path on it.

    Raises:
        UsageError: an address that Arrow does not know.
    """
    if "://" not in name:
        return filesystems.LocalFileSystem(), str(Path(name).absolute())
    try:
        system, path = filesystems.FileSystem.from_uri(name)
    except (ValueError, OSError) as problem:  # also of an address that is not UTF-8
        raise UsageError(
            f"{name}: {first_line(problem)}; expected a path, or an address such as s3://bucket/folder"
        ) from problem
    return system, str(path)


def is_remote(name: str) -> bool:
    """Whether a name is an address rather than a path."""
    return "://" in name


def content(name: str) -> bytes:
    """All bytes of a file.

    Raises:
        PictureError: it cannot be read.
    """
    system, path = located(name)
    try:
        with system.open_input_file(path) as file:
            return bytes(file.read())
    except OSError as problem:
        raise PictureError(f"cannot read {of_system(problem, Path(name))}") from problem


def first_line(problem: BaseException) -> str:
    """The first line of what a library says."""
    return (str(problem) or type(problem).__name__).splitlines()[0][:160]
