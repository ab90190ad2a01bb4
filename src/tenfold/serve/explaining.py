"""POST /explain: what the network's layers answer to a glyph, and where the evidence lies."""

from __future__ import annotations

import base64
import binascii
import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tenfold.data.digits import CLASSES
from tenfold.read.explaining import Layer
from tenfold.read.explaining import explain as explained
from tenfold.read.reader import Reader
from tenfold.serve.answers import RequestError, answer
from tenfold.serve.bodies import media_type
from tenfold.serve.tensors import parsed

_PIXELS = 28 * 28


async def explain(request: Request) -> Response:
    """POST /explain with a glyph in base64; the evidence is that for `label`, else for what the network itself answers."""
    service = request.app.state.service
    service.workers.check_room()
    media_type(request, ("application/json",))
    served = service.models.current
    async with service.bodies.of(request, service.limits.max_json_bytes) as body:
        asked = parsed(body)
    if not isinstance(asked, dict):
        raise RequestError(400, "bad_json", "expected a JSON object")
    glyph, label = glyph_of(asked.get("glyph")), asked.get("label")
    sought = None if label is None else digit_of(label)
    found = await service.workers.run(functools.partial(_explanation, served.reader, glyph, sought))
    return answer(found, headers={"x-model-version": served.version})


def glyph_of(text: Any) -> NDArray[np.uint8]:
    """A glyph, uint8 (28, 28), from its 784 bytes in base64.

    Raises:
        RequestError: 400, it is none.
    """
    try:
        content = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (binascii.Error, ValueError):
        content = b""
    if len(content) != _PIXELS:
        raise RequestError(
            400, "bad_glyph", f"glyph: expected {_PIXELS} bytes in base64, 28 rows of 28 pixels, white ink on black"
        )
    return np.frombuffer(content, np.uint8).reshape(28, 28)


def digit_of(value: Any, name: str = "label") -> int:
    """A digit; 7.0 is one too, as far as JSON is concerned.

    Raises:
        RequestError: 400, it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or value not in range(CLASSES):
        raise RequestError(400, "bad_label", f"{name}: expected a digit 0-9")
    return int(value)


def _explanation(reader: Reader, glyph: NDArray[np.uint8], label: int | None) -> dict[str, Any]:
    """Runs in a thread."""
    explanation = explained(reader, glyph, label)
    found, evidence = explanation.classification, explanation.evidence
    largest = float(np.abs(evidence).max()) or 1.0
    return {
        "label": int(found.labels[0]),
        "probabilities": found.probabilities[0].tolist(),
        "digit_score": float(found.digit_score[0]),
        "layers": [_layer(layer) for layer in explanation.layers],
        "evidence": in_base64(np.rint(127 / largest * evidence).astype(np.int8)),
    }


def _layer(layer: Layer) -> dict[str, Any]:
    """A layer with its answers scaled so that the largest is 255."""
    largest = float(layer.values.max()) or 1.0
    return {
        "name": layer.name,
        "kind": "maps" if layer.values.ndim == 3 else "units",
        "shape": list(layer.values.shape),
        "values": in_base64(np.rint(255 / largest * layer.values).astype(np.uint8)),
    }


def in_base64(array: NDArray[np.generic]) -> str:
    """The values of an array, row by row, in base64."""
    return base64.b64encode(array.tobytes()).decode()


def routes() -> list[Route]:
    """The routes of this module."""
    return [Route("/explain", explain, methods=["POST"])]
