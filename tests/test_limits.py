from dataclasses import fields

import pytest

from tenfold import limits
from tenfold.errors import UsageError


def test_each_limit_can_be_changed_for_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    assert limits.from_environment() == limits.Limits()
    monkeypatch.setenv("TENFOLD_MAX_DIGITS", "7")
    assert limits.from_environment() == limits.Limits(max_digits=7)


@pytest.mark.parametrize("value", ["", "0", "-1", "many", "1e6", "٣", "9" * 5000])
def test_a_limit_that_is_no_positive_number_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("TENFOLD_MAX_DIGITS", value)
    with pytest.raises(UsageError, match="TENFOLD_MAX_DIGITS: found"):
        limits.from_environment()


def test_every_limit_is_a_positive_number_that_can_be_overridden_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in fields(limits.Limits):
        monkeypatch.setenv(f"TENFOLD_{field.name.upper()}", "12")
    assert limits.from_environment() == limits.Limits(*[12] * len(fields(limits.Limits)))
    assert all(getattr(limits.Limits(), field.name) > 0 for field in fields(limits.Limits))
