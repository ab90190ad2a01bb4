"""Recipes: everything that decides a training run, as short, named data.

A recipe may come from a stranger's file, so it is checked field by field: unknown keys and values out of range are refused.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from tenfold import limits
from tenfold.errors import MissingExtraError, RecipeError, of_system

try:
    import msgspec
    from msgspec import Meta
except ModuleNotFoundError as problem:
    raise MissingExtraError("train", "msgspec") from problem

Count = Annotated[int, Meta(ge=1, le=100_000)]


class Dense(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="dense"):
    """Fully connected layers with ReLU, then ten outputs with softmax."""

    units: Annotated[tuple[Annotated[int, Meta(ge=1, le=8192)], ...], Meta(max_length=16)] = (128, 64)


class Adam(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="name", tag="adam"):
    """Adam (Kingma and Ba, 2015)."""

    learning_rate: Annotated[float, Meta(gt=0, le=10)] = 1e-3
    beta_1: Annotated[float, Meta(ge=0, lt=1)] = 0.9
    beta_2: Annotated[float, Meta(ge=0, lt=1)] = 0.999
    epsilon: Annotated[float, Meta(gt=0, le=1)] = 1e-7


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that decides a training run.

    Attributes:
        name: names the default run folder.
        why: one sentence on what the recipe is for.
        network: the layers between the pixels and the ten probabilities.
        optimizer: how the weights follow the gradient.
        loss: what is minimised.
        epochs: passes over the training digits.
        batch_size: digits a step.
        data: `mnist`, `digit-recognizer`, or the path of a labelled set.
        validation: the last digits are held out for choosing: a count, or a share below 1.
        seed: decides the first weights and the order of the digits.
    """

    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    why: str = ""
    network: Dense = Dense()
    optimizer: Adam = Adam()
    loss: Literal["categorical_crossentropy"] = "categorical_crossentropy"
    epochs: Count = 10
    batch_size: Count = 32
    data: str = "mnist"
    validation: Annotated[int, Meta(ge=0)] | Annotated[float, Meta(ge=0, lt=1)] = 5000
    seed: Annotated[int, Meta(ge=0, lt=2**31)] = 0


RECIPES = {
    recipe.name: recipe
    for recipe in [
        Recipe(
            name="classic",
            why="The classic experiment: two hidden layers, Adam, ten epochs; the plainest network that does well.",
            network=Dense(units=(128, 64)),
            optimizer=Adam(learning_rate=1e-3),
            epochs=10,
            batch_size=32,
            data="digit-recognizer",
            validation=0.2,
        ),
    ]
}


def find(name_or_file: str) -> Recipe:
    """A recipe by its name, or out of a JSON file.

    Raises:
        RecipeError: there is no such recipe, or the file does not hold a valid one.
    """
    if name_or_file in RECIPES:
        return RECIPES[name_or_file]
    path = Path(name_or_file)
    if path.suffix != ".json" and not path.is_file():
        raise RecipeError(f"recipe {name_or_file!r}: expected one of {', '.join(RECIPES)}, or a .json file")
    return read(path)


def read(path: Path) -> Recipe:
    """Read and check a recipe file.

    Raises:
        RecipeError: the file cannot be read or holds anything but a valid recipe.
    """
    max_bytes = limits.from_environment().max_recipe_bytes
    try:
        with path.open("rb") as file:
            content = file.read(max_bytes + 1)
    except OSError as problem:
        raise RecipeError(f"cannot read recipe {of_system(problem, path)}") from problem
    if len(content) > max_bytes:
        raise RecipeError(f"recipe {path}: more than {max_bytes:,} bytes")
    try:
        return msgspec.json.decode(content, type=Recipe)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise RecipeError(f"recipe {path}: {_in_words(problem)}") from problem


def as_json(recipe: Recipe) -> bytes:
    """The recipe as an indented JSON file."""
    return msgspec.json.format(msgspec.json.encode(recipe), indent=2) + b"\n"


def as_dict(recipe: Recipe) -> dict[str, Any]:
    """The recipe as plain dicts, lists, strings and numbers."""
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(recipe))
    return plain


def changed(recipe: Recipe, changes: Iterable[str]) -> Recipe:
    """Apply changes such as `optimizer.learning_rate=3e-4` or `network.units=[256,128]`.

    Raises:
        RecipeError: no such key, or a value of another type or out of range.
    """
    plain = as_dict(recipe)
    for change in changes:
        key, equals, text = change.partition("=")
        if not equals:
            raise RecipeError(f"--set {change!r}: expected key=value, such as optimizer.learning_rate=3e-4")
        _set(plain, key.strip(), text.strip())
    try:
        return msgspec.convert(plain, Recipe)
    except msgspec.ValidationError as problem:
        raise RecipeError(f"recipe {recipe.name}: {_in_words(problem)}") from problem


def differences(one: Recipe, other: Recipe) -> list[str]:
    """In which keys two recipes differ, e.g. ['epochs: 3 and 10']; `name` and `why` do not count."""
    a, b = _flat(as_dict(one)), _flat(as_dict(other))
    keys = sorted((a.keys() | b.keys()) - {"name", "why"})
    return [f"{key}: {a.get(key)} and {b.get(key)}" for key in keys if a.get(key) != b.get(key)]


def _set(plain: dict[str, Any], key: str, text: str) -> None:
    *path, last = key.split(".")
    place: Any = plain
    for name in path:
        place = place.get(name) if isinstance(place, dict) else None
    if not isinstance(place, dict) or last not in place:
        known = _flat(plain)
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(known)}"
        raise RecipeError(f"--set {key}: no such key in the recipe; {hint}")
    try:
        place[last] = msgspec.json.decode(text)
    except msgspec.DecodeError:
        place[last] = text


def _flat(plain: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in plain.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat


def _in_words(problem: Exception) -> str:
    """Where msgspec says 'Expected `int` >= 1 - at `$.epochs`', say 'epochs: expected int >= 1'."""
    message = " ".join(str(problem).replace("`", "").split())
    text, at, where = message.rpartition(" - at $.")
    return f"{where}: {text[:1].lower()}{text[1:]}" if at else message
