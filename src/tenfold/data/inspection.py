"""What a data set looks like: classes, statistics of every pixel, duplicates.

Counts how often each pixel has each of its 256 values; all statistics of pixels follow exactly from those counts. Knows
nothing of networks or figures. Alone in `tenfold.data` it needs pandas, and that only inside `inspect`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tenfold import storage
from tenfold.data.digits import CLASSES, SIDE, Digits
from tenfold.errors import DataError, MissingExtraError

if TYPE_CHECKING:
    from pandas import DataFrame

PIXELS = "pixels.csv"
N_PIXELS = SIDE * SIDE
VALUES = np.arange(256)
# A pixel is near-constant if at most one digit in so many has another value there than the commonest.
NEAR_CONSTANT_ONE_IN = 1000
# Digits counted at a time: 6 MB of indices.
_CHUNK = 1024


@dataclass(frozen=True, eq=False)
class Inspection:
    """What a data set looks like.

    Attributes:
        n_digits: how many digits there are.
        n_columns: of the set as a Kaggle CSV: 784 pixels, and one more for labels.
        counts: how many digits of each class, int64 (10,), or None without labels.
        missing: the classes without any digit, or None without labels.
        pixels: what pandas' `describe` says of every pixel, float64. Index pixel0 to pixel783, row by row from the top left;
            columns count, mean, std (ddof=1; NaN for a single digit), min, 25%, 50%, 75%, max (linear interpolation).
        always_zero: share of the 784 pixels that are 0 in every digit.
        near_constant: share of the 784 pixels where at least 99.9 % of the digits have the same value; includes `always_zero`.
        n_duplicates: digits whose image, pixel by pixel, came before in the set.
        n_conflicts: digits whose image is there under another label too, or None without labels.
        lowest: lowest pixel value of the set.
        highest: highest pixel value of the set.
    """

    n_digits: int
    n_columns: int
    counts: NDArray[np.int64] | None
    missing: tuple[int, ...] | None
    pixels: DataFrame
    always_zero: float
    near_constant: float
    n_duplicates: int
    n_conflicts: int | None
    lowest: int
    highest: int


def inspect(digits: Digits) -> Inspection:
    """Look at a set of digits; 42,000 take well under a second and few megabytes besides the images.

    Raises:
        DataError: there are no digits.
        MissingExtraError: pandas is not installed.
    """
    histograms = count_values(digits)
    labels = digits.labels
    n_duplicates, n_conflicts = _repeated(digits)
    present = np.flatnonzero(histograms.any(axis=0))
    return Inspection(
        n_digits=len(digits),
        n_columns=N_PIXELS + (labels is not None),
        counts=None if labels is None else digits.counts,
        missing=None if labels is None else tuple(np.flatnonzero(digits.counts == 0).tolist()),
        pixels=_describe(histograms),
        always_zero=float((histograms[:, 0] == len(digits)).mean()),
        near_constant=float((len(digits) - histograms.max(axis=1) <= len(digits) // NEAR_CONSTANT_ONE_IN).mean()),
        n_duplicates=n_duplicates,
        n_conflicts=n_conflicts,
        lowest=int(present[0]),
        highest=int(present[-1]),
    )


def count_values(digits: Digits) -> NDArray[np.int64]:
    """In how many digits a pixel has a value, int64 (784, 256): row the pixel, column the value.

    Raises:
        DataError: there are no digits.
    """
    if not len(digits):
        raise DataError(f"{digits.name}: no digits; expected at least one")
    rows = digits.images.reshape(len(digits), N_PIXELS)
    starts = len(VALUES) * np.arange(N_PIXELS)
    counts = np.zeros(N_PIXELS * len(VALUES), np.int64)
    for i in range(0, len(rows), _CHUNK):
        counts += np.bincount((rows[i : i + _CHUNK] + starts).ravel(), minlength=len(counts))
    return counts.reshape(N_PIXELS, len(VALUES))


def deviation(histograms: NDArray[np.int64]) -> NDArray[np.float64]:
    """Standard deviation (ddof=1) of each pixel, float64 (784,), from `count_values`; NaN for a single digit."""
    n = int(histograms[0].sum())
    if n < 2:
        return np.full(len(histograms), np.nan)
    # Whole numbers up to the root: no rounding. The largest, 255² n², fits in 64 bits up to 11 million digits.
    sums, squares = histograms @ VALUES, histograms @ VALUES**2
    return np.asarray(np.sqrt((n * squares - sums**2) / (n * (n - 1))), np.float64)


def folder_for(inspection: Inspection, name: str) -> Path:
    """Where what was found goes unless a folder is named: under the name of the digits, numbered if others have that name."""

    def fits(place: Path) -> bool:
        try:
            return (place / PIXELS).read_bytes() == _pixels_csv(inspection).encode()
        except OSError:
            return True

    return storage.numbered(Path("inspections") / storage.as_name(name), fits)


def write_pixels(inspection: Inspection, folder: Path) -> None:
    """Write the statistics of every pixel into a folder, pixels.csv: a header, then pixel0 to pixel783; it appears whole.

    Raises:
        StorageError: the place cannot be written to.
    """
    storage.write_text(folder / PIXELS, _pixels_csv(inspection))


def _pixels_csv(inspection: Inspection) -> str:
    return str(inspection.pixels.to_csv(index_label="pixel", lineterminator="\n"))


def summary(inspection: Inspection) -> list[tuple[str, str]]:
    """The findings as rows of a short table: what, and how much in plain words."""
    columns = "784 pixels, no label" if inspection.counts is None else "the label and 784 pixels"
    near_constant = f"{_of_pixels(inspection.near_constant)}; one value in at least 99.9 % of the digits"
    return [
        ("digits", f"{inspection.n_digits:,}"),
        ("columns", f"{inspection.n_columns} ({columns})"),
        *_class_rows(inspection),
        ("pixel values", f"{inspection.lowest} to {inspection.highest}"),
        ("pixels always 0", _of_pixels(inspection.always_zero)),
        ("pixels nearly constant", near_constant),
        *_repetition_rows(inspection),
    ]


def excerpt(inspection: Inspection) -> str:
    """The statistics of a few telling pixels as an aligned table: a corner, an edge, the centre, the one that varies most."""
    where = {"pixel0": "top left corner", "pixel14": "top edge", "pixel406": "centre"}
    if inspection.n_digits > 1:
        liveliest = inspection.pixels["std"].idxmax()
        where[liveliest] = ", ".join(filter(None, [where.get(liveliest), "varies most"]))
    few = inspection.pixels.loc[list(where)]
    few.index = [f"{pixel} ({place})" for pixel, place in where.items()]
    formats = dict.fromkeys(few.columns, "{:,.0f}".format) | dict.fromkeys(("mean", "std"), "{:.2f}".format)
    shown: str = few.to_string(formatters=formats)
    return shown


def _describe(histograms: NDArray[np.int64]) -> DataFrame:
    try:
        from pandas import DataFrame
    except ModuleNotFoundError as problem:
        raise MissingExtraError("train", "pandas") from problem
    n = int(histograms[0].sum())
    columns = {
        "count": np.full(N_PIXELS, float(n)),
        "mean": histograms @ VALUES / n,
        "std": deviation(histograms),
        "min": _quantile(histograms, 0.0),
        "25%": _quantile(histograms, 0.25),
        "50%": _quantile(histograms, 0.5),
        "75%": _quantile(histograms, 0.75),
        "max": _quantile(histograms, 1.0),
    }
    return DataFrame(columns, index=[f"pixel{i}" for i in range(N_PIXELS)])


def _quantile(histograms: NDArray[np.int64], share: float) -> NDArray[np.float64]:
    """A quantile of each pixel, float64 (784,): linear between the two values nearest to it in order, as pandas has it."""
    up_to = histograms.cumsum(axis=1)
    place = (int(up_to[0, -1]) - 1) * share
    below = int(place)
    low, high = ((up_to > k).argmax(axis=1) for k in (below, min(below + 1, int(up_to[0, -1]) - 1)))
    return np.asarray(low + (high - low) * (place - below), np.float64)


def _repeated(digits: Digits) -> tuple[int, int | None]:
    """Digits whose image came before, and digits whose image is there under another label too (None without labels)."""
    images, first, which, counts = np.unique(digits.fingerprints, return_index=True, return_inverse=True, return_counts=True)
    n_duplicates = len(digits) - len(images)
    if digits.labels is None:
        return n_duplicates, None
    differs = digits.labels != digits.labels[first][which]
    in_conflict = np.bincount(which[differs], minlength=len(images)) > 0
    return n_duplicates, int(counts[in_conflict].sum())


def _class_rows(found: Inspection) -> list[tuple[str, str]]:
    if found.counts is None or found.missing is None:
        return [("classes", "not known: the set has no labels")]
    missing = f", none of {', '.join(map(str, found.missing))}" if found.missing else ""
    shares = [f"{count:,} ({_percent(count / found.n_digits)})" for count in found.counts]
    return [
        ("classes", f"{CLASSES - len(found.missing)} of {CLASSES}{missing}"),
        *((f"  of class {label}", share) for label, share in enumerate(shares)),
    ]


def _repetition_rows(found: Inspection) -> list[tuple[str, str]]:
    rows = [("duplicates", f"{found.n_duplicates:,} (the same image came before, pixel by pixel)")]
    if found.n_conflicts is not None:
        rows.append(("conflicts", f"{found.n_conflicts:,} (the same image is there under another label too)"))
    return rows


def _of_pixels(share: float) -> str:
    return f"{round(share * N_PIXELS)} of {N_PIXELS} ({_percent(share)})"


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"
