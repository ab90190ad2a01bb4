import pytest

from tenfold import limits
from tenfold.errors import UsageError


def test_each_limit_can_be_changed_for_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    assert limits.from_environment() == limits.Limits()
    monkeypatch.setenv("TENFOLD_MAX_DIGITS", "7")
    assert limits.from_environment() == limits.Limits(max_digits=7)


@pytest.mark.parametrize("value", ["", "0", "-1", "many", "1e6", "٣"])
def test_a_limit_that_is_no_positive_number_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("TENFOLD_MAX_DIGITS", value)
    with pytest.raises(UsageError, match="TENFOLD_MAX_DIGITS: found"):
        limits.from_environment()
