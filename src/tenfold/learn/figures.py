"""The figures of a run and of a data set, in one house style.

Owns how things look: each function takes numbers and returns a Matplotlib `Figure` that belongs to no window, so it works in
threads, notebooks and without a display. Knows nothing of training or run folders.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ParamSpec

import numpy as np
from numpy.typing import NDArray

from tenfold import storage
from tenfold.data import inspection
from tenfold.data.digits import CLASSES, SIDE, Digits
from tenfold.errors import MissingExtraError
from tenfold.learn.evaluation import Evaluation, wilson_interval

try:
    import matplotlib.style
    import seaborn
    from matplotlib.colors import LinearSegmentedColormap, ListedColormap
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter
except ModuleNotFoundError as problem:
    raise MissingExtraError("train", "matplotlib and seaborn") from problem

# Blue and vermilion stay apart for every kind of colour blindness; both have a contrast of at least 4.5 on white.
_MAIN, _OTHER, _TEXT, _QUIET, _FAINT = "#0b5fa5", "#bf4a00", "#1b2430", "#5b6673", "#d9dee4"
_INK = LinearSegmentedColormap.from_list("ink", ["#f1f3f5", "#10161d"])
_MISTAKES = LinearSegmentedColormap.from_list("mistakes", ["#fff3e8", "#f2995a", "#8f2f00"])
_FEW = 30  # digits in a bin of confidence below which its accuracy says little
_STYLE = {
    "figure.dpi": 150,
    "font.family": "DejaVu Sans",  # comes with Matplotlib: the same letters, and bytes, everywhere
    "font.size": 11,
    "text.color": _TEXT,
    "axes.labelcolor": _QUIET,
    "axes.edgecolor": "#aab3bd",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titlecolor": _QUIET,
    "axes.titlepad": 8,
    "axes.axisbelow": True,
    "grid.color": "#e8ebef",
    "xtick.color": _QUIET,
    "ytick.color": _QUIET,
    "xtick.major.width": 0.8,
    "ytick.major.width": 0.8,
    "lines.linewidth": 2,
    "savefig.dpi": 150,
}
# Matplotlib keeps its settings in one place for the whole process; two threads inside a context would restore each other's.
_LOCK = threading.RLock()
_Arguments = ParamSpec("_Arguments")


def _in_house_style(draw: Callable[_Arguments, Figure]) -> Callable[_Arguments, Figure]:
    @functools.wraps(draw)
    def styled(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> Figure:
        with _LOCK, matplotlib.style.context(["default", _STYLE]):
            return draw(*args, **kwargs)

    return styled


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, 150 dpi, whole; the same data give the same bytes (no time, no version inside).

    Raises:
        StorageError: the place cannot be written to.
    """
    with _LOCK, matplotlib.style.context(["default", _STYLE]), storage.whole_file(path) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})


@_in_house_style
def curves(history: Mapping[str, Sequence[float | None]], title: str) -> Figure:
    """Accuracy and loss after each epoch, of training and validation digits.

    Args:
        history: columns epoch, loss, accuracy, val_loss, val_accuracy, one value an epoch; None where nothing was held out.
        title: what stands above both panels.
    """
    figure = _figure(10.5, 4.4, title)
    panels = figure.subplots(1, 2)
    _curve(panels[0], history, "accuracy", np.nanargmax, "{:.2%}")
    _curve(panels[1], history, "loss", np.nanargmin, "{:.4f}")
    panels[0].set_ylabel("digits read right")
    panels[0].yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    panels[1].set_ylabel("loss (nats)")
    panels[1].set_ylim(bottom=0)
    return figure


@_in_house_style
def confusion_matrix(evaluation: Evaluation) -> Figure:
    """What each class is read as: mistakes coloured by their number; on the diagonal, what was right and its share of the class."""
    counts, recall = evaluation.confusion, evaluation.recall
    diagonal = np.eye(CLASSES, dtype=bool)
    wrong = np.where(counts > 0, np.char.mod("%d", counts), "")
    right = [[f"{n:,}\n{_percent(share, 1)}" for n in row] for row, share in zip(counts, recall, strict=True)]
    figure = _figure(9, 8.4, _share_right(evaluation))
    axes = figure.subplots()
    style = {"ax": axes, "cbar": False, "fmt": "", "linewidths": 1.5, "linecolor": "white", "square": True}
    most = max(1, counts[~diagonal].max())
    seaborn.heatmap(counts, mask=diagonal, annot=wrong, cmap=_MISTAKES, vmin=0, vmax=most, annot_kws={"size": 11}, **style)
    seaborn.heatmap(counts, mask=~diagonal, annot=np.array(right), cmap=ListedColormap(["#e6eaee"]), annot_kws={"size": 9.5}, **style)
    axes.set_title(f"{evaluation.digits.name} · {_most_confused(evaluation)}")
    axes.set(xlabel="prediction: what the network reads", ylabel="label: what the digit is")
    axes.tick_params(length=0, rotation=0, labelsize=12, labelcolor=_TEXT)
    return figure


@_in_house_style
def mistakes(evaluation: Evaluation, most: int = 40) -> Figure:
    """The worst mistakes, the most confident first: each digit with its label, the prediction and its confidence."""
    shown = evaluation.mistakes[:most]
    n, n_wrong = len(evaluation.digits), len(evaluation.mistakes)
    if not n_wrong:
        return _message(f"No mistakes: all {n:,} digits are read right")
    which = "all of them" if n_wrong == len(shown) else f"the {len(shown)} it was surest of"
    labels = evaluation.digits.known_labels
    captions = [
        (f"is {labels[i]}, read {evaluation.predictions[i]}", f"{_sure(float(evaluation.confidence[i]))} sure") for i in shown
    ]
    title = f"{n_wrong:,} of {n:,} digits {'is' if n_wrong == 1 else 'are'} read wrongly; here {which}"
    return _gallery(title, evaluation.digits.name, evaluation.digits.images[shown], captions)
