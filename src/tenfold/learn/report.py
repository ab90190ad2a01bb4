"""The page a learner opens after a run: one HTML file that needs nothing else, the figures inside it.

Works out what the page says; the words stand in `report.html.jinja`. Knows nothing of run folders, networks or drawing.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tenfold import storage
from tenfold.errors import MissingExtraError, printable
from tenfold.learn import tables
from tenfold.learn.evaluation import wilson_interval

try:
    from jinja2 import Environment, StrictUndefined
except ModuleNotFoundError as problem:
    raise MissingExtraError("train", "jinja2") from problem

_TEMPLATE = Path(__file__).with_name("report.html.jinja")
_LONG = 25  # a table of more epochs than these is folded away at first
# Validation loss that ends so much above its lowest, while training loss went on falling, is called overfitting.
_RISEN = 1.05


class Result(NamedTuple):
    """The accuracy that the page opens with; rates are fractions 0-1.

    Attributes:
        kind: 'test' or 'validation'.
        accuracy: share read right.
        n: how many digits, or None if that is not known.
        interval: 95 % interval of the accuracy, or None if it is not known.
    """

    kind: str
    accuracy: float
    n: int | None
    interval: Sequence[float] | None


class Layer(NamedTuple):
    """A layer: its output shape such as '28 × 28', and how its parameters are counted, '' where the shapes do not tell."""

    name: str
    shape: str
    n_parameters: int
    arithmetic: str


class Learning(NamedTuple):
    """What the epochs add up to.

    Attributes:
        gap: training minus validation accuracy in the last epoch, a fraction; of the two as they are shown.
        best: index of the epoch with the lowest validation loss.
        overfitted: since then validation loss has risen while training loss fell.
    """

    gap: float
    best: int
    overfitted: bool


def render(
    *,
    name: str,
    folder: str,
    recipe: Mapping[str, Any],
    metrics: Mapping[str, Any],
    history: Mapping[str, Sequence[float | None]],
    network: Sequence[tuple[str, str, int]],
    figures: Mapping[str, bytes],
) -> str:
    """The report of a run as one HTML page, without scripts and without anything from elsewhere.

    Args:
        name: of the run.
        folder: of the run, as one types it.
        recipe: as in recipe.json.
        metrics: as in metrics.json; rates are fractions 0-1; what is None or absent is left out of the page.
        history: the columns of history.csv, one value an epoch; None where nothing was held out.
        network: layer, output shape such as '(None, 128)', parameters.
        figures: PNG bytes named curves, confusion_matrix, mistakes, calibration, coverage; any may be absent.

    Returns:
        The page; the same arguments give the same text.
    """
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"percent": _percent, "points": _points, "loss": _loss}
    known = {key: value for key, value in metrics.items() if value is not None}
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        name=printable(name),
        folder=storage.as_typed(Path(folder)),
        recipe=recipe,
        recipe_json=json.dumps(recipe, indent=2, ensure_ascii=False),
        metrics=known,
        result=headline(known),
        layers=count_by_hand(network),
        history=history,
        long=len(history["epoch"]) > _LONG,
        learning=judge_learning(history),
        figures={key: base64.b64encode(png).decode("ascii") for key, png in figures.items()},
    )


def headline(metrics: Mapping[str, Any]) -> Result | None:
    """The accuracy to open with: of the test digits, else of the validation digits, else None."""
    for kind, key, count in (("test", "test_accuracy", "n_test"), ("validation", "val_accuracy", "n_validation")):
        accuracy, n = metrics.get(key), metrics.get(count)
        if accuracy is not None:
            interval = metrics.get("test_interval") if kind == "test" else None
            return Result(kind, accuracy, n, interval or (wilson_interval(round(accuracy * n), n) if n else None))
    return None


def count_by_hand(network: Sequence[tuple[str, str, int]]) -> list[Layer]:
    """The layers of a network, with the sum that gives each one's parameters."""
    layers: list[Layer] = []
    before: list[int] = []
    for name, shape, n_parameters in network:
        after = [int(number) for number in re.findall(r"\d+", shape)]
        layers.append(Layer(name, " × ".join(map(str, after)), n_parameters, _arithmetic(before, after, n_parameters)))
        before = after
    return layers


def judge_learning(history: Mapping[str, Sequence[float | None]]) -> Learning | None:
    """Where validation loss was lowest, and whether it got worse from there; None if nothing was held out or it diverged."""
    losses = [loss for loss in history["val_loss"] if loss is not None and math.isfinite(loss)]
    accuracy, val_accuracy, training = history["accuracy"][-1], history["val_accuracy"][-1], history["loss"]
    if not losses or len(losses) < len(training) or accuracy is None or val_accuracy is None:
        return None
    best = losses.index(min(losses))
    fell = (training[-1] or 0) < (training[best] or 0)
    gap = (round(100 * accuracy, 2) - round(100 * val_accuracy, 2)) / 100
    return Learning(gap, best, fell and losses[-1] > _RISEN * losses[best])


def _arithmetic(before: Sequence[int], after: Sequence[int], n_parameters: int) -> str:
    """How a layer's parameters follow from the shapes before and after it, e.g. '784 × 128 + 128'; '' if they do not."""
    if not n_parameters or not before or len(before) != len(after):
        return ""
    n_in, n_out = before[-1], after[-1]
    for bias, tail in ((n_out, f" + {n_out}"), (0, "")):
        area, rest = divmod(n_parameters - bias, n_in * n_out)
        side = math.isqrt(max(area, 0))
        if rest == 0 and len(after) == 1 and area == 1:
            return f"{n_in} × {n_out}{tail}"
        if rest == 0 and len(after) == 3 and area == side * side > 0:
            return f"{side} × {side} × {n_in} × {n_out}{tail}"
    return f"4 × {n_out}" if n_parameters == 4 * n_out else ""


def _percent(share: float | None) -> str:
    """As in the tables of the terminal, but the percent sign never falls on another line."""
    return tables.percent(share).replace(" ", "\N{NO-BREAK SPACE}")


def _points(share: float) -> str:
    return f"{share * 100:.2f} percentage points"


def _loss(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
