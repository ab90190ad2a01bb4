"""Who may ask, and what browsers may do with the answer: host, origin, token, security headers."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tenfold.serve.answers import RequestError, refusal
from tenfold.serve.settings import Settings

SECURITY_HEADERS: Mapping[str, str] = {
    "content-security-policy": "default-src 'self'; img-src 'self' blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_PUBLIC = frozenset({"/v2/health/live", "/v2/health/ready"})  # whoever asks them knows no token
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class InOriginForm:
    """Takes requests to proxies, `GET http://HOST/PATH`, for what they ask of HOST, as each server has to (RFC 9112, 3.2.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        await self._app(_in_origin_form(scope) if scope["type"] == "http" else scope, receive, send)


class Guarded:
    """Lets through what a browser on a strange page could not have made, and whoever knows the token if there is one."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._hosts, self._token = app, settings.hosts, settings.token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse to."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            self._check(scope["method"], scope["path"], Headers(scope=scope))
        except RequestError as problem:
            await refusal(problem, scope["path"])(scope, receive, send_guarded)
        else:
            await self._app(scope, receive, send_guarded)

    def _check(self, method: str, path: str, headers: Headers) -> None:
        host = headers.get("host", "")
        if _name(host) not in self._hosts:
            message = "this service is not known by the name in the Host header; start it with --allow-host NAME to add one"
            raise RequestError(400, "unknown_host", message)
        if "transfer-encoding" in headers and "content-length" in headers:
            # A proxy may go by the other of the two, and take the rest of the body for a request (RFC 9112, 6.1).
            message = "Transfer-Encoding and Content-Length exclude each other; send one"
            raise RequestError(400, "bad_header", message, {"connection": "close"})
        if method not in _SAFE:
            _check_origin(host, headers)
        if self._token is not None and path not in _PUBLIC and not _knows(self._token, headers.get("authorization", "")):
            challenge = {"www-authenticate": 'Basic realm="tenfold", charset="UTF-8"'}
            raise RequestError(401, "token_missing", "the Authorization header has no valid token", challenge)


def host_and_path(target: str) -> tuple[str | None, str]:
    """What a target asks for, without query: the host, None if there is no place for one, and the path."""
    if not target.lower().startswith(("http://", "https://")):
        return None, target
    host, slash, path = target.partition("//")[2].partition("/")
    return host, slash + path or "/"


def _in_origin_form(scope: Scope) -> Scope:
    """As if only the path had been asked for, of the host that the target names; what the Host header says does not count."""
    host, path = host_and_path(scope["path"])
    if host is None:
        return scope
    _, raw_slash, raw_path = scope["raw_path"].partition(b"//")[2].partition(b"/")
    headers = [(name, value) for name, value in scope["headers"] if name != b"host"]
    return {
        **scope,
        "path": path,
        "raw_path": raw_slash + raw_path or b"/",
        "headers": [(b"host", host.encode("latin-1", "replace")), *headers],
    }


def _name(host: str) -> str:
    """The name or address in a Host header, without port."""
    host = host.lower()
    if host.startswith("["):
        name, bracket, _ = host[1:].partition("]")
        return name if bracket else ""
    name, colon, port = host.rpartition(":")
    return name if colon and ((port.isascii() and port.isdigit()) or not port) else host


def _check_origin(host: str, headers: Headers) -> None:
    """Browsers say which page a request comes from; programs do not, and are no danger: nobody else steers them."""
    origin = headers.get("origin")
    if origin is not None:
        try:
            parts = urlsplit(origin)
        except ValueError:  # brackets that hold no address
            parts = urlsplit("")
        port = _DEFAULT_PORTS.get(parts.scheme, "")
        if not port or parts.netloc.lower().removesuffix(port) != host.lower().removesuffix(port):
            raise RequestError(
                403, "foreign_origin", "a page from elsewhere may not ask this; its Origin is not this service's own"
            )
    elif headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise RequestError(403, "foreign_origin", "a page from elsewhere may not ask this")


def _knows(token: str, authorization: str) -> bool:
    """Whether the token is given, as `Bearer TOKEN`, or as the password of `Basic`, which browsers ask their user for."""
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            given = base64.b64decode(given, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return False
    elif scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(given.strip().encode("utf-8", "surrogateescape"), token.encode())
