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
        f'<details><summary>{name}</summary><pre id="{name}">{_linked(json.dumps(schema, indent=1))}</pre></details>'
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
        given.append(("body", ", or ".join(f"{kind} {_shown(schema)}".strip() for kind, schema in bodies)))
    (status, done), *refused = operation["responses"].items()
    given.append((status, ", ".join(f"{kind} {_shown(schema)}".strip() for kind, schema in _contents(done))))
    if refused:
        codes = " · ".join(f"{code} {html.escape(one['description'])}" for code, one in refused)
        given.append(("refused", f"{_shown(_contents(refused[0][1])[0][1])}: {codes}"))
    head = f"<h2><b>{method}</b> {html.escape(path)}</h2><p>{html.escape(operation['summary'])}</p>"
    return f"{head}<table>{''.join(f'<tr><th><code>{name}</code><td>{text}' for name, text in given)}</table>"


def _parameter(one: dict[str, Any]) -> str:
    """Where a parameter stands, what it says, and its schema."""
    return f"in the {one['in']}: {html.escape(one['description'])} {_shown(one['schema'])}"


def _contents(owner: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(kind, content["schema"]) for kind, content in owner.get("content", {}).items()]


def _shown(schema: dict[str, Any]) -> str:
    """A schema as a link if it has a name; as it is written if it has none; nothing if it says no more than a media type."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#{name}">{name}</a>'
    is_plain = schema.keys() <= {"type", "contentMediaType"} and schema.get("type") == "string"
    return "" if is_plain else f"<code>{html.escape(json.dumps(schema))}</code>"


def _linked(text: str) -> str:
    """JSON for a page, each reference to a schema with a link to it."""
    return re.sub(r"#/components/schemas/(\w+)", r'<a href="#\1">\1</a>', html.escape(text, quote=False))
