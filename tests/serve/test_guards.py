import base64
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from tenfold.serve.guards import SECURITY_HEADERS

TOKEN = "correct-horse-battery"
PATHS = ["/", "/docs", "/openapi.json", "/metrics", "/v2", "/v2/health/live", "/nothing"]


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8000", "", "[::2]", "[::1", "localhost:x"]
)
@pytest.mark.parametrize("path", PATHS)
def test_a_foreign_host_is_refused(client: TestClient, host: str, path: str) -> None:
    """Fault 44; the way of DNS rebinding."""
    answered = client.get(path, headers={"host": host})
    assert answered.status_code == 400
    assert "evil" not in answered.text


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:1", "[::1]:8000", "[::1]"])
def test_the_machine_itself_may_be_called_by_any_of_its_names(client: TestClient, host: str) -> None:
    assert client.get("/v2", headers={"host": host}).status_code == 200


def test_further_hosts_can_be_allowed_and_the_address_listened_on_is(make_client: Callable[..., TestClient]) -> None:
    client = make_client(host="192.0.2.7", allow_hosts=("Digits.lan",))
    assert [client.get("/v2", headers={"host": h}).status_code for h in ("digits.lan:80", "192.0.2.7:8000")] == [200, 200]
    everywhere = make_client(host="0.0.0.0")
    assert everywhere.get("/v2", headers={"host": "0.0.0.0:8000"}).status_code == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://localhost:8001"},
        {"origin": "http://localhost"},
        {"origin": "file://localhost:8000"},
        {"origin": "http://["},
        {"origin": "http://[foo]"},
        {"origin": "http://]x["},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE", "PUT"])
def test_a_page_from_elsewhere_may_change_and_ask_nothing(
    client: TestClient, png: bytes, method: str, headers: dict[str, str]
) -> None:
    """Fault 44."""
    for path in ("/read", "/samples/1", "/v2/models/digits/infer"):
        answered = client.request(method, path, content=png, headers=headers | {"content-type": "image/png"})
        assert answered.status_code == 403


@pytest.mark.parametrize("origin", ["http://localhost:8000", "HTTP://LOCALHOST:8000", None])
def test_the_own_page_and_programs_may(client: TestClient, png: bytes, origin: str | None) -> None:
    headers = {"content-type": "image/png"} | ({} if origin is None else {"origin": origin})
    assert client.post("/read", content=png, headers=headers).status_code == 200


def test_behind_a_proxy_that_speaks_tls_the_own_page_may(make_client: Callable[..., TestClient], png: bytes) -> None:
    client = make_client(allow_hosts=("digits.lan",))
    for host, origin in (("digits.lan", "https://digits.lan"), ("digits.lan:443", "https://digits.lan")):
        headers = {"content-type": "image/png", "host": host, "origin": origin, "sec-fetch-site": "same-origin"}
        assert client.post("/read", content=png, headers=headers).status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_has_the_headers_that_keep_browsers_safe(client: TestClient, path: str) -> None:
    refused = client.get(path, headers={"host": "evil.example"})
    for answered in (client.get(path), refused, client.post(path, headers={"origin": "null"})):
        assert {name: answered.headers.get(name) for name in SECURITY_HEADERS} == dict(SECURITY_HEADERS)
        assert not [name for name in answered.headers if name.startswith("access-control")]
    assert "default-src 'self'" in SECURITY_HEADERS["content-security-policy"]
    assert "unsafe" not in SECURITY_HEADERS["content-security-policy"]


def test_no_page_from_elsewhere_is_told_that_it_may_ask(client: TestClient) -> None:
    asked = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    answered = client.options("/read", headers=asked)
    assert answered.status_code == 405
    assert answered.json()["error"]["message"] == "this path is not answered to this method; expected POST"
    assert not [name for name in answered.headers if name.startswith("access-control")]


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"any:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (f"Bearer {TOKEN}", 200),
        (f"bearer {TOKEN}", 200),
        (basic(TOKEN), 200),
        (None, 401),
        ("", 401),
        (TOKEN, 401),
        ("Bearer", 401),
        ("Bearer wrong", 401),
        (f"Bearer {TOKEN}x", 401),
        (basic("wrong"), 401),
        ("Basic !!!", 401),
        ("Basic /w==", 401),
    ],
)
def test_a_token_is_asked_for(make_client: Callable[..., TestClient], authorization: str | None, status: int) -> None:
    client = make_client(token=TOKEN)
    headers = {} if authorization is None else {"authorization": authorization}
    for path in ("/v2", "/docs", "/metrics", "/samples"):
        answered = client.get(path, headers=headers)
        assert (answered.status_code == 401) == (status == 401)
    if status == 401:
        assert client.get("/v2").headers["www-authenticate"].startswith("Basic")
    assert client.get("/v2/health/ready").status_code == 200
