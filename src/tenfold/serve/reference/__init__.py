"""GET /docs and /openapi.json: the OpenAPI document for people and for programs. No script, nothing from elsewhere."""

from __future__ import annotations

import html
import json
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
    info = described["info"]
    operations = [
        _operation(path, method, operation, described["components"]["schemas"])
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
        if method != "parameters"
    ]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<title>tenfold: the HTTP interface</title><link rel="stylesheet" href="docs/style.css">'
        '<link rel="icon" href="static/icon.svg">'
        f"<main><h1>tenfold {info['version']}: the HTTP interface</h1><p>{html.escape(info['description'])}</p>"
        '<p><a href="openapi.json">openapi.json</a> · <a href="./">the page to draw on</a></p>'
        f"{''.join(operations)}</main></html>"
    )


def _operation(path: str, method: str, operation: dict[str, Any], schemas: dict[str, Any]) -> str:
    given = [(one["name"], f"{one['in']}: {one['description']}") for one in operation.get("parameters", [])]
    bodies = _contents(operation.get("requestBody", {}))
    if bodies:
        given.append(("body", ", ".join(f"{kind} {_name(content['schema'])}".strip() for kind, content in bodies)))
    (status, done), *refused = operation["responses"].items()
    given.append((status, ", ".join(_name(content["schema"]) or kind for kind, content in _contents(done))))
    if refused:
        given.append(("refused", " · ".join(f"{code} {one['description']}" for code, one in refused)))
    shown = "".join(
        f"<pre>{html.escape(json.dumps(schemas[_name(content['schema'])], indent=1))}</pre>"
        for _, content in _contents(done)
        if _name(content["schema"]) in schemas
    )
    details = f"<details><summary>the answer's schema</summary>{shown}</details>" if shown else ""
    head = f"<h2><b>{method}</b> {html.escape(path)}</h2><p>{html.escape(operation['summary'])}</p>"
    return head + _table(given) + details


def _contents(owner: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return list(owner.get("content", {}).items())


def _name(schema: dict[str, Any]) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _table(rows: list[tuple[str, str]]) -> str:
    if not rows:
        return ""
    lines = "".join(f"<tr><th><code>{html.escape(name)}</code><td>{html.escape(text)}" for name, text in rows)
    return f"<table>{lines}</table>"
