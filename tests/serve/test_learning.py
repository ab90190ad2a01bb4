"""The training itself is played by a small script that leaves the files of a run; one test trains for real."""

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from tenfold.data.samples import Samples
from tenfold.read import model as models
from tenfold.serve import hand
from tenfold.serve.hand import Hand
from tenfold.serve.settings import Settings

START = subprocess.Popen
METRICS = {
    "n_corrections": 4, "n_corrections_read": 4, "corrections_before": 0.25, "corrections_after": 1.0,
    "mnist_before": 0.9972, "mnist_after": 0.9970, "n_validation": 5000,
}  # fmt: skip
# What a training leaves, slowly: `go` in its folder lets it end.
SCRIPT = """
import json, sys, time
from pathlib import Path
run, metrics, onnx = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
run.mkdir()
(run / "recipe.json").write_text(json.dumps({"epochs": 4, "rehearsal": {"folds": 1}}))
(run / "history.csv").write_text("epoch\\n1\\n2\\n")
while not (run.parent / "go").exists():
    time.sleep(0.01)
if metrics == "fail":
    sys.exit("error: the disk is full")
(run / "model.onnx").write_bytes(onnx.read_bytes())
(run / "metrics.json").write_text(metrics)
"""


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Let the script stand in for `python -m tenfold train`, leaving these metrics; `fail` lets it fail."""
    onnx = tmp_path / "learnt.onnx"
    onnx.write_bytes(models.bundled("digits"))

    def stand_in(metrics: str) -> None:
        def begun(command: list[str], **options: Any) -> object:
            assert command[:6] == [sys.executable, "-m", "tenfold", "train", "--recipe", "adapt"]
            run = command[command.index("--run") + 1]
            return START([sys.executable, "-c", SCRIPT, run, metrics, str(onnx)], **options)

        monkeypatch.setattr(hand.subprocess, "Popen", begun)

    stand_in(json.dumps(METRICS))
    return stand_in


@pytest.fixture
def kept(tmp_path: Path) -> Samples:
    found = Samples(tmp_path / "samples.db")
    for label in (7, 7, 1, 1):
        found.add(np.zeros((28, 28), np.uint8), label, None, b"", "")
    return found


def until(client: TestClient, *states: str) -> dict[str, Any]:
    for _ in range(6000):
        found: dict[str, Any] = client.get("/learning").json()
        if found["state"] in states:
            return found
        time.sleep(0.01)
    raise AssertionError(found)


def let_go(tmp_path: Path) -> None:
    (tmp_path / "samples.hand" / "go").touch()


def learnt(client: TestClient, tmp_path: Path) -> dict[str, Any]:
    assert client.post("/learning", json={}).status_code == 202
    let_go(tmp_path)
    return until(client, "done", "failed")


def test_learning_goes_from_idle_to_taken_and_back(client: TestClient, kept: Samples, trained: object, tmp_path: Path) -> None:
    assert client.get("/learning").json()["state"] == "idle"
    begun = client.post("/learning", json={})
    assert (begun.status_code, begun.json()["state"]) == (202, "running")
    assert client.post("/learning", json={}).status_code == 409, "one at a time"
    assert client.post("/learning/accept", json={}).status_code == 409, "not done yet"
    for _ in range(1000):
        if client.get("/learning").json()["progress"] > 0.2:
            break
        time.sleep(0.01)
    assert client.get("/learning").json()["progress"] == 0.275, "two of four epochs are a quarter of the work"
    let_go(tmp_path)
    done = until(client, "done")
    assert (done["before"], done["after"]) == ({"accuracy": 0.25, "n": 4}, {"accuracy": 1.0, "n": 4})
    assert (done["mnist_before"], done["mnist_after"], done["active"]) == (0.9972, 0.9970, "bundled")
    assert "1 right before, 4 after" in done["message"]
    assert "worse" not in done["message"]

    taken = client.post("/learning/accept", json={}).json()
    assert (taken["state"], taken["active"], taken["can_undo"]) == ("idle", "adapted", True)
    assert client.app.state.service.models.source == tmp_path / "samples.hand" / "learnt-1"  # type: ignore[attr-defined]
    back = client.post("/learning/undo", json={}).json()
    assert (back["active"], back["can_undo"]) == ("bundled", False)
    assert client.app.state.service.models.source is None  # type: ignore[attr-defined]
    assert client.post("/learning/undo", json={}).status_code == 409


def test_what_is_gone_back_from_is_removed(client: TestClient, kept: Samples, trained: object, tmp_path: Path) -> None:
    learnt(client, tmp_path)
    assert (tmp_path / "samples.hand").stat().st_mode & 0o077 == 0, "for its owner alone: digits can be made out of it"
    client.post("/learning/accept", json={})
    client.post("/learning/undo", json={})
    assert not list((tmp_path / "samples.hand").glob("learnt-*"))


def test_a_choice_that_cannot_be_kept_is_not_made(client: TestClient, kept: Samples, trained: object, tmp_path: Path) -> None:
    learnt(client, tmp_path)
    chosen = tmp_path / "samples.hand" / "chosen.json"
    chosen.mkdir()  # so it cannot be written
    refused = client.post("/learning/accept", json={})
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "cannot_keep")
    assert client.app.state.service.models.source is None  # type: ignore[attr-defined]
    assert client.get("/learning").json()["state"] == "done"
    chosen.rmdir()
    assert client.post("/learning/accept", json={}).json()["active"] == "adapted"


def test_each_file_of_corrections_has_a_hand_of_its_own(
    make_client: Callable[..., TestClient], kept: Samples, trained: object, tmp_path: Path
) -> None:
    first = make_client()
    learnt(first, tmp_path)
    first.post("/learning/accept", json={})
    other = make_client(samples=tmp_path / "ben.db").get("/learning").json()
    assert (other["active"], other["can_undo"]) == ("bundled", False)


def test_what_was_learnt_on_one_model_is_neither_offered_nor_removed_on_another(
    client: TestClient, kept: Samples, trained: object, tmp_path: Path
) -> None:
    learnt(client, tmp_path)
    client.post("/learning/accept", json={})
    other = Hand(kept.path, tmp_path / "mine")
    assert other.newest() is None
    assert other.chosen is None
    run = other.begin(4)
    assert run.name == "learnt-2"
    until_gone = time.monotonic() + 20
    while other.runs(run) and time.monotonic() < until_gone:
        time.sleep(0.05)
    other.choose(run)
    first = Hand(kept.path, None)
    assert first.chosen is not None
    assert first.chosen.name == "learnt-1"
    assert (tmp_path / "samples.hand" / "learnt-1" / "model.onnx").is_file()


def test_a_restarted_service_finds_what_was_done_and_taken(
    make_client: Callable[..., TestClient], kept: Samples, trained: object, tmp_path: Path
) -> None:
    make_client().post("/learning", json={})
    other = make_client()
    assert other.get("/learning").json()["state"] == "running", "the training outlives the service that began it"
    assert other.post("/learning", json={}).status_code == 409
    let_go(tmp_path)
    until(other, "done")
    other.post("/learning/accept", json={})
    third = make_client()
    assert third.get("/learning").json()["active"] == "adapted"
    assert third.app.state.service.models.source == tmp_path / "samples.hand" / "learnt-1"  # type: ignore[attr-defined]


def test_a_second_learning_can_be_undone_to_the_first(
    client: TestClient, kept: Samples, trained: object, tmp_path: Path
) -> None:
    for _ in range(2):
        learnt(client, tmp_path)
        client.post("/learning/accept", json={})
    source = client.app.state.service.models  # type: ignore[attr-defined]
    assert source.source.name == "learnt-2"
    back = client.post("/learning/undo", json={}).json()
    assert (back["active"], back["state"], back["can_undo"]) == ("adapted", "idle", True), "it is not offered once more"
    assert source.source.name == "learnt-1"
    assert client.post("/learning/undo", json={}).json()["active"] == "bundled"


def test_runs_of_no_more_use_are_removed(client: TestClient, kept: Samples, trained: object, tmp_path: Path) -> None:
    (tmp_path / "samples.hand").mkdir()
    (tmp_path / "samples.hand" / "learnt-old.json").write_text("{}")  # somebody's copy
    for _ in range(3):
        learnt(client, tmp_path)
    assert sorted(p.name for p in (tmp_path / "samples.hand").iterdir()) == [
        "go",
        "learnt-3",
        "learnt-3.json",
        "learnt-3.log",
        "learnt-old.json",
    ]


def test_a_running_one_can_be_stopped(client: TestClient, kept: Samples, trained: object, tmp_path: Path) -> None:
    assert client.delete("/learning").status_code == 409
    client.post("/learning", json={})
    pid = json.loads((tmp_path / "samples.hand" / "learnt-1.json").read_text())["pid"]
    assert client.delete("/learning").json()["state"] == "idle"
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert list((tmp_path / "samples.hand").iterdir()) == []


def test_a_training_that_fails_or_is_killed_says_so(
    client: TestClient, kept: Samples, trained: Callable[..., None], tmp_path: Path
) -> None:
    trained("fail")
    failed = learnt(client, tmp_path)
    assert (failed["state"], failed["message"]) == ("failed", "the disk is full")
    (tmp_path / "samples.hand" / "go").unlink()
    client.post("/learning", json={})
    os.kill(json.loads((tmp_path / "samples.hand" / "learnt-2.json").read_text())["pid"], signal.SIGKILL)
    assert until(client, "failed")["message"] == "the training ended without a word"
    assert client.post("/learning/accept", json={}).status_code == 409


def test_one_that_takes_too_long_is_stopped(
    make_client: Callable[..., TestClient], kept: Samples, trained: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENFOLD_MAX_LEARNING_S", "1")
    client = make_client()
    client.post("/learning", json={})
    assert "longer than 1 s" in until(client, "failed")["message"]


def test_what_got_worse_is_said(client: TestClient, kept: Samples, trained: Callable[..., None], tmp_path: Path) -> None:
    trained(json.dumps(METRICS | {"corrections_after": 0.25, "mnist_after": 0.9960}))
    message = learnt(client, tmp_path)["message"]
    assert "That is no gain" in message
    assert "Digits by other hands are read worse: 99.72 % before, 99.60 % now." in message


def test_where_all_was_read_rightly_there_was_nothing_to_gain(
    client: TestClient, kept: Samples, trained: Callable[..., None], tmp_path: Path
) -> None:
    trained(json.dumps(METRICS | {"n_corrections": 1, "corrections_before": 1.0}))
    message = learnt(client, tmp_path)["message"]
    assert message.startswith("Learnt from one correction.")
    assert "4 right before, 4 after. They were read rightly already: correct some that are not." in message


def test_a_damaged_result_leaves_the_model_that_reads(
    client: TestClient, kept: Samples, trained: object, tmp_path: Path
) -> None:
    learnt(client, tmp_path)
    (tmp_path / "samples.hand" / "learnt-1" / "model.onnx").write_bytes(b"damaged")
    refused = client.post("/learning/accept", json={})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "model_unusable")
    assert client.get("/learning").json()["active"] == "bundled"


def test_nothing_kept_is_nothing_to_learn_from(client: TestClient, trained: object) -> None:
    assert client.post("/learning", json={}).json()["error"]["code"] == "no_samples"


@pytest.mark.parametrize(
    ("settings", "missing", "said"),
    [
        (Settings(samples=None), "", "--no-samples"),
        (Settings(samples=Path("s.db"), model=Path("model.onnx")), "", "ONNX file alone"),
        (Settings(samples=Path("s.db")), "keras", r"pip install '\.\[serve,train\]'"),
        (Settings(samples=Path("s.db")), "tensorflow", "tensorflow is missing"),
    ],
)
def test_where_it_cannot_learn_it_says_why(settings: Settings, missing: str, said: str) -> None:
    gone = {missing, "jax"} if missing == "tensorflow" else {missing}
    reason = hand.why_not(settings, lambda name: None if name in gone else object())
    assert reason is not None
    assert re.search(said, reason)


def test_a_run_that_remembers_a_hand_is_read_with_and_not_learnt_on_from(tmp_path: Path) -> None:
    run = tmp_path / "mine"
    run.mkdir()
    settings = Settings(samples=tmp_path / "s.db", model=run)
    (run / "metrics.json").write_text('{"n_remembered": 0}')
    assert hand.why_not(settings, lambda name: object()) is None
    (run / "metrics.json").write_text('{"n_remembered": 20}')
    assert str(hand.why_not(settings, lambda name: object())).startswith("mine remembers the digits it learnt from")


def test_a_service_that_cannot_learn_refuses(make_client: Callable[..., TestClient]) -> None:
    client = make_client(samples=None)
    off = client.get("/learning").json()
    assert (off["state"], off["can_undo"], off["active"]) == ("off", False, "bundled")
    for method, path in (("POST", "/learning"), ("DELETE", "/learning"), ("POST", "/learning/accept")):
        assert client.request(method, path).status_code == 403


def test_a_model_that_the_service_was_given_is_not_called_the_one_that_ships(
    make_client: Callable[..., TestClient], make_model: Callable[..., bytes], tmp_path: Path
) -> None:
    (tmp_path / "own.onnx").write_bytes(make_model())
    assert make_client(model=tmp_path / "own.onnx").get("/learning").json()["active"] == "given"


def test_pages_from_elsewhere_and_forms_cannot_start_it(client: TestClient, kept: Samples, trained: object) -> None:
    assert client.post("/learning", json={}, headers={"origin": "http://elsewhere.example"}).status_code == 403
    assert client.post("/learning", data={"a": "b"}).status_code == 415
    assert client.get("/learning").json()["state"] == "idle"


def test_a_hand_learnt_on_another_base_is_not_served(tmp_path: Path) -> None:
    on_bundled, on_run = Hand(tmp_path / "s.db", None), Hand(tmp_path / "s.db", tmp_path)
    run = tmp_path / "s.hand" / "learnt-1"
    run.mkdir(parents=True)
    shutil.copyfile(Path(models.__file__).parent / "bundled" / "digits.onnx", run / "model.onnx")
    on_bundled.choose(run)
    assert on_bundled.chosen == run
    assert on_run.chosen is None


def test_other_files_in_the_folder_are_not_taken_for_runs(client: TestClient, tmp_path: Path) -> None:
    (tmp_path / "samples.hand").mkdir()
    for name in ("learnt-old.json", "learnt-.json", "learnt-².json", f"learnt-{'9' * 5000}.json"[:200]):
        (tmp_path / "samples.hand" / name).write_text("{}")
    assert client.get("/learning").json()["state"] == "idle"


def test_a_run_whose_process_is_not_known_is_not_stopped_by_guessing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sent: list[int] = []
    monkeypatch.setattr(hand.os, "killpg", lambda pid, what: sent.append(pid))
    monkeypatch.setattr(hand, "_ENDS_S", 0.0)
    its = Hand(tmp_path / "samples.db", None)
    its.folder.mkdir()
    run = its.folder / "learnt-1"
    with run.with_suffix(".log").open("wb") as log:
        fcntl.flock(log, fcntl.LOCK_EX)
        for pid in ("0", "1", "null", '"7"', "-5"):
            run.with_suffix(".json").write_text(f'{{"pid": {pid}}}')
            assert its.runs(run)
            its._send(run, signal.SIGTERM)
    assert sent == []
