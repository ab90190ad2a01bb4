"""What a sweep varies: a key of the recipe over a range or a choice, as one writes it on the command line."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tenfold.errors import RecipeError, UsageError
from tenfold.learn import recipes
from tenfold.learn.recipe import Recipe

_EXPECTED = "expected such as learning_rate=1e-3..3e-2:log, epochs=5..20 or batch_size=64,128,256"
_FIGURES = 4  # of a number that is drawn: more would only look exact


@dataclass(frozen=True)
class Range:
    """Numbers between two bounds, both included.

    Attributes:
        key: of the recipe, whole.
        low: the lower bound.
        high: the upper bound.
        logarithmic: whether each factor is as likely as any other.
        whole: whether only whole numbers will do.
    """

    key: str
    low: float
    high: float
    logarithmic: bool
    whole: bool

    def drawn(self, trial: Any) -> str:
        """Let an Optuna trial choose; the value as `--set` takes it."""
        if self.whole:
            return str(trial.suggest_int(self.key, int(self.low), int(self.high), log=self.logarithmic))
        return self.text(trial.suggest_float(self.key, self.low, self.high, log=self.logarithmic))

    def text(self, value: float) -> str:
        """A number as `--set` takes it, rounded, within the bounds."""
        return repr(min(max(float(f"{value:.{_FIGURES}g}"), self.low), self.high))


@dataclass(frozen=True)
class Choice:
    """Some values, as `--set` takes them."""

    key: str
    values: tuple[str, ...]

    def drawn(self, trial: Any) -> str:
        """Let an Optuna trial choose."""
        return str(trial.suggest_categorical(self.key, self.values))


Over = Range | Choice


def usual(recipe: Recipe) -> str:
    """What is varied if nothing is said: the learning rate, up to four times as low or high as the recipe has it."""
    rate = recipe.optimizer.learning_rate
    return f"optimizer.learning_rate={rate / 4:g}..{min(4 * rate, 10):g}:log"


def read_all(texts: Iterable[str], recipe: Recipe) -> list[Over]:
    """Read what a sweep varies and try the bounds on the recipe.

    Raises:
        UsageError: a text says nothing that can be varied, or a key comes twice.
        RecipeError: the recipe has no such key, or a bound or value is out of its range.
    """
    found = [read(text, recipe) for text in texts]
    keys = [over.key for over in found]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice:
        raise UsageError(f"--over {twice}: comes twice; give it once, with all its values")
    return found


def read(text: str, recipe: Recipe) -> Over:
    """Read `key=low..high`, `key=low..high:log` or `key=a,b,c`; a key may be shortened as long as it is clear.

    Raises:
        UsageError, RecipeError: see `read_all`.
    """
    name, equals, values = (part.strip() for part in text.partition("="))
    if not equals or not name or not values:
        raise UsageError(f"--over {text!r}: {_EXPECTED}")
    key = whole_key(name, recipe)
    if ".." not in values:
        return _choice(key, values, text, recipe)
    bounds, _, scale = values.partition(":")
    try:
        low, high = (float(bound) for bound in bounds.split("..", 1))
    except ValueError as problem:
        raise UsageError(f"--over {text!r}: {_EXPECTED}") from problem
    if scale not in ("", "log") or not (math.isfinite(low) and low < high and math.isfinite(high)) or (scale and low <= 0):
        raise UsageError(f"--over {text!r}: expected a lower bound, above 0 for log, then a higher one; {_EXPECTED}")
    return _range(key, low, high, scale == "log", recipe)


def whole_key(name: str, recipe: Recipe) -> str:
    """The one key that is meant: `learning_rate` is `optimizer.learning_rate`, `augment.shift` is `augmentation.shift`.

    Raises:
        UsageError: none is meant, or several.
    """
    keys = recipes.flat(recipe)
    parts = name.split(".")
    meant = [key for key in keys if key == name] or [key for key in keys if _is_short_for(parts, key.split("."))]
    if len(meant) == 1:
        return meant[0]
    if not meant:
        raise UsageError(f"--over {name}: no such key in the recipe {recipe.name}; {recipes.meant(name, keys)}")
    raise UsageError(f"--over {name}: may be {' or '.join(meant)}; write one of them")


def _is_short_for(parts: list[str], key: list[str]) -> bool:
    last = key[-len(parts) :]
    return len(last) == len(parts) and last[-1] == parts[-1] and all(k.startswith(p) for p, k in zip(parts, last, strict=True))


def _range(key: str, low: float, high: float, logarithmic: bool, recipe: Recipe) -> Range:
    wanted = Range(key, low, high, logarithmic, whole=low.is_integer() and high.is_integer())
    if wanted.whole:
        try:
            recipes.changed(recipe, [f"{key}={low + 0.5}"])
        except RecipeError:
            recipes.changed(recipe, [f"{key}={int(low)}", f"{key}={int(high)}"])
        else:
            wanted = Range(key, low, high, logarithmic, whole=False)
    for bound in (low, high):
        recipes.changed(recipe, [f"{key}={int(bound) if wanted.whole else bound}"])
    return wanted


def _choice(key: str, values: str, text: str, recipe: Recipe) -> Choice:
    try:
        found = tuple(json.dumps(value) for value in json.loads(f"[{values}]"))
    except ValueError:
        found = tuple(value.strip() for value in values.split(","))
    if len(found) < 2 or len(set(found)) < len(found):
        raise UsageError(f"--over {text!r}: expected at least two values, each once; {_EXPECTED}")
    for value in found:
        recipes.changed(recipe, [f"{key}={value}"])
    return Choice(key, found)
