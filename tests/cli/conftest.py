"""The command line called in this process, as `main` handles it."""

import sys
import warnings
from collections.abc import Callable
from typing import NamedTuple

import pytest

from tenfold.cli import main


class Result(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture
def tenfold(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: object) -> Result:
        monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # main replaces it
        monkeypatch.setattr(sys, "argv", ["tenfold", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        out, err = capsys.readouterr()
        return Result(int(stop.value.code or 0), out, err)

    return run
