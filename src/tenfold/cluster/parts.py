"""What a bulk reading reads, cut into parts: pictures in folders, Parquet files with pictures or pixels, CSV files of pixels.

A part is read and written as one. Which rows it has follows from the sources alone, so a reading that was interrupted, or runs
elsewhere, has the same parts. Sources are paths of this machine, or addresses that Arrow knows (`s3://…`, `gs://…`).
"""

from __future__ import annotations

import glob
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from tenfold import limits, storage
from tenfold.cluster import addresses, pixels
from tenfold.errors import DataError, MissingExtraError, PictureError, UsageError
from tenfold.picture import SUFFIXES_WITH_PAGES

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
    from pyarrow import fs as filesystems
except ModuleNotFoundError as problem:
    raise MissingExtraError("cluster", "pyarrow") from problem

_TABLES = (".csv", ".csv.gz", ".zip")
IsOwn = Callable[[str], bool]
PICTURE_COLUMNS, PIXELS_COLUMN = ("image", "picture", "bytes", "content"), "pixels"


class Part(NamedTuple):
    """Rows that are read as one.

    Attributes:
        kind: `pictures`, `parquet` or `csv`.
        names: of the files, as they were given; one but for pictures.
        first: the number of the first row, from 1; 0 for pictures.
        n: how many rows; for pictures how many files, whose pages are not counted before they are read.
        start: of Parquet the first row group, of CSV the first byte.
        stop: the row group or byte after the last one; -1 is the end of the file.
    """

    kind: str
    names: tuple[str, ...]
    first: int
    n: int
    start: int = 0
    stop: int = -1


def cut(sources: Iterable[str], is_own: IsOwn = lambda _: False) -> Iterator[Part]:
    """Cut sources into parts, in the order in which they were given and, in a folder, by name.

    Args:
        sources: files, folders, patterns and addresses.
        is_own: whether a file of this machine is one that the reading itself writes. Such are passed over in folders and
            among what fits a pattern: the same command must find the same parts when it is given again.

    Raises:
        UsageError, DataError, PictureError: a source is missing, of no kind that can be read, or what is to be written.
    """
    waiting: list[str] = []
    most = limits.from_environment().max_part_pictures
    for name in (file for source in sources for file in _files(source, is_own)):
        if _suffix(name) in SUFFIXES_WITH_PAGES:
            waiting.append(name)
            if len(waiting) < most:
                continue
        if waiting:
            yield Part("pictures", tuple(waiting), 0, len(waiting))
            waiting = []
        if _suffix(name) == ".parquet":
            yield from _of_parquet(name)
        elif _is_table(name):
            yield from _of_csv(name)
    if waiting:
        yield Part("pictures", tuple(waiting), 0, len(waiting))


def digest(parts: Iterable[Part]) -> str:
    """A hash over the parts and the sizes of local files: other sources have another one."""
    found = hashlib.sha256()
    for part in parts:
        sizes = [Path(name).stat().st_size if "://" not in name and Path(name).is_file() else -1 for name in part.names]
        found.update(repr((part, sizes)).encode())
    return found.hexdigest()


def picture_column(name: str) -> str:
    """The column of a Parquet file that holds the pictures.

    Raises:
        DataError: it has none, or several.
    """
    schema = opened_parquet(name).schema_arrow
    found = [column for column in (*PICTURE_COLUMNS, PIXELS_COLUMN) if column in schema.names]
    if len(found) != 1:
        raise DataError(
            f"{name}: columns {', '.join(schema.names)[:120]}; expected one of {', '.join(PICTURE_COLUMNS)} with the bytes of "
            f"pictures, or {PIXELS_COLUMN} with 784 bytes each"
        )
    return found[0]


def _files(source: str, is_own: IsOwn) -> Iterator[str]:
    """The files of a source: itself, those in a folder, or those that a pattern fits."""
    if "://" in source:
        yield from _remote_files(source, is_own)
    elif Path(source).is_dir():
        inside = sorted(str(file) for file in storage.files_below(Path(source)) if _is_read(file.name) and file.is_file())
        yield from _some(inside, f"folder {source}", is_own)
    elif any(c in source for c in "*?[") and not Path(source).exists():
        found = glob.glob(source, recursive=True)  # noqa: PTH207  Path.glob takes no pattern that begins with a slash
        yield from _some(sorted(filter(os.path.isfile, found)), source, is_own)
    elif not Path(source).is_file():
        raise PictureError(f"cannot read {source}: no such file or folder")
    else:
        yield from _itself(source, is_own(source))


def _itself(source: str, is_own: bool) -> list[str]:
    """A file that was named, and whether the reading writes it."""
    if not (_is_read(source) or _is_table(source)):
        raise UsageError(f"{source}: expected pictures, a .parquet or a CSV of pixels")
    if is_own:
        raise UsageError(f"{source}: the output would replace it; name another file with -o")
    return [source]


def _remote_files(source: str, is_own: IsOwn) -> Iterator[str]:
    system, path = addresses.located(source)
    is_here = isinstance(system, filesystems.LocalFileSystem)
    try:
        info = system.get_file_info(path)
        if info.type == filesystems.FileType.File:
            yield from _itself(source, is_here and is_own(path))
            return
        found = system.get_file_info(filesystems.FileSelector(path, recursive=True))
    except OSError as problem:
        raise PictureError(f"cannot read {source}: {addresses.first_line(problem)}") from problem
    except UnicodeDecodeError as problem:
        raise PictureError(f"{source}: holds a name that is not UTF-8, which Arrow does not list; rename the file") from problem
    files = sorted(one.path for one in found if _is_read(one.path) and one.is_file)
    inside = [str(PurePosixPath(file).relative_to(path)) for file in files if not (is_here and is_own(file))]
    yield from _some([addresses.inside(source, name) for name in inside], source)


def _some(files: Iterable[str], what: str, is_own: IsOwn = lambda _: False) -> list[str]:
    """Those of the files that the reading does not write itself."""
    found = [file for file in files if not is_own(file)]
    if not found:
        raise PictureError(f"{what}: holds no pictures; expected files such as .png, .jpg or .parquet")
    return found


def _is_read(name: str) -> bool:
    """Whether a file in a folder is read; a CSV there may be anything, such as the labels of the pictures."""
    return _suffix(name) in SUFFIXES_WITH_PAGES | {".parquet"}


def _is_table(name: str) -> bool:
    return addresses.without_query(name).lower().endswith(_TABLES)


def _suffix(name: str) -> str:
    return PurePosixPath(addresses.without_query(name)).suffix.lower()


def opened_parquet(name: str) -> Any:
    """A Parquet file, its rows not read yet.

    Raises:
        DataError: it is none.
    """
    system, path = addresses.located(name)
    try:
        return pq.ParquetFile(path, filesystem=system)
    except UnicodeEncodeError as problem:
        raise DataError(f"{name}: found a name that is not UTF-8, which Arrow does not open; rename the file") from problem
    except (pa.ArrowInvalid, OSError) as problem:
        raise DataError(f"{name}: not a Parquet file that can be read ({addresses.first_line(problem)})") from problem


def _of_parquet(name: str) -> Iterator[Part]:
    """Row groups, several to a part while they are small."""
    bounds = limits.from_environment()
    most = bounds.max_part_glyphs if picture_column(name) == PIXELS_COLUMN else bounds.max_part_pictures
    metadata = opened_parquet(name).metadata
    first, start, n = 1, 0, 0
    for group in range(metadata.num_row_groups):
        size = metadata.row_group(group).num_rows
        if n and n + size > most:
            yield Part("parquet", (name,), first, n, start, group)
            first, start, n = first + n, group, 0
        n += size
    if n:
        yield Part("parquet", (name,), first, n, start, metadata.num_row_groups)


def _of_csv(name: str) -> Iterator[Part]:
    for stretch in pixels.stretches(name, limits.from_environment().max_part_glyphs):
        yield Part("csv", (name,), *stretch)
