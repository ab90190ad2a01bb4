import pytest

from tenfold.cluster.ranges import Choice, Range, read, read_all, usual
from tenfold.errors import TenfoldError
from tenfold.learn.recipe import Recipe
from tenfold.learn.recipes import RECIPES

CNN = RECIPES["cnn"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("learning_rate=1e-3..3e-2:log", Range("optimizer.learning_rate", 1e-3, 3e-2, True, False)),
        ("augment.rotation=0..20", Range("augmentation.rotation", 0, 20, False, False)),
        ("epochs=5..20", Range("epochs", 5, 20, False, True)),
        ("batch_size=64,128", Choice("batch_size", ("64", "128"))),
        ("schedule=constant,one_cycle", Choice("optimizer.schedule", ("constant", "one_cycle"))),
        ("stages=[[8],[16]],[[16],[32]]", Choice("network.stages", ("[[8], [16]]", "[[16], [32]]"))),
    ],
)
def test_what_is_varied_is_read_as_one_writes_it(text: str, expected: object) -> None:
    assert read(text, CNN) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("learning_rate", "expected such as"),
        ("learning_rate=1..", "expected such as"),
        ("learning_rate=3e-2..1e-3", "expected a lower bound"),
        ("learning_rate=0..1e-3:log", "above 0 for log"),
        ("learning_rate=1e-3..99", "learning_rate"),
        ("epochs=0..5", "epochs"),
        ("batch_size=64", "at least two values"),
        ("batch_size=64,64", "each once"),
        ("batch_size=64,many", "batch_size"),
        ("nothing=1..2", "no such key"),
        ("learnin_rate=1..2", r"did you mean optimizer\.learning_rate\?"),
        ("s=1..2", "no such key"),
    ],
)
def test_what_cannot_be_varied_is_refused_in_one_line(text: str, said: str) -> None:
    with pytest.raises(TenfoldError, match=said) as problem:
        read(text, CNN)
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_the_learning_rate_is_varied_if_nothing_is_said(recipe: Recipe) -> None:
    over = read(usual(recipe), recipe)
    assert isinstance(over, Range)
    assert over.logarithmic
    assert over.low == pytest.approx(recipe.optimizer.learning_rate / 4)
    assert over.high == pytest.approx(recipe.optimizer.learning_rate * 4)


def test_a_key_comes_once() -> None:
    with pytest.raises(TenfoldError, match="comes twice"):
        read_all(["epochs=1..2", "epochs=3..4"], CNN)


def test_a_drawn_number_is_short_and_within_its_bounds() -> None:
    wanted = Range("optimizer.learning_rate", 0.00123456, 0.00129999, False, False)
    assert wanted.text(0.00123999) == "0.00124"
    assert wanted.text(0.00129999) == "0.00129999", "rounded up it would be above the bound"
