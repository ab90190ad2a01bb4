"""The networks that ship are made by one command: here its last part, with a handful of pictures."""

import json
from pathlib import Path

import numpy as np
import pytest

import tenfold
from tenfold.learn import bundling, fonts, reviewing
from tenfold.read.joint import Joint
from tenfold.read.reviewer import SIDE, Reviewer

SMALL = {"_PICTURES": 6, "_ALONE": 4, "_REVIEWS": 1, "_PAGES": 12, "_WORDS": 2}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder for networks that are made of a handful of pictures, with no other fonts than Matplotlib's."""
    for name, value in {"_BUNDLED": tmp_path, **SMALL}.items():
        monkeypatch.setattr(bundling, name, value)
    monkeypatch.setattr(fonts, "of_debian", list)
    return tmp_path


@pytest.mark.one_backend
def test_the_reviewer_is_made_and_tells_how_much_each_network_counts(small: Path) -> None:
    bundling.reviewer()
    made = Reviewer((small / "reviewer.onnx").read_bytes())
    assert made.probabilities(np.zeros((2, 2, SIDE, SIDE), np.uint8)).shape == (2, 11)
    said = {key: json.loads(made.metadata[key]) for key in ("made_by", "seed", "training_digits_sha256")}
    digits = tenfold.load("mnist", "train")[:55_000]
    assert said == {
        "made_by": "python -m tenfold.learn.bundling reviewer",
        "seed": bundling._REVIEWER_SEED,
        "training_digits_sha256": digits.sha256,
    }
    assert Joint.of(made.metadata) == bundling._JOINT


@pytest.mark.one_backend
def test_until_it_has_learnt_digits_alone_none_is_replaced(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained = reviewing.train

    def interrupted(seen: reviewing.Seen, epochs: int, rate: float = 8e-3, seed: int = 0, start: object = None) -> object:
        if start is not None:
            raise KeyboardInterrupt
        return trained(seen, epochs, rate, seed)

    monkeypatch.setattr(reviewing, "train", interrupted)
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


def test_without_the_fonts_nothing_is_begun(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    missing = fonts.of_debian
    monkeypatch.setattr(fonts, "of_debian", lambda: missing(tmp_path))
    monkeypatch.setattr(bundling, "digits", lambda: pytest.fail("begun"))
    with pytest.raises(SystemExit, match=r"^error: .*43 fonts are missing, Delphine first; run apt-get install fonts-"):
        bundling.main([])


def test_what_is_held_out_is_not_trained_on() -> None:
    training, held_out = bundling._parts()
    assert (len(training), len(held_out)) == (55_000, 5_000)
    assert not {image.tobytes() for image in held_out.images} & {image.tobytes() for image in training.images}
