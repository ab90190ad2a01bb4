from pathlib import Path

import pytest

from tenfold.data.sources import load
from tenfold.errors import DataError, RunError
from tenfold.learn import recipes, splits

pytestmark = pytest.mark.one_backend


def test_the_named_sets_are_split_as_the_design_says() -> None:
    classic = splits.split(recipes.RECIPES["classic"])
    assert [len(digits) for digits in classic if digits is not None] == [33_600, 8_400, 28_000]
    kaggle = load("digit-recognizer", "train")
    assert (classic.validation.images == kaggle.images[-8_400:]).all()
    mnist = splits.split(recipes.changed(recipes.RECIPES["classic"], ["data=mnist", "validation=5000"]))
    assert [len(digits) for digits in mnist if digits is not None] == [55_000, 5_000, 10_000]


def test_what_is_held_out_is_the_last_ones_a_share_or_a_fold(toy_csv: Path) -> None:
    toy = recipes.changed(recipes.RECIPES["classic"], [f"data={toy_csv}"])
    every = splits.all_digits(toy).images
    for held_out, n in (("40", 40), ("0.25", len(every) // 4), ("0", 0)):
        parts = splits.split(recipes.changed(toy, [f"validation={held_out}"]))
        assert (parts.training.images == every[: len(every) - n]).all()
        assert (parts.validation.images == every[len(every) - n :]).all()
        assert parts.test is None
    folds = [splits.split(recipes.changed(toy, [f'validation="{k}/3"'])) for k in (1, 2, 3)]
    assert sorted(image.tobytes() for fold in folds for image in fold.validation.images) == sorted(i.tobytes() for i in every)
    with pytest.raises(DataError, match="there is no fold 4/3"):
        splits.split(recipes.changed(toy, ['validation="4/3"']))


def test_the_model_that_ships_is_a_run_like_any(tmp_path: Path) -> None:
    assert splits.run_of("bundled").recipe.name == "bundled"
    assert len(splits.split_of_old(recipes.chosen("adapt", start_from="bundled")).validation) == 5000


def test_a_run_that_was_given_the_name_of_the_one_it_learnt_from_is_said(tmp_path: Path) -> None:
    """Its recipe leads to itself, or, of two runs, to the other and back."""
    names = [str(tmp_path / name) for name in ("a", "b")]
    for name, before in zip(names, reversed(names), strict=True):
        Path(name).mkdir()
        (Path(name) / "recipe.json").write_bytes(recipes.as_json(recipes.chosen("adapt", start_from=before)))
        (Path(name) / "model.keras").touch()
    itself = recipes.chosen("adapt", start_from=names[0])
    with pytest.raises(RunError, match="learnt from an earlier run of this name"):
        splits.split_of_old(itself)
    (Path(names[0]) / "recipe.json").write_bytes(recipes.as_json(itself))
    with pytest.raises(RunError, match="learnt from an earlier run of this name"):
        splits.split_of_old(itself)
    assert splits.first_of(recipes.chosen("adapt", start_from="bundled")).name == "bundled"


@pytest.mark.parametrize(("file", "one"), [("recipe.json", "member-1"), ("folds.json", "fold-1")])
def test_several_runs_have_no_weights_to_learn_from(tmp_path: Path, file: str, one: str) -> None:
    for name in (file, "metrics.json"):
        (tmp_path / name).write_text("{}")
    (tmp_path / one).mkdir()
    with pytest.raises(RunError, match=f"no weights of its own to learn from; give one, such as {tmp_path / one}"):
        splits.run_of(str(tmp_path))
