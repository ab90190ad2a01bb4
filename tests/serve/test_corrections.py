import base64
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

import tenfold
from tenfold.data.samples import Samples


@pytest.fixture
def correction(glyphs: np.ndarray, png: bytes) -> dict[str, Any]:
    glyph, picture = (base64.b64encode(content).decode() for content in (glyphs[7].tobytes(), png))
    return {"consent": True, "label": 7, "read_as": 1, "glyph": glyph, "picture": picture, "model_version": "abc"}


def test_a_correction_is_kept_and_listed(client: TestClient, correction: dict[str, Any], tmp_path: Path, png: bytes) -> None:
    assert client.get("/samples").json() == {"enabled": True, "stored": False, "n": 0, "samples": []}
    kept = client.post("/samples", json=correction)
    assert (kept.status_code, kept.json()) == (201, {"id": 1})
    assert client.post("/samples", json=correction | {"label": 2, "read_as": None, "picture": ""}).json() == {"id": 2}
    listed = client.get("/samples").json()
    assert (listed["stored"], listed["n"]) == (True, 2)
    assert [(s["id"], s["label"], s["read_as"]) for s in listed["samples"]] == [(2, 2, None), (1, 7, 1)]
    assert listed["samples"][0]["glyph"] == correction["glyph"]
    assert client.get("/samples?limit=1&offset=1").json()["samples"][0]["id"] == 1
    assert Samples(tmp_path / "samples.db").list()[1].picture == png


def test_the_picture_of_its_strokes_can_be_seen_again(client: TestClient, correction: dict[str, Any], png: bytes) -> None:
    assert client.get("/samples/1/picture").status_code == 404
    client.post("/samples", json=correction)
    client.post("/samples", json=correction | {"picture": ""})
    assert [s["has_picture"] for s in client.get("/samples").json()["samples"]] == [False, True]
    seen = client.get("/samples/1/picture")
    assert (seen.content, seen.headers["content-type"], seen.headers["cache-control"]) == (png, "image/png", "no-store")
    for number in ("2", "3", "9" * 30):
        assert client.get(f"/samples/{number}/picture").status_code == 404


@pytest.mark.parametrize("consent", [False, None, 1, "true"])
def test_without_consent_nothing_is_kept(
    client: TestClient, correction: dict[str, Any], tmp_path: Path, consent: object
) -> None:
    refused = client.post("/samples", json=correction | {"consent": consent})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "no_consent")
    assert not (tmp_path / "samples.db").exists()


def test_a_correction_can_be_relabelled_and_deleted(client: TestClient, correction: dict[str, Any], tmp_path: Path) -> None:
    for _ in range(3):
        client.post("/samples", json=correction)
    assert client.patch("/samples/2", json={"label": 4}).json() == {"id": 2, "label": 4}
    assert [s["label"] for s in client.get("/samples").json()["samples"]] == [7, 4, 7]
    assert client.delete("/samples/2").status_code == 200
    assert client.delete("/samples/2").status_code == client.patch("/samples/2", json={"label": 4}).status_code == 404
    assert client.delete("/samples").json() == {"deleted": 2}
    assert client.get("/samples").json()["n"] == 0
    assert b"PNG" not in (tmp_path / "samples.db").read_bytes()


def test_the_export_is_a_source_of_digits(client: TestClient, correction: dict[str, Any], tmp_path: Path) -> None:
    assert client.get("/samples/export").status_code == 404
    client.post("/samples", json=correction)
    exported = client.get("/samples/export")
    assert exported.headers["content-disposition"] == 'attachment; filename="samples.db"'
    (tmp_path / "copy.db").write_bytes(exported.content)
    assert tenfold.load(tmp_path / "copy.db").known_labels.tolist() == [7]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"label": 10}, "bad_label"),
        ({"label": True}, "bad_label"),
        ({"label": "7"}, "bad_label"),
        ({"read_as": -1}, "bad_label"),
        ({"glyph": "AAAA"}, "bad_glyph"),
        ({"glyph": None}, "bad_glyph"),
        ({"picture": "###"}, "bad_picture"),
        ({"picture": 7}, "bad_picture"),
        ({"picture": base64.b64encode(b"<svg/>").decode()}, "bad_picture"),
    ],
)
def test_what_is_no_correction_is_refused(
    client: TestClient, correction: dict[str, Any], change: dict[str, Any], code: str
) -> None:
    refused = client.post("/samples", json=correction | change)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, code)
    assert client.get("/samples").json()["n"] == 0


@pytest.mark.parametrize("more", [{"lable": 7}, {"consent ": True}, {"id": 1}])
def test_keys_that_are_not_known_are_refused(client: TestClient, correction: dict[str, Any], more: dict[str, Any]) -> None:
    """A misspelt one would be ignored: read_as without its line, or all corrections deleted instead of one."""
    client.post("/samples", json=correction)
    for refused in (client.post("/samples", json=correction | more), client.patch("/samples/1", json={"label": 1} | more)):
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "bad_json")
        assert f"found {next(iter(more))!r} in the JSON, expected " in refused.json()["error"]["message"]
    for refused in (client.get("/samples", params=more), client.delete("/samples", params=more)):
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "bad_query")
    assert client.get("/samples?limit=1&limit=2").json()["error"]["message"] == "limit: found more than once, expected once"
    assert client.get("/samples").json()["n"] == 1


def test_too_large_a_picture_and_a_full_file_are_refused(
    make_client: Callable[..., TestClient], correction: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENFOLD_MAX_SAMPLES", "1")
    client = make_client()
    large = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(70_000)).decode()
    assert client.post("/samples", json=correction | {"picture": large}).status_code == 413
    assert client.post("/samples", json=correction).status_code == 201
    assert "delete some first" in client.post("/samples", json=correction).json()["error"]["message"]


def test_a_service_without_a_file_says_so(make_client: Callable[..., TestClient], correction: dict[str, Any]) -> None:
    client = make_client(samples=None)
    assert client.get("/samples").json() == {"enabled": False, "stored": False, "n": 0, "samples": []}
    assert client.post("/samples", json=correction).status_code == 403
    assert client.get("/samples/export").status_code == client.delete("/samples").status_code == 403


def test_a_file_that_is_none_of_ours_is_said_and_left_alone(
    client: TestClient, correction: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "samples.db").write_bytes(b"something else")
    for refused in (client.get("/samples"), client.post("/samples", json=correction), client.delete("/samples")):
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "samples_unusable")
    assert (tmp_path / "samples.db").read_bytes() == b"something else"


def test_pages_from_elsewhere_and_other_types_are_refused(client: TestClient, correction: dict[str, Any]) -> None:
    foreign = {"origin": "http://elsewhere.example"}
    assert client.post("/samples", json=correction, headers=foreign).status_code == 403
    assert client.delete("/samples", headers=foreign).status_code == 403
    assert client.post("/samples", content=b"{}", headers={"content-type": "text/plain"}).status_code == 415
    assert client.get("/samples?limit=-1").status_code == client.get("/samples?offset=x").status_code == 400


@pytest.mark.parametrize("number", ["9" * 19, "9" * 5000, "-1", "x", "٣"])
@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_an_id_that_no_correction_can_have_is_not_found(client: TestClient, method: str, number: str) -> None:
    answer = client.request(method, f"/samples/{number}", json={"label": 3})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


def test_a_method_that_a_path_does_not_have_is_told_all_it_has(client: TestClient) -> None:
    for path, methods in (("/samples", "DELETE, GET, HEAD, POST"), ("/samples/7", "DELETE, PATCH"), ("/read", "POST")):
        answer = client.put(path)
        assert (answer.status_code, answer.headers["allow"]) == (405, methods)


@pytest.mark.parametrize(
    ("key", "value"), [("picture", {}), ("picture", 0), ("model_version", 7), ("label", 7.5), ("read_as", True)]
)
def test_a_field_of_another_type_is_refused(client: TestClient, key: str, value: object) -> None:
    """Found by schemathesis: what is false in Python was taken for nothing."""
    glyph = base64.b64encode(bytes([9]) * 784).decode()
    whole = {"consent": True, "label": 7, "glyph": glyph}
    assert client.post("/samples", json=whole | {key: value}).status_code == 400
    assert client.post("/samples", json=whole | {"picture": None, "model_version": None, "label": 7.0}).status_code == 201


def test_a_blank_glyph_and_a_large_picture_are_not_kept(client: TestClient, correction: dict[str, Any], png: bytes) -> None:
    blank = base64.b64encode(bytes(784)).decode()
    refused = client.post("/samples", json=correction | {"glyph": blank})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "bad_glyph")
    large = base64.b64encode(png + bytes(64 * 2**10)).decode()
    refused = client.post("/samples", json=correction | {"picture": large})
    assert (refused.status_code, refused.json()["error"]["code"]) == (413, "picture_too_large")
    assert client.get("/samples").json()["n"] == 0


def test_a_file_that_another_program_holds_keeps_nobody_else_waiting(
    client: TestClient, correction: dict[str, Any], tmp_path: Path
) -> None:
    client.post("/samples", json=correction)
    other = sqlite3.connect(tmp_path / "samples.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    answers: list[int] = []
    waiting = [
        threading.Thread(target=lambda: answers.append(client.post("/samples", json=correction).status_code)) for _ in range(20)
    ]
    for thread in waiting:
        thread.start()
    while answers.count(429) < 8:  # twelve wait, the others are told to come again
        time.sleep(0.01)
    assert client.get("/learning").status_code == 200
    assert answers == [429] * 8
    other.execute("ROLLBACK")
    for thread in waiting:
        thread.join()
    assert sorted(answers) == [201] * 12 + [429] * 8
