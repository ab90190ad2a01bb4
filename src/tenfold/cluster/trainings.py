"""One training as a process of its own, on whatever machine its worker stands.

A training computes on one thread, here and on a cluster, so that its result does not depend on where and beside what it ran.
Knows nothing of Ray.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, NamedTuple

from tenfold import storage
from tenfold.errors import StorageError, of_system

_ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "NPROC": "1",  # XLA's pool
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
}
_PASSED_ON = ("KERAS_BACKEND", "TENFOLD_")
_TIED = (
    "import ctypes, os, sys; sys.platform == 'linux' and ctypes.CDLL(None).prctl(1, 9); "
    "os.getppid() == int(sys.argv[1]) or sys.exit(1); os.execv(sys.executable, [sys.executable, *sys.argv[2:]])"
)
_LOOKS_EVERY_S, _ENDS_S, _FREE_WITHIN_S = 0.1, 10.0, 30.0
_REFUSED = 2  # exit code of wrong usage or unusable input
_MOST_LOG_BYTES = 4096


class Training(NamedTuple):
    """A `tenfold train` that is to be run.

    Attributes:
        folder: of the run, absolute. Beside it, `FOLDER.log` takes what is printed; `FOLDER.stop` ends it when it appears.
        options: of the command, besides --run, --resume and --bare.
        place: the folder that relative paths in the options and the recipe start from.
        environment: variables that decide something, as (name, value).
    """

    folder: str
    options: tuple[str, ...]
    place: str
    environment: tuple[tuple[str, str], ...]


class Outcome(NamedTuple):
    """How a training ended: `done`, `stopped` or `failed`; and for the last what was said."""

    state: str
    said: str = ""


class DiedError(Exception):
    """A training's process was killed or broke down; another attempt goes on from its last checkpoint."""


def training(folder: Path, *options: str) -> Training:
    """A training in a folder, with the relevant part of this process's environment."""
    passed_on = tuple(sorted((name, value) for name, value in os.environ.items() if name.startswith(_PASSED_ON)))
    return Training(str(folder.absolute()), options, str(Path.cwd()), passed_on)


def run(training: Training, stopped: Callable[[], bool] = lambda: False) -> Outcome:
    """Run a training to its end; one that was begun before goes on from its last checkpoint.

    Args:
        training: what to run.
        stopped: is asked ten times a second whether to end it early.

    Raises:
        DiedError: its process ended without finishing or refusing; worth another attempt.
    """
    stop, log = Path(f"{training.folder}.stop"), Path(f"{training.folder}.log")
    _wait_until_free(Path(training.folder))
    try:
        with log.open("ab") as stream:
            stream.write(f"# on {socket.gethostname()}\n".encode())
            stream.flush()
            process = _started(training, stream)
    except OSError as problem:
        where = f"on {socket.gethostname()}: {of_system(problem, Path(training.place))}"
        return Outcome("failed", f"{where}; all machines of a cluster must see the same files under the same names")
    try:
        while process.poll() is None:
            if stopped() or stop.exists():
                return Outcome("stopped")
            time.sleep(_LOOKS_EVERY_S)
    finally:
        _end(process)
    if process.returncode == 0:
        return Outcome("done")
    if process.returncode == _REFUSED:
        return Outcome("failed", last_line(log))
    raise DiedError(f"ended with {_reason(process.returncode)}: {last_line(log)}")


def last_line(log: Path) -> str:
    """The last line that a training printed, without `error: `."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - _MOST_LOG_BYTES))
            lines = [line for line in stream.read().decode("utf-8", "replace").splitlines() if line.strip()]
    except OSError:
        lines = []
    return lines[-1].removeprefix("error: ") if lines and not lines[-1].startswith("# ") else "nothing was said"


def machines(log: Path) -> list[str]:
    """The machines that a training was started on, one an attempt, the first first."""
    try:
        lines = log.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
    return [line.removeprefix("# on ") for line in lines if line.startswith("# on ")]


def tied(*arguments: str) -> list[str]:
    """The command for a Python with these arguments that ends with the process that starts it, however that ends.

    By PR_SET_PDEATHSIG, SIGKILL; Linux only. A training that went on alone would compute for nobody, and the next attempt on
    another worker would find the folder taken.
    """
    return [sys.executable, "-S", "-c", _TIED, str(os.getpid()), *arguments]


def _started(training: Training, log: IO[bytes]) -> subprocess.Popen[bytes]:
    arguments = ["-m", "tenfold", "train", *training.options, "--run", training.folder, "--resume", "--bare"]
    return subprocess.Popen(
        tied(*arguments),
        cwd=training.place,
        env={**os.environ, **dict(training.environment), **_ONE_THREAD},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,  # Ctrl-C is for the process that watches over all of them
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process that still runs: as Ctrl-C would, then by force."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_ENDS_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_until_free(folder: Path) -> None:
    """Wait for a process of an earlier attempt, which may take a moment to end."""
    deadline = time.monotonic() + _FREE_WITHIN_S
    while time.monotonic() < deadline:
        try:
            with storage.lock(folder, "training"):
                return
        except StorageError:
            time.sleep(_LOOKS_EVERY_S)


def _reason(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
