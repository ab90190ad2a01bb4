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


# `\Z`, since `$` lets a last newline pass.
Fold = Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,2}/[1-9][0-9]{0,2}\Z")]
Share = Annotated[float, Meta(ge=0, le=1)]
LearningRate = Annotated[float, Meta(gt=0, le=10)]
WeightDecay = Annotated[float, Meta(ge=0, le=10)]
Schedule = Literal["constant", "one_cycle"]
Warmup = Annotated[float, Meta(gt=0, lt=1)]


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a recipe."""


class Dense(_Part, frozen=True, tag_field="kind", tag="dense"):
    """Fully connected layers with ReLU, then ten outputs with softmax.

    Attributes:
        units: of each hidden layer.
        batch_norm: normalise each hidden sum over the batch (Ioffe and Szegedy, 2015); folded into the weights at export.
    """

    units: Annotated[tuple[Annotated[int, Meta(ge=1, le=8192)], ...], Meta(max_length=16)] = (128, 64)
    batch_norm: bool = False


class Convolutional(_Part, frozen=True, tag_field="kind", tag="convolutional"):
    """3x3 convolutions in stages with a 2x2 max pooling between them, then the largest and the mean of each map, then softmax.

    Each convolution is followed by batch norm and ReLU; where a pooling follows, it comes before them, which costs a quarter.

    Attributes:
        stages: for each stage the number of maps of its convolutions.
        dropout: share of the pooled values left out in training.
    """

    stages: Annotated[
        tuple[Annotated[tuple[Annotated[int, Meta(ge=1, le=1024)], ...], Meta(min_length=1, max_length=8)], ...],
        Meta(min_length=1, max_length=4),
    ]
    dropout: Annotated[float, Meta(ge=0, lt=1)] = 0.0


class Adam(_Part, frozen=True, tag_field="name", tag="adam"):
    """Adam (Kingma and Ba, 2015); with weight decay AdamW (Loshchilov and Hutter, 2019).

    Attributes:
        learning_rate: the highest of the schedule.
        beta_1: how much of the mean gradient is kept a step.
        beta_2: how much of the mean squared gradient is kept a step.
        epsilon: keeps the quotient of both finite.
        weight_decay: the share of each kernel that goes away a step is this times the learning rate.
        schedule: `constant`, or `one_cycle` (Smith, 2018): up from a twentieth, then straight down to zero.
        warmup: the share of all steps in which a cycle rises.
    """

    learning_rate: LearningRate = 1e-3
    beta_1: Annotated[float, Meta(ge=0, lt=1)] = 0.9
    beta_2: Annotated[float, Meta(ge=0, lt=1)] = 0.999
    epsilon: Annotated[float, Meta(gt=0, le=1)] = 1e-7
    weight_decay: WeightDecay = 0.0
    schedule: Schedule = "constant"
    warmup: Warmup = 0.25


class Muon(_Part, frozen=True, tag_field="name", tag="muon"):
    """Muon (Jordan et al., 2024) for the kernels of hidden dense layers, AdamW for all else.

    Attributes:
        learning_rate: the highest of the schedule, for both.
        momentum: how much of the mean gradient is kept a step.
        weight_decay: as in `Adam`.
        schedule: as in `Adam`.
        warmup: as in `Adam`.
    """

    learning_rate: LearningRate = 1.5e-2
    momentum: Annotated[float, Meta(ge=0, lt=1)] = 0.95
    weight_decay: WeightDecay = 0.1
    schedule: Schedule = "one_cycle"
    warmup: Warmup = 0.25


class Augmentation(_Part, frozen=True):
    """How far training digits are changed at random, anew in each epoch; each amount is the most in either direction.

    Attributes:
        rotation: degrees.
        shear: degrees of slant.
        scale: share of the size.
        aspect: share by which width and height part.
        shift: pixels.
        elastic: pixels that points of a coarse grid move, each on its own (Simard et al., 2003, smoother).
        stroke: share of the way to strokes a pixel wider, or narrower, on either side.
        blur: share of the way to the mean of 3x3 pixels.
        alike: so many digits that follow each other share a motion, which makes it as many times cheaper.
        nearest: take each pixel from the nearest place, not from between the four around it: as good for a network without
            convolutions, and cheaper.
        strangers: share of the sevens that come once more with a bar, of the ones with a flag or foot, and, halved, of all
            in a low resolution (`strangers.added`).
        clean_epochs: the last epochs see the digits as they are.
    """

    rotation: Annotated[float, Meta(ge=0, le=45)] = 0.0
    shear: Annotated[float, Meta(ge=0, le=45)] = 0.0
    scale: Annotated[float, Meta(ge=0, le=0.5)] = 0.0
    aspect: Annotated[float, Meta(ge=0, le=0.5)] = 0.0
    shift: Annotated[float, Meta(ge=0, le=10)] = 0.0
    elastic: Annotated[float, Meta(ge=0, le=5)] = 0.0
    stroke: Share = 0.0
    blur: Share = 0.0
    strangers: Share = 0.0
    alike: Annotated[int, Meta(ge=1, le=64)] = 8
    nearest: bool = False
    clean_epochs: Annotated[int, Meta(ge=0, le=100_000)] = 0


class Teaching(_Part, frozen=True):
    """Learning from what other networks answer to the same changed digits (Hinton et al., 2015; Beyer et al., 2022).

    Attributes:
        teachers: runs, or `bundled`; their probabilities are averaged.
        share: of the loss that compares with the teachers; the rest compares with the labels.
    """

    teachers: Annotated[tuple[str, ...], Meta(min_length=1, max_length=16)] = ("bundled",)
    share: Share = 0.9


class Rehearsal(_Part, frozen=True):
    """Old digits among a few new ones, so that nothing is forgotten (`adapting`).

    Attributes:
        n_digits: training digits of the run it starts from, others in each epoch.
        share: of the places of an epoch that the new digits take, each of them as often as the others.
        kept: share of the way from the old weights to the new ones that is gone in the end.
        folds: so many further trainings read the new digits that they did not learn from; 0 for none.
    """

    n_digits: Count = 1800
    share: Annotated[float, Meta(gt=0, lt=1)] = 0.25
    kept: Annotated[float, Meta(gt=0, le=1)] = 1.0
    folds: Annotated[int, Meta(ge=0, le=100)] = 2


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that decides a training run.

    Attributes:
        name: names the default run folder.
        why: one sentence on what the recipe is for.
        network: the layers between the pixels and the ten probabilities.
        optimizer: how the weights follow the gradient.
        augmentation: how the training digits are changed, or null.
        loss: what is minimised.
        label_smoothing: share of each target that is spread over all ten classes (Szegedy et al., 2016).
        teaching: networks to learn from besides the labels, or null.
        rehearsal: `data` are few digits, to be learnt without forgetting those of `start_from`; or null.
        epochs: passes over the training digits.
        batch_size: digits a step.
        data: `mnist`, `digit-recognizer`, or the path of a labelled set.
        validation: digits held out for choosing: the last ones, a count or a share below 1; or a fold such as "2/5".
        start_from: a run, or `bundled`, whose weights come first instead of random ones; or null.
        seed: decides the first weights, the order of the digits and how they are changed.
    """

    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")]
    why: str = ""
    network: Dense | Convolutional = Dense()
    optimizer: Adam | Muon = Adam()
    augmentation: Augmentation | None = None
    loss: Literal["categorical_crossentropy"] = "categorical_crossentropy"
    label_smoothing: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    teaching: Teaching | None = None
    rehearsal: Rehearsal | None = None
    epochs: Count = 10
    batch_size: Count = 32
    data: str = "mnist"
    validation: Annotated[int, Meta(ge=0)] | Annotated[float, Meta(ge=0, lt=1)] | Fold = 5000
    start_from: str | None = None
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
        Recipe(
            name="mlp",
            why="The network and ten epochs of classic, trained better: Muon, a cycle of rates, batch norm, moved digits.",
            network=Dense(units=(128, 64), batch_norm=True),
            optimizer=Muon(learning_rate=2.5e-2, weight_decay=0.1, schedule="one_cycle"),
            augmentation=Augmentation(rotation=10, shear=5, scale=0.12, shift=1, alike=1, nearest=True, clean_epochs=1),
            label_smoothing=0.02,
            epochs=10,
            batch_size=512,
        ),
        Recipe(
            name="mlp-distilled",
            why="As mlp, but it learns from what the model that ships answers to the same moved digits.",
            network=Dense(units=(128, 64), batch_norm=True),
            optimizer=Muon(learning_rate=1.5e-2, weight_decay=0.1, schedule="one_cycle"),
            augmentation=Augmentation(rotation=10, shear=5, scale=0.12, shift=1, alike=1, nearest=True),
            teaching=Teaching(teachers=("bundled",), share=1.0),
            epochs=10,
            batch_size=256,
        ),
        Recipe(
            name="cnn-fast",
            why="Past 99.4 % in two minutes, past 99 % in a third of that with --epochs 2: few maps, light augmentation.",
            network=Convolutional(stages=((16,), (32,), (64,))),
            optimizer=Adam(learning_rate=2e-2, beta_2=0.99, weight_decay=0.02, schedule="one_cycle", warmup=0.2),
            augmentation=Augmentation(rotation=8, scale=0.08, shift=1),
            epochs=6,
            batch_size=128,
        ),
        Recipe(
            name="cnn",
            why="As accurate as 100,000 parameters get in a few minutes on two cores; digits move, bend and change stroke.",
            network=Convolutional(stages=((16,), (32, 32), (64, 64))),
            optimizer=Adam(learning_rate=2e-2, beta_2=0.99, weight_decay=0.02, schedule="one_cycle", warmup=0.3),
            augmentation=Augmentation(rotation=12, shear=8, scale=0.12, shift=2, elastic=1, stroke=0.3, clean_epochs=1),
            label_smoothing=0.05,
            epochs=10,
            batch_size=128,
        ),
        Recipe(
            name="best",
            why="The most accurate single network here: cnn with half as many maps again, trained twice as long.",
            network=Convolutional(stages=((24,), (48, 48), (96, 96)), dropout=0.2),
            optimizer=Adam(learning_rate=1e-2, beta_2=0.99, weight_decay=0.05, schedule="one_cycle", warmup=0.2),
            augmentation=Augmentation(rotation=12, shear=8, scale=0.12, shift=2, elastic=1, stroke=0.3, clean_epochs=1),
            label_smoothing=0.05,
            epochs=20,
            batch_size=128,
        ),
        Recipe(
            name="bundled",
            why="The model that ships: small, and trained for other hands too: bars, flags, low resolution, bent strokes.",
            network=Convolutional(stages=((24,), (48, 48), (96, 96))),
            optimizer=Adam(learning_rate=1.5e-2, beta_2=0.99, weight_decay=0.03, schedule="one_cycle", warmup=0.25),
            augmentation=Augmentation(
                rotation=12, shear=12, scale=0.12, aspect=0.12, shift=2, elastic=1.5, stroke=0.5, blur=0.7, strangers=0.15
            ),
            label_smoothing=0.03,
            epochs=14,
            batch_size=128,
        ),
        Recipe(
            name="adapt",
            why="The model that ships learns your hand: a dozen corrected digits among thousands of old ones.",
            network=Convolutional(stages=((24,), (48, 48), (96, 96))),
            optimizer=Adam(learning_rate=3e-3, beta_2=0.99, schedule="one_cycle", warmup=0.2),
            augmentation=Augmentation(
                rotation=12, shear=12, scale=0.15, aspect=0.15, shift=1.5, elastic=2.5, stroke=0.6, blur=0.5, alike=1
            ),
            label_smoothing=0.03,
            rehearsal=Rehearsal(n_digits=5400, share=0.25, kept=0.85, folds=2),
            epochs=4,
            batch_size=128,
            data="samples.db",
            validation=0,
            start_from="bundled",
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
        if path.exists() and not path.is_file():
            raise RecipeError(f"recipe {path}: not a file; expected a .json file, as tenfold recipes mlp prints one")
        with path.open("rb") as file:
            content = file.read(max_bytes + 1)
    except OSError as problem:
        raise RecipeError(f"cannot read recipe {of_system(problem, path)}") from problem
    if len(content) > max_bytes:
        raise RecipeError(f"recipe {path}: more than {max_bytes:,} bytes")
    try:
        return msgspec.json.decode(content, type=Recipe)
    except msgspec.ValidationError as problem:
        raise RecipeError(f"recipe {path}: {_in_words(problem)}") from problem
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise RecipeError(f"recipe {path}: not JSON; expected a recipe such as tenfold recipes mlp prints") from problem


def as_json(recipe: Recipe) -> bytes:
    """The recipe as an indented JSON file."""
    return msgspec.json.format(msgspec.json.encode(recipe), indent=2) + b"\n"


def as_dict(recipe: Recipe) -> dict[str, Any]:
    """The recipe as plain dicts, lists, strings and numbers."""
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(recipe))
    return plain


def from_dict(plain: dict[str, Any]) -> Recipe:
    """The recipe of which `as_dict` gave this.

    Raises:
        RecipeError: it is none.
    """
    try:
        return msgspec.convert(plain, Recipe)
    except msgspec.ValidationError as problem:
        raise RecipeError(f"recipe {plain.get('name', '')}: {_in_words(problem)}") from problem


def changed(recipe: Recipe, changes: Iterable[str]) -> Recipe:
    """Apply changes such as `optimizer.learning_rate=3e-4` or `network.units=[256,128]`.

    Raises:
        RecipeError: no such key, or a value of another type or out of range.
    """
    plain = as_dict(recipe)
    texts: dict[str, str] = {}
    for change in changes:
        key, equals, text = (part.strip() for part in change.partition("="))
        if not equals or not key:
            raise RecipeError(f"--set {change!r}: expected key=value, such as optimizer.learning_rate=3e-4")
        _set(plain, key, text)
        texts[key] = text
    try:
        return from_dict(plain)
    except RecipeError as problem:
        found = [f"; found {text[:60]!r}" for key, text in texts.items() if f": {key}: " in str(problem)]
        raise RecipeError(f"{problem}{''.join(found)}") from problem


def differences(one: Recipe, other: Recipe) -> list[str]:
    """In which keys two recipes differ, e.g. ['epochs: 3 and 10']; `name` and `why` do not count."""
    a, b = flat(one), flat(other)
    keys = sorted((a.keys() | b.keys()) - {"name", "why"})
    return [f"{key}: {a.get(key)} and {b.get(key)}" for key in keys if a.get(key) != b.get(key)]


def flat(recipe: Recipe) -> dict[str, Any]:
    """Each value of a recipe by its whole key, such as `optimizer.learning_rate`."""
    return _flat(as_dict(recipe))


_WHOLE = {"augmentation": '{"rotation":8,"shift":1}', "rehearsal": '{"share":0.25}', "teaching": '{"teachers":["runs/cnn"]}'}


def _set(plain: dict[str, Any], key: str, text: str) -> None:
    *path, last = key.split(".")
    place: Any = plain
    for name in path:
        if isinstance(place, dict) and place.get(name, 0) is None:
            raise RecipeError(
                f"--set {key}: {name} is null in this recipe; give it whole, such as --set '{name}={_WHOLE[name]}'"
            )
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
    if where == "validation":
        text = "expected a count (5000), a share below 1 (0.2) or a fold (2/5)"
    return f"{where}: {text[:1].lower()}{text[1:]}" if at else message
