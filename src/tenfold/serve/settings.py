"""What a service is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_EVERYWHERE = frozenset({"0.0.0.0", "::", ""})  # noqa: S104  addresses to listen on, which nobody calls it by


@dataclass(frozen=True)
class Settings:
    """What a service is told when it starts.

    Attributes:
        host: the address to listen on.
        port: the port, 0 for any free one.
        allow_hosts: further names that the service may be called by, without port.
        model: a run's folder or an ONNX file; None for the bundled model.
        max_queue: how many requests may wait or be worked on before others are refused with 429.
        token: what callers have to know; None if nothing.
        samples: the file that keeps corrected digits; None if they are not kept.
        allow_load: whether POST /v2/repository/models/digits/load is answered.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    allow_hosts: tuple[str, ...] = ()
    model: Path | None = None
    max_queue: int = 64
    token: str | None = None
    samples: Path | None = None
    allow_load: bool = False

    @property
    def hosts(self) -> frozenset[str]:
        """All names that the service may be called by, in lower case and without port."""
        named = {host.lower().strip("[]") for host in (self.host, *self.allow_hosts)}
        return _LOOPBACK | (named - _EVERYWHERE)
