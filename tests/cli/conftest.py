"""The command line called in this process."""

import sys
import warnings
from collections.abc import Callable
from typing import NamedTuple

import pytest

from tenfold import cli


class Result(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture
def tenfold(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: object) -> Result:
        monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # cli.run replaces it
        monkeypatch.setattr(sys, "argv", ["tenfold", *map(str, arguments)])
        code = cli.run()
        out, err = capsys.readouterr()
        return Result(code, out, err)

    return run
