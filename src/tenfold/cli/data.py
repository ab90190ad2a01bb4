"""`tenfold inspect` and `tenfold convert`."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tenfold import storage
from tenfold.cli import app, tell
from tenfold.errors import UsageError, printable


class PartName(StrEnum):
    """A part of a data set."""

    train = "train"
    test = "test"
    all = "all"


class FormatName(StrEnum):
    """A format that digits are written in."""

    csv = "csv"
    idx = "idx"
    npz = "npz"
    folder = "folder"


SOURCE_HELP = (
    "mnist, digit-recognizer, a Kaggle CSV (.csv, .csv.gz, .zip), an IDX file, an .npz, corrections (.db) "
    "or a folder of pictures."
)


@app.command(short_help="Show what a data set looks like.")
def inspect(
    data: Annotated[str, typer.Argument(help=SOURCE_HELP)],
    part: Annotated[PartName, typer.Option(help="Which part of the set.")] = PartName.all,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder for pixels.csv and the figures.")] = None,
) -> None:
    """Show what a data set looks like: counts, statistics of every pixel, duplicates, figures."""
    from tenfold.data import inspection
    from tenfold.data.sources import load_checked
    from tenfold.learn import figures, style, tables

    digits = load_checked(data, part.value)
    found = inspection.inspect(digits)
    folder = output or inspection.folder_for(found, digits.name)
    if storage.exists(folder) and not folder.is_dir():
        raise UsageError(f"{folder} is a file; name a folder with --output")
    inspection.write_pixels(found, folder)
    drawn = {"samples": figures.sample_grid, "class_means": figures.class_means, "pixel_deviation": figures.pixel_deviation}
    if digits.labels is not None:
        drawn["class_balance"] = figures.class_balance
    for name, draw in drawn.items():
        style.save(draw(digits), folder / f"{name}.png")
    typer.echo(tables.table(["", digits.name], inspection.summary(found), left=2))
    typer.echo()
    typer.echo(inspection.excerpt(found))
    tell(f"all 784 pixels and {len(drawn)} figures: {printable(folder)}")


@app.command(short_help="Convert digits between file formats.")
def convert(
    source: Annotated[str, typer.Argument(metavar="FROM", help=SOURCE_HELP)],
    target: Annotated[Path, typer.Argument(metavar="TO", help="A .csv, .csv.gz, .zip, .npz or …idx3-ubyte[.gz], or a folder.")],
    part: Annotated[PartName, typer.Option(help="Which part of the set.")] = PartName.all,
    to: Annotated[FormatName | None, typer.Option("--format", help="The format, if the name of TO does not tell.")] = None,
    labels: Annotated[bool, typer.Option("--labels/--no-labels", help="Write the labels too.")] = True,
) -> None:
    """Convert digits between Kaggle CSV, IDX, NPZ and a folder of pictures, exactly."""
    from tenfold.data.sources import load, save

    digits = load(source, part.value)
    if os.path.realpath(source) == os.path.realpath(target) and storage.exists(target):
        raise UsageError(f"{target} is what is converted; name another file, so that nothing of it is lost")
    save(digits if labels else digits.unlabelled(), target, to.value if to else None)
    tell(f"{printable(target)}: {len(digits):,} digits")
