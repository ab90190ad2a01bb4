"""The routes /samples: corrected digits, kept in a file on this machine with the consent of whoever wrote them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tenfold.data.samples import Sample, Samples
from tenfold.errors import DataError, StorageError
from tenfold.serve.answers import RequestError, answer, refuse_unknown
from tenfold.serve.bodies import media_type, query_of
from tenfold.serve.explaining import digit_of, glyph_of, in_base64
from tenfold.serve.settings import Settings
from tenfold.serve.tensors import parsed

T = TypeVar("T")

_MOST_LISTED, _MOST_FIGURES = 500, 9
_LONGEST_ID = 18  # figures; SQLite counts to 2^63
_KEPT = ("consent", "label", "read_as", "glyph", "picture", "model_version")
_PNG = b"\x89PNG\r\n\x1a\n"


class _Figures(Convertor[str]):
    """A whole number of any length, as text: Python refuses to make numbers of thousands of figures."""

    regex = "[0-9]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("figures", _Figures())


async def show(request: Request) -> Response:
    """GET /samples: how many there are, and `limit` of them after the first `offset`, newest first."""
    query, path = query_of(request, ("limit", "offset")), request.app.state.service.settings.samples
    if path is None:
        return answer({"enabled": False, "stored": False, "n": 0, "samples": []})
    limit, offset = _count(query, "limit", 100, _MOST_LISTED), _count(query, "offset", 0, 10**_MOST_FIGURES)
    n, found = await _with(request, path, lambda samples: (len(samples), samples.list(limit, offset)))
    return answer({"enabled": True, "stored": path.exists(), "n": n, "samples": [_facts(sample) for sample in found]})


async def keep(request: Request) -> Response:
    """POST /samples: keep a corrected digit; 403 unless `consent` is true."""
    path, asked = _path(request), await _asked(request, _KEPT)
    if asked.get("consent") is not True:
        raise RequestError(403, "no_consent", "a correction is kept only with consent: true")
    label, read_as = digit_of(asked.get("label")), asked.get("read_as")
    known = None if read_as is None else digit_of(read_as, "read_as")
    most = request.app.state.service.limits.max_sample_picture_bytes
    glyph, picture, version = (
        glyph_of(asked.get("glyph")),
        _picture(asked.get("picture"), most),
        _version(asked.get("model_version")),
    )
    if not glyph.any():
        raise RequestError(400, "bad_glyph", "glyph: blank; there is nothing to learn from it")
    number = await _with(request, path, lambda samples: samples.add(glyph, label, known, picture, version))
    return answer({"id": number}, 201)


async def picture(request: Request) -> Response:
    """GET /samples/{id}/picture: the picture of its strokes, or the cut from a photo, that was kept with it."""
    path, number = _path(request), _number(request)
    content = await _with(request, path, lambda samples: samples.picture(number))
    if not content.startswith(_PNG):
        raise RequestError(404, "not_found", "there is no picture of a correction of this id")
    return Response(content, headers={"cache-control": "no-store"}, media_type="image/png")


async def relabel(request: Request) -> Response:
    """PATCH /samples/{id}: say anew what it is."""
    path, number = _path(request), _number(request)
    label = digit_of((await _asked(request, ("label",))).get("label"))
    return _found(await _with(request, path, lambda samples: samples.relabel(number, label)), {"id": number, "label": label})


async def delete(request: Request) -> Response:
    """DELETE /samples/{id}: delete one, so that nothing remains of it."""
    path, number = _path(request), _number(request)
    return _found(await _with(request, path, lambda samples: samples.delete(number)), {"deleted": 1})


async def delete_all(request: Request) -> Response:
    """DELETE /samples: delete all, so that nothing remains of them."""
    query_of(request, ())  # such as ?id=3, which would delete the others too
    return answer({"deleted": await _with(request, _path(request), lambda samples: samples.delete_all())})


async def export(request: Request) -> Response:
    """GET /samples/export: the file itself, for `tenfold train --data` or any program that reads SQLite."""
    path = _path(request)
    if not path.exists():
        raise RequestError(404, "not_found", "no correction has been kept yet")
    content = await _with(request, path, lambda samples: samples.export())
    headers = {"content-disposition": 'attachment; filename="samples.db"', "cache-control": "no-store"}
    return Response(content, headers=headers, media_type="application/vnd.sqlite3")


def _path(request: Request) -> Path:
    path: Path | None = request.app.state.service.settings.samples
    if path is None:
        raise RequestError(403, "no_samples", "this service keeps no corrections; it was started with --no-samples")
    return path


async def _with(request: Request, path: Path, use: Callable[[Samples], T]) -> T:
    """Use the file of corrections, in a thread: another process may be writing to it."""
    try:
        return cast("T", await request.app.state.service.clerks.run(lambda: use(Samples(path))))
    except DataError as problem:
        raise RequestError(409, "samples_unusable", str(problem)) from problem
    except StorageError as problem:
        raise RequestError(503, "samples_unusable", str(problem)) from problem


async def _asked(request: Request, known: Sequence[str]) -> dict[str, Any]:
    media_type(request, ("application/json",))
    service = request.app.state.service
    async with service.bodies.of(request, service.limits.max_json_bytes) as body:
        asked = parsed(body)
    if not isinstance(asked, dict):
        raise RequestError(400, "bad_json", "expected a JSON object")
    refuse_unknown(asked, known, "bad_json", "JSON")
    return asked


def _number(request: Request) -> int:
    """The id in the path; a number that SQLite cannot hold is nobody's."""
    figures = request.path_params["id"]
    if len(figures) > _LONGEST_ID:
        raise _not_there()
    return int(figures)


def _count(query: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_FIGURES):
        raise RequestError(400, "bad_query", f"{name}: expected a number")
    return min(int(text), most)


def _picture(text: Any, most: int) -> bytes:
    """The picture of the strokes: a PNG in base64 of so many bytes at most, or nothing."""
    try:
        content = base64.b64decode("" if text is None else text, validate=True)
    except (binascii.Error, ValueError, TypeError) as problem:
        raise RequestError(400, "bad_picture", "picture: expected a PNG in base64") from problem
    if content and not content.startswith(_PNG):
        raise RequestError(400, "bad_picture", "picture: expected a PNG in base64")
    if len(content) > most:
        raise RequestError(413, "picture_too_large", f"picture: {len(content):,} bytes, more than {most:,}; send a smaller one")
    return content


def _version(value: Any) -> str:
    """What the model that read it calls itself, if that is known."""
    if value is not None and not isinstance(value, str):
        raise RequestError(400, "bad_version", "model_version: expected a text")
    return value if value is not None and value.isprintable() else ""


def _facts(sample: Sample) -> dict[str, Any]:
    return {
        "id": sample.id,
        "label": sample.label,
        "read_as": sample.read_as,
        "made_at": sample.made_at,
        "glyph": in_base64(sample.glyph),
        "has_picture": sample.picture.startswith(_PNG),
    }


def _found(there: bool, facts: dict[str, Any]) -> Response:
    if not there:
        raise _not_there()
    return answer(facts)


def _not_there() -> RequestError:
    return RequestError(404, "not_found", "there is no correction of this id")


def routes(_: Settings) -> list[Route]:
    """The routes of this module."""
    one = "/samples/{id:figures}"
    return [
        Route("/samples", show, methods=["GET"]),
        Route("/samples", keep, methods=["POST"]),
        Route("/samples", delete_all, methods=["DELETE"]),
        Route("/samples/export", export, methods=["GET"]),
        Route(one, relabel, methods=["PATCH"]),
        Route(one, delete, methods=["DELETE"]),
        Route(f"{one}/picture", picture, methods=["GET"]),
    ]
