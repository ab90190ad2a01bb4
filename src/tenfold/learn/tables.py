"""Plain-text tables for a terminal, a log or a notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tenfold.errors import printable

_HISTORY_TITLES = {
    "epoch": "epoch",
    "loss": "training loss",
    "accuracy": "training accuracy",
    "val_loss": "validation loss",
    "val_accuracy": "validation accuracy",
}


def table(titles: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Align rows of text under titles; the first `left` columns to the left, the others to the right.

    Names of files, and what is said in files of others, steer no terminal: what is not printable is escaped.
    """
    titles, rows = [printable(title) for title in titles], [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        aligned = (cell.ljust(w) if i < left else cell.rjust(w) for i, (cell, w) in enumerate(zip(cells, widths, strict=True)))
        return "  ".join(aligned).rstrip()

    return "\n".join([line(titles), line(["-" * width for width in widths]), *map(line, rows)])


def network(layers: Sequence[tuple[str, str, int]]) -> str:
    """The layers of a network, their output shapes and parameters, and the sum; batch norms are not counted when it reads."""
    rows = [(name, shape, f"{n:,}") for name, shape, n in layers]
    total = sum(n for _, _, n in layers)
    whole = table(["layer", "output shape", "parameters"], [*rows, ("all, in training", "", f"{total:,}")], left=2)
    has_norms = any("norm" in name for name, _, _ in layers)
    return whole + ("\nin the exported model batch norms are part of the layers beside them" if has_norms else "")


def history(columns: Mapping[str, Sequence[float | None]]) -> str:
    """Epoch, training loss and accuracy, validation loss and accuracy, a line an epoch."""
    rows = zip(*(columns[name] for name in _HISTORY_TITLES), strict=True)
    return table(
        list(_HISTORY_TITLES.values()),
        [[str(epoch), *("-" if v is None else f"{v:.4f}" for v in values)] for epoch, *values in rows],
        left=0,
    )


def percent(share: float | None, digits: int = 2) -> str:
    """0.9681 as '96.81 %', None as '-'."""
    return "-" if share is None else f"{share * 100:.{digits}f} %"


def interval(bounds: Sequence[float] | None) -> str:
    """[0.968, 0.972] as '96.80-97.20 %'."""
    return "-" if bounds is None else f"{bounds[0] * 100:.2f}-{bounds[1] * 100:.2f} %"
