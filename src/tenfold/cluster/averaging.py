"""Several networks as one ONNX file that answers with the mean of their probabilities."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from tenfold.errors import MissingExtraError, ModelError
from tenfold.read.model import KIND

try:
    import onnx
    from onnx import helper
except ModuleNotFoundError as problem:
    raise MissingExtraError("train", "onnx") from problem

_OUTPUT = "probabilities"


def averaged(members: Sequence[bytes], metadata: Mapping[str, Any]) -> bytes:
    """Put models side by side into one graph: input `images` uint8 (batch, 28, 28), output `probabilities` float32 (batch, 10).

    What hidden layers answer is no output any more. The same members give the same bytes.

    Args:
        members: ONNX files of `exporting.to_onnx`.
        metadata: kept in the file, each value as JSON; `kind` and `version` (a hash of the members' versions) are added.

    Raises:
        ModelError: a member has no version, or the result is no valid ONNX.
    """
    protos = [onnx.load_from_string(content) for content in members]
    first = protos[0].graph
    given, answer = first.input[0], next(one for one in first.output if one.name == _OUTPUT)
    nodes, kept = [], []
    for number, proto in enumerate(protos, start=1):
        _rename(proto.graph, f"member_{number}.", given.name)
        nodes += proto.graph.node
        kept += proto.graph.initializer
    names = [f"member_{number}.{_OUTPUT}" for number in range(1, len(protos) + 1)]
    nodes.append(helper.make_node("Mean", names, [_OUTPUT], name="mean"))
    made = helper.make_model(
        helper.make_graph(nodes, "digits", [given], [answer], kept),
        opset_imports=list(protos[0].opset_import),
        ir_version=protos[0].ir_version,
        producer_name="tenfold",
    )
    facts = {"kind": KIND, "version": _version(protos)} | {key: json.dumps(value) for key, value in metadata.items()}
    helper.set_model_props(made, facts)
    try:
        onnx.checker.check_model(made, full_check=True)
    except Exception as problem:  # ONNX raises several types for an invalid graph
        raise ModelError(f"the members cannot be put into one ONNX file ({str(problem).splitlines()[0][:160]})") from problem
    return bytes(made.SerializeToString(deterministic=True))


def _version(protos: Sequence[Any]) -> str:
    """The version of networks together: a hash of theirs."""
    versions = [{entry.key: entry.value for entry in proto.metadata_props}.get("version") for proto in protos]
    if None in versions:
        raise ModelError("a network without a version; expected those that tenfold exports")
    return hashlib.sha256(" ".join(map(str, versions)).encode()).hexdigest()[:12]


def _rename(graph: Any, prefix: str, given: str) -> None:
    """Give every name of a graph a prefix, save that of its input."""
    for node in graph.node:
        node.name = prefix + node.name
        node.input[:] = [name if name in (given, "") else prefix + name for name in node.input]
        node.output[:] = [prefix + name for name in node.output]
    for constant in graph.initializer:
        constant.name = prefix + constant.name
