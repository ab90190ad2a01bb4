"""What a person sees of many trainings: a live table on a terminal, else a line for each that ends."""

from __future__ import annotations

import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from tenfold.cluster import trainings
from tenfold.errors import RunError, on_terminal
from tenfold.learn import runs, tables

_SHOWN = 24  # rows of the live table: the newest
_TITLES = ("run", "state", "on", "epochs", "loss", "validation")
_LABELS = ("", "", "on ", "epochs ", "", "validation ")  # of the same in a line


class Progress(NamedTuple):
    """How far a training is: its finished epochs, and the newest figures; None where there are none."""

    epochs: int
    loss: float | None
    val_accuracy: float | None


def progress(folder: Path) -> Progress:
    """How far the training in a folder is."""
    try:
        history = runs.read_history(folder / "history.csv")
    except RunError:  # not written yet
        return Progress(0, None, None)
    return Progress(len(history["epoch"]), *(history[key][-1] if history[key] else None for key in ("loss", "val_accuracy")))


class Watch:
    """Shows how trainings go. To be used as a context."""

    def __init__(self, n_epochs: int) -> None:
        self._n_epochs = n_epochs
        self._said: set[str] = set()
        self._live: Any = None

    def __enter__(self) -> Watch:
        if on_terminal():
            from rich.console import Console
            from rich.live import Live

            self._live = Live(console=Console(stderr=True), auto_refresh=False)
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, states: Mapping[str, str], folder: Path) -> None:
        """Show the state of each training, by the name of its run in a folder."""
        if self._live is not None:
            self._live.update(
                _drawn([self._row(folder / name, state) for name, state in list(states.items())[-_SHOWN:]]), refresh=True
            )
            return
        for name, state in states.items():
            if state not in ("waiting", "running") and name not in self._said:
                self._said.add(name)
                pairs = zip(_LABELS, self._row(folder / name, state), strict=True)
                print("  ".join(label + value for label, value in pairs if value), file=sys.stderr, flush=True)

    def _row(self, run: Path, state: str) -> list[str]:
        now, machines = progress(run), trainings.machines(Path(f"{run}.log"))
        if state == "running" and not machines:
            state = "waiting"
        again = f" (attempt {len(machines)})" if len(machines) > 1 and state == "running" else ""
        loss = "" if now.loss is None else f"loss {now.loss:.4f}"
        share = "" if now.val_accuracy is None else tables.percent(now.val_accuracy)
        elsewhere = machines[-1] if machines and machines[-1] != socket.gethostname() else ""
        return [run.name, state + again, elsewhere, f"{now.epochs}/{self._n_epochs}", loss, share]


def _drawn(rows: Sequence[Sequence[str]]) -> Any:
    from rich.table import Table

    table = Table(*_TITLES, box=None, header_style="dim", padding=(0, 2, 0, 0))
    for row in rows:
        table.add_row(*row)
    return table
