"""The Open Inference Protocol, version 2, with the binary tensor extension: what Triton, KServe and their clients speak.

https://github.com/open-inference/open-inference-protocol and, for binary tensors,
https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tenfold import __version__
from tenfold.errors import ModelError
from tenfold.serve.answers import RequestError, answer
from tenfold.serve.bodies import media_type
from tenfold.serve.tensors import Tensor, put_together, taken_apart

MODEL = "digits"
INPUT = {"name": "images", "datatype": "UINT8", "shape": [-1, 28, 28]}
OUTPUT = {"name": "probabilities", "datatype": "FP32", "shape": [-1, 10]}
_DTYPES: dict[object, np.dtype[Any]] = {"UINT8": np.dtype(np.uint8), "FP32": np.dtype("<f4")}
_NO_STATISTICS = "statistics are not offered here; GET /metrics has counts and times of requests"
_TYPES = ("application/json", "application/octet-stream", "")


async def infer(request: Request) -> Response:
    """POST /v2/models/digits/infer: glyphs in, calibrated probabilities out."""
    _check_model(request)
    service = request.app.state.service
    service.workers.check_room()
    if request.headers.get("content-type"):
        media_type(request, _TYPES)
    length = request.headers.get("inference-header-content-length")
    allowed = service.limits.max_request_bytes if length is not None else service.limits.max_json_bytes
    async with service.bodies.of(request, allowed) as body:
        asked, binary = taken_apart(body, length, service.limits.max_json_bytes)
        glyphs = _glyphs(asked, binary, service.limits.max_request_glyphs)
        as_binary = _wants_binary(asked)
        classified = await service.workers.classify(glyphs)
    facts = {"model_name": MODEL, "model_version": classified.version}
    if "id" in asked:
        facts["id"] = _text(asked["id"], "id")
    content, headers = put_together(facts, [Tensor("probabilities", "FP32", classified.probabilities, as_binary)])
    return Response(content, headers={"cache-control": "no-store", "x-model-version": classified.version, **headers})


async def server_metadata(request: Request) -> Response:
    """GET /v2."""
    extensions = ["binary_tensor_data"]
    if request.app.state.service.settings.allow_load:
        extensions.append("model_repository(load)")
    return answer({"name": "tenfold", "version": __version__, "extensions": extensions})


async def live(_: Request) -> Response:
    """GET /v2/health/live: whether the process answers at all."""
    return answer({"live": True})


async def ready(request: Request) -> Response:
    """GET /v2/health/ready: whether new requests should be sent here; not while the service is about to end."""
    is_ready = not request.app.state.service.draining
    return answer({"ready": is_ready}, 200 if is_ready else 503)


async def model_metadata(request: Request) -> Response:
    """GET /v2/models/digits."""
    _check_model(request)
    version = request.app.state.service.models.current.version
    made = {"name": MODEL, "versions": [version], "platform": "onnxruntime_onnx", "inputs": [INPUT], "outputs": [OUTPUT]}
    return answer(made, headers={"x-model-version": version})


async def model_ready(request: Request) -> Response:
    """GET /v2/models/digits/ready."""
    _check_model(request)
    is_ready = not request.app.state.service.draining
    return answer({"name": MODEL, "ready": is_ready}, 200 if is_ready else 503)


async def load(request: Request) -> Response:
    """POST /v2/repository/models/digits/load: read the model's file anew."""
    _check_model(request)
    service = request.app.state.service
    if not service.settings.allow_load:
        raise RequestError(403, "load_not_allowed", "loading is off; start the service with --allow-load")
    async with service.bodies.of(request, service.limits.max_json_bytes):
        pass  # what clients may send here, such as a configuration, does not apply
    try:
        await service.models.load(service.models.source)
    except ModelError as problem:
        message = f"{problem}; version {service.models.current.version} goes on serving"
        raise RequestError(400, "model_unusable", message) from problem
    return answer({"name": MODEL, "version": service.models.current.version})


def missing(path: str) -> str:
    """What to say of a path where nothing is."""
    if path.startswith("/v2/models/") and path.endswith("/stats"):  # of one model, and of one version
        return _NO_STATISTICS
    return "there is nothing at this path; GET /docs says what there is"


def _check_model(request: Request) -> None:
    name, version = request.path_params["model"], request.path_params.get("version")
    if name == "stats":  # /v2/models/stats is where Triton has the statistics of all models
        raise RequestError(404, "no_statistics", _NO_STATISTICS)
    if name != MODEL:
        raise RequestError(404, "unknown_model", f"unknown model {name[:60]!r}; there is {MODEL!r}")
    served = request.app.state.service.models.current.version
    if version not in (None, served):
        raise RequestError(404, "unknown_version", f"unknown version {version[:60]!r} of the model; there is {served!r}")


def _glyphs(asked: Mapping[str, Any], binary: memoryview, most: int) -> NDArray[np.uint8]:
    """The input tensor as glyphs, uint8 (n, 28, 28)."""
    inputs = asked.get("inputs")
    if not (isinstance(inputs, list) and len(inputs) == 1 and isinstance(inputs[0], dict)):
        raise _bad("inputs: expected a list with one tensor, 'images'")
    tensor = inputs[0]
    if tensor.get("name") != "images":
        raise _bad("the name of the input tensor: expected 'images'")
    shape, datatype = tensor.get("shape"), tensor.get("datatype")
    if not (isinstance(shape, list) and len(shape) == 3 and all(type(n) is int for n in shape) and shape[1:] == [28, 28]):
        raise _bad("shape of 'images': expected [n, 28, 28]")
    if shape[0] < 1:
        raise _bad(f"shape of 'images': {shape[0]} glyphs, expected 1 to {most:,}")
    if shape[0] > most:
        raise _bad(f"shape of 'images': {shape[0]:,} glyphs, expected at most {most:,}; send them in several requests")
    if not isinstance(datatype, str) or datatype not in _DTYPES:
        raise _bad("datatype of 'images': expected UINT8 or FP32")
    size = _parameters(tensor, "images").get("binary_data_size")
    if size is None:
        if len(binary):
            raise _bad("bytes after the JSON that no tensor's binary_data_size speaks of")
        values = _from_list(tensor.get("data"), tuple(shape))
    else:
        values = _from_bytes(binary, size, _DTYPES[datatype], tuple(shape))
    pixels = _pixels(values)
    if datatype == "UINT8" and values.dtype.kind == "f" and (pixels != values).any():
        raise _bad("data of 'images': expected whole numbers, since the datatype is UINT8; FP32 takes others")
    return pixels


def _from_list(data: Any, shape: tuple[int, ...]) -> NDArray[np.generic]:
    """Numbers in JSON, in one list or nested as the shape says."""
    if not isinstance(data, list):
        raise _bad("data of 'images': expected a list of numbers")
    try:
        values = np.array(data)
    except (ValueError, OverflowError) as problem:
        raise _bad("data of 'images': expected numbers, in one list or nested as the shape says") from problem
    if values.dtype.kind not in "iuf" or values.shape not in (shape, (math.prod(shape),)):
        raise _bad(f"data of 'images': {values.dtype} of shape {list(values.shape)}, expected numbers of shape {list(shape)}")
    return values.reshape(shape)


def _from_bytes(binary: memoryview, size: Any, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[np.generic]:
    expected = math.prod(shape) * dtype.itemsize
    if size != expected or len(binary) != expected:
        found = f"binary_data_size {str(size)[:20]} and {len(binary)} bytes after the JSON"
        raise _bad(f"'images': {found}, expected {expected} for {dtype.name} of shape {list(shape)}")
    return np.frombuffer(binary, dtype).reshape(shape)


def _pixels(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    if values.dtype == np.uint8:
        return np.asarray(values, np.uint8)
    if not (values.min() >= 0 and values.max() <= 255):  # not for NaN either
        raise _bad("data of 'images': expected values from 0 to 255")
    if values.max() <= 1 and (values != np.rint(values)).any():
        raise _bad("data of 'images': expected values from 0 to 255, found shares up to 1; multiply them by 255")
    return np.rint(values.astype(np.float64)).astype(np.uint8)


def _wants_binary(asked: Mapping[str, Any]) -> bool:
    """Whether the probabilities are wanted as bytes."""
    everywhere = _parameters(asked, "the request").get("binary_data_output", False)
    outputs = asked.get("outputs")
    if outputs is None or outputs == []:
        return _flag(everywhere, "binary_data_output")
    if not (isinstance(outputs, list) and all(isinstance(output, dict) for output in outputs)):
        raise _bad("outputs: expected a list of objects with a name")
    if len(outputs) > 1 or outputs[0].get("name") != "probabilities":
        raise _bad("outputs: expected one, 'probabilities'")
    parameters = _parameters(outputs[0], "probabilities")
    if parameters.get("classification"):
        raise _bad("outputs: the classification extension is not supported")
    return _flag(parameters.get("binary_data", everywhere), "binary_data")


def _parameters(owner: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = owner.get("parameters", {})
    if not isinstance(found, dict):
        raise _bad(f"parameters of {name}: expected an object")
    return found


def _flag(value: Any, name: str) -> bool:
    if not isinstance(value, bool):
        raise _bad(f"{name}: expected true or false")
    return value


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str) or len(value) > 256:
        raise _bad(f"{name}: expected a string of at most 256 characters")
    return value


def _bad(message: str) -> RequestError:
    return RequestError(400, "bad_tensor", message)


def routes() -> list[Route]:
    """The routes of this module."""
    return [
        Route("/v2/models/{model}/infer", infer, methods=["POST"]),  # the first, since it is called most
        Route("/v2", server_metadata),
        Route("/v2/health/live", live),
        Route("/v2/health/ready", ready),
        Route("/v2/models/{model}", model_metadata),
        Route("/v2/models/{model}/ready", model_ready),
        Route("/v2/models/{model}/versions/{version}", model_metadata),
        Route("/v2/models/{model}/versions/{version}/ready", model_ready),
        Route("/v2/models/{model}/versions/{version}/infer", infer, methods=["POST"]),
        Route("/v2/repository/models/{model}/load", load, methods=["POST"]),
    ]
