import base64
import html
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import jsonschema
import numpy as np
import pytest
from starlette.routing import Route
from starlette.testclient import TestClient

from tenfold.serve.bodies import QUERY_KEYS
from tenfold.serve.openapi import SCHEMAS, document

_METHODS = ("get", "post", "patch", "delete")


def test_it_lists_exactly_the_routes(client: TestClient) -> None:
    routes = [route for route in client.app.routes if isinstance(route, Route)]  # type: ignore[attr-defined]
    kinds = {(re.sub(r":\w+}", "}", route.path), method.lower()) for route in routes for method in route.methods or ()}
    declared = {(path, method) for path, methods in document()["paths"].items() for method in methods if method in _METHODS}
    assert {(path, method) for path, method in kinds if method != "head"} == declared
    assert len(routes) == len(client.app.routes)  # type: ignore[attr-defined]


def test_its_references_lead_somewhere_and_its_schemas_are_schemas() -> None:
    described = document()
    names = set(re.findall(r"'#/components/schemas/(\w+)'", str(described)))
    assert names <= SCHEMAS.keys()
    for schema in SCHEMAS.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    for path, methods in described["paths"].items():
        for method in methods.keys() - {"parameters"}:
            given = [*methods.get("parameters", []), *methods[method].get("parameters", [])]
            assert set(re.findall(r"{(\w+)}", path)) == {one["name"] for one in given if one["in"] == "path"}


def test_it_lists_exactly_the_keys_that_a_query_may_have() -> None:
    listed = {parameter["name"] for parameter in document()["paths"]["/read"]["post"]["parameters"]}
    assert listed == set(QUERY_KEYS)


def check(answered: Any, path: str, method: str = "post") -> None:
    content = document()["paths"][path][method]["responses"][str(answered.status_code)]["content"]
    assert answered.headers["content-type"].split(";")[0] in content
    schema = content["application/json"]["schema"]
    jsonschema.validate(answered.json(), {**schema, "components": {"schemas": SCHEMAS}})


def test_answers_match_their_schemas(client: TestClient, png: bytes, glyphs: np.ndarray) -> None:
    kind = {"content-type": "image/png"}
    check(client.post("/read?glyphs=1&notes=1", content=png, headers=kind), "/read")
    check(client.post("/classify", content=png, headers=kind), "/classify")
    check(client.post("/explain", json={"glyph": base64.b64encode(glyphs[0].tobytes()).decode()}), "/explain")
    tensor = {"name": "images", "shape": [10, 28, 28], "datatype": "UINT8", "data": glyphs.ravel().tolist()}
    check(client.post("/v2/models/digits/infer", json={"inputs": [tensor]}), "/v2/models/{model}/infer")
    for path in ("/v2", "/v2/health/live", "/v2/health/ready", "/samples", "/learning"):
        check(client.get(path), path, "get")
    check(client.get("/v2/models/digits"), "/v2/models/{model}", "get")
    check(client.get("/v2/models/digits/ready"), "/v2/models/{model}/ready", "get")


def test_whoever_asks_without_the_token_is_told_as_described(make_client: Callable[..., TestClient]) -> None:
    guarded = make_client(token="a-token-of-some-length")
    check(guarded.get("/samples"), "/samples", "get")
    check(guarded.post("/learning", json={}), "/learning")
    assert guarded.get("/samples").status_code == 401


def test_only_what_never_asks_for_the_token_does_not_say_that_it_may(make_client: Callable[..., TestClient]) -> None:
    paths, guarded = document()["paths"], make_client(token="a-token-of-some-length")
    kinds = [(path, method) for path, methods in paths.items() for method in methods if method in _METHODS]
    free = {kind for kind in kinds if guarded.request(kind[1], kind[0]).status_code != 401}
    assert free == {(path, "get") for path in ("/v2/health/live", "/v2/health/ready")}
    assert free == {(path, method) for path, method in kinds if "401" not in paths[path][method]["responses"]}
    assert free == {(path, method) for path, method in kinds if paths[path][method].get("security") == []}


def test_refusals_match_their_schemas(client: TestClient) -> None:
    for path in ("/read", "/classify", "/explain"):
        check(client.post(path), path)
        check(client.post(path, content=b"{", headers={"content-type": "application/json"}), path)
    check(client.post("/v2/models/digits/infer", content=b"{"), "/v2/models/{model}/infer")
    check(client.post("/v2/repository/models/digits/load"), "/v2/repository/models/{model}/load")
    check(client.get("/v2/models/letters"), "/v2/models/{model}", "get")


def test_a_schema_that_does_not_fit_is_noticed() -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"error": {"code": 7}}, SCHEMAS["Error"])


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.inline: list[str] = []
        self.places: set[str] = set()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.places |= {f"#{value}" for name, value in attributes if name == "id"}
        self.links += [value or "" for name, value in attributes if name in ("href", "src")]
        self.inline += [name for name, _ in attributes if name == "style" or name.startswith("on")]


def test_the_page_for_people_shows_every_route_and_needs_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/docs")
    for path in document()["paths"]:
        assert f"</b> {path}</h2>" in page.text
    found = _Links()
    found.feed(page.text)
    inside = {link for link in found.links if link.startswith("#")}
    assert [link for link in found.links if link not in inside] == ["docs/style.css", "static/icon.svg", "openapi.json", "./"]
    assert inside <= found.places
    assert inside >= {"#InferRequest", "#NewSample", "#Reading", "#Error", "#ProtocolError"}  # what is sent, too
    assert found.tags.isdisjoint({"script", "style"})
    assert page.text.count("<details>") == len(SCHEMAS)
    assert found.inline == []
    assert client.get("/docs/style.css").headers["content-type"].startswith("text/css")


def rows(page: str) -> list[str]:
    """What the tables of the page for people say, without its tags."""
    return [html.unescape(re.sub(r"<[^>]+>", "", cell)) for cell in re.findall(r"<td>(.*?)(?=<tr>|</table>)", page)]


def test_the_page_for_people_says_in_words_what_a_parameter_or_body_may_be(client: TestClient) -> None:
    said = rows(client.get("/docs").text)
    assert not [one for one in said if re.search(r'[{"]', one.replace("such as {}", ""))]  # nobody has to read JSON
    assert "0 or 1, in the query: with the glyph of each digit, if 1" in said
    assert "a number from 0 to 1, in the query: refuse a text that is less sure" in said
    (picture, _) = (one for one in said if one.startswith("image/png,"))
    assert picture.startswith("image/png, image/jpeg, ")
    assert picture.endswith(" or multipart/form-data with a part file")


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl")
@pytest.mark.parametrize(("path", "found"), [("/read", "482107"), ("/v2/models/{model}/infer", 1)])
def test_the_calls_on_the_page_for_people_work_as_they_are(live, tmp_path: Path, path: str, found: object) -> None:
    with urlopen(f"{live.url}/docs") as page:
        shown = re.search(rf'</b> {path}</h2><p>[^<]+</p><pre tabindex="0">(.+?)</pre>', page.read().decode(), re.DOTALL)
    assert shown
    shutil.copy("docs/images/field.png", tmp_path / "picture.png")
    command = html.unescape(shown[1]).replace("http://127.0.0.1:8000", live.url)
    said = json.loads(subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, check=True).stdout)
    assert (said["text"] if "text" in said else int(np.argmax(said["outputs"][0]["data"]))) == found
