"""From nothing to a first answer: `tenfold read` as a whole process beside one that only imports the libraries it stands on.

Usage: .venv/bin/python benchmarks/cold_start.py [ROUNDS]
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from pathlib import Path

from PIL import Image

import tenfold
from side_by_side import in_turn, ratio

IMPORTS = "import numpy, scipy.ndimage, PIL.Image, onnxruntime"


def main() -> None:
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # with it every process compiles the package anew
    n_rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "digit.png"
        seven = Image.fromarray(255 - tenfold.load("mnist", "test").images[0])
        seven.resize((280, 280), Image.Resampling.BICUBIC).save(picture)
        read = [sys.executable, "-m", "tenfold", "read", str(picture)]
        seconds, outputs = in_turn([read, [sys.executable, "-c", IMPORTS]], n_rounds)
    print("| process | seconds (median) |")
    print("|---|---|")
    print(f"| tenfold read digit.png (answers {outputs[0][0].strip()}) | {statistics.median(seconds[0]):.3f} |")
    print(f"| python -c '{IMPORTS}' | {statistics.median(seconds[1]):.3f} |")
    print(f"\nratio: {ratio(*seconds)} over {n_rounds} rounds")


if __name__ == "__main__":
    main()
