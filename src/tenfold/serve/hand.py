"""What was learnt from corrections: run folders beside the samples, the process that makes one, and which is served.

A training runs as a process of its own and outlives this one. It holds the lock of its log file, which it got from here, so
whoever comes later can tell whether it still runs.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tenfold import storage
from tenfold.errors import StorageError
from tenfold.serve.settings import Settings

_NEEDED = ("keras", "msgspec", "onnx", "matplotlib", "jinja2")  # of the extra [train]
_PREFIX, _NICENESS, _ENDS_S = "learnt-", 10, 5.0
_MOST_LOG_BYTES, _MOST_FIGURES = 4096, 9


class Hand:
    """The folder of what was learnt, beside the file of samples and named after it: samples.hand beside samples.db.

    Attributes:
        base: what is learnt on from: `bundled`, or the folder of the run that the service was started with. Only what was
            learnt from this base is looked at: the folder may hold more, of services on others.
    """

    def __init__(self, samples: Path, model: Path | None) -> None:
        self.samples, self.folder = samples, samples.absolute().with_suffix(".hand")
        self.base = "bundled" if model is None else str(model.absolute())
        suffix = "" if model is None else f"-{hashlib.sha256(os.fsencode(self.base)).hexdigest()[:12]}"
        self._choice = self.folder / f"chosen{suffix}.json"

    def newest(self) -> Path | None:
        """The run begun last, or None."""
        return max(self._every(), key=lambda run: _number(run.name), default=None)

    def begin(self, n: int) -> Path:
        """Start learning from `n` corrections; return the folder of the run to come. Runs no longer of use are removed."""
        storage.make_folder(self.folder, for_owner=True)  # digits could be made out of what was learnt from them
        number = 1 + max((_number(path.stem) for path in self._begun()), default=0)
        for old in self._every():
            if old.name not in (self._chosen.get("run"), self._chosen.get("before")):
                self.remove(old)
        run = self.folder / f"{_PREFIX}{number}"
        command = [sys.executable, "-m", "tenfold", "train", "--recipe", "adapt", "--from", self.base]
        command += ["--data", str(self.samples.absolute()), "--run", str(run)]
        with run.with_suffix(".log").open("wb") as log:
            fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)  # of a training whose facts are lost it cannot be had
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        threading.Thread(target=process.wait, daemon=True).start()  # or it would stay a zombie
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process.pid, _NICENESS)
        facts = {"pid": process.pid, "n": n, "started": time.time(), "base": self.base}
        try:
            storage.write_text(run.with_suffix(".json"), json.dumps(facts))
        except StorageError:
            process.terminate()  # without these nobody could stop it
            raise
        return run

    def _every(self) -> list[Path]:
        """The folders of all runs that were begun from this base."""
        return [path.with_suffix("") for path in self._begun() if _object(path).get("base", self.base) == self.base]

    def _begun(self) -> list[Path]:
        """The facts of all runs that were begun, from whatever base."""
        return [path for path in self.folder.glob(f"{_PREFIX}*.json") if _number(path.stem)]

    def runs(self, run: Path) -> bool:
        """Whether the process that makes this run is alive."""
        try:
            with run.with_suffix(".log").open("rb") as log:
                fcntl.flock(log, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def stop(self, run: Path) -> None:
        """End the process that makes this run, and remove what it left."""
        if self.runs(run):
            self._send(run, signal.SIGTERM)
            deadline = time.monotonic() + _ENDS_S
            while self.runs(run) and time.monotonic() < deadline:
                time.sleep(0.05)
            if self.runs(run):
                self._send(run, signal.SIGKILL)
        self.remove(run)

    def _send(self, run: Path, what: signal.Signals) -> None:
        """Send a signal to the process that makes this run, and to those it has started."""
        pid = self.facts(run)["pid"]
        if isinstance(pid, int) and pid > 1:  # 0 would be this process and all of its group
            with suppress(OSError):
                os.killpg(pid, what)

    def remove(self, run: Path) -> None:
        """Remove a run."""
        shutil.rmtree(run, ignore_errors=True)
        for suffix in (".log", ".json"):
            run.with_suffix(suffix).unlink(missing_ok=True)

    def facts(self, run: Path) -> dict[str, Any]:
        """Of a run that was begun: `pid`, `n` corrections, `started` in seconds since 1970."""
        return {"pid": 0, "n": 0, "started": 0.0} | _object(run.with_suffix(".json"))

    def metrics(self, run: Path) -> dict[str, Any] | None:
        """The figures of a finished run, or None."""
        return _object(run / "metrics.json") or None if (run / "model.onnx").is_file() else None

    def progress(self, run: Path) -> float:
        """How far a run is, 0 to 1: its epochs, then the corrections read by trainings that had not seen them."""
        recipe = _object(run / "recipe.json")
        if not recipe:
            return 0.02
        n_folds = int((recipe.get("rehearsal") or {}).get("folds", 0))
        epochs = _n_rows(run / "history.csv") / max(int(recipe.get("epochs", 1)), 1)
        read = _n_rows(run / "corrections.csv") / max(int(self.facts(run)["n"]), 1)
        return round(min(0.05 + 0.9 * (epochs + n_folds * read) / (1 + n_folds), 0.95), 3)

    def complaint(self, run: Path) -> str:
        """The last line that the training wrote."""
        try:
            with run.with_suffix(".log").open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - _MOST_LOG_BYTES))
                lines = log.read().decode("utf-8", "replace").strip().splitlines()
        except OSError:
            lines = []
        return lines[-1].removeprefix("error: ") if lines else "the training ended without a word"

    @property
    def _chosen(self) -> dict[str, Any]:
        """What users decided on this base: the `run` that is served, the one `before`, and the last one `decided` on."""
        found = _object(self._choice)
        return found if found.get("base") == self.base else {"base": self.base}

    @property
    def chosen(self) -> Path | None:
        """The run that is to be served instead of the base, or None."""
        return self._named("run")

    def decided(self, run: Path) -> bool:
        """Whether a user has taken this run, or has gone back from it; or from another to this one."""
        return run.name in (self._chosen.get("decided"), self._chosen.get("run"))

    def choose(self, run: Path) -> None:
        """Serve a run from now on, after a restart too."""
        self._write({"run": run.name, "before": self._chosen.get("run"), "decided": run.name})

    @property
    def before(self) -> Path | None:
        """The run that was served before the chosen one, or None for the base."""
        return self._named("before")

    def _named(self, what: str) -> Path | None:
        """A run that can be served, by what users decided."""
        name = self._chosen.get(what)
        run = self.folder / str(name)
        return run if name and (run / "model.onnx").is_file() else None

    def go_back(self) -> None:
        """Serve the run before from now on, else the base; what is gone back from is removed."""
        left, before = self.chosen, self._chosen.get("before")
        self._write({"run": before, "before": None, "decided": self._chosen.get("decided")})
        if left is not None and left.name != before:
            self.remove(left)

    def _write(self, chosen: dict[str, Any]) -> None:
        storage.write_text(self._choice, json.dumps({"base": self.base, **chosen}))


def why_not(settings: Settings, find: Callable[[str], object] = find_spec) -> str | None:
    """Why this service cannot learn, or None if it can."""
    if settings.samples is None:
        return "this service keeps no corrections (--no-samples)"
    if settings.model is not None and not settings.model.is_dir():
        return "learning goes on from a run; this service was started with an ONNX file alone (--model)"
    if settings.model is not None and _object(settings.model / "metrics.json").get("n_remembered"):
        said = f"{settings.model.name} remembers the digits it learnt from, and would lose them by learning on"
        return f"{said}; start the service without --model, and it learns from all corrections"
    missing = next((name for name in _NEEDED if find(name) is None), None)
    if missing or (find("tensorflow") is None and find("jax") is None):
        missing = missing or "tensorflow"
        return f"learning needs the extra [train] ({missing} is missing); pip install '.[serve,train]' in tenfold's folder"
    return None


def first_model(settings: Settings) -> Path | None:
    """The model to serve at the start: what was learnt and chosen, else what the settings say."""
    if settings.samples is None or (settings.model is not None and not settings.model.is_dir()):
        return settings.model
    return Hand(settings.samples, settings.model).chosen or settings.model


def _number(name: str) -> int:
    """The number of a run by its name; 0 for what is named otherwise."""
    figures = name.removeprefix(_PREFIX)
    return int(figures) if figures.isascii() and figures.isdigit() and len(figures) <= _MOST_FIGURES else 0


def _object(path: Path) -> dict[str, Any]:
    """A JSON object out of a file; an empty one where there is none."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _n_rows(path: Path) -> int:
    """The rows of a CSV file after its header."""
    try:
        return max(0, path.read_bytes().count(b"\n") - 1)
    except OSError:
        return 0
