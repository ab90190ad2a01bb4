"""Triton's own client, unchanged, against a service that runs."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tritonclient import http as triton
from tritonclient.utils import InferenceServerException

import tenfold


@pytest.fixture
def server(live) -> Iterator[triton.InferenceServerClient]:
    with triton.InferenceServerClient(f"{live.host}:{live.port}") as client:
        yield client


def test_health_and_metadata(server: triton.InferenceServerClient) -> None:
    assert server.is_server_live()
    assert server.is_server_ready()
    assert server.is_model_ready("digits")
    assert server.get_server_metadata()["name"] == "tenfold"
    assert server.get_model_metadata("digits")["inputs"][0]["name"] == "images"


@pytest.mark.parametrize("datatype", ["UINT8", "FP32"])
@pytest.mark.parametrize("sends_bytes", [True, False])
@pytest.mark.parametrize("wants_bytes", [True, False, None])
def test_glyphs_are_classified(
    server: triton.InferenceServerClient, glyphs: np.ndarray, datatype: str, sends_bytes: bool, wants_bytes: bool | None
) -> None:
    given = triton.InferInput("images", list(glyphs.shape), datatype)
    given.set_data_from_numpy(glyphs.astype(np.uint8 if datatype == "UINT8" else np.float32), binary_data=sends_bytes)
    outputs = None if wants_bytes is None else [triton.InferRequestedOutput("probabilities", binary_data=wants_bytes)]
    result = server.infer("digits", [given], outputs=outputs, request_id="7")
    found = result.as_numpy("probabilities")
    assert np.allclose(found, tenfold.Reader(threads=1).classify_glyphs(glyphs).probabilities, atol=1e-6)
    assert result.get_response()["id"] == "7"


def test_a_version_can_be_named(server: triton.InferenceServerClient, glyphs: np.ndarray) -> None:
    version = server.get_model_metadata("digits")["versions"][0]
    given = triton.InferInput("images", [10, 28, 28], "UINT8")
    given.set_data_from_numpy(glyphs)
    assert server.infer("digits", [given], model_version=version).get_response()["model_version"] == version
    with pytest.raises(InferenceServerException, match="unknown version '1'"):
        server.infer("digits", [given], model_version="1")


def test_requests_at_the_same_time(server: triton.InferenceServerClient, live, glyphs: np.ndarray) -> None:
    given = triton.InferInput("images", [1, 28, 28], "UINT8")
    given.set_data_from_numpy(glyphs[6:7])
    with triton.InferenceServerClient(f"{live.host}:{live.port}", concurrency=8) as client:
        waiting = [client.async_infer("digits", [given]) for _ in range(50)]
        assert {int(one.get_result().as_numpy("probabilities").argmax()) for one in waiting} == {6}


def test_errors_are_said(server: triton.InferenceServerClient, glyphs: np.ndarray) -> None:
    given = triton.InferInput("pictures", [10, 28, 28], "UINT8")
    given.set_data_from_numpy(glyphs)
    with pytest.raises(InferenceServerException, match="expected 'images'"):
        server.infer("digits", [given])
    with pytest.raises(InferenceServerException, match="unknown model 'letters'"):
        server.infer("letters", [given])
    with pytest.raises(InferenceServerException, match="--allow-load"):
        server.load_model("digits")


@pytest.mark.parametrize("asked", [{}, {"model_name": "digits"}, {"model_name": "digits", "model_version": "1"}])
def test_whoever_asks_for_statistics_is_told_where_such_are(
    server: triton.InferenceServerClient, asked: dict[str, str]
) -> None:
    with pytest.raises(InferenceServerException, match="statistics are not offered here; GET /metrics has") as said:
        server.get_inference_statistics(**asked)
    assert said.value.status() == "404"


def test_the_example_of_the_documentation_runs(live, capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parents[2] / "docs" / "service.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    *lines, last = block.replace("127.0.0.1:8000", f"{live.host}:{live.port}").strip().splitlines()
    expression, expected = last.split("  # ")
    names: dict[str, object] = {}
    exec("\n".join(lines), names)
    assert repr(eval(expression, names)) == expected
    names["client"].close()  # type: ignore[attr-defined]
