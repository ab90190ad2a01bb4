import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from tenfold import Digits
from tenfold.errors import ModelError, UsageError
from tenfold.learn import compiled, formats, networks, recipes
from tenfold.learn.recipe import Remembering
from tenfold.learn.remembering import remembering

SMALL = 'network={"kind":"convolutional","stages":[[4],[6],[8]],"dropout":0.2}'
ON_TENSORFLOW = pytest.mark.one_backend
OF_TENSORFLOW = [pytest.param(form, marks=ON_TENSORFLOW) for form in ("savedmodel", "litert")]


def learnt(name: str, *changes: str) -> object:
    """A network whose batch norms are not as they begin."""
    model = networks.build(recipes.changed(recipes.RECIPES[name], list(changes)))
    random = np.random.default_rng(0)
    model.set_weights([w + 0.1 * random.random(w.shape).astype(w.dtype) for w in model.get_weights()])
    return model


@pytest.mark.parametrize("form", ["keras", *OF_TENSORFLOW])
@pytest.mark.parametrize(("name", "change"), [("classic", "seed=0"), ("mlp", "seed=0"), ("cnn", SMALL)])
def test_what_is_written_answers_as_the_run_does(toy: Digits, tmp_path: Path, name: str, change: str, form: str) -> None:
    path = tmp_path / formats.DEFAULTS[form]
    assert formats.write(learnt(name, change), form, toy.images[:50], path) < 1e-5
    assert path.exists()
    assert list(tmp_path.iterdir()) == [path]


def test_a_keras_file_is_read_without_tenfold(toy: Digits, tmp_path: Path) -> None:
    model, path = learnt("cnn", SMALL), tmp_path / "exported.keras"
    formats.write(model, "keras", toy.images[:50], path)
    np.save(tmp_path / "images.npy", toy.images[:50])
    code = (
        "import sys, keras, numpy as np; model = keras.models.load_model('exported.keras');"
        "np.save('answer.npy', model.predict(np.load('images.npy'), verbose=0)); assert 'tenfold' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True)
    assert np.allclose(np.load(tmp_path / "answer.npy"), compiled.forward(model)(toy.images[:50]), atol=1e-5)


@ON_TENSORFLOW
def test_others_find_names_and_types_in_a_savedmodel_and_in_litert(toy: Digits, tmp_path: Path) -> None:
    import tensorflow as tf

    model = learnt("classic")
    for form in ("savedmodel", "litert"):
        formats.write(model, form, toy.images[:5], tmp_path / formats.DEFAULTS[form])
    serve = tf.saved_model.load(str(tmp_path / "savedmodel")).signatures["serving_default"]
    assert {name: (spec.shape.as_list(), spec.dtype.name) for name, spec in serve.structured_input_signature[1].items()} == {
        "images": ([None, 28, 28], "uint8")
    }
    assert serve.structured_outputs["probabilities"].shape.as_list() == [None, 10]
    with pytest.warns(UserWarning, match="deprecated"):
        interpreter = tf.lite.Interpreter(str(tmp_path / "model.tflite"))
    assert interpreter.get_signature_list() == {"serving_default": {"inputs": ["images"], "outputs": ["probabilities"]}}
    assert interpreter.get_input_details()[0]["dtype"] == np.uint8


@pytest.mark.parametrize("form", ["keras", *OF_TENSORFLOW])
def test_what_is_remembered_is_written_too(toy: Digits, tmp_path: Path, form: str) -> None:
    mine = Digits(toy.images[:6], ((toy.known_labels[:6] + 3) % 10).astype(np.uint8), "mine")
    whole = remembering(learnt("adapt", SMALL), mine, toy, Remembering(weight=32, sharpness=5, most=2))
    assert formats.write(whole, form, toy.images[:50], tmp_path / formats.DEFAULTS[form]) < 1e-5


@pytest.mark.parametrize("form", ["keras", *OF_TENSORFLOW])
def test_what_answers_otherwise_is_not_left(toy: Digits, tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "of_plain_layers", lambda _model: learnt("classic", "seed=1"))
    with pytest.raises(ModelError, match=f"written as {form} differs from the run by"):
        formats.write(learnt("classic"), form, toy.images[:50], tmp_path / formats.DEFAULTS[form])
    assert not list(tmp_path.iterdir())


@ON_TENSORFLOW
@pytest.mark.parametrize("form", ["savedmodel", "litert"])
def test_tensorflows_formats_are_refused_on_jax(
    toy: Digits, tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(UsageError, match="KERAS_BACKEND=tensorflow"):
        formats.write(learnt("classic"), form, toy.images[:5], tmp_path / formats.DEFAULTS[form])
    assert not list(tmp_path.iterdir())


def test_only_layers_of_keras_are_left_and_none_that_acts_in_training_only() -> None:
    plain = formats.of_plain_layers(learnt("cnn", SMALL))
    assert all(type(layer).__module__.startswith("keras.") for layer in plain.layers)
    assert not any(isinstance(layer, keras.layers.Dropout) for layer in plain.layers)


@pytest.mark.parametrize(
    ("name", "form", "said"),
    [
        ("a.tflite", "onnx", r"ends in \.onnx, or --format litert"),
        ("a.onnx", "keras", r"ends in \.keras, or --format onnx"),
        ("a", "litert", r"ends in \.tflite$"),
        ("/dev/null", "savedmodel", "a SavedModel is a folder"),
        ("r\udce9", "savedmodel", "bytes that are not UTF-8, which TensorFlow does not take"),
        ("r\udce9.tflite", "litert", "bytes that are not UTF-8, which TensorFlow does not take"),
    ],
)
def test_a_name_that_does_not_fit_is_refused(name: str, form: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        formats.refuse_name(Path(name), form)


def test_a_runs_own_weights_are_not_replaced(tmp_path: Path) -> None:
    formats.refuse_name(tmp_path / "model.keras", "keras")
    (tmp_path / "recipe.json").touch()
    with pytest.raises(UsageError, match="keeps its own weights there"):
        formats.refuse_name(tmp_path / "model.keras", "keras")
