import os
from pathlib import Path

import pytest

from tenfold.errors import RecipeError
from tenfold.learn import recipes
from tenfold.learn.recipe import Augmentation, Rehearsal, Remembering

pytestmark = pytest.mark.one_backend

CLASSIC = recipes.RECIPES["classic"]


def test_classic_is_the_classic_experiment() -> None:
    assert CLASSIC.network.units == (128, 64)
    assert (CLASSIC.optimizer.learning_rate, CLASSIC.batch_size, CLASSIC.epochs) == (1e-3, 32, 10)
    assert (CLASSIC.data, CLASSIC.validation) == ("digit-recognizer", 0.2)


def test_each_recipe_says_why_in_a_sentence() -> None:
    assert all(recipe.why.endswith(".") and recipe.name == name for name, recipe in recipes.RECIPES.items())


def test_a_recipe_survives_its_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_bytes(recipes.as_json(CLASSIC))
    assert recipes.find(str(path)) == CLASSIC


def test_changes_reach_any_depth_and_keep_the_types() -> None:
    changed = recipes.changed(
        CLASSIC, ["optimizer.learning_rate=3e-4", "network.units=[256,128]", "data=my.csv", "validation=100"]
    )
    assert changed.optimizer.learning_rate == 3e-4
    assert changed.network.units == (256, 128)
    assert (changed.data, changed.validation) == ("my.csv", 100)
    assert recipes.differences(CLASSIC, changed) == [
        "data: digit-recognizer and my.csv",
        "network.units: [128, 64] and [256, 128]",
        "optimizer.learning_rate: 0.001 and 0.0003",
        "validation: 0.2 and 100",
    ]


def test_of_a_part_that_a_recipe_lacks_a_value_is_changed_and_the_rest_is_as_by_default() -> None:
    changed = recipes.changed(CLASSIC, ["augmentation.rotation=10", "rehearsal.remembering.weight=50"])
    assert changed.augmentation == Augmentation(rotation=10)
    assert changed.rehearsal == Rehearsal(remembering=Remembering(weight=50))
    changed = recipes.changed(CLASSIC, ["augmentation.rotation=10", "teaching.share=0.5"])
    assert recipes.changes_of(CLASSIC, changed) == {"augmentation.rotation": 10.0, "teaching.share": 0.5}
    other = recipes.changed(recipes.find("mlp"), ["augmentation.rotation=11", "epochs=3"])
    assert recipes.changes_of(recipes.find("mlp"), other) == {"augmentation.rotation": 11.0, "epochs": 3}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("optimizer.learning_rat=1", "did you mean optimizer.learning_rate"),
        ("learning_rate=1", "did you mean optimizer.learning_rate"),
        ("optimizer.learning_rate=fast", "optimizer.learning_rate"),
        ("optimizer.learning_rate=-1", "optimizer.learning_rate"),
        ("epochs=0", "epochs"),
        ("epochs=2.5", "epochs"),
        ("batch_size=true", "batch_size"),
        ("network.units=[0]", "network.units"),
        ("network=dense", "network"),
        ("network.units=32,16", "network.units: expected array, got str; a list looks like [64,32]; found '32,16'"),
        ("network.kind=foo", "network.kind: expected dense or convolutional; found 'foo'"),
        ("optimizer.name=sgd", "optimizer.name: expected adam or muon; found 'sgd'"),
        ("optimizer.schedule=foo", "optimizer.schedule: expected constant or one_cycle; found 'foo'"),
        ("name=a b", "name: expected letters, digits, dots, dashes and underscores, a letter or digit first; found 'a b'"),
        ("data.x=1", "data.x: no such key"),
        ("augmentation.rotatoin=1", "did you mean augmentation.rotation"),
        ("network.units.x=1", "no such key"),
        ("loss=hinge", "loss"),
        ("name=../../x", "name"),
        ("epochs", "expected key=value"),
        ("data=d\udcff.csv", r"data d\xff.csv: a name in bytes that are not UTF-8"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused_with_its_key(change: str, said: str) -> None:
    with pytest.raises(RecipeError) as refused:
        recipes.changed(CLASSIC, [change])
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "$." not in str(refused.value)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"name": "x", "surprise": 1}', b'{"name": "x", "epochs": "ten"}', b"\xff\xfe", b"[" * 100_000],
)
def test_a_file_that_holds_no_recipe_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    with pytest.raises(RecipeError, match=r"bad\.json"):
        recipes.read(path)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(RecipeError, match="classic"):
        recipes.find("clasic")


def test_a_pipe_is_no_recipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(RecipeError, match="not a file"):
        recipes.find(str(tmp_path / "pipe.json"))


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"\xef\xbb\xbf{}"])
def test_what_is_no_json_is_said_so(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "r.json").write_bytes(content)
    with pytest.raises(RecipeError, match="not JSON; expected a recipe such as"):
        recipes.read(tmp_path / "r.json")


@pytest.mark.parametrize("key", ["data", "start_from"])
def test_a_name_that_no_recipe_file_can_hold_is_refused(key: str) -> None:
    with pytest.raises(RecipeError, match=rf"{key} .*r\\xe9.*: a name in bytes that are not UTF-8"):
        recipes.chosen("mlp", **{key: "r\udce9"})
    assert getattr(recipes.chosen("mlp", **{key: "résultat"}), key) == "résultat"


def test_a_name_with_a_last_newline_is_refused() -> None:
    with pytest.raises(RecipeError, match="name"):
        recipes.from_dict(recipes.as_dict(recipes.RECIPES["mlp"]) | {"name": "x\n"})
