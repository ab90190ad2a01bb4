import base64
import io
import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

import tenfold
from tenfold import cli

PNG = {"content-type": "image/png"}


def test_the_answer_is_what_the_command_line_prints(
    client: TestClient, png: bytes, tmp_path: Path, monkeypatch, capsys
) -> None:
    (tmp_path / "42.png").write_bytes(png)
    monkeypatch.setattr("sys.argv", ["tenfold", "read", "--format", "json", str(tmp_path / "42.png")])
    assert cli.run() == 0
    printed = json.loads(capsys.readouterr().out)
    answered = client.post("/read", content=png, headers=PNG)
    assert answered.status_code == 200
    assert answered.json() == printed | {"file": None}
    assert answered.json()["text"] == "42"


def test_a_form_is_read_like_a_body(client: TestClient, png: bytes) -> None:
    answered = client.post("/read", files={"file": ("scan 1.png", png, "image/png"), "other": ("x", b"y")}).json()
    assert answered == client.post("/read", content=png, headers=PNG).json() | {"file": "scan 1.png"}


def test_each_digit_comes_with_its_glyph_if_asked_for(client: TestClient, png: bytes) -> None:
    digits = client.post("/read?glyphs=1", content=png, headers=PNG).json()["digits"]
    seen = [np.frombuffer(base64.b64decode(digit["glyph"]), np.uint8).reshape(28, 28) for digit in digits]
    assert [int(k) for k in tenfold.Reader(threads=1).classify_glyphs(np.stack(seen)).labels] == [4, 2]
    assert "glyph" not in client.post("/read", content=png, headers=PNG).json()["digits"][0]


def test_what_there_is_to_say_of_it_comes_if_asked_for(client: TestClient, png: bytes) -> None:
    def said(query: str, content: bytes = png) -> list[str]:
        return client.post(f"/read?{query}", content=content, headers=PNG).json()["notes"]

    assert said("notes=1") == []
    assert said("notes=1&min_confidence=1")[0].startswith("refused: its text would be right with a probability of 9")
    assert said("notes=1&digits=1")[0].startswith("left out to agree with what is known about the field: a ")
    lying = io.BytesIO()
    Image.open(Path(__file__).parents[2] / "docs" / "images" / "field.png").rotate(90, expand=True).save(lying, "PNG")
    assert "turned by 90 degrees clockwise it reads 482107" in said("notes=1", lying.getvalue())[-1]
    assert "notes" not in client.post("/read?notes=0", content=png, headers=PNG).json()


def test_what_is_known_of_the_field_counts(client: TestClient, png: bytes) -> None:
    assert client.post("/read?pattern=%23-%23", content=png, headers=PNG).json()["text"] == "4-2"
    assert client.post("/read?min_confidence=1", content=png, headers=PNG).json()["text"] == ""
    for query in (
        *("digits=two", "check=sum", "min_confidence=x", "min_confidence=7", "min_confidence=nan", "min_confidense=1"),
        *("digits=1&digits=2", "digits=0_2", "digits=%D9%A2", "digits=+2", "glyphs=true", "notes=yes"),
    ):
        assert client.post(f"/read?{query}", content=png, headers=PNG).status_code == 400


def test_of_large_pictures_one_is_read_at_a_time(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each would take a gigabyte or two."""
    at_once, most = [0], [0]
    read = tenfold.Reader.read

    def watched(self: tenfold.Reader, *arguments: object, **known: object) -> tenfold.Reading:
        at_once[0] += 1
        most[0] = max(most[0], at_once[0])
        time.sleep(0.2)
        at_once[0] -= 1
        return read(self, np.full((40, 40), 255, np.uint8))

    monkeypatch.setattr(tenfold.Reader, "read", watched)
    for side, expected in ((4100, 1), (400, 2)):  # 16.8 and 0.16 megapixels
        file = io.BytesIO()
        Image.new("L", (side, side), 255).save(file, "PNG")
        most[0] = 0
        with ThreadPoolExecutor(2) as two:
            answers = list(two.map(lambda body: client.post("/read", content=body, headers=PNG), [file.getvalue()] * 2))
        assert [answer.status_code for answer in answers] == [200, 200]
        assert most[0] == min(expected, os.cpu_count() or 1)


def test_a_key_that_says_nothing_of_a_single_digit_is_refused(client: TestClient, png: bytes) -> None:
    refused = client.post("/classify?digits=1", content=png, headers=PNG)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "bad_query")


def test_what_is_known_of_the_field_belongs_into_the_query_not_into_a_form(client: TestClient, png: bytes) -> None:
    refused = client.post("/read", files={"file": ("a.png", png, "image/png")}, data={"check": "luhn"})
    assert refused.status_code == 400
    assert "check: found in the form, expected in the query" in refused.json()["error"]["message"]


def test_of_several_pages_the_first_is_read(client: TestClient, make_digit: Callable[[int], bytes]) -> None:
    pages = [Image.open(io.BytesIO(make_digit(label))) for label in (7, 2)]
    file = io.BytesIO()
    pages[0].save(file, "TIFF", save_all=True, append_images=pages[1:])
    answered = client.post("/read", content=file.getvalue(), headers={"content-type": "image/tiff"})
    assert answered.json()["text"] == "7"


def test_one_digit_is_classified(client: TestClient, make_digit: Callable[[int], bytes]) -> None:
    answered = client.post("/classify", content=make_digit(7), headers=PNG).json()
    assert answered["label"] == 7
    assert answered["accepted"] is True
    assert np.isclose(sum(answered["probabilities"]), 1, atol=1e-5)
    assert 0.9 < answered["confidence"] <= answered["digit_score"] <= 1
    assert len(base64.b64decode(answered["glyph"])) == 784


def test_a_blank_picture_is_an_empty_text(client: TestClient, make_png: Callable[[np.ndarray], bytes]) -> None:
    """Fault 13."""
    blank = make_png(np.full((50, 80), 255, np.uint8))
    assert client.post("/read", content=blank, headers=PNG).json()["digits"] == []
    assert client.post("/classify", content=blank, headers=PNG).json()["digit_score"] == 0


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h9"/></svg>'
PDF = b"%PDF-1.4\n1 0 obj <</Type /Catalog>> endobj"
HTML = b"<!doctype html><title>7</title>"


@pytest.mark.parametrize("content", [SVG, PDF, HTML, b"MZ\x90", b""])
@pytest.mark.parametrize("path", ["/read", "/classify"])
def test_what_is_no_picture_gets_415_or_400_whatever_it_calls_itself(client: TestClient, path: str, content: bytes) -> None:
    """Fault 6, and 1."""
    answered = client.post(path, content=content, headers=PNG)
    assert answered.status_code == (415 if content else 400)
    assert answered.json()["error"]["code"] == ("unsupported_picture" if content else "bad_picture")


@pytest.mark.parametrize(
    "kind", ["image/svg+xml", "application/pdf", "text/html", "application/x-www-form-urlencoded", "image", "", None]
)
def test_other_media_types_get_415(client: TestClient, png: bytes, kind: str | None) -> None:
    """Fault 6."""
    answered = client.post("/read", content=png, headers={} if kind is None else {"content-type": kind})
    assert answered.status_code == 415
    message = answered.json()["error"]["message"]
    assert "expected image/png" in message
    assert ("curl sends it with" in message) == (kind in ("application/x-www-form-urlencoded", "", None))


def test_a_damaged_picture_is_refused_and_the_next_one_read(client: TestClient, png: bytes) -> None:
    """Fault 2."""
    for cut in range(0, len(png), max(1, len(png) // 40)):
        assert client.post("/read", content=png[:cut], headers=PNG).status_code in (400, 415)
    assert client.post("/read", content=png, headers=PNG).status_code == 200


def test_a_body_of_no_type_is_said_to_have_none(client: TestClient, png: bytes) -> None:
    answered = client.post("/read", content=png)
    assert answered.status_code == 415
    assert answered.json()["error"]["message"].startswith("no Content-Type, expected image/")


def test_a_picture_with_too_many_pixels_is_refused(client: TestClient, png: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Faults 3 and 4."""
    monkeypatch.setenv("TENFOLD_MAX_PICTURE_PIXELS", "1000")
    answered = client.post("/read", content=png, headers=PNG)
    assert answered.status_code == 413
    assert answered.json()["error"]["code"] == "picture_too_large"
    assert answered.json()["error"]["message"].endswith("more than 1,000 pixels; shrink it"), "callers set no variables"


@pytest.mark.parametrize("name", ["../../x", "<img src=x onerror=alert(1)>", "/etc/passwd", 'a"; filename="b', "\u202egnp.exe"])
def test_a_file_name_is_inert(client: TestClient, png: bytes, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Fault 45: it is handed back as JSON, opens nothing and reaches no log."""
    with caplog.at_level("INFO", "tenfold.serve"):
        answered = client.post("/read", files={"file": (name, png, "image/png")})
    assert answered.status_code == 200
    assert answered.json()["text"] == "42"
    assert answered.headers["content-type"] == "application/json"
    assert answered.headers["x-content-type-options"] == "nosniff"
    assert "route" in caplog.text
    assert name not in caplog.text
    assert "onerror" not in caplog.text


def test_a_form_of_many_empty_parts_is_refused(client: TestClient) -> None:
    """Fault 39."""
    answered = client.post("/read", files=[("file", ("", b""))] * 1000)
    assert answered.status_code == 400
    assert "more than 8 parts" in answered.json()["error"]["message"]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "multipart/form-data"),
        (b"nothing", "multipart/form-data; boundary=x"),
        (b"--x\r\n\r\n", "multipart/form-data; boundary=x"),
        (b"--x\r\nContent-Disposition: form-data; name=file\r\n\r\nabc", "multipart/form-data; boundary=x"),
        (b"--x\r\nContent-Disposition: form-data; name=other\r\n\r\nabc\r\n--x--\r\n", "multipart/form-data; boundary=x"),
        (b"--x\r\n" + b"a" * 100_000 + b": 1\r\n\r\nabc\r\n--x--\r\n", "multipart/form-data; boundary=x"),
        (b"--x--", "multipart/form-data; boundary=" + "x" * 5000),
    ],
)
def test_a_broken_form_is_refused(client: TestClient, body: bytes, kind: str) -> None:
    answered = client.post("/read", content=body, headers={"content-type": kind})
    assert answered.status_code == 400
    assert answered.json()["error"]["code"] in ("broken_form", "no_file")


def test_a_glyph_is_explained(client: TestClient, glyphs: np.ndarray) -> None:
    answered = client.post("/explain", json={"glyph": base64.b64encode(glyphs[3].tobytes()).decode()}).json()
    assert answered["label"] == 3
    evidence = np.frombuffer(base64.b64decode(answered["evidence"]), np.int8)
    assert np.abs(evidence.astype(int)).max() == 127
    assert not evidence[glyphs[3].ravel() == 0].any()
    assert len(answered["layers"]) >= 3
    for layer in answered["layers"]:
        values = np.frombuffer(base64.b64decode(layer["values"]), np.uint8)
        assert len(values) == np.prod(layer["shape"])
        assert values.max() == 255


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b'{"glyph": 7}', b'{"glyph": "AAAA"}', b'{"glyph": "\xc3\xa4"}', b"{", b"[" * 100_000, b"\xff"]
)
def test_what_is_no_glyph_is_refused(client: TestClient, body: bytes) -> None:
    answered = client.post("/explain", content=body, headers={"content-type": "application/json"})
    assert answered.status_code == 400
    assert set(answered.json()["error"]) == {"code", "message"}


def test_bodies_have_a_limit_together_and_give_back_what_they_took(
    make_client: Callable[..., TestClient], png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENFOLD_MAX_BUFFERED_BYTES", str(len(png) + 100))
    client = make_client()
    for _ in range(3):
        assert client.post("/read", content=png, headers=PNG).status_code == 200
        refused = client.post("/read", content=png + bytes(200), headers=PNG)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")


def test_a_compressed_body_is_refused(client: TestClient, png: bytes) -> None:
    """Or a few bytes could become many."""
    assert client.post("/read", content=png, headers=PNG | {"content-encoding": "gzip"}).status_code == 415
