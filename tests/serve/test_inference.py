import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

import tenfold
from tenfold.read.model import load_bundled

INFER = "/v2/models/digits/infer"
VERSION = load_bundled().metadata["version"]


def ask(glyphs: np.ndarray, **more: object) -> dict[str, object]:
    tensor = {"name": "images", "shape": list(glyphs.shape), "datatype": "UINT8", "data": glyphs.tolist()}
    return {"inputs": [tensor | more]}


def binary(glyphs: np.ndarray, datatype: str = "UINT8", **more: object) -> tuple[bytes, dict[str, str]]:
    content = glyphs.astype("<f4" if datatype == "FP32" else np.uint8).tobytes()
    tensor = {"name": "images", "shape": list(glyphs.shape), "datatype": datatype}
    head = json.dumps({"inputs": [tensor | {"parameters": {"binary_data_size": len(content)}}], **more}).encode()
    return head + content, {"inference-header-content-length": str(len(head))}


def test_the_answer_is_what_the_reader_says(client: TestClient, glyphs: np.ndarray) -> None:
    answered = client.post(INFER, json=ask(glyphs) | {"id": "seven"})
    assert answered.status_code == 200
    made = answered.json()
    assert (made["model_name"], made["model_version"], made["id"]) == ("digits", VERSION, "seven")
    (output,) = made["outputs"]
    assert (output["name"], output["datatype"], output["shape"]) == ("probabilities", "FP32", [10, 10])
    expected = tenfold.Reader(threads=1).classify_glyphs(glyphs).probabilities
    assert np.allclose(np.reshape(output["data"], (10, 10)), expected, atol=1e-6)
    assert answered.headers["x-model-version"] == VERSION


@pytest.mark.parametrize("datatype", ["UINT8", "FP32"])
def test_tensors_are_lists_nested_lists_or_bytes(client: TestClient, glyphs: np.ndarray, datatype: str) -> None:
    expected = client.post(INFER, json=ask(glyphs)).json()["outputs"]
    assert client.post(INFER, json=ask(glyphs, datatype=datatype, data=glyphs.ravel().tolist())).json()["outputs"] == expected
    content, headers = binary(glyphs, datatype)
    assert client.post(INFER, content=content, headers=headers).json()["outputs"] == expected


@pytest.mark.parametrize(
    "wish",
    [
        {"outputs": [{"name": "probabilities", "parameters": {"binary_data": True}}]},
        {"parameters": {"binary_data_output": True}},
    ],
)
def test_the_answer_comes_as_bytes_if_asked_for(client: TestClient, glyphs: np.ndarray, wish: dict[str, object]) -> None:
    answered = client.post(INFER, json=ask(glyphs) | wish)
    n = int(answered.headers["inference-header-content-length"])
    (output,) = json.loads(answered.content[:n])["outputs"]
    assert output["parameters"] == {"binary_data_size": 400}
    assert np.frombuffer(answered.content[n:], "<f4").reshape(10, 10).argmax(axis=1).tolist() == list(range(10))


def test_metadata_and_health(client: TestClient) -> None:
    assert client.get("/v2").json() == {"name": "tenfold", "version": tenfold.__version__, "extensions": ["binary_tensor_data"]}
    for path in ("/v2/models/digits", f"/v2/models/digits/versions/{VERSION}"):
        made = client.get(path).json()
        assert made["versions"] == [VERSION]
        assert made["inputs"] == [{"name": "images", "datatype": "UINT8", "shape": [-1, 28, 28]}]
        assert made["outputs"] == [{"name": "probabilities", "datatype": "FP32", "shape": [-1, 10]}]
    for path in (
        "/v2/health/live",
        "/v2/health/ready",
        "/v2/models/digits/ready",
        f"/v2/models/digits/versions/{VERSION}/ready",
    ):
        assert client.get(path).status_code == 200


def test_before_it_ends_the_service_is_alive_and_answers_but_is_not_ready(client: TestClient, glyphs: np.ndarray) -> None:
    client.app.state.service.draining = True  # type: ignore[attr-defined]
    assert [client.get(f"/v2/{path}").status_code for path in ("health/live", "health/ready", "models/digits/ready")] == [
        200,
        503,
        503,
    ]
    answered = client.post(INFER, json=ask(glyphs))
    assert answered.status_code == 200
    assert answered.headers["connection"] == "close"


GLYPH = np.zeros((1, 28, 28), np.uint8)
DEEP = b'{"inputs": [{"name": "images", "shape": [1, 28, 28], "datatype": "UINT8", "data": %s}]}'


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"[" * 100_000 + b"]" * 100_000, "nested too deep"),
        (DEEP % (b"[" * 100_000 + b"]" * 100_000), "nested too deep"),
        (DEEP % (b"[" * 300 + b"]" * 300), "expected numbers"),
        (DEEP % b"[NaN]", "NaN is not a number"),
        (DEEP % (b"[" + b"0," * 783 + b"Infinity]"), "Infinity is not a number"),
        (DEEP % (b"[" + b"0," * 783 + b"1e999]"), "from 0 to 255"),
        (DEEP % (b"[" + b"0," * 783 + b"9" * 5000 + b"]"), "not JSON"),
        (DEEP % (b"[" + b"0," * 783 + b"9" * 50 + b"]"), "expected numbers"),
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"7", "a JSON object"),
        (b"{}", "inputs: expected"),
        (b'{"inputs": [7]}', "inputs: expected"),
        (b'{"inputs": [{}, {}]}', "inputs: expected"),
    ],
)
def test_a_body_that_is_none_is_refused_in_the_protocols_form(client: TestClient, body: bytes, said: str) -> None:
    """Fault 46."""
    answered = client.post(INFER, content=body, headers={"content-type": "application/json"})
    assert answered.status_code == 400
    assert list(answered.json()) == ["error"]
    assert said in answered.json()["error"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "pictures"}, "expected 'images'"),
        ({"shape": [28, 28]}, "expected [n, 28, 28]"),
        ({"shape": [1, 28, 29]}, "expected [n, 28, 28]"),
        ({"shape": [1.0, 28, 28]}, "expected [n, 28, 28]"),
        ({"shape": "1"}, "expected [n, 28, 28]"),
        ({"shape": [0, 28, 28]}, "0 glyphs"),
        ({"shape": [-1, 28, 28]}, "-1 glyphs"),
        ({"shape": [0, 28, 28]}, "expected 1 to 4,096"),
        ({"shape": [10**30, 28, 28]}, "glyphs, expected at most 4,096; send them in several requests"),
        ({"shape": [2, 28, 28]}, "expected numbers of shape [2, 28, 28]"),
        ({"datatype": "INT64"}, "expected UINT8 or FP32"),
        ({"datatype": ["UINT8"]}, "expected UINT8 or FP32"),
        ({"data": None}, "expected a list of numbers"),
        ({"data": [0] * 783}, "expected numbers of shape"),
        ({"data": [0] * 783 + ["7"]}, "expected numbers of shape"),
        ({"data": [0] * 783 + [[7]]}, "expected numbers"),
        ({"data": [True] * 784}, "expected numbers of shape"),
        ({"data": [0] * 783 + [256]}, "from 0 to 255"),
        ({"data": [0] * 783 + [-0.5]}, "from 0 to 255"),
        ({"data": [0] * 783 + [0.5], "datatype": "FP32"}, "multiply them by 255"),
        ({"data": [0] * 783 + [1.5]}, "whole numbers"),
        ({"parameters": 7}, "expected an object"),
        ({"parameters": {"binary_data_size": 784}}, "0 bytes after the JSON"),
    ],
)
def test_a_tensor_of_another_kind_is_refused(client: TestClient, change: dict[str, object], said: str) -> None:
    """Fault 46."""
    answered = client.post(INFER, json=ask(GLYPH, **change))
    assert answered.status_code == 400
    assert said in answered.json()["error"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": 7}, "id: expected a string"),
        ({"outputs": 7}, "outputs: expected a list"),
        ({"outputs": [{"name": "labels"}]}, "expected one, 'probabilities'"),
        ({"outputs": [{"name": "probabilities", "parameters": {"classification": 3}}]}, "not supported"),
        ({"outputs": [{"name": "probabilities", "parameters": {"binary_data": 1}}]}, "expected true or false"),
        ({"parameters": [7]}, "expected an object"),
    ],
)
def test_other_wishes_are_refused(client: TestClient, change: dict[str, object], said: str) -> None:
    answered = client.post(INFER, json=ask(GLYPH) | change)
    assert answered.status_code == 400
    assert said in answered.json()["error"]


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "99999999", "٣", "9" * 400, ""])
def test_a_wrong_length_of_the_json_is_refused(client: TestClient, length: str) -> None:
    headers = {"inference-header-content-length": length.encode()}
    assert client.post(INFER, content=binary(GLYPH)[0], headers=headers).status_code == 400  # type: ignore[arg-type]


@pytest.mark.parametrize("surplus", [b"x", b""])
def test_bytes_too_many_or_too_few_are_refused(client: TestClient, surplus: bytes) -> None:
    content, headers = binary(GLYPH)
    answered = client.post(INFER, content=content + surplus if surplus else content[:-1], headers=headers)
    assert answered.status_code == 400
    assert "expected 784" in answered.json()["error"]


def test_nan_among_bytes_is_refused(client: TestClient) -> None:
    content, headers = binary(np.full((1, 28, 28), np.nan), "FP32")
    assert "from 0 to 255" in client.post(INFER, content=content, headers=headers).json()["error"]


def test_unknown_models_versions_and_paths_are_404_in_the_protocols_form(client: TestClient) -> None:
    for path in ("/v2/models/letters", "/v2/models/digits/versions/1", "/v2/models/digits/config", "/v2/x"):
        answered = client.get(path)
        assert answered.status_code == 404
        assert isinstance(answered.json()["error"], str)
    assert client.post("/v2/models/letters/infer", json=ask(GLYPH)).status_code == 404
    assert client.get(INFER).status_code == 405


def test_loading_is_off_unless_the_service_was_told_so(
    make_client: Callable[..., TestClient], make_model, tmp_path: Path
) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(make_model(version="one"))
    closed, opened = make_client(model=file), make_client(model=file, allow_load=True)
    file.write_bytes(make_model(version="two"))
    load = "/v2/repository/models/digits/load"
    assert closed.post(load).status_code == 403
    assert opened.get("/v2").json()["extensions"] == ["binary_tensor_data", "model_repository(load)"]
    assert opened.post(load).json()["version"] == "two"
    assert opened.post(INFER, json=ask(GLYPH)).headers["x-model-version"] == "two"
    file.write_bytes(b"broken")
    answered = opened.post(load)
    assert answered.status_code == 400
    assert "two goes on serving" in answered.json()["error"]
    assert opened.post(INFER, json=ask(GLYPH)).headers["x-model-version"] == "two"
