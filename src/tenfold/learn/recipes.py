"""The recipes by name, those of files, and changes of them: `--set optimizer.learning_rate=3e-4`."""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from tenfold import limits, storage
from tenfold.errors import MissingExtraError, RecipeError, of_system
from tenfold.learn.recipe import Adam, Augmentation, Convolutional, Dense, Muon, Recipe, Rehearsal, Remembering, Teaching

try:
    import msgspec
    from msgspec import inspect
except ModuleNotFoundError as problem:
    raise MissingExtraError("train", "msgspec") from problem

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
            why="As mlp, but each digit comes moved in four ways at once, and the model that ships says what each is.",
            network=Dense(units=(128, 64), batch_norm=True),
            optimizer=Muon(learning_rate=1.5e-2, weight_decay=0.1, schedule="one_cycle"),
            augmentation=Augmentation(rotation=10, shear=5, scale=0.12, shift=1, alike=1, nearest=True, copies=4),
            teaching=Teaching(teachers=("bundled",), share=1.0),
            epochs=10,
            batch_size=128,
        ),
        Recipe(
            name="cnn-fast",
            why="Past 99.4 % within two minutes, past 99 % in a third of that with --epochs 2: few maps, light augmentation.",
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
            why="The model that ships learns your hand: twenty corrected digits among thousands of old ones.",
            network=Convolutional(stages=((24,), (48, 48), (96, 96))),
            optimizer=Adam(learning_rate=3e-3, beta_2=0.99, schedule="one_cycle", warmup=0.2),
            augmentation=Augmentation(
                rotation=12, shear=12, scale=0.15, aspect=0.15, shift=1.5, elastic=2.5, stroke=0.6, blur=0.5, alike=1
            ),
            label_smoothing=0.03,
            rehearsal=Rehearsal(n_digits=5400, share=0.25, kept=0.3, folds=2, remembering=Remembering()),
            epochs=4,
            batch_size=128,
            data="samples.db",
            validation=0,
            start_from="bundled",
        ),
    ]
}

# What msgspec would say in patterns.
_EXPECTED = {
    "name": "letters, digits, dots, dashes and underscores, a letter or digit first",
    "validation": "a count (5000), a share below 1 (0.2) or a fold (2/5)",
}
# What a recipe may lack.
_PARTS = {"augmentation": Augmentation(), "rehearsal": Rehearsal(), "teaching": Teaching(), "remembering": Remembering()}


def find(name_or_file: str) -> Recipe:
    """A recipe by its name, or out of a JSON file.

    Raises:
        RecipeError: there is no such recipe, or the file does not hold a valid one.
    """
    if name_or_file in RECIPES:
        return RECIPES[name_or_file]
    path = Path(name_or_file)
    if path.suffix != ".json" and not path.is_file():
        near = difflib.get_close_matches(name_or_file, RECIPES, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise RecipeError(f"recipe {name_or_file!r}: expected one of {', '.join(RECIPES)}, or a .json file{hint}")
    return read(path)


def chosen(recipe: str | Recipe, changes: Sequence[str] = (), **overrides: Any) -> Recipe:
    """A recipe by its name, file or itself, with changes and overrides (None overrides nothing).

    Raises:
        RecipeError: there is no such recipe or key, or a value is out of range.
    """
    found = recipe if isinstance(recipe, Recipe) else find(recipe)
    given = {key: value for key, value in overrides.items() if value is not None}
    for key in ("data", "start_from"):
        if key in given:
            given[key] = json.dumps(str(given[key]), ensure_ascii=False)  # a file may be called 1
    return changed(found, [*changes, *(f"{key}={value}" for key, value in given.items())])


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


def as_dict(recipe: msgspec.Struct) -> dict[str, Any]:
    """A recipe, or a part of one, as plain dicts, lists, strings and numbers."""
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
        if not storage.is_utf8(text):
            raise RecipeError(f"{key} {text}: a name in bytes that are not UTF-8, which recipe.json cannot hold; rename it")
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


def changes_of(recipe: Recipe, changed: Recipe) -> dict[str, Any]:
    """What was changed of a recipe: the values by their whole keys. Of a part that it lacks, what is not as by default."""
    before, after = as_dict(recipe), as_dict(changed)
    lacking = {name: as_dict(part) for name, part in _PARTS.items() if before.get(name, 0) is None and after[name]}
    a, b = _flat(before | lacking), _flat(after)
    return {key: value for key, value in b.items() if key not in ("name", "why") and a.get(key) != value}


def flat(recipe: Recipe) -> dict[str, Any]:
    """Each value of a recipe by its whole key, such as `optimizer.learning_rate`."""
    return _flat(as_dict(recipe))


def meant(key: str, known: Collection[str]) -> str:
    """Which of the known keys may be meant by one that is none; all of them where none is like it."""
    ends = [other for other in known if other.endswith(f".{key}")]
    near = ends or difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else f"expected one of {', '.join(known)}"


def _set(plain: dict[str, Any], key: str, text: str) -> None:
    *path, last = key.split(".")
    place: Any = plain
    for name in path:
        if isinstance(place, dict) and name in _PARTS and place.get(name) is None:  # a part that this recipe lacks
            place[name] = as_dict(_PARTS[name])
        place = place.get(name) if isinstance(place, dict) else None
    if not isinstance(place, dict) or last not in place:
        raise RecipeError(f"--set {key}: no such key in the recipe; {meant(key, _flat(plain))}")
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
    if not at:
        return message
    if where in _EXPECTED:
        text = f"expected {_EXPECTED[where]}"
    elif allowed := _allowed(where):
        text = f"expected {' or '.join(allowed)}"
    elif text.startswith("Expected array"):
        text = f"{text}; a list looks like [64,32]"
    return f"{where}: {text[:1].lower()}{text[1:]}"


def _allowed(where: str) -> list[str]:
    """What a key may be, where that is one of a few words; nothing for any other key."""
    kinds: list[Any] = [inspect.type_info(Recipe)]
    for name in where.split("."):
        inside = [kind for each in kinds for kind in (each.types if isinstance(each, inspect.UnionType) else [each])]
        structs = [kind for kind in inside if isinstance(kind, inspect.StructType)]
        if tags := [str(struct.tag) for struct in structs if struct.tag_field == name]:
            return tags
        kinds = [field.type for struct in structs for field in struct.fields if field.encode_name == name]
    words = [str(value) for kind in kinds if isinstance(kind, inspect.LiteralType) for value in kind.values]
    return list(dict.fromkeys(words))
