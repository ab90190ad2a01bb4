"""The JSON that the service takes and answers with, as JSON Schema of OpenAPI 3.1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

_NUMBER, WHOLE, TEXT, _FLAG = {"type": "number"}, {"type": "integer"}, {"type": "string"}, {"type": "boolean"}
CHANCE = {"type": "number", "minimum": 0, "maximum": 1}
_LABEL = {"type": "integer", "minimum": 0, "maximum": 9}
_CHANCES = {"type": "array", "items": CHANCE, "minItems": 10, "maxItems": 10}
_TEXT_OR_NONE = {"type": ["string", "null"]}


def _bytes(meaning: str) -> Json:
    return {"type": "string", "contentEncoding": "base64", "description": meaning}


def _list(items: Json) -> Json:
    return {"type": "array", "items": items}


def structure(required: Mapping[str, Json], **further: Json) -> Json:
    """An object with these keys, and perhaps those further ones."""
    return {"type": "object", "properties": {**required, **further}, "required": list(required)}


def reference(name: str) -> Json:
    """What stands for a schema of SCHEMAS wherever it is used."""
    return {"$ref": f"#/components/schemas/{name}"}


_GLYPH = _bytes("28x28 uint8, row by row, white ink on black: what the network sees") | {
    "pattern": "^[A-Za-z0-9+/]{1045}[AQgw]==$"
}
_PNG = _bytes("a PNG of the strokes") | {
    "pattern": "^(iVBORw0KGgo[A-P]([A-Za-z0-9+/]{4})*([A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?)?$"
}
_LABEL_OR_NONE = {"type": ["integer", "null"], "minimum": 0, "maximum": 9}
_NO_OTHERS = {"additionalProperties": False}
COUNT = {"type": "integer", "minimum": 0, "maximum": 999_999_999}
_TENSOR = structure(
    {"name": TEXT, "datatype": TEXT, "shape": _list(WHOLE)}, data={"type": "array"}, parameters={"type": "object"}
)

SCHEMAS: Json = {
    "Digit": structure(
        {
            "label": _LABEL,
            "confidence": CHANCE,
            "box": {
                "type": "array",
                "items": WHOLE,
                "minItems": 4,
                "maxItems": 4,
                "description": "x, y, width, height in pixels",
            },
            "line": WHOLE,
            "probabilities": _CHANCES,
            "accepted": _FLAG,
        },
        glyph=_GLYPH,
    ),
    "Reading": structure(
        {"file": _TEXT_OR_NONE, "text": TEXT, "confidence": CHANCE, "digits": _list(reference("Digit"))}, notes=_list(TEXT)
    ),
    "Classification": structure(
        {
            "label": _LABEL,
            "confidence": CHANCE,
            "digit_score": CHANCE,
            "accepted": _FLAG,
            "probabilities": _CHANCES,
            "glyph": _GLYPH,
        }
    ),
    "Glyph": structure({"glyph": _GLYPH}, label=_LABEL_OR_NONE),
    "Layer": structure(
        {
            "name": TEXT,
            "kind": {"enum": ["maps", "units"]},
            "shape": _list(WHOLE),
            "values": _bytes("uint8, row by row, maps last; 255 is the largest of the layer"),
        }
    ),
    "Explanation": structure(
        {
            "label": _LABEL,
            "probabilities": _CHANCES,
            "digit_score": CHANCE,
            "layers": _list(reference("Layer")),
            "evidence": _bytes("28x28 int8: positive where the ink speaks for the label, negative where it speaks against it"),
        }
    ),
    "Sample": structure(
        {
            "id": WHOLE,
            "label": _LABEL,
            "read_as": {"type": ["integer", "null"]},
            "made_at": TEXT,
            "glyph": _GLYPH,
            "has_picture": _FLAG,
        }
    ),
    "Samples": structure({"enabled": _FLAG, "stored": _FLAG, "n": WHOLE, "samples": _list(reference("Sample"))}),
    "NewSample": structure(
        {"consent": {"const": True}, "label": _LABEL, "glyph": _GLYPH},
        read_as=_LABEL_OR_NONE,
        picture={"anyOf": [_PNG, {"type": "null"}]},
        model_version=_TEXT_OR_NONE,
    )
    | _NO_OTHERS,
    "SampleId": structure({"id": WHOLE}),
    "Relabelling": structure({"label": _LABEL}) | _NO_OTHERS,
    "Relabelled": structure({"id": WHOLE, "label": _LABEL}),
    "Deleted": structure({"deleted": WHOLE}),
    "Measured": {"type": ["object", "null"], "properties": {"accuracy": CHANCE, "n": WHOLE}},
    "Learning": structure(
        {
            "state": {"enum": ["off", "idle", "running", "done", "failed"]},
            "message": _TEXT_OR_NONE,
            "can_undo": _FLAG,
            "active": {"enum": ["bundled", "given", "adapted"]},
        },
        progress=CHANCE,
        before=reference("Measured"),
        after=reference("Measured"),
        mnist_before={"type": ["number", "null"]},
        mnist_after={"type": ["number", "null"]},
    ),
    "InferRequest": structure({"inputs": _list(_TENSOR)}, id=TEXT, outputs={"type": "array"}, parameters={"type": "object"}),
    "InferResponse": structure({"model_name": TEXT, "model_version": TEXT, "outputs": _list(_TENSOR)}, id=TEXT),
    "Server": structure({"name": TEXT, "version": TEXT, "extensions": _list(TEXT)}),
    "Live": structure({"live": _FLAG}),
    "Ready": structure({"ready": _FLAG}, name=TEXT),
    "Model": structure(
        {"name": TEXT, "versions": _list(TEXT), "platform": TEXT, "inputs": _list(_TENSOR), "outputs": _list(_TENSOR)}
    ),
    "Loaded": structure({"name": TEXT, "version": TEXT}),
    "Error": structure({"error": structure({"code": TEXT, "message": TEXT})}),
    "ProtocolError": structure({"error": TEXT}),
}
