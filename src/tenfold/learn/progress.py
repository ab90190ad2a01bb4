"""What a person sees while a network learns: live on a terminal, nothing elsewhere. Also the logs for TensorBoard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tenfold.errors import MissingExtraError
from tenfold.learn.compiled import Totals

if TYPE_CHECKING:
    from rich.progress import ProgressColumn

# Layer, output shape and number of parameters, layer by layer.
Network = Sequence[tuple[str, str, int]]


class Observer:
    """Is told how a training goes; this one does nothing."""

    def training_begins(self, folder: Path, network: Network, n_training: int, n_validation: int) -> None:
        """A training in a run folder begins; `network` is what `networks.summary` says, the counts are of digits."""

    def epoch_begins(self, epoch: int, n_epochs: int, n_steps: int) -> None:
        """Epoch `epoch` (from 1) of `n_epochs` begins; it has `n_steps` steps."""

    def steps_done(self, n_done: int, totals: Totals) -> None:
        """So many steps of the epoch are done, with these sums over their digits."""

    def epoch_ends(self, row: Mapping[str, float | None]) -> None:
        """The epoch is over; `row` has the columns of history.csv."""

    def measuring(self) -> None:
        """All epochs are over, and further trainings tell what they brought."""

    def stopping(self) -> None:
        """Somebody asked the training to stop; it saves first. Comes from a thread of its own."""

    def close(self) -> None:
        """The training is over, well or not."""


class LiveProgress(Observer):
    """A bar that fills, with loss, accuracy and seconds left; each finished epoch stays on the screen as a line."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self._title, self._n_before, self._n_steps = "", 0, 0
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[figures]}"),
            _time_left(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._progress.add_task("compiling", total=None, figures="")

    def training_begins(self, folder: Path, network: Network, n_training: int, n_validation: int) -> None:
        self._progress.start()

    def epoch_begins(self, epoch: int, n_epochs: int, n_steps: int) -> None:
        self._title = f"epoch {epoch:{len(str(n_epochs))}}/{n_epochs}"
        # Only what is done in this process counts for the seconds left, so a resumed training starts at none.
        if not self._n_steps:
            self._progress.update(self._task, total=(n_epochs - epoch + 1) * n_steps)
        self._n_steps = n_steps
        self._progress.update(self._task, description=self._title)

    def steps_done(self, n_done: int, totals: Totals) -> None:
        figures = f"loss {totals.loss / totals.n_digits:.4f}  accuracy {totals.n_correct / totals.n_digits:7.2%}"
        self._progress.update(self._task, completed=self._n_before + n_done, figures=figures)

    def epoch_ends(self, row: Mapping[str, float | None]) -> None:
        self._n_before += self._n_steps
        held_out = row["val_loss"] is not None
        validation = f"   validation {row['val_loss']:.4f} {row['val_accuracy']:7.2%}" if held_out else ""
        self._progress.console.print(
            f"{self._title}   loss {row['loss']:.4f}  accuracy {row['accuracy']:7.2%}{validation}   {row['seconds']:.1f} s",
            highlight=False,
        )

    def measuring(self) -> None:
        self._progress.update(self._task, description="further trainings tell what it brought", total=None, figures="")

    def close(self) -> None:
        self._progress.stop()


def _time_left() -> ProgressColumn:
    """The time left, once it can be told; before that nothing."""
    from rich.progress import Task, TimeRemainingColumn
    from rich.text import Text

    class TimeLeft(TimeRemainingColumn):
        def render(self, task: Task) -> Text:
            known = task.total is not None and task.time_remaining is not None
            return Text.assemble(super().render(task), " left") if known else Text()

    return TimeLeft(compact=True)


class TensorBoardLog(Observer):
    """Writes the columns of history.csv as scalars that TensorBoard shows, on either backend."""

    def __init__(self, folder: Path) -> None:
        try:
            from tensorboard.summary import Writer
        except ModuleNotFoundError as problem:
            raise MissingExtraError("train", "tensorboard") from problem
        self._writer: Any = Writer(str(folder))

    def epoch_ends(self, row: Mapping[str, float | None]) -> None:
        for column, value in row.items():
            if column != "epoch" and value is not None:
                self._writer.add_scalar(_scalar_name(column), value, row["epoch"])
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()


def _scalar_name(column: str) -> str:
    """`val_loss` becomes `loss/validation`: TensorBoard shows what has one prefix in one group."""
    return f"{column.removeprefix('val_')}/validation" if column.startswith("val_") else f"{column}/training"
