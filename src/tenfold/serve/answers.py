"""Answers as JSON, and refusals: `{"error": {"code", "message"}}`, under /v2 the protocol's own `{"error": text}`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from starlette.responses import Response

from tenfold.errors import TenfoldError


class RequestError(TenfoldError):
    """A request that is not answered as asked.

    Attributes:
        status: the HTTP status.
        code: a short name for programs, such as `queue_full`.
        headers: what goes with it.
    """

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.headers = status, code, dict(headers or {})


def refuse_unknown(given: Iterable[str], known: Sequence[str], code: str, where: str) -> None:
    """Refuse, by 400, a key that is none of the known ones: ignored, a misspelt one would mislead in silence."""
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise RequestError(400, code, f"found {unknown[0][:40]!r} in the {where}, expected {', '.join(known) or 'none'}")


def answer(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer as JSON. NaN is none: it would be a fault of ours."""
    content = json.dumps(data, allow_nan=False, separators=(",", ":")).encode()
    return Response(content, status, {"cache-control": "no-store", **(headers or {})}, "application/json")


def refusal(problem: RequestError, path: str) -> Response:
    """The answer to a request that was refused, in the form that belongs to its path."""
    if path == "/v2" or path.startswith("/v2/"):
        return answer({"error": str(problem)}, problem.status, problem.headers)
    return answer({"error": {"code": problem.code, "message": str(problem)}}, problem.status, problem.headers)
