import json
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    return [json.loads(record.message) for record in caplog.records if record.name == "tenfold.serve"]


@pytest.mark.parametrize("path", ["/", "/read", "/v2", "/nothing", "/metrics", "/v2/models/digits/infer"])
def test_every_answer_names_its_request_and_the_model(client: TestClient, path: str) -> None:
    for answered in (client.get(path), client.post(path), client.get(path, headers={"host": "evil"})):
        assert len(answered.headers["x-request-id"]) == 16
        assert answered.headers["x-model-version"] == client.app.state.service.models.current.version  # type: ignore[attr-defined]


@pytest.mark.parametrize(("given", "kept"), [("a-B_7.x", True), ("", False), ("a b", False), ("x" * 65, False), ("<b>", False)])
def test_a_request_id_is_kept_if_it_is_harmless(client: TestClient, given: str, kept: bool) -> None:
    assert (client.get("/v2", headers={"x-request-id": given}).headers["x-request-id"] == given) == kept


def test_a_log_line_says_what_was_asked_but_not_with_what(
    client: TestClient, png: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", "tenfold.serve"):
        client.post("/read?pattern=%23%23", content=png, headers={"content-type": "image/png", "x-request-id": "mine"})
        client.get("/secret/path?name=alice")
        client.request("BREW", "/v2")
    read, unknown, odd = lines(caplog)
    assert read.keys() == {"time", "level", "event", "request_id", "method", "route", "status", "ms", "bytes_in"}
    assert (read["request_id"], read["route"], read["status"], read["bytes_in"]) == ("mine", "/read", 200, len(png))
    assert (unknown["route"], unknown["status"]) == ("other", 404)
    assert odd["method"] == "other"
    for secret in ("pattern", "alice", "secret", "BREW", "testclient"):
        assert secret not in caplog.text


def test_a_fault_of_ours_is_500_in_the_form_of_its_path_and_the_next_request_is_answered(
    client: TestClient, png: bytes, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = client.app.state.service.models.current.reader  # type: ignore[attr-defined]

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("private content")

    with monkeypatch.context() as patch, caplog.at_level("INFO", "tenfold.serve"):
        patch.setattr(reader, "read", broken)
        patch.setattr(reader.model, "calibrated", broken)
        read = client.post("/read", content=png, headers={"content-type": "image/png"})
        tensor = {"name": "images", "shape": [1, 28, 28], "datatype": "UINT8", "data": [0] * 784}
        inferred = client.post("/v2/models/digits/infer", json={"inputs": [tensor]})
    assert (read.status_code, read.json()["error"]["code"]) == (500, "fault")
    assert inferred.status_code == 500
    assert "default-src 'self'" in read.headers["content-security-policy"]
    assert read.headers["x-request-id"] in inferred.json()["error"] or "request id" in inferred.json()["error"]
    faults = [line for line in lines(caplog) if line["event"] == "fault"]
    assert [fault["type"] for fault in faults] == ["RuntimeError"] * 2
    assert "broken" in str(faults[0]["where"])
    assert "private content" not in caplog.text
    assert client.post("/read", content=png, headers={"content-type": "image/png"}).status_code == 200
    assert 'tenfold_errors_total{route="/read"} 1.0' in client.get("/metrics").text


def test_prometheus_is_told_of_requests_times_queue_and_model(client: TestClient, png: bytes) -> None:
    client.post("/read", content=png, headers={"content-type": "image/png"})
    client.get("/v2")
    answered = client.get("/metrics")
    assert answered.headers["content-type"].startswith("text/plain")
    told = answered.text
    assert 'tenfold_requests_total{method="POST",route="/read",status="200"} 1.0' in told
    assert 'tenfold_request_seconds_bucket{le="30.0",route="/v2"} 1.0' in told
    assert "tenfold_queue_requests 0.0" in told
    assert 'tenfold_model{version="' in told


def test_the_number_of_labels_is_bounded(client: TestClient) -> None:
    """Or a stranger could fill the memory with names."""
    for k in range(20):
        client.request(f"BREW{k}", f"/nothing/{k}")
        client.get(f"/static/{k}.js")
        client.get(f"/v2/models/{k}")
    told = client.get("/metrics").text
    assert "BREW" not in told
    assert len([line for line in told.splitlines() if line.startswith("tenfold_requests_total{")]) == 3


def test_metrics_of_two_applications_are_apart(make_client: Callable[..., TestClient]) -> None:
    one, other = make_client(), make_client()
    one.get("/v2")
    assert 'route="/v2"' in one.get("/metrics").text
    assert 'route="/v2"' not in other.get("/metrics").text
