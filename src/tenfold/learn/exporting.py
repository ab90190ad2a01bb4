"""From a Keras model to a single ONNX file that explains itself.

The graph is written layer by layer rather than by `model.export`: that works on both backends, needs no TensorFlow, gives the
same bytes for the same weights, and keeps names and types in our hands (docs/design.md has the comparison).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenfold.data.digits import CLASSES
from tenfold.errors import MissingExtraError, ModelError
from tenfold.learn.graph import Graph, Sum, halve
from tenfold.read import finder, judge, reviewer
from tenfold.read.model import KIND, Model

try:
    import onnx
    from onnx import TensorProto, helper
except ModuleNotFoundError as problem:
    raise MissingExtraError("train", "onnx") from problem

_OPSET, _IR_VERSION = 17, 9  # old enough for every ONNX Runtime of the last years
_TOLERANCE = 1e-5


def to_onnx(model: Any, metadata: Mapping[str, Any]) -> bytes:
    """Write a model as ONNX: input `images` uint8 (batch, 28, 28), output `probabilities` float32 (batch, 10).

    What hidden layers answer are further outputs: `activation_1` ..., float32 (batch, maps, H, W) or (batch, units).

    Args:
        model: a model of `networks.build`.
        metadata: kept in the file, each value as JSON; `kind`, `version` (a hash of the weights) and `graph_sha256` are added.

    Raises:
        ModelError: a layer that cannot be written.
    """
    return _of_pixels(model, "images", CLASSES, KIND, metadata)


def judge_to_onnx(model: Any, metadata: Mapping[str, Any]) -> bytes:
    """Write a judge as ONNX: input `images` uint8 (batch, 28, 28), output `probabilities` (batch, 11): ten digits, none."""
    return _of_pixels(model, "images", judge.ANSWERS, judge.KIND, metadata)


def reviewer_to_onnx(model: Any, metadata: Mapping[str, Any]) -> bytes:
    """Write a reviewer as ONNX: input `views` uint8 (batch, 2, 48, 48), output `probabilities` (batch, 11): ten digits, none.

    Its weights are kept as float16, which takes half the room.
    """
    return _of_pixels(model, "views", reviewer.ANSWERS, reviewer.KIND, metadata, halved=True)


def _of_pixels(model: Any, name: str, n_classes: int, kind: str, metadata: Mapping[str, Any], halved: bool = False) -> bytes:
    """From bytes, by the name of the input, to `probabilities`."""
    graph = Graph(name, tells_activations=kind == KIND)
    graph.add("Cast", "pixels", to=TensorProto.FLOAT)
    images = helper.make_tensor_value_info(name, TensorProto.UINT8, ["batch", *model.input_shape[1:]])
    answer = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", n_classes])
    return _finished(graph, model, images, answer, {"kind": kind}, metadata, halved)


def finder_to_onnx(model: Any, metadata: Mapping[str, Any]) -> bytes:
    """Write a finder as ONNX: input `contrast` float32 (batch, 1, H, W), output `cells` (batch, 15, H / 4, W / 4).

    Its weights are kept as float16, which takes half the room.

    Args:
        model: a model of `finding.network`.
        metadata: as in `to_onnx`.
    """
    contrast = helper.make_tensor_value_info("contrast", TensorProto.FLOAT, ["batch", 1, "height", "width"])
    cells = helper.make_tensor_value_info("cells", TensorProto.FLOAT, ["batch", finder.CHANNELS, "rows", "columns"])
    return _finished(Graph("contrast"), model, contrast, cells, {"kind": finder.KIND}, metadata, halved=True)


def _finished(
    graph: Graph,
    model: Any,
    given: Any,
    answer: Any,
    kind: dict[str, str],
    metadata: Mapping[str, Any],
    halved: bool = False,
) -> bytes:
    for layer in model.layers:
        _writer(layer)(graph, layer)
    graph.close()
    if graph.value != answer.name:
        raise ModelError(f"the last layer is {graph.value!r}, expected {answer.name!r}")
    made = helper.make_graph(graph.nodes, "digits", [given], [answer, *graph.activations], graph.constants)
    if halved:
        halve(made)
    proto = helper.make_model(
        made, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION, producer_name="tenfold"
    )
    graph_sha256 = hashlib.sha256(made.SerializeToString(deterministic=True)).hexdigest()
    facts = kind | {"version": weights_version(model), "graph_sha256": graph_sha256}
    facts |= {key: json.dumps(value) for key, value in metadata.items()}
    helper.set_model_props(proto, facts)
    onnx.checker.check_model(proto, full_check=True)
    return bytes(proto.SerializeToString(deterministic=True))


def weights_version(model: Any) -> str:
    """The first 12 hexadecimal digits of the SHA-256 over all weights: the same weights have the same version."""
    digest = hashlib.sha256()
    for array in model.get_weights():
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:12]


def check(content: bytes, images: NDArray[np.uint8], expected: NDArray[np.float32]) -> float:
    """Compare an ONNX model with what Keras answered; return the largest difference of a probability.

    Raises:
        ModelError: it is over 1e-5.
    """
    found = Model(content, "export").probabilities(images)
    largest = float(np.abs(found - expected).max()) if len(images) else 0.0
    if not largest <= _TOLERANCE:
        raise ModelError(f"the exported model differs from Keras by {largest:.2g} in a probability, allowed are {_TOLERANCE:g}")
    return largest


def _writer(layer: Any) -> Callable[[Graph, Any], None]:
    kind = type(layer).__name__
    if kind not in _WRITERS:
        raise ModelError(f"layer {layer.name!r} of type {kind} cannot be written as ONNX; expected {', '.join(_WRITERS)}")
    return _WRITERS[kind]


def _rescaling(graph: Graph, layer: Any) -> None:
    graph.add("Mul", f"{layer.name}.scaled" if layer.offset else layer.name, np.array(layer.scale, np.float32))
    if layer.offset:
        graph.add("Add", layer.name, np.array(layer.offset, np.float32))


def _nothing(graph: Graph, layer: Any) -> None:
    """The layer acts in training only."""


def _flatten(graph: Graph, layer: Any) -> None:
    graph.add("Flatten", layer.name, axis=1)


def _reshape(graph: Graph, layer: Any) -> None:
    if len(layer.target_shape) != 3 or layer.target_shape[2] != 1:
        raise ModelError(f"layer {layer.name!r} makes {layer.target_shape}; only (height, width, 1) can be written")
    graph.add("Unsqueeze", layer.name, np.array([1], np.int64))  # ONNX has the maps before height and width


def _dense(graph: Graph, layer: Any) -> None:
    kernel, *bias = layer.get_weights()
    name = layer.name if layer.activation.__name__ == "linear" else f"{layer.name}.sum"
    graph.close()
    graph.open = Sum("Gemm", name, kernel, bias[0] if bias else None, {})
    if layer.activation.__name__ == "relu":
        graph.activate(layer)
    elif name != layer.name:
        graph.add({"softmax": "Softmax"}[layer.activation.__name__], layer.name)


def _conv(graph: Graph, layer: Any) -> None:
    weights, *bias = layer.get_weights()
    kernel = np.transpose(weights, (3, 2, 0, 1))
    graph.close()
    padding, graph.padding = graph.padding, None
    pads = [side // 2 for side in kernel.shape[2:] * 2] if padding is None else [padding] * 4
    attributes = {"kernel_shape": kernel.shape[2:], "pads": pads, "strides": layer.strides, "dilations": layer.dilation_rate}
    graph.open = Sum("Conv", layer.name, kernel, bias[0] if bias else None, attributes)


def _transposed_conv(graph: Graph, layer: Any) -> None:
    weights, bias = layer.get_weights()
    if layer.kernel_size != layer.strides:
        raise ModelError(
            f"layer {layer.name!r}: only a transposed convolution whose strides are its kernel's size can be written"
        )
    attributes = {"kernel_shape": layer.kernel_size, "strides": layer.strides}
    graph.add("ConvTranspose", layer.name, np.transpose(weights, (3, 2, 0, 1)), bias, **attributes)


def _detour(graph: Graph, layer: Any) -> None:
    graph.close()
    given = graph.value
    for inner in layer.body:
        _writer(inner)(graph, inner)
    graph.close()
    graph.value = graph.made("Add", layer.name, given, graph.value)


def _apart(graph: Graph, layer: Any) -> None:
    graph.close()
    given, ends = graph.value, []
    for k, body in enumerate(layer.bodies):
        graph.value = graph.made("Slice", f"{layer.name}.{k}", given, *(np.array([v], np.int64) for v in (k, k + 1, 1)))
        for inner in body:
            _writer(inner)(graph, inner)
        graph.close()
        ends.append(graph.value)
    graph.value = graph.made("Concat", layer.name, *ends, axis=1)


def _padding(graph: Graph, layer: Any) -> None:
    graph.padding = int(layer.padding[0][0])


def _batch_norm(graph: Graph, layer: Any) -> None:
    scale, shift, mean, variance = layer.get_weights()
    factors = scale / np.sqrt(variance + np.float32(layer.epsilon))
    shifts = shift - mean * factors
    if graph.open is not None:
        graph.open.scale(factors, shifts)
    else:
        graph.add("Mul", f"{layer.name}.scaled", factors[:, None, None])
        graph.add("Add", layer.name, shifts[:, None, None])


def _relu(graph: Graph, layer: Any) -> None:
    graph.activate(layer)


def _max_pooling(graph: Graph, layer: Any) -> None:
    graph.add("MaxPool", layer.name, kernel_shape=layer.pool_size, strides=layer.strides)


def _global_pooling(graph: Graph, layer: Any) -> None:
    graph.side_by_side(f"{layer.name}.maps", "GlobalMaxPool", "GlobalAveragePool")
    graph.add("Flatten", layer.name, axis=1)


def _memory(graph: Graph, layer: Any) -> None:
    graph.close()
    mean, keys, labels, strength, hand, hand_bias = layer.get_weights()
    area = layer.input[0].shape[1:]
    if len(area) == 3:  # ONNX has the maps before height and width
        mean, keys = (w.reshape(*area, -1).transpose(2, 0, 1, 3).reshape(w.shape) for w in (mean, keys))
    answered = graph.renamed("answered")  # what comes last has the name of the answer
    rows = np.array([1], np.int64)
    one, faint, least, sharpness, weight = (
        np.array(v, np.float32) for v in (1, layer.FAINT, layer.LEAST, layer.sharpness, layer.weight * strength)
    )
    maps = graph.let_through[layer.maps_of]
    strengths = graph.made("ReduceMean", "memory.strengths", maps, axes=[2, 3], keepdims=0) if len(area) == 3 else maps
    logit = graph.made("Add", "memory.logit", graph.made("MatMul", "memory.telling", strengths, hand[:, None]), hand_bias)
    by_hand = graph.made("Sigmoid", "memory.by_hand", logit)
    flat = graph.made("Flatten", "memory.flat", maps, axis=1)
    total = graph.made("Max", "memory.total", graph.made("ReduceSum", "memory.sum", flat, rows), faint)
    roots = graph.made("Sqrt", "memory.roots", graph.made("Div", "memory.shares", flat, total))
    away = graph.made("Sub", "memory.away", roots, mean)
    squares = graph.made("ReduceSum", "memory.squares", graph.made("Mul", "memory.square", away, away), rows)
    length = graph.made("Max", "memory.length", graph.made("Sqrt", "memory.distance", squares), faint)
    alike = graph.made("MatMul", "memory.alike", graph.made("Div", "memory.directions", away, length), keys)
    less = graph.made("Sub", "memory.less", alike, one)
    near = graph.made("Exp", "memory.near", graph.made("Mul", "memory.sharp", less, sharpness))
    votes = graph.made("Mul", "memory.votes", graph.made("Unsqueeze", "memory.each", near, np.array([2], np.int64)), labels)
    largest = graph.made("ReduceMax", "memory.largest", votes, axes=[1], keepdims=0)
    counting = graph.made("Mul", "memory.counting", graph.made("Mul", "memory.added", largest, weight), by_hand)
    logits = graph.made("Log", "memory.logits", graph.made("Max", "memory.likely", answered, least))
    graph.value = graph.made("Softmax", "probabilities", graph.made("Add", "memory.turned", logits, counting), axis=1)


_WRITERS: dict[str, Callable[[Graph, Any], None]] = {
    "Rescaling": _rescaling,
    "RandomChange": _nothing,
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Dense": _dense,
    "ZeroPadding2D": _padding,
    "Conv2D": _conv,
    "Conv2DTranspose": _transposed_conv,
    "Detour": _detour,
    "Apart": _apart,
    "Permute": _nothing,  # ONNX has the maps before height and width
    "BatchNormalization": _batch_norm,
    "ReLU": _relu,
    "MaxPooling2D": _max_pooling,
    "GlobalPooling": _global_pooling,
    "Dropout": _nothing,
    "InputLayer": _nothing,
    "Memory": _memory,
}
