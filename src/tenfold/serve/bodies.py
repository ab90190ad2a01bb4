"""Bodies of requests: counted while they arrive, each and all together; and the picture in one. Queries."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from tenfold.limits import Limits
from tenfold.serve.answers import RequestError, refuse_unknown

_MULTIPART = "multipart/form-data"
PICTURE_TYPES = (
    *("image/png", "image/jpeg", "image/webp", "image/avif", "image/gif", "image/bmp", "image/tiff"),
    _MULTIPART,
)
_OTHER_NAMES = {"image/jpg": "image/jpeg", "image/x-ms-bmp": "image/bmp", "image/x-bmp": "image/bmp", "image/*": "image/png"}
_CURL_SAYS = ("application/x-www-form-urlencoded", "")
_MOST_FIGURES = 18  # of a length
_MOST_PARTS = 8
_FILE = "file"
SWITCHES = ("glyphs", "notes")  # of /read: what its answer has besides
QUERY_KEYS = ("digits", "pattern", "check", "min_confidence", *SWITCHES)


class Bodies:
    """Reads the bodies of requests into memory, as much of it as is allowed for all together."""

    def __init__(self, limits: Limits) -> None:
        self._limits, self._n_bytes = limits, 0

    @asynccontextmanager
    async def of(self, request: Request, allowed: int) -> AsyncIterator[bytes]:
        """The body of a request of at most `allowed` bytes; it counts until the block ends.

        Raises:
            RequestError: 413 it is larger, 415 compressed, 408 too slow, 429 there are too many bytes under way.
        """
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise RequestError(415, "compressed_body", "the body is compressed; send it without Content-Encoding")
        length = request.headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()):
            raise RequestError(400, "bad_header", "Content-Length: expected a number")
        if len(length) > _MOST_FIGURES or int(length) > allowed:
            raise _too_large(allowed)
        taken: list[bytes] = []
        try:
            try:
                async with asyncio.timeout(self._limits.max_body_s):
                    await self._fill(taken, request, allowed)
            except TimeoutError as problem:
                raise RequestError(
                    408, "body_too_slow", f"the body was not here within {self._limits.max_body_s} s"
                ) from problem
            yield taken[0] if len(taken) == 1 else b"".join(taken)
        finally:
            self._n_bytes -= sum(map(len, taken))

    async def _fill(self, taken: list[bytes], request: Request, allowed: int) -> None:
        n = 0
        async for part in request.stream():
            if not part:
                continue
            n += len(part)
            if n > allowed:
                raise _too_large(allowed)
            if self._n_bytes + len(part) > self._limits.max_buffered_bytes:
                raise RequestError(429, "busy", "too much is being sent at once; try again later", {"retry-after": "1"})
            self._n_bytes += len(part)
            taken.append(part)


def _too_large(allowed: int) -> RequestError:
    return RequestError(413, "body_too_large", f"the body has more than {allowed:,} bytes; send a smaller one")


def media_type(request: Request, expected: Iterable[str]) -> str:
    """The media type of a body, without parameters.

    Raises:
        RequestError: 415, it is not one of those expected.
    """
    found = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    found = _OTHER_NAMES.get(found, found)
    if found not in expected:
        expected = tuple(filter(None, expected))
        # curl's --data-binary says that it sends a form, whatever it sends.
        remedy = f"; curl sends it with -H 'Content-Type: {expected[0]}'" if found in _CURL_SAYS else ""
        what = f"Content-Type {found[:60]!r}" if found else "no Content-Type"
        message = f"{what}, expected {', '.join(expected)}{remedy}"
        raise RequestError(415, "unsupported_media_type", message)
    return found


class Picture(NamedTuple):
    """A picture that was sent: its bytes, and the name it was given, which is data and names no file here."""

    content: bytes
    name: str | None


def query_of(request: Request, known: Sequence[str]) -> dict[str, str]:
    """The query of a request.

    Raises:
        RequestError: 400, it has a key that is none of the known ones, or one twice.
    """
    items = request.query_params.multi_items()
    query = dict(items)
    refuse_unknown(query, known, "bad_query", "query")
    if len(query) < len(items):
        twice = next(key for key in query if sum(key == other for other, _ in items) > 1)
        raise RequestError(400, "bad_query", f"{twice}: found more than once, expected once")
    return query


def picture_in(body: bytes, content_type: str) -> Picture:
    """The picture in a body: all of it, or the part `file` of a form.

    Raises:
        RequestError: 400, the form is broken or has no such part.
    """
    if not content_type.lower().startswith(_MULTIPART):
        return Picture(body, None)
    parts = _parts(body, content_type)
    misplaced = next((part.field for part in parts if part.field in QUERY_KEYS), None)
    if misplaced is not None:  # ignored it would be a check that is switched off
        raise RequestError(400, "bad_query", f"{misplaced}: found in the form, expected in the query, as /read?{misplaced}=…")
    files = [part for part in parts if part.field == _FILE]
    if len(files) != 1:
        raise RequestError(400, "no_file", f"the form has {len(files)} parts named {_FILE!r}, expected one")
    return Picture(bytes(files[0].content), files[0].filename)


class _Part:
    """A part of a form in the making."""

    def __init__(self) -> None:
        self.header, self.value, self.content = bytearray(), bytearray(), bytearray()
        self.field: str | None = None
        self.filename: str | None = None

    def end_header(self) -> None:
        if self.header.lower() == b"content-disposition":
            _, options = parse_options_header(bytes(self.value))
            self.field = options.get(b"name", b"").decode("utf-8", "replace")
            if b"filename" in options:
                self.filename = options[b"filename"].decode("utf-8", "replace")
        self.header.clear()
        self.value.clear()


def _parts(body: bytes, content_type: str) -> list[_Part]:
    parts: list[_Part] = []
    ended = False

    def begin() -> None:
        if len(parts) == _MOST_PARTS:
            raise FormParserError(f"more than {_MOST_PARTS} parts")
        parts.append(_Part())

    def end() -> None:
        nonlocal ended
        ended = True

    try:
        parser = MultipartParser(
            parse_options_header(content_type)[1].get(b"boundary", b""),
            {
                "on_part_begin": begin,
                "on_header_field": lambda data, start, stop: parts[-1].header.extend(data[start:stop]),
                "on_header_value": lambda data, start, stop: parts[-1].value.extend(data[start:stop]),
                "on_header_end": lambda: parts[-1].end_header(),
                "on_part_data": lambda data, start, stop: parts[-1].content.extend(data[start:stop]),
                "on_end": end,
            },
        )
        parser.write(body)
        parser.finalize()
    except (FormParserError, ValueError) as problem:
        raise RequestError(400, "broken_form", f"not a multipart/form-data body: {str(problem)[:120]}") from problem
    if not ended:
        raise RequestError(400, "broken_form", "the multipart/form-data body is cut short")
    return parts
