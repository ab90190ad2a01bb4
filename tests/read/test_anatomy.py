"""Faults 35 and 36: what a model file may hold is known before ONNX Runtime sees it."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tenfold.errors import ModelError
from tenfold.read import anatomy
from tenfold.read.model import Model, bundled

IMAGES = helper.make_tensor_value_info("images", TensorProto.UINT8, ["batch", 28, 28])
ANSWER = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 10])


def written(nodes: list[onnx.NodeProto], *constants: onnx.TensorProto) -> onnx.ModelProto:
    graph = helper.make_graph(nodes, "digits", [IMAGES], [ANSWER], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def elsewhere() -> onnx.TensorProto:
    tensor = TensorProto(name="kernel", data_type=TensorProto.FLOAT, dims=[784, 10], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="weights.bin")
    return tensor


def graph_of(node: onnx.NodeProto, *constants: onnx.TensorProto) -> onnx.GraphProto:
    return helper.make_graph([node], "inner", [], [], constants)


@pytest.mark.parametrize("name", ["digits", "judge", "finder", "reviewer"])
def test_what_ships_has_no_fault(name: str) -> None:
    assert anatomy.fault(bundled(name)) is None


def test_36_values_in_another_file_are_found_wherever_a_tensor_may_be() -> None:
    constant = helper.make_node("Constant", [], ["kernel"])
    constant.attribute.add(name="value", type=onnx.AttributeProto.TENSOR).t.CopyFrom(elsewhere())
    several = helper.make_node("Relu", ["a"], ["b"])
    several.attribute.add(name="x", type=onnx.AttributeProto.TENSORS).tensors.append(elsewhere())
    for proto in (written([], elsewhere()), written([constant]), written([several])):
        assert anatomy.fault(proto.SerializeToString()) == "keeps values in another file"


def test_36_values_in_another_file_are_found_however_the_bytes_are_put() -> None:
    """Key and value in another order, and a length written with more bytes than needed, mean the same to ONNX Runtime."""
    plain = written([], elsewhere()).SerializeToString()
    entry = b"\x0a\x08location\x12\x0bweights.bin"
    assert entry in plain
    swapped = plain.replace(entry, b"\x12\x0bweights.bin\x0a\x08location")
    assert swapped != plain
    assert anatomy.fault(swapped) == "keeps values in another file"
    tensor = elsewhere().SerializeToString()
    graph = b"\x2a" + bytes([len(tensor) | 0x80, 0]) + tensor
    assert anatomy.fault(b"\x3a" + bytes([len(graph) | 0x80, 0]) + graph) == "keeps values in another file"


def test_36_an_operator_that_could_loop_or_fill_the_memory_is_refused() -> None:
    for name in ("Loop", "If", "ConstantOfShape", "Expand", "Tile", "Resize", "Range"):
        said = anatomy.fault(written([helper.make_node(name, ["images"], ["probabilities"])]).SerializeToString())
        assert said == f"has the operator '{name}', which reading digits does not need"
    foreign = helper.make_node("Relu", ["images"], ["probabilities"], domain="com.microsoft")
    assert "'com.microsoft'" in str(anatomy.fault(written([foreign]).SerializeToString()))


def test_36_graphs_functions_and_training_steps_inside_are_refused() -> None:
    inner = helper.make_node("Relu", ["a"], ["b"])
    one, many = helper.make_node("Relu", ["a"], ["b"]), helper.make_node("Relu", ["a"], ["b"])
    one.attribute.add(name="body", type=onnx.AttributeProto.GRAPH).g.CopyFrom(graph_of(inner))
    many.attribute.add(name="body", type=onnx.AttributeProto.GRAPHS).graphs.append(graph_of(inner))
    for node in (one, many):
        assert "inside an operator" in str(anatomy.fault(written([node]).SerializeToString()))
    with_function, with_steps, sparse = written([]), written([]), written([])
    with_function.functions.add(name="f", domain="d")
    with_steps.training_info.add()
    sparse.graph.sparse_initializer.add().dims.append(1)
    for proto, said in ((with_function, "functions"), (with_steps, "training steps"), (sparse, "sparse tensors")):
        assert anatomy.fault(proto.SerializeToString()) == f"keeps {said}"


@pytest.mark.parametrize("content", [b"\x3a", b"\x3a\xff\xff\xff\x7f", b"\xff" * 11, b"\x0b", b"\x3a\x02\x0a\x7f", b"\x09\x01"])
def test_bytes_that_are_no_protobuf_are_refused(content: bytes) -> None:
    assert "not usable as ONNX" in str(anatomy.fault(content))


def test_a_file_of_endless_fields_is_not_walked_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anatomy, "_MOST_FIELDS", 10)
    assert anatomy.fault(b"\x08\x01" * 10) is None
    assert "more than 10 fields" in str(anatomy.fault(b"\x08\x01" * 11))


def test_36_another_format_of_onnx_runtime_is_not_read(make_model) -> None:
    """A file may be protobuf to us and something else to ONNX Runtime, which looks at its bytes 4 to 8."""
    hidden = b"\x0a\x06ABORTM" + make_model()
    assert hidden[4:8] == b"ORTM"
    assert anatomy.fault(hidden) is None
    Model(hidden, "toy")


def test_35_a_flipped_byte_of_the_weights_is_noticed(make_model) -> None:
    checked = make_model(graph_sha256=anatomy.graph_sha256(make_model()))
    assert Model(checked, "toy").metadata["graph_sha256"] == anatomy.graph_sha256(checked)
    harmed = bytearray(checked)
    harmed[harmed.index(np.float32(20 / (3 * 28 * 255)).tobytes())] ^= 1
    with pytest.raises(ModelError, match="model toy: damaged, its checksum is wrong"):
        Model(bytes(harmed), "toy")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_35_weights_that_are_no_numbers_are_refused(make_model, value: float) -> None:
    weights = np.zeros((784, 10), np.float32)
    weights[300, 3] = value
    with pytest.raises(ModelError, match=r"model toy: answers with numbers that are none \(NaN\); its weights are damaged"):
        Model(make_model(weights=weights), "toy")


@pytest.mark.parametrize("shape", [(10, 10), (784, 9), (784,)])
def test_35_weights_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    nodes = [
        helper.make_node("Cast", ["images"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["pixels"], ["flat"], axis=1),
        helper.make_node("MatMul", ["flat", "kernel"], ["probabilities"]),
    ]
    proto = written(nodes, numpy_helper.from_array(np.ones(shape, np.float32), "kernel"))
    helper.set_model_props(proto, {"kind": "tenfold digit classifier"})
    with pytest.raises(ModelError, match="model toy: "):
        Model(proto.SerializeToString(), "toy")


def test_36_a_model_that_answers_with_something_else_is_refused() -> None:
    nodes = [
        helper.make_node("Cast", ["images"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["pixels"], ["flat"], axis=1),
        helper.make_node("MatMul", ["flat", "kernel"], ["probabilities"]),
    ]
    proto = written(nodes, numpy_helper.from_array(np.ones((784, 10), np.float32), "kernel"))
    helper.set_model_props(proto, {"kind": "tenfold digit classifier"})
    with pytest.raises(ModelError, match="does not answer with probabilities; expected ten that add up to 1"):
        Model(proto.SerializeToString(), "toy")


@pytest.mark.parametrize("text", [b"####", b"batch"])
def test_metadata_and_names_that_are_no_text_are_refused(make_model, text: bytes) -> None:
    """Found by fuzzing."""
    content = make_model(note="####").replace(text, b"\xc1" * len(text))
    with pytest.raises(ModelError, match="names or metadata that are not UTF-8"):
        Model(content, "toy")
