"""`tenfold read`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from tenfold import storage
from tenfold.cli import app, tell
from tenfold.cli.reading_output import Copies, OutputFormat, Printer
from tenfold.errors import PictureError, TenfoldError, UsageError, on_terminal, printable

if TYPE_CHECKING:
    from tenfold.picture import Source
    from tenfold.read.reader import Reader, Reading


class _Known(NamedTuple):
    """What the user knows about every picture."""

    digits: int | None
    pattern: str | None
    check: str | None
    min_confidence: float


@app.command(short_help="Read the digits in pictures.")
def read(
    pictures: Annotated[list[str], typer.Argument(metavar="PICTURE...", help="Pictures, folders; - is standard input.")],
    form: Annotated[
        OutputFormat, typer.Option("--format", help="text: digits; tsv: file, digits; json, csv: all.")
    ] = OutputFormat.text,
    annotate: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Put copies with boxes drawn into DIR, to be looked at.")
    ] = None,
    digits: Annotated[int | None, typer.Option(help="How many digits each picture has.")] = None,
    pattern: Annotated[str | None, typer.Option(help="Where they stand, such as '####-##'.")] = None,
    check: Annotated[str | None, typer.Option(help="Their check digit: luhn or mod11.")] = None,
    min_confidence: Annotated[float, typer.Option(min=0, max=1, help="Refuse a text that is less sure.")] = 0.0,
    with_notes: Annotated[
        bool,
        typer.Option("--notes/--no-notes", help="Say beside the text what is doubtful. Doubtful pictures take longer then."),
    ] = True,
    model: Annotated[
        str | None, typer.Option(help="A run's folder or an .onnx file that has a say in which digit each is.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE.parquet", help="Read in bulk into a Parquet file; CSV and Parquet too."),
    ] = None,
    cluster: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="In bulk: on this Ray cluster; auto: the one here, else a new one.")
    ] = None,
    processes: Annotated[int | None, typer.Option(min=1, help="In bulk, without a cluster: by default one a core.")] = None,
) -> None:
    """Read the digits in pictures of any size, dark on light or light on dark, in reading order.

    What --digits, --pattern or --check say of a field is taken for granted: the likeliest text of such a field is printed
    even if it is unlikely. Refuse it with --min-confidence. A picture without digits, or one that is refused, is no error.
    """
    from tenfold.read.fields import Field
    from tenfold.read.reader import Reader

    model = None if model == "bundled" else model
    Field(pattern, digits, check)  # refuses what is none before anything is read
    if output is not None:
        if annotate is not None or form is not OutputFormat.text:
            raise UsageError("--annotate and --format do not go with -o, which writes a table; leave one of them out")
        _in_bulk(pictures, output, _Known(digits, pattern, check, min_confidence), model, cluster, processes)
        return
    if cluster is not None or processes is not None:
        raise UsageError("--cluster and --processes are for reading in bulk; name a file with -o out.parquet")
    names = list(_named(pictures, annotate))
    reader = Reader(model)
    if annotate is not None:
        _refuse_originals(annotate, names)
        storage.make_folder(annotate)
    printer = Printer(form, alone=len(pictures) == 1 and names == pictures)
    known = _Known(digits, pattern, check, min_confidence)
    n_read, n_failed = _one_by_one(names, reader, known, Copies(annotate), printer, with_notes)
    if n_failed:
        raise typer.Exit(1 if n_read else 2)


def _one_by_one(
    names: list[str], reader: Reader, known: _Known, copies: Copies, printer: Printer, with_notes: bool
) -> tuple[int, int]:
    """Read and print; how many pictures were read, and how many could not be. If there is one alone, its error is raised."""
    from tenfold.read.notes import notes

    def read_one(source: Source) -> Reading:
        return reader.read(source, **known._asdict())

    n_read = n_failed = 0
    for name, clear in _with_bar(names):
        try:
            for page, source in _pages(name):
                with _errors_of(page, source):
                    reading = read_one(source)
                copies.keep(page, reading)
                clear()
                try:
                    _note(page, notes(reading, read_one, known.min_confidence) if with_notes else ())
                finally:  # notes look at the picture once more; if it is gone by then, it has been read all the same
                    printer.add(page, reading)
                    n_read += 1
        except TenfoldError as problem:
            if len(names) == 1 and not n_read:
                raise
            clear()
            tell(f"error: {problem}")
            n_failed += 1
    printer.end()
    return n_read, n_failed


def _note(page: str, said: Iterable[str]) -> None:
    for one in said:
        tell(f"note: {printable(page)}: {one}")


@contextmanager
def _errors_of(page: str, source: Source) -> Iterator[None]:
    """Errors of bytes do not know where these come from."""
    try:
        yield
    except PictureError as problem:
        if not isinstance(source, bytes):
            raise
        raise PictureError(f"{page}: {str(problem).removeprefix('picture: ')}") from problem


def _in_bulk(
    sources: list[str], output: Path, known: _Known, model: str | None, cluster: str | None, processes: int | None
) -> None:
    """Read into a Parquet file, in many processes."""
    from tenfold.cluster import bulk
    from tenfold.cluster.answers import Known

    places = {"address": cluster, "n_processes": processes, "tell": _show_progress if on_terminal() else None}
    done = bulk.read(sources, output, model=None if model is None else Path(model), known=Known(*known), **places)  # type: ignore[arg-type]
    if done.missing:
        tell(f"error: {len(done.missing)} parts could not be read, their processes died; the same command goes on")
        raise typer.Exit(1)
    tell(f"{printable(output)}: {_rows(done.n_good)}")
    if done.n_bad:
        tell(f"{printable(bulk.bad_rows(output))}: {_rows(done.n_bad)} that could not be read, with the reason")
        raise typer.Exit(1 if done.n_good else 2)


def _rows(n: int) -> str:
    return "1 row" if n == 1 else f"{n:,} rows"


def _show_progress(done: int, of: int) -> None:
    typer.echo(f"\r{done:,} of {of:,} parts", err=True, nl=done == of)


def _named(given: Iterable[str], annotate: Path | None) -> Iterator[str]:
    """The pictures themselves, in the place of each folder those in it, by name, but for earlier copies of --annotate."""
    from tenfold.picture import SUFFIXES_WITH_PAGES

    is_copy = _copies_in(annotate)

    for name in given:
        if not name:
            raise UsageError("the name of a picture is empty; expected a picture, a folder or -")
        path = Path(name)
        if name == "-" or not path.is_dir():
            yield name
            continue
        files = (file for file in storage.files_below(path) if file.suffix.lower() in SUFFIXES_WITH_PAGES and file.is_file())
        inside = sorted(str(file) for file in files if not is_copy(file))
        yield from inside or [name]  # one without any fails in its turn, as a missing picture does


def _copies_in(annotate: Path | None) -> Callable[[Path], bool]:
    """What tells whether a file is a copy that an earlier command put into the folder of --annotate."""
    if annotate is None:
        return lambda _: False
    from tenfold.read.annotating import is_annotated

    folder = os.path.realpath(annotate)
    return lambda file: file.suffix == ".png" and os.path.realpath(file.parent) == folder and is_annotated(file)


def _refuse_originals(annotate: Path, names: Iterable[str]) -> None:
    """Copies beside the pictures could replace some of them."""
    folder = Path(os.path.realpath(annotate))  # which takes rings of links too
    for name in names:
        if name != "-" and Path(os.path.realpath(name)).parent == folder:
            raise UsageError(
                f"--annotate {annotate}: {name} lies there and could be replaced; name another folder for the copies"
            )


def _pages(name: str) -> Iterator[tuple[str, Source]]:
    from tenfold.picture import content_of, pages

    if name == "-":
        if sys.stdin is None:
            raise PictureError("-: standard input is closed")
        return pages("-", content_of("-", sys.stdin.buffer))
    if Path(name).is_dir():
        raise PictureError(f"folder {name}: holds no pictures; expected files such as .png or .jpg")
    if storage.exists(Path(name)) and storage.is_stream(Path(name)):
        return pages(name, content_of(name))  # it comes once, while copies and notes need the picture again
    return pages(name)


def _with_bar(names: list[str]) -> Iterator[tuple[str, Callable[[], None]]]:
    """The names, with a bar on a terminal's standard error if they are many; and what takes the bar away before a line."""
    if len(names) < 10 or not on_terminal():
        for name in names:
            yield name, lambda: None
        return

    def clear() -> None:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()

    with typer.progressbar(names, label="reading", file=sys.stderr) as bar:
        for name in bar:
            yield name, clear
