"""The page a learner opens after a run: one HTML file that needs nothing else, the figures inside it.

Works out what the template says; the words stand in `report.html.jinja`. Knows nothing of run folders, networks or drawing.
"""

from __future__ import annotations

import base64
import json
import math
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tenfold.errors import MissingExtraError
from tenfold.learn.evaluation import wilson_interval

try:
    from jinja2 import Environment, StrictUndefined
except ModuleNotFoundError as problem:
    raise MissingExtraError("train", "jinja2") from problem

_History = Mapping[str, Sequence[float | None]]
_MINUS, _TIMES = "−", "×"
_SHOWN_EPOCHS = 25  # a longer table is folded away at first
# Validation loss that ends this much above its lowest, while training loss fell on, is called overfitting.
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
    interval: tuple[float, float] | None


class Layer(NamedTuple):
    """A row of the table of layers; `arithmetic` is '784 × 128 + 128' or empty where it does not follow from the shapes."""

    name: str
    shape: str
    parameters: int
    arithmetic: str


class Learning(NamedTuple):
    """What the history says of the last epoch and of the best; accuracies are fractions, losses in nats, None is not known.

    Attributes:
        epoch: the last one.
        accuracy: of the training digits in the last epoch.
        gap: training minus validation accuracy in the last epoch.
        best_epoch: where validation loss was lowest.
        best_loss: the validation loss there.
        last_loss: the validation loss in the last epoch.
        overfitted: since then validation loss has risen while training loss fell.
    """

    epoch: int
    accuracy: float | None
    gap: float | None
    best_epoch: int | None
    best_loss: float | None
    last_loss: float | None
    overfitted: bool


def render(
    *,
    name: str,
    recipe: Mapping[str, Any],
    metrics: Mapping[str, Any],
    history: _History,
    network: Sequence[tuple[str, str, int]],
    figures: Mapping[str, bytes],
) -> str:
    """The report of a run as one HTML page without scripts and without anything from elsewhere.

    Args:
        name: of the run, that of its folder in `runs`.
        recipe: as in recipe.json.
        metrics: as in metrics.json; rates are fractions 0-1, what is None or absent is left out.
        history: the columns of history.csv, one value an epoch; None where nothing was held out.
        network: layer, output shape such as '(None, 128)', parameters.
        figures: PNG bytes named curves, confusion_matrix, mistakes, calibration; any may be absent.

    Returns:
        The page; the same arguments give the same text.
    """
    page = _environment().from_string(Path(__file__).with_name("report.html.jinja").read_text(encoding="utf-8"))
    return page.render(
        name=name,
        folder=shlex.quote(f"runs/{name}"),
        recipe=recipe,
        recipe_json=json.dumps(recipe, indent=2, ensure_ascii=False),
        metrics={"versions": {}} | {key: value for key, value in metrics.items() if value is not None},
        result=headline(metrics),
        layers=count_by_hand(network),
        epochs=_rows(history),
        shown_epochs=_SHOWN_EPOCHS,
        learning=learning(history),
        figures={key: base64.b64encode(png).decode("ascii") for key, png in figures.items()},
    )


def headline(metrics: Mapping[str, Any]) -> Result | None:
    """The accuracy to open with: of the test digits, else of the validation digits, else None."""
    for kind, key, count in (("test", "test_accuracy", "n_test"), ("validation", "val_accuracy", "n_validation")):
        accuracy, n = metrics.get(key), metrics.get(count)
        if accuracy is None:
            continue
        known = metrics.get("test_interval") if kind == "test" else None
        low, high = known or (wilson_interval(round(accuracy * n), n) if n else (None, None))
        return Result(kind, accuracy, n or None, None if low is None else (low, high))
    return None


def count_by_hand(network: Sequence[tuple[str, str, int]]) -> list[Layer]:
    """The layers with their parameters and, where the shapes explain it, how these are counted."""
    layers, before = [], ()
    for name, shape, n in network:
        after = _numbers(shape)
        layers.append(Layer(name, f" {_TIMES} ".join(map(str, after)) or shape, n, _arithmetic(before, after, n)))
        before = after
    return layers


def learning(history: _History) -> Learning | None:
    """What the history says; None if there is no epoch."""
