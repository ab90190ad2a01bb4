import asyncio
import json
import os
import threading
import urllib.request
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tritonclient import http as triton

from tenfold.errors import ModelError
from tenfold.read.model import Model
from tenfold.serve.models import Models

GLYPH = np.tile(np.arange(0, 252, 9, dtype=np.uint8), (28, 1)).T[None]


def put(file: Path, content: bytes) -> None:
    """Replace a file at one blow, as who deploys a model should."""
    beside = file.with_suffix(".new")
    beside.write_bytes(content)
    os.replace(beside, file)


def post(url: str) -> tuple[int, dict[str, object]]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="POST")) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as problem:
        with problem:
            return problem.code, json.load(problem)


def test_a_replaced_file_is_served_and_an_unusable_one_is_not(
    make_model, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "model.onnx"
    put(file, make_model(version="one"))

    async def scenario() -> list[str]:
        models, seen = Models(file), []
        for content in (
            None,
            make_model(version="two"),
            b"broken",
            None,
            make_model(kind="another"),
            make_model(version="three"),
        ):
            if content is not None:
                put(file, content)
            await models.look()
            seen.append(models.current.version)
        file.unlink()
        await models.look()
        return [*seen, models.current.version]

    with caplog.at_level("INFO", "tenfold.serve"):
        assert asyncio.run(scenario()) == ["one", "two", "two", "two", "two", "three", "three"]
    lines = [json.loads(record.message) for record in caplog.records]
    assert [line["event"] for line in lines] == ["model_loaded", "model_refused", "model_refused", "model_loaded"]
    assert lines[1]["level"] == "error"
    assert lines[1]["still_serving"] == "two"
    assert "not usable as ONNX" in lines[1]["reason"]


def test_a_runs_folder_is_watched_through_its_model(make_model, tmp_path: Path) -> None:
    put(tmp_path / "model.onnx", make_model(version="one"))

    async def scenario() -> str:
        models = Models(tmp_path)
        put(tmp_path / "model.onnx", make_model(version="two"))
        await models.look()
        return models.current.version

    assert asyncio.run(scenario()) == "two"


def test_another_model_can_be_served_and_is_watched_from_then_on(make_model, tmp_path: Path) -> None:
    async def scenario() -> list[str]:
        models = Models(None)
        bundled = models.current.version
        put(tmp_path / "mine.onnx", make_model(version="mine"))
        await models.load(tmp_path / "mine.onnx")
        seen = [models.current.version]
        put(tmp_path / "mine.onnx", make_model(version="newer"))
        await models.look()
        seen.append(models.current.version)
        with pytest.raises(ModelError, match="No such file"):
            await models.load(tmp_path / "none.onnx")
        seen.append(models.current.version)
        await models.load(None)
        assert models.current.version == bundled
        return seen

    assert asyncio.run(scenario()) == ["mine", "newer", "newer"]


def test_a_model_swapped_a_hundred_times_under_load_loses_no_request(start: Callable, make_model, tmp_path: Path) -> None:
    """Fault 43. Each answer fits the model that it names; every tenth file is corrupt and leaves the one before."""
    contents = {"one": make_model(version="one"), "two": make_model(version="two", scale=5.0)}
    expected = {version: Model(content, version).calibrated(GLYPH) for version, content in contents.items()}
    assert np.abs(expected["one"] - expected["two"]).max() > 0.01
    file = tmp_path / "model.onnx"
    put(file, contents["one"])
    service = start("--model", str(file), "--allow-load")
    stop, seen, wrong = threading.Event(), set[str](), list[object]()

    def ask() -> None:
        given = triton.InferInput("images", [1, 28, 28], "UINT8")
        given.set_data_from_numpy(GLYPH)
        with triton.InferenceServerClient(f"{service.host}:{service.port}") as client:
            while not stop.is_set():
                try:
                    result = client.infer("digits", [given])
                except Exception as problem:
                    wrong.append(problem)
                    return
                version = result.get_response()["model_version"]
                seen.add(version)
                if not np.allclose(result.as_numpy("probabilities"), expected[version], atol=1e-6):
                    wrong.append(version)

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    serving = "one"
    for k in range(100):
        corrupt = k % 10 == 9
        wanted = ("two", "one")[k % 2]
        put(file, b"corrupt" if corrupt else contents[wanted])
        status, said = post(f"{service.url}/v2/repository/models/digits/load")
        assert status == (400 if corrupt else 200)
        if corrupt:
            assert f"{serving} goes on serving" in str(said["error"])
        else:
            assert said["version"] == wanted
            serving = wanted
    stop.set()
    for asker in askers:
        asker.join()
    assert wrong == []
    assert seen == {"one", "two"}
    assert service.end() == 0


def test_a_service_notices_by_itself_that_its_model_was_replaced(start: Callable, make_model, tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    put(file, make_model(version="one"))
    service = start("--model", str(file))
    put(file, b"corrupt")
    assert service.wait_for("model_refused")["still_serving"] == "one"
    put(file, make_model(version="two"))
    assert service.wait_for("model_loaded")["version"] == "two"
    with urllib.request.urlopen(f"{service.url}/v2/models/digits") as answer:
        assert json.load(answer)["versions"] == ["two"]


@pytest.mark.parametrize("version", ["a\r\nSet-Cookie: x", "ä", "", "a b", "x" * 100])
def test_a_version_that_fits_no_header_is_not_passed_on(make_model, tmp_path: Path, version: str) -> None:
    put(tmp_path / "model.onnx", make_model(version=version))
    assert Models(tmp_path).current.version == "unknown"
