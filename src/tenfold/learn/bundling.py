"""Making the model that ships: `make bundled` trains it anew and puts it into the package.

Trained on MNIST's 60,000 alone; the last 5,000 of them are held out for temperature and threshold.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from tenfold import storage
from tenfold.learn.runs import Run
from tenfold.learn.training import train

_PACKAGE = Path(__file__).resolve().parents[1]


def bundle() -> Run:
    """Train the bundled model; replace `read/bundled/digits.onnx` and `learn/bundled/`."""
    with tempfile.TemporaryDirectory() as temporary:
        run = train("bundled", run=Path(temporary) / "bundled")
        print(run)
        storage.write_bytes(_PACKAGE / "read" / "bundled" / "digits.onnx", (run.folder / "model.onnx").read_bytes())
        for name in ("recipe.json", "metrics.json", "model.keras"):
            (_PACKAGE / "learn" / "bundled").mkdir(exist_ok=True)
            shutil.copyfile(run.folder / name, _PACKAGE / "learn" / "bundled" / name)
    return run


if __name__ == "__main__":
    bundle()
