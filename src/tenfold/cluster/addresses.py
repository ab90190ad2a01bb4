"""Files by their path on this machine, or by an address that Arrow knows, such as `s3://bucket/folder`."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

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


def without_query(name: str) -> str:
    """A name without the options that an address may have at its end, such as `?region=…`."""
    return name.partition("?")[0] if is_remote(name) else name


def inside(folder: str, name: str) -> str:
    """The address of a file in a folder that has one: blanks, %, # and the like are signs of their own in an address.

    Args:
        folder: its address, whose options the file's has too.
        name: the path of the file from there, as it is.
    """
    place, mark, options = folder.partition("?")
    return f"{place.rstrip('/')}/{quote(name)}{mark}{options}"


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
