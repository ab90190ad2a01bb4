"""Around each request: its id, its time, a log line, an answer where the service fails.

Nothing of what users sent is kept: routes appear as they are declared, not as they were called.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
import traceback

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tenfold.serve.answers import RequestError, refusal
from tenfold.serve.guards import SECURITY_HEADERS
from tenfold.serve.logs import log
from tenfold.serve.metrics import Metrics
from tenfold.serve.service import Service

_SAFE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "DELETE", "PUT", "OPTIONS"})
_GONE = 499  # as nginx counts requests whose client left before the answer


class Observed:
    """Names each request, measures and logs it, answers 500 where the service fails, and reads what a client still sends."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service, self._metrics = app, service, service.metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send, self._service)
        self._metrics.open_requests.inc()
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except ClientDisconnect:
            exchange.status = _GONE
        except Exception as problem:
            await self._fail(exchange, problem)
        finally:
            self._metrics.open_requests.dec()
            self._note(exchange)

    async def _fail(self, exchange: _Exchange, problem: Exception) -> None:
        """A fault of ours: where it happened goes to the log, not its message, which may hold what the user sent."""
        frames = traceback.extract_tb(problem.__traceback__)
        where = [f"{'/'.join(frame.filename.split('/')[-2:])}:{frame.lineno} {frame.name}" for frame in frames]
        log("fault", level="error", request_id=exchange.id, type=type(problem).__name__, where=where)
        self._metrics.errors.labels(exchange.route).inc()
        if exchange.status:
            exchange.status = 500
            raise problem  # the answer has begun: all that is left is to cut it off
        fault = RequestError(500, "fault", f"a fault of the service; its log has more under the request id {exchange.id}")
        said = refusal(fault, exchange.scope["path"])
        said.headers.update(SECURITY_HEADERS)  # the guards do not see it
        await said(exchange.scope, exchange.receive, exchange.send)

    def _note(self, exchange: _Exchange) -> None:
        status = exchange.state.get("refused") or exchange.status or _GONE
        seconds = time.perf_counter() - exchange.started
        note(self._metrics, exchange.id, exchange.scope["method"], exchange.route, status, seconds, exchange.n_bytes_in)


def note(metrics: Metrics, request_id: str, method: str, route: str, status: int, seconds: float, n_bytes_in: int = 0) -> None:
    """Count a request that was answered, and log it."""
    method = method if method in _METHODS else "other"
    metrics.requests.labels(route, method, status).inc()
    metrics.seconds.labels(route).observe(seconds)
    log(
        "request",
        request_id=request_id,
        method=method,
        route=route,
        status=status,
        ms=round(1000 * seconds, 2),
        bytes_in=n_bytes_in,
    )


class _Exchange:
    """A request and its answer under way."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, service: Service) -> None:
        self.scope, self._receive, self._send, self._service = scope, receive, send, service
        self.started = time.perf_counter()
        self.status, self.n_bytes_in = 0, 0
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        self.state = scope.setdefault("state", {})  # shared with connections.py, which may refuse what follows the headers
        self.id = self.state.setdefault("request_id", given if _SAFE_ID.fullmatch(given) else secrets.token_hex(8))
        self._more = "transfer-encoding" in headers or headers.get("content-length", "0").strip("0") != ""
        self._asks_first = headers.get("expect", "").lower() == "100-continue"

    @property
    def route(self) -> str:
        """The path of the route that answered, as it is declared."""
        return getattr(self.scope.get("route"), "path", "other")

    async def receive(self) -> Message:
        message = await self._receive()
        self._asks_first = False
        if message["type"] == "http.request":
            self._more = message.get("more_body", False)
            self.n_bytes_in += len(message.get("body", b""))
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers.setdefault("x-request-id", self.id)
            headers.setdefault("x-model-version", self._service.models.current.version)
            if self._service.draining:
                headers["connection"] = "close"  # the next request goes elsewhere
        elif self._more and not self._asks_first and not message.get("more_body", False):
            # Its length is known, so a client has the answer whole before the connection is closed on what it still sends.
            await self._send({**message, "more_body": True})
            await self._discard()
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)

    async def _discard(self) -> None:
        allowed = self._service.limits.max_discarded_bytes
        try:
            async with asyncio.timeout(self._service.limits.max_discard_s):
                while self._more and self.n_bytes_in < allowed:
                    if (await self.receive())["type"] == "http.disconnect":
                        return
        except TimeoutError:
            return
