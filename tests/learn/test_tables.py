import pytest

from tenfold.learn import tables

pytestmark = pytest.mark.one_backend


def test_columns_are_aligned() -> None:
    text = tables.table(["name", "n"], [["a", "1,000"], ["long name", "2"]])
    assert text.splitlines() == ["name           n", "---------  -----", "a          1,000", "long name      2"]


def test_a_cell_steers_no_terminal_and_stays_in_its_line() -> None:
    assert tables.table(["a"], [["\x1b[31m\n"], ["b"]]).splitlines() == ["a", "----------", r"\x1b[31m\n", "b"]


def test_history_has_the_columns_of_the_classic_table() -> None:
    columns = {"epoch": [1], "loss": [0.30071], "accuracy": [0.9139], "val_loss": [0.1618], "val_accuracy": [None]}
    header, _, row = tables.history(columns).splitlines()
    assert header.split("  ") == ["epoch", "training loss", "training accuracy", "validation loss", "validation accuracy"]
    assert row.split() == ["1", "0.3007", "0.9139", "0.1618", "-"]


def test_the_network_table_ends_with_the_sum() -> None:
    assert tables.network([("a", "(None, 2)", 1000), ("b", "(None, 1)", 3)]).splitlines()[-1].endswith("1,003")


def test_shares_are_percentages() -> None:
    assert tables.percent(0.9681) == "96.81 %"
    assert tables.percent(None) == tables.interval(None) == "-"
    assert tables.interval([0.968, 0.972]) == "96.80-97.20 %"
