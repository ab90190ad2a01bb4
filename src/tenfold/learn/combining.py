"""Networks side by side in one ONNX file, which answers with what they say together; and the reviewers that ship so."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tenfold.errors import MissingExtraError, ModelError
from tenfold.learn.graph import halve
from tenfold.read.reviewer import KIND

try:
    import onnx
    from onnx import helper, numpy_helper
except ModuleNotFoundError as problem:
    raise MissingExtraError("train", "onnx") from problem

OUTPUT = "probabilities"

_LEAST = 1e-9  # a probability of nothing has no logarithm


def side_by_side(
    members: Sequence[bytes], name: str, together: Callable[[list[str]], list[Any]], constants: Sequence[Any] = ()
) -> Any:
    """Put networks into one graph, an ONNX model: from the input of the first to `probabilities`.

    What hidden layers answer is no output any more. The same members give the same graph.

    Args:
        members: ONNX files of networks that take and answer the same; where some take several views of each place, (batch,
            views, H, W), those that take one, (batch, H, W), are given the first.
        name: of the graph.
        together: makes the nodes that lead from the members' probabilities, by their names, to `probabilities`.
        constants: that these nodes need.
    """
    protos = [onnx.load_from_string(content) for content in members]
    first = protos[0]
    given = max((proto.graph.input[0] for proto in protos), key=_n_axes)
    answer = next(one for one in first.graph.output if one.name == OUTPUT)
    nodes, kept = [], list(constants)
    for number, proto in enumerate(protos, start=1):
        prefix, takes_one = f"member_{number}.", _n_axes(proto.graph.input[0]) < _n_axes(given)
        _rename(proto.graph, prefix, given.name, f"{prefix}view" if takes_one else given.name)
        if takes_one:
            some, constants_of_it = _first_view(prefix, given.name)
            nodes += some
            kept += constants_of_it
        nodes += proto.graph.node
        kept += proto.graph.initializer
    nodes += together([f"member_{number}.{OUTPUT}" for number in range(1, len(protos) + 1)])
    return helper.make_model(
        helper.make_graph(nodes, name, [given], [answer], kept),
        opset_imports=list(first.opset_import),
        ir_version=first.ir_version,
        producer_name="tenfold",
    )


def finished(made: Any, facts: Mapping[str, str], metadata: Mapping[str, Any]) -> bytes:
    """The bytes of a combined model with what it says of itself: facts as they are, metadata as JSON.

    Raises:
        ModelError: it is no valid ONNX.
    """
    helper.set_model_props(made, {**facts, **{key: json.dumps(value) for key, value in metadata.items()}})
    try:
        onnx.checker.check_model(made, full_check=True)
    except Exception as problem:  # ONNX raises several types for an invalid graph
        raise ModelError(f"the members cannot be put into one ONNX file ({str(problem).splitlines()[0][:160]})") from problem
    return bytes(made.SerializeToString(deterministic=True))


def versions(members: Sequence[bytes]) -> list[str]:
    """The versions of networks.

    Raises:
        ModelError: one has none.
    """
    found = [
        {entry.key: entry.value for entry in onnx.load_from_string(content).metadata_props}.get("version")
        for content in members
    ]
    if None in found:
        raise ModelError("a network without a version; expected those that tenfold exports")
    return [str(one) for one in found]


def version(members: Sequence[bytes]) -> str:
    """The version of networks together: a hash of theirs."""
    return hashlib.sha256(" ".join(versions(members)).encode()).hexdigest()[:12]


def combined(members: Sequence[bytes], metadata: Mapping[str, Any]) -> bytes:
    """Put reviewers into one file, which answers with the geometric mean of what they say; its weights take half the room.

    Args:
        members: ONNX files of `exporting.reviewer_to_onnx`.
        metadata: kept in the file, each value as JSON; `kind`, `version`, `members` (their versions) and `graph_sha256` are
            added.

    Raises:
        ModelError: the result is no valid ONNX.
    """
    least = numpy_helper.from_array(np.array(_LEAST, np.float32), "least")
    made = side_by_side(members, "reviewers", _geometric_mean, [least])
    halve(made.graph)
    facts = {
        "kind": KIND,
        "version": version(members),
        "graph_sha256": hashlib.sha256(made.graph.SerializeToString(deterministic=True)).hexdigest(),
    }
    return finished(made, facts, {"members": versions(members), **metadata})


def _geometric_mean(names: list[str]) -> list[Any]:
    nodes, logs = [], [f"{name}.log" for name in names]
    for name, log in zip(names, logs, strict=True):
        some = f"{name}.some"
        nodes.append(helper.make_node("Max", [name, "least"], [some], name=some))
        nodes.append(helper.make_node("Log", [some], [log], name=log))
    nodes.append(helper.make_node("Mean", logs, ["mean"], name="mean"))
    nodes.append(helper.make_node("Softmax", ["mean"], [OUTPUT], name="together", axis=-1))
    return nodes


def _n_axes(given: Any) -> int:
    return len(given.type.tensor_type.shape.dim)


def _first_view(prefix: str, given: str) -> tuple[list[Any], list[Any]]:
    """Nodes and constants that take the first view, (batch, H, W), out of several."""
    places = {name: np.array([value], np.int64) for name, value in (("first", 0), ("second", 1), ("axis", 1))}
    constants = [numpy_helper.from_array(value, prefix + name) for name, value in places.items()]
    first, second, axis = (constant.name for constant in constants)
    kept_axis, view = f"{prefix}first_view", f"{prefix}view"
    return [
        helper.make_node("Slice", [given, first, second, axis], [kept_axis], name=kept_axis),
        helper.make_node("Squeeze", [kept_axis, axis], [view], name=view),
    ], constants


def _rename(graph: Any, prefix: str, given: str, instead: str) -> None:
    """Give every name of a graph a prefix; what it is given has another name instead."""
    for node in graph.node:
        node.name = prefix + node.name
        node.input[:] = [instead if name == given else prefix + name if name else "" for name in node.input]
        node.output[:] = [prefix + name for name in node.output]
    for constant in graph.initializer:
        constant.name = prefix + constant.name
