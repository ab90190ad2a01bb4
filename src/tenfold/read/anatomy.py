"""What an ONNX file holds, seen before anything of it is loaded or run: which operators, and where tensors keep their values.

Walks protobuf's wire format (https://protobuf.dev/programming-guides/encoding) along the fields of onnx.proto that lead to
operators and tensors. ONNX Runtime would fetch values from other files, loop without end, or fill a tensor of any size; a
network that reads digits needs nothing of the kind, so only operators that compute with what they are given are let in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

_OPERATORS = frozenset(
    b"Add AveragePool BatchNormalization Cast Clip Concat Constant Conv ConvTranspose Div Dropout Elu Exp Flatten Gemm "
    b"GlobalAveragePool GlobalMaxPool HardSigmoid HardSwish Identity LeakyRelu Log LogSoftmax MatMul Max MaxPool Mean Min Mul "
    b"Neg PRelu Pow ReduceMax ReduceMean ReduceSum Relu Reshape Selu Sigmoid Slice Softmax Softplus Sqrt Squeeze Sub Sum Tanh "
    b"Transpose Unsqueeze".split()
)
_DOMAINS = (b"", b"ai.onnx")
_MOST_FIELDS = 1_000_000  # tenfold's own networks have about a thousand
_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5
_GRAPH = 7  # of a ModelProto

# By message, its fields that lead on to other messages. What is left out holds neither operator nor tensor.
_INSIDE = {
    "model": {_GRAPH: "graph"},
    "graph": {1: "node", 5: "tensor"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 10: "tensor"},
}
_REFUSED = {
    "model": {20: "training steps", 25: "functions"},
    "graph": {15: "sparse tensors"},
    "attribute": {6: "a graph inside an operator", 11: "graphs inside an operator", 22: "sparse tensors", 23: "sparse tensors"},
    "tensor": {13: "values in another file", 14: "values in another file"},
}


def fault(content: bytes) -> str | None:
    """What speaks against loading an ONNX file, in a few words, or None."""
    try:
        return next(_faults(memoryview(content), "model", [_MOST_FIELDS]), None)
    except ValueError as problem:
        return f"not usable as ONNX ({problem})"


def graph_sha256(content: bytes) -> str:
    """The SHA-256 over the graph of an ONNX file without faults, weights included: 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for number, kind, value in _fields(memoryview(content), [_MOST_FIELDS]):
        if (number, kind) == (_GRAPH, _LENGTH):
            digest.update(value)
    return digest.hexdigest()


def _faults(message: memoryview, name: str, left: list[int]) -> Iterator[str]:
    refused, inside = _REFUSED.get(name, {}), _INSIDE.get(name, {})
    for number, kind, value in _fields(message, left):
        if number in refused and (name != "tensor" or _counts(number, value)):
            yield f"keeps {refused[number]}"
        elif name == "node" and number == 4 and bytes(value) not in _OPERATORS:
            yield f"has the operator {bytes(value[:40]).decode('ascii', 'replace')!r}, which reading digits does not need"
        elif name == "node" and number == 7 and bytes(value) not in _DOMAINS:
            yield f"has an operator of {bytes(value[:40]).decode('ascii', 'replace')!r}, which ONNX does not know"
        elif number in inside and kind == _LENGTH:
            yield from _faults(value, inside[number], left)


def _counts(number: int, value: memoryview) -> bool:
    """Whether a tensor's field says that its values are elsewhere; `data_location` may say that they are here."""
    return number == 13 or any(value)


def _fields(message: memoryview, left: list[int]) -> Iterator[tuple[int, int, memoryview]]:
    """The fields of a message: number, kind and content. `left` holds how many may come yet, of all messages together."""
    place = 0
    while place < len(message):
        left[0] -= 1
        if left[0] < 0:
            raise ValueError(f"more than {_MOST_FIELDS:,} fields")
        key, start = _varint(message, place)
        kind = key & 7
        if kind == _VARINT:
            _, place = _varint(message, start)
        elif kind == _LENGTH:
            size, start = _varint(message, start)
            place = start + size
        elif kind in (_EIGHT_BYTES, _FOUR_BYTES):
            place = start + (8 if kind == _EIGHT_BYTES else 4)
        else:
            raise ValueError("no field of protobuf")
        if place > len(message):
            raise ValueError("cut short")
        yield key >> 3 & 0x1FFFFFFF, kind, message[start:place]


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    """A number of up to ten bytes of seven bits each, and the place after it."""
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(message):
            raise ValueError("cut short")
        byte = message[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise ValueError("no number of protobuf")
