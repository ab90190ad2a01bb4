"""A recipe on digit-recognizer as a whole process, `tenfold train --bare`, beside the classic experiment in plain Keras.

Usage: .venv/bin/python benchmarks/classic.py [RECIPE] [ROUNDS]
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from pathlib import Path

from side_by_side import in_turn, ratio


def main() -> None:
    recipe = sys.argv[1] if len(sys.argv) > 1 else "classic"
    n_rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    plain_script = str(Path(__file__).with_name("plain_keras.py"))
    with tempfile.TemporaryDirectory() as folder:
        seconds: list[list[float]] = [[], []]
        outputs: list[str] = []
        metrics: list[dict[str, float]] = []
        for seed in range(n_rounds):
            run = Path(folder) / str(seed)
            options = ["--recipe", recipe, "--data", "digit-recognizer", "--bare", "--seed", str(seed), "--run", str(run)]
            commands = [[sys.executable, "-m", "tenfold", "train", *options], [sys.executable, plain_script]]
            times, texts = in_turn(commands, 1)
            for kept, new in zip(seconds, times, strict=True):
                kept += new
            outputs += texts[1]
            metrics.append(json.loads((run / "metrics.json").read_bytes()))
    plain = [float(text.rsplit("val_accuracy", 1)[1]) for text in outputs]
    held_out, test = (statistics.mean(m[key] for m in metrics) for key in ("val_accuracy", "test_accuracy"))
    print("| who | seconds, whole process (median) | validation accuracy (mean) | on the 28,000 (mean) |")
    print("|---|---|---|---|")
    print(f"| tenfold train --recipe {recipe} --bare | {statistics.median(seconds[0]):.1f} | {held_out:.4f} | {test:.4f} |")
    print(f"| plain Keras script | {statistics.median(seconds[1]):.1f} | {statistics.mean(plain):.4f} | not read |")
    print(f"\nratio tenfold / plain Keras: {ratio(*seconds)} over {n_rounds} rounds")


if __name__ == "__main__":
    main()
