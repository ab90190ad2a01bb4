"""The files of the page, read once when the service starts: no path of a request ever reaches the file system."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tenfold.serve.answers import RequestError

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
}


class _File(NamedTuple):
    content: bytes
    media_type: str
    tag: str


def routes() -> list[Route]:
    """`/` and `/static/...`: all files in page/ with a suffix that browsers know."""
    known = dict(_files(files("tenfold.serve") / "page", ""))

    async def index(request: Request) -> Response:
        return _sent(known, "index.html", request)

    async def static(request: Request) -> Response:
        return _sent(known, request.path_params["path"], request)

    return [Route("/", index), Route("/static/{path:path}", static)]


def _files(folder: Traversable, prefix: str) -> list[tuple[str, _File]]:
    found: list[tuple[str, _File]] = []
    for entry in folder.iterdir():
        suffix = entry.name[entry.name.rfind(".") :]
        if entry.is_dir():
            found += _files(entry, f"{prefix}{entry.name}/")
        elif suffix in _TYPES:
            content = entry.read_bytes()
            found.append((prefix + entry.name, _File(content, _TYPES[suffix], f'"{hashlib.sha256(content).hexdigest()[:16]}"')))
    return found


def _sent(known: dict[str, _File], name: str, request: Request) -> Response:
    file = known.get(name)
    if file is None:
        raise RequestError(404, "not_found", "there is no such file")
    headers = {"etag": file.tag, "cache-control": "no-cache"}
    if request.headers.get("if-none-match") == file.tag:
        return Response(status_code=304, headers=headers)
    return Response(file.content, headers=headers | {"content-type": file.media_type})
