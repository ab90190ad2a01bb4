"""The judge: whether a glyph shows one digit at all. Always the bundled one, whatever model tells the digits apart."""

from __future__ import annotations

import json

import numpy as np
from numpy.typing import NDArray

from tenfold.read.model import Network, probabilities

KIND = "tenfold judge"
ANSWERS = 11  # ten digits, and none


class Judge(Network):
    """The judge network on ONNX Runtime.

    Attributes:
        threshold: the score from which a glyph is accepted: 9,925 in 10,000 held-out digits reach it.
    """

    FILE = "judge"

    def __init__(self, content: bytes, threads: int = 0) -> None:
        super().__init__(content, threads)
        self.threshold = float(json.loads(self.metadata["threshold"]))

    def scores(self, glyphs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The calibrated probability, float32 (N,), that each glyph, uint8 (N, 28, 28), shows one digit."""
        return np.float32(1) - probabilities(self._session, "images", glyphs, ANSWERS)[:, -1]
