"""Reading pictures: tenfold beside RapidOCR and Tesseract, on composed pictures and on any folders with a truth.tsv.

Prints a table: share of pictures whose text is read exactly, character error rate (edit distance over the length of the truth),
milliseconds a picture; and for tenfold how exact the readings are that it is sure of, and how its errors on composed pictures
depend on how far their ink stands out. Draws docs/images/kept.png: how many texts are kept, and how many of these are right.

Composed pictures are made from MNIST's test digits, or with all numbers in print, and with words, in fonts that the networks
were not trained with if some are installed (Debian: fonts-liberation, fonts-breip, fonts-bwht, fonts-dkg-handwriting,
fonts-femkeklaver).

Usage: .venv/bin/python benchmarks/reading.py [PICTURES] [FOLDER ...]
RapidOCR needs benchmarks/requirements.txt, Tesseract its program (Debian: tesseract-ocr); who is missing is left out.
"""

from __future__ import annotations

import functools
import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

import tenfold
from tenfold import picture
from tenfold.learn import clutter, style, weighing
from tenfold.learn.composing import PRINTED, Composer
from tenfold.learn.sheets import Page
from tenfold.picture.ink import otsu

_FONTS = Path("/usr/share/fonts")
_HELD_OUT = (
    "opentype/bwht/*.otf",
    "truetype/liberation/*.ttf",
    "truetype/breip/*.ttf",
    "truetype/femkeklaver/*.ttf",
    "truetype/fifthhorseman/*.ttf",
)
_PRINT = "liberation"  # the others are by hand
_SEED = 9
IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
_LABEL_APART = 0.02  # of all: labels of curves that end closer would cover each other
_SHOWN, _COLUMN, _GAP = 8, 560, 24  # examples on the sheet; pixels of a column and around each example
_FEWEST = 10  # texts; of fewer, a share says nothing

Read = Callable[[NDArray[np.uint8]], str]


class Sample(NamedTuple):
    """A picture, uint8 (H, W) or (H, W, 3), its digits, rows joined by a line end, and how far ink stands out, where known."""

    pixels: NDArray[np.uint8]
    truth: str
    clearness: float = np.nan


def main() -> None:
    arguments = sys.argv[1:]
    n = int(arguments.pop(0)) if arguments and arguments[0].isdigit() else 300
    sets = {f"{n} composed pictures": composed(n), f"{n} with all numbers in print": composed(n, in_print=True)}
    sets |= {folder: from_folder(Path(folder)) for folder in arguments}
    print("| pictures | reader | exact | character error rate | ms a picture |")
    print("|---|---|---|---|---|")
    for name, samples in sets.items():
        for who, read in readers():
            print(f"| {name} | {who} | {measured(read, samples)} |", flush=True)
    print("\n| pictures | refused below | share of texts kept | share of them right |")
    print("|---|---|---|---|")
    reader = tenfold.Reader()
    readings = {name: [reader.read(sample.pixels) for sample in samples] for name, samples in sets.items()}
    for name, samples in sets.items():
        for row in coverage(readings[name], samples):
            print(f"| {name} | {row} |")
    curves = {Path(name).name: kept_and_right(readings[name], samples) for name, samples in sets.items() if len(samples) > 20}
    style.save(figure(curves), IMAGES / "kept.png")
    sheet(next(iter(readings.values())), next(iter(sets.values()))).save(IMAGES / "examples.png")
    print("\n| composed pictures | exact | character error rate |\n|---|---|---|")
    name, samples = next(iter(sets.items()))
    for row in by_clearness(readings[name], samples):
        print(f"| {row} |")
    print("\n| on one core | |\n|---|---|")
    for row in speed():
        print(f"| {row} |", flush=True)


def composed(n: int, in_print: bool = False) -> list[Sample]:
    """Pictures of any size, as `weighing.picture` composes them, from MNIST's test digits; or all of their numbers printed."""
    patterns = [pattern for pattern in _HELD_OUT if _PRINT in pattern or not in_print]
    fonts = [file for pattern in patterns for file in sorted(_FONTS.glob(pattern))] or clutter.packaged_fonts()
    composer = Composer(tenfold.load("mnist", "test"), fonts, printed=1.0 if in_print else PRINTED)
    pages = (weighing.picture(composer, np.random.default_rng([_SEED, k])) for k in range(n))
    return [Sample(page.picture, page.text, clearness(page)) for page in pages]


def clearness(page: Page) -> float:
    """How far ink stands out: its mean distance from the paper over the standard deviation within both, median over digits.

    Ink and paper of a digit are parted by Otsu's threshold in its box.
    """
    told = []
    for x, y, width, height in page.boxes.astype(int):
        part = page.picture[y : y + height, x : x + width].astype(np.float32)
        ink = part < otsu(part)
        if ink.any() and not ink.all():
            spread = np.sqrt((part[ink].var() + part[~ink].var()) / 2)
            told.append((part[~ink].mean() - part[ink].mean()) / max(spread, 1))
    return float(np.median(told)) if told else np.nan


def by_clearness(readings: Sequence[tenfold.Reading], samples: Sequence[Sample]) -> Iterable[str]:
    """Errors on four quarters of the composed pictures."""
    both = zip(readings, samples, strict=True)
    known = sorted(((s.clearness, r.text, s) for r, s in both if not np.isnan(s.clearness)), key=lambda one: one[0])
    for k, name in enumerate(("ink that stands out least, a quarter of all", "the second quarter", "the third", "most")):
        clear, texts, part = zip(*known[k * len(known) // 4 : (k + 1) * len(known) // 4], strict=True)
        yield f"{name} ({clear[0]:.1f} to {clear[-1]:.1f}) | {shares(texts, part)}"


def from_folder(folder: Path) -> list[Sample]:
    """The pictures that truth.tsv names: file, tab, digits with / between rows; spaces do not count."""
    lines = (folder / "truth.tsv").read_text("utf-8").splitlines()
    pairs = [line.split("\t") for line in lines if line.strip()]
    return [Sample(picture.decode(folder / f), text.replace(" ", "").strip().replace("/", "\n")) for f, text in pairs]


def readers() -> Iterable[tuple[str, Read]]:
    reader = tenfold.Reader()
    yield "tenfold", lambda pixels: reader.read(pixels).text
    try:
        from rapidocr_onnxruntime import RapidOCR
    except ModuleNotFoundError:
        print("RapidOCR is not installed", file=sys.stderr)
    else:
        rapid = RapidOCR()
        yield "RapidOCR 1.4.4", lambda pixels: in_rows(rapid(rgb(pixels))[0] or [])
    if shutil.which("tesseract"):
        yield "Tesseract, digits only", tesseract
    else:
        print("tesseract is not installed", file=sys.stderr)


def rgb(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(pixels).convert("RGB"))


def in_rows(found: Sequence[Any]) -> str:
    """RapidOCR's boxes in reading order, digits only; boxes whose middles are less than half a height apart share a row."""
    boxes = [(np.asarray(corners, float), text) for corners, text, _ in found]
    items = sorted((c[:, 1].mean(), c[:, 0].mean(), np.ptp(c[:, 1]), text) for c, text in boxes)
    rows: list[list[tuple[float, str]]] = []
    last = -np.inf
    for y, x, height, text in items:
        if y - last > 0.5 * height:
            rows.append([])
            last = y
        rows[-1].append((x, text))
    texts = ["".join(c for _, text in sorted(row) for c in text if c in "0123456789") for row in rows]
    return "\n".join(text for text in texts if text)


def tesseract(pixels: NDArray[np.uint8]) -> str:
    with tempfile.NamedTemporaryFile(suffix=".png") as file:
        Image.fromarray(pixels).save(file.name)
        command = ["tesseract", file.name, "stdout", "--psm", "6", "-c", "tessedit_char_whitelist=0123456789"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    rows = ("".join(c for c in line if c in "0123456789") for line in done.stdout.splitlines())
    return "\n".join(row for row in rows if row)


def measured(read: Read, samples: Sequence[Sample]) -> str:
    started = time.perf_counter()
    texts = [read(sample.pixels) for sample in samples]
    each = (time.perf_counter() - started) / len(samples)
    return f"{shares(texts, samples)} | {1000 * each:.0f}"


def shares(texts: Sequence[str], samples: Sequence[Sample]) -> str:
    """How many texts are exact, and the character error rate."""
    exact = np.mean([text == sample.truth for text, sample in zip(texts, samples, strict=True)])
    wrong = sum(edits(text, sample.truth) for text, sample in zip(texts, samples, strict=True))
    return f"{exact:.1%} | {wrong / sum(len(sample.truth) for sample in samples):.1%}"


def edits(text: str, truth: str) -> int:
    """The least number of insertions, deletions and changes (Levenshtein)."""
    row = list(range(len(truth) + 1))
    for i, a in enumerate(text, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(truth, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


def coverage(readings: Sequence[tenfold.Reading], samples: Sequence[Sample]) -> Iterable[str]:
    sure = np.array([reading.confidence for reading in readings])
    right = np.array([reading.text == sample.truth for reading, sample in zip(readings, samples, strict=True)])
    for least in (0.0, 0.5, 0.8, 0.9, 0.95, 0.99):
        kept = sure >= least
        yield f"{least:.0%} | {kept.mean():.1%} | {right[kept].mean() if kept.any() else float('nan'):.1%}"


def kept_and_right(readings: Sequence[tenfold.Reading], samples: Sequence[Sample]) -> NDArray[np.float64]:
    """The least sure refused one after the other: float64 (2, n), the share that is kept, and how many of these are right."""
    right = np.array([reading.text == sample.truth for reading, sample in zip(readings, samples, strict=True)])
    right = right[np.argsort([-reading.confidence for reading in readings], kind="stable")]
    n = np.arange(1, len(right) + 1)
    return np.array([n / len(right), np.cumsum(right) / n])


def sheet(readings: Sequence[tenfold.Reading], samples: Sequence[Sample]) -> Image.Image:
    """The first pictures, none chosen, with what was read drawn over them and in words below: two columns."""
    shown = []
    for reading, sample in list(zip(readings, samples, strict=True))[:_SHOWN]:
        image = reading.annotated()
        image.thumbnail((_COLUMN, 2 * _COLUMN))
        shown.append(
            (image, "right" if reading.text == sample.truth else f"is {sample.truth.replace(chr(10), '/') or 'nothing'}")
        )
    columns: list[list[tuple[Image.Image, str]]] = [[], []]
    for one in shown:
        min(columns, key=lambda column: sum(image.height + 3 * _GAP for image, _ in column)).append(one)
    height = max(sum(image.height + 3 * _GAP for image, _ in column) for column in columns) + _GAP
    made = Image.new("RGB", (2 * (_COLUMN + _GAP) + _GAP, height), "white")
    draw, font = ImageDraw.Draw(made), ImageFont.load_default(15)
    for k, column in enumerate(columns):
        x, y = _GAP + k * (_COLUMN + _GAP), _GAP
        for image, said in column:
            made.paste(image, (x, y))
            y += image.height + 6
            draw.text((x, y), said, fill=style.TEXT if said == "right" else style.RED, font=font)
            y += 3 * _GAP - 6
    return made


@style.in_house_style
def figure(curves: dict[str, NDArray[np.float64]]) -> Figure:
    """Share of texts right against share kept, a line for each set of pictures."""
    made = style.new_figure(
        8.4, 5.4, "Refusing the texts it is least sure of", "to the left fewer are kept, and more of these are right"
    )
    axes = made.subplots()
    lowest = 0.0
    ends = sorted(curves.items(), key=lambda curve: float(curve[1][1][-1]))
    for (name, (kept, right)), colour in zip(ends, (style.BLUE, style.RED, style.TEXT), strict=False):
        shown = kept >= _FEWEST / len(kept)
        axes.plot(kept[shown], right[shown], color=colour, lw=2)
        lowest = max(lowest + _LABEL_APART, float(right[-1]))
        axes.annotate(name, (1, lowest), (6, 0), textcoords="offset points", va="center", color=colour, weight="bold")
    axes.set(xlabel="share of texts kept", ylabel="share of these that are right", xlim=(0, 1), ylim=(None, 1.005))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    return made


def speed() -> Iterable[str]:
    """How fast one core reads a photo of ten digits, a large one, and glyphs; medians of 7."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    reader = tenfold.Reader(threads=1)
    digits = tenfold.load("mnist", "test")
    photo = photo_of_ten(digits.images[:10])
    text = "\n".join("".join(str(k) for k in digits.known_labels[i : i + 5]) for i in (0, 5))
    for width, height in ((1160, 870), (4000, 3000)):
        file = io.BytesIO()
        Image.fromarray(photo).resize((width, height), Image.Resampling.BICUBIC).save(file, "JPEG", quality=90)
        said = "right" if reader.read(file.getvalue()).text == text else "wrong"
        taken = median_seconds(functools.partial(reader.read, file.getvalue()))
        yield f"JPEG of ten digits, {width} x {height} | {1000 * taken:.0f} ms, {said}"
    taken = median_seconds(lambda: reader.classify(digits.images[:5000]))
    yield f"glyphs | {5000 / taken:,.0f} a second"


def median_seconds(work: Callable[[], object]) -> float:
    work()
    times = []
    for _ in range(7):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return float(np.median(times))


def photo_of_ten(glyphs: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Ten digits in two rows in the middle of paper, with grain and a slope of light: uint8 (870, 1160, 3)."""
    page = np.full((870, 1160), 200.0)
    for i, glyph in enumerate(glyphs):
        large = np.asarray(Image.fromarray(glyph).resize((130, 130), Image.Resampling.BICUBIC), float) / 255
        y, x = 260 + 180 * (i // 5), 200 + 150 * (i % 5)
        page[y : y + 130, x : x + 130] -= 160 * large
    page *= np.linspace(0.75, 1.1, 1160)
    page += np.random.default_rng(0).normal(0, 4, page.shape)
    return np.asarray(Image.fromarray(np.clip(page, 0, 255).astype(np.uint8)).convert("RGB"))


if __name__ == "__main__":
    main()
