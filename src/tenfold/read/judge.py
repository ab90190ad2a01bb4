"""The judge: whether a glyph shows one digit at all. Always the bundled one, whatever model tells the digits apart."""

from __future__ import annotations

import json

import numpy as np
from numpy.typing import NDArray

from tenfold.read.model import bundled, session

KIND = "tenfold judge"
_BATCH = 128  # glyphs a call, as in `model`


class Judge:
    """The judge network on ONNX Runtime.

    Attributes:
        threshold: the score from which a glyph is accepted: 9,925 in 10,000 held-out digits reach it.
    """

    def __init__(self, content: bytes, threads: int = 0) -> None:
        self._session = session(content, threads)
        self.threshold = float(json.loads(self._session.get_modelmeta().custom_metadata_map["threshold"]))

    @classmethod
    def bundled(cls, threads: int = 0) -> Judge:
        """The judge that ships."""
        return cls(bundled("judge"), threads)

    def scores(self, glyphs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The calibrated probability, float32 (N,), that each glyph, uint8 (N, 28, 28), shows one digit."""
        parts = [
            self._session.run(["probabilities"], {"images": np.ascontiguousarray(glyphs[i : i + _BATCH])})[0][:, 1]
            for i in range(0, len(glyphs), _BATCH)
        ]
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)
