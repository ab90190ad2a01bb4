"""`tenfold ensemble`, `sweep` and `read -o` with places that train nothing; tests/cluster has the rest."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import tenfold as package
from tenfold.cluster import places
from tenfold.data.sources import save

Run = Callable[..., object]


@pytest.fixture
def data(failing: places.Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small set, and a place where every training fails."""

    @contextmanager
    def opened(address: str | None, n_processes: int | None) -> Iterator[places.Place]:
        yield failing

    monkeypatch.setattr(places, "opened", opened)
    save(package.load("mnist", "test")[:100], tmp_path / "few.npz")
    return tmp_path / "few.npz"


def test_members_that_fail_are_said_with_what_to_do(tenfold: Run, data: Path, tmp_path: Path) -> None:
    options = ("--recipe", "classic", "--data", data, "--validation", "20", "--members", "2", "--run", tmp_path / "e")
    code, _, err = tenfold("ensemble", *options)  # type: ignore[misc]
    assert code == 1
    assert f"error: {tmp_path / 'e' / 'member-2'}: out of memory" in err
    assert f"go on with the same command and: --resume --run {tmp_path / 'e'}" in err


def test_a_sweep_whose_trials_fail_says_so(tenfold: Run, data: Path, tmp_path: Path) -> None:
    options = ("--recipe", "classic", "--data", data, "--validation", "20", "--trials", "2", "--run", tmp_path / "s")
    code, out, err = tenfold("sweep", *options, "--over", "learning_rate=1e-4..1e-2:log")  # type: ignore[misc]
    assert code == 1
    assert "error: trial 2: out of memory" in err
    assert "none has finished" in out


@pytest.mark.parametrize(
    ("command", "options", "said"),
    [
        ("ensemble", ("--members", "2"), "what is finished is kept; go on with the same command and: --resume --run {}"),
        ("sweep", ("--trials", "2"), "what is finished is kept; the same command goes on"),
    ],
)
def test_when_it_is_terminated_it_says_how_to_go_on(
    tenfold: Run,
    data: Path,
    failing: places.Place,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    options: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.setattr(failing, "start", lambda _: os.kill(os.getpid(), signal.SIGTERM))
    given = ("--recipe", "classic", "--data", data, "--validation", "20", *options, "--run", tmp_path / "r")
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # or these tests would end where nobody takes it
    try:
        result = tenfold(command, *given)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert result == (130, "", f"{said.format(tmp_path / 'r')}\ninterrupted\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("sweep", "--recipe", "classic", "--over", "nothing=1..2"), "--over nothing: no such key in the recipe classic"),
        (("ensemble", "--members", "1"), "--members 1: expected 2 to 100"),
        (("ensemble", "--resume"), "--resume: which ensemble?"),
        (("read", "x.png", "-o", "out.csv"), "--output out.csv: expected the name of a .parquet file"),
        (("read", "x.png", "-o", "out.parquet"), "cannot read x.png: no such file or folder"),
        (("read", "x.png", "-o", "out.parquet", "--format", "csv"), "do not go with -o"),
        (("read", "x.png", "-o", "out.parquet", "--annotate", "seen"), "do not go with -o"),
        (("read", "x.png", "--cluster", "auto"), "name a file with -o out.parquet"),
    ],
)
def test_wrong_usage_is_one_line_and_leaves_nothing(
    tenfold: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = tenfold(*arguments)  # type: ignore[misc]
    assert code == 2
    assert said in err
    assert len(err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_reading_in_bulk_says_what_it_wrote(tenfold: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save(package.load("mnist", "test")[:3], tmp_path / "three.csv")
    (tmp_path / "bad.png").write_text("no picture")
    code, _, err = tenfold("read", "three.csv", "-o", "good.parquet", "--processes", "1")  # type: ignore[misc]
    assert (code, err) == (0, "good.parquet: 3 rows\n")
    code, _, err = tenfold("read", "three.csv", "bad.png", "-o", "some.parquet", "--processes", "1")  # type: ignore[misc]
    assert code == 1
    assert "some.bad.parquet: 1 row that could not be read" in err
    assert {path.name for path in tmp_path.glob("*.parquet")} == {"good.parquet", "some.parquet", "some.bad.parquet"}
