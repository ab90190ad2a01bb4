"""Figures of ensembles and sweeps, in the house style. Takes numbers; knows nothing of how they came about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenfold.learn.style import BLUE, DEPTH, PALE, QUIET, RED, TEXT, in_house_style, new_figure, percent

try:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator
except ModuleNotFoundError as problem:
    from tenfold.errors import MissingExtraError

    raise MissingExtraError("train", "matplotlib") from problem


@in_house_style
def ensemble(metrics: Mapping[str, Any], singles: NDArray[np.float64]) -> Figure:
    """Accuracy against the number of members, and how many digits they agree on.

    Args:
        metrics: `by_number`, `agreement` and `measured_on` of an ensemble's metrics.json.
        singles: the accuracy of each member, float64 (members,).
    """
    whole = metrics["by_number"][-1]
    title = f"{whole['members']} together read {percent(whole['mean'])} right, one alone {percent(float(singles.mean()))}"
    figure = new_figure(11.5, 5.0, title, str(metrics["measured_on"]))
    left, right = figure.subplots(1, 2)
    _by_number(left, metrics["by_number"], singles)
    _agreement(right, metrics["agreement"])
    return figure


def _by_number(axes: Axes, rows: Sequence[Mapping[str, float]], singles: NDArray[np.float64]) -> None:
    n, mean, deviation = (np.array([row[key] for row in rows]) for key in ("members", "mean", "deviation"))
    axes.fill_between(n, mean - deviation, np.minimum(1, mean + deviation), color=BLUE, alpha=0.15, linewidth=0)
    axes.plot(n, mean, "o-", color=BLUE, lw=2, ms=5, clip_on=False)
    axes.plot(np.ones(len(singles)), singles, "o", color=PALE, ms=4, zorder=1, clip_on=False)
    axes.plot(n[-1], mean[-1], "o", mfc="white", mec=BLUE, mew=2, ms=9, clip_on=False)
    axes.set_title("grey: each alone; band: deviation over choices of so many")
    axes.set(xlabel="members that are averaged", ylabel="accuracy")
    axes.set_ylim(top=min(1.0, axes.get_ylim()[1]))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_formatter(_in_percent)


def _agreement(axes: Axes, rows: Sequence[Mapping[str, Any]]) -> None:
    shown = [row for row in rows if row["digits"]]
    places = range(len(shown))
    axes.bar(places, [row["digits"] for row in shown], color=BLUE)
    for x, row in zip(places, shown, strict=True):
        said = f"{row['digits']:,}\n{percent(row['accuracy'], 1)}"
        axes.annotate(said, (x, row["digits"]), (0, 3), textcoords="offset points", ha="center", size=9, color=TEXT)
    unanimous = rows[-1]["digits"] / max(1, sum(row["digits"] for row in rows))
    axes.set_title(f"all agree on {percent(unanimous, 1)} of the digits")
    axes.set_xticks(places, [str(row["members"]) for row in shown])
    axes.set(
        xlabel="members that answer as the mean does", ylabel="digits (log scale), share right", yscale="symlog", yticks=[]
    )
    axes.set_ylim(0, 10 * max(row["digits"] for row in shown))
    axes.minorticks_off()
    axes.grid(visible=False)


@in_house_style
def importance(shares: Mapping[str, float], n_trials: int) -> Figure:
    """How much of the difference between trials each changed key explains, the largest above."""
    in_order = sorted(shares.items(), key=lambda item: item[1])
    title = f"{in_order[-1][0]} matters most" if in_order else "Nothing was changed"
    figure = new_figure(8.4, 1.8 + 0.45 * len(in_order), title, f"over {n_trials} finished trials (PED-ANOVA)")
    axes = figure.subplots()
    axes.barh(range(len(in_order)), [share for _, share in in_order], color=BLUE)
    for y, (_, share) in enumerate(in_order):
        axes.annotate(percent(share, 0), (share, y), (4, 0), textcoords="offset points", va="center", size=10, color=TEXT)
    axes.set_yticks(range(len(in_order)), [key for key, _ in in_order], color=TEXT)
    axes.set(xlabel="importance (they add up to 100 %)", xlim=(0, 1.08))
    axes.xaxis.set_major_formatter(_in_percent)
    axes.grid(visible=False, axis="y")
    return figure


@in_house_style
def parallel_coordinates(
    columns: Mapping[str, Sequence[Any]], logarithmic: Sequence[str], accuracies: Sequence[float]
) -> Figure:
    """A line a trial across the changed keys to its validation accuracy; the darker, the better; the best is orange.

    Args:
        columns: for each key the value of every trial: numbers, or text.
        logarithmic: keys whose numbers are shown by their logarithm.
        accuracies: of each trial, fractions 0-1.
    """
    best = int(np.argmax(accuracies))
    title = f"The best of {len(accuracies)} trials: {percent(accuracies[best])} of the validation digits"
    figure = new_figure(max(8.4, 2.2 * (len(columns) + 1)), 5.4, title, "a line a trial; dark: good, orange: the best")
    axes = figure.subplots()
    scales = [_Scale(values, key in logarithmic) for key, values in columns.items()]
    scales.append(_Scale(list(accuracies), False, percent))
    heights = np.array([scale.heights for scale in scales])
    shades = DEPTH(0.15 + 0.85 * scales[-1].heights)
    for k in [*np.argsort(accuracies), best]:
        colour, width = (RED, 2.5) if k == best else (shades[k], 1.2)
        axes.plot(range(len(scales)), heights[:, k], color=colour, lw=width, zorder=3 if k == best else 2)
    for x, scale in enumerate(scales):
        axes.axvline(x, color=PALE, lw=1, zorder=1)
        for height, text in scale.ticks:
            axes.annotate(text, (x, height), (5, 0), textcoords="offset points", va="center", size=9, color=QUIET, zorder=4)
    axes.set_xticks(range(len(scales)), [*columns, "validation"], color=TEXT)
    axes.set(yticks=[], xlim=(-0.2, len(scales) - 0.4), ylim=(-0.06, 1.06))
    axes.grid(visible=False)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    return figure


def _short(value: float) -> str:
    """About where a place on an axis is: two significant digits, from 100 on the whole number."""
    return f"{value:.0f}" if value >= 100 else f"{value:.2g}"


class _Scale:
    """Where the values of a key stand on its axis, from 0 to 1, and what is written there."""

    def __init__(self, values: Sequence[Any], logarithmic: bool, form: Any = _short) -> None:
        numeric = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
        if numeric:
            places = np.log(np.array(values, float)) if logarithmic else np.array(values, float)
            low, high = float(places.min()), float(places.max())
            middle = np.linspace(low, high, 5) if high > low else np.array([low])
            self.ticks = [(self._share(v, low, high), form(float(np.exp(v) if logarithmic else v))) for v in middle]
        else:
            names = sorted({str(value) for value in values}, key=lambda name: (len(name), name))  # 64 before 128
            places = np.array([names.index(str(value)) for value in values], float)
            low, high = 0.0, float(len(names) - 1)
            self.ticks = [(self._share(i, low, high), name) for i, name in enumerate(names)]
        self.heights = np.array([self._share(value, low, high) for value in places])

    @staticmethod
    def _share(value: float, low: float, high: float) -> float:
        return (value - low) / (high - low) if high > low else 0.5


def _in_percent(share: float, _position: float) -> str:
    return f"{100 * share:.6g} %"
