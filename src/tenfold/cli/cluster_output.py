"""What `tenfold ensemble` and `tenfold sweep` print."""

from __future__ import annotations

import shlex
from pathlib import Path

from tenfold.learn import tables
from tenfold.learn.runs import Run


def what_remains(folder: Path) -> str:
    """What to type after an interrupt."""
    return f"what is finished is kept; go on with the same command and: --resume --run {shlex.quote(str(folder))}"


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
    after = "" if metrics["n_test"] else " --data FILE"
    folder = shlex.quote(str(run.folder))
    return "\n".join([*lines, "", f"Next:        tenfold evaluate {folder}{after}, tenfold read --model {folder} PICTURE"])
