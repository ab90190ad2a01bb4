"""What fuzzing starts from, and what it found once, goes through every parser with no error but the documented one."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

FUZZ = Path(__file__).parents[1] / "fuzz"
CORPUS = sorted(path for path in (FUZZ / "corpus").glob("*/*") if path.is_file())


@pytest.fixture(scope="module")
def targets() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("targets", FUZZ / "targets.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in module.LIMITS.items():
            patch.setenv(name, value)
        yield module


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_corpus_is_read_or_refused(targets: ModuleType, path: Path) -> None:
    targets.TARGETS[path.parent.name](path.read_bytes())


def test_each_target_has_a_corpus(targets: ModuleType) -> None:
    assert {path.parent.name for path in CORPUS} == set(targets.TARGETS)


def test_an_error_that_is_not_documented_gets_through(targets: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: Path) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(targets, "load", broken)
    with pytest.raises(ZeroDivisionError):
        targets.csv(b"1,2")
