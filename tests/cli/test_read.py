import csv
import io
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tenfold as package


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """seven.png and two.png, a blank page and a broken file."""
    folder = tmp_path_factory.mktemp("pictures")
    digits = package.load("mnist", "test")
    for name, index in [("seven", 0), ("two", 1)]:
        picture = Image.fromarray(255 - digits.images[index]).resize((200, 200), Image.Resampling.BICUBIC)
        picture.save(folder / f"{name}.png")
    Image.new("L", (50, 50), 255).save(folder / "blank.png")
    (folder / "broken.png").write_bytes(b"not a picture")
    return folder


def test_a_picture_is_its_digits(tenfold, folder: Path) -> None:
    assert tenfold("read", folder / "seven.png") == (0, "7\n", "")


def test_several_pictures_are_a_line_each(tenfold, folder: Path) -> None:
    assert tenfold("read", folder / "seven.png", folder / "two.png") == (0, "7\n2\n", "")


def test_tsv_has_the_path_as_given(tenfold, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert tenfold("read", "--format", "tsv", "./seven.png", "blank.png").out == "./seven.png\t7\nblank.png\t\n"


def test_json_is_one_reading_for_one_picture_and_a_list_for_several(tenfold, folder: Path) -> None:
    one = json.loads(tenfold("read", "--format", "json", folder / "seven.png").out)
    assert (one["file"], one["text"], one["digits"][0]["label"]) == (str(folder / "seven.png"), "7", 7)
    many = json.loads(tenfold("read", "--format", "json", folder / "seven.png", folder / "blank.png").out)
    assert [reading["text"] for reading in many] == ["7", ""]


def test_csv_is_a_line_a_digit(tenfold, folder: Path) -> None:
    (row,) = csv.DictReader(io.StringIO(tenfold("read", "--format", "csv", folder / "two.png").out))
    assert (row["label"], row["line"], row["accepted"]) == ("2", "0", "true")
    assert float(row["confidence"]) > 0.5


def test_standard_input_is_a_dash(tenfold, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stream:
        buffer = io.BytesIO((folder / "two.png").read_bytes())

    monkeypatch.setattr(sys, "stdin", Stream())
    assert tenfold("read", "-").out == "2\n"


def test_a_blank_picture_is_an_empty_text_exit_0_and_a_note(tenfold, folder: Path) -> None:
    """Fault 13."""
    result = tenfold("read", folder / "blank.png")
    assert (result.code, result.out) == (0, "\n")
    assert "no ink found" in result.err


def test_a_broken_picture_alone_is_exit_2(tenfold, folder: Path) -> None:
    result = tenfold("read", folder / "broken.png")
    assert (result.code, result.out) == (2, "")
    assert "broken.png" in result.err
    assert result.err.count("\n") == 1


def test_one_broken_picture_among_others_is_reported_and_the_rest_read(tenfold, folder: Path) -> None:
    result = tenfold("read", folder / "seven.png", folder / "broken.png", folder / "two.png")
    assert (result.code, result.out) == (1, "7\n2\n")
    assert "broken.png" in result.err


def test_another_model_can_be_named(tenfold, folder: Path, tmp_path: Path) -> None:
    from importlib.resources import files

    model = tmp_path / "mine.onnx"
    model.write_bytes((files("tenfold.read") / "bundled" / "digits.onnx").read_bytes())
    assert tenfold("read", "--model", model, folder / "seven.png").out == "7\n"
    assert "nowhere.onnx" in tenfold("read", "--model", "nowhere.onnx", folder / "seven.png").err


def test_an_animation_is_read_by_its_first_frame_with_a_notice(tenfold, folder: Path) -> None:
    """Fault 11."""
    frames = [Image.open(folder / f"{name}.png") for name in ("seven", "two")]
    frames[0].save(folder / "both.gif", save_all=True, append_images=frames[1:])
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        result = tenfold("read", folder / "both.gif")
    assert result.out == "7\n"
    assert result.err.startswith("note: ")
    assert "first" in result.err


def test_noise_is_no_traceback(tenfold, tmp_path: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (80, 80), np.uint8)).save(tmp_path / "noise.png")
    assert tenfold("read", tmp_path / "noise.png").code == 0
