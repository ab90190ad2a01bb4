import pytest


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["read", "--format", "xml", "x.png"], "--format xml: expected one of text, tsv, json, csv (see tenfold read --help)"),
        (["read", "--digits", "a", "x.png"], "--digits a: expected a whole number (see tenfold read --help)"),
        (["read", "--min-confidence", "a", "x.png"], "--min-confidence a: expected a number (see tenfold read --help)"),
        (["read", "--min-confidence", "3", "x.png"], "--min-confidence 3: expected 1 or less (see tenfold read --help)"),
        (["read", "--processes", "0", "x.png"], "--processes 0: expected 1 or more (see tenfold read --help)"),
        (["train", "--fold", "3"], "--fold: no such option; did you mean --folds or --from? (see tenfold train --help)"),
    ],
)
def test_an_option_that_is_wrong_is_said_with_what_was_expected(tenfold, arguments: list[str], said: str) -> None:
    assert tenfold(*arguments) == (2, "", f"error: {said}\n")


@pytest.mark.parametrize("command", ["train", "ensemble", "sweep", "bench"])
def test_a_recipe_without_its_option_is_seen(tenfold, command: str) -> None:
    said = f"error: mlp: an option is missing before it; did you mean --recipe mlp? (see tenfold {command} --help)\n"
    assert tenfold(command, "mlp") == (2, "", said)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train", "quickly"], "quickly: more than the command takes; expected tenfold train and options"),
        (["compare", "a", "b", "c", "d"], "c d: more than the command takes; expected tenfold compare RUN RUN"),
        (["recipes", "mlp", "cnn"], "cnn: more than the command takes; expected tenfold recipes [RECIPE]"),
    ],
)
def test_what_is_too_much_is_said_with_what_belongs_there(tenfold, arguments: list[str], said: str) -> None:
    assert tenfold(*arguments) == (2, "", f"error: {said} (see tenfold {arguments[0]} --help)\n")
