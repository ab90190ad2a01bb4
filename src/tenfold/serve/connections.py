"""Connections that neither slow nor idle nor endless senders can hold: uvicorn on h11, with deadlines and bounds added.

h11 is slower than a parser in C, and stricter; the networks take longer than either.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from functools import cached_property
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from tenfold import limits
from tenfold.serve.guards import SECURITY_HEADERS


class Connection(H11Protocol):
    """A connection that is closed when what it waits for takes too long.

    It waits for the headers of a request, for its body and for the answer to be taken, or for the next request.
    """

    _waits_for: object = None
    _timer: asyncio.TimerHandle | None = None
    _refused = False
    _n_discarded = 0
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
        said = json.dumps(
            {"error": {"code": "bad_request", "message": "not a valid HTTP request, or headers too large"}}
        ).encode()
        headers = {
            "content-type": "application/json",
            "content-length": str(len(said)),
            "connection": "close",
            "x-request-id": secrets.token_hex(8),
            "x-model-version": self.app_state["models"].current.version,
            **SECURITY_HEADERS,
        }
        events: list[Any] = [h11.Response(status_code=400, headers=list(headers.items()), reason=b"Bad Request")]
        for event in [*events, h11.Data(data=said), h11.EndOfMessage()]:
            self.transport.write(self.conn.send(event) or b"")
        self._refused = True
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._await("refused", self._limits.max_discard_s)

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
