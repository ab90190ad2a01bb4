"""POST /read and /classify: pictures in, digits out."""

from __future__ import annotations

import functools
from collections.abc import Callable, Container, Mapping
from contextlib import nullcontext
from threading import Lock
from typing import Any, TypeVar

import numpy as np
from PIL import UnidentifiedImageError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tenfold.errors import PictureError, TooManyPixelsError, UsageError
from tenfold.picture import n_pixels
from tenfold.read.notes import notes
from tenfold.read.reader import Reader
from tenfold.serve.answers import RequestError, answer
from tenfold.serve.bodies import PICTURE_TYPES, QUERY_KEYS, SWITCHES, Picture, media_type, picture_in, query_of
from tenfold.serve.explaining import in_base64

T = TypeVar("T")

_LARGE = 16_000_000  # pixels


async def read(request: Request) -> Response:
    """POST /read: all digits of a picture.

    With `glyphs=1` each has the 28x28 that the network saw; with `notes=1` the answer has what there is to say of it in words.
    """
    query = query_of(request, QUERY_KEYS)
    asked, further = _asked(query), {name for name in SWITCHES if query.get(name) == "1"}
    return await _answered(request, lambda reader, picture: _reading(reader, picture, asked, further))


async def classify(request: Request) -> Response:
    """POST /classify: the one digit that a picture shows."""
    query_of(request, ())
    return await _answered(request, _classification)


async def _answered(request: Request, work: Callable[[Reader, Picture], dict[str, Any]]) -> Response:
    service = request.app.state.service
    service.workers.check_room()
    media_type(request, PICTURE_TYPES)
    served = service.models.current
    async with service.bodies.of(request, service.limits.max_request_bytes) as body:
        content_type = request.headers["content-type"]
        found = await service.workers.run(functools.partial(_worked, work, served.reader, body, content_type, service.large))
    return answer(found, headers={"x-model-version": served.version})


def _worked(work: Callable[[Reader, Picture], T], reader: Reader, body: bytes, content_type: str, large: Lock) -> T:
    """Runs in a thread. A large picture takes gigabytes, so of those only one is worked on at a time."""
    try:
        picture = picture_in(body, content_type)
        with large if n_pixels(picture.content) > _LARGE else nullcontext():
            return work(reader, picture)
    except TooManyPixelsError as problem:
        # Who sends a picture cannot change what the service takes.
        raise RequestError(413, "picture_too_large", f"{problem.fact}; shrink it") from problem
    except PictureError as problem:
        if isinstance(problem.__cause__, UnidentifiedImageError):
            raise RequestError(415, "unsupported_picture", str(problem)) from problem
        raise RequestError(400, "bad_picture", str(problem)) from problem
    except UsageError as problem:
        raise RequestError(400, "bad_query", str(problem)) from problem


def _reading(reader: Reader, picture: Picture, asked: Mapping[str, Any], further: Container[str]) -> dict[str, Any]:
    reading = reader.read(picture.content, **asked)
    made = reading.as_dict() | {"file": picture.name}
    if "notes" in further:
        made["notes"] = notes(reading, lambda pixels: reader.read(pixels, **asked), asked.get("min_confidence", 0.0))
    if "glyphs" in further:
        for digit, facts in zip(reading.digits, made["digits"], strict=True):
            facts["glyph"] = in_base64(np.asarray(digit.glyph))
    return made


def _classification(reader: Reader, picture: Picture) -> dict[str, Any]:
    found = reader.classify([picture.content])
    label = int(found.labels[0])
    return {
        "label": label,
        "confidence": float(found.probabilities[0, label] * found.digit_score[0]),
        "digit_score": float(found.digit_score[0]),
        "accepted": bool(found.accepted[0]),
        "probabilities": found.probabilities[0].tolist(),
        "glyph": in_base64(found.glyphs[0]),
    }


def _asked(query: Mapping[str, str]) -> dict[str, Any]:
    """What is known of the field, as `tenfold read` takes it."""
    for name in SWITCHES:
        if query.get(name, "0") not in ("0", "1"):
            raise RequestError(400, "bad_query", f"{name}: found {query[name][:40]!r}, expected 0 or 1")
    asked: dict[str, Any] = {key: query[key] for key in ("pattern", "check") if key in query}
    for key, kind, expected in (("digits", int, "a whole number"), ("min_confidence", float, "a number from 0 to 1")):
        if key not in query:
            continue
        try:
            asked[key] = kind(_plain(query[key]))
        except ValueError as problem:
            raise RequestError(400, "bad_query", f"{key}: found {query[key][:40]!r}, expected {expected}") from problem
    if not 0 <= asked.get("min_confidence", 0) <= 1:
        raise RequestError(400, "bad_query", f"min_confidence: found {asked['min_confidence']}, expected a number from 0 to 1")
    return asked


def _plain(text: str) -> str:
    """A number as everybody writes it; Python also takes 1_0, blanks around it and the figures of other scripts."""
    if not text.isascii() or "_" in text or text != text.strip():
        raise ValueError
    return text


def routes() -> list[Route]:
    """The routes of this module."""
    return [Route("/read", read, methods=["POST"]), Route("/classify", classify, methods=["POST"])]
