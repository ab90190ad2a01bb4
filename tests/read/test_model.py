from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from tenfold.errors import ModelError
from tenfold.read import model as models
from tenfold.read.model import Model


def bars() -> np.ndarray:
    """Ten glyphs, a bright bar at the height of each class."""
    glyphs = np.zeros((10, 28, 28), np.uint8)
    for label, glyph in enumerate(glyphs):
        glyph[2 * label + 4 : 2 * label + 7] = 255
    return glyphs


def test_glyphs_get_probabilities(make_model) -> None:
    answered = Model(make_model(), "toy").probabilities(bars())
    assert answered.argmax(axis=1).tolist() == list(range(10))
    assert answered.dtype == np.float32
    assert np.allclose(answered.sum(axis=1), 1)


def test_many_glyphs_are_the_same_as_one_at_a_time(make_model) -> None:
    model = Model(make_model(), "toy")
    many = np.tile(bars(), (205, 1, 1))
    assert np.allclose(model.probabilities(many)[-10:], model.probabilities(bars()), atol=1e-7)
    assert model.probabilities(many[:0]).shape == (0, 10)


def test_the_temperature_makes_less_sure_and_changes_no_label(make_model) -> None:
    plain, cooled = Model(make_model(), "a"), Model(make_model(temperature=2.0), "b")
    expected = plain.probabilities(bars()) ** 0.5
    assert np.allclose(cooled.calibrated(bars()), expected / expected.sum(axis=1, keepdims=True), atol=1e-6)
    assert cooled.calibrated(bars()).max() < plain.calibrated(bars()).max()


def test_metadata_are_read(make_model) -> None:
    model = Model(make_model(version="12345", recipe={"name": "x"}, thresholds={"digit_score": 0.25}), "toy")
    assert model.metadata["version"] == "12345"
    assert model.metadata["recipe"] == {"name": "x"}
    assert model.threshold == 0.25


@pytest.mark.parametrize("recipe", ["{", "[" * 200_000])
def test_metadata_that_are_no_json_are_text(make_model, recipe: str) -> None:
    assert Model(make_model(recipe=recipe), "toy").metadata["recipe"] == recipe


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ({"kind": "something else"}, "kind 'something else'"),
        ({"kind": None}, "kind None"),
        ({"input_name": "pictures"}, "expected input images"),
        ({"input_type": TensorProto.FLOAT}, "expected input images"),
        ({"input_shape": (1, 28, 28)}, "expected input images"),
        ({"output_name": "answer"}, "expected input images uint8"),
        ({"temperature": -1.0}, "temperature is -1.0"),
        ({"temperature": "[NaN]"}, "temperature is"),
        ({"thresholds": {"digit_score": 2}}, "expected digit_score between 0 and 1"),
        ({"thresholds": [1]}, "expected digit_score between 0 and 1"),
    ],
)
def test_a_model_with_another_interface_is_refused(make_model, harm: dict[str, object], said: str) -> None:
    with pytest.raises(ModelError, match="model toy") as refused:
        Model(make_model(**harm), "toy")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("source", [5, b"model.onnx", ["model.onnx"], "a\0"])
def test_what_can_be_no_model_is_said(source: object) -> None:
    with pytest.raises(ModelError, match=r"expected an ONNX file or a run's folder"):
        models.load(source)  # type: ignore[arg-type]


@pytest.mark.parametrize("content", [b"", b"\x80\x04pickle", b"PK\x03\x04", b"\x08\x09" * 100])
def test_what_is_no_onnx_is_refused(content: bytes) -> None:
    with pytest.raises(ModelError, match="not usable as ONNX"):
        Model(content, "toy")


def test_weights_in_another_file_are_refused(make_model, tmp_path: Path) -> None:
    """Fault 36."""
    proto = onnx.load_from_string(make_model())
    onnx.save_model(proto, tmp_path / "m.onnx", save_as_external_data=True, size_threshold=0, location="weights.bin")
    with pytest.raises(ModelError, match="in another file"):
        models.load(tmp_path / "m.onnx")


def test_a_model_over_the_size_limit_is_refused(make_model, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(make_model())
    monkeypatch.setenv("TENFOLD_MAX_MODEL_BYTES", "1000")
    with pytest.raises(ModelError, match="more than 1,000 bytes"):
        models.load(tmp_path / "m.onnx")


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none\.onnx: No such file"):
        models.load(tmp_path / "none.onnx")
    with pytest.raises(ModelError, match=r"holds no model\.onnx; expected the folder of a run, or an \.onnx file"):
        models.load(tmp_path)
    (tmp_path / "folds.json").write_text("{}")
    with pytest.raises(ModelError, match=r"folds are for submit, evaluate and compare; give one of them, such as .*/fold-1"):
        models.load(tmp_path)
    (tmp_path / "folds.json").unlink()
    (tmp_path / "recipe.json").write_text("{}")
    with pytest.raises(ModelError, match="the run is not finished; go on with: tenfold train --resume"):
        models.load(tmp_path)
    (tmp_path / "metrics.json").write_text("{}")
    with pytest.raises(ModelError, match="tenfold export"):
        models.load(tmp_path)


def test_the_bundled_model_says_how_it_came_about() -> None:
    model = models.load_bundled()
    assert model.metadata["recipe"]["data"] == "mnist"
    assert {"version", "temperature", "thresholds", "training_digits_sha256"} <= model.metadata.keys()
