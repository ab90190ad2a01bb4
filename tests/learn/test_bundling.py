"""The networks that ship are made by one command: here its last part, with a handful of pictures."""

import json
from pathlib import Path

import numpy as np
import pytest

import tenfold
from tenfold.learn import bundling, combining, fonts
from tenfold.read.joint import Joint
from tenfold.read.reviewer import SIDE, Reviewer

CLOSE = bundling.Lesson("plain", 6, seed=5, afar=False, n_last=0)
AFAR = bundling.Lesson("words", 6, seed=3, afar=True, n_last=4)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder for networks that are made of a handful of pictures, with no other fonts than Matplotlib's."""
    for name, value in {"_BUNDLED": tmp_path, "_REVIEWERS": (CLOSE, AFAR), "_REVIEWS": 1, "_PAGES": 12, "_WORDS": 2}.items():
        monkeypatch.setattr(bundling, name, value)
    monkeypatch.setattr(fonts, "of_debian", list)
    return tmp_path


@pytest.mark.one_backend
def test_the_reviewers_are_made_and_tell_how_much_each_network_counts(small: Path) -> None:
    bundling.reviewer()
    made = Reviewer((small / "reviewer.onnx").read_bytes())
    assert made.probabilities(np.zeros((2, 2, SIDE, SIDE), np.uint8)).shape == (2, 11)
    said = {key: json.loads(made.metadata[key]) for key in ("made_by", "seed", "training_digits_sha256")}
    digits = tenfold.load("mnist", "train")[:55_000]
    assert said == {
        "made_by": "python -m tenfold.learn.bundling reviewer",
        "seed": 3,
        "training_digits_sha256": digits.sha256,
    }
    assert len(set(json.loads(made.metadata["members"]))) == 2
    assert Joint.of(made.metadata) == bundling._JOINT


@pytest.mark.one_backend
def test_until_both_are_there_none_is_replaced(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr(combining, "combined", interrupted)
    monkeypatch.setattr(bundling, "_REVIEWERS", (CLOSE,))
    with pytest.raises(KeyboardInterrupt):
        bundling.reviewer()
    assert not list(small.iterdir())


def test_how_much_each_network_counts_can_be_fitted(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    joint = bundling.weights()
    assert joint != Joint()
    assert (len(joint.classes), len(joint.digit)) == (3, 8)
    assert "of 14 composed pictures read without a fault" in capsys.readouterr().out


def test_a_misspelt_network_is_told_before_any_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    for name in ("digits", "judge", "finder", "reviewer"):
        monkeypatch.setattr(bundling, name, lambda name=name: made.append(name))
    with pytest.raises(SystemExit, match="no such network: reviewr; expected digits, judge, finder, reviewer, weights"):
        bundling.main(["digits", "reviewr"])
    assert not made
    bundling.main(["judge"])
    bundling.main([])
    assert made == ["judge", "digits", "judge", "finder", "reviewer"]


def test_what_is_held_out_is_not_trained_on() -> None:
    training, held_out = bundling._parts()
    assert (len(training), len(held_out)) == (55_000, 5_000)
    assert not {image.tobytes() for image in held_out.images} & {image.tobytes() for image in training.images}
