"""Messages of the Open Inference Protocol: JSON, and after it the bytes of tensors (the binary tensor extension)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.serve.answers import RequestError

_LENGTH = "inference-header-content-length"


class Tensor(NamedTuple):
    """A tensor to send: its values in JSON, or as bytes after it."""

    name: str
    datatype: str
    values: NDArray[np.generic]
    as_binary: bool


def parsed(body: bytes | memoryview) -> Any:
    """A body as JSON.

    Raises:
        RequestError: 400, it is none, holds NaN or is nested too deep.
    """
    try:
        return json.loads(bytes(body), parse_constant=_refuse_constant)
    except RecursionError as problem:
        raise RequestError(400, "bad_json", "the JSON is nested too deep") from problem
    except ValueError as problem:
        raise RequestError(400, "bad_json", f"the body is not JSON: {str(problem)[:120]}") from problem


def taken_apart(body: bytes, length: str | None, max_json_bytes: int) -> tuple[dict[str, Any], memoryview]:
    """The JSON of a request and the bytes after it; `length` is the header that says where the JSON ends.

    Raises:
        RequestError: 400, it is no JSON object or the length is none.
    """
    n = len(body)
    if length is not None:
        if not (length.isascii() and length.isdigit() and len(length) < 18 and int(length) <= n):
            raise RequestError(400, "bad_header", f"{_LENGTH}: expected a number up to the {n} bytes of the body")
        n = int(length)
    if n > max_json_bytes:
        raise RequestError(413, "body_too_large", f"the JSON has more than {max_json_bytes:,} bytes")
    asked = parsed(memoryview(body)[:n])
    if not isinstance(asked, dict):
        raise RequestError(400, "bad_json", "expected a JSON object")
    return asked, memoryview(body)[n:]


def put_together(facts: Mapping[str, Any], tensors: Sequence[Tensor]) -> tuple[bytes, dict[str, str]]:
    """The body of an answer and the headers it needs."""
    outputs: list[dict[str, Any]] = []
    tail = []
    for tensor in tensors:
        output: dict[str, Any] = {"name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.values.shape)}
        if tensor.as_binary:
            tail.append(tensor.values.tobytes())
            output["parameters"] = {"binary_data_size": len(tail[-1])}
        else:
            output["data"] = tensor.values.ravel().tolist()
        outputs.append(output)
    head = json.dumps({**facts, "outputs": outputs}, allow_nan=False, separators=(",", ":")).encode()
    if not tail:
        return head, {"content-type": "application/json"}
    return b"".join([head, *tail]), {"content-type": "application/octet-stream", _LENGTH: str(len(head))}


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number in JSON")
