"""A run's model for other programs than tenfold's, besides ONNX, which is `exporting`'s: Keras, SavedModel, LiteRT.

Each is written from the same network of Keras's own layers, from uint8 (batch, 28, 28) to probabilities float32 (batch, 10),
read back by the library that it is meant for, and compared with the run on digits. Temperature and thresholds are the run's
`metrics.json`'s: none of these formats has a place for them that its readers look at.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenfold import storage
from tenfold.data.digits import SIDE
from tenfold.errors import ModelError, UsageError
from tenfold.learn import compiled
from tenfold.learn.backend import load_keras

_SUFFIXES = {"onnx": ".onnx", "litert": ".tflite", "keras": ".keras"}
DEFAULTS = {"onnx": "model.onnx", "litert": "model.tflite", "savedmodel": "savedmodel", "keras": "exported.keras"}
_TOLERANCE = 1e-5
_BATCH = 1000  # of digits compared at once

Answer = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


def write(model: Any, form: str, images: NDArray[np.uint8], path: Path) -> float:
    """Write a model as `keras`, `savedmodel` or `litert`, once what was written answers as the model does.

    Args:
        model: a model of `networks.build`, or with a memory, as `Run.load_model` gives it.
        form: one of the three.
        images: uint8 (N, 28, 28) to compare on.
        path: a file, or the folder that becomes the SavedModel.

    Returns:
        The largest difference of a probability.

    Raises:
        ModelError: it is over 1e-5; nothing is left.
        UsageError: Keras computes on JAX, where TensorFlow's formats are not written.
        StorageError: the place cannot be written to, or is a folder with something in it.
    """
    keras = load_keras()
    if form != "keras" and keras.backend.backend() != "tensorflow":
        raise UsageError(f"--format {form} is written by TensorFlow; run this with KERAS_BACKEND=tensorflow, for any run")
    expected = compiled.forward(model)(images)
    plain, place = of_plain_layers(model), storage.whole_folder if form == "savedmodel" else storage.whole_file
    with place(path) as temporary:
        answer = {"keras": _keras, "savedmodel": _savedmodel, "litert": _litert}[form](plain, temporary)
        parts = [answer(images[i : i + _BATCH]) for i in range(0, len(images), _BATCH)]
        largest = float(np.abs(np.concatenate(parts) - expected).max())
        if not largest <= _TOLERANCE:
            said = f"what was written as {form} differs from the run by {largest:.2g} in a probability"
            raise ModelError(f"{said}, allowed are {_TOLERANCE:g}")
    return largest


def refuse_name(path: Path, form: str) -> None:
    """Refuse a name under which a model of this format would not be looked for, or which a run's own weights have.

    Raises:
        UsageError: it is such a name, or one in bytes that TensorFlow does not take.
    """
    if form in ("savedmodel", "litert") and not storage.is_utf8(str(path)):
        raise UsageError(f"--output {path}: a name in bytes that are not UTF-8, which TensorFlow does not take; choose another")
    if form == "savedmodel":
        if storage.is_stream(path):
            raise UsageError(f"--output {path}: a SavedModel is a folder; expected the name of a new one")
        return
    if path.suffix != _SUFFIXES[form] and not storage.is_stream(path):
        other = next((known for known, suffix in _SUFFIXES.items() if suffix == path.suffix), None)
        remedy = f", or --format {other}" if other else ""
        raise UsageError(f"--output {path}: expected a name that ends in {_SUFFIXES[form]}{remedy}")
    if form == "keras" and path.name == "model.keras" and storage.exists(path.with_name("recipe.json")):
        raise UsageError(f"--output {path}: a run keeps its own weights there; choose another name")


def of_plain_layers(model: Any) -> Any:
    """The same network of Keras's own layers, so that whoever loads it needs no tenfold.

    What acts in training only is left out. A memory of corrected digits stays tenfold's own layer: whoever loads such a file
    has to `import tenfold.learn.memory` before.
    """
    keras = load_keras()
    images = keras.Input((SIDE, SIDE), dtype="uint8", name="images")
    values: dict[str, Any] = {}
    value = images
    for layer in model.layers:
        value = _applied(layer, value, values, keras.layers)
        values[layer.name] = value
    return keras.Model(images, value, name=model.name)


def _applied(layer: Any, value: Any, values: dict[str, Any], layers: Any) -> Any:
    """What a layer makes of a value, made by layers that Keras has."""
    kind = type(layer).__name__
    if kind in ("InputLayer", "RandomChange", "Dropout"):
        return value
    if kind == "Memory":
        return layer([values[layer.maps_of], value])
    if kind == "GlobalPooling":
        return layers.Concatenate(name=layer.name)([layers.GlobalMaxPooling2D()(value), layers.GlobalAveragePooling2D()(value)])
    if kind == "BatchNormalization":
        own = layers.BatchNormalization(epsilon=layer.epsilon, momentum=layer.momentum, name=layer.name)
        made = own(value)
        own.set_weights(layer.get_weights())
        return made
    return layer(value)


def _keras(model: Any, path: Path) -> Answer:
    model.save(path)
    return compiled.forward(load_keras().models.load_model(path, compile=False))


def _savedmodel(model: Any, folder: Path) -> Answer:
    import tensorflow as tf

    archive = load_keras().export.ExportArchive()
    archive.track(model)
    signature = [tf.TensorSpec((None, SIDE, SIDE), "uint8", name="images")]
    archive.add_endpoint("serve", lambda images: {"probabilities": model(images, training=False)}, signature)
    archive.write_out(str(folder), verbose=False)
    serve = tf.saved_model.load(str(folder)).signatures["serving_default"]
    return lambda images: np.asarray(serve(images=tf.constant(images))["probabilities"])


def _litert(model: Any, path: Path) -> Answer:
    import tempfile

    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        _savedmodel(model, Path(folder))
        path.write_bytes(tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=["serving_default"]).convert())
    plainly = tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES  # its delegate writes to standard error
    with warnings.catch_warnings(action="ignore"):  # of its move to a package of its own
        interpreter = tf.lite.Interpreter(model_path=str(path), experimental_op_resolver_type=plainly)
    run = interpreter.get_signature_runner("serving_default")
    return lambda images: np.asarray(run(images=images)["probabilities"])
