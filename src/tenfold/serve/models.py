"""The model that is served, and its replacement while requests come in."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tenfold.errors import ModelError
from tenfold.read.reader import Reader
from tenfold.serve.logs import log

_LOOKS_EVERY_S = 1.0
_SAFE = re.compile(r"[A-Za-z0-9._-]{1,64}")  # what a stranger's file may put into a header

_Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class Served:
    """A model ready to answer.

    Attributes:
        reader: reads with it; each of its networks computes in the thread that calls.
        version: the hash of its weights.
    """

    reader: Reader
    version: str


class Models:
    """The model that is served. A request takes `current` once and keeps it, so a replacement disturbs none.

    Attributes:
        source: where it came from: a run's folder, an ONNX file, or None for the bundled model.
        current: the model itself.
    """

    def __init__(self, source: Path | None) -> None:
        """Load a model.

        Raises:
            ModelError: it cannot be used.
        """
        self.source = source
        self._stamp = _stamp(source)
        self.current = _load(Reader(source, threads=1))
        self._lock = asyncio.Lock()

    async def load(self, source: Path | None) -> None:
        """Serve another model from now on, or the same one read anew; its file is watched afterwards.

        Raises:
            ModelError: it cannot be used; the one before goes on serving.
        """
        async with self._lock:
            stamp = _stamp(source)
            current = await asyncio.to_thread(lambda: _load(self.current.reader.with_model(source)))
            self.source, self._stamp, self.current = source, stamp, current
        log("model_loaded", version=current.version)

    async def watch(self) -> None:
        """Look every second whether the model's file has been replaced, and serve the new one; never returns."""
        while True:
            await asyncio.sleep(_LOOKS_EVERY_S)
            await self.look()

    async def look(self) -> None:
        """Serve the model's file anew if it has been replaced; say in the log if that is not possible."""
        stamp = await asyncio.to_thread(_stamp, self.source)
        if stamp in (None, self._stamp):
            return
        self._stamp = stamp  # so that an unusable file is complained of once
        try:
            await self.load(self.source)
        except ModelError as problem:
            log("model_refused", level="error", reason=str(problem), still_serving=self.current.version)


def _load(reader: Reader) -> Served:
    # The first answers of each network come slowly; they should not be a user's.
    reader.classify([np.zeros((28, 28), np.uint8)])
    reader.read(np.tile(np.linspace(0, 255, 64, dtype=np.uint8), (64, 1)))
    version = str(reader.model.metadata.get("version", ""))
    return Served(reader, version if _SAFE.fullmatch(version) else "unknown")


def _stamp(source: Path | None) -> _Stamp | None:
    """What changes when a file is replaced; None if there is none to watch."""
    if source is None:
        return None
    try:
        facts = (source / "model.onnx" if source.is_dir() else source).stat()
    except OSError:
        return None
    return facts.st_mtime_ns, facts.st_size, facts.st_ino
