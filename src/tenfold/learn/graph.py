"""An ONNX graph in the making: nodes and constants, one result after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenfold.errors import MissingExtraError

try:
    from onnx import TensorProto, helper, numpy_helper
except ModuleNotFoundError as problem:
    raise MissingExtraError("train", "onnx") from problem

_MANY = 64  # numbers; tensors of fewer stay as they are


class Graph:
    """Nodes and constants in the making; `value` is the name of the newest result.

    A dense layer or a convolution stays open until the next layer is known: a batch norm that follows is folded into it.
    With `tells_activations` what each ReLU lets through becomes an output, `activation_1` and so on; it costs 5 % of the time.
    """

    def __init__(self, value: str, tells_activations: bool = False) -> None:
        self.tells_activations = tells_activations
        self.activations: list[Any] = []
        self.let_through: dict[str, str] = {}  # by Keras layers, the names of these results
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.value = value
        self.open: Sum | None = None
        self.padding: int | None = None  # of the convolution to come, where it is a layer of its own

    def activate(self, layer: Any) -> None:
        """Add the ReLU of a Keras layer."""
        self.let_through[layer.name] = layer.name
        if not self.tells_activations:
            self.add("Relu", layer.name)
            return
        self.close()
        name = self.let_through[layer.name] = f"activation_{len(self.activations) + 1}"
        *area, n = layer.output.shape[1:]  # ONNX has the maps before height and width
        self.activations.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", n, *area]))
        self.nodes.append(helper.make_node("Relu", [self.value], [name], name=layer.name))
        self.value = name

    def add(self, operator: str, name: str, *constants: NDArray[np.generic], **attributes: Any) -> None:
        """Do something with the newest result, which gives the newest."""
        self.close()
        self.value = self.made(operator, name, self.value, *constants, **attributes)

    def made(self, operator: str, name: str, *given: str | NDArray[np.generic], **attributes: Any) -> str:
        """Make a result, of this name, of other results and of constants; return its name."""
        inputs = [one if isinstance(one, str) else f"{name}.{i}" for i, one in enumerate(given, start=-1)]
        for one, known_as in zip(given, inputs, strict=True):
            if not isinstance(one, str):
                self.constants.append(numpy_helper.from_array(np.ascontiguousarray(one), known_as))
        self.nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def renamed(self, name: str) -> str:
        """Give the newest result, which nothing has taken yet, another name; return it."""
        self.nodes[-1].output[0] = self.nodes[-1].name = self.value = name
        return name

    def close(self) -> None:
        if self.open is not None:
            done, self.open = self.open, None
            biases = [] if done.bias is None else [done.bias]
            self.add(done.operator, done.name, done.kernel, *biases, **done.attributes)

    def side_by_side(self, name: str, *operators: str) -> None:
        """Several operators on the newest result, their results joined along the maps."""
        self.close()
        parts = [self.made(operator, f"{name}.{operator}", self.value) for operator in operators]
        self.value = self.made("Concat", name, *parts, axis=1)


@dataclass
class Sum:
    """A sum over inputs.

    `Gemm` has a kernel (inputs, outputs), `Conv` one of (outputs, inputs, height, width).
    """

    operator: str
    name: str
    kernel: NDArray[np.float32]
    bias: NDArray[np.float32] | None
    attributes: dict[str, Any]

    def scale(self, factors: NDArray[np.float32], shifts: NDArray[np.float32]) -> None:
        """Multiply each output by its factor, then add its shift."""
        self.kernel = self.kernel * (factors if self.operator == "Gemm" else factors[:, None, None, None])
        self.bias = shifts if self.bias is None else self.bias * factors + shifts


def halve(graph: Any) -> None:
    """Keep weights as float16; nodes make float32 of them again, which ONNX Runtime does once, when it loads them."""
    casts = []
    for constant in graph.initializer:
        values = numpy_helper.to_array(constant)
        if values.dtype != np.float32 or values.size < _MANY:
            continue
        whole, half = constant.name, f"{constant.name}.half"
        constant.CopyFrom(numpy_helper.from_array(values.astype(np.float16), half))
        casts.append(helper.make_node("Cast", [half], [whole], name=f"{whole}.whole", to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
