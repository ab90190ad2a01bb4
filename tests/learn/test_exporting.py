import json

import numpy as np
import onnx
import pytest

from tenfold import Digits
from tenfold.errors import ModelError
from tenfold.learn import compiled, exporting, networks, recipes
from tenfold.read.model import Model

CLASSIC = recipes.RECIPES["classic"]


def test_the_model_has_the_names_and_types_of_the_contract() -> None:
    proto = onnx.load_from_string(exporting.to_onnx(networks.build(CLASSIC), {}))
    (images,), (answer, *_) = proto.graph.input, proto.graph.output
    assert (images.name, answer.name) == ("images", "probabilities")
    assert images.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert answer.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    shapes = [[d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim] for value in (images, answer)]
    assert shapes == [["batch", 28, 28], ["batch", 10]]


@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        ("classic", [["batch", 128], ["batch", 64]]),
        ("cnn", [["batch", 16, 14, 14], ["batch", 32, 14, 14], ["batch", 32, 7, 7], ["batch", 64, 7, 7], ["batch", 64, 7, 7]]),
    ],
)
def test_hidden_layers_are_further_outputs(toy: Digits, name: str, shapes: list[list[object]]) -> None:
    model = networks.build(recipes.RECIPES[name])
    content = exporting.to_onnx(model, {})
    outputs = onnx.load_from_string(content).graph.output[1:]
    assert [output.name for output in outputs] == [f"activation_{k + 1}" for k in range(len(shapes))]
    assert [[d.dim_param or d.dim_value for d in output.type.tensor_type.shape.dim] for output in outputs] == shapes
    kinds = ("ReLU", "Dense")
    last = [layer for layer in model.layers[:-1] if type(layer).__name__ in kinds][-1]
    expected = np.asarray(keras_answer(model, last, toy.images[:1]))[0]
    found = Model(content, "export").activations(toy.images[0])[outputs[-1].name]
    assert np.allclose(np.moveaxis(found, 0, -1) if found.ndim == 3 else found, expected, atol=1e-5)


def keras_answer(model: object, layer: object, images: np.ndarray) -> object:
    import keras

    return keras.Model(model.inputs[0], layer.output)(images)  # type: ignore[attr-defined]


def test_the_same_weights_give_the_same_bytes_and_others_another_version() -> None:
    def version(content: bytes) -> str:
        return {p.key: p.value for p in onnx.load_from_string(content).metadata_props}["version"]

    facts = {"recipe": recipes.as_dict(CLASSIC), "temperature": 1.5}
    one, same = (exporting.to_onnx(networks.build(CLASSIC), facts) for _ in range(2))
    other = exporting.to_onnx(networks.build(recipes.changed(CLASSIC, ["seed=1"])), facts)
    assert one == same
    assert version(one) != version(other)


def test_metadata_are_kept_as_json() -> None:
    proto = onnx.load_from_string(exporting.to_onnx(networks.build(CLASSIC), {"thresholds": {"digit_score": 0.5}}))
    kept = {p.key: p.value for p in proto.metadata_props}
    assert kept["kind"] == "tenfold digit classifier"
    assert json.loads(kept["thresholds"]) == {"digit_score": 0.5}


@pytest.mark.parametrize("units", [[], [7], [64, 32, 16]])
def test_onnx_agrees_with_keras_whatever_the_depth(toy: Digits, units: list[int]) -> None:
    model = networks.build(recipes.changed(CLASSIC, [f"network.units={units}"]))
    expected = compiled.forward(model)(toy.images)
    assert exporting.check(exporting.to_onnx(model, {}), toy.images, expected) <= 1e-5


@pytest.mark.parametrize(
    "changes", [["mlp", "network.units=[]"], ["mlp", "network.units=[32,16]"], ["cnn"], ["cnn", "network.stages=[[3]]"]]
)
def test_batch_norm_is_folded_or_kept_as_keras_computes_it(toy: Digits, changes: list[str]) -> None:
    """With norms as after a training, negative factors included: those must not pass a max pooling."""
    name, *rest = changes
    model = networks.build(recipes.changed(recipes.RECIPES[name], rest))
    random = np.random.default_rng(0)
    for variable in model.weights:
        part = variable.path.split("/")[-1]
        if part in ("gamma", "beta", "moving_mean"):
            variable.assign(random.normal(0.5, 1, variable.shape))
        elif part == "moving_variance":
            variable.assign(random.uniform(0.5, 2, variable.shape))
    expected = compiled.forward(model)(toy.images)
    content = exporting.to_onnx(model, {})
    assert exporting.check(content, toy.images, expected) <= 1e-5
    assert not {"BatchNormalization"} & {node.op_type for node in onnx.load_from_string(content).graph.node}


def test_a_model_that_differs_is_not_let_through(toy: Digits) -> None:
    model = networks.build(CLASSIC)
    wrong = compiled.forward(model)(toy.images)
    wrong[0, 0] += np.float32(1e-3)
    with pytest.raises(ModelError, match="differs from Keras"):
        exporting.check(exporting.to_onnx(model, {}), toy.images, wrong)


def test_a_layer_that_cannot_be_written_is_named() -> None:
    import keras

    model = keras.Sequential([keras.Input((28, 28), dtype="uint8"), keras.layers.UnitNormalization(name="odd")])
    with pytest.raises(ModelError, match="'odd'"):
        exporting.to_onnx(model, {})


def test_35_the_model_carries_the_checksum_of_its_graph() -> None:
    content = bytearray(exporting.to_onnx(networks.build(CLASSIC), {}))
    assert "graph_sha256" in Model(bytes(content), "export").metadata
    content[len(content) // 2] ^= 1
    with pytest.raises(ModelError, match="checksum is wrong"):
        Model(bytes(content), "export")
