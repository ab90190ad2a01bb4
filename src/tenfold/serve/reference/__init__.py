"""GET /docs and /openapi.json: the OpenAPI document for people and for programs. No script, nothing from elsewhere."""

from __future__ import annotations

import html
import json
import re
from importlib.resources import files
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tenfold.serve.answers import answer
from tenfold.serve.openapi import document

# A call of each of the two ways in, to be pasted into a shell; the glyph is a stroke from top to bottom.
EXAMPLES = {
    "/read": "curl -H 'Content-Type: image/png' --data-binary @picture.png 'http://127.0.0.1:8000/read?digits=6'",
    "/v2/models/{model}/infer": """python3 -c '
import json
glyph = [255 * (12 < k % 28 < 16 and 4 < k // 28 < 24) for k in range(784)]
tensor = {"name": "images", "datatype": "UINT8", "shape": [1, 28, 28], "data": glyph}
print(json.dumps({"inputs": [tensor]}))
' | curl -H 'Content-Type: application/json' --data-binary @- http://127.0.0.1:8000/v2/models/digits/infer""",
}


def routes() -> list[Route]:
    """The routes of this module."""
    page = _page(document())
    style = (files("tenfold.serve.reference") / "style.css").read_bytes()

    async def docs(_: Request) -> Response:
        return Response(page, media_type="text/html")

    async def look(_: Request) -> Response:
        return Response(style, media_type="text/css")

    async def openapi(_: Request) -> Response:
        return answer(document())

    return [Route("/docs", docs), Route("/docs/style.css", look), Route("/openapi.json", openapi)]


def _page(described: dict[str, Any]) -> str:
    info, schemas = described["info"], described["components"]["schemas"]
    operations = [
        _operation(path, method, operation, methods.get("parameters", []))
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
        if method != "parameters"
    ]
    shown = [
        f'<details><summary>{name}</summary><pre tabindex="0" id="{name}">'  # a long one scrolls, by keys too
        f"{_linked(json.dumps(schema, indent=1))}</pre></details>"
        for name, schema in schemas.items()  # a link to what is folded away unfolds it
    ]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<title>tenfold: the HTTP interface</title><link rel="stylesheet" href="docs/style.css">'
        '<link rel="icon" href="static/icon.svg">'
        f"<main><h1>tenfold {info['version']}: the HTTP interface</h1><p>{html.escape(info['description'])}</p>"
        '<p><a href="openapi.json">openapi.json</a> · <a href="#schemas">schemas</a> · <a href="./">the page to draw on</a></p>'
        f'{"".join(operations)}<h2 id="schemas">schemas</h2>{"".join(shown)}</main></html>'
    )


def _operation(path: str, method: str, operation: dict[str, Any], of_path: list[dict[str, Any]]) -> str:
    given = [(html.escape(one["name"]), _parameter(one)) for one in [*of_path, *operation.get("parameters", [])]]
    bodies = _contents(operation.get("requestBody", {}))
    if bodies:
        given.append(("body", _either(bodies)))
    (status, done), *refused = operation["responses"].items()
    given.append((status, _either(_contents(done))))
    if refused:
        codes = " · ".join(f"{code} {html.escape(one['description'])}" for code, one in refused)
        (form,) = refused[0][1]["content"].values()
        given.append(("refused", f"{_shown(form['schema'])}: {codes}"))
    head = f"<h2><b>{method}</b> {html.escape(path)}</h2><p>{html.escape(operation['summary'])}</p>"
    example = f'<pre tabindex="0">{html.escape(EXAMPLES[path])}</pre>' if path in EXAMPLES else ""
    return f"{head}{example}<table>{''.join(f'<tr><th><code>{name}</code><td>{text}' for name, text in given)}</table>"


def _parameter(one: dict[str, Any]) -> str:
    """Where a parameter stands, what it may be, and what it says."""
    return f"{_shown(one['schema'])}, in the {one['in']}: {html.escape(one['description'])}"


def _either(choices: list[str]) -> str:
    return " or ".join([", ".join(choices[:-1]), choices[-1]]) if len(choices) > 1 else choices[0]


def _contents(owner: dict[str, Any]) -> list[str]:
    """Each media type, with its schema if that says more: texts and files are of their type, and that is all."""
    contents = [(kind, content["schema"]) for kind, content in owner.get("content", {}).items()]
    return [kind if schema.get("type") == "string" else f"{kind} {_shown(schema)}" for kind, schema in contents]


def _shown(schema: dict[str, Any]) -> str:
    """A schema as a link if it has a name, in words if it has none."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#{name}">{name}</a>'
    return html.escape(_in_words(schema))


def _in_words(schema: dict[str, Any]) -> str:
    if "const" in schema:
        return f"{schema['const']}"
    if "enum" in schema:
        return _either([f"{one}" for one in schema["enum"]])
    if schema["type"] == "object":
        parts = " and ".join(schema.get("properties", ()))
        return f"with a part {parts}" if parts else "with an object, such as {}"
    if schema["type"] == "string":
        return f"text of at most {schema['maxLength']:,} characters" if "maxLength" in schema else "text"
    return _number(schema)


def _number(schema: dict[str, Any]) -> str:
    kind = "a whole number" if schema["type"] == "integer" else "a number"
    if "minimum" in schema:
        kind += f" from {schema['minimum']:,} to {schema['maximum']:,}"
    return kind


def _linked(text: str) -> str:
    """JSON for a page, each reference to a schema with a link to it."""
    return re.sub(r"#/components/schemas/(\w+)", r'<a href="#\1">\1</a>', html.escape(text, quote=False))
