"""The process: a socket, uvicorn, and an end that loses no request."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import resource
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import uvicorn

from tenfold.errors import UsageError
from tenfold.serve.app import create_app
from tenfold.serve.connections import Connection
from tenfold.serve.logs import log, start_logging
from tenfold.serve.service import Service
from tenfold.serve.settings import Settings

_NOTICED_S = 1.0  # from the first answer that says "not ready" until no connection is accepted any more
_FILES = 4096


def serve(settings: Settings, announce: Callable[[str], object] = lambda _: None) -> int:
    """Serve until a signal comes; return the exit code, 0 after SIGTERM and 130 after an interrupt.

    Args:
        settings: what to serve, and where.
        announce: is told the address of the page once it can be called.

    Raises:
        ModelError: the model cannot be used.
        UsageError: the address cannot be listened on.
    """
    with _listening(settings) as listener:
        app = create_app(settings)
        service: Service = app.state.service
        start_logging()
        _allow_many_files()
        config = uvicorn.Config(
            app,
            http=Connection,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=service.limits.max_idle_s,
            timeout_graceful_shutdown=service.limits.max_drain_s,
            h11_max_incomplete_event_size=service.limits.max_header_bytes,
        )
        server = _Server(config, service)
        log("listening", url=_url(listener), model_version=service.models.current.version)
        if settings.open_to_all:
            log(
                "open_to_all",
                level="warning",
                message="whoever reaches this machine may call it; --token FILE asks for a token",
            )
        announce(_url(listener))
        server.run(sockets=[listener])
    log("ended")
    return 130 if server.interrupted else 0


class _Server(uvicorn.Server):
    """Ends in two steps: first it calls itself not ready, and a moment later it takes no more connections."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service
        self.interrupted = False

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._drain)
        loop.add_signal_handler(signal.SIGINT, self._interrupt)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    def _drain(self) -> None:
        if not self._service.draining:
            self._service.draining = True
            log("draining", open_requests=len(self.server_state.tasks))
            asyncio.get_running_loop().call_later(_NOTICED_S, self._end)

    def _end(self) -> None:
        self.should_exit = True

    def _interrupt(self) -> None:
        self.force_exit = self.should_exit
        self._service.draining = self.interrupted = self.should_exit = True


def _listening(settings: Settings) -> socket.socket:
    where = f"port {settings.port} on {settings.host}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        # With its protocol named, asyncio sends small answers at once instead of 40 ms later (TCP_NODELAY).
        listener = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as problem:
        raise UsageError(f"cannot listen on {settings.host[:100]!r}: no such address here; choose another --host") from problem
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()  # two can bind, but only one can listen
    except OSError as problem:
        listener.close()
        if problem.errno == errno.EADDRINUSE:
            raise UsageError(f"{where} is taken by another program; choose another --port, or 0 for any free one") from problem
        raise UsageError(f"cannot listen on {where}: {problem.strerror}; choose another --host or --port") from problem
    listener.setblocking(False)
    return listener


def _url(listener: socket.socket) -> str:
    """Where it can be reached from this machine: all addresses at once are no name that it answers to."""
    host, port = listener.getsockname()[:2]
    if ipaddress.ip_address(host).is_unspecified:
        host = "::1" if ":" in host else "127.0.0.1"
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def _allow_many_files() -> None:
    """Each connection is a file; many systems allow 1,024 unless asked for more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):  # where that is forbidden, as in some containers, less has to do
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
