"""Bulk reading: any number of pictures into one Parquet file, in processes of this machine or on a Ray cluster.

The sources are cut into parts; a worker reads a part and writes its answers whole, under the part's number, so that a worker
that is killed leaves nothing half done, a part that is there is not read again, and every row comes out exactly once.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, NamedTuple

from tenfold import limits, storage
from tenfold.cluster import parts, places
from tenfold.cluster.answers import BAD, GOOD, Known, answer
from tenfold.cluster.parts import Part
from tenfold.cluster.rows import rows
from tenfold.errors import MissingExtraError, StorageError, TenfoldNotice, UsageError
from tenfold.read.reader import Reader

try:
    import pyarrow.parquet as pq
except ModuleNotFoundError as problem:
    raise MissingExtraError("cluster", "pyarrow") from problem

Tell = Callable[[int, int], None]
_NOTHING = Known()


class Job(NamedTuple):
    """What all parts have in common.

    Attributes:
        folder: where their answers go, absolute.
        place: the folder that relative names start from.
        model: a run's folder or an ONNX file, absolute; None is the bundled model.
        known: what the user knows about every picture.
    """

    folder: str
    place: str
    model: str | None
    known: Known


class Done(NamedTuple):
    """What came of a bulk reading.

    Attributes:
        n_good: rows in the file.
        n_bad: rows in the file of those that could not be read.
        missing: the numbers of parts whose worker died each time; nothing is written as long as there are any.
    """

    n_good: int
    n_bad: int
    missing: tuple[int, ...]


def bad_rows(out: Path) -> Path:
    """Where the rows go that cannot be read: `out.bad.parquet` beside `out.parquet`."""
    return out.with_suffix(f".bad{out.suffix}")


def _parts_of(out: Path) -> Path:
    return out.with_name(f"{out.name}.parts")


def _writes(out: Path) -> Callable[[str], bool]:
    """What tells of a file whether a reading into `out` writes it, whatever links lead there: the tables and all parts.

    So are tables whose writing was cut off.
    """
    whole = [Path(os.path.realpath(path)) for path in (out, bad_rows(out))]
    folder = Path(os.path.realpath(_parts_of(out)))

    def is_own(name: str) -> bool:
        if not name.endswith(out.suffix):  # spares most files the question where their links lead
            return False
        path = Path(os.path.realpath(name))
        return folder in path.parents or path in whole or storage.whole_of(path) in whole

    return is_own


def read(
    sources: Sequence[str],
    out: Path,
    *,
    model: Path | None = None,
    known: Known = _NOTHING,
    address: str | None = None,
    n_processes: int | None = None,
    tell: Tell | None = None,
) -> Done:
    """Read sources into a Parquet file; goes on where an interrupted reading of the same sources stopped.

    Args:
        sources: pictures, folders of pictures, patterns, Parquet files, CSV files of pixels.
        out: a `.parquet`; until it is whole, `OUT.parts` beside it holds the parts that are done.
        model: a run's folder or an ONNX file instead of the bundled model.
        known: what is known about every picture.
        address: of a Ray cluster, as in `places.opened`; all its machines must see sources and `out` under the same names.
        n_processes: on this machine; one a core by default.
        tell: is told how many parts are done, and of how many.

    Raises:
        UsageError, DataError, PictureError, ModelError: a source or the model cannot be used, or a source would be replaced.
        StorageError: another reading writes to the same place, or it cannot be written to.
    """
    if out.suffix != ".parquet":
        raise UsageError(f"--output {out}: expected the name of a .parquet file")
    tell = tell or (lambda *_: None)
    every = list(parts.cut(sources, _writes(out)))
    _refuse_known(every, known)
    reader = Reader(model, threads=1)  # refuses a model that cannot be used, once
    folder = _parts_of(out)
    job = Job(str(folder.absolute()), str(Path.cwd()), None if model is None else str(model.absolute()), known)
    with storage.lock(folder, "bulk reading"):
        _begin(folder, every, reader, known)
        numbered = [(i, part) for i, part in enumerate(every) if not _file(job, i).is_file()]
        n_before = len(every) - len(numbered)
        tell(n_before, len(every))
        run = _here(job, numbered, n_processes) if address is None else _on_ray(job, numbered, address)
        for n, _ in enumerate(run, start=1):
            tell(n_before + n, len(every))
        missing = tuple(i for i, _ in numbered if not _file(job, i).is_file())
        if missing:
            return Done(0, 0, missing)
        n_good = _joined([_file(job, i) for i in range(len(every))], GOOD, out)
        n_bad = _joined([_file(job, i, ".bad") for i in range(len(every))], BAD, bad_rows(out))
    shutil.rmtree(folder, ignore_errors=True)
    if not n_bad:
        bad_rows(out).unlink(missing_ok=True)
    return Done(n_good, n_bad, ())


def _refuse_known(every: Iterable[Part], known: Known) -> None:
    """Refuse what is known of fields where there are none but single digits."""
    if known[:3] == (None, None, None):
        return
    for kind, name in dict.fromkeys((part.kind, part.names[0]) for part in every if part.kind != "pictures"):
        if kind == "csv" or parts.picture_column(name) == parts.PIXELS_COLUMN:
            raise UsageError(
                f"{name}: holds one digit a row; --digits, --pattern and --check are for pictures of fields, leave them out"
            )


def _begin(folder: Path, every: Sequence[Part], reader: Reader, known: Known) -> None:
    """Write down what decides the answers; parts of another reading are removed."""
    facts = {"parts": parts.digest(every), "model": str(reader.model.metadata.get("version")), "known": list(known)}
    path = folder / "reading.json"
    try:
        same = json.loads(path.read_bytes()) == facts
    except (OSError, ValueError):
        same = False
    if not same:
        for old in folder.glob("*.parquet"):
            old.unlink()
        storage.write_text(path, json.dumps(facts))


def _file(job: Job, number: int, kind: str = "") -> Path:
    return Path(job.folder) / f"{number:06}{kind}.parquet"


class PartReader:
    """Reads parts and writes their answers; a worker has one and keeps its networks loaded."""

    def __init__(self, job: Job) -> None:
        os.chdir(job.place)
        warnings.simplefilter("ignore", TenfoldNotice)
        self._job, self._reader = job, Reader(job.model, threads=1)

    def read(self, number: int, part: Part) -> int:
        """Read a part; return its number once its answers are written."""
        good, bad = answer(rows(part), self._reader, self._job.known)
        for table, kind in ((bad, ".bad"), (good, "")):  # the good ones last: they mark the part as done
            # Opened here, since Arrow itself opens no name that is not UTF-8.
            with storage.whole_file(_file(self._job, number, kind)) as temporary, temporary.open("wb") as file:
                pq.write_table(table, file)
        return number

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[int]]:
        """A batch of Ray Data: numbers, and parts as JSON."""
        pairs = zip(batch["number"], batch["part"], strict=True)
        return {"number": [self.read(int(number), _from_json(str(text))) for number, text in pairs]}


_worker: PartReader | None = None  # of this process


def _begin_worker(job: Job) -> None:
    global _worker
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it at once and without a word
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _worker = PartReader(job)


def _end_with_parent() -> None:
    """End this process when the one that gives it parts was killed: nobody would, and it would wait for parts for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)  # parts are written whole or not at all


def _read_part(number: int, part: Part) -> int:
    assert _worker is not None
    return _worker.read(number, part)


def _here(job: Job, numbered: Sequence[tuple[int, Part]], n_processes: int | None) -> Iterator[int]:
    """Read parts in processes of this machine. After a process died, new ones take up what is left."""
    left, n_deaths = list(numbered), 0
    while left and n_deaths < limits.from_environment().max_attempts:
        n_workers = min(n_processes or os.cpu_count() or 1, len(left))
        spawn = multiprocessing.get_context("spawn")
        try:
            with ProcessPoolExecutor(n_workers, spawn, initializer=_begin_worker, initargs=(job,)) as pool:
                try:
                    for future in as_completed([pool.submit(_read_part, *one) for one in left]):
                        yield future.result()
                        n_deaths = 0
                except BaseException:
                    pool.shutdown(cancel_futures=True)
                    raise
        except BrokenProcessPool:
            n_deaths += 1
        left = [one for one in left if not _file(job, one[0]).is_file()]


def _on_ray(job: Job, numbered: Sequence[tuple[int, Part]], address: str) -> Iterator[int]:
    """Read parts in actors of a Ray cluster, through Ray Data; an actor that dies is replaced and its part read again."""
    if not numbered:
        return
    with places.joined(address) as ray:
        import ray.data as data

        context = data.DataContext.get_current()
        context.enable_progress_bars = False
        context.print_on_execution_start = False
        n_actors = min(len(numbered), max(1, int(ray.cluster_resources().get("CPU", 1))))
        items = [{"number": number, "part": json.dumps(part)} for number, part in numbered]
        found = data.from_items(items, override_num_blocks=len(items)).map_batches(
            PartReader,
            fn_constructor_args=(job,),
            compute=data.ActorPoolStrategy(size=n_actors),
            batch_size=1,
            num_cpus=1,
        )
        try:
            for row in found.iter_rows():
                yield row["number"]
        except ray.exceptions.RayError as problem:
            print(f"note: {next(iter(str(problem).splitlines()), '')}", file=sys.stderr)


def _from_json(text: str) -> Part:
    kind, names, *numbers = json.loads(text)
    return Part(kind, tuple(names), *numbers)


def _joined(files: Iterable[Path], schema: Any, out: Path) -> int:
    """Write the tables of all parts into one file, a row group a part; return how many rows it has."""
    n = 0
    with (
        storage.whole_file(out) as temporary,
        temporary.open("wb") as stream,
        pq.ParquetWriter(stream, schema, compression="zstd") as writer,
    ):
        for path in files:
            try:
                with path.open("rb") as part:
                    table = pq.read_table(part, schema=schema)
            except OSError as problem:
                raise StorageError(f"cannot read {path}: {problem}; read once more") from problem
            n += table.num_rows
            if table.num_rows:
                writer.write_table(table)
    return n
