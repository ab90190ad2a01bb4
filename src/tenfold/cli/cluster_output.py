"""What `tenfold ensemble` and `tenfold sweep` print."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tenfold import storage
from tenfold.cli.training_output import how_to_measure
from tenfold.errors import printable
from tenfold.learn import tables
from tenfold.learn.runs import Run

if TYPE_CHECKING:  # Optuna is not needed for an ensemble
    from tenfold.cluster.sweep import Sweep


def what_remains(folder: Path) -> str:
    """What to type after an interrupt."""
    return f"what is finished is kept; go on with the same command and: --resume --run {storage.as_typed(folder)}"


def described_ensemble(run: Run) -> str:
    """The members, their mean and deviation, and what they read together."""
    metrics = run.metrics
    rows = [
        [m["run"], str(m["seed"]), tables.percent(m["val_accuracy"]), tables.percent(m["test_accuracy"])]
        for m in metrics["members"]
    ]
    lines = [tables.table(["member", "seed", "validation", "test"], rows), ""]
    for part, key, n in (("validation", "val_accuracy", "n_validation"), ("test", "test_accuracy", "n_test")):
        if metrics[key] is not None:
            single = metrics["singles"][part]
            alone = f"{tables.percent(single['mean'])} ± {100 * single['deviation']:.2f}"
            lines.append(f"{part:10}  together {tables.percent(metrics[key])}, one alone {alone}, on {metrics[n]:,} digits")
    if metrics["agreement"]:
        unanimous = metrics["agreement"][-1]
        share = unanimous["digits"] / sum(row["digits"] for row in metrics["agreement"])
        lines.append(
            f"agreement   all say the same of {tables.percent(share)}, right in {tables.percent(unanimous['accuracy'])}"
        )
    folder = storage.as_typed(run.folder)
    return "\n".join([*lines, "", f"Next:        {how_to_measure(run)}, tenfold read --model {folder} PICTURE"])


def described_sweep(sweep: Sweep, most: int = 10) -> str:
    """The best trials, and what to type next."""
    keys = list(sweep.trials[0].values) if sweep.trials else []
    rows = [
        [
            str(t.number),
            t.state,
            tables.percent(t.val_accuracy),
            str(t.epochs),
            f"{t.seconds:.1f}",
            *(t.values[k] for k in keys),
        ]
        for t in sweep.trials[:most]
    ]
    ended = [trial for trial in sweep.trials if trial.state != "running"]
    lines = [tables.table(["trial", "state", "validation", "epochs", "seconds", *keys], rows), ""]
    lines.append(
        f"{len(ended)} of {sweep.n_wanted} trials have ended; all of them: {printable(sweep.folder / 'leaderboard.csv')}"
    )
    if len(ended) < sweep.n_wanted:
        lines.append("the time is up; the same command goes on")
    if sweep.best is None:
        return "\n".join([*lines, "none has finished, so there is no best one yet"])
    return "\n".join([*lines, "", f"Next:        tenfold train --recipe {storage.as_typed(sweep.folder / 'best.json')}"])
