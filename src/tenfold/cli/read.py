"""`tenfold read`."""

from __future__ import annotations

import csv
import json
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from tenfold.cli import app
from tenfold.errors import TenfoldError

if TYPE_CHECKING:
    from tenfold.read.reader import Reading


class OutputFormat(StrEnum):
    """How readings are printed."""

    text = "text"
    tsv = "tsv"
    json = "json"
    csv = "csv"


@app.command(short_help="Read the digit in a picture.")
def read(
    pictures: Annotated[list[str], typer.Argument(metavar="PICTURE...", help="Pictures of one digit; - is standard input.")],
    form: Annotated[
        OutputFormat, typer.Option("--format", help="text: digits; tsv: file, digits; json, csv: all.")
    ] = OutputFormat.text,
    model: Annotated[str | None, typer.Option(help="A run's folder or an .onnx file instead of the bundled model.")] = None,
) -> None:
    """Read the digit in a picture, of any size, dark on light or light on dark."""
    from tenfold.read.reader import Reader

    reader = Reader(model)
    failed = 0
    readings = []
    for name in pictures:
        try:
            reading = reader.read(sys.stdin.buffer.read() if name == "-" else name)
        except TenfoldError as problem:
            if len(pictures) == 1:
                raise
            typer.echo(f"error: {problem}", err=True)
            failed += 1
            continue
        if not reading.digits:
            typer.echo(f"note: {name}: no ink found", err=True)
        elif not reading.text:
            typer.echo(f"note: {name}: nothing read; its best guess is below the model's threshold", err=True)
        readings.append((name, reading))
    _print(readings, form)
    if failed == len(pictures):
        raise typer.Exit(2)
    if failed:
        raise typer.Exit(1)


def _print(readings: list[tuple[str, Reading]], form: OutputFormat) -> None:
    if form is OutputFormat.json:
        found = [reading.as_dict() | {"file": name} for name, reading in readings]
        typer.echo(json.dumps(found[0] if len(found) == 1 else found, indent=2))
    elif form is OutputFormat.csv:
        _print_csv(readings)
    else:
        for name, reading in readings:
            prefix = f"{name}\t" if form is OutputFormat.tsv else ""
            typer.echo(prefix + (reading.text.replace("\n", "/") if prefix else reading.text))


def _print_csv(readings: list[tuple[str, Reading]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["file", "line", "label", "confidence", "x", "y", "width", "height", "accepted"])
    for name, reading in readings:
        for digit in reading.digits:
            writer.writerow([name, digit.line, digit.label, f"{digit.confidence:.6f}", *digit.box, str(digit.accepted).lower()])
