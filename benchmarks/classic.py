"""The classic experiment as a whole process: `tenfold train --recipe classic --bare` beside a plain Keras script.

Usage: .venv/bin/python benchmarks/classic.py [ROUNDS]
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from pathlib import Path

from side_by_side import in_turn, ratio


def main() -> None:
    n_rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    plain_script = str(Path(__file__).with_name("plain_keras.py"))
    with tempfile.TemporaryDirectory() as folder:
        seconds: list[list[float]] = [[], []]
        outputs: list[str] = []
        accuracies: list[float] = []
        for seed in range(n_rounds):
            run = Path(folder) / str(seed)
            options = ["--recipe", "classic", "--bare", "--seed", str(seed), "--run", str(run)]
            commands = [[sys.executable, "-m", "tenfold", "train", *options], [sys.executable, plain_script]]
            times, texts = in_turn(commands, 1)
            for kept, new in zip(seconds, times, strict=True):
                kept += new
            outputs += texts[1]
            accuracies.append(json.loads((run / "metrics.json").read_bytes())["val_accuracy"])
    plain = [float(text.rsplit("val_accuracy", 1)[1]) for text in outputs]
    print("| who | seconds, whole process (median) | validation accuracy (mean) |")
    print("|---|---|---|")
    print(
        f"| tenfold train --recipe classic --bare | {statistics.median(seconds[0]):.1f} | {statistics.mean(accuracies):.4f} |"
    )
    print(f"| plain Keras script | {statistics.median(seconds[1]):.1f} | {statistics.mean(plain):.4f} |")
    print(f"\nratio tenfold / plain Keras: {ratio(*seconds)} over {n_rounds} rounds")


if __name__ == "__main__":
    main()
