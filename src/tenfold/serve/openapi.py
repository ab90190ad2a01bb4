"""What the service answers to, as an OpenAPI document. A test holds it to the routes, and answers to its schemas."""

from __future__ import annotations

from typing import Any

from tenfold import __version__
from tenfold.serve.bodies import PICTURE_TYPES
from tenfold.serve.schemas import CHANCE, COUNT, SCHEMAS, TEXT, WHOLE, Json, reference, structure

_JSON = "application/json"
_REFUSED = {
    400: "cannot be used as it is",
    401: "the service asks for a token",
    403: "not allowed",
    404: "there is none",
    408: "came too slowly",
    409: "does not fit what is there now",
    413: "too large",
    415: "another media type",
    429: "too much to do already; try again after the seconds in Retry-After",
    503: "not now",
    504: "took too long",
}
_SWITCHES = (
    ("glyphs", {"enum": [0, 1]}, "with the glyph of each digit, if 1"),
    (
        "notes",
        {"enum": [0, 1]},
        "with what a person should know of the reading, in words, if 1; it may take four times as long",
    ),
)
_KNOWN = (
    ("digits", {"type": "integer", "minimum": 1, "maximum": 1000}, "how many digits the picture has"),
    ("pattern", {"type": "string", "pattern": "#", "maxLength": 1000}, "where they stand, such as ####-##"),
    ("check", {"enum": ["luhn", "mod11"]}, "their check digit: luhn (card numbers) or mod11 (ISBN-10)"),
    ("min_confidence", CHANCE, "refuse a text that is less sure"),
)


def _parameters(place: str, *parameters: tuple[str, Json, str]) -> list[Json]:
    return [
        {"name": name, "in": place, "required": place == "path", "schema": schema, "description": meaning}
        for name, schema, meaning in parameters
    ]


def _answers(answer: str, errors: set[int], status: int, form: str, media_type: str) -> Json:
    return {
        str(status): _content("done", answer, media_type),
        **{str(code): _content(_REFUSED[code], form) for code in sorted(errors)},
    }


def _content(description: str, name: str, media_type: str = _JSON) -> Json:
    schema = reference(name) if name in SCHEMAS else {"type": "string"}
    return {"description": description, "content": {media_type: {"schema": schema}}}


def _operation(
    summary: str, answer: str, *errors: int, body: Json | None = None, parameters: list[Json] | None = None, **kind: Any
) -> Json:
    made: Json = {"summary": summary}
    if parameters:
        made["parameters"] = parameters
    if body is not None:
        made["requestBody"] = {"required": True, "content": body}
    if kind.get("public"):
        made["security"] = []
    refused = {*errors} if kind.get("public") else {*errors, 401}
    return made | {
        "responses": _answers(answer, refused, kind.get("status", 200), kind.get("form", "Error"), kind.get("type", _JSON))
    }


def _json(name: str) -> Json:
    return {_JSON: {"schema": reference(name)}}


_PICTURE: Json = {kind: {"schema": {"type": "string", "contentMediaType": kind}} for kind in PICTURE_TYPES[:-1]} | {
    PICTURE_TYPES[-1]: {"schema": structure({"file": {"type": "string", "contentMediaType": "application/octet-stream"}})}
}
_BUSY = (408, 413, 415, 429, 504)
_UNUSABLE = (409, 429, 503)  # the file of samples is none, or others wait for it, or it cannot be used now
_EMPTY: Json = {_JSON: {"schema": {"type": "object"}}}
_PROTOCOL: Json = {"form": "ProtocolError"}
_MODEL = _parameters("path", ("model", {"const": "digits"}, "the only model there is"))
_VERSION = _parameters("path", ("version", TEXT, "the one that is served"))
_ID = _parameters("path", ("id", WHOLE, "the number of a corrected digit, as GET /samples has it"))
_TENSORS = _json("InferRequest") | {"application/octet-stream": {"schema": {"type": "string"}}}
_INFER = _operation(
    "glyphs in, calibrated probabilities out", "InferResponse", 400, 404, *_BUSY, body=_TENSORS, parameters=_MODEL, **_PROTOCOL
)
_OF_MODEL = _operation("the model's inputs and outputs", "Model", 404, parameters=_MODEL, **_PROTOCOL)
_IS_READY = _operation("whether the model answers", "Ready", 404, 503, parameters=_MODEL, **_PROTOCOL)

PATHS: Json = {
    "/read": {
        "post": _operation(
            "all digits of a picture, as tenfold read --format json has them",
            "Reading",
            400,
            *_BUSY,
            body=_PICTURE,
            parameters=_parameters("query", *_SWITCHES, *_KNOWN),
        )
    },
    "/classify": {"post": _operation("the one digit that a picture shows", "Classification", 400, *_BUSY, body=_PICTURE)},
    "/explain": {
        "post": _operation("the network's layers, and where the evidence lies", "Explanation", 400, *_BUSY, body=_json("Glyph"))
    },
    "/v2": {"get": _operation("name, version and extensions of the server", "Server")},
    "/v2/health/live": {"get": _operation("whether the process answers; never asks for the token", "Live", public=True)},
    "/v2/health/ready": {
        "get": _operation(
            "whether new requests should be sent here; never asks for the token", "Ready", 503, public=True, **_PROTOCOL
        )
    },
    "/v2/models/{model}": {"get": _OF_MODEL},
    "/v2/models/{model}/ready": {"get": _IS_READY},
    "/v2/models/{model}/infer": {"post": _INFER},
    "/v2/models/{model}/versions/{version}": {"get": _OF_MODEL, "parameters": _VERSION},
    "/v2/models/{model}/versions/{version}/ready": {"get": _IS_READY, "parameters": _VERSION},
    "/v2/models/{model}/versions/{version}/infer": {"post": _INFER, "parameters": _VERSION},
    "/v2/repository/models/{model}/load": {
        "post": _operation("read the model's file anew", "Loaded", 400, 403, 404, parameters=_MODEL, **_PROTOCOL)
    },
    "/samples": {
        "get": _operation(
            "corrected digits, the newest first",
            "Samples",
            400,
            *_UNUSABLE,
            parameters=_parameters(
                "query", ("limit", COUNT, "at most so many"), ("offset", COUNT, "so many of the newest are left out")
            ),
        ),
        "post": _operation(
            "keep a corrected digit", "SampleId", 400, 403, *_UNUSABLE, *_BUSY[:-1], body=_json("NewSample"), status=201
        ),
        "delete": _operation("delete all corrected digits", "Deleted", 400, 403, *_UNUSABLE),
    },
    "/samples/export": {
        "get": _operation("all corrected digits as one file", "file", 403, 404, *_UNUSABLE, type="application/vnd.sqlite3")
    },
    "/samples/{id}": {
        "patch": _operation(
            "give a corrected digit another label",
            "Relabelled",
            400,
            403,
            404,
            *_UNUSABLE,
            *_BUSY[:-1],
            body=_json("Relabelling"),
            parameters=_ID,
        ),
        "delete": _operation("delete a corrected digit", "Deleted", 403, 404, *_UNUSABLE, parameters=_ID),
    },
    "/samples/{id}/picture": {
        "get": _operation(
            "the picture of a corrected digit's strokes", "file", 403, 404, *_UNUSABLE, parameters=_ID, type="image/png"
        )
    },
    "/learning": {
        "get": _operation("how far learning is", "Learning"),
        "post": _operation("learn from the corrected digits", "Learning", 403, 409, 415, 503, body=_EMPTY, status=202),
        "delete": _operation("stop learning", "Learning", 403, 409),
    },
    "/learning/accept": {"post": _operation("serve the model that has learnt", "Learning", 403, 409, 415, 503, body=_EMPTY)},
    "/learning/undo": {"post": _operation("serve the model before", "Learning", 403, 409, 415, 503, body=_EMPTY)},
    "/metrics": {"get": _operation("counts and times for Prometheus", "text", type="text/plain")},
    "/openapi.json": {"get": _operation("this document", "text")},
    "/docs": {"get": _operation("this document for people", "text", type="text/html")},
    "/docs/style.css": {"get": _operation("the style sheet of the document for people", "text", type="text/css")},
    "/": {"get": _operation("the page to draw on", "text", type="text/html")},
    "/static/{path}": {
        "get": _operation(
            "a file of the page to draw on",
            "text",
            404,
            parameters=_parameters("path", ("path", TEXT, "its name, such as style.css")),
            type="text/plain",
        )
    },
}

_ABOUT = (
    "Every answer carries X-Request-Id (yours, if you send one) and X-Model-Version. The Host has to be one that the service "
    "was told of. Behind a token, send Authorization: Bearer TOKEN."
)


def document() -> Json:
    """The OpenAPI document, version 3.1."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "tenfold", "version": __version__, "description": _ABOUT, "license": {"name": "Apache-2.0"}},
        "paths": PATHS,
        "components": {"schemas": SCHEMAS, "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "security": [{}, {"token": []}],
    }
