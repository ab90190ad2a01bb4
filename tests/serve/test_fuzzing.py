"""Whatever is sent, the answer is no fault of the service, and in the form that belongs to the path."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tenfold.serve.app import create_app
from tenfold.serve.settings import Settings

ATTEMPTS = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def service() -> Iterator[TestClient]:
    with ExitStack() as stack:
        yield stack.enter_context(TestClient(create_app(Settings()), base_url="http://localhost"))


def answered(service: TestClient, path: str, body: bytes, **headers: str) -> None:
    answer = service.post(path, content=body, headers=headers)
    assert answer.status_code in (200, 400, 403, 413, 415)
    if answer.status_code != 200:
        error = answer.json()["error"]
        assert isinstance(error, str) if path.startswith("/v2") else error.keys() == {"code", "message"}


def changed(whole: dict[str, object]) -> st.SearchStrategy[dict[str, object]]:
    """The same object with some values replaced or taken away."""
    kept = {key: st.just(value) | VALUES for key, value in whole.items()}
    return st.fixed_dictionaries({}, optional=kept)


TENSOR = {
    "name": "images",
    "shape": [1, 28, 28],
    "datatype": "UINT8",
    "data": [0] * 784,
    "parameters": {"binary_data_size": 784},
}
ASKED = {"inputs": [TENSOR], "id": "7", "outputs": [{"name": "probabilities"}], "parameters": {"binary_data_output": True}}


@ATTEMPTS
@given(
    asked=changed(ASKED) | changed(TENSOR).map(lambda tensor: ASKED | {"inputs": [tensor]}) | VALUES,
    tail=st.binary(max_size=8) | st.just(bytes(784)),
    shift=st.integers(-3, 3),
)
def test_inference(service: TestClient, asked: object, tail: bytes, shift: int) -> None:
    head = json.dumps(asked).encode()
    answered(service, "/v2/models/digits/infer", head + tail, **{"inference-header-content-length": str(len(head) + shift)})
    answered(service, "/v2/models/digits/infer", head, **{"content-type": "application/json"})


@ATTEMPTS
@given(asked=changed({"glyph": "A" * 1048, "consent": True, "label": 7, "picture": "", "read_as": 1}) | VALUES)
@pytest.mark.parametrize("path", ["/explain", "/samples"])
def test_json(service: TestClient, path: str, asked: object) -> None:
    answered(service, path, json.dumps(asked).encode(), **{"content-type": "application/json"})


@ATTEMPTS
@given(
    body=st.binary(max_size=200),
    kind=st.sampled_from(
        ["image/png", "image/*", "multipart/form-data; boundary=x", 'multipart/form-data; boundary="', "text/html"]
    ),
)
def test_pictures(service: TestClient, body: bytes, kind: str) -> None:
    answered(service, "/read", body, **{"content-type": kind})
    answered(service, "/classify", b"--x\r\n" + body + b"\r\n--x--\r\n", **{"content-type": kind})


@ATTEMPTS
@given(query=st.dictionaries(st.sampled_from(["digits", "pattern", "check", "min_confidence", "glyphs"]), st.text(max_size=12)))
def test_queries(service: TestClient, make_digit: Callable[[int], bytes], query: dict[str, str]) -> None:
    answer = service.post("/read", params=query, content=make_digit(3), headers={"content-type": "image/png"})
    assert answer.status_code in (200, 400)
