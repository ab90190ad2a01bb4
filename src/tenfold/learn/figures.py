"""The figures of a run and of a data set, in one house style.

Takes numbers and returns Matplotlib figures that belong to no window, so that it works in threads, in notebooks and without a
display. Knows nothing of training or run folders.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tenfold.data.digits import CLASSES, SIDE, Digits
from tenfold.data.inspection import count_values, deviation
from tenfold.errors import MissingExtraError
from tenfold.learn.evaluation import Evaluation, wilson_interval
from tenfold.learn.style import (
    BLUE,
    DEPTH,
    INK,
    PALE,
    QUIET,
    RED,
    RIGHT,
    TEXT,
    WRONG,
    gallery,
    in_house_style,
    new_figure,
    percent,
    strip,
)

try:
    import seaborn
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator
except ModuleNotFoundError as problem:
    raise MissingExtraError("train", "seaborn") from problem

_FEW = 30  # digits in a bin of confidence below which their accuracy says little
_History = Mapping[str, Sequence[float | None]]


@in_house_style
def curves(history: _History, title: str) -> Figure:
    """Accuracy and loss after each epoch, of training and validation digits.

    Args:
        history: columns epoch, loss, accuracy, val_loss, val_accuracy, one value an epoch; None where nothing was held out.
        title: what stands above both panels.
    """
    figure = new_figure(10.5, 4.6, title, "nothing was held out for validation" if None in history["val_loss"] else "")
    accuracy, loss = figure.subplots(1, 2)
    accuracy.yaxis.set_major_formatter(_in_percent)
    accuracy.set_ylabel("accuracy")
    loss.set_ylabel("loss (nats)")
    _curve(accuracy, history, "accuracy", "best", percent)
    _curve(loss, history, "loss", "lowest", "{:.4f}".format)
    return figure


@in_house_style
def confusion_matrix(evaluation: Evaluation) -> Figure:
    """What each class is read as: mistakes coloured by their number; on the diagonal what is right, and its share."""
    counts, off = evaluation.confusion, ~np.eye(CLASSES, dtype=bool)
    right = np.array([f"{n:,}\n{percent(share, 1)}" for n, share in zip(counts.diagonal(), evaluation.recall, strict=True)])
    wrong = np.array([[f"{n:,}" if n else "" for n in row] for row in counts])
    pairs = [f"{label} read as {read} ({n:,})" for label, read, n in evaluation.confused_pairs(3)]
    commonest = f"mostly {', '.join(pairs)}" if pairs else ""
    figure = new_figure(8.4, 8.8, _share_right(evaluation), _subtitle(evaluation.digits, commonest))
    axes = figure.subplots()
    style = {"ax": axes, "fmt": "", "cbar": False, "linewidths": 2, "square": True}
    most = max(2, counts[off].max())
    seaborn.heatmap(counts, mask=~off, annot=wrong, cmap=WRONG, vmin=1, vmax=most, **style)
    seaborn.heatmap(counts, mask=off, annot=np.diag(right), cmap=RIGHT, annot_kws={"size": 9.5}, **style)
    for text in axes.texts:
        column, row = map(int, text.get_position())
        text.set_color("white" if off[row, column] and counts[row, column] > 0.74 * most else "black")
    axes.set(xlabel="prediction (what it is read as)", ylabel="label (what it is)")
    axes.tick_params(length=0, labelsize=12, labelcolor=TEXT, labelrotation=0)
    return figure


@in_house_style
def mistakes(evaluation: Evaluation, most: int = 40) -> Figure:
    """The worst mistakes, the most confident first: each digit with its label, the prediction and its confidence."""
    shown, n_wrong = evaluation.mistakes[:most], len(evaluation.mistakes)
    labels, read = evaluation.digits.known_labels, evaluation.predictions
    captions = [(f"is {labels[i]}, read {read[i]}", f"{_sure(evaluation.confidence[i])} sure") for i in shown]
    which = f"here the {len(shown)} that it was surest of" if n_wrong > len(shown) else ""
    title = f"{n_wrong:,} of {len(labels):,} digits read wrongly" if n_wrong else _share_right(evaluation)
    return gallery(title, _subtitle(evaluation.digits, which), evaluation.digits.images[shown], captions, most_columns=8)


@in_house_style
def calibration(evaluation: Evaluation) -> Figure:
    """Whether a confidence of 90 % means 90 % right: accuracy against confidence in 15 bins, and how many digits each has.

    Where a temperature is known, the readers' confidence is shown, and the network's own behind it.
    """
    shown = evaluation.calibrated
    sure, right = float(shown.confidence.mean()), shown.accuracy
    title = f"{percent(sure, 1)} sure on average, {percent(right, 1)} right: off by {100 * shown.ece:.2f} points (ECE)"
    before = f"; grey: before temperature (off by {100 * evaluation.ece:.2f})" if evaluation.temperature != 1 else ""
    figure = new_figure(8.4, 8.4, title, _subtitle(evaluation.digits, f"hollow: fewer than {_FEW} digits{before}"))
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    if before:
        bins = evaluation.reliability
        upper.plot(bins.confidence, bins.accuracy, "o", color=PALE, markersize=6, clip_on=False)
    _reliability(upper, shown)
    _histogram(lower, shown)
    return figure


@in_house_style
def coverage(evaluation: Evaluation) -> Figure:
    """How many digits must be refused, the least sure first, for the others to be read with a given accuracy."""
    needed = evaluation.refused_to_reach(0.999)
    title = f"Refusing {percent(needed)} leaves 99.9 % right" if needed is not None else "99.9 % right is never reached"
    if needed == 0:
        title = "99.9 % are right without refusing any"
    figure = new_figure(8.4, 5.4, title, _subtitle(evaluation.digits, "the least sure are refused first"))
    axes = figure.subplots()
    n = len(evaluation.digits)
    refused = 1 - np.arange(1, n + 1) / n
    worst = max(1 - evaluation.accuracy, 0.002)
    shown = refused <= max(0.02, 3 * (needed or 0), 2 * (1 - evaluation.accuracy))
    axes.plot(refused[shown], evaluation.coverage[shown], color=BLUE, lw=2, clip_on=False)
    axes.axhline(0.999, color=RED, linestyle="--", linewidth=1.2)
    if needed is not None:
        axes.plot(
            needed, evaluation.coverage[round((1 - needed) * n) - 1], "o", mfc="white", mec=BLUE, mew=2, ms=9, clip_on=False
        )
    axes.set(xlabel="share of digits refused", ylabel="accuracy on the others", ylim=(1 - 1.1 * worst, 1), xlim=(0, None))
    axes.xaxis.set_major_formatter(_in_percent)
    axes.yaxis.set_major_formatter(_in_percent)
    return figure


@in_house_style
def corruptions(accuracies: Mapping[str, Sequence[float]], name: str) -> Figure:
    """The accuracy on corrupted digits, one row a corruption, the hardest below, one column a severity."""
    in_order = sorted(accuracies.items(), key=lambda item: -float(np.mean(item[1])))
    values = np.array([of_severity for _, of_severity in in_order])
    title = f"{percent(float(values.mean()), 1)} right on corrupted digits on average"
    figure = new_figure(8.4, 1.6 + 0.5 * len(values), title, f"{name}; hardest below, severity to the right")
    axes = figure.subplots()
    shown = np.array([[f"{100 * value:.1f}" for value in row] for row in values])
    style = {"ax": axes, "fmt": "", "cbar": False, "linewidths": 2, "cmap": DEPTH, "vmin": 0.0, "vmax": 1.0}
    seaborn.heatmap(
        values, annot=shown, xticklabels=range(1, values.shape[1] + 1), yticklabels=[k for k, _ in in_order], **style
    )
    for text, value in zip(axes.texts, values.ravel(), strict=True):
        text.set_color("white" if value > 0.6 else "black")
    axes.set(xlabel="severity (accuracy in %)", ylabel="")
    axes.tick_params(length=0, labelcolor=TEXT, labelrotation=0)
    return figure


@in_house_style
def sample_grid(digits: Digits) -> Figure:
    """Twelve digits of each class, taken evenly from the whole set; without labels, ten rows of any."""
    labels, everything = digits.labels, np.arange(len(digits))
    rows = np.array_split(everything, CLASSES) if labels is None else [everything[labels == k] for k in range(CLASSES)]
    sheet = np.full((CLASSES, 12, SIDE + 2, SIDE + 2), np.nan)
    for tiles, row in zip(sheet, rows, strict=True):
        few = row[np.linspace(0, len(row) - 1, min(len(tiles), len(row))).astype(int)]
        tiles[: len(few), 1:-1, 1:-1] = digits.images[few]
    title = f"{len(digits):,} digits, a few of {'them' if labels is None else 'each class'}"
    figure = new_figure(8.4, 7.7, title, _subtitle(digits))
    axes = figure.subplots()
    axes.imshow(sheet.swapaxes(1, 2).reshape(CLASSES * (SIDE + 2), -1), cmap=INK, vmin=0, vmax=255)
    strip(axes)
    if labels is not None:
        axes.set_yticks((np.arange(CLASSES) + 0.5) * (SIDE + 2), map(str, range(CLASSES)), size=15, color=TEXT)
    return figure


@in_house_style
def class_balance(digits: Digits) -> Figure:
    """How many digits of each class there are.

    Raises:
        DataError: the set has no labels.
    """
    counts = digits.counts
    most, least = counts.argmax(), counts.argmin()
    title = f"{most} is the most frequent class ({counts[most]:,}), {least} the least ({counts[least]:,})"
    figure = new_figure(8.4, 4.8, title, _subtitle(digits, "dashed: a tenth of all"))
    axes = figure.subplots()
    axes.bar(range(CLASSES), counts, color=BLUE)
    axes.axhline(counts.mean(), color=RED, linestyle="--", linewidth=1.2)
    names = [f"{label}\n{count:,}\n{percent(count / counts.sum(), 1)}" for label, count in enumerate(counts)]
    axes.set_xticks(range(CLASSES), names, color=TEXT)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.set(xlabel="class, digits, share", ylabel="digits")
    axes.grid(visible=False, axis="x")
    return figure


@in_house_style
def class_means(digits: Digits) -> Figure:
    """The mean image of each class; without labels, that of the whole set."""
    groups = {"all": digits.images}
    if digits.labels is not None:
        groups = {str(k): digits.images[digits.labels == k] for k in range(CLASSES)}
    means = [group.mean(axis=0) if len(group) else np.zeros((SIDE, SIDE)) for group in groups.values()]
    captions = [(name, f"{len(group):,} digits") for name, group in groups.items()]
    title = "The average of each class" if len(groups) > 1 else "The average digit"
    return gallery(title, _subtitle(digits, "the sharper, the more alike"), np.array(means), captions, most_columns=5)


@in_house_style
def pixel_deviation(digits: Digits) -> Figure:
    """How much each pixel differs between digits: its standard deviation (ddof=1), in grey levels of 0-255."""
    values = np.nan_to_num(deviation(count_values(digits))).reshape(SIDE, SIDE)
    row, column = divmod(int(values.argmax()), SIDE)
    title = f"{int((values == 0).sum())} of {SIDE * SIDE} pixels never change"
    figure = new_figure(7.8, 7.4, title, _subtitle(digits, f"most varied: row {row}, column {column}"))
    axes = figure.subplots()
    bar = {"label": "standard deviation (grey levels of 0–255)", "shrink": 0.8, "pad": 0.02}
    seaborn.heatmap(values, ax=axes, cmap=DEPTH, vmin=0, square=True, cbar_kws=bar, xticklabels=3, yticklabels=3)
    axes.set(xlabel="column (pixels)", ylabel="row (pixels)")
    axes.tick_params(labelrotation=0)
    return figure


def _curve(axes: Axes, history: _History, column: str, best: str, form: Callable[[float], str]) -> None:
    """Draw a column of the history and its val_ column; a ring and the title show where the last of them was best."""
    epochs = np.array(history["epoch"], int)
    columns = [("training", history[column], RED), ("validation", history[f"val_{column}"], BLUE)]
    lines = [(name, np.array(values, float), colour) for name, values, colour in columns if None not in values]
    for _, values, colour in lines:
        values[np.isinf(values)] = np.nan
        axes.plot(epochs, values, "o-" if len(epochs) <= 30 else "-", color=colour, lw=2, ms=5, clip_on=False)
    name, values, colour = lines[-1]
    k = int(np.where(np.isnan(values), np.inf, values if best == "lowest" else -values).argmin())
    axes.plot(epochs[k], values[k], "o", mfc="white", mec=colour, mew=2, ms=9, clip_on=False)
    axes.set_title(f"{name} {column} {best} in epoch {epochs[k]}: {form(values[k])}")
    axes.set(xlabel="epoch", xlim=(epochs[0] - 0.5, epochs[-1] + 0.5))
    axes.xaxis.set_major_locator(MaxNLocator(nbins=10, steps=[1, 2, 5, 10], integer=True, min_n_ticks=1))
    if best == "lowest":
        axes.set_ylim(bottom=0)
    _label_ends(axes, [(values[-1], f"{name}\n{form(values[-1])}", colour) for name, values, colour in lines])


def _label_ends(axes: Axes, ends: Sequence[tuple[float, str, str]]) -> None:
    """Name one or two lines where they end, right of the panel, far enough apart for two lines of text each."""
    axes.autoscale_view(scalex=False)
    in_order = sorted(ends)
    places = np.array([np.nan_to_num(axes.transLimits.transform((0, value))[1]) for value, _, _ in in_order]).clip(0.06, 0.94)
    if len(places) == 2 and places[1] - places[0] < 0.15:
        places = np.clip(places.mean(), 0.135, 0.865) + np.array([-0.075, 0.075])
    for place, (_, text, colour) in zip(places, in_order, strict=True):
        axes.text(1.02, place, text, color=colour, weight="bold", va="center", transform=axes.transAxes)


def _reliability(axes: Axes, evaluation: Evaluation) -> None:
    """Accuracy with its 95 % interval against confidence, a point a bin; the fullest bin is spelt out."""
    bins = evaluation.reliability
    axes.plot([0, 1], [0, 1], "--", color=PALE)
    for n, confidence, accuracy in zip(bins.counts, bins.confidence, bins.accuracy, strict=True):
        if n:
            axes.vlines(confidence, *wilson_interval(round(n * accuracy), int(n)), color=BLUE, linewidth=1.5, alpha=0.5)
            fill = BLUE if n >= _FEW else "white"
            axes.plot(confidence, accuracy, "o", color=fill, markeredgecolor=BLUE, markersize=8, clip_on=False)
    k = bins.counts.argmax()
    rates = f"{percent(bins.confidence[k], 1)} sure, {percent(bins.accuracy[k], 1)} right"
    axes.set_title(f"fullest bin: {bins.counts[k]:,} digits, {rates}")
    axes.text(0.02, 0.9, "above the line: too modest", color=QUIET, va="top", transform=axes.transAxes)
    axes.text(0.98, 0.04, "below the line: too sure", color=QUIET, ha="right", transform=axes.transAxes)
    axes.set(ylabel="accuracy (bars: 95 % intervals)", xlim=(0, 1), ylim=(0, 1.02))
    axes.yaxis.set_major_formatter(_in_percent)


def _histogram(axes: Axes, evaluation: Evaluation) -> None:
    bins = evaluation.reliability
    middles = (bins.edges[1:] + bins.edges[:-1]) / 2
    axes.bar(middles, bins.counts, width=0.9 / len(middles), color=BLUE)
    for x, n in zip(middles, bins.counts, strict=True):
        axes.annotate(f"{n:,}" if n else "", (x, n), (0, 3), textcoords="offset points", ha="center", size=9)
    axes.set(xlabel="confidence", ylabel="digits (log scale)", yscale="symlog", yticks=[])
    axes.set_ylim(0, 10 * bins.counts.max())
    axes.xaxis.set_major_formatter(_in_percent)
    axes.minorticks_off()
    axes.grid(visible=False)


def _share_right(evaluation: Evaluation) -> str:
    n = len(evaluation.digits)
    if evaluation.n_correct == n:
        return f"No mistakes: all {n:,} digits are read right"
    return f"{percent(evaluation.accuracy)} of {n:,} digits are read right"


def _subtitle(digits: Digits, rest: str = "") -> str:
    name = digits.name if len(digits.name) <= 28 else f"…{digits.name[-27:]}"
    return f"{name}; {rest}" if rest else name


def _sure(confidence: float) -> str:
    return "> 99.99 %" if confidence > 0.9999 else f"{100 * confidence:.{2 if confidence > 0.99 else 0}f} %"


def _in_percent(share: float, _position: float) -> str:
    return f"{100 * share:.6g} %"
