"""What a service is told when it starts."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path

from tenfold.errors import UsageError

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_EVERYWHERE = frozenset({"0.0.0.0", "::", ""})  # noqa: S104  addresses to listen on, which nobody calls it by

_HOST_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?")


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

    Raises:
        UsageError: one of `allow_hosts` is no name or address that a Host header could have.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    allow_hosts: tuple[str, ...] = ()
    model: Path | None = None
    max_queue: int = 64
    token: str | None = None
    samples: Path | None = None
    allow_load: bool = False

    def __post_init__(self) -> None:
        for host in self.allow_hosts:
            if not (_HOST_NAME.fullmatch(host) or _address(host)):
                raise UsageError(
                    f"--allow-host {host[:100]!r}: expected a name or address without port, such as digits.lan or 10.0.0.2"
                )

    @property
    def open_to_all(self) -> bool:
        """Whether other machines can call it, and need no token."""
        address = _address(self.host)
        is_here = self.host.lower() == "localhost" or (address is not None and address.is_loopback)
        return self.token is None and not is_here

    @property
    def hosts(self) -> frozenset[str]:
        """All names that the service may be called by, in lower case and without port."""
        named = {host.lower().strip("[]") for host in (self.host, *self.allow_hosts)}
        return _LOOPBACK | (named - _EVERYWHERE)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host[1:-1] if host[:1] == "[" and host[-1:] == "]" else host)
    except ValueError:
        return None
