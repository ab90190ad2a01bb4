"""What `tenfold read` leaves: readings as text, tables or JSON on standard output, and annotated copies."""

from __future__ import annotations

import csv
import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from tenfold import storage
from tenfold.errors import UsageError

if TYPE_CHECKING:
    from tenfold.read.reader import Reading


class OutputFormat(StrEnum):
    """How readings are printed."""

    text = "text"
    tsv = "tsv"
    json = "json"
    csv = "csv"


class Copies:
    """Annotated copies, each under a name of its own."""

    def __init__(self, folder: Path | None) -> None:
        self._folder, self._taken = folder, set[str]()

    def keep(self, name: str, reading: Reading) -> None:
        if self._folder is None:
            return
        from tenfold.read.annotating import is_annotated, mark

        stem = "stdin" if name == "-" else Path(name).stem
        free = next(s for s in (stem, *(f"{stem}-{k}" for k in range(2, 10**6))) if s not in self._taken)
        self._taken.add(free)
        path = self._folder / f"{free}.png"
        if storage.exists(path) and not is_annotated(path):
            raise UsageError(f"--annotate {self._folder}: {path} is there already and is no such copy; name another folder")
        image = reading.annotated()
        with storage.whole_file(path) as file:
            image.save(file, "PNG", pnginfo=mark())


def _encodable(text: str) -> str:
    """A text for standard output, with escapes for what its encoding has not."""
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


class _CsvLines:
    r"""Standard output for `csv.writer`, which would not quote a name for its `\r` if its own lines did not end in one."""

    def write(self, row: str) -> None:
        sys.stdout.write(_encodable(row.removesuffix("\r\n")) + "\n")


class Printer:
    """Prints readings as they come; JSON at the end."""

    def __init__(self, form: OutputFormat, alone: bool) -> None:
        self._form, self._alone = form, alone
        self._kept: list[dict[str, object]] = []
        self._csv = csv.writer(_CsvLines(), lineterminator="\r\n")
        if form is OutputFormat.csv:
            self._csv.writerow(["file", "line", "label", "confidence", "x", "y", "width", "height", "accepted"])

    def add(self, page: str, reading: Reading) -> None:
        name = storage.in_utf8(page)
        if self._form is OutputFormat.json:
            self._kept.append(reading.as_dict() | {"file": name})
        elif self._form is OutputFormat.csv:
            for d in reading.digits:
                self._csv.writerow([name, d.line, d.label, f"{d.confidence:.6f}", *d.box, str(d.accepted).lower()])
        elif self._form is OutputFormat.tsv:
            one_line = name.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
            typer.echo(_encodable(f"{one_line}\t" + reading.text.replace("\n", "/")))
        else:
            typer.echo(_encodable(reading.text))

    def end(self) -> None:
        if self._form is OutputFormat.json:
            typer.echo(json.dumps(self._kept[0] if self._alone and len(self._kept) == 1 else self._kept, indent=2))
