"""What the service answers to, as an OpenAPI document. A test holds it to the routes, and answers to its schemas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tenfold import __version__
from tenfold.serve.bodies import PICTURE_TYPES

Json = dict[str, Any]

_JSON = "application/json"
_NUMBER, _WHOLE, _TEXT, _FLAG = {"type": "number"}, {"type": "integer"}, {"type": "string"}, {"type": "boolean"}
_CHANCE = {"type": "number", "minimum": 0, "maximum": 1}
_LABEL = {"type": "integer", "minimum": 0, "maximum": 9}
_CHANCES = {"type": "array", "items": _CHANCE, "minItems": 10, "maxItems": 10}
_TEXT_OR_NONE = {"type": ["string", "null"]}


def _bytes(meaning: str) -> Json:
    return {"type": "string", "contentEncoding": "base64", "description": meaning}


def _list(items: Json) -> Json:
    return {"type": "array", "items": items}


def _object(required: Mapping[str, Json], **further: Json) -> Json:
    return {"type": "object", "properties": {**required, **further}, "required": list(required)}


def _schema(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


_GLYPH = _bytes("28x28 uint8, row by row, white ink on black: what the network sees") | {
    "pattern": "^[A-Za-z0-9+/]{1045}[AQgw]==$"
}
_PNG = _bytes("a PNG of the strokes") | {
    "pattern": "^(iVBORw0KGgo[A-P]([A-Za-z0-9+/]{4})*([A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?)?$"
}
_LABEL_OR_NONE = {"type": ["integer", "null"], "minimum": 0, "maximum": 9}
_COUNT = {"type": "integer", "minimum": 0, "maximum": 999_999_999}
_TENSOR = _object(
    {"name": _TEXT, "datatype": _TEXT, "shape": _list(_WHOLE)}, data={"type": "array"}, parameters={"type": "object"}
)

SCHEMAS: Json = {
    "Digit": _object(
        {
            "label": _LABEL,
            "confidence": _CHANCE,
            "box": {
                "type": "array",
                "items": _WHOLE,
                "minItems": 4,
                "maxItems": 4,
                "description": "x, y, width, height in pixels",
            },
            "line": _WHOLE,
            "probabilities": _CHANCES,
            "accepted": _FLAG,
        },
        glyph=_GLYPH,
    ),
    "Reading": _object({"file": _TEXT_OR_NONE, "text": _TEXT, "confidence": _CHANCE, "digits": _list(_schema("Digit"))}),
    "Classification": _object(
        {
            "label": _LABEL,
            "confidence": _CHANCE,
            "digit_score": _CHANCE,
            "accepted": _FLAG,
            "probabilities": _CHANCES,
            "glyph": _GLYPH,
        }
    ),
    "Glyph": _object({"glyph": _GLYPH}, label=_LABEL_OR_NONE),
    "Layer": _object(
        {
            "name": _TEXT,
            "kind": {"enum": ["maps", "units"]},
            "shape": _list(_WHOLE),
            "values": _bytes("uint8, row by row, maps last; 255 is the largest of the layer"),
        }
    ),
    "Explanation": _object(
        {
            "label": _LABEL,
            "probabilities": _CHANCES,
            "digit_score": _CHANCE,
            "layers": _list(_schema("Layer")),
            "evidence": _bytes("28x28 int8: positive where the ink speaks for the label, negative where it speaks against it"),
        }
    ),
    "Sample": _object(
        {"id": _WHOLE, "label": _LABEL, "read_as": {"type": ["integer", "null"]}, "made_at": _TEXT, "glyph": _GLYPH}
    ),
    "Samples": _object({"enabled": _FLAG, "stored": _FLAG, "n": _WHOLE, "samples": _list(_schema("Sample"))}),
    "NewSample": _object(
        {"consent": {"const": True}, "label": _LABEL, "glyph": _GLYPH},
        read_as=_LABEL_OR_NONE,
        picture={"anyOf": [_PNG, {"type": "null"}]},
        model_version=_TEXT_OR_NONE,
    ),
    "SampleId": _object({"id": _WHOLE}),
    "Relabelling": _object({"label": _LABEL}),
    "Relabelled": _object({"id": _WHOLE, "label": _LABEL}),
    "Deleted": _object({"deleted": _WHOLE}),
    "Measured": {"type": ["object", "null"], "properties": {"accuracy": _CHANCE, "n": _WHOLE}},
    "Learning": _object(
        {
            "state": {"enum": ["off", "idle", "running", "done", "failed"]},
            "message": _TEXT_OR_NONE,
            "can_undo": _FLAG,
            "active": {"enum": ["bundled", "given", "adapted"]},
        },
        progress=_CHANCE,
        before=_schema("Measured"),
        after=_schema("Measured"),
        mnist_before={"type": ["number", "null"]},
        mnist_after={"type": ["number", "null"]},
    ),
    "InferRequest": _object({"inputs": _list(_TENSOR)}, id=_TEXT, outputs={"type": "array"}, parameters={"type": "object"}),
    "InferResponse": _object({"model_name": _TEXT, "model_version": _TEXT, "outputs": _list(_TENSOR)}, id=_TEXT),
    "Server": _object({"name": _TEXT, "version": _TEXT, "extensions": _list(_TEXT)}),
    "Live": _object({"live": _FLAG}),
    "Ready": _object({"ready": _FLAG}, name=_TEXT),
    "Model": _object(
        {"name": _TEXT, "versions": _list(_TEXT), "platform": _TEXT, "inputs": _list(_TENSOR), "outputs": _list(_TENSOR)}
    ),
    "Loaded": _object({"name": _TEXT, "version": _TEXT}),
    "Error": _object({"error": _object({"code": _TEXT, "message": _TEXT})}),
    "ProtocolError": _object({"error": _TEXT}),
}

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
_KNOWN = (
    ("digits", {"type": "integer", "minimum": 1, "maximum": 1000}, "how many digits the picture has"),
    ("pattern", {"type": "string", "pattern": "#", "maxLength": 1000}, "where they stand, such as ####-##"),
    ("check", {"enum": ["luhn", "mod11"]}, "their check digit: luhn (card numbers) or mod11 (ISBN-10)"),
    ("min_confidence", _CHANCE, "refuse a text that is less sure"),
)


def _parameters(place: str, *parameters: tuple[str, Json, str]) -> list[Json]:
    return [
        {"name": name, "in": place, "required": place == "path", "schema": schema, "description": meaning}
        for name, schema, meaning in parameters
    ]


def _answers(answer: str, errors: tuple[int, ...], status: int, form: str, media_type: str) -> Json:
    return {
        str(status): _content("done", answer, media_type),
        **{str(code): _content(_REFUSED[code], form) for code in sorted({*errors, 401})},
    }


def _content(description: str, name: str, media_type: str = _JSON) -> Json:
    schema = _schema(name) if name in SCHEMAS else {"type": "string"}
    return {"description": description, "content": {media_type: {"schema": schema}}}


def _operation(
    summary: str, answer: str, *errors: int, body: Json | None = None, parameters: list[Json] | None = None, **kind: Any
) -> Json:
    made: Json = {"summary": summary}
    if parameters:
        made["parameters"] = parameters
    if body is not None:
        made["requestBody"] = {"required": True, "content": body}
    return made | {
        "responses": _answers(answer, errors, kind.get("status", 200), kind.get("form", "Error"), kind.get("type", _JSON))
    }


def _json(name: str) -> Json:
    return {_JSON: {"schema": _schema(name)}}


_PICTURE: Json = {kind: {"schema": {"type": "string", "contentMediaType": kind}} for kind in PICTURE_TYPES[:-1]} | {
    PICTURE_TYPES[-1]: {"schema": _object({"file": {"type": "string", "contentMediaType": "application/octet-stream"}})}
}
_BUSY = (408, 413, 415, 429, 504)
_UNUSABLE = (409, 429, 503)  # the file of samples is none, or others wait for it, or it cannot be used now
_EMPTY: Json = {_JSON: {"schema": {"type": "object"}}}
_PROTOCOL: Json = {"form": "ProtocolError"}
_MODEL = _parameters("path", ("model", {"const": "digits"}, "the only model there is"))
_VERSION = _parameters("path", ("version", _TEXT, "the one that is served"))
_ID = _parameters("path", ("id", _WHOLE, "of a sample"))
_TENSORS = _json("InferRequest") | {"application/octet-stream": {"schema": {"type": "string"}}}
_INFER = _operation(
    "glyphs in, calibrated probabilities out", "InferResponse", 400, 404, *_BUSY, body=_TENSORS, parameters=_MODEL, **_PROTOCOL
)
_OF_MODEL = _operation("inputs and outputs", "Model", 404, parameters=_MODEL, **_PROTOCOL)
_IS_READY = _operation("whether it answers", "Ready", 404, 503, parameters=_MODEL, **_PROTOCOL)

PATHS: Json = {
    "/read": {
        "post": _operation(
            "all digits of a picture, as tenfold read --format json has them",
            "Reading",
            400,
            *_BUSY,
            body=_PICTURE,
            parameters=_parameters("query", ("glyphs", {"const": 1}, "with the glyph of each digit"), *_KNOWN),
        )
    },
    "/classify": {"post": _operation("the one digit that a picture shows", "Classification", 400, *_BUSY, body=_PICTURE)},
    "/explain": {
        "post": _operation("the network's layers, and where the evidence lies", "Explanation", 400, *_BUSY, body=_json("Glyph"))
    },
    "/v2": {"get": _operation("the server", "Server")},
    "/v2/health/live": {"get": _operation("whether the process answers", "Live")},
    "/v2/health/ready": {"get": _operation("whether new requests should be sent here", "Ready", 503, **_PROTOCOL)},
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
            parameters=_parameters("query", ("limit", _COUNT, "at most so many"), ("offset", _COUNT, "after so many")),
        ),
        "post": _operation(
            "keep a corrected digit", "SampleId", 400, 403, *_UNUSABLE, *_BUSY[:-1], body=_json("NewSample"), status=201
        ),
        "delete": _operation("delete them all", "Deleted", 403, *_UNUSABLE),
    },
    "/samples/export": {
        "get": _operation("all of them as a file", "file", 403, 404, *_UNUSABLE, type="application/vnd.sqlite3")
    },
    "/samples/{id}": {
        "patch": _operation(
            "give another label",
            "Relabelled",
            400,
            403,
            404,
            *_UNUSABLE,
            *_BUSY[:-1],
            body=_json("Relabelling"),
            parameters=_ID,
        ),
        "delete": _operation("delete it", "Deleted", 403, 404, *_UNUSABLE, parameters=_ID),
    },
    "/learning": {
        "get": _operation("how far it is", "Learning"),
        "post": _operation("learn from the corrected digits", "Learning", 403, 409, 415, 503, body=_EMPTY, status=202),
        "delete": _operation("stop learning", "Learning", 403, 409),
    },
    "/learning/accept": {"post": _operation("serve the model that has learnt", "Learning", 403, 409, 415, 503, body=_EMPTY)},
    "/learning/undo": {"post": _operation("serve the model before", "Learning", 403, 409, 415, 503, body=_EMPTY)},
    "/metrics": {"get": _operation("counts and times for Prometheus", "text", type="text/plain")},
    "/openapi.json": {"get": _operation("this document", "text")},
    "/docs": {"get": _operation("this document for people", "text", type="text/html")},
    "/docs/style.css": {"get": _operation("how it looks", "text", type="text/css")},
    "/": {"get": _operation("the page to draw on", "text", type="text/html")},
    "/static/{path}": {
        "get": _operation(
            "its files", "text", 404, parameters=_parameters("path", ("path", _TEXT, "of a file")), type="text/plain"
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
