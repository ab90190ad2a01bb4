"""tenfold reads handwritten digits.

    import tenfold

    digits = tenfold.load("mnist", "test")      # 10,000 labelled digits
    run = tenfold.train("classic", epochs=3)    # a Keras network, its figures in runs/
    reading = tenfold.Reader().read("photo.png")

Importing tenfold loads neither Keras nor ONNX Runtime: a name is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

__all__ = ["Classification", "Digit", "Digits", "Reader", "Reading", "Run", "TenfoldError", "load", "train"]

if TYPE_CHECKING:
    from tenfold.data.digits import Digits
    from tenfold.data.sources import load
    from tenfold.errors import TenfoldError
    from tenfold.learn.runs import Run
    from tenfold.learn.training import train
    from tenfold.read.reader import Classification, Digit, Reader, Reading

_HOMES = {
    "Classification": "tenfold.read.reader",
    "Digit": "tenfold.read.reader",
    "Digits": "tenfold.data.digits",
    "Reader": "tenfold.read.reader",
    "Reading": "tenfold.read.reader",
    "Run": "tenfold.learn.runs",
    "TenfoldError": "tenfold.errors",
    "load": "tenfold.data.sources",
    "train": "tenfold.learn.training",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'tenfold' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*(name for name in globals() if name.startswith("__")), *__all__])
