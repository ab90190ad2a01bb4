"""The house style of all figures: colours, letters, sizes, and how a figure is begun and saved.

Knows nothing of what the figures show.
"""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ParamSpec

import numpy as np
from numpy.typing import NDArray

from tenfold import storage
from tenfold.errors import MissingExtraError, printable

# Where the user's home cannot be written to, Matplotlib says so in two lines, and that it makes do without.
_LOGGER = logging.getLogger("matplotlib")
_LEVEL = _LOGGER.level
try:
    _LOGGER.setLevel(logging.ERROR)
    import matplotlib.style
    from matplotlib.axes import Axes
    from matplotlib.colors import LinearSegmentedColormap, ListedColormap
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine
except ModuleNotFoundError as problem:
    raise MissingExtraError("train", "matplotlib") from problem
finally:
    _LOGGER.setLevel(_LEVEL)

# Blue and vermilion stay apart for every kind of colour blindness, and have a contrast of at least 4.5 on white.
BLUE, RED, TEXT, QUIET, PALE = "#0b5fa5", "#b84700", "#1b2430", "#56616d", "#aab3bd"
INK = LinearSegmentedColormap.from_list("ink", ["#eef1f4", "#10161d"])
WRONG = LinearSegmentedColormap.from_list("wrong", ["#fff1e3", "#f4a261", "#8f2f00"]).with_extremes(under="#fafafa")
DEPTH = LinearSegmentedColormap.from_list("depth", ["#f3f6f9", "#a9cdec", "#3d8bcb", "#08325f"])
RIGHT = ListedColormap(["#e6eaee"])
_STYLE = {
    "figure.dpi": 150,
    "savefig.dpi": 150,
    "font.family": "DejaVu Sans",  # comes with Matplotlib: the same letters everywhere
    "font.size": 11,
    "text.color": TEXT,
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
    "axes.axisbelow": True,
    "axes.edgecolor": PALE,
    "axes.grid": True,
    "axes.labelcolor": QUIET,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.titlesize": 11.5,
    "grid.color": "#e8ebef",
    "xtick.color": PALE,
    "xtick.labelcolor": QUIET,
    "ytick.color": PALE,
    "ytick.labelcolor": QUIET,
}
# Matplotlib has one set of settings a process: two threads, each in a context of its own, would restore each other's.
_LOCK = threading.RLock()
_Arguments = ParamSpec("_Arguments")


def in_house_style(draw: Callable[_Arguments, Figure]) -> Callable[_Arguments, Figure]:
    """Make a function draw in the house style, whatever the user's settings, and leave those as they were."""

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


def new_figure(width: float, height: float, title: str, subtitle: str) -> Figure:
    """An empty figure, its size in inches, below a title and a quieter second line."""
    title, subtitle = printable(title), printable(subtitle)  # names of files may hold what no font has
    header = 0.7 if subtitle else 0.45
    layout = ConstrainedLayoutEngine(rect=(0, 0, 1, 1 - header / height), w_pad=0.1, h_pad=0.1)
    figure = Figure(figsize=(width, height), layout=layout)
    # A bold letter of size 14 is about 0.13 inches wide: a long title becomes smaller instead of being cut off.
    size = 14 * min(1, (width - 0.3) / (0.13 * len(title)))
    figure.text(0.14 / width, 1 - 0.14 / height, title, size=size, weight="bold", va="top")
    figure.text(0.14 / width, 1 - 0.45 / height, subtitle, color=QUIET, va="top")
    return figure


def gallery(title: str, subtitle: str, images: NDArray[Any], captions: Sequence[tuple[str, str]], most_columns: int) -> Figure:
    """Images (N, 28, 28) of 0-255, each between a line above and a line below."""
    n_columns = min(most_columns, max(5, len(images)))
    n_rows = -(-len(images) // n_columns)
    figure = new_figure(1.35 * n_columns, 0.8 + 1.75 * n_rows, title, subtitle)
    every = list(figure.subplots(n_rows, n_columns, squeeze=False).flat) if n_rows else []
    for axes in every:
        axes.set_visible(False)
    for axes, image, (above, below) in zip(every, images, captions, strict=False):
        axes.set_visible(True)
        axes.imshow(image, cmap=INK, vmin=0, vmax=255)
        axes.set_title(above, size=10.5, weight="bold", loc="center", pad=4)
        axes.set_xlabel(below, size=10)
        strip(axes)
    return figure


def strip(axes: Axes) -> None:
    """Take everything from axes but what is drawn in them."""
    axes.set(xticks=[], yticks=[], frame_on=False)
    axes.tick_params(length=0)
    axes.grid(visible=False)


def percent(share: float, n_decimals: int = 2) -> str:
    """0.9681 as '96.81 %', NaN as a dash."""
    return "–" if np.isnan(share) else f"{100 * share:.{n_decimals}f} %"
