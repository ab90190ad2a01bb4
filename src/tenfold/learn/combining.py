"""Reviewers put into one ONNX file, which answers with the geometric mean of what they say; its weights take half the room."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tenfold.read.reviewer import ANSWERS, KIND, SIDE

_INPUT, _OUTPUT = "views", "probabilities"
_LEAST = 1e-9  # a probability of nothing has no logarithm
_MANY = 64  # numbers; tensors of fewer stay as they are


def combined(members: Sequence[bytes], metadata: Mapping[str, Any]) -> bytes:
    """Put reviewers side by side into one graph. The same members give the same bytes.

    Args:
        members: ONNX files of `exporting.reviewer_to_onnx`.
        metadata: kept in the file, each value as JSON; `kind`, `version` (a hash of the members' versions), `members` (these)
            and `graph_sha256` are added.
    """
    protos = [onnx.load_from_string(content) for content in members]
    nodes, constants = [], [numpy_helper.from_array(np.array(_LEAST, np.float32), "least")]
    for k, proto in enumerate(protos):
        _rename(proto.graph, f"member_{k}.")
        nodes += proto.graph.node
        constants += proto.graph.initializer
        nodes.append(helper.make_node("Max", [f"member_{k}.{_OUTPUT}", "least"], [f"some_{k}"], name=f"some_{k}"))
        nodes.append(helper.make_node("Log", [f"some_{k}"], [f"log_{k}"], name=f"log_{k}"))
    nodes.append(helper.make_node("Mean", [f"log_{k}" for k in range(len(protos))], ["mean"], name="mean"))
    nodes.append(helper.make_node("Softmax", ["mean"], [_OUTPUT], name="together", axis=-1))
    casts, kept = _in_half(constants)
    views = helper.make_tensor_value_info(_INPUT, TensorProto.UINT8, ["batch", SIDE, SIDE])
    answer = helper.make_tensor_value_info(_OUTPUT, TensorProto.FLOAT, ["batch", ANSWERS])
    graph = helper.make_graph([*casts, *nodes], "reviewers", [views], [answer], kept)
    made = helper.make_model(
        graph, opset_imports=list(protos[0].opset_import), ir_version=protos[0].ir_version, producer_name="tenfold"
    )
    versions = [_said(proto)["version"] for proto in protos]
    facts = {
        "kind": KIND,
        "version": hashlib.sha256(" ".join(versions).encode()).hexdigest()[:12],
        "graph_sha256": hashlib.sha256(graph.SerializeToString(deterministic=True)).hexdigest(),
        "members": json.dumps(versions),
        **{key: json.dumps(value) for key, value in metadata.items()},
    }
    helper.set_model_props(made, facts)
    onnx.checker.check_model(made, full_check=True)
    return bytes(made.SerializeToString(deterministic=True))


def _in_half(constants: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Weights as float16, and the nodes that make float32 of them again, which ONNX Runtime does once, when it loads them."""
    casts, kept = [], []
    for constant in constants:
        values = numpy_helper.to_array(constant)
        if values.dtype != np.float32 or values.size < _MANY:
            kept.append(constant)
            continue
        half = f"{constant.name}.half"
        kept.append(numpy_helper.from_array(values.astype(np.float16), half))
        casts.append(helper.make_node("Cast", [half], [constant.name], name=f"{constant.name}.whole", to=TensorProto.FLOAT))
    return casts, kept


def _rename(graph: Any, prefix: str) -> None:
    """Give every name of a graph a prefix, save that of its input."""
    for node in graph.node:
        node.name = prefix + node.name
        node.input[:] = [name if name in (_INPUT, "") else prefix + name for name in node.input]
        node.output[:] = [prefix + name for name in node.output]
    for constant in graph.initializer:
        constant.name = prefix + constant.name


def _said(proto: Any) -> dict[str, str]:
    return {entry.key: entry.value for entry in proto.metadata_props}
