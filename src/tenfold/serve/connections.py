"""Connections that neither slow nor idle nor endless senders can hold: uvicorn on h11, with deadlines and bounds added.

h11 is slower than a parser in C, and stricter; the networks take longer than either.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import sys
import time
from functools import cached_property
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

import h11
from starlette.responses import Response
from uvicorn.protocols.http.h11_impl import H11Protocol

from tenfold import limits
from tenfold.serve.answers import RequestError, refusal
from tenfold.serve.guards import SECURITY_HEADERS, host_and_path
from tenfold.serve.observing import note

_ASKED = re.compile(rb"([!-~]+) ([!-~]+)")  # method and target, the begin of a request line
_LINE = 8192  # bytes of a request kept until it is understood; paths of the service are far shorter


class Connection(H11Protocol):
    """A connection that is closed when what it waits for takes too long.

    It waits for the headers of a request, for its body and for the answer to be taken, or for the next request.
    """

    _waits_for: object = None
    _timer: asyncio.TimerHandle | None = None
    _refused = False
    _n_discarded = 0
    _begun = b""
    since = 0.0

    @cached_property
    def _limits(self) -> limits.Limits:
        return limits.from_environment()

    @property
    def is_waiting(self) -> bool:
        """Whether no request is under way."""
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Make room: of too many connections, the oldest without a request goes."""
        super().connection_made(transport)
        self.since = time.monotonic()
        if len(self.connections) > self._limits.max_connections:
            idle = [one for one in self.connections if isinstance(one, Connection) and one.is_waiting]
            oldest = min(idle, key=lambda one: one.since, default=self)
            self.connections.discard(oldest)  # now, for others may arrive before it is closed
            oldest.transport.close()
        self._await("headers", self._limits.max_header_s)

    def data_received(self, data: bytes) -> None:
        """Take in what came, unless the request was refused already."""
        if not self._refused:
            super().data_received(data)
            self._look(has_begun=True)
            return
        self._n_discarded += len(data)
        if self._n_discarded > self._limits.max_discarded_bytes:
            self.transport.close()

    def handle_events(self) -> None:
        """Remember how a request begins: h11 forgets what it cannot understand."""
        if self.conn.their_state is h11.IDLE:
            self._begun = self.conn.trailing_data[0][:_LINE]
        super().handle_events()

    def on_response_complete(self) -> None:
        """Wait for the next request; if this one has not been read to its end by now, there will be none."""
        super().on_response_complete()
        if self.is_waiting and self.conn.their_state is h11.SEND_BODY:
            self.transport.close()
        else:
            self._look(has_begun=bool(self.conn.trailing_data[0]))

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._await(None, 0)
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP, and read on a little, so that a client that still sends sees why."""
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.close()
            return
        started = time.perf_counter()
        method, path = asked_for(self._begun)
        said = refusal(self._problem(), path)
        request_id = self._give_up(said.status_code, method, started)
        version = self.app_state["service"].models.current.version
        own = {"connection": "close", "x-request-id": request_id, "x-model-version": version}
        said.headers.update({**own, **SECURITY_HEADERS})
        self._write(said)
        self._refused = True
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._await("refused", self._limits.max_discard_s)

    def _problem(self) -> RequestError:
        """What is wrong; uvicorn handles h11's error while it calls for a refusal."""
        if self.conn.our_state is h11.IDLE and getattr(sys.exception(), "error_status_hint", 400) == 431:
            return RequestError(431, "headers_too_large", f"headers larger than {self._limits.max_header_bytes:,} bytes")
        return RequestError(400, "bad_request", "not a valid HTTP request")

    def _give_up(self, status: int, method: str, started: float) -> str:
        """See to it that the refusal is logged and counted once; the id of the request."""
        if self.conn.our_state is h11.IDLE:
            request_id = secrets.token_hex(8)
            note(self.app_state["service"].metrics, request_id, method, "other", status, time.perf_counter() - started)
            return request_id
        # The application has the request already, and notes it when it hears that nothing more will come.
        self.scope["state"]["refused"] = status
        self.cycle.disconnected = True
        self.cycle.message_event.set()
        return str(self.scope["state"].setdefault("request_id", secrets.token_hex(8)))

    def _write(self, said: Response) -> None:
        reason = HTTPStatus(said.status_code).phrase.encode()
        events: list[Any] = [h11.Response(status_code=said.status_code, headers=said.raw_headers, reason=reason)]
        for event in [*events, h11.Data(data=bytes(said.body)), h11.EndOfMessage()]:
            self.transport.write(self.conn.send(event) or b"")

    def _look(self, has_begun: bool) -> None:
        """Set the deadline for what is awaited now; `has_begun` says that some of the next request is here."""
        if self._refused:
            return
        if not self.is_waiting:
            together = self._limits.max_body_s + self._limits.max_work_s + self._limits.max_discard_s
            self._await(self.cycle, together + self._limits.max_idle_s)
        elif has_begun:
            self._await("headers", self._limits.max_header_s)
        else:
            self._await("idle", self._limits.max_idle_s)

    def _await(self, what: object, seconds: float) -> None:
        if what is not None and self._waits_for is what:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._waits_for = what
        self._timer = None if what is None else self.loop.call_later(seconds, self._too_late)

    def _too_late(self) -> None:
        if self.is_waiting:
            self.transport.close()
        else:
            self.transport.abort()  # the client takes nothing, so a polite end would not reach it either


def asked_for(begun: bytes) -> tuple[str, str]:
    """Method and path of a request that begins so, however it goes on; both empty if that is no request line."""
    found = _ASKED.match(begun)
    if found is None:
        return "", ""
    method, target = (part.decode("ascii") for part in found.groups())
    return method, host_and_path(unquote(target.partition("?")[0]))[1]
