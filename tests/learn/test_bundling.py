"""The networks that ship are made by one command: here its last part, with a handful of pictures."""

import json
from pathlib import Path

import numpy as np
import pytest

import tenfold
from tenfold.learn import bundling
from tenfold.read.joint import Joint
from tenfold.read.reviewer import SIDE, Reviewer


@pytest.mark.one_backend
def test_the_reviewer_is_made_and_tells_how_much_each_network_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {
        "_BUNDLED": tmp_path,
        "_REVIEWERS": (bundling.Lesson(6, 5, alike=False), bundling.Lesson(6, 3, alike=True)),
        "_REVIEWS": 1,
        "_PAGES": 12,
        "_WORDS": 2,
    }.items():
        monkeypatch.setattr(bundling, name, value)
    bundling.reviewer()
    made = Reviewer((tmp_path / "reviewer.onnx").read_bytes())
    assert made.probabilities(np.zeros((2, SIDE, SIDE), np.uint8)).shape == (2, 11)
    said = {key: json.loads(made.metadata[key]) for key in ("made_by", "seed", "training_digits_sha256")}
    digits = tenfold.load("mnist", "train")[:55_000]
    assert said == {
        "made_by": "python -m tenfold.learn.bundling reviewer",
        "seed": 3,
        "training_digits_sha256": digits.sha256,
    }
    assert len(set(json.loads(made.metadata["members"]))) == 2
    joint = Joint.of(made.metadata)
    assert joint != Joint()
    assert len(joint.classes) == 3
    assert len(joint.digit) == 8


@pytest.mark.one_backend
def test_until_the_weights_are_there_no_reviewer_is_replaced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def interrupted(_: Reviewer) -> Joint:
        raise KeyboardInterrupt

    monkeypatch.setattr(bundling, "_BUNDLED", tmp_path)
    monkeypatch.setattr(bundling, "_REVIEWERS", (bundling.Lesson(6, 5, alike=False),))
    monkeypatch.setattr(bundling, "_REVIEWS", 1)
    monkeypatch.setattr(bundling, "weights", interrupted)
    with pytest.raises(KeyboardInterrupt):
        bundling.reviewer()
    assert not list(tmp_path.iterdir())


def test_a_misspelt_network_is_told_before_any_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    for name in ("digits", "judge", "finder", "reviewer"):
        monkeypatch.setattr(bundling, name, lambda name=name: made.append(name))
    with pytest.raises(SystemExit, match="no such network: reviewr; expected digits, judge, finder, reviewer"):
        bundling.main(["digits", "reviewr"])
    assert not made
    bundling.main(["judge"])
    bundling.main([])
    assert made == ["judge", "digits", "judge", "finder", "reviewer"]


def test_what_is_held_out_is_not_trained_on() -> None:
    training, held_out = bundling._parts()
    assert (len(training), len(held_out)) == (55_000, 5_000)
    assert not {image.tobytes() for image in held_out.images} & {image.tobytes() for image in training.images}
