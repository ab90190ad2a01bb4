"""What tests of several wings share.

Small ONNX models are made by hand: reader and service must not need Keras, and neither do their tests.
"""

import json
import signal
from collections.abc import Callable
from concurrent.futures import Future

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tenfold import Digits
from tenfold.cluster.trainings import Outcome, Training

Make = Callable[..., bytes]

# A shell that runs tests in the background has interrupts ignored, and processes that tests start would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The README first: it takes longest, and where tests run in two processes nothing is to wait for it at the end."""
    items.sort(key=lambda item: item.path.name != "test_readme.py")


class Failing:
    """A place where every training fails."""

    n_workers = 1

    def start(self, training: Training) -> Future[Outcome]:
        future: Future[Outcome] = Future()
        future.set_result(Outcome("failed", "out of memory"))
        return future


@pytest.fixture
def failing() -> Failing:
    return Failing()


def make_toy(n: int, seed: int) -> Digits:
    """Digits whose class is the height of a bright bar, with noise."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 10, n).astype(np.uint8)
    images = rng.integers(0, 60, (n, 28, 28)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[2 * label + 4 : 2 * label + 7, 4:24] = 250
    return Digits(images, labels, "toy")


@pytest.fixture(scope="session")
def toy() -> Digits:
    return make_toy(400, seed=0)


@pytest.fixture
def make_model() -> Make:
    """Make a model whose logit for class k is the mean of rows 2k+4 to 2k+6; each part can be replaced to do harm."""

    def make(
        *,
        scale: float = 20.0,
        input_name: str = "images",
        input_type: int = TensorProto.UINT8,
        input_shape: tuple[object, ...] = ("batch", 28, 28),
        output_name: str = "probabilities",
        weights: np.ndarray | None = None,
        **metadata: object,
    ) -> bytes:
        kernel = np.zeros((784, 10), np.float32)
        for label in range(10):
            kernel.reshape(28, 28, 10)[2 * label + 4 : 2 * label + 7, :, label] = scale / (3 * 28 * 255)
        constants = [numpy_helper.from_array(kernel if weights is None else weights, "kernel")]
        nodes = [
            helper.make_node("Cast", [input_name], ["pixels"], to=TensorProto.FLOAT),
            helper.make_node("Flatten", ["pixels"], ["flat"], axis=1),
            helper.make_node("MatMul", ["flat", "kernel"], ["logits"]),
            helper.make_node("Softmax", ["logits"], [output_name]),
        ]
        images = helper.make_tensor_value_info(input_name, input_type, list(input_shape))
        answer = helper.make_tensor_value_info(output_name, TensorProto.FLOAT, [input_shape[0], 10])
        graph = helper.make_graph(nodes, "digits", [images], [answer], constants)
        proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        facts = {"kind": "tenfold digit classifier", "version": "0"} | metadata
        props = {k: v if isinstance(v, str) else json.dumps(v) for k, v in facts.items() if v is not None}
        helper.set_model_props(proto, props)
        onnx.checker.check_model(proto)
        return bytes(proto.SerializeToString())

    return make
